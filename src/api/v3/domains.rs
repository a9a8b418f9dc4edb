//! `/v3/domains`: what projects, users and groups belong to.

use std::sync::LazyLock;

use actix_web::{HttpResponse, web};
use chrono::Utc;
use keystone_actors::ids::DomainId;
use keystone_actors::resource::{
    CreateDomain, DeleteDomain, Domain, DomainContents, DomainFilter, DomainPatch, Error,
    GetDomain, ListDomains, NewDomain, UpdateDomain,
};
use serde_json::Value;

use super::fitting::require_fitting;
use super::projects::name;
use super::users;
use crate::api::call::{self, Body, Call, Found, no_content, seen};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{self, Schema, loose_boolean, object, text};
use crate::notify::{self, Kind, Operation};
use crate::policy::{Rule, Subject, Target};

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/domains")
        .get(list)
        .asks(&QUERY)
        .answers(answers::pages(Collection::DOMAINS))
        .post(create)
        .takes(&NEW)
        .answers(answers::created(Collection::DOMAINS))
        .register(api);
    Routes::at("/v3/domains/{domain_id}")
        .get(show)
        .answers(answers::one(Collection::DOMAINS))
        .patch(update)
        .takes(&PATCH)
        .answers(answers::one(Collection::DOMAINS))
        .delete(delete)
        .register(api);
}

fn attributes() -> Schema {
    object()
        .optional("description", text().nullable().length(0, 255))
        .optional("enabled", loose_boolean())
        .optional("name", name())
        .optional("options", schema::resource_options())
        .optional("tags", schema::tags())
}

static NEW: LazyLock<Schema> = LazyLock::new(|| {
    let domain = attributes()
        .optional("explicit_domain_id", schema::id())
        .requires("name");
    object().required("domain", domain).closed()
});

static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    let domain = attributes().not_empty();
    object().required("domain", domain).closed()
});

static QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object()
        .optional("enabled", loose_boolean())
        .optional("name", name())
});

impl Body for NewDomain {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::new_member(json, "domain", &NEW)
    }
}

impl Body for DomainPatch {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::member(json, "domain", &PATCH)
    }
}

/// Lists domains: `GET /v3/domains`. A token of a domain sees that domain alone.
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    let own = call.caller.domain_id();
    let target = Target::new().with_some("target.domain.id", own);
    call.enforce(Rule::ListDomains, target)?;
    let paging = call.paging(call.node().config.resource.list_limit)?;
    let filter = DomainFilter {
        name: call.query.texts("name"),
        enabled: call.query.booleans("enabled")?,
        id: own.map(DomainId::from),
    };
    let page = paging.page.clone();
    let list = ListDomains { filter, page };
    let found = call.providers().resource.read(list).await?;
    call.list(Collection::DOMAINS, found, &paging, shown)
}

/// How a domain is shown.
pub(super) fn shown(domain: &Domain) -> (&str, &Domain) {
    (domain.id.as_str(), domain)
}

/// Creates a domain: `POST /v3/domains`.
async fn create(call: Call<NewDomain>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::CreateDomain, Target::new())?;
    let domain = call.body.clone();
    let domain = call.providers().resource.send(CreateDomain { domain });
    let domain = domain.await?;
    call.notify(Kind::Domain, Operation::Created, domain.id.as_str());
    call.created(Collection::DOMAINS, domain.id.as_str(), &*domain)
}

/// Shows a domain: `GET /v3/domains/{domain_id}`. Whoever may not see it learns nothing of whether
/// there is one.
async fn show(call: Call, id: web::Path<DomainId>) -> Result<HttpResponse, ApiError> {
    let get = GetDomain { id: id.clone() };
    let found = Found {
        name: "target.domain",
        result: call.providers().resource.read(get).await,
        is_missing: |error| matches!(error, Error::DomainNotFound(_)),
    };
    let target = Target::new().with("domain_id", id.as_str());
    let domain = call.enforce_found(Rule::GetDomain, target, found, seen)?;
    call.one(Collection::DOMAINS, domain.id.as_str(), &*domain)
}

/// Changes a domain: `PATCH /v3/domains/{domain_id}`.
async fn update(
    call: Call<DomainPatch>,
    id: web::Path<DomainId>,
) -> Result<HttpResponse, ApiError> {
    permitted(&call, &id, Rule::UpdateDomain).await?;
    require_fitting(call.json(), "/domain/id", "id", 64)?;
    let update = UpdateDomain {
        id: id.into_inner(),
        patch: call.body.clone(),
    };
    let domain = call.providers().resource.send(update).await?;
    tell(&call, &domain.id, Operation::Updated);
    call.one(Collection::DOMAINS, domain.id.as_str(), &*domain)
}

/// Deletes a domain and all that is in it: `DELETE /v3/domains/{domain_id}`.
async fn delete(call: Call, id: web::Path<DomainId>) -> Result<HttpResponse, ApiError> {
    permitted(&call, &id, Rule::DeleteDomain).await?;
    let delete = DeleteDomain {
        id: id.clone(),
        now: Utc::now().timestamp(),
    };
    let contents = call.providers().resource.send(delete).await?;
    tell_of_deletion(&call, &id, &contents);
    Ok(no_content())
}

/// A domain is told of as the project that it is, and as the domain.
fn tell<B>(call: &Call<B>, id: &DomainId, operation: Operation) {
    call.notify(Kind::Project, operation, id.as_str());
    call.notify(Kind::Domain, operation, id.as_str());
}

/// Tells of a domain that was deleted, and before that of all that was in it.
pub(super) fn tell_of_deletion(call: &Call, id: &DomainId, contents: &DomainContents) {
    let gone = |kind, id: &str| notify::Subject::resource(kind, Operation::Deleted, id);
    let projects = contents.projects.iter();
    let projects = projects.map(|id| gone(Kind::Project, id.as_str()));
    let groups = contents.groups.iter();
    let groups = groups.map(|id| gone(Kind::Group, id.as_str()));
    let users = contents.users.iter().flat_map(|user| {
        let own = gone(Kind::User, user.id.as_str());
        users::gone_with(user).chain([own])
    });
    let own = [Kind::Project, Kind::Domain].map(|kind| gone(kind, id.as_str()));
    call.notify_all(projects.chain(groups).chain(users), own);
}

/// Whether the caller may do to the domain what the rule guards. Whoever has a token learns here
/// whether there is such a domain, as in Keystone.
async fn permitted<B>(call: &Call<B>, id: &DomainId, rule: Rule) -> Result<(), ApiError> {
    let get = GetDomain { id: id.clone() };
    let domain = call.providers().resource.read(get).await?;
    let shown = seen(&*domain)?;
    let target = Target::new().with("domain_id", id.as_str());
    call.enforce(rule, target.with("target.domain", &shown))
}
