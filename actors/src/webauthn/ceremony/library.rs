//! What `webauthn-rs-core` does for us. Its states are made through their serialised form, as it
//! draws challenges of its own, and its log is silenced: it tells of each answer that is refused,
//! as an error, and of what is in it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tracing::subscriber::{NoSubscriber, with_default};
use webauthn_rs_core::WebauthnCore;
use webauthn_rs_core::error::WebauthnError;
use webauthn_rs_core::proto::{
    AttestationFormat, AuthenticationExtensionsClientOutputs, AuthenticationState,
    AuthenticatorAssertionResponseRaw, AuthenticatorAttestationResponseRaw, COSEAlgorithm, COSEKey,
    COSEKeyType, Credential, ParsedAttestation, ParsedAttestationData, PublicKeyCredential,
    RegisterPublicKeyCredential, RegisteredExtensions, RegistrationExtensionsClientOutputs,
    RegistrationState, UserVerificationPolicy,
};

use super::super::{Asserted, Attested, Reason, Requirement, Settings};
use super::{Failure, Stored};

pub(super) fn quietly<R>(work: impl FnOnce() -> R) -> R {
    with_default(NoSubscriber::default(), work)
}

/// The key in a COSE_Key; `None` if it is none, or one of no use: a point that is not on its curve.
fn key(bytes: &[u8]) -> Option<COSEKey> {
    let key = serde_cbor_2::from_slice::<serde_cbor_2::Value>(bytes).ok()?;
    quietly(|| COSEKey::try_from(&key)).ok()
}

/// Whether a key is one.
pub(super) fn is_key(bytes: &[u8]) -> bool {
    key(bytes).is_some()
}

fn core(settings: &Settings) -> WebauthnCore {
    WebauthnCore::new_unsafe_experts_only(
        &settings.rp_name,
        &settings.rp_id,
        settings.origins.clone(),
        Duration::from_millis(settings.timeout_ms.into()),
        Some(false),
        Some(false),
    )
}

fn policy(settings: &Settings) -> &'static str {
    match settings.user_verification {
        Requirement::Required => "required",
        // Its `preferred` is more than a preference.
        Requirement::Preferred | Requirement::Discouraged => "discouraged",
    }
}

/// Verifies a registration. Gives what its attestation statement rests on.
pub(super) fn register(
    settings: &Settings,
    challenge: &[u8],
    answer: &Attested,
) -> Result<ParsedAttestationData, Reason> {
    let algorithms = settings.algorithms.iter();
    let algorithms: Vec<COSEAlgorithm> = algorithms
        .filter_map(|alg| COSEAlgorithm::try_from(i128::from(*alg)).ok())
        .collect();
    let state = json!({
        "policy": policy(settings),
        "exclude_credentials": [],
        "challenge": URL_SAFE_NO_PAD.encode(challenge),
        "credential_algorithms": algorithms,
        "require_resident_key": false,
        "authenticator_attachment": null,
        "extensions": {},
        "allow_synchronised_authenticators": !settings.hardware_bound_only,
    });
    let state: RegistrationState =
        serde_json::from_value(state).map_err(|_| Reason::Malformed("challenge"))?;
    let answer = RegisterPublicKeyCredential {
        id: URL_SAFE_NO_PAD.encode(&answer.raw_id),
        raw_id: answer.raw_id.clone(),
        response: AuthenticatorAttestationResponseRaw {
            attestation_object: answer.attestation_object.clone(),
            client_data_json: answer.client_data_json.clone(),
            transports: None,
        },
        type_: "public-key".to_owned(),
        extensions: RegistrationExtensionsClientOutputs::default(),
    };
    let made = quietly(|| core(settings).register_credential(&answer, &state, None));
    let made = made.map_err(|error| reason(&error, Reason::BadAttestation))?;
    Ok(made.attestation.data)
}

/// Verifies the signature of a login, and with it all that the library looks at.
pub(super) fn verify(
    settings: &Settings,
    challenge: &[u8],
    answer: &Asserted,
    stored: Stored<'_>,
) -> Result<(), Failure> {
    let key = key(stored.public_key).ok_or(Failure::Damaged)?;
    // RFC 8017 section 8.2.2, step 1, which the library leaves out.
    if let COSEKeyType::RSA(rsa) = &key.key
        && rsa.n.len() != answer.signature.len()
    {
        return Err(Reason::BadSignature.into());
    }
    let state = json!({
        "credentials": [],
        "policy": policy(settings),
        "challenge": URL_SAFE_NO_PAD.encode(challenge),
        "appid": null,
        "allow_backup_eligible_upgrade": false,
    });
    let state: AuthenticationState = serde_json::from_value(state).map_err(|_| Failure::Damaged)?;
    let credential = Credential {
        cred_id: stored.id.to_vec(),
        cred: key,
        // Compared where it is set.
        counter: 0,
        transports: None,
        user_verified: false,
        backup_eligible: stored.backup_eligible,
        backup_state: false,
        registration_policy: UserVerificationPolicy::Discouraged_DO_NOT_USE,
        extensions: RegisteredExtensions::none(),
        attestation: ParsedAttestation::default(),
        attestation_format: AttestationFormat::None,
    };
    let answer = PublicKeyCredential {
        id: URL_SAFE_NO_PAD.encode(&answer.raw_id),
        raw_id: answer.raw_id.clone(),
        response: AuthenticatorAssertionResponseRaw {
            authenticator_data: answer.authenticator_data.clone(),
            client_data_json: answer.client_data_json.clone(),
            signature: answer.signature.clone(),
            user_handle: answer.user_handle.clone(),
        },
        extensions: AuthenticationExtensionsClientOutputs::default(),
        type_: "public-key".to_owned(),
    };
    let verified =
        quietly(|| core(settings).authenticate_single_credential(&answer, &state, &credential));
    match verified {
        Ok(_) => Ok(()),
        Err(error) => Err(reason(&error, Reason::BadSignature).into()),
    }
}

/// Why the library refused. `otherwise`: where it is about signatures, statements or keys.
fn reason(error: &WebauthnError, otherwise: Reason) -> Reason {
    match error {
        WebauthnError::InvalidClientDataType => Reason::WrongType,
        WebauthnError::MismatchedChallenge => Reason::UnknownChallenge,
        WebauthnError::InvalidRPOrigin => Reason::WrongOrigin,
        WebauthnError::CredentialCrossOrigin => Reason::CrossOrigin,
        WebauthnError::InvalidRPIDHash => Reason::WrongRpId,
        WebauthnError::UserNotPresent => Reason::UserNotPresent,
        WebauthnError::UserNotVerified => Reason::UserNotVerified,
        WebauthnError::CredentialMayNotBeHardwareBound => Reason::BackupContradiction,
        WebauthnError::CredentialBackupEligibilityInconsistent => Reason::BackupEligibilityChanged,
        WebauthnError::CredentialAlteredAlgFromRequest => Reason::WrongAlgorithm,
        WebauthnError::ParseJSONFailure(_) => Reason::Malformed("clientDataJSON"),
        WebauthnError::ParseCBORFailure(_) => Reason::Malformed("attestationObject"),
        WebauthnError::ParseNOMFailure | WebauthnError::ParseInsufficientBytesAvailable => {
            Reason::Malformed("authenticatorData")
        }
        _ => otherwise,
    }
}
