//! Who registers passkeys, and with which tokens.

use serde_json::json;

use super::{alice, log_in, passkeys_of, post, register, start, world};
use crate::support::login::application_credential;
use crate::support::passkey::{Authenticator, enabled, legacy};
use crate::support::{Api, Scope, Session, seed};
use crate::testdb::each_database;

async fn try_to_begin(session: &Session, user: &str) -> crate::support::Answer {
    let path = format!("{}/register_start", passkeys_of(user));
    session.post(&path, &json!({"passkey": {}})).await
}

/// Registers by an invitation; gives the two answers' statuses.
async fn by_invitation(api: &Api, key: &mut Authenticator, secret: &str) -> (u16, u16) {
    let invitation = json!({"secret": secret});
    let begun = post(
        api,
        "/v4/auth/passkey/invitation/start",
        &json!({"invitation": invitation}),
    )
    .await;
    if begun.status() != 201 {
        return (begun.status(), 0);
    }
    let credential = key.create(&begun.json()["publicKey"]);
    let body = json!({"invitation": invitation, "credential": credential, "description": "sent"});
    let done = post(api, "/v4/auth/passkey/invitation/finish", &body).await;
    (begun.status(), done.status())
}

each_database! {
    async fn an_invitation_registers_one_passkey(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let admin = api.admin().await;
        let path = format!("{}/invitation", passkeys_of("bob"));
        let invited = admin.post(&path, &json!({})).await.expect(201).json();
        let url = invited["invitation"]["url"].as_str().unwrap();
        let (page, secret) = url.split_once('#').unwrap();
        assert_eq!(page, "https://id.cloud.example/passkeys/invitation");

        let mut key = Authenticator::new();
        assert_eq!(by_invitation(api, &mut key, "not one").await, (401, 0));
        assert_eq!(by_invitation(api, &mut key, secret).await, (201, 201));
        assert_eq!(by_invitation(api, &mut Authenticator::new(), secret).await, (401, 0));
        let token = log_in(api, &mut key).await.expect(201).json();
        assert_eq!(token["token"]["user"]["id"], "bob");
        let bob = api.login("bob", Scope::Unscoped).await;
        bob.post(&path, &json!({})).await.expect(403);
    }

    async fn users_of_any_id_register_in_either_spelling(db: TestDb) {
        let long = "0123456789abcdef".repeat(4);
        let cloud = world(&db).seed(seed::user(&long, "default", true)).start().await;
        let api = cloud.api();
        let session = api.login(&long, Scope::Unscoped).await;
        let path = passkeys_of(&long);
        let begun = session.post(&format!("{path}/register_start"), &json!({"passkey": {"description": null}})).await;
        let begun = begun.expect(201).json();
        let old = &begun["public_key"];
        assert_eq!(old["rp"], json!({"id": "cloud.example", "name": "Example"}));
        assert_eq!(old["attestation"], "None");
        assert_eq!(old["authenticator_selection"]["user_verification"], "Required");
        assert_eq!(old["pub_key_cred_params"][0], json!({"type_": "public-key", "alg": -7}));
        assert!(old["user"]["id"].as_str().unwrap().ends_with('='));
        let mut key = Authenticator::new();
        let body = legacy(&key.create(&begun["publicKey"]));
        let made = session.post(&format!("{path}/register_finish"), &body).await.expect(201).json();
        assert!(made["passkey"].get("description").is_none(), "{made}");
        assert_eq!(made["passkey"]["transports"], json!(["usb", "nfc"]));
        // Not twice.
        let begun = session.post(&format!("{path}/register_start"), &json!({"passkey": {}})).await.expect(201).json();
        assert_eq!(begun["publicKey"]["excludeCredentials"].as_array().unwrap().len(), 1);
        let body = json!({"credential": key.create(&begun["publicKey"])});
        session.post(&format!("{path}/register_finish"), &body).await.expect(409);
        log_in(api, &mut key).await.expect(201);
    }
}

on_sqlite! {
    async fn i9_what_was_handed_on_registers_nothing(db: TestDb) {
        let credential = seed::application_credential("alices", "alice", "demo", "member");
        let cloud = world(&db).seed(credential).start().await;
        let api = cloud.api();
        let delegated = api.session(&json!({"auth": {"identity": application_credential("alices")}})).await;
        let answer = try_to_begin(&delegated, "alice").await.expect(403);
        assert!(answer.message().contains("Sign in"), "{answer:?}");
        let (_, _, passkey) = alice(api).await;
        let one = format!("{}/{}", passkeys_of("alice"), passkey["id"].as_str().unwrap());
        delegated.delete(&one).await.expect(403);
        delegated.patch(&one, &json!({"passkey": {"description": "mine"}})).await.expect(403);
        let codes = format!("{}/recovery_codes", passkeys_of("alice"));
        delegated.post(&codes, &json!({})).await.expect(403);
    }

    async fn i9_a_login_of_long_ago_registers_nothing(db: TestDb) {
        let cloud = world(&db).set("webauthn", "enrolment_max_auth_age", 600).start().await;
        let session = cloud.api().login("alice", Scope::Unscoped).await;
        let (_, passkey) = register(&session).await;
        // Seen from a node where tokens live longer, this one is older.
        let options = crate::support::passkey::enabled().set("token", "expiration", 7200);
        let other = cloud.start_node(options).await;
        let session = session.at(other.api());
        let answer = try_to_begin(&session, "alice").await.expect(403);
        assert!(answer.message().contains("Sign in again"), "{answer:?}");
        let one = format!("{}/{}", passkeys_of("alice"), passkey["id"].as_str().unwrap());
        session.delete(&one).await.expect(403);
        session.patch(&one, &json!({"passkey": {"state": "disabled"}})).await.expect(403);
        session.patch(&one, &json!({"passkey": {"description": "renamed"}})).await.expect(200);
    }

    async fn models_are_listed_with_the_certificates_of_their_makers_or_there_is_no_server(db: TestDb) {
        let listed = || {
            let options = enabled().set("webauthn", "attestation", "listed");
            options.set("webauthn", "aaguid_allow", "07070707-0707-0707-0707-070707070707")
        };
        let makers = db.scratch().join("makers");
        let with = || listed().set("webauthn", "attestation_roots", makers.display());
        let cloud = world(&db).start().await;
        let fails = |options| {
            let said = cloud.prepare_node(options).fails(&["serve"]);
            String::from_utf8_lossy(&said.stderr).into_owned()
        };
        let said = fails(listed());
        assert!(said.contains("attestation_roots is empty"), "{said}");
        let said = fails(with());
        assert!(said.contains("makers can't be read"), "{said}");
        std::fs::create_dir(&makers).unwrap();
        let said = fails(with());
        assert!(said.contains("there is no .pem and no .crt file in"), "{said}");
        let root = makers.join("root.pem");
        std::fs::write(&root, "nothing").unwrap();
        let said = fails(with());
        assert!(said.contains("root.pem: there is no certificate in it"), "{said}");

        std::fs::write(&root, include_bytes!("../../../actors/src/webauthn/tests/makers/root.pem")).unwrap();
        let node = cloud.start_node(with()).await;
        let session = node.api().login("alice", Scope::Unscoped).await;
        let path = passkeys_of("alice");
        let begun = session.post(&format!("{path}/register_start"), &json!({"passkey": {}})).await.expect(201).json();
        assert_eq!(begun["publicKey"]["attestation"], "direct");
        let body = json!({"credential": Authenticator::new().create(&begun["publicKey"])});
        let refused = session.post(&format!("{path}/register_finish"), &body).await.expect(400);
        assert!(refused.message().contains("model of authenticator may not"), "{refused:?}");
    }

    async fn i10_administrators_invite_and_do_not_register(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let admin = api.admin().await;
        let answer = try_to_begin(&admin, "alice").await.expect(403);
        assert!(answer.message().contains("invitation"), "{answer:?}");
        // Nobody learns of whether there is such a user.
        let bob = api.login("bob", Scope::Unscoped).await;
        for session in [&admin, &bob] {
            for user in ["alice", "nobody"] {
                let refusal = try_to_begin(session, user).await.expect(403);
                assert_eq!(refusal.json(), answer.json(), "{user}");
                let codes = format!("{}/recovery_codes", passkeys_of(user));
                let refusal = session.post(&codes, &json!({})).await.expect(403);
                assert_eq!(refusal.json(), answer.json(), "{user}");
            }
        }
    }

    async fn i10_no_policy_lets_anybody_register_for_others(db: TestDb) {
        let policy = db.scratch().join("everybody.yaml");
        std::fs::write(&policy, "'identity:v4_passkey_register': '@'\n").unwrap();
        let cloud = world(&db).set("oslo_policy", "policy_file", policy.display()).start().await;
        let admin = cloud.api().admin().await;
        let answer = try_to_begin(&admin, "alice").await.expect(403);
        assert!(answer.message().contains("invitation"), "{answer:?}");
        try_to_begin(&admin, admin.text("/user/id")).await.expect(201);
    }
}
