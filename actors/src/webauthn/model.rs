//! Passkeys and what is said in a ceremony.

use std::fmt;

use secrecy::SecretString;
use uuid::Uuid;

use super::{Reason, Requirement};
use crate::ids::UserId;

/// A passkey: the public half of a key pair that an authenticator keeps for one user
/// (WebAuthn level 3 section 4, "credential record").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// The base64url of the SHA-256 of `credential_id`, without padding: 43 characters.
    pub id: String,
    /// The authenticator's name for it, up to 1023 bytes.
    pub credential_id: Vec<u8>,
    /// Whose it is.
    pub user_id: UserId,
    /// What its user calls it, up to 255 characters.
    pub description: Option<String>,
    /// Whether it is good for logins.
    pub state: State,
    /// How the authenticator is reached, in WebAuthn's words; a hint for browsers.
    pub transports: Vec<String>,
    /// The authenticator's model, if it was told.
    pub aaguid: Option<Uuid>,
    /// Whether it can be copied to other devices. Never changes.
    pub backup_eligible: bool,
    /// Whether it was copied, as of the last login.
    pub backup_state: bool,
    /// Whether the authenticator finds it without being told its ID; `None`: it was not told.
    pub discoverable: Option<bool>,
    /// Whether the authenticator has ever verified its user.
    pub uv_initialized: bool,
    /// The form of the attestation statement that was given at the registration.
    pub attestation_format: Option<String>,
    /// Its COSE algorithm.
    pub alg: i64,
    /// The authenticator's counter, as of the last login; 0 where it has none.
    pub sign_count: i64,
    /// Microseconds since 1970.
    pub created_at: i64,
    /// Who registered it.
    pub created_by: Option<String>,
    /// Microseconds since 1970.
    pub last_used_at: Option<i64>,
    /// Microseconds since 1970; of what its user or an administrator changed.
    pub updated_at: Option<i64>,
}

/// Whether a passkey is good for logins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is.
    Active,
    /// It is, but it may have been copied: its counter once went back, or its backup state has changed
    /// where that counts as such ([`BackupChange::Suspect`](super::BackupChange)).
    Suspect,
    /// It is not.
    Disabled,
}

impl State {
    /// Names of those that are good for logins.
    pub(super) const USABLE: [&'static str; 2] = [Self::Active.as_str(), Self::Suspect.as_str()];

    /// `active`, `suspect`, `disabled`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspect => "suspect",
            Self::Disabled => "disabled",
        }
    }

    /// From [`Self::as_str`].
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "active" => Some(Self::Active),
            "suspect" => Some(Self::Suspect),
            "disabled" => Some(Self::Disabled),
            _ => None,
        }
    }
}

/// What a browser is told to make a passkey: `PublicKeyCredentialCreationOptions`.
#[derive(Clone, Debug)]
pub struct CreationOptions {
    /// To be answered once, in time.
    pub challenge: Vec<u8>,
    /// See [`Settings::rp_id`](super::Settings::rp_id).
    pub rp_id: String,
    /// See [`Settings::rp_name`](super::Settings::rp_name).
    pub rp_name: String,
    /// 64 random bytes that stand for the user.
    pub user_handle: Vec<u8>,
    /// What authenticators show.
    pub user_name: String,
    /// COSE algorithms, best first.
    pub algorithms: Vec<i64>,
    /// Milliseconds.
    pub timeout_ms: u32,
    /// `none` or `direct`.
    pub attestation: &'static str,
    /// See [`Settings::resident_key`](super::Settings::resident_key).
    pub resident_key: Requirement,
    /// See [`Settings::user_verification`](super::Settings::user_verification).
    pub user_verification: Requirement,
    /// The passkeys that the user has, which the same authenticator need not make again.
    pub exclude: Vec<Descriptor>,
}

/// What a browser is told to use a passkey: `PublicKeyCredentialRequestOptions`.
#[derive(Clone, Debug)]
pub struct RequestOptions {
    /// To be answered once, in time.
    pub challenge: Vec<u8>,
    /// See [`Settings::rp_id`](super::Settings::rp_id).
    pub rp_id: String,
    /// Milliseconds.
    pub timeout_ms: u32,
    /// Passkeys, real ones or not; empty: any that the authenticator finds.
    pub allow: Vec<Descriptor>,
    /// See [`Settings::user_verification`](super::Settings::user_verification).
    pub user_verification: Requirement,
}

/// `PublicKeyCredentialDescriptor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// The credential ID.
    pub id: Vec<u8>,
    /// As in [`Passkey::transports`].
    pub transports: Vec<String>,
}

/// What a browser answers when it has made a passkey: `AuthenticatorAttestationResponse`.
#[derive(Clone, Debug)]
pub struct Attested {
    /// `rawId`.
    pub raw_id: Vec<u8>,
    /// `attestationObject`.
    pub attestation_object: Vec<u8>,
    /// `clientDataJSON`, byte for byte.
    pub client_data_json: Vec<u8>,
    /// `getTransports()`.
    pub transports: Vec<String>,
    /// `clientExtensionResults.credProps.rk`.
    pub discoverable: Option<bool>,
}

/// What a browser answers when it has used a passkey: `AuthenticatorAssertionResponse`.
#[derive(Clone, Debug)]
pub struct Asserted {
    /// `rawId`.
    pub raw_id: Vec<u8>,
    /// `authenticatorData`.
    pub authenticator_data: Vec<u8>,
    /// `clientDataJSON`, byte for byte.
    pub client_data_json: Vec<u8>,
    /// `signature`.
    pub signature: Vec<u8>,
    /// `userHandle`.
    pub user_handle: Option<Vec<u8>>,
}

/// How a login ended. Clients are told one and the same of every refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is this user.
    Accepted(LoggedIn),
    /// For the log and for auditors.
    Refused(Reason),
    /// The same, where this user's authenticator has signed what makes the passkey suspect or disabled.
    RefusedOwner(UserId, Reason),
}

/// Who logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedIn {
    /// Who.
    pub user: UserId,
    /// [`Passkey::id`].
    pub passkey: String,
    /// Whether the authenticator verified its user, so that two factors were shown.
    pub user_verified: bool,
    /// [`Passkey::backup_state`], if it is another than before and that is to be told.
    pub backup_changed_to: Option<bool>,
}

/// Lets its holder register one passkey for one user.
#[derive(Clone)]
pub struct Invitation {
    /// What the link has. Only its hash is kept.
    pub secret: SecretString,
    /// Seconds since 1970.
    pub expires_at: i64,
}

/// A login that goes on in a browser: RFC 8628 section 3.2.
#[derive(Clone)]
pub struct Device {
    /// What the command line keeps and asks with. Only its hash is kept here.
    pub device_code: SecretString,
    /// What the user compares or types: `BCDF-GHJK`.
    pub user_code: String,
    /// Seconds since 1970.
    pub expires_at: i64,
    /// Seconds between two questions.
    pub interval: u32,
}

/// What a page tells of a login that goes on there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// What asked for it, as it calls itself.
    pub client: String,
    /// Seconds since 1970.
    pub expires_at: i64,
}

/// How a login that goes on in a browser stands: RFC 8628 section 3.5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DevicePoll {
    /// Nobody has answered.
    Pending,
    /// The same, and it was asked too soon.
    SlowDown,
    /// The user said no.
    Denied,
    /// Too late.
    Expired,
    /// There is none: it never was, was answered and told already, or has been over for some time.
    Unknown,
    /// Said once.
    Granted {
        /// Who logged in.
        user: UserId,
        /// With which passkey: [`Passkey::id`].
        passkey: Option<String>,
    },
}

impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invitation {{ expires_at: {} }}", self.expires_at)
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device {{ expires_at: {} }}", self.expires_at)
    }
}
