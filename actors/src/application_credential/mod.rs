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

pub use messages::{AuthenticateApplicationCredential, GetApplicationCredential};
pub use model::{AccessRule, ApplicationCredential, Authentication, Lookup, Refusal};
#[cfg_attr(
    not(test),
    expect(unused_imports, reason = "for the deletion of roles and projects")
)]
pub(crate) use store::{delete_of_role, delete_of_user_on_project, delete_of_users, delete_where};

use crate::actor::{Provider, Unavailable};
use crate::cache::Cache;
use crate::db::Db;
use crate::hashing::{HashError, HashPool};
use crate::ids::ApplicationCredentialId;

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
}

impl Provider for ApplicationCredentialProvider {
    const NAME: &'static str = "application_credential";
}

impl ApplicationCredentialProvider {
    /// The provider on its pool. Secrets are hashed as `[identity]` says of passwords.
    pub fn new(db: Db, cache: Cache<ApplicationCredentialId, Numbered>, hashing: HashPool) -> Self {
        Self { db, cache, hashing }
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such application credential.
    #[error("Could not find Application Credential: {0}.")]
    NotFound(ApplicationCredentialId),
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
        match error {
            HashError::Busy { .. } => Self::Unavailable(Unavailable::Overloaded),
            HashError::Unavailable => Self::Unavailable(Unavailable::Restarting),
            error => Self::Hashing(error),
        }
    }
}
