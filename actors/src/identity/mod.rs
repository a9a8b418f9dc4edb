//! Users, groups, who is in which, and passwords. Users and memberships are read for every token
//! that is validated, so they are cached; whatever a login by password decides is read anew.
//!
//! Local users have a name and a password here; federated ones come by identity providers, and
//! are told apart by what those call them; of users from a directory only the name is known. All
//! of them are [`User`]s.

mod handlers;
mod messages;
mod model;
mod settings;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use messages::*;
pub use model::*;
pub use settings::IdentitySettings;

use crate::actor::{Provider, Unavailable};
use crate::cache::Cache;
use crate::db::Db;
use crate::hashing::{HashError, HashPool};
use crate::ids::{DomainId, GroupId, UserId};
use crate::revocation::Invalidations;

/// The identity provider.
#[derive(Clone)]
pub struct IdentityProvider {
    db: Db,
    caches: IdentityCaches,
    hashing: HashPool,
    invalidations: Invalidations,
    settings: Arc<IdentitySettings>,
}

/// What the identity provider remembers; one for all replicas.
#[derive(Clone)]
pub struct IdentityCaches {
    /// Users by ID.
    pub users: Cache<UserId, Arc<User>>,
    /// Users by name.
    pub user_names: Cache<(DomainId, String), UserId>,
    /// Groups by ID.
    pub groups: Cache<GroupId, Arc<Group>>,
    /// Groups by name.
    pub group_names: Cache<(DomainId, String), GroupId>,
    /// The groups of each user.
    pub memberships: Cache<UserId, Arc<Memberships>>,
}

impl Provider for IdentityProvider {
    const NAME: &'static str = "identity";
}

impl IdentityProvider {
    /// The provider on its pool, with the threads that hash passwords.
    pub fn new(
        db: Db,
        caches: IdentityCaches,
        hashing: HashPool,
        invalidations: Invalidations,
        settings: Arc<IdentitySettings>,
    ) -> Self {
        Self {
            db,
            caches,
            hashing,
            invalidations,
            settings,
        }
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such user.
    #[error("Could not find user: {0}.")]
    UserNotFound(String),
    /// There is no such group.
    #[error("Could not find group: {0}.")]
    GroupNotFound(String),
    /// A user or a group stays in its domain.
    #[error("Cannot change Domain ID")]
    DomainIsFixed,
    /// The password to be set is longer than the algorithm takes; it would have to be cut.
    #[error(
        "The password length must be less than or equal to {0}. The server could not comply with \
         the request because the password is invalid."
    )]
    PasswordTooLong(usize),
    /// Trying again may help.
    #[error("the identity provider is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect, logged where it happened.
    #[error("hashing a password failed: {0}")]
    Hashing(#[source] HashError),
    /// Our defect. Logged with its cause, told to no client.
    #[error("identity storage failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);
