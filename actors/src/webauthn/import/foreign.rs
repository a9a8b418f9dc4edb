//! How another implementation keeps a passkey: some columns, and one of JSON, as the Rust crate
//! `webauthn-rs` serialises it. What is not needed of it is not looked at.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_cbor_2::Value as Cbor;
use serde_json::Value;
use uuid::Uuid;

use super::super::{Reason, Settings, State, ceremony, codes, handlers, store};
use super::ImportRefusal;

/// Base64url with padding or without.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// No JSON of a passkey is longer, in bytes: it may have an attestation in it.
const MAX_JSON: usize = 256 * 1024;
/// What our own columns take.
const MAX_DESCRIPTION: usize = 255;
const MAX_FORMAT: usize = 32;

const ES256: i32 = -7;
const RS256: i32 = -257;

/// The column `passkey`.
#[derive(Deserialize)]
struct Passkey {
    cred: Credential,
}

#[derive(Deserialize)]
struct Credential {
    cred_id: Bytes,
    cred: Key,
    counter: u32,
    #[serde(default)]
    transports: Option<Vec<String>>,
    #[serde(default)]
    user_verified: bool,
    #[serde(default)]
    backup_eligible: bool,
    #[serde(default)]
    backup_state: bool,
    #[serde(default)]
    extensions: Value,
    #[serde(default)]
    attestation_format: Value,
}

#[derive(Deserialize)]
struct Key {
    type_: String,
    /// One member, named by the kind of the key.
    key: Value,
}

#[derive(Deserialize)]
struct Ec2 {
    curve: String,
    x: Bytes,
    y: Bytes,
}

#[derive(Deserialize)]
struct Rsa {
    n: Bytes,
    e: Bytes,
}

/// Binary, as it is written now and as it was.
#[derive(Deserialize)]
#[serde(untagged)]
enum Bytes {
    Text(String),
    List(Vec<u8>),
}

impl Bytes {
    fn read(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => BASE64URL.decode(text).ok(),
            Self::List(bytes) => Some(bytes.clone()),
        }
    }
}

/// A foreign passkey as one of ours, if it can be one.
pub(super) fn read(
    foreign: &store::ForeignPasskey,
    settings: &Settings,
) -> Result<store::Row, ImportRefusal> {
    use ImportRefusal::{Malformed, NotAllowed};
    if foreign.passkey.len() > MAX_JSON {
        return Err(Malformed("passkey"));
    }
    let Passkey { cred } =
        serde_json::from_str(&foreign.passkey).map_err(|_| Malformed("passkey"))?;
    let raw_id = BASE64URL.decode(&foreign.credential_id);
    let raw_id = raw_id
        .ok()
        .filter(|id| cred.cred_id.read().as_ref() == Some(id));
    let raw_id = raw_id
        .filter(|id| (1..=ceremony::MAX_CREDENTIAL_ID).contains(&id.len()))
        .ok_or(Malformed("credential_id"))?;
    let handle = Uuid::try_parse(&foreign.user_id).map_err(|_| ImportRefusal::NoUuid)?;
    let public_key = public_key(&cred.cred)?;
    let alg = ceremony::check_key(settings, &public_key).map_err(|reason| match reason {
        Reason::BadKey => ImportRefusal::Key,
        reason => NotAllowed(reason),
    })?;
    let counter = foreign.counter.max(cred.counter.into());
    let counter = u32::try_from(counter).map_err(|_| Malformed("counter"))?;
    let aaguid = foreign.aaguid.as_deref().and_then(|text| text.parse().ok());
    let aaguid = aaguid.filter(|aaguid: &Uuid| !aaguid.is_nil());

    allowed(settings, &cred, aaguid).map_err(NotAllowed)?;
    Ok(store::Row {
        id: codes::hash(&raw_id),
        credential_id: raw_id,
        user_id: foreign.user_id.clone(),
        user_handle: handle.as_bytes().to_vec(),
        rp_id: settings.rp_id.clone(),
        public_key,
        alg,
        sign_count: counter.into(),
        transports: transports(cred.transports.as_deref()),
        aaguid: aaguid.map(|aaguid| aaguid.to_string()),
        attestation_format: word(&cred.attestation_format),
        uv_initialized: cred.user_verified,
        backup_eligible: cred.backup_eligible,
        backup_state: cred.backup_state,
        discoverable: discoverable(&cred.extensions),
        description: description(foreign.description.as_deref()),
        state: State::Active.as_str().to_owned(),
        created_at: foreign.created_at.micros(),
        last_used_at: foreign.last_used_at.map(crate::db::DbTime::micros),
        updated_at: None,
        created_by: None,
        revision: 0,
    })
}

/// The key as COSE_Key in CBOR.
fn public_key(key: &Key) -> Result<Vec<u8>, ImportRefusal> {
    use ImportRefusal::Key as Bad;
    const P256: &str = "SECP256R1";
    let int = |number: i32| Cbor::Integer(number.into());
    let bytes = |bytes: &Bytes| bytes.read().map(Cbor::Bytes).ok_or(Bad);
    // RFC 9053 sections 7.1.1 and 7.2; RFC 8230 section 4.
    let (kind, alg, members) = match key.type_.as_str() {
        "ES256" | "ECDSA_SHA256" => {
            let point: Ec2 = member(&key.key, "EC_EC2").ok_or(Bad)?;
            if point.curve != P256 {
                return Err(Bad);
            }
            let members = [(-1, int(1)), (-2, bytes(&point.x)?), (-3, bytes(&point.y)?)];
            (2, ES256, members.to_vec())
        }
        "RS256" => {
            let rsa: Rsa = member(&key.key, "RSA").ok_or(Bad)?;
            let members = [(-1, bytes(&rsa.n)?), (-2, bytes(&rsa.e)?)];
            (3, RS256, members.to_vec())
        }
        other => {
            let name: String = other.chars().filter(|one| !one.is_control()).collect();
            return Err(ImportRefusal::Algorithm(name.chars().take(32).collect()));
        }
    };
    let members = members
        .into_iter()
        .map(|(label, value)| (int(label), value));
    let map: BTreeMap<Cbor, Cbor> = [(int(1), int(kind)), (int(3), int(alg))]
        .into_iter()
        .chain(members)
        .collect();
    serde_cbor_2::to_vec(&Cbor::Map(map)).map_err(|_| Bad)
}

fn member<T: DeserializeOwned>(key: &Value, kind: &str) -> Option<T> {
    serde_json::from_value(key.get(kind)?.clone()).ok()
}

/// Whether a passkey could have been registered here.
fn allowed(settings: &Settings, cred: &Credential, aaguid: Option<Uuid>) -> Result<(), Reason> {
    if cred.backup_state && !cred.backup_eligible {
        return Err(Reason::BackupContradiction);
    }
    if settings.hardware_bound_only && cred.backup_eligible {
        return Err(Reason::NotHardwareBound);
    }
    // None came along.
    if ceremony::is_statement_due(settings) {
        return Err(Reason::BadAttestation);
    }
    ceremony::check_model(settings, aaguid.unwrap_or_default())
}

fn transports(told: Option<&[String]>) -> Option<String> {
    let told = told?.iter().map(|one| one.to_lowercase());
    let told: Vec<String> = told.collect();
    serde_json::to_string(&handlers::transports(&told)).ok()
}

/// A word of WebAuthn: `none`, `packed`.
fn word(value: &Value) -> Option<String> {
    let word = value.as_str()?.to_lowercase();
    let good = |one: u8| one.is_ascii_lowercase() || one == b'-';
    (word.len() <= MAX_FORMAT && word.bytes().all(good)).then_some(word)
}

/// `credProps.rk`, whichever way the client gave it.
fn discoverable(extensions: &Value) -> Option<bool> {
    let told = extensions.get("cred_props")?.as_object()?;
    told.values().find_map(|value| value.get("rk")?.as_bool())
}

/// Cut, rather than a passkey lost.
fn description(text: Option<&str>) -> Option<String> {
    let text = text?.chars().filter(|one| *one != '\0');
    Some(text.take(MAX_DESCRIPTION).collect())
}
