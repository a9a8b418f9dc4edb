//! The description of the API: OpenAPI 3.1, made of what is routed. Paths and methods are those that
//! were registered, bodies and queries the schemas that requests are compared with, summaries those of
//! the policy rules. What a method answers stands where it is registered; `tests/schemathesis` holds
//! it against what is answered.

pub mod answers;
mod components;
mod describe;
mod errors;

use std::sync::LazyLock;

use actix_web::http::header::{self, ContentType};
use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};

use self::components::Components;
use super::router::Router;
use super::routes::{Operation, Routes};
use super::schema::object;
use crate::node::Node;
use crate::server::health;

/// Routes it.
pub fn routes(api: &mut Router) {
    Routes::at("/openapi.json")
        .get(show)
        .does("Describe the API: this document.")
        .public()
        .answers(answers::json(object))
        .register(api);
    Routes::at("/docs")
        .get(page)
        .does("Describe the API: a page.")
        .public()
        .answers(answers::file("text/html"))
        .register(api);
    Routes::at("/docs/page.js")
        .get(script)
        .does("The page's script.")
        .public()
        .answers(answers::file("text/javascript"))
        .register(api);
    Routes::at("/docs/page.css")
        .get(style)
        .does("The page's style.")
        .public()
        .answers(answers::file("text/css"))
        .register(api);
}

/// `GET /openapi.json`.
async fn show(node: web::Data<Node>) -> HttpResponse {
    type Document = LazyLock<web::Bytes>;
    static WITH_PASSKEYS: Document = LazyLock::new(|| document(true).to_string().into());
    static WITHOUT: Document = LazyLock::new(|| document(false).to_string().into());
    let document = match node.config.webauthn.enabled {
        true => &WITH_PASSKEYS,
        false => &WITHOUT,
    };
    HttpResponse::Ok()
        .insert_header(ContentType::json())
        .body(web::Bytes::clone(document))
}

/// `GET /docs`: the same for people.
async fn page() -> HttpResponse {
    file("text/html; charset=utf-8", include_str!("page.html"))
}

/// `GET /docs/page.js`.
async fn script() -> HttpResponse {
    file("text/javascript; charset=utf-8", include_str!("page.js"))
}

/// `GET /docs/page.css`.
async fn style() -> HttpResponse {
    file("text/css; charset=utf-8", include_str!("page.css"))
}

/// A file of the page, which loads nothing from elsewhere and stands in no frame.
fn file(kind: &'static str, content: &'static str) -> HttpResponse {
    const POLICY: &str = "default-src 'none'; connect-src 'self'; script-src 'self'; style-src \
                          'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .body(content)
}

/// All operations, as they are registered.
pub fn operations(passkeys: bool) -> Vec<Operation> {
    let router = Router::of(|api| {
        health::routes(api);
        super::routes(passkeys)(api);
    });
    router.operations()
}

/// The description of all that is routed; with passkeys or without.
pub fn document(passkeys: bool) -> Value {
    let operations = operations(passkeys);
    let components = Components::of(&operations);
    let mut paths: Map<String, Value> = Map::new();
    for operation in &operations {
        let path = paths
            .entry(operation.path.clone())
            .or_insert_with(|| json!({}));
        if let Value::Object(methods) = path {
            let described = describe::operation(operation, &components);
            methods.insert(operation.method.to_lowercase(), described);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Keystone-NG",
            "description": "The OpenStack Identity API.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "apiKey", "in": "header", "name": "X-Auth-Token",
                    "description": "A token, as POST /v3/auth/tokens gives it in X-Subject-Token.",
                },
            },
            "responses": errors::responses(),
            "schemas": components.schemas(),
        },
        "security": [{"token": []}],
    })
}

#[cfg(test)]
mod tests;
