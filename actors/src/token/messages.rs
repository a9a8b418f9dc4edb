//! What the token provider answers.

use std::sync::Arc;

use actix::Message;

use super::{AuditIds, Error, FederationRef, Methods, PayloadScope, Token, Verdict};
use crate::actor::Idempotent;
use crate::ids::UserId;

/// Whether a token is good, and what it says.
#[derive(Clone, Message)]
#[rtype(result = "Result<Verdict, Error>")]
pub struct ValidateToken {
    /// The token. A secret; neither logged nor kept.
    pub text: Arc<str>,
    /// Seconds since 1970.
    pub now: i64,
    /// Whether a token that has expired within `[token] allow_expired_window` is good.
    pub allow_expired: bool,
}
impl Idempotent for ValidateToken {}

/// A caller's token and the token that the caller asks about, in one message: the hot path.
#[derive(Clone, Message)]
#[rtype(result = "Result<Pair, Error>")]
pub struct InspectPair {
    /// `X-Auth-Token`.
    pub caller: Arc<str>,
    /// `X-Subject-Token`.
    pub subject: Arc<str>,
    /// Seconds since 1970.
    pub now: i64,
    /// See [`ValidateToken::allow_expired`]; of the subject.
    pub allow_expired: bool,
}
impl Idempotent for InspectPair {}

/// The answer to [`InspectPair`].
#[derive(Clone, Debug)]
pub struct Pair {
    /// Of the caller's token.
    pub caller: Verdict,
    /// Of the subject.
    pub subject: Verdict,
}

/// Issues a token. Refused where a validation of it would be.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Issue, Error>")]
pub struct IssueToken {
    /// Whose it is to be.
    pub user: UserId,
    /// How the user proved that.
    pub methods: Methods,
    /// What it is to be good for.
    pub scope: PayloadScope,
    /// Fresh, or those of the chain that it continues.
    pub audit_ids: AuditIds,
    /// The latest end that what it is made from allows, in seconds since 1970.
    pub not_after: Option<i64>,
    /// The trust that it is made from.
    pub trust: Option<String>,
    /// The application credential that it is made from.
    pub application_credential: Option<String>,
    /// The OAuth1 access token that it is made from.
    pub access_token: Option<String>,
    /// Where a federated user came from.
    pub federation: Option<FederationRef>,
    /// Seconds since 1970.
    pub now: i64,
}
// A token more that nobody has is no harm.
impl Idempotent for IssueToken {}

/// The answer to [`IssueToken`].
#[derive(Debug)]
pub enum Issue {
    /// The token.
    Granted(Issued),
    /// Why there is none.
    Refused(super::Refusal),
}

/// A token that was issued.
pub struct Issued {
    /// Its text. A secret.
    pub text: String,
    /// What it says.
    pub token: Arc<Token>,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued")
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}
