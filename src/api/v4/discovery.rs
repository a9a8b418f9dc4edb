//! `/v4`: the version. `/` does not name it: clients of version 3 would have a choice there.

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::api::context::base_url;
use crate::api::discovery::{JSON_HOME, one_version, wants_json_home};
use crate::api::json_home;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;

/// Routes it.
pub fn routes(api: &mut Router) {
    Routes::at("/v4")
        .get(show)
        .does("The version for passkeys.")
        .public()
        .answers(answers::json(one_version))
        .register(api);
}

/// The version: `GET /v4`.
async fn show(request: HttpRequest) -> HttpResponse {
    if wants_json_home(&request) {
        return HttpResponse::Ok()
            .content_type(JSON_HOME)
            .body(json_home::of_v4().to_string());
    }
    HttpResponse::Ok().json(json!({"version": {
        "id": "v4.0",
        "status": "experimental",
        "updated": "2026-11-26T00:00:00Z",
        "links": [{"rel": "self", "href": format!("{}/v4/", base_url(&request))}],
        "media-types": [{
            "base": "application/json",
            "type": "application/vnd.openstack.identity-v4+json",
        }],
    }}))
}
