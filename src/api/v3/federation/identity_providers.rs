//! `/v3/OS-FEDERATION/identity_providers`.

use std::sync::LazyLock;

use actix_web::{HttpResponse, web};
use chrono::Utc;
use keystone_actors::federation::{
    CreateIdentityProvider, DeleteIdentityProvider, GetIdentityProvider, IdentityProvider,
    IdentityProviderPatch, ListIdentityProviders, NewIdentityProvider, UpdateIdentityProvider,
};
use keystone_actors::ids::IdentityProviderId;
use serde_json::Value;

use super::{Asked, QUERY};
use crate::api::call::{self, Body, Call, no_content};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{self, Schema, array, integer, object, text};
use crate::notify::{Kind, Operation};
use crate::policy::{Rule, Target};

pub(super) fn routes(api: &mut Router) {
    Routes::at("/v3/OS-FEDERATION/identity_providers")
        .get(list)
        .asks(&QUERY)
        .answers(answers::pages(Collection::IDENTITY_PROVIDERS))
        .register(api);
    Routes::at("/v3/OS-FEDERATION/identity_providers/{idp_id}")
        .get(show)
        .answers(answers::one(Collection::IDENTITY_PROVIDERS))
        .put(create)
        .takes(&NEW)
        .answers(answers::created(Collection::IDENTITY_PROVIDERS))
        .patch(update)
        .takes(&PATCH)
        .answers(answers::one(Collection::IDENTITY_PROVIDERS))
        .delete(delete)
        .register(api);
}

fn attributes() -> Schema {
    object()
        .optional("enabled", schema::loose_boolean())
        .optional("description", schema::description())
        .optional("authorization_ttl", integer().nullable().minimum(0))
        .optional(
            "remote_ids",
            array(text().length(0, 64)).nullable().unique(),
        )
}

static NEW: LazyLock<Schema> = LazyLock::new(|| {
    let provider = attributes()
        .optional("domain_id", schema::id().nullable())
        .closed();
    object().optional("identity_provider", provider).closed()
});

static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    let provider = attributes().closed().not_empty();
    object().required("identity_provider", provider)
});

impl Body for NewIdentityProvider {
    fn read(json: &Value) -> Result<Self, ApiError> {
        NEW.check(json)?;
        match json.get("identity_provider") {
            // Everything about it can be left to the server.
            None => Ok(Self::default()),
            Some(_) => call::new_member(json, "identity_provider", &NEW),
        }
    }
}

impl Body for IdentityProviderPatch {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::new_member(json, "identity_provider", &PATCH)
    }
}

fn shown(provider: &IdentityProvider) -> (&str, &IdentityProvider) {
    (provider.id.as_str(), provider)
}

/// Lists identity providers: `GET /v3/OS-FEDERATION/identity_providers`.
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::ListIdentityProviders, Target::new())?;
    let asked = Asked::of(&call.query);
    let federation = &call.providers().federation;
    let found = federation.read(ListIdentityProviders).await?;
    let matching = found
        .into_iter()
        .filter(|provider| asked.matches(provider.id.as_str(), provider.enabled));
    let paging = call.paging_by_client()?;
    call.list_held(Collection::IDENTITY_PROVIDERS, matching, &paging, shown)
}

/// Shows an identity provider: `GET /v3/OS-FEDERATION/identity_providers/{idp_id}`.
async fn show(call: Call, id: web::Path<IdentityProviderId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::GetIdentityProvider, Target::new())?;
    let get = GetIdentityProvider {
        id: id.into_inner(),
    };
    let provider = call.providers().federation.read(get).await?;
    let (id, shown) = shown(&provider);
    call.one(Collection::IDENTITY_PROVIDERS, id, shown)
}

/// Creates an identity provider: `PUT /v3/OS-FEDERATION/identity_providers/{idp_id}`.
async fn create(
    call: Call<NewIdentityProvider>,
    id: web::Path<IdentityProviderId>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::CreateIdentityProvider, Target::new())?;
    let provider = call.body.clone();
    let makes_domain = provider.domain_id.is_none();
    let create = CreateIdentityProvider {
        id: id.into_inner(),
        provider,
    };
    let provider = call.providers().federation.send(create).await?;
    // Keystone tells of the domain alone.
    if makes_domain {
        call.notify(
            Kind::Domain,
            Operation::Created,
            provider.domain_id.as_str(),
        );
    }
    let (id, shown) = shown(&provider);
    call.created(Collection::IDENTITY_PROVIDERS, id, shown)
}

/// Changes an identity provider: `PATCH /v3/OS-FEDERATION/identity_providers/{idp_id}`.
async fn update(
    call: Call<IdentityProviderPatch>,
    id: web::Path<IdentityProviderId>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::UpdateIdentityProvider, Target::new())?;
    let update = UpdateIdentityProvider {
        id: id.into_inner(),
        patch: call.body.clone(),
    };
    let provider = call.providers().federation.send(update).await?;
    let (id, shown) = shown(&provider);
    call.one(Collection::IDENTITY_PROVIDERS, id, shown)
}

/// Deletes an identity provider, its protocols and the users who come by it alone:
/// `DELETE /v3/OS-FEDERATION/identity_providers/{idp_id}`.
async fn delete(call: Call, id: web::Path<IdentityProviderId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::DeleteIdentityProvider, Target::new())?;
    let delete = DeleteIdentityProvider {
        id: id.into_inner(),
        now: Utc::now().timestamp(),
    };
    call.providers().federation.send(delete).await?;
    Ok(no_content())
}
