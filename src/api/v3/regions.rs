//! `/v3/regions`: the regions of the catalog, a tree.

use std::sync::LazyLock;

use actix_web::{HttpResponse, web};
use keystone_actors::catalog::{
    CreateRegion, DeleteRegion, GetInventory, NewRegion, Region, RegionPatch, UpdateRegion,
};
use keystone_actors::ids::RegionId;
use serde_json::Value;

use crate::api::call::{self, Body, Call, no_content};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{Schema, object, text};
use crate::notify::{Kind, Operation};
use crate::policy::{self, Rule, Target};

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/regions")
        .get(list)
        .asks(&QUERY)
        .answers(answers::pages(Collection::REGIONS))
        .post(create)
        .takes(&NEW)
        .answers(answers::created(Collection::REGIONS))
        .register(api);
    Routes::at("/v3/regions/{region_id}")
        .get(show)
        .answers(answers::one(Collection::REGIONS))
        .put(create_at)
        .takes(&NEW)
        .answers(answers::created(Collection::REGIONS))
        .patch(update)
        .takes(&PATCH)
        .answers(answers::one(Collection::REGIONS))
        .delete(delete)
        .register(api);
}

/// The ID of a region, or none.
pub(super) fn region_id() -> Schema {
    text().nullable().length(1, 255)
}

fn attributes(id: Schema) -> Schema {
    object()
        .optional("description", text().nullable().length(0, 255))
        .optional("id", id)
        .optional("parent_region_id", region_id())
}

static NEW: LazyLock<Schema> =
    LazyLock::new(|| object().required("region", attributes(text().nullable().length(0, 255))));

static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    object()
        .required("region", attributes(region_id()).not_empty())
        .closed()
});

static QUERY: LazyLock<Schema> =
    LazyLock::new(|| object().optional("parent_region_id", region_id()).closed());

impl Body for NewRegion {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::new_member(json, "region", &NEW)
    }
}

impl Body for RegionPatch {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::member(json, "region", &PATCH)
    }
}

/// Lists regions: `GET /v3/regions`.
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::ListRegions, Target::new())?;
    let parents = call.query.texts("parent_region_id");
    let inventory = call.providers().catalog.read(GetInventory).await?;
    let matching = inventory
        .regions()
        .filter(|region| match &region.parent_region_id {
            Some(parent) => parents.iter().all(|filter| filter.matches(parent.as_str())),
            None => parents.is_empty(),
        });
    let paging = call.paging(call.node().config.catalog.list_limit)?;
    call.list_held(Collection::REGIONS, matching.cloned(), &paging, shown)
}

fn shown(region: &Region) -> (&str, &Region) {
    (region.id.as_str(), region)
}

/// Creates a region: `POST /v3/regions`. Unlike other things it has the ID that it is given.
async fn create(call: Call<NewRegion>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::CreateRegion, Target::new())?;
    let given = given_id(&call).and_then(Value::as_str);
    let id = given.filter(|id| !id.is_empty()).map(RegionId::from);
    make(&call, id).await
}

/// Creates a region of this ID: `PUT /v3/regions/{region_id}`.
async fn create_at(
    call: Call<NewRegion>,
    id: web::Path<RegionId>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::CreateRegion, Target::new())?;
    match given_id(&call) {
        Some(given) if given != id.as_str() => Err(ApiError::bad_request(format!(
            "Conflicting region IDs specified: \"{id}\" != \"{}\"",
            policy::Value::from(given).text()
        ))),
        _ => make(&call, Some(id.into_inner())).await,
    }
}

fn given_id(call: &Call<NewRegion>) -> Option<&Value> {
    call.json().get("region")?.get("id")
}

async fn make(call: &Call<NewRegion>, id: Option<RegionId>) -> Result<HttpResponse, ApiError> {
    let region = NewRegion {
        id,
        ..call.body.clone()
    };
    let create = CreateRegion { region };
    let region = call.providers().catalog.send(create).await?;
    call.notify(Kind::Region, Operation::Created, region.id.as_str());
    call.created(Collection::REGIONS, region.id.as_str(), &*region)
}

/// Shows a region: `GET /v3/regions/{region_id}`.
async fn show(call: Call, id: web::Path<RegionId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::GetRegion, Target::new())?;
    let inventory = call.providers().catalog.read(GetInventory).await?;
    let region = inventory.region(&id)?;
    call.one(Collection::REGIONS, id.as_str(), &**region)
}

/// Changes a region: `PATCH /v3/regions/{region_id}`.
async fn update(
    call: Call<RegionPatch>,
    id: web::Path<RegionId>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::UpdateRegion, Target::new())?;
    call.require_same_id("region", id.as_str())?;
    let update = UpdateRegion {
        id: id.into_inner(),
        patch: call.body.clone(),
    };
    let region = call.providers().catalog.send(update).await?;
    call.notify(Kind::Region, Operation::Updated, region.id.as_str());
    call.one(Collection::REGIONS, region.id.as_str(), &*region)
}

/// Deletes a region and those below it: `DELETE /v3/regions/{region_id}`.
async fn delete(call: Call, id: web::Path<RegionId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::DeleteRegion, Target::new())?;
    let delete = DeleteRegion { id: id.clone() };
    call.providers().catalog.send(delete).await?;
    call.notify(Kind::Region, Operation::Deleted, id.as_str());
    Ok(no_content())
}
