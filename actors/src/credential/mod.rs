//! Credentials: secrets that users keep here, encrypted. Keys of EC2 requests, which users sign
//! with, and secrets of one-time passwords are of use to this server; any others only to who put
//! them here. What is cached is encrypted; a secret is opened for who asks, and kept nowhere.

mod handlers;
mod keys;
mod messages;
mod migrate;
mod model;
mod store;
#[cfg(test)]
mod tests;
mod totp;

use std::sync::Arc;

pub use keys::{CredentialKeys, Unopened};
pub use messages::{
    CreateCredential, DeleteCredential, DescribeCredential, GetCredential, GetOpener,
    ListCredentials, UpdateCredential, VerifyPasscode,
};
pub use migrate::{count_under_other_keys, migrate};
pub use model::{
    BlobFault, BlobSource, Credential, CredentialFilter, Ec2Key, NewCredential, Opener,
    SealedCredential, TotpVerdict, ec2_id,
};
pub(crate) use store::{delete_of_projects, delete_of_users};

use crate::actor::{Provider, Unavailable};
use crate::cache::Cache;
use crate::db::Db;
use crate::ids::CredentialId;
use crate::revocation::Invalidations;

/// The credential provider.
#[derive(Clone)]
pub struct CredentialProvider {
    db: Db,
    /// One for all replicas. Encrypted.
    cache: Cache<CredentialId, Arc<SealedCredential>>,
    invalidations: Invalidations,
    keys: Arc<CredentialKeys>,
    settings: CredentialSettings,
}

/// What the provider goes by.
#[derive(Clone, Copy, Debug, Default)]
pub struct CredentialSettings {
    /// How many credentials a user may have; `None`: any number.
    pub user_limit: Option<u32>,
    /// How many time steps before the present one a passcode is good for:
    /// `[totp] included_previous_windows`.
    pub previous_windows: u32,
}

impl Provider for CredentialProvider {
    const NAME: &'static str = "credential";
}

impl CredentialProvider {
    /// The provider on its pool, with the keys that encrypt.
    pub fn new(
        db: Db,
        cache: Cache<CredentialId, Arc<SealedCredential>>,
        invalidations: Invalidations,
        keys: Arc<CredentialKeys>,
        settings: CredentialSettings,
    ) -> Self {
        Self {
            db,
            cache,
            invalidations,
            keys,
            settings,
        }
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such credential.
    #[error("Could not find credential: {0}.")]
    NotFound(CredentialId),
    /// There is one of this ID: for EC2, of this access key.
    #[error(
        "Conflict occurred attempting to store credential - Duplicate entry found with ID {0}."
    )]
    Duplicate(CredentialId),
    /// The owner has as many as `[credential] user_limit` allows.
    #[error("Unable to create additional credentials, maximum of {0} already exceeded for user.")]
    LimitExceeded(u32),
    /// The blob of an EC2 credential is not what it should be.
    #[error(transparent)]
    Blob(#[from] BlobFault),
    /// The keys that encrypt can't be used. For the operator; clients learn that it failed.
    #[error("credentials can't be encrypted nor read: {0}")]
    Keys(String),
    /// A credential can't be opened. For the operator likewise.
    #[error("credential {id} can't be read: {source}")]
    Unopened {
        /// Which.
        id: CredentialId,
        /// Why not.
        source: Unopened,
    },
    /// Trying again may help.
    #[error("the credential provider is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("credential storage failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);
