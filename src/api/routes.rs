//! A path and its methods. What each path has beside them: HEAD where it has GET, OPTIONS, and 405
//! in Keystone's form for all others.

use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Resource, Responder, Route, web};

use super::method_not_allowed;

/// The methods of one path, on their way to be registered.
pub struct Routes {
    resource: Resource,
    allowed: Vec<&'static str>,
}

impl Routes {
    /// A path, such as `/v3/roles/{role_id}`.
    pub fn at(path: &str) -> Self {
        Self {
            resource: web::resource(path),
            allowed: Vec::new(),
        }
    }

    fn with<F, A>(mut self, name: &'static str, route: Route, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.resource = self.resource.route(route.to(handler));
        self.allowed.push(name);
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
        let Self {
            resource,
            mut allowed,
        } = self;
        allowed.push("OPTIONS");
        api.service(resource.default_service(method_not_allowed(allowed.join(", "))));
    }
}
