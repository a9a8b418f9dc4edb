//! The older spelling, as command lines and libraries that know nothing else send and read it:
//! names in snake_case, `type_`, words in PascalCase, base64url with padding.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::forged::unlimited;
use super::{finish, passkeys_of, post, refused, start};
use crate::support::passkey::{Authenticator, bytes};
use crate::support::{Answer, Scope, Session};
use crate::testdb::each_database;

/// A member that is a text of base64url with padding, and what it says.
fn padded(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    URL_SAFE
        .decode(text)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn names(of: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = of.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// What such a client makes of the older options alone: an authenticator that answers them.
fn created(key: &mut Authenticator, options: &Value) -> Value {
    let challenge = URL_SAFE_NO_PAD.encode(padded(&options["challenge"]));
    let id = URL_SAFE_NO_PAD.encode(padded(&options["user"]["id"]));
    let made = key.create(&json!({"challenge": challenge, "user": {"id": id}}));
    let part = |name: &str| URL_SAFE.encode(bytes(&made["response"][name]));
    json!({
        "description": "yubikey on my keyring",
        "id": URL_SAFE_NO_PAD.encode(&key.raw_id),
        "raw_id": URL_SAFE.encode(&key.raw_id),
        "type_": "public-key",
        "response": {
            "attestation_object": part("attestationObject"),
            "client_data_json": part("clientDataJSON"),
            "transports": ["Usb", "Nfc"],
        },
        "extensions": {"cred_props": {"rk": false}, "cred_protect": "Required"},
    })
}

/// The same for a login.
fn asserted(key: &mut Authenticator, user: &str, options: &Value) -> Value {
    let challenge = URL_SAFE_NO_PAD.encode(padded(&options["challenge"]));
    let used = key.get(&json!({ "challenge": challenge }));
    let part = |name: &str| URL_SAFE.encode(bytes(&used["response"][name]));
    json!({
        "user_id": user,
        "id": URL_SAFE_NO_PAD.encode(&key.raw_id),
        "raw_id": URL_SAFE.encode(&key.raw_id),
        "type_": "public-key",
        "response": {
            "authenticator_data": part("authenticatorData"),
            "client_data_json": part("clientDataJSON"),
            "signature": part("signature"),
            "user_handle": null,
        },
        "extensions": {},
    })
}

async fn register_start(session: &Session, body: &Value, slash: &str) -> Value {
    let path = format!(
        "{}/register_start{slash}",
        passkeys_of(session.text("/user/id"))
    );
    session.post(&path, body).await.expect(201).json()
}

async fn register_finish(session: &Session, body: &Value, slash: &str) -> Answer {
    let path = format!(
        "{}/register_finish{slash}",
        passkeys_of(session.text("/user/id"))
    );
    session.post(&path, body).await
}

each_database! {
    async fn the_four_paths_answer_in_the_older_spelling(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let session = api.login("alice", Scope::Unscoped).await;
        let mut key = Authenticator::new();

        let begun = register_start(&session, &json!({"passkey": {"description": "yubikey on my keyring"}}), "").await;
        let options = &begun["public_key"];
        assert_eq!(
            names(options),
            ["attestation", "authenticator_selection", "challenge", "extensions", "pub_key_cred_params", "rp", "timeout", "user"]
        );
        assert_eq!(options["rp"], json!({"id": "cloud.example", "name": "Example"}));
        assert_eq!(names(&options["user"]), ["display_name", "id", "name"]);
        assert_eq!((&options["user"]["name"], &options["user"]["display_name"]), (&json!("alice"), &json!("alice")));
        assert!((1..=64).contains(&padded(&options["user"]["id"]).len()));
        assert!(padded(&options["challenge"]).len() >= 16);
        assert_eq!(
            options["pub_key_cred_params"],
            json!([{"type_": "public-key", "alg": -7}, {"type_": "public-key", "alg": -257}])
        );
        assert_eq!(options["timeout"], 300_000);
        assert_eq!(options["attestation"], "None");
        assert_eq!(
            options["authenticator_selection"],
            json!({"resident_key": "Preferred", "require_resident_key": false, "user_verification": "Required"})
        );
        assert_eq!(
            options["extensions"],
            json!({
                "cred_props": true,
                "cred_protect": {"credential_protection_policy": "Required", "enforce_credential_protection_policy": false},
                "uvm": true,
            })
        );

        let answer = register_finish(&session, &created(&mut key, options), "").await.expect(201).json();
        let passkey = &answer["passkey"];
        assert_eq!(passkey["credential_id"], URL_SAFE_NO_PAD.encode(&key.raw_id));
        assert_eq!(passkey["description"], "yubikey on my keyring");
        assert_eq!((&passkey["transports"], &passkey["discoverable"]), (&json!(["usb", "nfc"]), &json!(false)));

        let begun = post(api, "/v4/auth/passkey/start", &json!({"passkey": {"user_id": "alice"}})).await.expect(201).json();
        let options = &begun["public_key"];
        assert_eq!(names(options), ["allow_credentials", "challenge", "rp_id", "timeout", "user_verification"]);
        assert_eq!((&options["rp_id"], &options["user_verification"]), (&json!("cloud.example"), &json!("Required")));
        assert_eq!(options["timeout"], 300_000);
        assert_eq!(
            options["allow_credentials"],
            json!([{"type_": "public-key", "id": URL_SAFE.encode(&key.raw_id), "transports": ["Usb", "Nfc"]}])
        );

        let answer = finish(api, &asserted(&mut key, "alice", options)).await.expect(201);
        assert!(!answer.header("X-Subject-Token").unwrap().is_empty());
        let token = &answer.json()["token"];
        for member in ["audit_ids", "methods"] {
            assert!(!token[member].as_array().unwrap().is_empty(), "{token}");
        }
        for member in ["issued_at", "expires_at"] {
            assert!(token[member].as_str().unwrap().ends_with(".000000Z"), "{token}");
        }
        assert_eq!(
            (&token["user"]["id"], &token["user"]["name"], &token["user"]["domain"]),
            (&json!("alice"), &json!("alice"), &json!({"id": "default", "name": "Default"}))
        );
        for member in ["catalog", "project", "domain", "system"] {
            assert!(token.get(member).is_none(), "{token}");
        }
        // Who has one is told, so that no authenticator makes a second.
        let begun = register_start(&session, &json!({"passkey": {}}), "").await;
        assert_eq!(
            begun["public_key"]["exclude_credentials"],
            json!([{"type_": "public-key", "id": URL_SAFE.encode(&key.raw_id), "transports": ["Usb", "Nfc"]}])
        );
    }
}

on_sqlite! {
    async fn what_may_be_left_out_may_be_null_and_padding_may_lack(db: TestDb) {
        let cloud = unlimited(&db).start().await;
        let api = cloud.api();
        let session = api.login("alice", Scope::Unscoped).await;
        for description in [json!(null), json!("")] {
            register_start(&session, &json!({"passkey": {"description": description}}), "/").await;
        }
        let mut key = Authenticator::new();
        let begun = register_start(&session, &json!({"passkey": {}, "unknown": 1}), "/").await;
        let mut body = created(&mut key, &begun["public_key"]);
        (body["description"], body["response"]["transports"]) = (json!(null), json!(null));
        body["extensions"] = json!({"appid": null, "cred_props": null, "hmac_secret": true, "min_pin_length": 4});
        let made = register_finish(&session, &body, "/").await.expect(201).json();
        assert!(made["passkey"].get("description").is_none(), "{made}");

        let begun = async |body: Value| post(api, "/v4/auth/passkey/start/", &body).await.expect(201).json()["public_key"].clone();
        let named = json!({"passkey": {"user_id": "alice"}});
        type Change = fn(&mut Value);
        let changes: [Change; 6] = [
            |_| (),
            |body| body["extensions"] = json!({"appid": false, "hmac_get_secret": {"output1": "AAAA"}}),
            |body| body["extensions"] = json!(null),
            |body| { body["response"].as_object_mut().unwrap().remove("user_handle"); },
            |body| (body["scope"], body["user"], body["credential"]) = (json!(null), json!(null), json!(null)),
            |body| {
                let bare = |value: &mut Value| *value = json!(value.as_str().unwrap().trim_end_matches('='));
                bare(&mut body["raw_id"]);
                for part in ["authenticator_data", "client_data_json", "signature"] {
                    bare(&mut body["response"][part]);
                }
            },
        ];
        for change in changes {
            let mut body = asserted(&mut key, "alice", &begun(named.clone()).await);
            change(&mut body);
            let answer = post(api, "/v4/auth/passkey/finish/", &body).await;
            assert_eq!(answer.status(), 201, "{body}: {answer:?}");
        }
        // The handle where it is told, in the same spelling.
        let mut body = asserted(&mut key, "alice", &begun(named).await);
        body["response"]["user_handle"] = json!(URL_SAFE.encode(key.handle.as_ref().unwrap()));
        finish(api, &body).await.expect(201);
        // Nobody is named: what is null is not there.
        let anybody = begun(json!({"passkey": {"user_id": null, "user": null}, "scope": null})).await;
        assert_eq!(anybody["allow_credentials"], json!([]));
        let mut body = asserted(&mut key, "alice", &anybody);
        body["user_id"] = json!(null);
        body["response"]["user_handle"] = json!(URL_SAFE.encode(key.handle.as_ref().unwrap()));
        finish(api, &body).await.expect(201);
    }

    async fn what_such_a_client_does_wrong_is_told_in_json(db: TestDb) {
        let cloud = unlimited(&db).start().await;
        let api = cloud.api();
        let session = api.login("alice", Scope::Unscoped).await;
        let mut key = Authenticator::new();
        let begun = register_start(&session, &json!({"passkey": {}}), "").await;
        let good = created(&mut key, &begun["public_key"]);
        for (place, value) in [
            ("/raw_id", json!("+/+/")), ("/raw_id", json!([1, 2])), ("/type_", json!("password")), ("/response", json!(null)),
            ("/response/attestation_object", json!("not base64")), ("/response/client_data_json", json!("")),
            ("/description", json!("x".repeat(256))), ("/description", json!(5)),
        ] {
            let mut body = good.clone();
            *body.pointer_mut(place).unwrap() = value;
            let told = register_finish(&session, &body, "").await.expect(400).json();
            assert_eq!(names(&told), ["error"], "{place}");
            assert_eq!(names(&told["error"]), ["code", "message", "title"], "{place}");
            assert_eq!(told["error"]["code"], 400, "{place}");
        }
        register_finish(&session, &good, "").await.expect(201);
        register_start(&session, &json!({"passkey": {}}), "").await;

        let begun = post(api, "/v4/auth/passkey/start", &json!({"passkey": {"user_id": "alice"}})).await.expect(201).json();
        let mut body = asserted(&mut key, "alice", &begun["public_key"]);
        body["response"]["signature"] = json!(URL_SAFE.encode([1; 70]));
        refused(&finish(api, &body).await);
        assert_eq!(finish(api, &body).await.json()["error"]["code"], 401);
        let nobody = post(api, &format!("{}/register_start", passkeys_of("alice")), &json!({"passkey": {}})).await;
        assert_eq!(nobody.status(), 401);
        // Both spellings at once are neither.
        let used = key.get(&begun["publicKey"]);
        let mut both = used.clone();
        both["raw_id"] = json!(URL_SAFE.encode(&key.raw_id));
        finish(api, &json!({"user_id": "alice", "credential": both})).await.expect(400);
        let mut mixed = asserted(&mut key, "alice", &begun["public_key"]);
        mixed["response"] = used["response"].clone();
        finish(api, &mixed).await.expect(400);
        let mut mixed = used.clone();
        mixed["response"] = asserted(&mut key, "alice", &begun["public_key"])["response"].clone();
        finish(api, &json!({"user_id": "alice", "credential": mixed})).await.expect(400);
        finish(api, &asserted(&mut key, "alice", &begun["public_key"])).await.expect(201);
    }
}
