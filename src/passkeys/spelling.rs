//! The two spellings of WebAuthn's structures in JSON: that of the W3C (WebAuthn level 3, section
//! 5.1), which browsers read and write themselves, and an older one with names in snake_case and
//! words in PascalCase, which command lines use.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{
    GeneralPurpose, GeneralPurposeConfig, URL_SAFE as PADDED, URL_SAFE_NO_PAD as BARE,
};
use keystone_actors::webauthn::{
    Asserted, Attested, CreationOptions, Descriptor, RequestOptions, Requirement, fuzz_webauthn,
    limits,
};
use serde_json::{Map, Value, json};

use crate::api::error::ApiError;

/// Takes base64url with padding and without.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Old words for transports, and the W3C's.
const TRANSPORTS: [(&str, &str); 5] = [
    ("Usb", "usb"),
    ("Nfc", "nfc"),
    ("Ble", "ble"),
    ("Internal", "internal"),
    ("Hybrid", "hybrid"),
];

/// What a page gives to `PublicKeyCredential.parseCreationOptionsFromJSON`.
pub fn w3c_creation(options: &CreationOptions) -> Value {
    let algorithms = options.algorithms.iter();
    let algorithms = algorithms.map(|alg| json!({"type": "public-key", "alg": alg}));
    let mut extensions = json!({"credProps": true});
    if options.user_verification == Requirement::Required
        && let Value::Object(members) = &mut extensions
    {
        members.insert(
            "credentialProtectionPolicy".to_owned(),
            "userVerificationRequired".into(),
        );
        let name = "enforceCredentialProtectionPolicy";
        members.insert(name.to_owned(), false.into());
    }
    json!({
        "rp": {"id": options.rp_id, "name": options.rp_name},
        "user": {
            "id": BARE.encode(&options.user_handle),
            "name": options.user_name,
            "displayName": options.user_name,
        },
        "challenge": BARE.encode(&options.challenge),
        "pubKeyCredParams": algorithms.collect::<Vec<_>>(),
        "timeout": options.timeout_ms,
        "excludeCredentials": w3c_descriptors(&options.exclude),
        "authenticatorSelection": {
            "residentKey": options.resident_key.as_str(),
            "requireResidentKey": options.resident_key == Requirement::Required,
            "userVerification": options.user_verification.as_str(),
        },
        "attestation": options.attestation,
        "extensions": extensions,
    })
}

/// What a page gives to `PublicKeyCredential.parseRequestOptionsFromJSON`.
pub fn w3c_request(options: &RequestOptions) -> Value {
    json!({
        "challenge": BARE.encode(&options.challenge),
        "timeout": options.timeout_ms,
        "rpId": options.rp_id,
        "allowCredentials": w3c_descriptors(&options.allow),
        "userVerification": options.user_verification.as_str(),
    })
}

/// The same as [`w3c_creation`] in the older spelling.
pub fn legacy_creation(options: &CreationOptions) -> Value {
    let algorithms = options.algorithms.iter();
    let algorithms = algorithms.map(|alg| json!({"type_": "public-key", "alg": alg}));
    let mut extensions = json!({"cred_props": true, "uvm": true});
    if options.user_verification == Requirement::Required
        && let Value::Object(members) = &mut extensions
    {
        let policy = json!({
            "credential_protection_policy": "Required",
            "enforce_credential_protection_policy": false,
        });
        members.insert("cred_protect".to_owned(), policy);
    }
    let mut shown = json!({
        "rp": {"id": options.rp_id, "name": options.rp_name},
        "user": {
            "id": PADDED.encode(&options.user_handle),
            "name": options.user_name,
            "display_name": options.user_name,
        },
        "challenge": PADDED.encode(&options.challenge),
        "pub_key_cred_params": algorithms.collect::<Vec<_>>(),
        "timeout": options.timeout_ms,
        "attestation": match options.attestation {
            "none" => "None",
            _ => "Direct",
        },
        "authenticator_selection": {
            "resident_key": legacy_resident_key(options.resident_key),
            "require_resident_key": options.resident_key == Requirement::Required,
            "user_verification": legacy_verification(options.user_verification),
        },
        "extensions": extensions,
    });
    if !options.exclude.is_empty()
        && let Value::Object(members) = &mut shown
    {
        let exclude = legacy_descriptors(&options.exclude);
        members.insert("exclude_credentials".to_owned(), exclude);
    }
    shown
}

/// The same as [`w3c_request`] in the older spelling.
pub fn legacy_request(options: &RequestOptions) -> Value {
    json!({
        "challenge": PADDED.encode(&options.challenge),
        "timeout": options.timeout_ms,
        "rp_id": options.rp_id,
        "allow_credentials": legacy_descriptors(&options.allow),
        "user_verification": legacy_verification(options.user_verification),
    })
}

/// What an authenticator has made, in either spelling: below `credential` or not.
///
/// # Errors
/// 400, which names the member that is missing or not as it has to be.
pub fn attested(body: &Value) -> Result<Attested, ApiError> {
    let read = Reader::of(body)?;
    let transports = read.response.get("transports").and_then(Value::as_array);
    let transports = transports.into_iter().flatten().filter_map(Value::as_str);
    let discoverable = match read.w3c {
        true => read.extension("clientExtensionResults", "credProps"),
        false => read.extension("extensions", "cred_props"),
    };
    Ok(Attested {
        raw_id: read.raw_id()?,
        attestation_object: read.part("attestationObject", "attestation_object", limits::PART)?,
        client_data_json: read.part("clientDataJSON", "client_data_json", limits::PART)?,
        transports: transports
            .filter_map(transport)
            .take(limits::TRANSPORTS)
            .collect(),
        discoverable: discoverable.and_then(|it| it.get("rk")?.as_bool()),
    })
}

/// What an authenticator has signed, in either spelling: below `credential` or not.
///
/// # Errors
/// As of [`attested`].
pub fn asserted(body: &Value) -> Result<Asserted, ApiError> {
    let read = Reader::of(body)?;
    Ok(Asserted {
        raw_id: read.raw_id()?,
        authenticator_data: read.part("authenticatorData", "authenticator_data", limits::PART)?,
        client_data_json: read.part("clientDataJSON", "client_data_json", limits::PART)?,
        signature: read.part("signature", "signature", limits::PART)?,
        user_handle: match read.named("userHandle", "user_handle") {
            (_, None | Some(Value::Null)) => None,
            // An empty one is none: some authenticators send it.
            (_, Some(Value::String(text))) if text.is_empty() => None,
            (name, Some(value)) => Some(decode(value, name, limits::USER_HANDLE)?),
        },
    })
}

/// Unpadded base64url.
pub fn base64url(bytes: &[u8]) -> String {
    BARE.encode(bytes)
}

/// Takes arbitrary bytes for the body in which a browser's answer comes, and what is read of it for
/// parts of a ceremony. For fuzzing: whatever they are, it returns, and what is wrong with them is the
/// client's fault.
pub fn fuzz_passkey(data: &[u8]) {
    let Ok(body) = crate::api::body::parse(None, data) else {
        return;
    };
    let bounded = |part: &[u8], limit: usize| (1..=limit).contains(&part.len());
    match attested(&body) {
        Ok(read) => {
            debug_assert!(bounded(&read.raw_id, limits::CREDENTIAL_ID));
            debug_assert!(read.transports.len() <= limits::TRANSPORTS);
            for part in [&read.attestation_object, &read.client_data_json] {
                debug_assert!(bounded(part, limits::PART));
                fuzz_webauthn(part);
            }
        }
        Err(error) => debug_assert!(error.status().is_client_error()),
    }
    match asserted(&body) {
        Ok(read) => {
            let mut handle = read.user_handle.iter();
            debug_assert!(handle.all(|it| bounded(it, limits::USER_HANDLE)));
            debug_assert!(bounded(&read.raw_id, limits::CREDENTIAL_ID));
            for part in [
                &read.authenticator_data,
                &read.client_data_json,
                &read.signature,
            ] {
                debug_assert!(bounded(part, limits::PART));
                fuzz_webauthn(part);
            }
        }
        Err(error) => debug_assert!(error.status().is_client_error()),
    }
}

/// A credential on its way in.
struct Reader<'a> {
    credential: &'a Map<String, Value>,
    response: &'a Map<String, Value>,
    w3c: bool,
}

impl<'a> Reader<'a> {
    fn of(body: &'a Value) -> Result<Self, ApiError> {
        let credential = match body.get("credential") {
            Some(Value::Null) | None => body,
            Some(credential) => credential,
        };
        let Some(credential) = credential.as_object() else {
            return Err(ApiError::expecting("an object", "credential"));
        };
        let (new, old) = (
            credential.contains_key("rawId"),
            credential.contains_key("raw_id"),
        );
        if new && old {
            return Err(invalid("rawId", "it is there in two spellings"));
        }
        let w3c = !old;
        let kind = credential.get(if w3c { "type" } else { "type_" });
        if kind.is_some_and(|kind| kind != "public-key") {
            return Err(ApiError::expecting("public-key", "the credential's type"));
        }
        match credential.get("response").and_then(Value::as_object) {
            Some(response) => Ok(Self {
                credential,
                response,
                w3c,
            }),
            None => Err(ApiError::expecting("response", "credential")),
        }
    }

    fn raw_id(&self) -> Result<Vec<u8>, ApiError> {
        let name = if self.w3c { "rawId" } else { "raw_id" };
        let value = self.credential.get(name).unwrap_or(&Value::Null);
        let raw = decode(value, name, limits::CREDENTIAL_ID)?;
        // The same in browsers; clients of the older spelling put there what they like.
        match self.credential.get("id").filter(|_| self.w3c) {
            Some(id) if decode(id, "id", limits::CREDENTIAL_ID)? != raw => {
                Err(invalid("id", "it is not rawId"))
            }
            _ => Ok(raw),
        }
    }

    fn named(&self, w3c: &'static str, legacy: &'static str) -> (&'static str, Option<&'a Value>) {
        let name = if self.w3c { w3c } else { legacy };
        (name, self.response.get(name))
    }

    fn part(
        &self,
        w3c: &'static str,
        legacy: &'static str,
        limit: usize,
    ) -> Result<Vec<u8>, ApiError> {
        let (name, value) = self.named(w3c, legacy);
        decode(value.unwrap_or(&Value::Null), name, limit)
    }

    fn extension(&self, results: &str, name: &str) -> Option<&'a Value> {
        self.credential.get(results)?.get(name)
    }
}

fn decode(value: &Value, name: &str, limit: usize) -> Result<Vec<u8>, ApiError> {
    let text = match value {
        Value::Null => return Err(ApiError::expecting(name, "credential")),
        Value::String(text) => text,
        _ => return Err(invalid(name, "it has to be text")),
    };
    if text.len() > limit * 4 / 3 + 4 {
        return Err(invalid(name, "it is too long"));
    }
    let bytes = LENIENT.decode(text);
    let bytes = bytes.map_err(|_| invalid(name, "it is no base64url"))?;
    match bytes.len() {
        0 => Err(invalid(name, "it is empty")),
        length if length > limit => Err(invalid(name, "it is too long")),
        _ => Ok(bytes),
    }
}

fn invalid(name: &str, why: &str) -> ApiError {
    ApiError::bad_request(format!("Invalid input for field '{name}': {why}."))
}

/// A transport in the W3C's word; words that nobody knows today are kept (section 5.8.4).
fn transport(word: &str) -> Option<String> {
    let old = TRANSPORTS.iter().find(|(old, _)| *old == word);
    if let Some((_, new)) = old {
        return Some((*new).to_owned());
    }
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    let is_word = !word.is_empty() && word.len() <= limits::TRANSPORT && word.bytes().all(plain);
    is_word.then(|| word.to_owned())
}

fn w3c_descriptors(descriptors: &[Descriptor]) -> Vec<Value> {
    let shown = descriptors.iter().map(|one| {
        let mut shown = json!({"type": "public-key", "id": BARE.encode(&one.id)});
        if !one.transports.is_empty()
            && let Value::Object(members) = &mut shown
        {
            members.insert("transports".to_owned(), json!(one.transports));
        }
        shown
    });
    shown.collect()
}

fn legacy_descriptors(descriptors: &[Descriptor]) -> Value {
    let shown = descriptors.iter().map(|one| {
        let mut shown = json!({"type_": "public-key", "id": PADDED.encode(&one.id)});
        let words = one.transports.iter().filter_map(|word| {
            let known = TRANSPORTS.iter().find(|(_, new)| new == word)?;
            Some(known.0)
        });
        let words: Vec<&str> = words.collect();
        if !words.is_empty()
            && let Value::Object(members) = &mut shown
        {
            members.insert("transports".to_owned(), json!(words));
        }
        shown
    });
    shown.collect()
}

fn legacy_resident_key(wanted: Requirement) -> &'static str {
    match wanted {
        Requirement::Required => "Required",
        Requirement::Preferred => "Preferred",
        Requirement::Discouraged => "Discouraged",
    }
}

fn legacy_verification(wanted: Requirement) -> &'static str {
    match wanted {
        Requirement::Discouraged => "DiscouragedDoNotUse",
        wanted => legacy_resident_key(wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn legacy() -> Value {
        json!({
            "id": "x", "raw_id": "AQI=", "type_": "public-key", "extensions": {},
            "response": {
                "authenticator_data": "AQ==", "client_data_json": "AQ", "signature": "_-8=",
                "user_handle": null,
            },
        })
    }

    #[test]
    fn both_spellings_say_the_same_with_padding_and_without() {
        let old = asserted(&legacy()).unwrap();
        let new = json!({"credential": {
            "id": "AQI", "rawId": "AQI", "type": "public-key", "clientExtensionResults": {},
            "response": {
                "authenticatorData": "AQ", "clientDataJSON": "AQ==", "signature": "_-8",
                "userHandle": "",
            },
        }});
        let new = asserted(&new).unwrap();
        assert_eq!(
            (&*old.raw_id, &*old.signature),
            (&[1, 2][..], &[255, 239][..])
        );
        assert_eq!(format!("{old:?}"), format!("{new:?}"));
    }

    #[test]
    fn what_is_malformed_is_400_and_named() {
        let cases: [(&str, Value, &str); 5] = [
            ("/raw_id", json!("A"), "raw_id"),
            ("/raw_id", json!("A".repeat(2000)), "raw_id"),
            ("/type_", json!("password"), "public-key"),
            ("/response", json!([]), "response"),
            ("/response/signature", json!("+/"), "signature"),
        ];
        for (place, value, named) in cases {
            let mut body = legacy();
            *body.pointer_mut(place).unwrap() = value;
            let error = asserted(&body).unwrap_err();
            assert_eq!(error.status().as_u16(), 400, "{place}");
            assert!(error.message().contains(named), "{}", error.message());
        }
    }

    #[test]
    fn one_credential_is_said_once() {
        let w3c = json!({
            "id": "AQI", "rawId": "AQI", "type": "public-key",
            "response": {"authenticatorData": "AQ", "clientDataJSON": "AQ", "signature": "AQ"},
        });
        assert!(asserted(&json!({ "credential": w3c })).is_ok());
        // Beside null, or by itself.
        let mut flat = w3c.clone();
        flat["credential"] = Value::Null;
        assert!(asserted(&flat).is_ok());
        for (name, value) in [
            ("id", json!("AQM")),
            ("id", json!(5)),
            ("raw_id", json!("AQI=")),
            ("response", legacy()["response"].clone()),
        ] {
            let mut wrong = w3c.clone();
            wrong[name] = value;
            let error = asserted(&json!({ "credential": wrong })).unwrap_err();
            assert_eq!(error.status().as_u16(), 400, "{name}");
        }
    }

    #[test]
    fn transports_are_the_words_of_the_w3c() {
        let body = json!({
            "raw_id": "AQ", "type_": "public-key",
            "response": {
                "attestation_object": "AQ", "client_data_json": "AQ",
                "transports": ["Usb", "smart-card", "Unknown", "", 5],
            },
            "extensions": {"cred_props": {"rk": true}},
        });
        let read = attested(&body).unwrap();
        assert_eq!(read.transports, ["usb", "smart-card"]);
        assert_eq!(read.discoverable, Some(true));
    }
}
