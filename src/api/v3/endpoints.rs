//! `/v3/endpoints`: where the services of the catalog are to be found.

use std::sync::{Arc, LazyLock};

use actix_web::{HttpResponse, web};
use keystone_actors::catalog::{
    CreateEndpoint, DeleteEndpoint, Endpoint, EndpointPatch, GetInventory, NewEndpoint,
    PlacedEndpoint, UpdateEndpoint,
};
use keystone_actors::ids::{EndpointId, RegionId};
use serde::Serialize;
use serde_json::Value;

use super::perhaps::Perhaps;
use crate::api::call::{self, Body, Call, no_content};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{self, Schema, boolean, object, text};
use crate::notify::{Kind, Operation};
use crate::policy::{Rule, Target};

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/endpoints")
        .get(list)
        .asks(&QUERY)
        .answers(answers::pages(Collection::ENDPOINTS))
        .post(create)
        .takes(&NEW)
        .answers(answers::created(Collection::ENDPOINTS))
        .register(api);
    Routes::at("/v3/endpoints/{endpoint_id}")
        .get(show)
        .answers(answers::one(Collection::ENDPOINTS))
        .patch(update)
        .takes(&PATCH)
        .answers(answers::one(Collection::ENDPOINTS))
        .delete(delete)
        .register(api);
}

/// Who an endpoint is for.
pub(super) fn interface() -> Schema {
    text().one_of(["admin", "internal", "public"].map(Value::from))
}

// The order of the members is Keystone's: of several mistakes the first is told.
static NEW: LazyLock<Schema> = LazyLock::new(|| {
    let endpoint = object()
        .optional("id", text())
        .optional("enabled", boolean())
        .required("interface", interface())
        .optional("region_id", text().nullable())
        .optional("region", text().nullable())
        .required("service_id", text())
        .required("url", schema::url())
        .optional("name", text())
        .optional("description", text().nullable());
    object().required("endpoint", endpoint).closed()
});

static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    let endpoint = object()
        .optional("enabled", boolean())
        .optional("interface", interface())
        .optional("region_id", text().nullable())
        .optional("region", text().nullable())
        .optional("service_id", text())
        .optional("url", schema::url())
        .optional("name", text())
        .optional("description", text().nullable())
        .not_empty();
    object().required("endpoint", endpoint).closed()
});

static QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object()
        .optional("interface", interface())
        .optional("region_id", text().nullable())
        .optional("service_id", text())
});

impl Body for NewEndpoint {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::new_member(json, "endpoint", &NEW)
    }
}

impl Body for EndpointPatch {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::member(json, "endpoint", &PATCH)
    }
}

/// An endpoint as v3 shows it: its region also under the name of old.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    #[serde(flatten)]
    endpoint: &'a Endpoint,
    region: Option<&'a RegionId>,
}

/// How an endpoint is shown.
pub(super) fn shown(endpoint: &Endpoint) -> (&str, Shown<'_>) {
    let region = endpoint.region_id.as_ref();
    (endpoint.id.as_str(), Shown { endpoint, region })
}

/// Lists endpoints: `GET /v3/endpoints`.
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::ListEndpoints, Target::new())?;
    let interfaces = call.query.texts("interface");
    let services = call.query.texts("service_id");
    let regions = call.query.texts("region_id");
    let inventory = call.providers().catalog.read(GetInventory).await?;
    let matching = inventory.endpoints().filter(|endpoint| {
        let in_region = match &endpoint.region_id {
            Some(region) => regions.iter().all(|filter| filter.matches(region.as_str())),
            None => regions.is_empty(),
        };
        let service = endpoint.service_id.as_str();
        in_region
            && interfaces
                .iter()
                .all(|filter| filter.matches(&endpoint.interface))
            && services.iter().all(|filter| filter.matches(service))
    });
    let paging = call.paging(call.node().config.catalog.list_limit)?;
    call.list_held(Collection::ENDPOINTS, matching.cloned(), &paging, shown)
}

/// Creates an endpoint: `POST /v3/endpoints`.
async fn create(call: Call<Perhaps<NewEndpoint>>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::CreateEndpoint, Target::new())?;
    let endpoint = call.body.given()?;
    let create = CreateEndpoint { endpoint };
    let placed = call.providers().catalog.send(create).await?;
    let endpoint = told(&call, placed, Operation::Created);
    let (id, shown) = shown(&endpoint);
    call.created(Collection::ENDPOINTS, id, shown)
}

/// An endpoint that was created or changed, once that is told, and before it the region made for it.
fn told<B>(call: &Call<B>, placed: PlacedEndpoint, operation: Operation) -> Arc<Endpoint> {
    if let Some(region) = placed.made {
        call.notify(Kind::Region, Operation::Created, region.as_str());
    }
    let endpoint = placed.endpoint;
    call.notify(Kind::Endpoint, operation, endpoint.id.as_str());
    endpoint
}

/// Shows an endpoint: `GET /v3/endpoints/{endpoint_id}`.
async fn show(call: Call, id: web::Path<EndpointId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::GetEndpoint, Target::new())?;
    let inventory = call.providers().catalog.read(GetInventory).await?;
    let (id, shown) = shown(inventory.endpoint(&id)?);
    call.one(Collection::ENDPOINTS, id, shown)
}

/// Changes an endpoint: `PATCH /v3/endpoints/{endpoint_id}`.
async fn update(
    call: Call<EndpointPatch>,
    id: web::Path<EndpointId>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::UpdateEndpoint, Target::new())?;
    call.require_same_id("endpoint", id.as_str())?;
    let update = UpdateEndpoint {
        id: id.into_inner(),
        patch: call.body.clone(),
    };
    let placed = call.providers().catalog.send(update).await?;
    let endpoint = told(&call, placed, Operation::Updated);
    let (id, shown) = shown(&endpoint);
    call.one(Collection::ENDPOINTS, id, shown)
}

/// Deletes an endpoint: `DELETE /v3/endpoints/{endpoint_id}`.
async fn delete(call: Call, id: web::Path<EndpointId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::DeleteEndpoint, Target::new())?;
    let delete = DeleteEndpoint { id: id.clone() };
    call.providers().catalog.send(delete).await?;
    call.notify(Kind::Endpoint, Operation::Deleted, id.as_str());
    Ok(no_content())
}
