//! Why a ceremony was refused.

use super::State;

/// Why a ceremony was refused: for the log, for auditors, and for a user who registers a passkey.
/// Who logs in is told none of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Something can't be read, or is too long; names it.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// The challenge is not ours, or was made for another purpose, user or scope.
    #[error("the challenge was not made for this; begin again")]
    UnknownChallenge,
    /// It was answered too late.
    #[error("the challenge has expired; begin again")]
    ChallengeExpired,
    /// It has been answered before.
    #[error("the challenge was used before; begin again")]
    ChallengeReplayed,
    /// The client did something else than was asked.
    #[error("the client data is of another type")]
    WrongType,
    /// The page is none of ours: not in `[webauthn] origins`.
    #[error("the page's origin is not one of [webauthn] origins")]
    WrongOrigin,
    /// The page ran inside a page of another origin.
    #[error("a page of another origin embeds this one")]
    CrossOrigin,
    /// The authenticator answered for another relying party.
    #[error("the authenticator answered for another relying party ID")]
    WrongRpId,
    /// Nobody touched the authenticator.
    #[error("the authenticator was not touched")]
    UserNotPresent,
    /// The authenticator did not verify its user.
    #[error("the authenticator did not verify its user by PIN or biometry")]
    UserNotVerified,
    /// Backed up, yet not able to be.
    #[error("the authenticator contradicts itself about backups")]
    BackupContradiction,
    /// Whether it can be backed up has changed.
    #[error("the passkey's backup eligibility has changed")]
    BackupEligibilityChanged,
    /// It can be copied, and `hardware_bound_only` is set.
    #[error("the passkey can be copied to other devices; use a hardware-bound authenticator")]
    NotHardwareBound,
    /// An algorithm that was not offered.
    #[error("the passkey's algorithm was not offered")]
    WrongAlgorithm,
    /// A key that is not of its algorithm, too weak, or has more than keys have.
    #[error("the passkey's key is not as its algorithm has them")]
    BadKey,
    /// No statement, or one that does not verify, or of a form that is not known.
    #[error("the attestation statement is missing or does not verify")]
    BadAttestation,
    /// A statement of nobody who is known: its own passkey's, or of another maker.
    #[error("the attestation statement does not end in one of [webauthn] attestation_roots")]
    UntrustedAttestation,
    /// A model that may not be registered.
    #[error("this model of authenticator may not be registered here")]
    ModelRefused,
    /// The signature is not the passkey's.
    #[error("the signature does not verify")]
    BadSignature,
    /// There is no such passkey.
    #[error("the passkey is not known")]
    UnknownCredential,
    /// It is somebody else's.
    #[error("the passkey is another user's")]
    OtherUser,
    /// The user handle is missing, or stands for somebody else.
    #[error("the user handle is missing or another user's")]
    WrongUserHandle,
    /// The user is gone, or is another one of the same ID.
    #[error("the passkey's user is gone")]
    UserGone,
    /// It was disabled.
    #[error("the passkey is {}", .0.as_str())]
    Inactive(State),
    /// The counter did not go forward: there may be a copy of the authenticator.
    #[error("the authenticator's counter went from {stored} to {received}")]
    CounterRegression {
        /// What it was.
        stored: i64,
        /// What it is now.
        received: i64,
    },
    /// It was copied to other devices since the last login, or is no longer, and that disables it.
    #[error("the passkey's backup state has changed to {to}")]
    BackupStateChanged {
        /// Whether it is copied now.
        to: bool,
    },
}

impl Reason {
    /// The class of the reason, for auditors and metrics.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "Malformed",
            Self::UnknownChallenge => "UnknownChallenge",
            Self::ChallengeExpired => "ChallengeExpired",
            Self::ChallengeReplayed => "ChallengeReplayed",
            Self::WrongType => "WrongType",
            Self::WrongOrigin => "WrongOrigin",
            Self::CrossOrigin => "CrossOrigin",
            Self::WrongRpId => "WrongRpId",
            Self::UserNotPresent => "UserNotPresent",
            Self::UserNotVerified => "UserNotVerified",
            Self::BackupContradiction => "BackupContradiction",
            Self::BackupEligibilityChanged => "BackupEligibilityChanged",
            Self::NotHardwareBound => "NotHardwareBound",
            Self::WrongAlgorithm => "WrongAlgorithm",
            Self::BadKey => "BadKey",
            Self::BadAttestation => "BadAttestation",
            Self::UntrustedAttestation => "UntrustedAttestation",
            Self::ModelRefused => "ModelRefused",
            Self::BadSignature => "BadSignature",
            Self::UnknownCredential => "UnknownCredential",
            Self::OtherUser => "OtherUser",
            Self::WrongUserHandle => "WrongUserHandle",
            Self::UserGone => "UserGone",
            Self::Inactive(_) => "Inactive",
            Self::CounterRegression { .. } => "CounterRegression",
            Self::BackupStateChanged { .. } => "BackupStateChanged",
        }
    }
}
