//! A path and its methods. What each path has beside them: HEAD where it has GET, OPTIONS, and 405
//! in Keystone's form for all others.

use std::sync::LazyLock;

use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Responder, Route, web};

use super::method_not_allowed;
use super::openapi::answers::Answer;
use super::router::Router;
use super::schema::Schema;

/// The methods of one path, on their way to be registered.
pub struct Routes {
    routes: Vec<(Method, Route)>,
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
    /// What the query has to look like, before it is asked who sends it.
    pub query: Option<&'static LazyLock<Schema>>,
    /// What else is heeded.
    pub parameters: Vec<Parameter>,
    /// What it answers, besides the errors that all have. PUT and DELETE answer 204 unless they say
    /// something else.
    pub answers: Vec<Answer>,
    /// A header that good answers have, and what it is.
    pub tells: Option<(&'static str, &'static str)>,
    /// Whether it needs no token.
    pub is_public: bool,
    /// What it does, where no policy rule says so.
    pub summary: Option<&'static str>,
}

/// A parameter beside body, path, and the schema of the query.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
    /// Where it is.
    pub place: Place,
}

/// Where a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the query.
    Query,
    /// A header.
    Header,
    /// A header without which nothing is answered.
    NeededHeader,
}

impl Routes {
    /// A path, such as `/v3/roles/{role_id}`.
    pub fn at(path: &str) -> Self {
        Self {
            routes: Vec::new(),
            path: path.to_owned(),
            operations: Vec::new(),
        }
    }

    fn with<F, A>(mut self, name: &'static str, method: Method, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.routes.push((method, web::to(handler)));
        self.operations.push(Operation {
            method: name,
            path: self.path.clone(),
            handler: std::any::type_name::<F>(),
            body: None,
            query: None,
            parameters: Vec::new(),
            answers: Vec::new(),
            tells: None,
            is_public: false,
            summary: None,
        });
        self
    }

    /// The last method, and HEAD besides where that is the same handler.
    fn last(&mut self) -> impl Iterator<Item = &mut Operation> {
        let last = self.operations.last().map(|last| last.handler);
        let same = self.operations.iter_mut().rev();
        same.take_while(move |one| Some(one.handler) == last)
    }

    /// What the body of the last method has to look like: for the description alone, the handler
    /// compares it.
    pub fn takes(mut self, schema: &'static LazyLock<Schema>) -> Self {
        self.last()
            .for_each(|operation| operation.body = Some(schema));
        self
    }

    /// What the query of the last method has to look like; of HEAD's as well where that is the same
    /// handler, as with all below. It is compared before it is asked who sends it.
    pub fn asks(mut self, schema: &'static LazyLock<Schema>) -> Self {
        self.last()
            .for_each(|operation| operation.query = Some(schema));
        self
    }

    /// What the last method answers; may be said several times.
    pub fn answers(mut self, answer: Answer) -> Self {
        self.last()
            .for_each(|operation| operation.answers.push(answer));
        self
    }

    /// A parameter of the query of the last method that no schema is compared with.
    pub fn heeds(self, name: &'static str, about: &'static str) -> Self {
        let place = Place::Query;
        self.parameter(Parameter { name, about, place })
    }

    /// A header of the last method.
    pub fn header(self, name: &'static str, about: &'static str) -> Self {
        let place = Place::Header;
        self.parameter(Parameter { name, about, place })
    }

    /// A header that the last method can't do without.
    pub fn needs_header(self, name: &'static str, about: &'static str) -> Self {
        let place = Place::NeededHeader;
        self.parameter(Parameter { name, about, place })
    }

    fn parameter(mut self, parameter: Parameter) -> Self {
        self.last()
            .for_each(|operation| operation.parameters.push(parameter));
        self
    }

    /// A header of the last method's good answers.
    pub fn tells(mut self, name: &'static str, about: &'static str) -> Self {
        self.last()
            .for_each(|operation| operation.tells = Some((name, about)));
        self
    }

    /// Of the last method: needs no token.
    pub fn public(mut self) -> Self {
        self.last().for_each(|operation| operation.is_public = true);
        self
    }

    /// What the last method does, where no policy rule says so.
    pub fn does(mut self, summary: &'static str) -> Self {
        self.last()
            .for_each(|operation| operation.summary = Some(summary));
        self
    }

    /// GET, and HEAD with the same handler.
    pub fn get<F, A>(self, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with("GET", Method::GET, handler.clone()).head(handler)
    }

    /// GET alone, where HEAD is something else.
    pub fn only_get<F, A>(self, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with("GET", Method::GET, handler)
    }

    /// HEAD.
    pub fn head<F, A>(self, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with("HEAD", Method::HEAD, handler)
    }

    /// POST.
    pub fn post<F, A>(self, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with("POST", Method::POST, handler)
    }

    /// PUT.
    pub fn put<F, A>(self, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with("PUT", Method::PUT, handler)
    }

    /// PATCH.
    pub fn patch<F, A>(self, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with("PATCH", Method::PATCH, handler)
    }

    /// DELETE.
    pub fn delete<F, A>(self, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with("DELETE", Method::DELETE, handler)
    }

    /// Adds the path to the API.
    pub fn register(self, api: &mut Router) {
        let mut allowed: Vec<&str> = self.operations.iter().map(|one| one.method).collect();
        allowed.push("OPTIONS");
        let allowed = allowed.join(", ");
        let others = method_not_allowed(allowed);
        api.add(self.path, self.routes, others, self.operations);
    }
}
