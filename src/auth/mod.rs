//! The authentication pipeline: from the body of `POST /v3/auth/tokens` to a token.
//!
//! In this order: the body's shape ([`request`]), each method once (`password`, `token`, …; they
//! must all name one user), the scope ([`scope`]), the user's MFA rules ([`mfa`]), the token.
//! Nothing about the scope is looked up before the user is known: who can't authenticate learns
//! nothing, whichever project was named.

mod application_credential;
pub mod ec2;
mod mfa;
pub mod oauth1;
mod password;
pub mod request;
mod scope;
mod signing;
#[cfg(test)]
mod tests;
mod token;
mod totp;

use actix_web::HttpRequest;
use keystone_actors::ids::UserId;
use keystone_actors::token::{
    AuditIds, FederationRef, Issue, IssueToken, Issued, Methods, PayloadScope, Refusal,
};
use keystone_actors::trust::ConsumeTrustUse;
use serde_json::json;
use tracing::info;

use crate::api::error::ApiError;
use crate::node::Node;
pub use mfa::ReceiptDue;
use request::{AuthRequest, Method};

/// What came of an authentication.
pub enum Outcome {
    /// A token.
    Issued(Issued),
    /// More methods are needed; the receipt proves what was shown so far.
    ReceiptDue(ReceiptDue),
}

/// What the methods of a request have proven together.
#[derive(Debug, Default)]
struct Proof {
    user: Option<UserId>,
    methods: Methods,
    /// The end of what the token will be made from, in seconds since 1970.
    not_after: Option<i64>,
    /// The chain of tokens that it continues.
    audit_ids: Option<AuditIds>,
    /// The scope that a method prescribes.
    scope: Option<PayloadScope>,
    application_credential: Option<String>,
    /// The OAuth 1 access token.
    access_token: Option<String>,
    federation: Option<FederationRef>,
    /// Set when a token was the proof, for the rules about what may be made from it.
    from_token: bool,
}

impl Proof {
    /// The user that a method has proven; every further method must prove the same one (A15).
    fn is(&mut self, user: &UserId) -> Result<(), ApiError> {
        match &self.user {
            Some(known) if known != user => Err(ApiError::unauthenticated()),
            _ => {
                self.user = Some(user.clone());
                Ok(())
            }
        }
    }

    fn ends(&mut self, at: Option<i64>) {
        self.not_after = match (self.not_after, at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

/// Authenticates a request, with the receipt of an earlier one where there is one. `http` is what it
/// came with, for methods that are proven by headers.
pub async fn authenticate(
    node: &Node,
    request: AuthRequest,
    http: &HttpRequest,
    receipt: Option<&str>,
    now: i64,
) -> Result<Outcome, ApiError> {
    let configured = node.config.auth.methods.as_slice();
    if let Some(unknown) = request
        .methods
        .iter()
        .find(|method| !method.is_configured(configured))
    {
        return Err(unsupported(unknown.name(), configured));
    }
    let mut proof = Proof::default();
    for method in &request.methods {
        match method {
            Method::Password(password) => password::prove(node, &mut proof, password, now).await?,
            Method::Token(text) => {
                token::prove(node, &mut proof, text, &request.scope, now).await?
            }
            Method::ApplicationCredential(credential) => {
                application_credential::prove(node, &mut proof, credential, now).await?;
            }
            Method::Oauth1 => oauth1::prove(node, &mut proof, http, now).await?,
            Method::Totp(passcode) => totp::prove(node, &mut proof, passcode, now).await?,
            // Configured, and nobody can prove anything by it here.
            Method::Other(name) => return Err(refused(node, &format_args!("no method {name}"))),
        }
    }
    let Some(user) = proof.user.clone() else {
        return Err(ApiError::unauthenticated());
    };
    // A token remembers one of these, and would forget the limits of the others.
    let others = proof.application_credential.is_some() || proof.federation.is_some();
    if proof.access_token.is_some() && others {
        return Err(refused(node, &"two delegations at once"));
    }
    let scope = scope::resolve(node, &proof, &user, &request.scope, now).await?;
    mfa::add_receipt(node, &mut proof, &user, receipt, now)?;
    if let Some(due) = mfa::check(node, &proof, &user, now).await? {
        return Ok(Outcome::ReceiptDue(due));
    }
    proof.ends(scope.not_after);
    let trust = scope.trust.clone();
    let issue = IssueToken {
        user: user.clone(),
        methods: proof.methods,
        scope: scope.scope,
        audit_ids: proof.audit_ids.unwrap_or_else(AuditIds::fresh),
        not_after: proof.not_after,
        trust: trust.as_ref().map(ToString::to_string),
        application_credential: proof.application_credential,
        access_token: proof.access_token,
        federation: proof.federation,
        now,
    };
    match node.providers.token.read(issue).await? {
        Issue::Granted(issued) => {
            if let Some(id) = trust {
                // Before the token is given away: of two that use the last of its uses, one fails.
                node.providers.trust.send(ConsumeTrustUse { id }).await?;
            }
            info!(
                user.id = %user,
                token.audit_id = %issued.token.audit_ids.own,
                methods = ?issued.token.methods.iter().collect::<Vec<_>>(),
                "issued a token"
            );
            Ok(Outcome::Issued(issued))
        }
        Issue::Refused(refusal) => {
            info!(user.id = %user, %refusal, "no token for an authenticated user");
            Err(match refusal {
                Refusal::BrokenTrust => ApiError::forbidden(),
                refusal => refused(node, &refusal),
            })
        }
    }
}

/// 401, with the reason where `insecure_debug` asks for it.
pub fn refused(node: &Node, reason: &dyn std::fmt::Display) -> ApiError {
    if node.config.default.insecure_debug {
        ApiError::unauthenticated().with_reason(reason)
    } else {
        ApiError::unauthenticated()
    }
}

fn unsupported(name: &str, configured: &[String]) -> ApiError {
    tracing::debug!(
        method = name,
        "an authentication method that is not configured"
    );
    ApiError::unauthenticated_as("Attempted to authenticate with an unsupported method.")
        .with_identity(json!({ "methods": configured }))
}
