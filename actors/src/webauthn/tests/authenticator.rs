//! An authenticator in software, with the browser around it.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_cbor_2::Value;
use serde_json::json;

use super::super::*;

pub(super) const RP_ID: &str = "cloud.example";
pub(super) const ORIGIN: &str = "https://cloud.example:8443";

pub(super) const UP: u8 = 0x01;
pub(super) const UV: u8 = 0x04;
pub(super) const BE: u8 = 0x08;
pub(super) const BS: u8 = 0x10;
pub(super) const AT: u8 = 0x40;

enum Key {
    Es256(EcdsaKeyPair),
    Rs256(rsa::KeyPair),
}

/// What a maker puts into an authenticator.
pub(super) struct Maker {
    key: EcdsaKeyPair,
    /// Certificates, that of the key first.
    pub chain: Vec<Vec<u8>>,
    /// Whether it attests as those of old did.
    pub u2f: bool,
}

impl Maker {
    /// Of the model of 7s.
    pub(super) fn of_7() -> Self {
        let key = include_bytes!("makers/key-7.p8");
        let mut maker = Self {
            key: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key).unwrap(),
            chain: Vec::new(),
            u2f: false,
        };
        maker.also(include_bytes!("makers/key-7.pem"));
        maker
    }

    /// Sends these along.
    pub(super) fn also(&mut self, certificates: &[u8]) {
        let more = CertificateDer::pem_slice_iter(certificates);
        self.chain.extend(more.map(|one| one.unwrap().to_vec()));
    }

    fn sign(&self, bytes: &[u8]) -> Value {
        let signature = self.key.sign(&SystemRandom::new(), bytes).unwrap();
        Value::Bytes(signature.as_ref().to_vec())
    }
}

/// One passkey and how it answers: what a test changes of it is what is wrong with the answer.
pub(super) struct Authenticator {
    key: Key,
    pub credential_id: Vec<u8>,
    pub user_handle: Option<Vec<u8>>,
    pub aaguid: [u8; 16],
    pub flags: u8,
    pub counter: u32,
    pub rp_id: String,
    pub origin: String,
    /// Members of the client data that are put in, or replace others.
    pub client_data: serde_json::Map<String, serde_json::Value>,
    /// Packed self attestation, or none.
    pub packed: bool,
    /// Who attests it, if somebody.
    pub maker: Option<Maker>,
    /// What the key says of its algorithm, if not the truth.
    pub alg: Option<i128>,
}

impl Authenticator {
    pub(super) fn new() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        Self::with(Key::Es256(key))
    }

    pub(super) fn rs256() -> Self {
        Self::with(Key::Rs256(
            rsa::KeyPair::generate(KeySize::Rsa2048).unwrap(),
        ))
    }

    fn with(key: Key) -> Self {
        Self {
            key,
            credential_id: codes::random::<32>().unwrap().to_vec(),
            user_handle: None,
            aaguid: [7; 16],
            flags: UP | UV,
            counter: 0,
            rp_id: RP_ID.to_owned(),
            origin: ORIGIN.to_owned(),
            client_data: serde_json::Map::new(),
            packed: false,
            maker: None,
            alg: None,
        }
    }

    pub(super) fn id(&self) -> String {
        codes::hash(&self.credential_id)
    }

    pub(super) fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        match &self.key {
            Key::Es256(key) => {
                let signature = key.sign(&SystemRandom::new(), bytes).unwrap();
                signature.as_ref().to_vec()
            }
            Key::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                let random = SystemRandom::new();
                key.sign(&RSA_PKCS1_SHA256, &random, bytes, &mut signature)
                    .unwrap();
                signature
            }
        }
    }

    pub(super) fn alg(&self) -> i128 {
        self.alg.unwrap_or(match self.key {
            Key::Es256(_) => -7,
            Key::Rs256(_) => -257,
        })
    }

    /// COSE_Key.
    pub(super) fn public_key(&self) -> Value {
        let int = Value::Integer;
        let mut map = BTreeMap::from([(int(3), int(self.alg()))]);
        match &self.key {
            Key::Es256(key) => {
                let point = key.public_key().as_ref();
                map.insert(int(1), int(2));
                map.insert(int(-1), int(1));
                map.insert(int(-2), Value::Bytes(point[1..33].to_vec()));
                map.insert(int(-3), Value::Bytes(point[33..].to_vec()));
            }
            Key::Rs256(key) => {
                // A sequence of two integers in DER: 256 bytes after a zero, and three.
                let der = key.public_key().as_ref();
                map.insert(int(1), int(3));
                map.insert(int(-1), Value::Bytes(der[9..265].to_vec()));
                map.insert(int(-2), Value::Bytes(der[der.len() - 3..].to_vec()));
            }
        }
        Value::Map(map)
    }

    pub(super) fn authenticator_data(&self, flags: u8) -> Vec<u8> {
        let mut data = digest(&SHA256, self.rp_id.as_bytes()).as_ref().to_vec();
        data.push(flags);
        data.extend_from_slice(&self.counter.to_be_bytes());
        data
    }

    pub(super) fn client_data(&self, kind: &str, challenge: &[u8]) -> Vec<u8> {
        let mut data = json!({
            "type": kind,
            "challenge": URL_SAFE_NO_PAD.encode(challenge),
            "origin": self.origin,
            "crossOrigin": false,
        });
        data.as_object_mut()
            .unwrap()
            .extend(self.client_data.clone());
        data.to_string().into_bytes()
    }

    /// Makes the passkey, and remembers whose it is.
    pub(super) fn make(&mut self, options: &CreationOptions) -> Attested {
        self.user_handle = Some(options.user_handle.clone());
        let client_data_json = self.client_data("webauthn.create", &options.challenge);
        let mut auth_data = self.authenticator_data(self.flags | AT);
        auth_data.extend_from_slice(&self.aaguid);
        let length = u16::try_from(self.credential_id.len()).unwrap();
        auth_data.extend_from_slice(&length.to_be_bytes());
        auth_data.extend_from_slice(&self.credential_id);
        auth_data.extend(serde_cbor_2::to_vec(&self.public_key()).unwrap());
        let text = |text: &str| Value::Text(text.to_owned());
        let hash = digest(&SHA256, &client_data_json);
        let statement = match (&self.maker, self.packed) {
            (Some(maker), _) => self.attested(maker, &auth_data, hash.as_ref()),
            (None, true) => {
                let signature = self.sign(&[auth_data.as_slice(), hash.as_ref()].concat());
                BTreeMap::from([
                    (text("alg"), Value::Integer(self.alg())),
                    (text("sig"), Value::Bytes(signature)),
                ])
            }
            (None, false) => BTreeMap::new(),
        };
        let format = match &self.maker {
            Some(maker) if maker.u2f => "fido-u2f",
            None if !self.packed => "none",
            _ => "packed",
        };
        let object = Value::Map(BTreeMap::from([
            (text("fmt"), text(format)),
            (text("attStmt"), Value::Map(statement)),
            (text("authData"), Value::Bytes(auth_data)),
        ]));
        Attested {
            raw_id: self.credential_id.clone(),
            attestation_object: serde_cbor_2::to_vec(&object).unwrap(),
            client_data_json,
            transports: vec!["internal".to_owned(), "NOT A WORD".to_owned()],
            discoverable: Some(true),
        }
    }

    /// A statement of the maker's: WebAuthn level 3 sections 8.2 and 8.6.
    fn attested(&self, maker: &Maker, auth_data: &[u8], hash: &[u8]) -> BTreeMap<Value, Value> {
        let text = |text: &str| Value::Text(text.to_owned());
        let chain = maker.chain.iter().cloned().map(Value::Bytes);
        let mut statement = BTreeMap::from([(text("x5c"), Value::Array(chain.collect()))]);
        let signed = match maker.u2f {
            false => {
                statement.insert(text("alg"), Value::Integer(-7));
                [auth_data, hash].concat()
            }
            true => {
                let Key::Es256(key) = &self.key else {
                    panic!("a key of another kind");
                };
                let (rp_id_hash, point) = (&auth_data[..32], key.public_key().as_ref());
                [&[0][..], rp_id_hash, hash, &self.credential_id, point].concat()
            }
        };
        statement.insert(text("sig"), maker.sign(&signed));
        statement
    }

    /// Uses the passkey.
    pub(super) fn answer(&self, challenge: &[u8]) -> Asserted {
        let client_data_json = self.client_data("webauthn.get", challenge);
        let authenticator_data = self.authenticator_data(self.flags);
        let hash = digest(&SHA256, &client_data_json);
        let signed = [authenticator_data.as_slice(), hash.as_ref()].concat();
        Asserted {
            raw_id: self.credential_id.clone(),
            signature: self.sign(&signed),
            authenticator_data,
            client_data_json,
            user_handle: self.user_handle.clone(),
        }
    }
}
