//! A path and its methods. What each path has beside them: HEAD where it has GET, OPTIONS, and 405
//! in Keystone's form for all others.

use std::cell::RefCell;
use std::sync::LazyLock;

use actix_web::dev::ServiceRequest;
use actix_web::http::uri::PathAndQuery;
use actix_web::http::{Method, Uri};
use actix_web::{FromRequest, Handler, Resource, Responder, Route, web};

use super::method_not_allowed;
use super::schema::Schema;

/// The methods of one path, on their way to be registered.
pub struct Routes {
    resource: Resource,
    path: String,
    operations: Vec<Operation>,
}

/// A method of a path, as the description of the API has it.
#[derive(Clone)]
pub struct Operation {
    /// `GET`, say.
    pub method: &'static str,
    /// With `{…}` for variables.
    pub path: String,
    /// The handler, by module and name.
    pub handler: &'static str,
    /// What the body has to look like.
    pub body: Option<&'static LazyLock<Schema>>,
    /// What the query has to look like.
    pub query: Option<&'static LazyLock<Schema>>,
}

thread_local! {
    static REGISTERED: RefCell<Option<Vec<Operation>>> = const { RefCell::new(None) };
}

/// Slashes at the end of a path mean nothing: `/v3/users/` is `/v3/users`, as in Keystone.
pub(super) fn trim_slashes(request: &mut ServiceRequest) {
    let path = request.path();
    let trimmed = path.trim_end_matches('/');
    if path.len() <= 1 || trimmed.len() == path.len() {
        return;
    }
    let mut target = if trimmed.is_empty() { "/" } else { trimmed }.to_owned();
    if !request.query_string().is_empty() {
        target.push('?');
        target.push_str(request.query_string());
    }
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(target).ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
}

/// The operations that are registered while this runs.
pub(super) fn registered_by(register: impl FnOnce()) -> Vec<Operation> {
    REGISTERED.set(Some(Vec::new()));
    register();
    REGISTERED.take().unwrap_or_default()
}

impl Routes {
    /// A path, such as `/v3/roles/{role_id}`.
    pub fn at(path: &str) -> Self {
        Self {
            resource: web::resource(path),
            path: path.to_owned(),
            operations: Vec::new(),
        }
    }

    fn with<F, A>(mut self, name: &'static str, route: Route, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.resource = self.resource.route(route.to(handler));
        self.operations.push(Operation {
            method: name,
            path: self.path.clone(),
            handler: std::any::type_name::<F>(),
            body: None,
            query: None,
        });
        self
    }

    /// What the body of the last method has to look like: for the description alone, the handler
    /// compares it.
    pub fn takes(mut self, schema: &'static LazyLock<Schema>) -> Self {
        if let Some(last) = self.operations.last_mut() {
            last.body = Some(schema);
        }
        self
    }

    /// The same of its query; of HEAD's as well where that is the same handler.
    pub fn asks(mut self, schema: &'static LazyLock<Schema>) -> Self {
        let last = self.operations.last().map(|last| last.handler);
        let same = self.operations.iter_mut().rev();
        for operation in same.take_while(|one| Some(one.handler) == last) {
            operation.query = Some(schema);
        }
        self
    }

    /// GET, and HEAD with the same handler.
    pub fn get<F, A>(self, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with("GET", web::get(), handler.clone()).head(handler)
    }

    /// GET alone, where HEAD is something else.
    pub fn only_get<F, A>(self, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with("GET", web::get(), handler)
    }

    /// HEAD.
    pub fn head<F, A>(self, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with("HEAD", web::head(), handler)
    }

    /// POST.
    pub fn post<F, A>(self, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with("POST", web::post(), handler)
    }

    /// PUT.
    pub fn put<F, A>(self, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with("PUT", web::put(), handler)
    }

    /// PATCH.
    pub fn patch<F, A>(self, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with("PATCH", web::method(Method::PATCH), handler)
    }

    /// DELETE.
    pub fn delete<F, A>(self, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with("DELETE", web::delete(), handler)
    }

    /// Adds the path to the API.
    pub fn register(self, api: &mut web::ServiceConfig) {
        let mut allowed: Vec<&str> = self.operations.iter().map(|one| one.method).collect();
        allowed.push("OPTIONS");
        let allowed = allowed.join(", ");
        let resource = self.resource.default_service(method_not_allowed(allowed));
        api.service(resource);
        REGISTERED.with_borrow_mut(|registered| {
            if let Some(registered) = registered {
                registered.extend(self.operations);
            }
        });
    }
}
