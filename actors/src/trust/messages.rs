//! What the trust provider answers.

use std::sync::Arc;

use actix::Message;

use super::{Error, Trust};
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
