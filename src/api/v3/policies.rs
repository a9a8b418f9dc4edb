//! `/v3/policies`: policies that are kept for services, which Keystone has deprecated. Their bodies
//! are checked after the caller is, in the older way.

use std::sync::LazyLock;

use actix_web::{HttpResponse, web};
use keystone_actors::ids::PolicyId;
use keystone_actors::policy_store::{
    CreatePolicy, DeletePolicy, GetPolicy, ListPolicies, Policy, UpdatePolicy,
};
use serde_json::{Value, json};

use super::shapes;
use crate::api::call::{self, Call, no_content};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{Schema, object, text};
use crate::notify::{Kind, Operation};
use crate::policy::{Rule, Target};

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/policies")
        .get(list)
        .heeds("type", "Only policies of this type.")
        .answers(answers::pages(Collection::POLICIES))
        .post(create)
        .takes(&shapes::NEW_POLICY)
        .answers(answers::created(Collection::POLICIES))
        .register(api);
    Routes::at("/v3/policies/{policy_id}")
        .get(show)
        .answers(answers::one(Collection::POLICIES))
        .patch(update)
        .takes(&shapes::POLICY)
        .answers(answers::one(Collection::POLICIES))
        .delete(delete)
        .register(api);
}

static NEW: LazyLock<Schema> = LazyLock::new(|| {
    object()
        .required("blob", text())
        .required("type", text().length(0, 255))
});

static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    object()
        .optional("blob", text())
        .optional("type", text().length(0, 255))
        .not_empty()
});

/// What was checked by then.
static ANY: LazyLock<Schema> = LazyLock::new(object);

/// The policy in a body, as this schema wants it.
fn checked(call: &Call, schema: &Schema) -> Result<Value, ApiError> {
    let policy = call.json().get("policy").cloned();
    let policy = policy.unwrap_or_else(|| json!({}));
    schema.check_older(&policy)?;
    Ok(json!({ "policy": policy }))
}

fn shown(policy: &Policy) -> (&str, &Policy) {
    (policy.id.as_str(), policy)
}

/// Lists policies: `GET /v3/policies`.
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::ListPolicies, Target::new())?;
    let kinds = call.query.texts("type");
    let policies = call.providers().policy_store.read(ListPolicies).await?;
    let matching = policies.into_iter();
    let matching =
        matching.filter(|policy| kinds.iter().all(|filter| filter.matches(&policy.kind)));
    let paging = call.paging(call.node().config.policy.list_limit)?;
    call.list_held(Collection::POLICIES, matching, &paging, shown)
}

/// Creates a policy: `POST /v3/policies`.
async fn create(call: Call) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::CreatePolicy, Target::new())?;
    let policy = call::new_member(&checked(&call, &NEW)?, "policy", &ANY)?;
    let create = CreatePolicy { policy };
    let policy = call.providers().policy_store.send(create).await?;
    call.notify(Kind::Policy, Operation::Created, policy.id.as_str());
    call.created(Collection::POLICIES, policy.id.as_str(), &policy)
}

/// Shows a policy: `GET /v3/policies/{policy_id}`.
async fn show(call: Call, id: web::Path<PolicyId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::GetPolicy, Target::new())?;
    let id = id.into_inner();
    let policy = call.providers().policy_store.read(GetPolicy { id }).await?;
    call.one(Collection::POLICIES, policy.id.as_str(), &policy)
}

/// Changes a policy: `PATCH /v3/policies/{policy_id}`.
async fn update(call: Call, id: web::Path<PolicyId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::UpdatePolicy, Target::new())?;
    let body = checked(&call, &PATCH)?;
    let given = body.get("policy").and_then(|policy| policy.get("id"));
    if given.is_some_and(|given| given != id.as_str()) {
        return Err(ApiError::bad_request("Cannot change policy ID"));
    }
    let update = UpdatePolicy {
        id: id.into_inner(),
        patch: call::member(&body, "policy", &ANY)?,
    };
    let policy = call.providers().policy_store.send(update).await?;
    call.notify(Kind::Policy, Operation::Updated, policy.id.as_str());
    call.one(Collection::POLICIES, policy.id.as_str(), &policy)
}

/// Deletes a policy: `DELETE /v3/policies/{policy_id}`.
async fn delete(call: Call, id: web::Path<PolicyId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::DeletePolicy, Target::new())?;
    let delete = DeletePolicy { id: id.clone() };
    call.providers().policy_store.send(delete).await?;
    call.notify(Kind::Policy, Operation::Deleted, id.as_str());
    Ok(no_content())
}
