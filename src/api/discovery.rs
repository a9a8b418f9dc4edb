//! Version discovery: `/`, `/v3`, and JSON Home.

use actix_web::http::header::{self, Accept, Header, Quality};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::body::JsonBody;
use super::context::base_url;
use super::openapi::answers;
use super::router::Router;
use super::routes::Routes;
use super::schema::{Schema, array, object, text};

pub(super) const JSON_HOME: &str = "application/json-home";
const JSON: &str = "application/json";

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/")
        .get(root)
        .does("Which versions of the API there are.")
        .public()
        .answers(answers::json(versions).with_status(300))
        .answers(answers::file("application/json-home"))
        .register(api);
    Routes::at("/v3")
        .get(v3)
        .does("The version.")
        .public()
        .answers(answers::json(one_version))
        .register(api);
}

/// Which versions there are: `GET /`.
async fn root(request: HttpRequest, _: JsonBody) -> HttpResponse {
    show(&request, Document::Root)
}

/// The version: `GET /v3`.
async fn v3(request: HttpRequest, _: JsonBody) -> HttpResponse {
    show(&request, Document::V3)
}

fn version_shape() -> Schema {
    object()
        .required("id", text())
        .required("status", text())
        .required("updated", text())
        .required("links", array(object()))
        .required("media-types", array(object()))
}

pub(super) fn one_version() -> Schema {
    object().required("version", version_shape())
}

fn versions() -> Schema {
    let values = object().required("values", array(version_shape()));
    object().required("versions", values)
}

#[derive(Clone, Copy)]
enum Document {
    Root,
    V3,
}

fn show(request: &HttpRequest, document: Document) -> HttpResponse {
    if wants_json_home(request) {
        let prefix = match document {
            Document::Root => "/v3",
            Document::V3 => "",
        };
        let home = super::json_home::document(prefix);
        return HttpResponse::Ok()
            .content_type(JSON_HOME)
            .body(home.to_string());
    }
    let base = base_url(request);
    let version = version(&base);
    match document {
        Document::Root => HttpResponse::MultipleChoices()
            .insert_header((header::LOCATION, format!("{base}/v3/")))
            .json(json!({"versions": {"values": [version]}})),
        Document::V3 => HttpResponse::Ok().json(json!({ "version": version })),
    }
}

/// Whether JSON Home is more welcome than JSON, as Keystone weighs them (by werkzeug).
pub(super) fn wants_json_home(request: &HttpRequest) -> bool {
    Accept::parse(request).is_ok_and(|accept| welcome(&accept, JSON_HOME) > welcome(&accept, JSON))
}

/// What a client says of a media type, most precisely: the quality, and then how precisely; `None`
/// where it does not want it.
fn welcome(accept: &Accept, wanted: &str) -> Option<(Quality, u8)> {
    let said = accept.iter().filter_map(|one| {
        let precision = match one.item.essence_str() {
            _ if one.item == wanted => 2,
            "application/*" => 1,
            "*/*" => 0,
            _ => return None,
        };
        Some((precision, one.quality))
    });
    let (precision, quality) = said.max()?;
    (quality > Quality::ZERO).then_some((quality, precision))
}

/// The version of Keystone's API that is served.
fn version(base: &str) -> Value {
    json!({
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": format!("{base}/v3/")}],
        "media-types": [{
            "base": "application/json",
            "type": "application/vnd.openstack.identity-v3+json",
        }],
    })
}
