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

pub use messages::{
    ConsumeTrustUse, CreateTrust, DeleteTrust, GetTrust, GetTrustOfToken, ListTrusts,
};
pub use model::{NewTrust, Trust, TrustTerms, TrustsOf};
pub(crate) use store::{delete_of_projects, delete_of_users};

use crate::actor::{Provider, Unavailable};
use crate::cache::Cache;
use crate::db::Db;
use crate::ids::TrustId;
use crate::revocation::Invalidations;
use crate::{identity, resource};

/// The trust provider.
#[derive(Clone)]
pub struct TrustProvider {
    db: Db,
    /// One for all replicas.
    cache: Cache<TrustId, Arc<Trust>>,
    invalidations: Invalidations,
    /// How often a trust may be handed on: `[trust] max_redelegation_count`.
    max_redelegation_count: i32,
}

impl Provider for TrustProvider {
    const NAME: &'static str = "trust";
}

impl TrustProvider {
    /// The provider on its pool. `max_redelegation_count` is the option of `[trust]`.
    pub fn new(
        db: Db,
        cache: Cache<TrustId, Arc<Trust>>,
        invalidations: Invalidations,
        max_redelegation_count: i32,
    ) -> Self {
        Self {
            db,
            cache,
            invalidations,
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
    /// The rules for handing on refuse it. Its text tells no client why.
    #[error("You are not authorized to perform the requested action.")]
    Redelegation(#[source] RedelegationFault),
    /// All tokens that the trust allows have been made.
    #[error("No remaining uses for trust: {0}.")]
    UseLimitReached(TrustId),
    /// A count of uses that allows none.
    #[error("remaining_uses must be a positive integer or null.")]
    UsesNotPositive,
    /// Uses can't be counted through several hands.
    #[error("remaining_uses must not be set if redelegation is allowed")]
    UsesWithRedelegation,
    /// There is one of the same people, project, impersonation and end. The ID is that of the one
    /// that was to be.
    #[error("Conflict occurred attempting to store trust - Duplicate entry found with ID {0}.")]
    Duplicate(TrustId),
    /// What the identity provider says.
    #[error(transparent)]
    Identity(#[from] identity::Error),
    /// What the resource provider says.
    #[error(transparent)]
    Resource(#[from] resource::Error),
    /// Trying again may help.
    #[error("the trust provider is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("trust storage failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);

/// Which of the rules for handing on a trust is broken. For the log: clients are told only that
/// they may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedelegationFault {
    /// It may not be handed on, or not so often.
    #[error("the trust may not be handed on so many times")]
    Depth,
    /// A count was given where it follows from the trust that is handed on.
    #[error("redelegation_count must not be set where a trust is handed on")]
    CountGiven,
    /// What is handed on can't have its uses counted.
    #[error("remaining_uses must not be set where a trust is handed on")]
    UsesCounted,
    /// It would end later than what it comes from.
    #[error("the trust would end later than the one that it comes from")]
    Expiry,
    /// It would give roles that what it comes from doesn't.
    #[error("the trust would give roles that the one that it comes from doesn't")]
    Roles,
    /// It would impersonate where what it comes from doesn't.
    #[error("the trust would impersonate, and the one that it comes from doesn't")]
    Impersonation,
    /// It would be good for another project than what it comes from.
    #[error("the trust would be for another project than the one that it comes from")]
    Project,
    /// Its trustor is not the user as whom tokens of what it comes from act.
    #[error("the trustor is not the user as whom the trust that it comes from acts")]
    Trustor,
}
