//! What the trust provider answers.

use std::sync::Arc;

use actix::Message;

use super::{Error, NewTrust, Trust, TrustTerms, TrustsOf};
use crate::actor::Idempotent;
use crate::ids::TrustId;

/// One trust that is good at `now`. `NotFound` if none has this ID, or it or one above it in its
/// chain is deleted, expired or used up; `Redelegation` if its chain breaks the rules.
///
/// That the people of the chain are enabled, and the first trustor still has the roles, is found
/// out when a token is made or validated.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Trust>, Error>")]
pub struct GetTrust {
    /// Its ID.
    pub id: TrustId,
    /// Seconds since 1970.
    pub now: i64,
}
impl Idempotent for GetTrust {}

/// Like [`GetTrust`], and a trust that is used up is good too: the token of its last use, which
/// this is for, is not worth less than those before it.
///
/// Keystone asks as [`GetTrust`] does, so that there, unless it has a cache, the token of the last
/// use is never valid.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Trust>, Error>")]
pub struct GetTrustOfToken {
    /// Its ID.
    pub id: TrustId,
    /// Seconds since 1970.
    pub now: i64,
}
impl Idempotent for GetTrustOfToken {}

/// The trusts of somebody that are not deleted, in the order of their IDs: expired ones and used
/// up ones too, as Keystone lists them. What their chains say is not looked at.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<TrustTerms>, Error>")]
pub struct ListTrusts {
    /// Whose.
    pub of: TrustsOf,
}
impl Idempotent for ListTrusts {}

/// Creates a trust. `NotFound` or `Redelegation` for a source that is no good; `UsesNotPositive`,
/// `UsesWithRedelegation` and `Redelegation` for what the rules refuse; `Duplicate` if there is
/// one of the same people on the same project with the same end, deleted ones included.
///
/// For the API, and in this order: that the asker is the trustor and not a delegate by other means
/// than a trust; that a project comes with roles; that the trustee exists; that the roles have
/// IDs; that the project exists; that each role is effective there for the trustor, or where there
/// is a source, for its first trustor ([`Trust::original_trustor`]); that the end is in the future.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Trust>, Error>")]
pub struct CreateTrust {
    /// The trust to be.
    pub trust: NewTrust,
    /// The trust that the asker's token was made from. Never what the request says: whoever names
    /// a trust is not its trustee.
    pub source: Option<TrustId>,
    /// Seconds since 1970.
    pub now: i64,
}

/// Counts a token made from a trust. `UseLimitReached` when others have made all that it allows:
/// the token is not to be given away then. `NotFound` if it has been deleted.
///
/// Of two who ask at once for the last use, one gets it.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct ConsumeTrustUse {
    /// Which trust.
    pub id: TrustId,
}

/// Deletes a trust and all that were made from it; the tokens of each are revoked. The answer is the
/// latter, none before those that were made from it. `NotFound` for one that is deleted or expired
/// already, as Keystone has it.
///
/// Who may is for the API: the trustor, and whom policy allows, with no delegated token.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<TrustId>, Error>")]
pub struct DeleteTrust {
    /// Which trust.
    pub id: TrustId,
    /// Seconds since 1970.
    pub now: i64,
}
