//! What browsers and password managers look for at fixed paths.

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::api::error::ApiError;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{Schema, array, object, text};
use crate::node::Node;
use crate::passkeys::page_origin;

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/.well-known/webauthn")
        .get(origins)
        .does("The origins whose pages may use the passkeys of this service (WebAuthn level 3).")
        .public()
        .answers(answers::json(|| {
            object().required("origins", array(text()))
        }))
        .register(api);
    Routes::at("/.well-known/passkey-endpoints")
        .get(endpoints)
        .does("Where passkeys are registered and managed.")
        .public()
        .answers(answers::json(endpoints_shape))
        .register(api);
}

fn endpoints_shape() -> Schema {
    object()
        .required("enroll", text())
        .required("manage", text())
}

/// Related origins: `GET /.well-known/webauthn`.
async fn origins(node: web::Data<Node>) -> Result<HttpResponse, ApiError> {
    let webauthn = &node.config.webauthn;
    let origins = webauthn.own_origins().chain(&webauthn.related_origins);
    let origins = origins.map(|origin| origin.as_str().trim_end_matches('/'));
    Ok(HttpResponse::Ok().json(json!({"origins": origins.collect::<Vec<_>>()})))
}

/// Where a password manager sends people: `GET /.well-known/passkey-endpoints`.
async fn endpoints(node: web::Data<Node>) -> Result<HttpResponse, ApiError> {
    let origin = page_origin(&node);
    Ok(HttpResponse::Ok().json(json!({
        "enroll": format!("{origin}/passkeys/add"),
        "manage": format!("{origin}/passkeys"),
    })))
}
