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
pub(crate) use store::{clear_default_projects, delete_identities, delete_of_domain, hold_user};

use crate::actor::{Handle, Provider, Unavailable};
use crate::cache::Cache;
use crate::db::Db;
use crate::hashing::{HashError, HashPool};
use crate::ids::{DomainId, GroupId, ProjectId, UserId};
use crate::resource::{self, ResourceProvider};
use crate::revocation::Invalidations;

/// The identity provider.
#[derive(Clone)]
pub struct IdentityProvider {
    db: Db,
    caches: IdentityCaches,
    hashing: HashPool,
    invalidations: Invalidations,
    resource: Handle<ResourceProvider>,
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
    /// The provider on its pool, with the threads that hash passwords and the provider of the
    /// domains that users and groups belong to.
    pub fn new(
        db: Db,
        caches: IdentityCaches,
        hashing: HashPool,
        invalidations: Invalidations,
        resource: Handle<ResourceProvider>,
        settings: Arc<IdentitySettings>,
    ) -> Self {
        Self {
            db,
            caches,
            hashing,
            invalidations,
            resource,
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
    /// The user is not in the group.
    #[error("User '{user}' not found in group '{group}'")]
    NotInGroup {
        /// The user.
        user: UserId,
        /// The group.
        group: GroupId,
    },
    /// A page should begin behind something that there is not.
    #[error("Marker {0} could not be found.")]
    MarkerNotFound(String),
    /// A user or a group stays in its domain.
    #[error("Cannot change Domain ID")]
    DomainIsFixed,
    /// A domain is no project to log in to by default.
    #[error("User's default project ID cannot be a domain ID: {0}")]
    DefaultProjectIsDomain(ProjectId),
    /// A federated identity names a provider that there is not. A malformed request, to Keystone.
    #[error("Could not find Identity Provider: {0}")]
    UnknownIdentityProvider(String),
    /// A federated identity names a protocol that its provider hasn't. A malformed request too.
    #[error("Could not find federated protocol {protocol} for Identity Provider: {idp}.")]
    UnknownProtocol {
        /// The protocol.
        protocol: String,
        /// The provider.
        idp: String,
    },
    /// The name is taken in the domain.
    #[error(
        "Conflict occurred attempting to store {kind} - Duplicate entry found with name {name}{}.",
        at(domain)
    )]
    NameTaken {
        /// `user` or `group`.
        kind: &'static str,
        /// The name.
        name: String,
        /// The domain, if it was named.
        domain: Option<DomainId>,
    },
    /// Another user is known by this name to the identity provider.
    #[error("Conflict occurred attempting to store federated_user - Duplicate entry.")]
    FederatedIdentityTaken,
    /// The password does not look as it has to; with what the operator says about that.
    #[error("The password does not match the requirements: {0}.")]
    PasswordRequirements(String),
    /// `null`, where passwords have to look like something.
    #[error("Password validation error: Password must be a string type.")]
    PasswordIsNoText,
    /// The user had this password not long ago.
    #[error(
        "The new password cannot be identical to a previous password. The total number which \
         includes the new password must be unique is {0}."
    )]
    PasswordReused(u32),
    /// The user changed the password not long ago.
    #[error(
        "You cannot change your password at this time due to the minimum password age. Once you \
         change your password, it must be used for {minimum} day(s) before it can be changed. \
         Please try again in {left} day(s) or contact your administrator to reset your password."
    )]
    PasswordTooYoung {
        /// Days that a password has to be used.
        minimum: u32,
        /// Whole days until then.
        left: i64,
    },
    /// `options.lock_password` is set.
    #[error(
        "You cannot change your password at this time due to password policy disallowing password \
         changes. Please contact your administrator to reset your password."
    )]
    PasswordChangeDisabled,
    /// The password to be set is longer than the algorithm takes; it would have to be cut.
    #[error(
        "The password length must be less than or equal to {0}. The server could not comply with \
         the request because the password is invalid."
    )]
    PasswordTooLong(usize),
    /// The domain or the project that was named could not be looked at.
    #[error(transparent)]
    Resource(#[from] resource::Error),
    /// Our defect, logged where it happened.
    #[error("hashing a password failed: {0}")]
    Hashing(#[source] HashError),
    /// Trying again may help.
    #[error("the identity provider is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("identity storage failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);

impl From<HashError> for Error {
    fn from(error: HashError) -> Self {
        match error.unavailable() {
            Some(why) => Self::Unavailable(why),
            None => match error {
                HashError::PasswordTooLong { limit } => Self::PasswordTooLong(limit),
                error => Self::Hashing(error),
            },
        }
    }
}

fn at(domain: &Option<DomainId>) -> String {
    domain
        .as_ref()
        .map(|id| format!(" at domain ID {id}"))
        .unwrap_or_default()
}
