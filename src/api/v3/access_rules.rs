//! `/v3/users/{user_id}/access_rules`: the requests to which application credentials are restricted.

use actix_web::{HttpResponse, web};
use chrono::Utc;
use keystone_actors::application_credential::{
    AccessRule, AccessRuleFilter, DeleteAccessRule, GetAccessRule, ListAccessRules, RuleAttribute,
};
use keystone_actors::identity::{self, GetUser};
use keystone_actors::ids::UserId;

use super::delegation::{refuse_application_credentials, require_unrestricted};
use crate::api::call::{Call, no_content, seen};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::notify::{Kind, Operation};
use crate::policy::{Rule, Target};

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/users/{user_id}/access_rules")
        .get(list)
        .heeds("service", "Only rules of this type of service.")
        .heeds("path", "Only rules of this path.")
        .heeds("method", "Only rules of this method.")
        .answers(answers::list(Collection::ACCESS_RULES))
        .register(api);
    Routes::at("/v3/users/{user_id}/access_rules/{access_rule_id}")
        .get(show)
        .answers(answers::one(Collection::ACCESS_RULES))
        .delete(delete)
        .register(api);
}

/// Lists a user's: `GET /v3/users/{user_id}/access_rules`.
async fn list(call: Call, user: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    permit(&call, &user, Rule::ListAccessRules).await?;
    let filters = [
        ("service", RuleAttribute::Service),
        ("path", RuleAttribute::Path),
        ("method", RuleAttribute::Method),
    ];
    let filters = filters.into_iter().flat_map(|(name, attribute)| {
        let texts = call.query.texts(name).into_iter();
        texts.map(move |text| AccessRuleFilter { attribute, text })
    });
    let list = ListAccessRules {
        user: user.into_inner(),
        filters: filters.collect(),
    };
    let rules = call.providers().application_credential.read(list).await?;
    call.list_whole(Collection::ACCESS_RULES, rules.into_iter(), shown)
}

fn shown(rule: &AccessRule) -> (&str, &AccessRule) {
    (rule.id.as_str(), rule)
}

/// Shows one: `GET /v3/users/{user_id}/access_rules/{access_rule_id}`.
async fn show(call: Call, path: web::Path<(UserId, String)>) -> Result<HttpResponse, ApiError> {
    let (user, id) = path.into_inner();
    permit(&call, &user, Rule::GetAccessRule).await?;
    let get = GetAccessRule { id, user };
    let rule = call.providers().application_credential.read(get).await?;
    call.one(Collection::ACCESS_RULES, &rule.id, &rule)
}

/// Deletes one that restricts nothing: `DELETE /v3/users/{user_id}/access_rules/{access_rule_id}`.
async fn delete(call: Call, path: web::Path<(UserId, String)>) -> Result<HttpResponse, ApiError> {
    let (user, id) = path.into_inner();
    permit(&call, &user, Rule::DeleteAccessRule).await?;
    require_unrestricted(&call)?;
    let delete = DeleteAccessRule {
        id: id.clone(),
        user,
    };
    call.providers().application_credential.send(delete).await?;
    call.notify(Kind::AccessRule, Operation::Deleted, id);
    Ok(no_content())
}

/// Fails unless the caller may do to this user's rules what the rule guards.
async fn permit(call: &Call, user: &UserId, rule: Rule) -> Result<(), ApiError> {
    let get = GetUser { id: user.clone() };
    let shown = match call.providers().identity.read(get).await {
        Ok(user) => Some(seen(&user.view(Utc::now().timestamp()))?),
        Err(identity::Error::UserNotFound(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let target = Target::new().with("user_id", user.as_str());
    call.enforce(rule, target.with_some("target.user", shown.as_ref()))?;
    refuse_application_credentials(call)
}
