//! `/v3/OS-FEDERATION/service_providers`.

use std::sync::LazyLock;

use actix_web::{HttpResponse, web};
use keystone_actors::federation::{
    CreateServiceProvider, DeleteServiceProvider, GetServiceProvider, ListServiceProviders,
    NewServiceProvider, ServiceProvider, ServiceProviderPatch, UpdateServiceProvider,
};
use keystone_actors::ids::ServiceProviderId;
use serde_json::Value;

use super::{Asked, QUERY};
use crate::api::call::{self, Body, Call, no_content};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{self, Schema, object, text};
use crate::policy::{Rule, Target};

pub(super) fn routes(api: &mut Router) {
    Routes::at("/v3/OS-FEDERATION/service_providers")
        .get(list)
        .asks(&QUERY)
        .answers(answers::pages(Collection::SERVICE_PROVIDERS))
        .register(api);
    Routes::at("/v3/OS-FEDERATION/service_providers/{service_provider_id}")
        .get(show)
        .answers(answers::one(Collection::SERVICE_PROVIDERS))
        .put(create)
        .takes(&NEW)
        .answers(answers::created(Collection::SERVICE_PROVIDERS))
        .patch(update)
        .takes(&PATCH)
        .answers(answers::one(Collection::SERVICE_PROVIDERS))
        .delete(delete)
        .register(api);
}

fn attributes() -> Schema {
    object()
        .optional("auth_url", schema::url())
        .optional("sp_url", schema::url())
        .optional("description", schema::description())
        .optional("enabled", schema::loose_boolean())
        .optional("relay_state_prefix", text().nullable())
        .closed()
}

static NEW: LazyLock<Schema> = LazyLock::new(|| {
    let provider = attributes().requires("auth_url").requires("sp_url");
    object().required("service_provider", provider).closed()
});

static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    let provider = attributes().not_empty();
    object().required("service_provider", provider).closed()
});

impl Body for NewServiceProvider {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::new_member(json, "service_provider", &NEW)
    }
}

impl Body for ServiceProviderPatch {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::new_member(json, "service_provider", &PATCH)
    }
}

fn shown(provider: &ServiceProvider) -> (&str, &ServiceProvider) {
    (provider.id.as_str(), provider)
}

/// Lists service providers: `GET /v3/OS-FEDERATION/service_providers`.
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::ListServiceProviders, Target::new())?;
    let asked = Asked::of(&call.query);
    let federation = &call.providers().federation;
    let found = federation.read(ListServiceProviders).await?;
    let matching = found
        .into_iter()
        .filter(|provider| asked.matches(provider.id.as_str(), provider.enabled));
    let paging = call.paging_by_client()?;
    call.list_held(Collection::SERVICE_PROVIDERS, matching, &paging, shown)
}

/// Shows a service provider: `GET /v3/OS-FEDERATION/service_providers/{service_provider_id}`.
async fn show(call: Call, id: web::Path<ServiceProviderId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::GetServiceProvider, Target::new())?;
    let id = id.into_inner();
    let federation = &call.providers().federation;
    let provider = federation.read(GetServiceProvider { id }).await?;
    let (id, shown) = shown(&provider);
    call.one(Collection::SERVICE_PROVIDERS, id, shown)
}

/// Creates a service provider: `PUT /v3/OS-FEDERATION/service_providers/{service_provider_id}`.
async fn create(
    call: Call<NewServiceProvider>,
    id: web::Path<ServiceProviderId>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::CreateServiceProvider, Target::new())?;
    let create = CreateServiceProvider {
        id: id.into_inner(),
        provider: call.body.clone(),
    };
    let provider = call.providers().federation.send(create).await?;
    let (id, shown) = shown(&provider);
    call.created(Collection::SERVICE_PROVIDERS, id, shown)
}

/// Changes a service provider: `PATCH /v3/OS-FEDERATION/service_providers/{service_provider_id}`.
async fn update(
    call: Call<ServiceProviderPatch>,
    id: web::Path<ServiceProviderId>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::UpdateServiceProvider, Target::new())?;
    let update = UpdateServiceProvider {
        id: id.into_inner(),
        patch: call.body.clone(),
    };
    let provider = call.providers().federation.send(update).await?;
    let (id, shown) = shown(&provider);
    call.one(Collection::SERVICE_PROVIDERS, id, shown)
}

/// Deletes a service provider: `DELETE /v3/OS-FEDERATION/service_providers/{service_provider_id}`.
async fn delete(call: Call, id: web::Path<ServiceProviderId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::DeleteServiceProvider, Target::new())?;
    let id = id.into_inner();
    let federation = &call.providers().federation;
    federation.send(DeleteServiceProvider { id }).await?;
    Ok(no_content())
}
