//! Trusts: what one user, the trustor, lets another, the trustee, do in its name on a project. A
//! trustee may hand on what it was given where the trust allows that: such trusts make a chain,
//! and each is good only as long as all above it are. Read for every token made from a trust, and
//! cached with what the chain says.

mod handlers;
mod messages;
mod model;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use messages::{GetTrust, GetTrustOfToken};
pub use model::{RedelegationFault, Trust};

use crate::actor::{Provider, Unavailable};
use crate::cache::Cache;
use crate::db::Db;
use crate::ids::TrustId;

/// The trust provider.
#[derive(Clone)]
pub struct TrustProvider {
    db: Db,
    /// One for all replicas.
    cache: Cache<TrustId, Arc<Trust>>,
    /// How often a trust may be handed on: `[trust] max_redelegation_count`.
    max_redelegation_count: i32,
}

impl Provider for TrustProvider {
    const NAME: &'static str = "trust";
}

impl TrustProvider {
    /// The provider on its pool. `max_redelegation_count` is the option of `[trust]`.
    pub fn new(db: Db, cache: Cache<TrustId, Arc<Trust>>, max_redelegation_count: i32) -> Self {
        Self {
            db,
            cache,
            max_redelegation_count,
        }
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such trust, or no more: deleted, expired, used up.
    #[error("Could not find trust: {0}.")]
    NotFound(TrustId),
    /// The chain that a trust belongs to breaks Keystone's rules. Its text tells no client why.
    #[error("You are not authorized to perform the requested action.")]
    Redelegation(RedelegationFault),
    /// Trying again may help.
    #[error("the trust provider is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("trust storage failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);
