//! A software authenticator: makes and uses ES256 passkeys as a browser would, and lies where it is
//! told to.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::Options;

/// The domain of these tests, and where its pages are.
pub(crate) const RP_ID: &str = "cloud.example";
pub(crate) const ORIGIN: &str = "https://id.cloud.example";

/// The methods of these tests, passkeys last.
pub(crate) const METHODS: &str =
    "external,password,token,oauth1,mapped,application_credential,ec2credential,totp,webauthn";

/// The options with which passkeys are served.
pub(crate) fn enabled() -> Options {
    Options::default()
        .set("auth", "methods", METHODS)
        .set("webauthn", "enabled", true)
        .set("webauthn", "relying_party_id", RP_ID)
        .set("webauthn", "relying_party_name", "Example")
        .set("webauthn", "origins", ORIGIN)
}

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;

/// One passkey, and what the authenticator says when it is used.
pub(crate) struct Authenticator {
    keys: EcdsaKeyPair,
    pub(crate) raw_id: Vec<u8>,
    pub(crate) handle: Option<Vec<u8>>,
    pub(crate) counter: u32,
    pub(crate) verifies: bool,
    /// Whether it can be copied to other devices, and whether it is.
    pub(crate) backup: (bool, bool),
    pub(crate) origin: String,
}

impl Authenticator {
    /// A new one.
    pub(crate) fn new() -> Self {
        Self {
            keys: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key"),
            raw_id: uuid::Uuid::new_v4().into_bytes().to_vec(),
            handle: None,
            counter: 0,
            verifies: true,
            backup: (false, false),
            origin: ORIGIN.to_owned(),
        }
    }

    /// What it says by flags when it is used.
    pub(crate) fn flags(&self) -> u8 {
        let (eligible, backed_up) = self.backup;
        let flags = [
            (self.verifies, VERIFIED),
            (eligible, ELIGIBLE),
            (backed_up, BACKED_UP),
        ];
        let set = flags.iter().filter(|(is_set, _)| *is_set);
        set.fold(PRESENT, |all, (_, flag)| all | flag)
    }

    /// What it says when it is used, with these flags.
    pub(crate) fn data(&self, flags: u8) -> Vec<u8> {
        let mut data = digest(&SHA256, RP_ID.as_bytes()).as_ref().to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// What the browser says.
    pub(crate) fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let data = json!({
            "type": kind, "challenge": options["challenge"], "origin": self.origin,
            "crossOrigin": false,
        });
        data.to_string().into_bytes()
    }

    /// `navigator.credentials.create`, as `toJSON` gives it.
    pub(crate) fn create(&mut self, options: &Value) -> Value {
        self.handle = Some(bytes(&options["user"]["id"]));
        let object = object(&self.attested());
        self.made(&object, &self.client_data("webauthn.create", options))
    }

    /// What it says when it makes the passkey.
    pub(crate) fn attested(&self) -> Vec<u8> {
        let point = self.keys.public_key().as_ref();
        let (x, y) = (&point[1..33], &point[33..65]);
        let mut data = self.data(self.flags() | ATTESTED);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.raw_id.len()).unwrap().to_be_bytes());
        data.extend(&self.raw_id);
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(x);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(y);
        data
    }

    /// What a browser answers that has made it, with this object.
    pub(crate) fn made(&self, object: &[u8], client_data: &[u8]) -> Value {
        json!({
            "id": text(&self.raw_id), "rawId": text(&self.raw_id), "type": "public-key",
            "authenticatorAttachment": "cross-platform",
            "clientExtensionResults": {"credProps": {"rk": true}},
            "response": {
                "attestationObject": text(object),
                "clientDataJSON": text(client_data),
                "transports": ["usb", "nfc"],
            },
        })
    }

    /// What another implementation keeps of it as JSON, having told it that these bytes are its user.
    pub(crate) fn stored_elsewhere(&mut self, handle: &[u8]) -> Value {
        self.handle = Some(handle.to_vec());
        let point = self.keys.public_key().as_ref();
        let key =
            json!({"curve": "SECP256R1", "x": text(&point[1..33]), "y": text(&point[33..65])});
        json!({"cred": {
            "cred_id": text(&self.raw_id),
            "cred": {"type_": "ES256", "key": {"EC_EC2": key}},
            "counter": self.counter, "transports": null, "user_verified": true,
            "backup_eligible": false, "backup_state": false, "registration_policy": "required",
            "extensions": {"cred_props": "NotRequested"},
            "attestation": {"data": "None", "metadata": "None"}, "attestation_format": "none",
        }})
    }

    /// `navigator.credentials.get`, as `toJSON` gives it.
    pub(crate) fn get(&mut self, options: &Value) -> Value {
        self.counter += 1;
        self.sign(options)
    }

    /// The same, without counting.
    pub(crate) fn sign(&self, options: &Value) -> Value {
        self.over(
            &self.data(self.flags()),
            &self.client_data("webauthn.get", options),
        )
    }

    /// What a browser answers that has used it, with whatever is signed.
    pub(crate) fn over(&self, data: &[u8], client_data: &[u8]) -> Value {
        let mut message = data.to_vec();
        message.extend(digest(&SHA256, client_data).as_ref());
        let signature = self.keys.sign(&SystemRandom::new(), &message);
        json!({
            "id": text(&self.raw_id), "rawId": text(&self.raw_id), "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "authenticatorData": text(data),
                "clientDataJSON": text(client_data),
                "signature": text(signature.expect("a signature").as_ref()),
                "userHandle": self.handle.as_deref().map(text),
            },
        })
    }
}

/// The same credential in the older spelling, padded.
pub(crate) fn legacy(credential: &Value) -> Value {
    let padded = |value: &Value| match value {
        Value::String(_) => Value::from(URL_SAFE.encode(bytes(value))),
        _ => Value::Null,
    };
    let response = &credential["response"];
    let response = match response.get("signature") {
        Some(_) => json!({
            "authenticator_data": padded(&response["authenticatorData"]),
            "client_data_json": padded(&response["clientDataJSON"]),
            "signature": padded(&response["signature"]),
            "user_handle": padded(&response["userHandle"]),
        }),
        None => json!({
            "attestation_object": padded(&response["attestationObject"]),
            "client_data_json": padded(&response["clientDataJSON"]),
            "transports": ["Usb", "Nfc"],
        }),
    };
    json!({
        "id": credential["id"], "raw_id": padded(&credential["rawId"]), "type_": "public-key",
        "response": response, "extensions": {},
    })
}

/// An attestation object without a statement.
pub(crate) fn object(data: &[u8]) -> Vec<u8> {
    let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
    object.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    object.extend(data);
    object
}

/// As WebAuthn writes bytes.
pub(crate) fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What such a text says.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("base64url");
    URL_SAFE_NO_PAD
        .decode(text.trim_end_matches('='))
        .expect("base64url")
}
