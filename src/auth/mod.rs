//! The authentication pipeline: from the body of `POST /v3/auth/tokens` to a token.
//!
//! In this order: the body's shape ([`request`]), each method once (`password`, `token`, …; they
//! must all name one user), the scope ([`scope`]), the user's MFA rules ([`mfa`]), the token.
//! Nothing about the scope is looked up before the user is known: who can't authenticate learns
//! nothing, whichever project was named.

mod application_credential;
pub mod ec2;
pub mod limits;
mod mfa;
pub mod oauth1;
mod password;
mod recovery;
pub mod request;
mod scope;
mod signing;
#[cfg(test)]
mod tests;
mod token;
mod totp;
pub mod webauthn;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use keystone_actors::ids::UserId;
use keystone_actors::token::{
    AuditIds, FederationRef, Issue, IssueToken, Issued, Methods, OpenedReceipt, PayloadScope,
    Refusal,
};
use keystone_actors::trust::ConsumeTrustUse;
use keystone_actors::webauthn::NoteToken;
use secrecy::SecretString;
use serde_json::json;
use tracing::info;

use crate::api::call::initiator;
use crate::api::error::ApiError;
use crate::node::Node;
use crate::notify::{self, Event, Reason};
use crate::telemetry::logins::Ceremony;
pub use mfa::ReceiptDue;
use request::{AuthRequest, Method, ScopeRequest};

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
    /// Whether that token names passkeys as a method, and counts as made with none.
    names_no_passkey: bool,
    /// The passkey that was shown, with which the token goes.
    passkey: Option<String>,
    /// Whether its authenticator has looked who uses it.
    user_verified: bool,
    /// What was shown in a passkey's place. It is looked at, and used up, when all else is good.
    recovery_code: Option<SecretString>,
    /// What an earlier request has proven of the user, where it was opened already.
    receipt: Option<OpenedReceipt>,
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
    let receipt = receipt.filter(|text| !text.is_empty());
    limits::before(node, http, &request, now)?;
    let outcome = prove_all(node, &request, http, receipt, now).await;
    limits::after(node, http, &request, &outcome, now);
    if let Some(kind) = ceremony(&request, receipt) {
        count(node, kind, &outcome);
    }
    outcome
}

/// What a passkey or a recovery code in this request is for, if it has one.
fn ceremony(request: &AuthRequest, receipt: Option<&str>) -> Option<Ceremony> {
    let mut methods = request.methods.iter();
    let shown = methods.find_map(|method| match method {
        Method::Webauthn(shown) => Some(shown),
        _ => None,
    })?;
    let beside = request.methods.len() > 1 || receipt.is_some();
    Some(match (shown.is_recovery_code(), beside) {
        (true, _) => Ceremony::Recovery,
        (false, true) => Ceremony::StepUp,
        (false, false) => Ceremony::Login,
    })
}

/// Counts how a login by passkey has ended. What has no class was refused for something else that
/// was shown with it, or could not be decided.
pub fn count(node: &Node, kind: Ceremony, outcome: &Result<Outcome, ApiError>) {
    let logins = &node.metrics.logins;
    match outcome {
        Ok(_) => logins.accepted(kind),
        Err(error) => {
            if let Some(class) = error.class() {
                logins.refused(kind, class);
            }
        }
    }
}

async fn prove_all(
    node: &Node,
    request: &AuthRequest,
    http: &HttpRequest,
    receipt: Option<&str>,
    now: i64,
) -> Result<Outcome, ApiError> {
    let configured = node.config.auth.methods.as_slice();
    if let Some(unknown) = request
        .methods
        .iter()
        .find(|method| !is_configured(node, method))
    {
        return Err(unsupported(unknown.name(), configured));
    }
    let mut proof = Proof::default();
    // Recovery codes last: the others say whose they have to be.
    let (last, first): (Vec<_>, Vec<_>) = request
        .methods
        .iter()
        .partition(|method| matches!(method, Method::Webauthn(shown) if shown.is_recovery_code()));
    if !last.is_empty() && first.is_empty() && receipt.is_none() {
        return Err(refused(node, &"a recovery code alone").audited("RecoveryCodeAlone"));
    }
    for code in &last {
        // Before all else, so that a wrong password beside it counts as well.
        limits::step(node, http, limits::user_of(code), now)?;
    }
    for method in first.into_iter().chain(last) {
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
            Method::Webauthn(shown) => {
                webauthn::prove(node, &mut proof, http, shown, receipt, now).await?;
            }
            // Configured, and nobody can prove anything by it here.
            Method::Other(name) => return Err(refused(node, &format_args!("no method {name}"))),
        }
    }
    complete(node, proof, &request.scope, receipt, now).await
}

/// Whether `[auth] methods` has it; passkeys may be there by another name.
fn is_configured(node: &Node, method: &Method) -> bool {
    match method {
        Method::Webauthn(_) => node.config.webauthn.enabled,
        method => method.is_configured(&node.config.auth.methods),
    }
}

/// What follows once it is proven who somebody is: scope, multi-factor rules, token.
async fn complete(
    node: &Node,
    mut proof: Proof,
    scope: &ScopeRequest,
    receipt: Option<&str>,
    now: i64,
) -> Result<Outcome, ApiError> {
    let Some(user) = proof.user.clone() else {
        return Err(ApiError::unauthenticated());
    };
    // A token remembers one of these, and would forget the limits of the others.
    let others = proof.application_credential.is_some() || proof.federation.is_some();
    if proof.access_token.is_some() && others {
        return Err(refused(node, &"two delegations at once"));
    }
    let scope = scope::resolve(node, &proof, &user, scope, now).await?;
    proof.ends(scope.not_after);
    mfa::add_receipt(node, &mut proof, &user, receipt, now).await?;
    if let Some(due) = mfa::check(node, &mut proof, &user, now).await? {
        return Ok(Outcome::ReceiptDue(due));
    }
    if proof.names_no_passkey && (proof.passkey.is_some() || proof.recovery_code.is_some()) {
        // What is noted is noted of a chain: in one of its own, so that the token that was shown is not
        // taken for one by passkey, too.
        proof.audit_ids = None;
    }
    let trust = scope.trust.clone();
    let issue = IssueToken {
        user: user.clone(),
        methods: webauthn::sealed(node, &proof.methods),
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
            if let Some(code) = proof.recovery_code {
                // The last thing that can refuse: whoever gets no token keeps the code.
                recovery::use_up(node, &user, code, &issued, now).await?;
            }
            if let Some(id) = trust {
                // Before the token is given away: of two that use the last of its uses, one fails.
                node.providers.trust.send(ConsumeTrustUse { id }).await?;
            }
            if let Some(passkey) = proof.passkey {
                // Before it is given away, too: no token outlives its passkey.
                let note = NoteToken {
                    passkey,
                    audit_id: webauthn::chain(&issued.token.audit_ids),
                    expires_at: issued.token.expires_at,
                };
                webauthn::noted(node, node.providers.webauthn.read(note).await)?;
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

/// Tells auditors of a login that succeeded, failed, or is not finished. `user` is who it was, where
/// that is known of one that failed, and the error does not say it.
pub fn tell(
    node: &Node,
    http: &HttpRequest,
    outcome: &Result<Outcome, ApiError>,
    user: Option<&UserId>,
) {
    let mut initiator = initiator(http);
    initiator.user_id = user.map(ToString::to_string);
    let (outcome, reason) = match outcome {
        Ok(Outcome::Issued(issued)) => {
            initiator.user_id = Some(issued.token.user.id.to_string());
            (notify::Outcome::Success, None)
        }
        Ok(Outcome::ReceiptDue(_)) => (notify::Outcome::Pending, None),
        Err(error) if error.status() == StatusCode::UNAUTHORIZED => {
            if let Some(user) = error.user() {
                initiator.user_id = Some(user.to_string());
            }
            let reason = Reason {
                code: error.status().as_u16(),
                text: error.reason_class().to_owned(),
            };
            (notify::Outcome::Failure, Some(reason))
        }
        // Not a matter of who somebody is.
        Err(_) => return,
    };
    node.notifier.send(Event {
        subject: notify::Subject::Authentication,
        initiator,
        outcome,
        reason,
    });
}

fn unsupported(name: &str, configured: &[String]) -> ApiError {
    tracing::debug!(
        method = name,
        "an authentication method that is not configured"
    );
    ApiError::unauthenticated_as("Attempted to authenticate with an unsupported method.")
        .with_identity(json!({ "methods": configured }))
}
