//! What the ceremonies go by: `[webauthn]`.

use url::Url;
use uuid::Uuid;

use super::Roots;

/// What the ceremonies go by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The domain name that passkeys are bound to, such as `cloud.example`; never to be changed,
    /// or all passkeys are lost. Empty: there are no passkeys, and every ceremony is refused.
    pub rp_id: String,
    /// What authenticators show beside it.
    pub rp_name: String,
    /// Where pages may run that use passkeys: scheme, host and port, compared exactly.
    pub origins: Vec<Url>,
    /// How long a challenge can be answered, in seconds.
    pub challenge_ttl: i64,
    /// How long the browser should let the user take, in milliseconds.
    pub timeout_ms: u32,
    /// COSE algorithms that a new passkey may have, best first: -7, -257.
    pub algorithms: Vec<i64>,
    /// Whether the authenticator has to know its user, by PIN or biometry.
    pub user_verification: Requirement,
    /// Whether the authenticator keeps the passkey, so that no user has to be named.
    pub resident_key: Requirement,
    /// Which authenticators may be registered.
    pub attestation: Attestation,
    /// The models that may be registered; empty: all, unless `attestation` is
    /// [`Attestation::Listed`].
    pub aaguid_allow: Vec<Uuid>,
    /// The models that may not.
    pub aaguid_deny: Vec<Uuid>,
    /// What the certificates in a statement have to end in, if there are any; for
    /// [`Attestation::Listed`] there have to be some.
    pub attestation_roots: Roots,
    /// How many passkeys a user may have.
    pub max_per_user: usize,
    /// What becomes of a passkey whose counter went back.
    pub on_counter_regression: CounterRegression,
    /// What becomes of a passkey whose backup state has changed.
    pub on_backup_change: BackupChange,
    /// How long an invitation is good for, in seconds.
    pub invitation_ttl: i64,
    /// How long a login on another device may take, in seconds.
    pub device_ttl: i64,
    /// Refuses passkeys that can be copied to other devices.
    pub hardware_bound_only: bool,
}

impl Default for Settings {
    /// Without a domain name: no passkeys.
    fn default() -> Self {
        Self {
            rp_id: String::new(),
            rp_name: String::new(),
            origins: Vec::new(),
            challenge_ttl: 300,
            timeout_ms: 300_000,
            algorithms: vec![-7, -257],
            user_verification: Requirement::Required,
            resident_key: Requirement::Preferred,
            attestation: Attestation::None,
            aaguid_allow: Vec::new(),
            aaguid_deny: Vec::new(),
            attestation_roots: Roots::default(),
            max_per_user: 20,
            on_counter_regression: CounterRegression::Refuse,
            on_backup_change: BackupChange::Record,
            invitation_ttl: 86400,
            device_ttl: 600,
            hardware_bound_only: false,
        }
    }
}

/// How much something is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Without it the ceremony fails.
    Required,
    /// If it can be had.
    Preferred,
    /// Rather not.
    Discouraged,
}

impl Requirement {
    /// The word of WebAuthn's `UserVerificationRequirement` and `ResidentKeyRequirement`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Preferred => "preferred",
            Self::Discouraged => "discouraged",
        }
    }
}

/// What an authenticator has to tell of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attestation {
    /// Nothing is asked.
    None,
    /// A statement is asked, and verified where one is given. With
    /// [`Settings::attestation_roots`] one is due that ends in one of these.
    Any,
    /// A statement is due that verifies and ends in one of [`Settings::attestation_roots`], of a model
    /// in [`Settings::aaguid_allow`].
    Listed,
}

impl Attestation {
    /// The word of WebAuthn's `AttestationConveyancePreference`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Any | Self::Listed => "direct",
        }
    }
}

/// What becomes of a passkey whose counter did not go forward: it may have been copied. The login
/// is refused in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterRegression {
    /// It is marked as suspect, and may be used again.
    Refuse,
    /// It is disabled, until its user or an administrator enables it.
    Disable,
}

/// What becomes of a passkey whose backup state is another than at the login before: it was copied to
/// other devices, or is on one alone again. The new state is kept in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackupChange {
    /// Nothing, and nobody is told.
    Ignore,
    /// Nothing, and it is told.
    Record,
    /// It is marked as suspect, and may be used on.
    Suspect,
    /// It is disabled, and the login refused.
    Disable,
}
