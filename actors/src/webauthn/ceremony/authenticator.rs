//! What an authenticator says of a ceremony: authenticator data, WebAuthn level 3 section 6.1.

use aws_lc_rs::digest::{SHA256, digest};
use uuid::Uuid;

use super::super::{Reason, Requirement, Settings};
use super::cbor::{self, Item};

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKUP_STATE: u8 = 0x10;
const ATTESTED: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;

const WHAT: Reason = Reason::Malformed("authenticatorData");

/// The part that all authenticator data begins with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    rp_id_hash: [u8; 32],
    flags: u8,
    pub sign_count: u32,
}

/// What it says of a passkey that was made (section 6.5.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Credential<'a> {
    pub aaguid: Uuid,
    pub id: &'a [u8],
    /// COSE_Key in CBOR.
    pub public_key: &'a [u8],
}

/// Reads it, of the making of a passkey: it says of that one, and nothing is behind.
pub(super) fn of_registration(bytes: &[u8]) -> Result<(Head, Credential<'_>), Reason> {
    match read(bytes)? {
        (head, Some(credential)) => Ok((head, credential)),
        (_, None) => Err(WHAT),
    }
}

/// Reads it, of the use of a passkey: no other one is told, and nothing is behind.
pub(super) fn of_login(bytes: &[u8]) -> Result<Head, Reason> {
    match read(bytes)? {
        (head, None) => Ok(head),
        (_, Some(_)) => Err(WHAT),
    }
}

/// Bits that are reserved mean nothing yet: those of backups once were among them.
fn read(bytes: &[u8]) -> Result<(Head, Option<Credential<'_>>), Reason> {
    let (head, rest) = Head::read(bytes).ok_or(WHAT)?;
    let (credential, rest) = match head.has(ATTESTED) {
        true => {
            let (credential, rest) = Credential::read(rest).ok_or(WHAT)?;
            (Some(credential), rest)
        }
        false => (None, rest),
    };
    let good = match head.has(EXTENSIONS) {
        true => matches!(cbor::only(rest), Some(Item::Map(..))),
        false => rest.is_empty(),
    };
    if good {
        Ok((head, credential))
    } else {
        Err(WHAT)
    }
}

impl<'a> Credential<'a> {
    fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (aaguid, rest) = bytes.split_first_chunk::<16>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (id, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        let (_, public_key, rest) = cbor::first(rest)?;
        let aaguid = Uuid::from_bytes(*aaguid);
        Some((
            Self {
                aaguid,
                id,
                public_key,
            },
            rest,
        ))
    }
}

impl Head {
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (rp_id_hash, rest) = bytes.split_first_chunk::<32>()?;
        let (flags, rest) = rest.split_first()?;
        let (sign_count, rest) = rest.split_first_chunk::<4>()?;
        let head = Self {
            rp_id_hash: *rp_id_hash,
            flags: *flags,
            sign_count: u32::from_be_bytes(*sign_count),
        };
        Some((head, rest))
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(super) fn user_verified(&self) -> bool {
        self.has(USER_VERIFIED)
    }

    pub(super) fn backup_eligible(&self) -> bool {
        self.has(BACKUP_ELIGIBLE)
    }

    pub(super) fn backup_state(&self) -> bool {
        self.has(BACKUP_STATE)
    }

    /// What has to hold in every ceremony. What an earlier one established of user verification
    /// is of no account.
    pub(super) fn check(&self, settings: &Settings) -> Result<(), Reason> {
        if digest(&SHA256, settings.rp_id.as_bytes()).as_ref() != self.rp_id_hash {
            return Err(Reason::WrongRpId);
        }
        if !self.has(USER_PRESENT) {
            return Err(Reason::UserNotPresent);
        }
        if settings.user_verification == Requirement::Required && !self.user_verified() {
            return Err(Reason::UserNotVerified);
        }
        if self.backup_state() && !self.backup_eligible() {
            return Err(Reason::BackupContradiction);
        }
        if settings.hardware_bound_only && self.backup_eligible() {
            return Err(Reason::NotHardwareBound);
        }
        Ok(())
    }
}
