//! `/v3/OS-OAUTH1`: how a consumer comes to an access token (RFC 5849 section 2). It asks for a request
//! token, a user authorises that and tells the consumer a verifier, and for both it gets the other.

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use keystone_actors::ids::RoleId;
use keystone_actors::oauth1::{
    AuthorizeRequestToken, CreateRequestToken, Error, ExchangeRequestToken, GetRequestToken,
    NewToken, SignedWith, has_expired,
};
use keystone_actors::resource::GetProject;
use keystone_actors::role::GetRoleGraph;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::api::body::JsonBody;
use crate::api::call::{self, Call, answer, initiator};
use crate::api::error::ApiError;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{Schema, object};
use crate::api::v3::delegation::{RoleRef, held_roles, refuse_access_tokens, role_ids, role_refs};
use crate::api::v3::shapes;
use crate::auth::oauth1::{Signed, require_signature};
use crate::auth::refused;
use crate::node::Node;
use crate::notify::{Event, Kind, Operation, Outcome, Subject};
use crate::policy::{Rule, Target};

/// Names the project that a consumer asks for.
const PROJECT: &str = "Requested-Project-Id";

/// Routes them.
pub(super) fn routes(api: &mut Router) {
    const SIGNATURE: &str = "How the consumer has signed the request (RFC 5849).";
    const TOKEN: answers::Answer = answers::file("application/x-www-form-urlencoded");
    Routes::at("/v3/OS-OAUTH1/request_token")
        .post(request_token)
        .takes(&shapes::NOTHING)
        .does("Ask for leave to act for a user on a project.")
        .public()
        .needs_header("Authorization", SIGNATURE)
        .needs_header(PROJECT, "The ID of the project.")
        .answers(TOKEN.with_status(201))
        .register(api);
    Routes::at("/v3/OS-OAUTH1/access_token")
        .post(access_token)
        .takes(&shapes::NOTHING)
        .does("Get an access token for what a user has consented to.")
        .public()
        .needs_header("Authorization", SIGNATURE)
        .answers(TOKEN.with_status(201))
        .register(api);
    Routes::at("/v3/OS-OAUTH1/authorize/{request_token_id}")
        .put(authorize)
        .takes(&CONSENT)
        .answers(answers::json(shapes::verifier))
        .register(api);
}

static ROLES: LazyLock<Schema> = LazyLock::new(role_refs);

static CONSENT: LazyLock<Schema> = LazyLock::new(|| object().optional("roles", ROLES.clone()));

/// Makes a request token: `POST /v3/OS-OAUTH1/request_token`, signed by the consumer.
async fn request_token(
    node: web::Data<Node>,
    request: HttpRequest,
    _: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let now = Utc::now().timestamp();
    let signed = Signed::of(&request, request.query_string())?;
    let consumer = signed.required("oauth_consumer_key")?;
    let project = request.headers().get(PROJECT);
    let project = project.and_then(|id| id.to_str().ok());
    let Some(project) = project.filter(|id| !id.is_empty()) else {
        return Err(ApiError::expecting(PROJECT, "request"));
    };
    signed.check(now)?;
    signed.check_callback()?;
    require_signature(&node, &request, &signed, SignedWith::Nothing).await?;
    // Only now: who can't sign doesn't learn which projects there are.
    let project = GetProject { id: project.into() };
    let project = node.providers.resource.read(project).await?;
    let create = CreateRequestToken {
        consumer: consumer.into(),
        project: project.id.clone(),
        lifetime: node.config.oauth1.request_token_duration,
        now,
    };
    let token = node.providers.oauth1.send(create).await?;
    tell(&node, &request, Kind::RequestToken, &token);
    Ok(told(&token))
}

/// Makes an access token of an authorised request token: `POST /v3/OS-OAUTH1/access_token`, signed
/// with that one, and with the verifier that the user was told.
async fn access_token(
    node: web::Data<Node>,
    request: HttpRequest,
    _: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let now = Utc::now().timestamp();
    let signed = Signed::of(&request, request.query_string())?;
    let consumer = signed.required("oauth_consumer_key")?;
    let id = signed.required("oauth_token")?;
    let verifier = signed.required("oauth_verifier")?;
    signed.check(now)?;
    signed.check_token()?;
    signed.check_verifier()?;
    let with = SignedWith::RequestToken(id.to_owned());
    require_signature(&node, &request, &signed, with).await?;
    let exchange = ExchangeRequestToken {
        id: id.to_owned(),
        consumer: consumer.into(),
        verifier: verifier.into(),
        lifetime: node.config.oauth1.access_token_duration,
        now,
    };
    let token = match node.providers.oauth1.send(exchange).await {
        Ok(token) => token,
        // Another has been quicker.
        Err(error @ Error::RequestTokenNotFound) => return Err(refused(&node, &error)),
        Err(error @ (Error::RequestTokenExpired | Error::NotAuthorized)) => {
            tracing::info!(%error, "a request token is not exchanged");
            return Err(refused(&node, &error));
        }
        Err(error) => return Err(error.into()),
    };
    tell(&node, &request, Kind::AccessToken, &token);
    Ok(told(&token))
}

/// Lets a consumer do in the caller's name what it has asked for, with these roles:
/// `PUT /v3/OS-OAUTH1/authorize/{request_token_id}`.
async fn authorize(call: Call, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let target = Target::new().with("request_token_id", id.as_str());
    call.enforce(Rule::AuthorizeRequestToken, target)?;
    let none = json!([]);
    let roles = call.json().get("roles").unwrap_or(&none);
    ROLES.check_older(roles)?;
    refuse_access_tokens(&call)?;
    let now = Utc::now().timestamp();
    let (providers, id) = (call.providers(), id.into_inner());
    let get = GetRequestToken { id: id.clone() };
    let token = providers.oauth1.read(get).await?;
    if has_expired(token.expires_at, now) {
        return Err(Error::RequestTokenExpired.into());
    }
    let roles: Vec<RoleRef> = call::from_json(roles.clone())?;
    let graph = providers.role.read(GetRoleGraph).await?;
    let mut roles: Vec<RoleId> = role_ids(&graph, &roles)?;
    roles.sort_unstable();
    roles.dedup();
    let user = &call.caller.token.user.id;
    let held = held_roles(providers, user, token.project_id, now).await?;
    let is_held = |id: &RoleId| held.roles.iter().any(|role| role.id == *id);
    if !roles.iter().all(is_held) {
        let reason = "authorizing user does not have role required";
        return Err(refused(call.node(), &reason));
    }
    let user = user.clone();
    let authorize = AuthorizeRequestToken {
        id,
        user,
        roles,
        now,
    };
    let verifier = providers.oauth1.send(authorize).await?;
    let body = json!({"token": {"oauth_verifier": verifier.expose_secret()}});
    answer(StatusCode::OK, &body)
}

/// A new token in the form that OAuth has for it.
fn told(token: &NewToken) -> HttpResponse {
    let mut body = format!(
        "oauth_token={}&oauth_token_secret={}",
        token.id,
        token.secret.expose_secret()
    );
    if let Some(end) = token.expires_at {
        body.push_str(&format!("&oauth_expires_at={}", end.iso()));
    }
    HttpResponse::Created()
        .insert_header(ContentType::form_url_encoded())
        .body(body)
}

/// Tells whoever listens of a token that a consumer has made, which is nobody's user.
fn tell(node: &Node, request: &HttpRequest, kind: Kind, token: &NewToken) {
    let subject = Subject::Resource {
        kind,
        operation: Operation::Created,
        id: token.id.clone(),
        actor: None,
    };
    node.notifier.send(Event {
        subject,
        initiator: initiator(request),
        outcome: Outcome::Success,
        reason: None,
    });
}
