//! `/v3/registered_limits`: what projects may use of services' resources, unless they have limits
//! of their own.

use std::sync::LazyLock;

use actix_web::{HttpResponse, web};
use keystone_actors::ids::{RegionId, RegisteredLimitId, ServiceId};
use keystone_actors::limit::{
    CreateRegisteredLimits, DeleteRegisteredLimit, GetRegisteredLimits, NewRegisteredLimit,
    RegisteredLimit, RegisteredLimitPatch, UpdateRegisteredLimit,
};
use keystone_actors::listing::TextFilter;
use serde_json::Value;

use super::regions::region_id;
use crate::api::call::{self, Body, Call, no_content};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{self, Format, Schema, array, integer, object, text};
use crate::policy::{Rule, Target};

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/registered_limits")
        .get(list)
        .asks(&QUERY)
        .answers(answers::pages(Collection::REGISTERED_LIMITS))
        .post(create)
        .takes(&NEW)
        .answers(answers::created_all(Collection::REGISTERED_LIMITS))
        .register(api);
    Routes::at("/v3/registered_limits/{registered_limit_id}")
        .get(show)
        .answers(answers::one(Collection::REGISTERED_LIMITS))
        .patch(update)
        .takes(&PATCH)
        .answers(answers::one(Collection::REGISTERED_LIMITS))
        .delete(delete)
        .register(api);
}

/// The ID of a service.
pub(super) fn service_id() -> Schema {
    text().format(Format::Uuid)
}

/// How many of a resource.
pub(super) fn number() -> Schema {
    integer().minimum(-1).maximum(i32::MAX.into())
}

/// A description of bounded length.
pub(super) fn description() -> Schema {
    text().nullable().length(0, 255)
}

static NEW: LazyLock<Schema> = LazyLock::new(|| {
    let limit = object()
        .required("service_id", service_id())
        .optional("region_id", region_id())
        .required("resource_name", schema::name())
        .required("default_limit", number())
        .optional("description", description());
    let limits = array(limit.closed()).items(Some(1), None);
    object().required("registered_limits", limits).closed()
});

static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    let limit = object()
        .optional("service_id", service_id())
        .optional("region_id", region_id())
        .optional("resource_name", schema::name())
        .optional("default_limit", number())
        .optional("description", description());
    object()
        .required("registered_limit", limit.closed())
        .closed_first()
});

static QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object()
        .optional("service_id", service_id())
        .optional("region_id", region_id())
        .optional("resource_name", schema::name())
});

impl Body for Vec<NewRegisteredLimit> {
    fn read(json: &Value) -> Result<Self, ApiError> {
        NEW.check(json)?;
        call::from_json(json.get("registered_limits").cloned().unwrap_or_default())
    }
}

impl Body for RegisteredLimitPatch {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::member(json, "registered_limit", &PATCH)
    }
}

fn shown(limit: &RegisteredLimit) -> (&str, &RegisteredLimit) {
    (limit.id.as_str(), limit)
}

/// Whether an attribute that may be missing meets all conditions; a missing one meets none.
fn meets(filters: &[TextFilter], value: Option<&str>) -> bool {
    match value {
        Some(value) => filters.iter().all(|filter| filter.matches(value)),
        None => filters.is_empty(),
    }
}

/// Lists registered limits: `GET /v3/registered_limits`.
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::ListRegisteredLimits, Target::new())?;
    let services = call.query.texts("service_id");
    let regions = call.query.texts("region_id");
    let names = call.query.texts("resource_name");
    let limits = call.providers().limit.read(GetRegisteredLimits).await?;
    let matching = limits.iter().filter(|limit| {
        meets(&services, limit.service_id.as_ref().map(ServiceId::as_str))
            && meets(&regions, limit.region_id.as_ref().map(RegionId::as_str))
            && meets(&names, limit.resource_name.as_deref())
    });
    let paging = call.paging(call.node().config.unified_limit.list_limit)?;
    call.list_held(
        Collection::REGISTERED_LIMITS,
        matching.cloned(),
        &paging,
        shown,
    )
}

/// Creates registered limits, all or none: `POST /v3/registered_limits`.
async fn create(call: Call<Vec<NewRegisteredLimit>>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::CreateRegisteredLimits, Target::new())?;
    let limits = call.body.clone();
    let create = CreateRegisteredLimits { limits };
    let limits = call.providers().limit.send(create).await?;
    call.created_all(Collection::REGISTERED_LIMITS, &limits, shown)
}

/// Shows a registered limit: `GET /v3/registered_limits/{registered_limit_id}`.
async fn show(call: Call, id: web::Path<RegisteredLimitId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::GetRegisteredLimit, Target::new())?;
    let limits = call.providers().limit.read(GetRegisteredLimits).await?;
    let limit = limits.get(&id)?;
    call.one(Collection::REGISTERED_LIMITS, id.as_str(), &**limit)
}

/// Changes a registered limit: `PATCH /v3/registered_limits/{registered_limit_id}`.
async fn update(
    call: Call<RegisteredLimitPatch>,
    id: web::Path<RegisteredLimitId>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::UpdateRegisteredLimit, Target::new())?;
    let update = UpdateRegisteredLimit {
        id: id.into_inner(),
        patch: call.body.clone(),
    };
    let limit = call.providers().limit.send(update).await?;
    call.one(Collection::REGISTERED_LIMITS, limit.id.as_str(), &limit)
}

/// Deletes a registered limit: `DELETE /v3/registered_limits/{registered_limit_id}`.
async fn delete(call: Call, id: web::Path<RegisteredLimitId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::DeleteRegisteredLimit, Target::new())?;
    let id = id.into_inner();
    call.providers()
        .limit
        .send(DeleteRegisteredLimit { id })
        .await?;
    Ok(no_content())
}
