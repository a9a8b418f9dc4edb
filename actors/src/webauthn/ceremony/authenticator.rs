//! What an authenticator says of a ceremony: authenticator data, WebAuthn level 3 section 6.1.

use aws_lc_rs::digest::{SHA256, digest};

use super::super::{Reason, Requirement, Settings};

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKUP_STATE: u8 = 0x10;

/// The part that all authenticator data begins with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    rp_id_hash: [u8; 32],
    flags: u8,
    pub sign_count: u32,
}

impl Head {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Reason> {
        const WHAT: Reason = Reason::Malformed("authenticatorData");
        let (rp_id_hash, rest) = bytes.split_first_chunk::<32>().ok_or(WHAT)?;
        let (flags, rest) = rest.split_first().ok_or(WHAT)?;
        let (sign_count, _) = rest.split_first_chunk::<4>().ok_or(WHAT)?;
        Ok(Self {
            rp_id_hash: *rp_id_hash,
            flags: *flags,
            sign_count: u32::from_be_bytes(*sign_count),
        })
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
