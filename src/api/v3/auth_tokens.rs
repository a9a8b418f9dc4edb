//! `/v3/auth/tokens`: issue, validate, revoke.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::{ContentType, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use keystone_actors::revocation::RevokeToken;
use keystone_actors::token::{InspectPair, Pair, Refusal, Token, ValidateToken, Verdict};

use super::shapes;
use crate::api::access_rules;
use crate::api::body::JsonBody;
use crate::api::caller::{Caller, token_in};
use crate::api::error::ApiError;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::auth::request::AuthRequest;
use crate::auth::{Outcome, authenticate, tell};
use crate::node::Node;
use crate::policy::{Rule, Target};

const SUBJECT: HeaderName = HeaderName::from_static("x-subject-token");
const RECEIPT: HeaderName = HeaderName::from_static("openstack-auth-receipt");
const ACCESS_RULES: &str = "OpenStack-Identity-Access-Rules";

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/auth/tokens")
        .post(issue)
        .takes(&shapes::AUTH)
        .does("Prove who one is, and get a token.")
        .public()
        .header("OpenStack-Auth-Receipt", "The receipt of a first step.")
        .heeds("nocatalog", "Leave the catalog out.")
        .tells("X-Subject-Token", "The token.")
        .answers(answers::json(shapes::token).with_status(201))
        .answers(answers::json(shapes::refusal).with_status(401))
        .answers(answers::error(429))
        .get(validate)
        .needs_header("X-Subject-Token", "The token in question.")
        .heeds("nocatalog", "Leave the catalog out.")
        .heeds("allow_expired", "Also a token that has expired.")
        .tells("X-Subject-Token", "The token.")
        .answers(answers::json(shapes::token))
        .delete(revoke)
        .needs_header("X-Subject-Token", "The token in question.")
        .heeds(
            "cascade",
            "`false`: spare the tokens that were made from it.",
        )
        .register(api);
    Routes::at("/v3/auth/tokens/OS-PKI/revoked")
        .get(list_of_revoked)
        .does("The list of revoked tokens, which no Keystone keeps any more.")
        .public()
        .answers(answers::error(403))
        .answers(answers::error(410))
        .register(api);
}

/// Authenticates and issues a token: `POST /v3/auth/tokens`.
async fn issue(
    node: web::Data<Node>,
    request: HttpRequest,
    JsonBody(body): JsonBody,
) -> Result<HttpResponse, ApiError> {
    let now = Utc::now().timestamp();
    refuse_a_dead_caller(&node, &request, now).await?;
    let parsed = AuthRequest::parse(&body)?;
    let receipt = request
        .headers()
        .get(&RECEIPT)
        .map(|value| value.to_str().unwrap_or("\u{fffd}"));
    let outcome = authenticate(&node, parsed, &request, receipt, now).await;
    tell(&node, &request, &outcome, None);
    Ok(answer_outcome(&request, outcome?))
}

/// What a login is answered: 201 with the token, or 401 with a receipt.
pub fn answer_outcome(request: &HttpRequest, outcome: Outcome) -> HttpResponse {
    match outcome {
        Outcome::Issued(issued) => {
            let caller = Caller::of(issued.token);
            caller.note();
            answer(
                HttpResponse::Created(),
                request,
                &issued.text,
                &caller.token,
            )
        }
        Outcome::ReceiptDue(due) => HttpResponse::Unauthorized()
            .insert_header((RECEIPT, due.text))
            .json(due.body),
    }
}

/// A token in `X-Auth-Token` is not needed here, and one that does not decode is ignored; but one
/// whose user or scope is gone, or whose access rules do not allow this, is answered as everywhere
/// (Keystone's middleware).
async fn refuse_a_dead_caller(
    node: &Node,
    request: &HttpRequest,
    now: i64,
) -> Result<(), ApiError> {
    let Some(text) = token_in(request.headers(), "X-Auth-Token") else {
        return Ok(());
    };
    let validate = ValidateToken {
        text,
        now,
        allow_expired: false,
    };
    match node.providers.token.read(validate).await? {
        verdict @ (Verdict::Valid(_)
        | Verdict::Refused(Refusal::Gone(_) | Refusal::BrokenTrust)) => {
            let caller = Caller::from_verdict(verdict)?;
            access_rules::enforce(node, request, &caller.token).await
        }
        Verdict::Refused(_) => Ok(()),
    }
}

/// Validates a token: `GET` and `HEAD /v3/auth/tokens`.
///
/// Who asks is looked at first, then the subject, whose owner policy decides by: one that is not
/// good is 404 for whoever asks.
async fn validate(
    node: web::Data<Node>,
    request: HttpRequest,
    _: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let allow_expired = flag(&request, "allow_expired");
    let (caller, text, subject) = inspect(&node, &request, allow_expired).await?;
    let rule = match *request.method() {
        Method::HEAD => Rule::CheckToken,
        _ => Rule::ValidateToken,
    };
    let token = judge(&node, &caller, rule, subject)?;
    if let Some(credential) = &token.application_credential
        && !credential.access_rules.is_empty()
        && !heeds_access_rules(&request)
    {
        return Err(ApiError::not_found(Refusal::Invalid.to_string()));
    }
    Ok(answer(HttpResponse::Ok(), &request, &text, &token))
}

/// Revokes a token: `DELETE /v3/auth/tokens`, with those made from it unless `?cascade=false`.
async fn revoke(
    node: web::Data<Node>,
    request: HttpRequest,
    _: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let (caller, _, subject) = inspect(&node, &request, false).await?;
    let token = judge(&node, &caller, Rule::RevokeToken, subject)?;
    let revoke = RevokeToken {
        audit_id: token.audit_ids.own.to_string(),
        cascade: parameter(&request, "cascade")
            .is_none_or(|value| !value.eq_ignore_ascii_case("false")),
        now: Utc::now().timestamp(),
    };
    node.providers.revocation.read(revoke).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The list of revoked tokens, which no Keystone keeps any more: `[token] revoke_by_id` decides in
/// which words that is said.
async fn list_of_revoked(node: web::Data<Node>) -> Result<HttpResponse, ApiError> {
    Err(match node.config.token.revoke_by_id {
        true => ApiError::forbidden(),
        false => ApiError::gone(),
    })
}

/// Both tokens of a request, looked at in one message.
async fn inspect(
    node: &Node,
    request: &HttpRequest,
    allow_expired: bool,
) -> Result<(Caller, Arc<str>, Verdict), ApiError> {
    let Some(caller) = token_in(request.headers(), "X-Auth-Token") else {
        return Err(ApiError::unauthenticated());
    };
    let subject = token_in(request.headers(), SUBJECT.as_str()).unwrap_or_else(|| "".into());
    let pair = InspectPair {
        caller,
        subject: Arc::clone(&subject),
        now: Utc::now().timestamp(),
        allow_expired,
    };
    let Pair {
        caller,
        subject: verdict,
    } = node.providers.token.read(pair).await?;
    let caller = Caller::from_verdict(caller)?;
    access_rules::enforce(node, request, &caller.token).await?;
    Ok((caller, subject, verdict))
}

/// The subject's token, if the caller may know about it.
fn judge(
    node: &Node,
    caller: &Caller,
    rule: Rule,
    subject: Verdict,
) -> Result<Arc<Token>, ApiError> {
    match subject {
        Verdict::Valid(token) => {
            let user = token.acting_user.as_str();
            let target = Target::new().with("target.token.user_id", user);
            caller.enforce(node, rule, &target)?;
            Ok(token)
        }
        Verdict::Refused(Refusal::BrokenTrust) => Err(ApiError::forbidden()),
        Verdict::Refused(refusal @ Refusal::Empty) => {
            caller.enforce(node, rule, &Target::new())?;
            Err(ApiError::not_found(refusal.to_string()))
        }
        Verdict::Refused(refusal) => Err(ApiError::not_found(refusal.to_string())),
    }
}

fn answer(
    mut response: actix_web::HttpResponseBuilder,
    request: &HttpRequest,
    text: &str,
    token: &Token,
) -> HttpResponse {
    if let Ok(mut value) = HeaderValue::try_from(text) {
        value.set_sensitive(true);
        response.insert_header((SUBJECT, value));
    }
    let body = match has_parameter(request, "nocatalog") {
        true => token.body_without_catalog(),
        false => token.body(),
    };
    response.insert_header(ContentType::json()).body(body)
}

/// Whether the service that asks enforces access rules: version 1.0 or later of them.
fn heeds_access_rules(request: &HttpRequest) -> bool {
    let header = request.headers().get(ACCESS_RULES);
    let version = header.and_then(|value| value.to_str().ok()?.trim().parse::<f64>().ok());
    version.is_some_and(|version| version >= 1.0)
}

/// A query parameter, decoded; the first of several.
fn parameter(request: &HttpRequest, name: &str) -> Option<String> {
    if request.query_string().is_empty() {
        return None;
    }
    url::form_urlencoded::parse(request.query_string().as_bytes())
        .find_map(|(key, value)| (key == name).then(|| value.into_owned()))
}

fn has_parameter(request: &HttpRequest, name: &str) -> bool {
    parameter(request, name).is_some()
}

/// A parameter that is on when it is one of oslo's words for it.
fn flag(request: &HttpRequest, name: &str) -> bool {
    const ON: [&str; 6] = ["true", "t", "1", "yes", "y", "on"];
    parameter(request, name).is_some_and(|value| ON.contains(&value.to_ascii_lowercase().as_str()))
}
