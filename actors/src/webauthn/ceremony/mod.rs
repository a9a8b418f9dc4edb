//! The verification of what browsers and authenticators answer (WebAuthn level 3 sections 7.1 and
//! 7.2). Signatures, attestation statements and keys are `webauthn-rs-core`'s; whatever that
//! decides otherwise than we do, or does not look at, is checked here before.

mod authenticator;
mod cbor;
mod client;
mod fuzz;
mod key;
mod library;
mod object;
mod roots;

use uuid::Uuid;
use webauthn_rs_core::proto::ParsedAttestationData;

use super::{Asserted, Attestation, Attested, Reason, Settings, limits};
pub use fuzz::fuzz_webauthn;
pub use roots::{Roots, RootsError};

/// No part of an answer is longer, in bytes.
const MAX_PART: usize = limits::PART;

/// WebAuthn level 3 section 4, "credential ID".
pub(super) const MAX_CREDENTIAL_ID: usize = limits::CREDENTIAL_ID;

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

/// The passkey that an answer to this challenge makes, at the time `now`, in seconds since 1970.
pub(super) fn register(
    settings: &Settings,
    challenge: &[u8],
    answer: &Attested,
    now: i64,
) -> Result<Made, Reason> {
    if answer.attestation_object.len() > MAX_PART {
        return Err(Reason::Malformed("attestationObject"));
    }
    if answer.raw_id.is_empty() || answer.raw_id.len() > MAX_CREDENTIAL_ID {
        return Err(Reason::Malformed("rawId"));
    }
    let object = object::open(&answer.attestation_object)?;
    let (head, credential) = authenticator::of_registration(object.auth_data)?;
    head.check(settings)?;
    if credential.id != answer.raw_id {
        return Err(Reason::Malformed("rawId"));
    }
    let alg = check_key(settings, credential.public_key)?;
    check_model(settings, credential.aaguid)?;
    let statement = library::register(settings, challenge, answer)?;
    check_statement(settings, &statement, now)?;
    // What these sign does not have the model in it: section 8.6.
    if object.format == "fido-u2f" && !credential.aaguid.is_nil() {
        return Err(Reason::BadAttestation);
    }
    Ok(Made {
        public_key: credential.public_key.to_vec(),
        alg,
        sign_count: head.sign_count.into(),
        aaguid: (!credential.aaguid.is_nil()).then_some(credential.aaguid),
        attestation_format: object.format.chars().take(32).collect(),
        user_verified: head.user_verified(),
        backup_eligible: head.backup_eligible(),
        backup_state: head.backup_state(),
    })
}

/// The algorithm of a public key (COSE_Key in CBOR) that may be registered.
pub(super) fn check_key(settings: &Settings, public_key: &[u8]) -> Result<i32, Reason> {
    let alg = key::algorithm(public_key, &settings.algorithms)?;
    if !library::is_key(public_key) {
        return Err(Reason::BadKey);
    }
    i32::try_from(alg).map_err(|_| Reason::WrongAlgorithm)
}

/// Whether a passkey can't be registered without a statement.
pub(super) fn is_statement_due(settings: &Settings) -> bool {
    match settings.attestation {
        Attestation::None => false,
        Attestation::Any => !settings.attestation_roots.is_empty(),
        Attestation::Listed => true,
    }
}

/// Whether a statement that verifies is one that is asked for.
fn check_statement(
    settings: &Settings,
    statement: &ParsedAttestationData,
    now: i64,
) -> Result<(), Reason> {
    let vouched = || settings.attestation_roots.vouch_for(statement, now);
    match statement {
        _ if !is_statement_due(settings) || vouched() => Ok(()),
        ParsedAttestationData::None => Err(Reason::BadAttestation),
        _ => Err(Reason::UntrustedAttestation),
    }
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
    let head = authenticator::of_login(&answer.authenticator_data)?;
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

/// A public key that is nobody's passkey: the base point of P-256.
const NOBODYS: &[u8] = b"\xa5\x01\x02\x03\x26\x20\x01\
    \x21\x58\x20\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\
    \x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96\
    \x22\x58\x20\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16\
    \x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5";

/// Takes the time of [`log_in`], where there is no passkey to compare with: from how long a refusal
/// takes nobody is to learn which passkeys there are.
pub(super) fn log_in_in_vain(settings: &Settings, challenge: &[u8], answer: &Asserted) {
    let head = authenticator::of_login(&answer.authenticator_data);
    let nobodys = Stored {
        id: &answer.raw_id,
        public_key: NOBODYS,
        backup_eligible: head.is_ok_and(|head| head.backup_eligible()),
    };
    // Whatever comes of it.
    let _ = log_in(settings, challenge, answer, nobodys);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_nobody_is_one_that_signatures_are_compared_with() {
        assert_eq!(key::algorithm(NOBODYS, &[-7]), Ok(-7));
        assert!(library::is_key(NOBODYS));
    }
}
