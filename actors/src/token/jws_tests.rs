#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use aws_lc_rs::{hmac, signature};
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::token::format::fixtures::{NOW, TempDir, expected, seconds, tokens, vectors};
use crate::token::jws_keys::JwsAlgorithm;

fn repository(directory: &TempDir) -> JwsRepository {
    JwsRepository {
        private_keys: directory.join("private"),
        public_keys: directory.join("public"),
        algorithm: JwsAlgorithm::Es256,
        accepted: vec![JwsAlgorithm::Es256],
    }
}

/// A repository with the keys of the vectors.
fn filled() -> TempDir {
    let directory = TempDir::new();
    for name in ["private", "public"] {
        std::fs::create_dir(directory.join(name)).unwrap();
    }
    let jws = &vectors()["jws"];
    directory.write("private/private.pem", jws["private_key"].as_str().unwrap());
    for (i, key) in jws["public_keys"].as_array().unwrap().iter().enumerate() {
        directory.write(&format!("public/{i}"), key.as_str().unwrap());
    }
    directory
}

fn jws() -> JwsTokens {
    JwsTokens::new(repository(&filled()), 300).unwrap()
}

fn header() -> Value {
    json!({"alg": "ES256", "typ": "JWT"})
}

fn claims() -> Value {
    json!({
        "sub": "u", "iat": NOW, "exp": NOW + 60, "openstack_methods": ["password"],
        "openstack_audit_ids": ["oaGhoaGhoaGhoaGhoaGhoQ"],
    })
}

fn signed(tokens: &JwsTokens, header: &str, claims: &str) -> String {
    let message = unsigned(header, claims);
    let signature = tokens.keys.load().sign(message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn unsigned(header: &str, claims: &str) -> String {
    let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
    format!("{}.{}", encode(header), encode(claims))
}

fn refused(tokens: &JwsTokens, token: &str) -> bool {
    match tokens.open(token, NOW) {
        Ok(_) => false,
        Err(OpenError::NotFound(_)) => true,
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn every_token_of_python_opens_to_what_python_decodes() {
    let (tokens, vectors) = (jws(), vectors());
    let good = vectors["jws"]["tokens"].as_array().unwrap();
    assert_eq!(good.len(), 5);
    for vector in good {
        let opened = tokens.open(vector["token"].as_str().unwrap(), NOW);

        let due = Opened {
            payload: expected(&vector["decoded"]),
            issued_at: seconds(&vector["decoded"]["issued_at"]),
        };
        assert_eq!(opened, Ok(due), "{}", vector["name"]);
    }
}

#[test]
fn a_token_is_written_as_python_writes_it() {
    let (tokens, vectors) = (jws(), vectors());
    for vector in vectors["jws"]["tokens"].as_array().unwrap() {
        let payload = expected(&vector["decoded"]);

        let token = tokens.seal(&payload, NOW).unwrap();

        // All but the signature, in which there is chance.
        let message = |token: &str| token.rsplit_once('.').unwrap().0.to_owned();
        let pythons = vector["token"].as_str().unwrap();
        assert_eq!(message(&token), message(pythons), "{}", vector["name"]);
        assert_eq!(tokens.open(&token, NOW).unwrap().payload, payload);
    }
}

#[test]
fn what_python_overlooks_is_overlooked() {
    let tokens = jws();
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        tokens.open(
            &signed(&tokens, &header().to_string(), &claims.to_string()),
            NOW,
        )
    };
    let plain = signed(&tokens, &header().to_string(), &claims().to_string());
    let due = tokens.open(&plain, NOW).unwrap();

    assert_eq!(with("iss", json!("x")), Ok(due.clone()));
    assert_eq!(with("other", json!([{"a": 1}, null, 1.5])), Ok(due.clone()));
    assert_eq!(with("nbf", json!(NOW - 9)), Ok(due.clone()));
    assert_eq!(with("exp", json!((NOW + 60) as f64 + 0.5)), Ok(due.clone()));
    assert_eq!(with("openstack_trust_id", Value::Null), Ok(due.clone()));
    for header in [
        r#"{"alg":"ES256"}"#,
        r#"{"typ":"JWT","alg":"ES256","kid":"x"}"#,
    ] {
        let token = signed(&tokens, header, &claims().to_string());
        assert_eq!(tokens.open(&token, NOW), Ok(due.clone()));
    }
    let zzz = with("openstack_methods", json!(["zzz"])).unwrap();
    assert!(zzz.payload.methods.contains("zzz"));
    // Expiry is for the caller.
    assert!(with("exp", json!(0)).is_ok());
}

#[test]
fn a_clock_that_is_a_little_ahead_is_allowed_for() {
    let tokens = jws();
    for name in ["iat", "nbf"] {
        let at = |time: i64| {
            let mut claims = claims();
            claims[name] = json!(time);
            tokens.open(
                &signed(&tokens, &header().to_string(), &claims.to_string()),
                NOW,
            )
        };
        assert!(at(NOW + 300).is_ok(), "{name}");
        assert!(at(NOW + 301).is_err(), "{name}");
    }
}

#[test]
fn c2_the_header_can_neither_choose_an_algorithm_nor_bring_a_key() {
    let tokens = jws();
    let claims = claims().to_string();
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"ES384","typ":"JWT"}"#,
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"alg":"es256","typ":"JWT"}"#,
        r#"{"alg":["ES256"],"typ":"JWT"}"#,
        r#"{"typ":"JWT"}"#,
        r#"{"alg":"ES256","typ":"at+jwt"}"#,
        r#"{"alg":"ES256","typ":null}"#,
        r#"{"alg":"ES256","jku":"https://attacker.example/keys"}"#,
        r#"{"alg":"ES256","x5u":"https://attacker.example/cert"}"#,
        r#"{"alg":"ES256","x5c":[]}"#,
        r#"{"alg":"ES256","jwk":{}}"#,
        r#"{"alg":"ES256","crit":["exp"]}"#,
        r#"{"alg":"ES256","crit":[]}"#,
        r#"{"alg":"ES256","b64":false}"#,
        r#"{"alg":"ES256","zip":"DEF"}"#,
        r#"{"alg":"ES256","alg":"ES256"}"#,
        r#"{"alg":"none","alg":"ES256"}"#,
        r#"{"alg":"ES256"} "x""#,
        r#"["ES256"]"#,
        "",
    ] {
        assert!(
            refused(&tokens, &signed(&tokens, header, &claims)),
            "{header}"
        );
    }
}

#[test]
fn c2_an_hmac_keyed_with_the_public_key_is_no_signature() {
    let tokens = jws();
    let public = vectors()["jws"]["public_keys"][0]
        .as_str()
        .unwrap()
        .to_owned();
    let key = hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes());
    for alg in ["HS256", "ES256"] {
        let message = unsigned(
            &json!({"alg": alg, "typ": "JWT"}).to_string(),
            &claims().to_string(),
        );
        let mac = hmac::sign(&key, message.as_bytes());
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac));
        assert!(refused(&tokens, &token), "{alg}");
    }
}

#[test]
fn c2_malformed_and_ambiguous_claims_are_refused() {
    let tokens = jws();
    let good = claims().to_string();
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        claims.to_string()
    };
    let without = |name: &str| {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name).unwrap();
        claims.to_string()
    };
    let mut cases = vec![
        good.replacen('{', r#"{"sub":"admin","#, 1),
        good.replacen('{', r#"{"x":1,"x":1,"#, 1),
        good.replacen('{', r#"{"x":{"y":1,"y":2},"#, 1),
        good.replacen('{', r#"{"x":[{"y":1,"\u0079":2}],"#, 1),
        format!("{good}{good}"),
        format!("[{good}]"),
        String::new(),
        format!("{}1{}", "[".repeat(5000), "]".repeat(5000)),
        with("sub", json!(1)),
        with("exp", json!("2030")),
        with("exp", json!(1e300)),
        with("iat", json!(true)),
        with("aud", json!("x")),
        with("openstack_methods", json!("password")),
        with("openstack_audit_ids", json!([])),
        with("openstack_audit_ids", json!(["x"])),
        with(
            "openstack_audit_ids",
            json!(vec!["oaGhoaGhoaGhoaGhoaGhoQ"; 3]),
        ),
        with("openstack_system", json!("some")),
        with("openstack_idp_id", json!("x")),
    ];
    for name in [
        "sub",
        "iat",
        "exp",
        "openstack_methods",
        "openstack_audit_ids",
    ] {
        cases.push(without(name));
    }
    let mut two_scopes = claims();
    two_scopes["openstack_project_id"] = json!("p");
    two_scopes["openstack_system"] = json!("all");
    cases.push(two_scopes.to_string());
    for claims in cases {
        let token = signed(&tokens, &header().to_string(), &claims);
        assert!(refused(&tokens, &token), "{claims:.200}");
    }
}

#[test]
fn c1_a_token_with_any_character_changed_is_refused() {
    let tokens = jws();
    let token = signed(&tokens, &header().to_string(), &claims().to_string());
    assert!(!refused(&tokens, &token));
    for i in 0..token.len() {
        for other in ["A", "B", "=", "."] {
            let mut changed = token.clone();
            changed.replace_range(i..=i, other);
            assert!(
                changed == token || refused(&tokens, &changed),
                "{i} {other}"
            );
        }
    }
    // 64 bytes are 86 characters, the last of which has four spare bits.
    let (rest, last) = token.split_at(token.len() - 1);
    for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars() {
        let changed = format!("{rest}{other}");
        assert!(
            last.contains(other) || refused(&tokens, &changed),
            "{other}"
        );
    }
    for spelling in [
        format!("{token}="),
        format!("{token}=="),
        format!("{token}.x"),
        format!("{token} "),
        format!("{token}AA"),
        token.replacen('.', "..", 1),
        token.rsplit_once('.').unwrap().0.to_owned(),
        format!("{}.", token.rsplit_once('.').unwrap().0),
        "x".repeat(MAX_TEXT + 1),
        String::new(),
    ] {
        assert!(refused(&tokens, &spelling), "{spelling}");
    }
}

#[test]
fn a_der_signature_is_refused() {
    let tokens = jws();
    let pem = vectors()["jws"]["private_key"].as_str().unwrap().to_owned();
    let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(der).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_ASN1_SIGNING, &der).unwrap();
    let message = unsigned(&header().to_string(), &claims().to_string());

    let signature = key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();

    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
    assert!(refused(&tokens, &token));
}

#[test]
fn a_token_of_a_key_that_is_not_in_the_folder_is_refused() {
    let directory = filled();
    let all = JwsTokens::new(repository(&directory), 300).unwrap();
    let token = signed(&all, &header().to_string(), &claims().to_string());
    assert!(all.open(&token, NOW).is_ok());

    std::fs::remove_file(directory.join("public/0")).unwrap();

    assert!(all.refresh().unwrap());
    assert!(refused(&all, &token));
    std::fs::remove_file(directory.join("public/1")).unwrap();
    assert!(matches!(all.refresh(), Err(JwsKeyError::NoPublicKey(_))));
}

#[test]
fn a_fernet_token_is_no_jws_and_a_jws_no_fernet_token() {
    let vectors = vectors();
    let fernet = vectors["tokens"][0]["token"].as_str().unwrap();
    let signed = vectors["jws"]["tokens"][0]["token"].as_str().unwrap();

    assert!(refused(&jws(), fernet));
    assert_eq!(tokens().open(signed, NOW), Err(OpenError::NotRecognised));
}

#[test]
fn keys_that_are_absent_or_wrong_are_reported_by_name() {
    let directory = filled();
    let repository = repository(&directory);
    directory.write("public/readme", "no key"); // overlooked, as in Python
    assert!(repository.load().is_ok());

    directory.write("private/private.pem", "no key");
    let bad = repository.load().unwrap_err();
    std::fs::remove_file(directory.join("private/private.pem")).unwrap();
    let absent = repository.load().unwrap_err();

    assert!(matches!(bad, JwsKeyError::BadPrivateKey(..)));
    assert!(matches!(absent, JwsKeyError::MissingPrivateKey(_)));
    assert!(absent.to_string().contains("private.pem"));
}

#[test]
fn each_algorithm_signs_and_verifies_with_keys_of_its_own_only() {
    let pem = |label: &str, der: &[u8]| {
        let body = STANDARD.encode(der);
        let lines: Vec<_> = body
            .as_bytes()
            .chunks(64)
            .map(|l| std::str::from_utf8(l).unwrap())
            .collect();
        format!(
            "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
            lines.join("\n")
        )
    };
    let rng = SystemRandom::new();
    let ecdsa = |kind| {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &rng).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref()).unwrap();
        let public = key.public_key().as_der().unwrap();
        (
            pem("PRIVATE KEY", pkcs8.as_ref()),
            pem("PUBLIC KEY", public.as_ref()),
        )
    };
    let ed25519 = {
        let key = Ed25519KeyPair::generate().unwrap();
        let public = key.public_key().as_der().unwrap();
        let pkcs8 = key.to_pkcs8v1().unwrap();
        (
            pem("PRIVATE KEY", pkcs8.as_ref()),
            pem("PUBLIC KEY", public.as_ref()),
        )
    };
    let keys = [
        (
            JwsAlgorithm::Es256,
            ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        ),
        (
            JwsAlgorithm::Es384,
            ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        ),
        (
            JwsAlgorithm::Es512,
            ecdsa(&signature::ECDSA_P521_SHA512_FIXED_SIGNING),
        ),
        (JwsAlgorithm::EdDsa, ed25519),
    ];
    let directory = filled();
    for name in ["public/0", "public/1"] {
        std::fs::remove_file(directory.join(name)).unwrap();
    }
    for (algorithm, (_, public)) in &keys {
        directory.write(&format!("public/{}", algorithm.name()), public);
    }
    let all = keys.each_ref().map(|(algorithm, _)| *algorithm);
    let tokens = keys.each_ref().map(|(algorithm, (private, _))| {
        directory.write("private/private.pem", private);
        let repository = JwsRepository {
            algorithm: *algorithm,
            accepted: all.to_vec(),
            ..repository(&directory)
        };
        let tokens = JwsTokens::new(repository, 300).unwrap();
        assert_eq!(algorithm.name().parse(), Ok(*algorithm));
        (*algorithm, tokens)
    });

    let payload = expected(&vectors()["jws"]["tokens"][0]["decoded"]);
    for (algorithm, tokens_of) in &tokens {
        let token = tokens_of.seal(&payload, NOW).unwrap();
        for (_, any) in &tokens {
            assert_eq!(any.open(&token, NOW).unwrap().payload, payload);
        }
        // Where the algorithm is not accepted, its key is of no use.
        let others = all.into_iter().filter(|other| other != algorithm);
        let (signer, (private, _)) = keys.iter().find(|(other, _)| other != algorithm).unwrap();
        directory.write("private/private.pem", private);
        let repository = JwsRepository {
            algorithm: *signer,
            accepted: others.collect(),
            ..repository(&directory)
        };
        let without = JwsTokens::new(repository, 300).unwrap();
        assert!(refused(&without, &token), "{algorithm:?}");
        // Nor does one algorithm's header fit another's signature.
        let claims = claims().to_string();
        let header = json!({"alg": signer.name()}).to_string();
        assert!(refused(tokens_of, &signed(tokens_of, &header, &claims)));
    }
    assert!("HS256".parse::<JwsAlgorithm>().is_err());
    assert!("none".parse::<JwsAlgorithm>().is_err());
}

#[test]
fn c4_no_key_shows_in_debug() {
    assert_eq!(
        format!("{:?}", jws().keys.load()),
        "JwsKeys { verifying: 2, .. }"
    );
}
