//! HTTP: a resource a file, its routes, and what all of them share.

pub mod access_rules;
pub mod body;
pub mod call;
pub mod caller;
pub mod context;
pub mod cors;
pub mod discovery;
pub mod error;
pub mod forwarded;
mod json_home;
pub mod links;
pub mod openapi;
pub mod query;
pub mod router;
pub mod routes;
pub mod schema;
pub mod slashes;
pub mod step_up;
mod stream;
pub mod v3;
pub mod v4;

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::{self, ContentType};
use actix_web::{HttpRequest, HttpResponse, Route, web};
use serde_json::json;

use router::Router;

/// Routes everything but health; with passkeys or without.
pub fn routes(passkeys: bool) -> impl Fn(&mut Router) + Clone {
    move |api| {
        discovery::routes(api);
        v3::routes(api);
        if passkeys {
            v4::routes(api);
        }
        openapi::routes(api);
    }
}

/// What a path answers to methods that it does not have: 405 in Keystone's form, and to OPTIONS
/// which ones it has.
pub fn method_not_allowed(allowed: impl Into<Arc<str>>) -> Route {
    let allowed = allowed.into();
    web::to(move |request: HttpRequest| {
        let answer = if request.method() == Method::OPTIONS {
            HttpResponse::Ok()
                .insert_header((header::ALLOW, &*allowed))
                .insert_header(ContentType::html())
                .finish()
        } else {
            HttpResponse::MethodNotAllowed()
                .insert_header((header::ALLOW, &*allowed))
                .json(json!({"message": "The method is not allowed for the requested URL."}))
        };
        async { answer }
    })
}
