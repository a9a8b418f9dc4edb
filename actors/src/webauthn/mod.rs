//! Passkeys (WebAuthn): public keys whose private halves are kept by users' authenticators, and
//! the ceremonies in which those are registered and used.
//!
//! A challenge carries its own proof, so beginning a ceremony writes nothing, and nobody can
//! disturb another's. That it is answered once only the database can tell: its hash is written in
//! the transaction that accepts the answer. Passkeys are not cached: what was disabled a moment
//! ago lets nobody in, and a login writes anyway.

mod ceremony;
mod challenge;
mod codes;
mod decoy;
mod handlers;
mod import;
pub mod limits;
mod messages;
mod model;
mod reason;
mod settings;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use ceremony::{Roots, RootsError, fuzz_webauthn};
pub use codes::hash as passkey_id;
pub use import::{Counts, Import, ImportRefusal, Step, import};
pub use messages::{
    AnswerDevice, CountRecoveryCodes, CreateInvitation, DeletePasskey, DeletePasskeys, FinishLogin,
    FinishRegistration, GetPasskey, HasPasskey, IsByPasskey, ListPasskeys, LookDevice,
    LookInvitation, NewRecoveryCodes, NoteReceipt, NoteToken, PasskeyOfReceipt, PollDevice,
    StartDevice, StartLogin, StartRegistration, UpdatePasskey, UseRecoveryCode,
};
pub use model::{
    Asserted, Attested, CreationOptions, Descriptor, Device, DeviceInfo, DevicePoll, Invitation,
    LoggedIn, Passkey, RequestOptions, State, Verdict,
};
pub use reason::Reason;
pub use settings::{Attestation, BackupChange, CounterRegression, Requirement, Settings};
pub(crate) use store::delete_of_users;

use crate::actor::{Provider, Unavailable};
use crate::db::Db;
use crate::revocation::Invalidations;
use crate::token::{CryptoError, LiveKeys};

/// The provider of passkeys.
#[derive(Clone)]
pub struct WebauthnProvider {
    db: Db,
    invalidations: Invalidations,
    keys: Arc<LiveKeys>,
    settings: Arc<Settings>,
    shared: Arc<handlers::Shared>,
}

impl Provider for WebauthnProvider {
    const NAME: &'static str = "webauthn";
}

impl WebauthnProvider {
    /// The provider on its pool. From `keys`, which all nodes have to share, the keys of challenges
    /// are derived.
    pub fn new(
        db: Db,
        invalidations: Invalidations,
        keys: Arc<LiveKeys>,
        settings: Arc<Settings>,
    ) -> Self {
        Self {
            db,
            invalidations,
            keys,
            settings,
            shared: Arc::default(),
        }
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The user has no such passkey.
    #[error("Could not find passkey: {0}.")]
    NotFound(String),
    /// There is a passkey of this credential ID.
    #[error("This authenticator is registered already.")]
    AlreadyRegistered,
    /// The user has as many as `[webauthn] max_credentials_per_user` allows.
    #[error(
        "Unable to register another passkey, the user has the maximum of {0}; delete one first."
    )]
    TooMany(usize),
    /// The invitation is unknown, another user's, used or over.
    #[error("The invitation is not good or has been used; ask for another one.")]
    Invitation,
    /// A registration was refused.
    #[error("The passkey can't be registered: {0}.")]
    Ceremony(Reason),
    /// No randomness.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// What is stored of a passkey can't be read. For the operator.
    #[error("the stored passkey {0} is damaged; its user has to register another one")]
    Damaged(String),
    /// Trying again may help.
    #[error("the provider of passkeys is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("storage of passkeys failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);
