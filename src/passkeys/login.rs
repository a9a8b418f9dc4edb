//! Logging in by a passkey.

use actix_web::HttpRequest;
use keystone_actors::webauthn::{Asserted, RequestOptions, StartLogin};
use serde_json::Value;

use super::UserNamed;
use crate::api::error::ApiError;
use crate::auth::request::ScopeRequest;
use crate::auth::webauthn::{Shown, Webauthn, bind, log_in, who};
use crate::auth::{Outcome, count, limits, tell};
use crate::node::Node;
use crate::telemetry::logins::Ceremony;

/// Header with the receipt of what was shown before.
const RECEIPT: &str = "Openstack-Auth-Receipt";

/// What a login is for; the same has to be said at its begin and at its end.
#[derive(Debug, Default)]
pub struct LoginWanted {
    /// Who; `None` where the authenticator chooses.
    pub user: Option<UserNamed>,
    /// The scope of the token, as in `POST /v3/auth/tokens`; `None`: unscoped.
    pub scope: Option<Value>,
    /// Whether who logs in is signed in already, and shows a passkey besides.
    pub signed_in: bool,
}

impl LoginWanted {
    fn scope(&self) -> Result<ScopeRequest, ApiError> {
        match &self.scope {
            Some(scope) => ScopeRequest::parse(scope),
            None => Ok(ScopeRequest::Unscoped),
        }
    }
}

/// Begins a login. Whoever is named, known or not, the answer looks alike.
///
/// # Errors
/// 400 for a scope that is none; 429; 503.
pub async fn begin_login(
    node: &Node,
    http: &HttpRequest,
    wanted: LoginWanted,
    now: i64,
) -> Result<RequestOptions, ApiError> {
    limits::step(node, http, wanted.user.as_ref(), now)?;
    wanted.scope()?;
    let (user, named) = who(node, wanted.user.as_ref()).await?;
    let start = StartLogin {
        user,
        named,
        bound: wanted.scope.as_ref().map(bind),
        now,
    };
    Ok(node.providers.webauthn.read(start).await?)
}

/// Ends a login, and tells auditors how. A receipt in the request's headers counts.
///
/// # Errors
/// 401, whatever the reason; 400 for a scope that is none; 429; 503.
pub async fn finish_login(
    node: &Node,
    http: &HttpRequest,
    wanted: LoginWanted,
    credential: Asserted,
    now: i64,
) -> Result<Outcome, ApiError> {
    let scope = wanted.scope()?;
    let bound = wanted.scope.as_ref().map(bind);
    let known = match &wanted.user {
        Some(UserNamed::Id(id)) => Some(id.as_str().into()),
        _ => None,
    };
    let method = Webauthn {
        user: wanted.user,
        shown: Shown::Passkey(Box::new(credential), vec![bound]),
    };
    let receipt = http.headers().get(RECEIPT);
    let receipt = receipt.map(|value| value.to_str().unwrap_or("\u{fffd}"));
    let kind = match wanted.signed_in || receipt.is_some_and(|text| !text.is_empty()) {
        true => Ceremony::StepUp,
        false => Ceremony::Login,
    };
    let outcome = log_in(node, http, &method, &scope, receipt, now).await;
    count(node, kind, &outcome);
    tell(node, http, &outcome, known.as_ref());
    outcome
}
