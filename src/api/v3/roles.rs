//! `/v3/roles`: global roles and those of domains, and which role implies which.

use std::sync::{Arc, LazyLock};

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use keystone_actors::ids::RoleId;
use keystone_actors::role::{
    CreateImplication, CreateRole, DeleteImplication, DeleteRole, Error, GetRole, GetRoleGraph,
    NewRole, Role, RoleGraph, RolePatch, UpdateRole,
};
use serde::Serialize;
use serde_json::Value;

use super::fitting::require_fitting;
use super::shapes;
use crate::api::call::{self, Body, Call, answer, no_content, seen};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{self, Schema, object};
use crate::notify::{Kind, Operation};
use crate::policy::{Rule, Target};

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/roles")
        .get(list)
        .asks(&QUERY)
        .answers(answers::pages(Collection::ROLES))
        .post(create)
        .takes(&NEW)
        .answers(answers::created(Collection::ROLES))
        .register(api);
    Routes::at("/v3/roles/{role_id}")
        .get(show)
        .answers(answers::one(Collection::ROLES))
        .patch(update)
        .takes(&PATCH)
        .answers(answers::one(Collection::ROLES))
        .delete(delete)
        .register(api);
    Routes::at("/v3/roles/{prior_role_id}/implies")
        .get(list_implied)
        .answers(answers::json(shapes::implied))
        .register(api);
    Routes::at("/v3/roles/{prior_role_id}/implies/{implied_role_id}")
        .only_get(show_implied)
        .answers(answers::json(shapes::inference))
        .head(check_implied)
        .answers(answers::NOTHING)
        .put(imply)
        .answers(answers::json(shapes::inference).with_status(201))
        .delete(imply_no_more)
        .register(api);
    Routes::at("/v3/role_inferences")
        .get(list_inferences)
        .answers(answers::json(shapes::all_implied))
        .register(api);
}

fn attributes() -> Schema {
    object()
        .optional("name", schema::name())
        .optional("description", schema::description())
        .optional("domain_id", schema::id().nullable())
        .optional("options", schema::resource_options())
}

static NEW: LazyLock<Schema> = LazyLock::new(|| {
    let role = attributes().requires("name");
    object().required("role", role).closed()
});

static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    let role = attributes().not_empty();
    object().required("role", role).closed()
});

static QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object()
        .optional("name", schema::name())
        .optional("domain_id", schema::id())
});

impl Body for NewRole {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::new_member(json, "role", &NEW)
    }
}

impl Body for RolePatch {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::member(json, "role", &PATCH)
    }
}

/// Lists global roles, or with `domain_id` those of a domain: `GET /v3/roles`.
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    let domain = call.query.first("domain_id").filter(|id| !id.is_empty());
    let rule = match domain {
        Some(_) => Rule::ListDomainRoles,
        None => Rule::ListRoles,
    };
    call.enforce(rule, Target::new())?;
    let paging = call.paging(call.node().config.role.list_limit)?;
    let names = call.query.texts("name");
    let domains = call.query.texts("domain_id");
    let graph = call.providers().role.read(GetRoleGraph).await?;
    let matching = graph.iter().filter(|role| {
        let of = role.domain_id.as_ref().map(|id| id.as_str());
        let in_domain = match (domain, of) {
            // What is in no domain has no text that an inexact filter could find.
            (None, of) => of.is_none() && domains.iter().all(|one| one.exactly().is_some()),
            (Some(_), Some(of)) => domains.iter().all(|filter| filter.matches(of)),
            (Some(_), None) => false,
        };
        in_domain && names.iter().all(|filter| filter.matches(&role.name))
    });
    call.list_held(Collection::ROLES, matching.cloned(), &paging, shown)
}

/// How a role is shown.
pub(super) fn shown(role: &Role) -> (&str, &Role) {
    (role.id.as_str(), role)
}

fn require_fitting_description<B>(call: &Call<B>) -> Result<(), ApiError> {
    require_fitting(call.json(), "/role/description", "description", 255)
}

/// Creates a role: `POST /v3/roles`.
async fn create(call: Call<NewRole>) -> Result<HttpResponse, ApiError> {
    if call.body.domain_id.is_some() {
        let asked = call.json().get("role").unwrap_or(&Value::Null);
        call.enforce(
            Rule::CreateDomainRole,
            Target::new().with("target.role", asked),
        )?;
    } else {
        call.enforce(Rule::CreateRole, Target::new())?;
    }
    require_fitting_description(&call)?;
    let role = call.body.clone();
    let role = call.providers().role.send(CreateRole { role }).await?;
    call.notify(Kind::Role, Operation::Created, role.id.as_str());
    call.created(Collection::ROLES, role.id.as_str(), &*role)
}

/// Shows a role: `GET /v3/roles/{role_id}`.
async fn show(call: Call, id: web::Path<RoleId>) -> Result<HttpResponse, ApiError> {
    let role = permitted(&call, &id, Rule::GetRole, Rule::GetDomainRole).await?;
    call.one(Collection::ROLES, role.id.as_str(), &*role)
}

/// Changes a role: `PATCH /v3/roles/{role_id}`.
async fn update(call: Call<RolePatch>, id: web::Path<RoleId>) -> Result<HttpResponse, ApiError> {
    let role = permitted(&call, &id, Rule::UpdateRole, Rule::UpdateDomainRole).await?;
    call.require_same_id("role", role.id.as_str())?;
    require_fitting_description(&call)?;
    let update = UpdateRole {
        id: role.id.clone(),
        patch: call.body.clone(),
    };
    let role = call.providers().role.send(update).await?;
    call.notify(Kind::Role, Operation::Updated, role.id.as_str());
    call.one(Collection::ROLES, role.id.as_str(), &*role)
}

/// Deletes a role and what depends on it: `DELETE /v3/roles/{role_id}`.
async fn delete(call: Call, id: web::Path<RoleId>) -> Result<HttpResponse, ApiError> {
    let role = permitted(&call, &id, Rule::DeleteRole, Rule::DeleteDomainRole).await?;
    let id = role.id.clone();
    call.providers().role.send(DeleteRole { id }).await?;
    call.notify(Kind::Role, Operation::Deleted, role.id.as_str());
    Ok(no_content())
}

/// The role, if the caller may do to it what the rule for its kind guards. Whoever has a token
/// learns whether a role exists, as in Keystone.
async fn permitted<B>(
    call: &Call<B>,
    id: &RoleId,
    global: Rule,
    of_domain: Rule,
) -> Result<Arc<Role>, ApiError> {
    let get = GetRole { id: id.clone() };
    let role = call.providers().role.read(get).await?;
    let rule = match role.domain_id {
        Some(_) => of_domain,
        None => global,
    };
    call.enforce(rule, Target::new().with("target.role", &seen(&*role)?))?;
    Ok(role)
}

/// What a role implies directly: `GET /v3/roles/{prior_role_id}/implies`.
async fn list_implied(call: Call, prior: web::Path<RoleId>) -> Result<HttpResponse, ApiError> {
    let graph = call.providers().role.read(GetRoleGraph).await?;
    let prior = found(&graph, &prior)?;
    let target = seen(&**prior)?;
    call.enforce(
        Rule::ListImpliedRoles,
        Target::new().with("target.prior_role", &target),
    )?;
    let base = call.base();
    let inference = Inference {
        prior_role: Brief::of(&base, prior),
        implies: implied_by(&graph, prior, &base),
    };
    let url = format!("{base}/v3/roles/{}/implies", prior.id);
    answer(StatusCode::OK, &OneInference::new(inference, url))
}

/// `GET /v3/roles/{prior_role_id}/implies/{implied_role_id}`.
async fn show_implied(
    call: Call,
    path: web::Path<(RoleId, RoleId)>,
) -> Result<HttpResponse, ApiError> {
    let (prior, implied) = pair(&call, &path, Rule::GetImpliedRole, true).await?;
    inference(&call, StatusCode::OK, &prior, &implied)
}

/// `HEAD /v3/roles/{prior_role_id}/implies/{implied_role_id}`: 204. Keystone asks two rules here.
async fn check_implied(
    call: Call,
    path: web::Path<(RoleId, RoleId)>,
) -> Result<HttpResponse, ApiError> {
    pair(&call, &path, Rule::CheckImpliedRole, false).await?;
    pair(&call, &path, Rule::GetImpliedRole, true).await?;
    Ok(no_content())
}

/// `PUT /v3/roles/{prior_role_id}/implies/{implied_role_id}`.
async fn imply(call: Call, path: web::Path<(RoleId, RoleId)>) -> Result<HttpResponse, ApiError> {
    let (prior, implied) = pair(&call, &path, Rule::CreateImpliedRole, false).await?;
    let create = CreateImplication {
        prior: prior.id.clone(),
        implied: implied.id.clone(),
    };
    call.providers().role.send(create).await?;
    inference(&call, StatusCode::CREATED, &prior, &implied)
}

/// `DELETE /v3/roles/{prior_role_id}/implies/{implied_role_id}`.
async fn imply_no_more(
    call: Call,
    path: web::Path<(RoleId, RoleId)>,
) -> Result<HttpResponse, ApiError> {
    let (prior, implied) = pair(&call, &path, Rule::DeleteImpliedRole, false).await?;
    let delete = DeleteImplication {
        prior: prior.id.clone(),
        implied: implied.id.clone(),
    };
    call.providers().role.send(delete).await?;
    Ok(no_content())
}

/// All implications: `GET /v3/role_inferences`.
async fn list_inferences(call: Call) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::ListRoleInferenceRules, Target::new())?;
    let graph = call.providers().role.read(GetRoleGraph).await?;
    let base = call.base();
    let inferences = graph.iter().map(|prior| Inference {
        prior_role: Brief::of(&base, prior),
        implies: implied_by(&graph, prior, &base),
    });
    let inferences = inferences.filter(|inference| !inference.implies.is_empty());
    answer(
        StatusCode::OK,
        &Inferences {
            role_inferences: inferences.collect(),
        },
    )
}

/// Both roles of an implication, if the caller may do this to it, and if it has to exist, does.
async fn pair(
    call: &Call,
    (prior, implied): &(RoleId, RoleId),
    rule: Rule,
    exists: bool,
) -> Result<(Arc<Role>, Arc<Role>), ApiError> {
    let graph = call.providers().role.read(GetRoleGraph).await?;
    let (from, to) = (found(&graph, prior)?, found(&graph, implied)?);
    let (prior_seen, implied_seen) = (seen(&**from)?, seen(&**to)?);
    let target = Target::new()
        .with("target.prior_role", &prior_seen)
        .with("target.implied_role", &implied_seen);
    call.enforce(rule, target)?;
    if exists && !graph.implied_by(prior).contains(implied) {
        let (prior, implied) = (prior.clone(), implied.clone());
        return Err(Error::NotImplied { prior, implied }.into());
    }
    Ok((Arc::clone(from), Arc::clone(to)))
}

fn found<'a>(graph: &'a RoleGraph, id: &RoleId) -> Result<&'a Arc<Role>, ApiError> {
    let role = graph.get(id);
    role.ok_or_else(|| Error::NotFound(id.clone()).into())
}

fn implied_by<'a>(graph: &'a RoleGraph, prior: &Role, base: &str) -> Vec<Brief<'a>> {
    let implied = graph.implied_by(&prior.id).iter();
    let roles = implied.filter_map(|id| graph.get(id));
    roles.map(|role| Brief::of(base, role)).collect()
}

fn inference(
    call: &Call,
    status: StatusCode,
    prior: &Role,
    implied: &Role,
) -> Result<HttpResponse, ApiError> {
    let base = call.base();
    let url = format!("{base}/v3/roles/{}/implies/{}", prior.id, implied.id);
    let inference = Inference {
        prior_role: Brief::of(&base, prior),
        implies: Brief::of(&base, implied),
    };
    answer(status, &OneInference::new(inference, url))
}

/// All implications.
#[derive(Serialize)]
struct Inferences<'a> {
    role_inferences: Vec<Inference<'a, Vec<Brief<'a>>>>,
}

/// One role's, or a single one.
#[derive(Serialize)]
struct OneInference<'a, T> {
    role_inference: Inference<'a, T>,
    links: Value,
}

impl<'a, T> OneInference<'a, T> {
    fn new(role_inference: Inference<'a, T>, url: String) -> Self {
        Self {
            role_inference,
            links: call::self_link(url),
        }
    }
}

/// What a role implies.
#[derive(Serialize)]
struct Inference<'a, T> {
    prior_role: Brief<'a>,
    implies: T,
}

/// A role as implications show it.
#[derive(Serialize)]
struct Brief<'a> {
    id: &'a RoleId,
    name: &'a str,
    links: Value,
}

impl<'a> Brief<'a> {
    fn of(base: &str, role: &'a Role) -> Self {
        let url = Collection::ROLES.url(base, role.id.as_str());
        Self {
            id: &role.id,
            name: &role.name,
            links: call::self_link(url),
        }
    }
}
