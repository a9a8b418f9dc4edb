//! The verification of what browsers and authenticators answer (WebAuthn level 3 sections 7.1 and
//! 7.2). Signatures, attestation statements and keys are `webauthn-rs-core`'s; whatever that
//! decides otherwise than we do, or does not look at, is checked here before.

mod authenticator;
mod client;
mod library;

use uuid::Uuid;

use super::{Asserted, Attestation, Attested, Reason, Settings};
use authenticator::Head;
pub(super) use library::key_algorithm;

/// No part of an answer is longer, in bytes.
const MAX_PART: usize = 64 * 1024;

/// WebAuthn level 3 section 4, "credential ID".
pub(super) const MAX_CREDENTIAL_ID: usize = 1023;

/// A passkey that was made, and found good.
#[derive(Debug)]
pub(super) struct Made {
    /// COSE_Key in CBOR.
    pub public_key: Vec<u8>,
    pub alg: i32,
    pub sign_count: i64,
    pub aaguid: Option<Uuid>,
    pub attestation_format: String,
    pub user_verified: bool,
    pub backup_eligible: bool,
    pub backup_state: bool,
}

/// What is stored of a passkey that a login is compared with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored<'a> {
    pub id: &'a [u8],
    pub public_key: &'a [u8],
    pub backup_eligible: bool,
}

/// What a good login says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    pub sign_count: i64,
    pub user_verified: bool,
    pub backup_state: bool,
}

/// Why a login did not verify.
#[derive(Debug)]
pub(super) enum Failure {
    Refused(Reason),
    /// What is stored can't be read.
    Damaged,
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

/// The challenge that a registration answers, which is for the caller to judge.
pub(super) fn challenge_of_registration(
    settings: &Settings,
    answer: &Attested,
) -> Result<Vec<u8>, Reason> {
    client::challenge(
        &answer.client_data_json,
        "webauthn.create",
        &settings.origins,
    )
}

/// The challenge that a login answers, which is for the caller to judge.
pub(super) fn challenge_of_login(
    settings: &Settings,
    answer: &Asserted,
) -> Result<Vec<u8>, Reason> {
    client::challenge(&answer.client_data_json, "webauthn.get", &settings.origins)
}

/// The passkey that an answer to this challenge makes.
pub(super) fn register(
    settings: &Settings,
    challenge: &[u8],
    answer: &Attested,
) -> Result<Made, Reason> {
    if answer.attestation_object.len() > MAX_PART {
        return Err(Reason::Malformed("attestationObject"));
    }
    if answer.raw_id.is_empty() || answer.raw_id.len() > MAX_CREDENTIAL_ID {
        return Err(Reason::Malformed("rawId"));
    }
    let object = library::open_attestation(&answer.attestation_object)?;
    let head = Head::read(&object.auth_data)?;
    head.check(settings)?;
    if object.credential_id != answer.raw_id {
        return Err(Reason::Malformed("rawId"));
    }
    if !settings.algorithms.contains(&object.alg) {
        return Err(Reason::WrongAlgorithm);
    }
    check_model(settings, object.aaguid)?;
    let attested = library::register(settings, challenge, answer)?;
    let due = settings.attestation == Attestation::Listed;
    if due && !attested {
        return Err(Reason::BadAttestation);
    }
    Ok(Made {
        public_key: object.public_key,
        alg: i32::try_from(object.alg).map_err(|_| Reason::WrongAlgorithm)?,
        sign_count: head.sign_count.into(),
        aaguid: (!object.aaguid.is_nil()).then_some(object.aaguid),
        attestation_format: object.format,
        user_verified: head.user_verified(),
        backup_eligible: head.backup_eligible(),
        backup_state: head.backup_state(),
    })
}

/// Which models may be registered. Without an attestation the model is only what the client says.
pub(super) fn check_model(settings: &Settings, aaguid: Uuid) -> Result<(), Reason> {
    let allowed = &settings.aaguid_allow;
    let any = allowed.is_empty() && settings.attestation != Attestation::Listed;
    if settings.aaguid_deny.contains(&aaguid) || !(any || allowed.contains(&aaguid)) {
        return Err(Reason::ModelRefused);
    }
    Ok(())
}

/// Whether an answer to this challenge was made with a passkey. The counter is for the caller to
/// compare, in the statement that sets it.
pub(super) fn log_in(
    settings: &Settings,
    challenge: &[u8],
    answer: &Asserted,
    stored: Stored<'_>,
) -> Result<Used, Failure> {
    for (part, name) in [
        (&answer.authenticator_data, "authenticatorData"),
        (&answer.signature, "signature"),
    ] {
        if part.len() > MAX_PART {
            return Err(Reason::Malformed(name).into());
        }
    }
    let head = Head::read(&answer.authenticator_data)?;
    head.check(settings)?;
    if head.backup_eligible() != stored.backup_eligible {
        return Err(Reason::BackupEligibilityChanged.into());
    }
    library::verify(settings, challenge, answer, stored)?;
    Ok(Used {
        sign_count: head.sign_count.into(),
        user_verified: head.user_verified(),
        backup_state: head.backup_state(),
    })
}
