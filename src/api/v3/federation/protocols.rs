//! `/v3/OS-FEDERATION/identity_providers/{idp_id}/protocols`.

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::Utc;
use keystone_actors::federation::{
    CreateProtocol, DeleteProtocol, GetProtocol, ListProtocols, NewProtocol, Protocol,
    ProtocolPatch, UpdateProtocol,
};
use keystone_actors::ids::{IdentityProviderId, ProtocolId};
use serde_json::{Value, json};

use crate::api::call::{self, Body, Call, answer, no_content};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{Schema, object, text};
use crate::policy::{Rule, Target};

/// Below each identity provider; what links say is another matter.
const COLLECTION: Collection = Collection::new("protocols", "protocol");

pub(super) fn routes(api: &mut Router) {
    Routes::at("/v3/OS-FEDERATION/identity_providers/{idp_id}/protocols")
        .get(list)
        .answers(answers::list(COLLECTION))
        .register(api);
    Routes::at("/v3/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}")
        .get(show)
        .answers(answers::one(COLLECTION))
        .put(create)
        .takes(&NEW)
        .answers(answers::created(COLLECTION))
        .patch(update)
        .takes(&PATCH)
        .answers(answers::one(COLLECTION))
        .delete(delete)
        .register(api);
}

fn members(remote_id_attribute: Schema) -> Schema {
    object()
        .optional("mapping_id", text().length(1, 64))
        .optional("remote_id_attribute", remote_id_attribute)
        .requires("mapping_id")
}

fn body(protocol: Schema) -> Schema {
    object().required("protocol", protocol).closed()
}

static NEW: LazyLock<Schema> =
    LazyLock::new(|| body(members(text().nullable().length(0, 64)).closed()));

static PATCH: LazyLock<Schema> =
    LazyLock::new(|| body(members(text().length(0, 64)).closed_first()));

impl Body for NewProtocol {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::new_member(json, "protocol", &NEW)
    }
}

impl Body for ProtocolPatch {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::member(json, "protocol", &PATCH)
    }
}

type Path = web::Path<(IdentityProviderId, ProtocolId)>;

/// The links of a protocol, which in Keystone lead nowhere: they lack what the path begins with.
fn links(base: &str, protocol: &Protocol) -> Value {
    json!({
        "self": format!("{base}/v3/protocols/{}", protocol.id),
        "identity_provider": format!("{base}/v3/{}", protocol.idp_id),
    })
}

fn one(
    call: &Call<impl Sized>,
    status: StatusCode,
    of: &Protocol,
) -> Result<HttpResponse, ApiError> {
    let links = links(&call.base(), of);
    let shown = json!({"id": of.id, "mapping_id": of.mapping_id, "links": links});
    answer(status, &json!({ "protocol": shown }))
}

/// Lists the protocols of an identity provider:
/// `GET /v3/OS-FEDERATION/identity_providers/{idp_id}/protocols`.
async fn list(call: Call, idp: web::Path<IdentityProviderId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::ListProtocols, Target::new())?;
    let idp = idp.into_inner();
    let federation = &call.providers().federation;
    let found = federation.read(ListProtocols { idp }).await?;
    let base = call.base();
    let shown = found.into_iter().map(move |one| {
        json!({
            "id": one.id,
            "idp_id": one.idp_id,
            "mapping_id": one.mapping_id,
            "remote_id_attribute": one.remote_id_attribute,
            "links": links(&base, &one),
        })
    });
    call.stream("protocols", shown)
}

/// Shows a protocol:
/// `GET /v3/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}`.
async fn show(call: Call, path: Path) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::GetProtocol, Target::new())?;
    let (idp, id) = path.into_inner();
    let federation = &call.providers().federation;
    let protocol = federation.read(GetProtocol { idp, id }).await?;
    one(&call, StatusCode::OK, &protocol)
}

/// Creates a protocol:
/// `PUT /v3/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}`.
async fn create(call: Call<NewProtocol>, path: Path) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::CreateProtocol, Target::new())?;
    let (idp, id) = path.into_inner();
    let protocol = call.body.clone();
    let create = CreateProtocol { idp, id, protocol };
    let protocol = call.providers().federation.send(create).await?;
    one(&call, StatusCode::CREATED, &protocol)
}

/// Changes a protocol:
/// `PATCH /v3/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}`.
async fn update(call: Call<ProtocolPatch>, path: Path) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::UpdateProtocol, Target::new())?;
    let (idp, id) = path.into_inner();
    let patch = call.body.clone();
    let update = UpdateProtocol { idp, id, patch };
    let protocol = call.providers().federation.send(update).await?;
    one(&call, StatusCode::OK, &protocol)
}

/// Deletes a protocol and the users who come by it alone:
/// `DELETE /v3/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}`.
async fn delete(call: Call, path: Path) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::DeleteProtocol, Target::new())?;
    let (idp, id) = path.into_inner();
    let now = Utc::now().timestamp();
    let delete = DeleteProtocol { idp, id, now };
    call.providers().federation.send(delete).await?;
    Ok(no_content())
}
