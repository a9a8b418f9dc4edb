//! `/v3/OS-TRUST/trusts`: what one user lets another do in its name.

use std::sync::{Arc, LazyLock};

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::Utc;
use keystone_actors::identity::GetUser;
use keystone_actors::ids::{ProjectId, RoleId, TrustId, UserId};
use keystone_actors::resource::GetProject;
use keystone_actors::role::{GetRoleGraph, RoleGraph};
use keystone_actors::trust::{
    CreateTrust, DeleteTrust, GetTrust, GetTrustOfToken, ListTrusts, NewTrust, Trust, TrustTerms,
    TrustsOf,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::delegation::{RoleRef, expiry, held_roles, no_role, refuse_trusts, role_ids, role_refs};
use super::shapes;
use crate::api::call::{self, Body, Call, answer, no_content, seen};
use crate::api::error::ApiError;
use crate::api::links::{Collection, linked};
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{Schema, boolean, integer, object, text};
use crate::notify::{self, Kind, Operation};
use crate::policy::{Rule, Subject, Target};

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/OS-TRUST/trusts")
        .get(list)
        .heeds("trustor_user_id", "Only those that this user gave.")
        .heeds("trustee_user_id", "Only those that this user was given.")
        .answers(answers::list(Collection::TRUSTS))
        .post(create)
        .takes(&NEW)
        .answers(answers::created(Collection::TRUSTS))
        .register(api);
    Routes::at("/v3/OS-TRUST/trusts/{trust_id}")
        .get(show)
        .answers(answers::one(Collection::TRUSTS))
        .delete(delete)
        .register(api);
    Routes::at("/v3/OS-TRUST/trusts/{trust_id}/roles")
        .get(list_roles)
        .answers(answers::json(shapes::roles_of_trust))
        .register(api);
    Routes::at("/v3/OS-TRUST/trusts/{trust_id}/roles/{role_id}")
        .get(show_role)
        .answers(answers::one(Collection::ROLES))
        .register(api);
}

static NEW: LazyLock<Schema> = LazyLock::new(|| {
    let trust = object()
        .required("trustor_user_id", text())
        .required("trustee_user_id", text())
        .required("impersonation", boolean())
        .optional("project_id", text().nullable())
        .optional("remaining_uses", integer().nullable().minimum(1))
        .optional("expires_at", text().nullable())
        .optional("allow_redelegation", boolean().nullable())
        .optional("redelegation_count", integer().nullable().minimum(0))
        .optional("redelegated_trust_id", text().nullable())
        .optional("roles", role_refs());
    object().required("trust", trust).closed()
});

/// A trust as it is asked for.
#[derive(Deserialize)]
struct Wanted {
    trustor_user_id: UserId,
    trustee_user_id: UserId,
    impersonation: bool,
    project_id: Option<String>,
    remaining_uses: Option<Number>,
    expires_at: Option<String>,
    allow_redelegation: Option<bool>,
    redelegation_count: Option<Number>,
    #[serde(default)]
    roles: Vec<RoleRef>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

/// A whole number; beyond what the column holds, the most that it does.
#[derive(Clone, Copy, Deserialize)]
#[serde(from = "f64")]
struct Number(i32);

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
        Self(number as i32)
    }
}

impl Body for Wanted {
    fn read(json: &Value) -> Result<Self, ApiError> {
        let mut wanted: Self = call::member(json, "trust", &NEW)?;
        // The server says these.
        for name in ["deleted_at", "redelegated_trust_id", "roles_links", "links"] {
            wanted.extra.shift_remove(name);
        }
        Ok(wanted)
    }
}

/// Lists trusts: `GET /v3/OS-TRUST/trusts`. Of other parameters than the two that Keystone knows it
/// makes an empty list.
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    let user = |name| call.query.first(name).filter(|id| !id.is_empty());
    let (trustor, trustee) = (user("trustor_user_id"), user("trustee_user_id"));
    let of = match (trustor, trustee) {
        (Some(id), _) => {
            let target = Target::new().with("target.trust.trustor_user_id", id);
            call.enforce(Rule::ListTrustsForTrustor, target)?;
            Some(TrustsOf::Trustor(id.into()))
        }
        (None, Some(id)) => {
            let target = Target::new().with("target.trust.trustee_user_id", id);
            call.enforce(Rule::ListTrustsForTrustee, target)?;
            Some(TrustsOf::Trustee(id.into()))
        }
        (None, None) => {
            call.enforce(Rule::ListTrusts, Target::new())?;
            let all = call.query.pairs().next().is_none();
            all.then_some(TrustsOf::All)
        }
    };
    refuse_trusts(&call)?;
    let trusts = match of {
        Some(of) => call.providers().trust.read(ListTrusts { of }).await?,
        None => Vec::new(),
    };
    call.list_whole(Collection::TRUSTS, trusts.into_iter(), listed)
}

fn listed(trust: &TrustTerms) -> (&str, &TrustTerms) {
    (trust.id.as_str(), trust)
}

/// Creates a trust of which the caller is the trustor: `POST /v3/OS-TRUST/trusts`. With a token of
/// a trust, that one is handed on.
async fn create(call: Call<Wanted>) -> Result<HttpResponse, ApiError> {
    let asked = call.json().get("trust").unwrap_or(&Value::Null);
    call.enforce(Rule::CreateTrust, Target::new().with("target.trust", asked))?;
    refuse_trusts(&call)?;
    let wanted = &call.body;
    let project = wanted.project_id.as_deref().filter(|id| !id.is_empty());
    let refuse = |why| Err(ApiError::forbidden_action(why));
    if project.is_some() && wanted.roles.is_empty() {
        return refuse("At least one role should be specified");
    }
    if call.caller.user_id() != Some(wanted.trustor_user_id.as_str()) {
        return refuse("The authenticated user should match the trustor");
    }
    let now = Utc::now();
    let providers = call.providers();
    let trustee = GetUser {
        id: wanted.trustee_user_id.clone(),
    };
    providers.identity.read(trustee).await?;
    let graph = providers.role.read(GetRoleGraph).await?;
    let roles = role_ids(&graph, &wanted.roles)?;
    require_roles(&call, project, &roles, now.timestamp()).await?;
    let source = call.caller.token.trust.as_deref();
    let expires_at = match &wanted.expires_at {
        Some(text) => Some(expiry(text, now)?.div_euclid(1_000_000)),
        None => None,
    };
    let trust = NewTrust {
        extra: wanted.extra.clone(),
        trustor_user_id: wanted.trustor_user_id.clone(),
        trustee_user_id: wanted.trustee_user_id.clone(),
        project_id: project.map(Into::into),
        impersonation: wanted.impersonation,
        expires_at,
        remaining_uses: wanted.remaining_uses.map(|number| number.0),
        allow_redelegation: wanted.allow_redelegation == Some(true),
        redelegation_count: wanted.redelegation_count.map(|number| number.0),
        roles,
    };
    let create = CreateTrust {
        trust,
        source: source.map(|trust| trust.id.clone()),
        now: now.timestamp(),
    };
    let trust = providers.trust.send(create).await?;
    call.notify(Kind::Trust, Operation::Created, trust.id.as_str());
    answer_trust(&call, StatusCode::CREATED, &trust, &graph)
}

/// Fails unless all roles are effective on the project for the trustor, who holds them themselves
/// also where a trust is handed on: with impersonation that is the one who gave it first.
async fn require_roles(
    call: &Call<Wanted>,
    project: Option<&str>,
    roles: &[RoleId],
    now: i64,
) -> Result<(), ApiError> {
    let Some(project) = project else {
        return match roles.first() {
            Some(id) => Err(no_role(id)),
            None => Ok(()),
        };
    };
    let providers = call.providers();
    let id = ProjectId::from(project);
    let id = providers.resource.read(GetProject { id }).await?.id.clone();
    let user = &call.body.trustor_user_id;
    let held = held_roles(providers, user, id, now).await?;
    let missing = |id: &&RoleId| !held.roles.iter().any(|role| role.id == **id);
    match roles.iter().find(missing) {
        Some(id) => Err(no_role(id)),
        None => Ok(()),
    }
}

/// Shows a trust: `GET /v3/OS-TRUST/trusts/{trust_id}`.
async fn show(call: Call, id: web::Path<TrustId>) -> Result<HttpResponse, ApiError> {
    let trust = permitted(&call, &id, Rule::GetTrust).await?;
    let graph = call.providers().role.read(GetRoleGraph).await?;
    answer_trust(&call, StatusCode::OK, &trust, &graph)
}

/// Withdraws a trust, and those that were made from it: `DELETE /v3/OS-TRUST/trusts/{trust_id}`.
/// One that is used up too, since tokens of its last use may live.
async fn delete(call: Call, id: web::Path<TrustId>) -> Result<HttpResponse, ApiError> {
    let now = Utc::now().timestamp();
    let id = id.into_inner();
    let get = GetTrustOfToken {
        id: id.clone(),
        now,
    };
    let trust = call.providers().trust.read(get).await?;
    let target = seen(&trust.terms)?;
    call.enforce(
        Rule::DeleteTrust,
        Target::new().with("target.trust", &target),
    )?;
    refuse_trusts(&call)?;
    let delete = DeleteTrust {
        id: id.clone(),
        now,
    };
    let along = call.providers().trust.send(delete).await?;
    let gone =
        |id: &TrustId| notify::Subject::resource(Kind::Trust, Operation::Deleted, id.as_str());
    call.notify_all(along.iter().map(gone), [gone(&id)]);
    Ok(no_content())
}

/// The roles of a trust: `GET /v3/OS-TRUST/trusts/{trust_id}/roles`.
async fn list_roles(call: Call, id: web::Path<TrustId>) -> Result<HttpResponse, ApiError> {
    let trust = permitted(&call, &id, Rule::ListRolesForTrust).await?;
    let graph = call.providers().role.read(GetRoleGraph).await?;
    let base = call.base();
    let body = json!({
        "roles": roles_of(&trust, &graph, &base)?,
        "links": roles_links(&trust, &base),
    });
    answer(StatusCode::OK, &body)
}

/// One role of a trust: `GET /v3/OS-TRUST/trusts/{trust_id}/roles/{role_id}`.
async fn show_role(
    call: Call,
    path: web::Path<(TrustId, RoleId)>,
) -> Result<HttpResponse, ApiError> {
    let (id, role) = path.into_inner();
    let trust = permitted(&call, &id, Rule::GetRoleForTrust).await?;
    let graph = call.providers().role.read(GetRoleGraph).await?;
    let found = graph
        .get(&role)
        .filter(|role| trust.roles.contains(&role.id));
    let found = found.ok_or_else(|| no_role(&role))?;
    call.one(Collection::ROLES, found.id.as_str(), &**found)
}

/// The trust, if the caller may do to it what the rule guards. Whoever has a token learns whether
/// a trust exists, as in Keystone.
async fn permitted(call: &Call, id: &TrustId, rule: Rule) -> Result<Arc<Trust>, ApiError> {
    let get = GetTrust {
        id: id.clone(),
        now: Utc::now().timestamp(),
    };
    let trust = call.providers().trust.read(get).await?;
    let target = seen(&trust.terms)?;
    call.enforce(rule, Target::new().with("target.trust", &target))?;
    refuse_trusts(call)?;
    Ok(trust)
}

fn answer_trust<B>(
    call: &Call<B>,
    status: StatusCode,
    trust: &Trust,
    graph: &RoleGraph,
) -> Result<HttpResponse, ApiError> {
    let base = call.base();
    let mut shown = linked(&base, Collection::TRUSTS, trust.id.as_str(), &trust.terms)?;
    if let Value::Object(members) = &mut shown {
        let roles = roles_of(trust, graph, &base)?;
        members.insert("roles".to_owned(), roles.into());
        members.insert("roles_links".to_owned(), roles_links(trust, &base));
    }
    answer(status, &json!({ "trust": shown }))
}

/// Whole roles, those that are gone left out.
fn roles_of(trust: &Trust, graph: &RoleGraph, base: &str) -> Result<Vec<Value>, ApiError> {
    let roles = trust.roles.iter().filter_map(|id| graph.get(id));
    let shown = roles.map(|role| linked(base, Collection::ROLES, role.id.as_str(), &**role));
    shown.collect()
}

/// To a path that neither Keystone has.
fn roles_links(trust: &Trust, base: &str) -> Value {
    let url = format!("{base}/v3/{}/roles", trust.id);
    json!({"self": url, "next": null, "previous": null})
}
