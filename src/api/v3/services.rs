//! `/v3/services`: the services of the catalog.

use std::sync::LazyLock;

use actix_web::{HttpResponse, web};
use keystone_actors::catalog::{
    CreateService, DeleteService, GetInventory, NewService, Service, ServicePatch, UpdateService,
};
use keystone_actors::ids::ServiceId;
use serde_json::Value;

use super::perhaps::Perhaps;
use crate::api::call::{self, Body, Call, no_content};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{Schema, boolean, object, text};
use crate::notify::{Kind, Operation};
use crate::policy::{Rule, Target};

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/services")
        .get(list)
        .answers(answers::pages(Collection::SERVICES))
        .heeds("name", "Only services of this name.")
        .heeds("type", "Only services of this type.")
        .post(create)
        .takes(&NEW)
        .answers(answers::created(Collection::SERVICES))
        .register(api);
    Routes::at("/v3/services/{service_id}")
        .get(show)
        .answers(answers::one(Collection::SERVICES))
        .patch(update)
        .takes(&PATCH)
        .answers(answers::one(Collection::SERVICES))
        .delete(delete)
        .register(api);
}

// The order of the members is Keystone's: of several mistakes the first is told.
static NEW: LazyLock<Schema> = LazyLock::new(|| {
    let service = object()
        .optional("enabled", boolean())
        .required("type", text().length(1, 255))
        .optional("name", text().length(1, 255));
    object().required("service", service)
});

static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    let service = object()
        .optional("enabled", boolean())
        .optional("type", text().length(1, 255))
        .optional("name", text().length(1, 255))
        .not_empty();
    object().required("service", service)
});

impl Body for NewService {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::new_member(json, "service", &NEW)
    }
}

impl Body for ServicePatch {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::member(json, "service", &PATCH)
    }
}

/// Lists services: `GET /v3/services`.
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::ListServices, Target::new())?;
    let (kinds, names) = (call.query.texts("type"), call.query.texts("name"));
    let inventory = call.providers().catalog.read(GetInventory).await?;
    let matching = inventory.services().filter(|service| {
        let kind = service.kind.as_deref().unwrap_or_default();
        kinds.iter().all(|filter| filter.matches(kind))
            && names.iter().all(|filter| filter.matches(service.name()))
    });
    let paging = call.paging(call.node().config.catalog.list_limit)?;
    call.list_held(Collection::SERVICES, matching.cloned(), &paging, shown)
}

fn shown(service: &Service) -> (&str, &Service) {
    (service.id.as_str(), service)
}

/// Creates a service: `POST /v3/services`.
async fn create(call: Call<Perhaps<NewService>>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::CreateService, Target::new())?;
    let service = call.body.given()?;
    let create = CreateService { service };
    let service = call.providers().catalog.send(create).await?;
    call.notify(Kind::Service, Operation::Created, service.id.as_str());
    call.created(Collection::SERVICES, service.id.as_str(), &*service)
}

/// Shows a service: `GET /v3/services/{service_id}`.
async fn show(call: Call, id: web::Path<ServiceId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::GetService, Target::new())?;
    let inventory = call.providers().catalog.read(GetInventory).await?;
    let service = inventory.service(&id)?;
    call.one(Collection::SERVICES, id.as_str(), &**service)
}

/// Changes a service: `PATCH /v3/services/{service_id}`.
async fn update(
    call: Call<ServicePatch>,
    id: web::Path<ServiceId>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::UpdateService, Target::new())?;
    call.require_same_id("service", id.as_str())?;
    let update = UpdateService {
        id: id.into_inner(),
        patch: call.body.clone(),
    };
    let service = call.providers().catalog.send(update).await?;
    call.notify(Kind::Service, Operation::Updated, service.id.as_str());
    call.one(Collection::SERVICES, service.id.as_str(), &*service)
}

/// Deletes a service and its endpoints: `DELETE /v3/services/{service_id}`.
async fn delete(call: Call, id: web::Path<ServiceId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::DeleteService, Target::new())?;
    let delete = DeleteService { id: id.clone() };
    call.providers().catalog.send(delete).await?;
    call.notify(Kind::Service, Operation::Deleted, id.as_str());
    Ok(no_content())
}
