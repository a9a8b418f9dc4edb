//! `/v3/OS-FEDERATION/mappings`. Their bodies are checked after the caller is, in the older way.

use actix_web::{HttpResponse, web};
use keystone_actors::federation::{
    CreateMapping, DeleteMapping, GetMapping, ListMappings, Mapping, MappingDraft, UpdateMapping,
};
use keystone_actors::ids::MappingId;
use serde_json::Value;

use super::super::shapes;
use super::mapping_rules;
use crate::api::call::{Call, no_content};
use crate::api::error::{ApiError, MALFORMED};
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::policy::{Rule, Target};

pub(super) fn routes(api: &mut Router) {
    Routes::at("/v3/OS-FEDERATION/mappings")
        .get(list)
        .answers(answers::list(Collection::MAPPINGS))
        .register(api);
    Routes::at("/v3/OS-FEDERATION/mappings/{mapping_id}")
        .get(show)
        .answers(answers::one(Collection::MAPPINGS))
        .put(create)
        .takes(&shapes::MAPPING)
        .answers(answers::created(Collection::MAPPINGS))
        .patch(update)
        .takes(&shapes::MAPPING)
        .answers(answers::one(Collection::MAPPINGS))
        .delete(delete)
        .register(api);
}

fn shown(mapping: &Mapping) -> (&str, &Mapping) {
    (mapping.id.as_str(), mapping)
}

/// The mapping in a body, its rules as the version has them that it names, or else the
/// configuration.
fn draft(call: &Call) -> Result<MappingDraft, ApiError> {
    let mut mapping = match call.json().get("mapping") {
        None => serde_json::Map::new(),
        Some(Value::Object(mapping)) => mapping.clone(),
        Some(_) => return Err(ApiError::bad_request(MALFORMED)),
    };
    let version = match mapping.get("schema_version") {
        Some(Value::String(version)) if !version.is_empty() => version.clone(),
        None | Some(Value::Null | Value::String(_)) => {
            let config = &call.node().config.federation;
            config.attribute_mapping_default_schema_version.to_string()
        }
        Some(_) => return Err(mapping_rules::unknown_version()),
    };
    mapping.insert("schema_version".to_owned(), Value::from(version.as_str()));
    let mapping = Value::Object(mapping);
    mapping_rules::check(&version, &mapping)?;
    Ok(MappingDraft {
        rules: mapping.get("rules").cloned().unwrap_or_default(),
        schema_version: version,
    })
}

/// Lists mappings: `GET /v3/OS-FEDERATION/mappings`.
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::ListMappings, Target::new())?;
    let found = call.providers().federation.read(ListMappings).await?;
    call.list_whole(Collection::MAPPINGS, found.into_iter(), shown)
}

/// Shows a mapping: `GET /v3/OS-FEDERATION/mappings/{mapping_id}`.
async fn show(call: Call, id: web::Path<MappingId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::GetMapping, Target::new())?;
    let id = id.into_inner();
    let mapping = call.providers().federation.read(GetMapping { id }).await?;
    let (id, shown) = shown(&mapping);
    call.one(Collection::MAPPINGS, id, shown)
}

/// Creates a mapping: `PUT /v3/OS-FEDERATION/mappings/{mapping_id}`.
async fn create(call: Call, id: web::Path<MappingId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::CreateMapping, Target::new())?;
    let create = CreateMapping {
        id: id.into_inner(),
        mapping: draft(&call)?,
    };
    let mapping = call.providers().federation.send(create).await?;
    let (id, shown) = shown(&mapping);
    call.created(Collection::MAPPINGS, id, shown)
}

/// Changes a mapping, all of it: `PATCH /v3/OS-FEDERATION/mappings/{mapping_id}`.
async fn update(call: Call, id: web::Path<MappingId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::UpdateMapping, Target::new())?;
    let update = UpdateMapping {
        id: id.into_inner(),
        mapping: draft(&call)?,
    };
    let mapping = call.providers().federation.send(update).await?;
    let (id, shown) = shown(&mapping);
    call.one(Collection::MAPPINGS, id, shown)
}

/// Deletes a mapping: `DELETE /v3/OS-FEDERATION/mappings/{mapping_id}`.
async fn delete(call: Call, id: web::Path<MappingId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::DeleteMapping, Target::new())?;
    let id = id.into_inner();
    let federation = &call.providers().federation;
    federation.send(DeleteMapping { id }).await?;
    Ok(no_content())
}
