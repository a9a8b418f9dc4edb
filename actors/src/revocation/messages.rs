//! What the revocation actor answers.

use actix::Message;

use super::{Error, Event, TokenFacts};
use crate::actor::Idempotent;

/// Revokes one token and, unless `cascade` is false, those made from it by rescoping.
///
/// Once answered, no provider of this node takes the token; other nodes follow.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct RevokeToken {
    /// The token's own audit ID.
    pub audit_id: String,
    /// Whether tokens made from it go too.
    pub cascade: bool,
    /// Seconds since 1970.
    pub now: i64,
}
// Twice the same event revokes no more than once.
impl Idempotent for RevokeToken {}

/// The events written after a time, oldest first.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<Event>, Error>")]
pub struct ListEvents {
    /// Exclusive, in seconds since 1970; `None` for all.
    pub since: Option<i64>,
}
impl Idempotent for ListEvents {}

/// Whether an event revokes the token of these facts, asked of the database: for when
/// [`Invalidations::revokes`](super::Invalidations::revokes) does not know.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<bool, Error>")]
pub struct MatchEvents {
    /// What the events are compared with.
    pub facts: TokenFacts,
}
impl Idempotent for MatchEvents {}

/// Revokes all tokens that these events name.
///
/// Once answered, no provider of this node takes such a token; other nodes follow.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct RevokeEvents {
    /// The events.
    pub events: Vec<Event>,
}
// Twice the same event revokes no more than once.
impl Idempotent for RevokeEvents {}
