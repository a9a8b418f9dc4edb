//! Application credentials: secrets by which a program logs in as a user, with some of the user's
//! roles on one project, perhaps for some requests only. They are cached until they are deleted,
//! as nothing changes one; the hash of its secret is neither cached nor told to anybody.

mod handlers;
mod messages;
mod model;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use messages::{
    AuthenticateApplicationCredential, CreateApplicationCredential, DeleteAccessRule,
    DeleteApplicationCredential, GetAccessRule, GetApplicationCredential, ListAccessRules,
    ListApplicationCredentials,
};
pub(crate) use model::DeletedWithUsers;
pub use model::{
    AccessRule, AccessRuleFilter, ApplicationCredential, Authentication, Created, Lookup,
    NewAccessRule, NewApplicationCredential, Refusal, RuleAttribute, chosen_roles,
};
pub(crate) use store::{delete_of_role, delete_of_users};

use crate::actor::{Provider, Unavailable};
use crate::cache::Cache;
use crate::db::Db;
use crate::hashing::{HashError, HashPool};
use crate::identity;
use crate::ids::ApplicationCredentialId;
use crate::revocation::Invalidations;

/// An application credential with the number of its row: Keystone has an index on that number,
/// and none on the ID.
pub type Numbered = (i32, Arc<ApplicationCredential>);

/// The application credential provider.
#[derive(Clone)]
pub struct ApplicationCredentialProvider {
    db: Db,
    /// One for all replicas.
    cache: Cache<ApplicationCredentialId, Numbered>,
    /// Where secrets are hashed and compared.
    hashing: HashPool,
    invalidations: Invalidations,
    /// How many a user may have; `None`: any number.
    user_limit: Option<u32>,
}

impl Provider for ApplicationCredentialProvider {
    const NAME: &'static str = "application_credential";
}

impl ApplicationCredentialProvider {
    /// The provider on its pool. Secrets are hashed as `[identity]` says of passwords;
    /// `user_limit` is the option of `[application_credential]`.
    pub fn new(
        db: Db,
        cache: Cache<ApplicationCredentialId, Numbered>,
        hashing: HashPool,
        invalidations: Invalidations,
        user_limit: Option<u32>,
    ) -> Self {
        Self {
            db,
            cache,
            hashing,
            invalidations,
            user_limit,
        }
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such application credential.
    #[error("Could not find Application Credential: {0}.")]
    NotFound(ApplicationCredentialId),
    /// There is no such access rule, or it is another user's.
    #[error("Could not find Access Rule: {0}.")]
    AccessRuleNotFound(String),
    /// The owner has one of this name.
    #[error(
        "Conflict occurred attempting to store application_credential - Duplicate entry found \
         with name {0}."
    )]
    NameTaken(String),
    /// The owner has as many as `[application_credential] user_limit` allows.
    #[error(
        "Unable to create additional application credentials, maximum of {0} already exceeded \
         for user."
    )]
    LimitExceeded(u32),
    /// It would have a role that its maker's token lacks.
    #[error(
        "Invalid application credential: Cannot create an application credential with \
         unassigned role"
    )]
    UnassignedRole,
    /// An application credential is restricted by the rule: without it, it would be good for more.
    #[error("May not delete access rule in use")]
    AccessRuleInUse,
    /// The secret is longer than can be hashed without being cut.
    #[error(
        "The password length must be less than or equal to {0}. The server could not comply with \
         the request because the password is invalid."
    )]
    SecretTooLong(usize),
    /// What the identity provider says.
    #[error(transparent)]
    Identity(#[from] identity::Error),
    /// Our defect, or an option that no secret can be hashed with.
    #[error("hashing an application credential's secret failed")]
    Hashing(#[source] HashError),
    /// Trying again may help.
    #[error("the application credential provider is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("application credential storage failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);

impl From<HashError> for Error {
    fn from(error: HashError) -> Self {
        match error.unavailable() {
            Some(why) => Self::Unavailable(why),
            None => match error {
                HashError::PasswordTooLong { limit } => Self::SecretTooLong(limit),
                error => Self::Hashing(error),
            },
        }
    }
}
