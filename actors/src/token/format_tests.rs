#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::fixtures::{self, NOW, TempDir, expected, key_set, seconds, table, tokens, vectors};
use super::*;
use crate::token::audit::{AuditId, AuditIds};
use crate::token::keys::KeyRepository;
use crate::token::payload::{FederationRef, PayloadScope};

#[test]
fn every_token_of_python_opens_to_what_python_decodes() {
    let (tokens, vectors) = (tokens(), vectors());
    let good = vectors["tokens"].as_array().unwrap();
    assert_eq!(good.len(), 29);

    for vector in good {
        let opened = tokens.open(vector["token"].as_str().unwrap(), NOW);

        let decoded = &vector["decoded"];
        let expected = Opened {
            payload: expected(decoded),
            issued_at: seconds(&decoded["issued_at"]),
        };
        assert_eq!(opened, Ok(expected), "{}", vector["name"]);
    }
}

#[test]
fn every_bad_token_is_refused_or_is_known_to_be_harmless() {
    use OpenError::{IssuedInFuture, Malformed, NotRecognised};
    let (tokens, vectors) = (tokens(), vectors());
    let unknown = |version: &str| Err(OpenError::UnknownVersion(version.to_owned()));
    let bad = vectors["bad_tokens"].as_array().unwrap();
    assert_eq!(bad.len(), 36);

    for vector in bad {
        let name = vector["name"].as_str().unwrap();
        let opened = tokens.open(vector["token"].as_str().unwrap(), NOW);

        let python = &vector["python"];
        let due = match name {
            // Python takes these, we don't: other spellings, another century, nothing to revoke by.
            "trailing-padding" | "padded" => Err(NotRecognised),
            "future-container-time" => Err(IssuedInFuture(31_536_000)),
            "audit-empty" => Err(Malformed("audit ids")),
            "extra-element" | "methods-negative" | "expiry-negative" => Ok(Opened {
                payload: expected(&python["decodes_to"]),
                issued_at: seconds(&python["decodes_to"]["issued_at"]),
            }),
            "unknown-payload-version" => unknown("200"),
            "payload-version-11" => unknown("11"),
            "version-as-string" => unknown("0"),
            "too-few-elements" => Err(Malformed("too few elements")),
            "user-not-a-pair" | "user-15-bytes" => Err(Malformed("user")),
            "methods-string" => Err(Malformed("methods")),
            "expiry-string" | "expiry-nan" | "expiry-huge" => Err(Malformed("expiry")),
            "audit-not-a-list" | "audit-string" => Err(Malformed("audit ids")),
            "a-map" | "an-integer" => Err(Malformed("payload")),
            "not-msgpack" => Err(Malformed("the payload is no msgpack")),
            "empty-payload" | "empty-list" => Err(Malformed("the payload is truncated")),
            _ => Err(NotRecognised),
        };
        assert_eq!(opened, due, "{name}");
        if let (Some(message), Err(error)) = (python["message"].as_str(), &opened) {
            assert_eq!(error.to_string(), message, "{name}");
        }
        let both_take_it = python["decodes_to"].is_object() && opened.is_ok();
        assert!(both_take_it || opened.is_err(), "{name}: Python refuses it");
    }
}

#[test]
fn c1_a_token_with_any_character_changed_is_refused() {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let tokens = tokens();
    // 183 characters: the last has spare bits, where several letters mean one byte.
    let payload = Payload {
        scope: PayloadScope::Project("2".repeat(32)),
        ..unscoped()
    };
    let token = tokens.seal(&payload, NOW).unwrap();
    assert_eq!(token.len() % 4, 3);

    for i in 0..token.len() {
        for other in ALPHABET.chars().chain("=+/!. \n\0é".chars()) {
            let mut changed = token.clone();
            changed.replace_range(i..=i, other.encode_utf8(&mut [0; 4]));
            let due = match changed == token {
                true => None,
                false => Some(OpenError::NotRecognised),
            };
            assert_eq!(tokens.open(&changed, NOW).err(), due, "{i}: {other:?}");
        }
    }
}

#[test]
fn c1_a_container_with_any_byte_changed_is_refused() {
    let tokens = tokens();
    let token = fixtures::container(&tokens.seal(&unscoped(), NOW).unwrap());

    for i in 0..token.len() {
        for flip in 1..=255 {
            let mut changed = token.clone();
            changed[i] ^= flip;
            let text = URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(tokens.open(&text, NOW), Err(OpenError::NotRecognised));
        }
    }
}

#[test]
fn c1_a_token_has_one_spelling() {
    let tokens = tokens();
    for token in [unscoped(), everything(7), everything(4)].map(|p| tokens.seal(&p, NOW).unwrap()) {
        assert!(tokens.open(&token, NOW).is_ok());
        let pad = "=".repeat((4 - token.len() % 4) % 4);
        let spellings = [
            format!("{token}="),
            format!("{token}=="),
            format!("{token}{pad}===="),
            format!("{token}A"),
            format!("{token}AAAA"),
            format!("{token}\n"),
            format!(" {token}"),
            format!("!!!!{token}"),
            format!("{}!!!!{}", &token[..8], &token[8..]),
            format!("{}\n{}", &token[..76], &token[76..]),
            token.to_lowercase(),
            token[..token.len() - 1].to_owned(),
            token[1..].to_owned(),
        ];
        for spelling in spellings {
            let opened = tokens.open(&spelling, NOW);
            assert_eq!(opened, Err(OpenError::NotRecognised), "{spelling}");
        }
    }

    // Python also takes `+` and `/` for `-` and `_`.
    let token = std::iter::repeat_with(|| tokens.seal(&unscoped(), NOW).unwrap())
        .find(|token| token.contains(['-', '_']))
        .unwrap();
    let standard = token.replace('-', "+").replace('_', "/");
    assert_eq!(tokens.open(&standard, NOW), Err(OpenError::NotRecognised));
}

#[test]
fn a_token_of_a_clock_that_is_a_little_ahead_is_accepted_and_no_other() {
    let tokens = tokens();

    let near = tokens.seal(&unscoped(), NOW + 300).unwrap();
    let far = tokens.seal(&unscoped(), NOW + 301).unwrap();

    assert_eq!(tokens.open(&near, NOW).unwrap().issued_at, NOW + 300);
    assert_eq!(tokens.open(&far, NOW), Err(OpenError::IssuedInFuture(301)));
    assert!(tokens.open(&far, i64::MAX).is_ok());
    assert_eq!(tokens.seal(&unscoped(), -1), Err(CryptoError.into()));
}

#[test]
fn a_container_time_beyond_63_bits_is_refused() {
    let mut container = key_set().seal(b"x".to_vec(), NOW).unwrap();
    container[1] = 0xff;
    let signed = container.len() - 32;
    let key = URL_SAFE_NO_PAD
        .decode(fixtures::key_text("primary 3").trim_end_matches('='))
        .unwrap();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &key[..16]);
    let mac = aws_lc_rs::hmac::sign(&key, &container[..signed]);
    container[signed..].copy_from_slice(mac.as_ref());

    assert_eq!(key_set().open(&mut container), None);
}

#[test]
fn a_token_too_long_to_be_read_is_not_made() {
    let tokens = tokens();
    let with_groups = |n: usize| Payload {
        federation: Some(FederationRef {
            group_ids: (0..n).map(|i| format!("{i:032x}")).collect(),
            idp_id: "idp".into(),
            protocol_id: "openid".into(),
        }),
        ..unscoped()
    };

    let long = tokens.seal(&with_groups(600), NOW).unwrap();

    assert_eq!(tokens.open(&long, NOW).unwrap().payload, with_groups(600));
    let too_long = tokens.seal(&with_groups(700), NOW);
    assert!(matches!(too_long, Err(SealError::TooLong(_))));
}

#[test]
fn a_fresh_token_of_each_kind_is_as_long_as_pythons() {
    let tokens = tokens();
    let length = |version, root: bool| {
        let mut payload = everything(version);
        payload.audit_ids.root = root.then(AuditId::random);
        tokens.seal(&payload, NOW).unwrap().len()
    };

    let sizes =
        [0, 8, 1, 2, 3, 9, 7].map(|version| (length(version, false), length(version, true)));

    let (small, middle, large) = ((162, 183), (183, 204), (204, 226));
    assert_eq!(sizes, [small, small, middle, middle, large, large, large]);
}

#[test]
fn what_is_fuzzed_is_the_real_thing() {
    let (fernet, _) = FUZZED.as_ref().unwrap();
    let token = fernet.seal(&unscoped(), NOW).unwrap();
    assert!(fernet.open(&token, NOW).is_ok());

    for vector in vectors()["tokens"].as_array().unwrap() {
        let payload = fixtures::unhex(vector["msgpack"].as_str().unwrap());
        for cut in 0..=payload.len() {
            fuzz_token(&payload[..cut]);
        }
        fuzz_token(vector["token"].as_str().unwrap().as_bytes());
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        fuzz_token(&bytes);
    }

    #[test]
    fn no_text_but_a_token_opens(text in "\\PC*") {
        prop_assert_eq!(tokens().open(&text, NOW), Err(OpenError::NotRecognised));
    }
}

fn unscoped() -> Payload {
    let audit_ids = AuditIds {
        own: AuditId::from_bytes([0xa1; 16]),
        root: None,
    };
    let methods = ["password"].into_iter().collect();
    Payload::new("1".repeat(32), methods, NOW + 3600, audit_ids)
}

/// A payload of the version asked for.
fn everything(version: u8) -> Payload {
    let id = |digit: &str| Some(digit.repeat(32));
    let mut payload = unscoped();
    payload.scope = match version {
        1 | 6 => PayloadScope::Domain("3".repeat(32)),
        2 | 3 | 5 | 7 | 9 | 10 => PayloadScope::Project("2".repeat(32)),
        8 => PayloadScope::System,
        _ => PayloadScope::Unscoped,
    };
    payload.federation = (4..=6).contains(&version).then(|| FederationRef {
        group_ids: vec!["6".repeat(32), "ops".into()],
        idp_id: "myidp".into(),
        protocol_id: "openid".into(),
    });
    payload.trust_id = id("4").filter(|_| version == 3);
    payload.access_token_id = id("5").filter(|_| version == 7);
    payload.app_cred_id = id("5").filter(|_| version == 9);
    payload.thumbprint = id("d1f0").filter(|_| version == 10);
    payload.oauth2_domain_id = Some("default".into()).filter(|_| version == 10);
    payload
}

#[test]
fn python_keystone_opens_what_we_seal_and_we_open_what_it_seals() {
    let python = std::env::var("TEST_PYTHON_KEYSTONE");
    let python = python.expect("TEST_PYTHON_KEYSTONE is not set: run the tests by tests/run");
    let directory = TempDir::new();
    let repository = KeyRepository::new(directory.join("keys"), 3);
    repository.setup().unwrap();
    repository.rotate().unwrap();
    let tokens = FernetTokens::new(LiveKeys::load(repository.clone()).unwrap(), table(), 300);
    let ours: BTreeMap<String, Payload> = (0..=10)
        .flat_map(|version| {
            let mut rescoped = everything(version);
            rescoped.audit_ids = rescoped.audit_ids.rescoped();
            rescoped.methods = ["totp", "token", "password"].into_iter().collect();
            let mut odd = everything(version);
            odd.user_id =
                ["ABCDEF0123456789ABCDEF0123456789", "jös", "svc"][version as usize % 3].into();
            let default = matches!(version, 1 | 6);
            if default {
                odd.scope = PayloadScope::Domain("default".into());
            }
            [
                ("plain", everything(version)),
                ("rescoped", rescoped),
                ("odd", odd),
            ]
            .map(|(name, payload)| (format!("{version} {name}"), payload))
        })
        .collect();
    let sealed: BTreeMap<_, _> = ours
        .iter()
        .map(|(name, payload)| (name, tokens.seal(payload, NOW).unwrap()))
        .collect();
    let methods: Vec<_> = tokens.methods.names().map(str::to_owned).collect();

    let mut child = Command::new(format!("{python}/bin/python"))
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/support/python_tokens.py"
        ))
        .arg(&repository.path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let request = json!({"methods": methods, "open": sealed});
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(request.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();

    assert_eq!(answer["opened"].as_object().unwrap().len(), ours.len());
    for (name, payload) in &ours {
        let decoded = &answer["opened"][name];
        assert_eq!(
            decoded["version"].to_string(),
            name.split_once(' ').unwrap().0
        );
        assert_eq!(expected(decoded), *payload, "{name}: {decoded}");
        assert_eq!(seconds(&decoded["issued_at"]), NOW, "{name}");
        // What Python makes of the same content: another container, the same payload, but that it
        // loses the capitals of an id which looks like a UUID.
        let theirs = answer["resealed"][name].as_str().unwrap();
        let mut due = payload.clone();
        due.user_id = due.user_id.replace("ABCDEF", "abcdef");
        let now = chrono::Utc::now().timestamp();
        assert_eq!(tokens.open(theirs, now).unwrap().payload, due, "{name}");
        if !name.ends_with("odd") {
            let payload_of = |token: &str| {
                let keys = tokens.keys.current();
                keys.open_text(token, |_, bytes| bytes.to_vec()).unwrap()
            };
            assert_eq!(payload_of(theirs), payload_of(&sealed[name]), "{name}");
        }
    }
}
