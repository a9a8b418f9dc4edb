//! `/v3/users/{user_id}/OS-OAUTH1/access_tokens`: what a user has let consumers do.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use keystone_actors::db::DbTime;
use keystone_actors::ids::{RoleId, UserId};
use keystone_actors::oauth1::{
    AccessToken, DeleteAccessToken, Error, GetAccessToken, ListAccessTokens,
};
use keystone_actors::role::{GetRoleGraph, Role};
use serde_json::{Value, json};

use crate::api::call::{Call, answer, no_content, seen};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::v3::delegation::{no_role, refuse_access_tokens};
use crate::api::v3::shapes;
use crate::notify::{Kind, Operation};
use crate::policy::{Rule, Target};

/// Routes them.
pub(super) fn routes(api: &mut Router) {
    Routes::at("/v3/users/{user_id}/OS-OAUTH1/access_tokens")
        .get(list)
        .answers(answers::json(shapes::access_tokens))
        .register(api);
    Routes::at("/v3/users/{user_id}/OS-OAUTH1/access_tokens/{access_token_id}")
        .get(show)
        .answers(answers::json(shapes::one_access_token))
        .delete(delete)
        .register(api);
    Routes::at("/v3/users/{user_id}/OS-OAUTH1/access_tokens/{access_token_id}/roles")
        .get(list_roles)
        .answers(answers::list(Collection::ROLES))
        .register(api);
    Routes::at("/v3/users/{user_id}/OS-OAUTH1/access_tokens/{access_token_id}/roles/{role_id}")
        .get(show_role)
        .answers(answers::one(Collection::ROLES))
        .register(api);
}

/// Lists a user's: `GET /v3/users/{user_id}/OS-OAUTH1/access_tokens`.
async fn list(call: Call, user: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    permit(&call, Rule::ListAccessTokens, &[("user_id", user.as_str())])?;
    let user = user.into_inner();
    let oauth1 = &call.providers().oauth1;
    let tokens = oauth1.read(ListAccessTokens { user }).await?;
    let base = call.base();
    let shown = tokens.into_iter().map(move |token| shown(&base, &token));
    call.stream("access_tokens", shown)
}

/// Shows one: `GET /v3/users/{user_id}/OS-OAUTH1/access_tokens/{access_token_id}`.
async fn show(call: Call, path: web::Path<(UserId, String)>) -> Result<HttpResponse, ApiError> {
    let (user, id) = path.into_inner();
    let target = [("user_id", user.as_str()), ("access_token_id", &id)];
    permit(&call, Rule::GetAccessToken, &target)?;
    let token = get(&call, id).await?;
    require_owner(&token, &user)?;
    let shown = shown(&call.base(), &token);
    answer(StatusCode::OK, &json!({ "access_token": shown }))
}

/// Withdraws one: `DELETE /v3/users/{user_id}/OS-OAUTH1/access_tokens/{access_token_id}`. The rule is
/// that of EC2 credentials, as in Keystone, which has one for this that it does not ask.
async fn delete(call: Call, path: web::Path<(UserId, String)>) -> Result<HttpResponse, ApiError> {
    let (user, id) = path.into_inner();
    let target = [("user_id", user.as_str()), ("access_token_id", &id)];
    permit(&call, Rule::Ec2DeleteCredential, &target)?;
    let delete = DeleteAccessToken {
        id: id.clone(),
        user,
    };
    call.providers().oauth1.send(delete).await?;
    call.notify(Kind::AccessToken, Operation::Deleted, id);
    Ok(no_content())
}

/// Lists the roles of one:
/// `GET /v3/users/{user_id}/OS-OAUTH1/access_tokens/{access_token_id}/roles`.
async fn list_roles(
    call: Call,
    path: web::Path<(UserId, String)>,
) -> Result<HttpResponse, ApiError> {
    let (user, id) = path.into_inner();
    let target = [("user_id", user.as_str()), ("access_token_id", &id)];
    permit(&call, Rule::ListAccessTokenRoles, &target)?;
    let token = get(&call, id).await?;
    require_owner(&token, &user)?;
    let graph = call.providers().role.read(GetRoleGraph).await?;
    let roles = token.role_ids.iter().filter_map(|id| graph.get(id));
    let roles = roles.map(|role| Ok((role.id.to_string(), without_description(role)?)));
    let roles = roles.collect::<Result<Vec<_>, ApiError>>()?;
    call.list_whole(Collection::ROLES, roles.into_iter(), role_shown)
}

fn role_shown((id, role): &(String, Value)) -> (&str, &Value) {
    (id.as_str(), role)
}

/// Shows a role of one:
/// `GET /v3/users/{user_id}/OS-OAUTH1/access_tokens/{access_token_id}/roles/{role_id}`.
async fn show_role(
    call: Call,
    path: web::Path<(UserId, String, RoleId)>,
) -> Result<HttpResponse, ApiError> {
    let (user, id, role) = path.into_inner();
    let target = [
        ("user_id", user.as_str()),
        ("access_token_id", &id),
        ("role_id", role.as_str()),
    ];
    permit(&call, Rule::GetAccessTokenRole, &target)?;
    let token = get(&call, id).await?;
    if token.authorizing_user_id != user {
        return Err(Error::NotTheirs.into());
    }
    let graph = call.providers().role.read(GetRoleGraph).await?;
    let found = graph
        .get(&role)
        .filter(|role| token.role_ids.contains(&role.id));
    let found = found.ok_or_else(|| no_role(&role))?;
    call.one(
        Collection::ROLES,
        found.id.as_str(),
        without_description(found)?,
    )
}

/// Fails unless policy lets the caller do this, with a token of their own.
fn permit(call: &Call, rule: Rule, path: &[(&'static str, &str)]) -> Result<(), ApiError> {
    let target = path.iter().fold(Target::new(), |target, (name, value)| {
        target.with(name, *value)
    });
    call.enforce(rule, target)?;
    refuse_access_tokens(call)
}

async fn get(call: &Call, id: String) -> Result<Arc<AccessToken>, ApiError> {
    Ok(call.providers().oauth1.read(GetAccessToken { id }).await?)
}

fn require_owner(token: &AccessToken, user: &UserId) -> Result<(), ApiError> {
    match token.authorizing_user_id == *user {
        true => Ok(()),
        false => Err(Error::AccessTokenNotFound(token.id.clone()).into()),
    }
}

fn shown(base: &str, token: &AccessToken) -> Value {
    let (id, user) = (&token.id, &token.authorizing_user_id);
    let url = format!("{base}/v3/users/{user}/OS-OAUTH1/access_tokens/{id}");
    let end = token.expires_at;
    json!({
        "id": id,
        "authorizing_user_id": user,
        "project_id": token.project_id,
        "consumer_id": token.consumer_id,
        "expires_at": end.map(DbTime::iso),
        "links": {"roles": format!("{url}/roles"), "self": url},
    })
}

/// As Keystone shows roles here.
fn without_description(role: &Role) -> Result<Value, ApiError> {
    let mut shown = seen(role)?;
    if let Value::Object(members) = &mut shown {
        members.shift_remove("description");
    }
    Ok(shown)
}
