//! A passkey beside other methods: rules, receipts, recovery codes.

use chrono::Utc;
use serde_json::{Value, json};

use super::{alice, begin, passkeys_of, refused, register, start, world};
use crate::support::delegation::{passcode, totp, totp_secret, ways_due};
use crate::support::login::together;
use crate::support::passkey::Authenticator;
use crate::support::{Api, Cloud, Scope, Session, password, seed};
use crate::testdb::each_database;

pub(super) const RECEIPT: &str = "Openstack-Auth-Receipt";

/// alice has a passkey, and then a rule.
pub(super) async fn ruled<'db>(
    mut cloud: Cloud<'db>,
    rule: &str,
) -> (Cloud<'db>, Session, Authenticator) {
    let (session, key, _) = alice(cloud.api()).await;
    seed::behind_its_back(&mut cloud, &seed::user_option("alice", "MFAR", rule)).await;
    (cloud, session, key)
}

pub(super) async fn passkey(api: &Api, key: &mut Authenticator) -> Value {
    let begun = begin(api, &json!({"passkey": {}})).await;
    json!({"methods": ["webauthn"], "webauthn": {"credential": key.get(&begun["publicKey"])}})
}

pub(super) fn body(identity: &Value) -> Value {
    json!({"auth": {"identity": identity}})
}

pub(super) async fn with_receipt(
    api: &Api,
    receipt: &str,
    identity: &Value,
) -> crate::support::Answer {
    let request = api.request(awc::http::Method::POST, "/v3/auth/tokens");
    request
        .header(RECEIPT, receipt)
        .json(&body(identity))
        .send()
        .await
}

pub(super) fn recovery(user: &str, code: &str) -> Value {
    json!({"methods": ["webauthn"], "webauthn": {"user": {"id": user, "recovery_code": code}}})
}

each_database! {
    async fn a_passkey_completes_what_a_password_began(db: TestDb) {
        let cloud = world(&db).set("webauthn", "mfa_equivalent", false).start().await;
        let (cloud, _, mut key) = ruled(cloud, r#"[["password", "webauthn"]]"#).await;
        let api = cloud.api();

        let due = api.authenticate(&body(&password("alice"))).await.expect(401);
        assert_eq!(ways_due(&due), [["password", "webauthn"]]);
        let receipt = due.header(RECEIPT).unwrap().to_owned();
        let shown = passkey(api, &mut key).await;
        let done = with_receipt(api, &receipt, &shown).await.expect(201).json();
        let mut methods = done["token"]["methods"].as_array().unwrap().clone();
        methods.sort_by_key(Value::to_string);
        assert_eq!(methods, [json!("password"), json!("webauthn")]);
        // The other way round, and at once.
        let due = api.authenticate(&body(&passkey(api, &mut key).await)).await.expect(401);
        let receipt = due.header(RECEIPT).unwrap().to_owned();
        with_receipt(api, &receipt, &password("alice")).await.expect(201);
        let both = together(&[password("alice"), passkey(api, &mut key).await]);
        let session = api.session(&body(&both)).await;
        let again = crate::support::scoped(crate::support::token(session.token()), Scope::Project("demo"));
        api.session(&again).await;
        // A receipt counts at the passkey's own path, too.
        let due = api.authenticate(&body(&password("alice"))).await.expect(401);
        let begun = begin(api, &json!({"passkey": {}})).await;
        let request = api.request(awc::http::Method::POST, "/v4/auth/passkey/finish");
        let request = request.header(RECEIPT, due.header(RECEIPT).unwrap());
        request.json(&json!({"credential": key.get(&begun["publicKey"])})).send().await.expect(201);
    }

    async fn a_recovery_code_is_of_no_use_where_no_rule_asks_for_a_passkey(db: TestDb) {
        let cloud = start(&db).await;
        let (cloud, _, _) = ruled(cloud, r#"[["password", "webauthn"]]"#).await;
        let api = cloud.api();
        let admin = api.admin().await;
        admin.post(&format!("{}/recovery_codes", passkeys_of("alice")), &json!({})).await.expect(403);
        // bob has no rule: a code is of no use to him.
        let bob = api.login("bob", Scope::Unscoped).await;
        let codes = codes_of(&bob).await;
        let both = together(&[password("bob"), recovery("bob", &codes[0])]);
        refused(&api.authenticate(&body(&both)).await);
        assert_eq!(left(&bob).await, 10);
    }
}

/// How many codes the user of a session has.
pub(super) async fn left(session: &Session) -> Value {
    let path = format!("{}/recovery_codes", passkeys_of(session.text("/user/id")));
    session.get(&path).await.expect(200).json()["recovery_codes"]["left"].clone()
}

pub(super) async fn codes_of(session: &Session) -> Vec<String> {
    let path = format!("{}/recovery_codes", passkeys_of(session.text("/user/id")));
    let made = session.post(&path, &json!({})).await.expect(201).json();
    let codes = made["recovery_codes"]["codes"].as_array().unwrap().clone();
    codes
        .iter()
        .map(|code| code.as_str().unwrap().to_owned())
        .collect()
}

on_sqlite! {
    async fn recovery_codes_are_no_login_by_themselves(db: TestDb) {
        let mut cloud = start(&db).await;
        let (session, _, _) = alice(cloud.api()).await;
        let codes = codes_of(&session).await;
        assert_eq!(codes.len(), 10);
        seed::behind_its_back(&mut cloud, &seed::user_option("alice", "MFAR", r#"[["password", "webauthn"]]"#)).await;
        let api = cloud.api();
        let session = session.at(api);

        refused(&api.authenticate(&body(&recovery("alice", &codes[0]))).await);
        let wrong = crate::support::login::password_is("alice", "wrong");
        refused(&api.authenticate(&body(&together(&[recovery("alice", &codes[0]), wrong]))).await);
        refused(&api.authenticate(&body(&together(&[password("bob"), recovery("alice", &codes[0])]))).await);
        refused(&api.authenticate(&body(&together(&[password("alice"), recovery("alice", "nonsense")]))).await);
        assert_eq!(left(&session).await, 10);
        // With the right password, at once or in two steps; each once.
        let both = together(&[recovery("alice", &codes[0]), password("alice")]);
        api.authenticate(&body(&both)).await.expect(201);
        refused(&api.authenticate(&body(&both)).await);
        let due = api.authenticate(&body(&password("alice"))).await.expect(401);
        let receipt = due.header(RECEIPT).unwrap().to_owned();
        with_receipt(api, &receipt, &recovery("alice", &codes[1])).await.expect(201);
        assert_eq!(left(&session).await, 8);
        // It is somebody else's receipt, or none.
        let bobs = |code: &str| recovery("bob", code);
        let due = api.authenticate(&body(&password("alice"))).await.expect(401);
        let receipt = due.header(RECEIPT).unwrap();
        refused(&with_receipt(api, receipt, &bobs(&codes[2])).await);
        refused(&with_receipt(api, "made up", &recovery("alice", &codes[2])).await);
        refused(&with_receipt(api, "made up", &recovery("nobody", &codes[2])).await);
        assert_eq!(left(&session).await, 8);
    }

    async fn a_recovery_code_is_used_up_by_a_login_that_needs_it_and_succeeds(db: TestDb) {
        let mut cloud = world(&db).set("webauthn", "mfa_equivalent", false).start().await;
        let (session, mut key, _) = alice(cloud.api()).await;
        let codes = codes_of(&session).await;
        let rule = r#"[["password", "webauthn"]]"#;
        seed::behind_its_back(&mut cloud, &seed::user_option("alice", "MFAR", rule)).await;
        let (api, session) = (cloud.api(), session.at(cloud.api()));
        let both = together(&[password("alice"), recovery("alice", &codes[0])]);

        // It would have been let in, but for the scope.
        let scope = json!({"project": {"name": "no such project", "domain": {"id": "default"}}});
        let nowhere = json!({"auth": {"identity": both, "scope": scope}});
        refused(&api.authenticate(&nowhere).await);
        // It does not need the code.
        let due = api.authenticate(&body(&passkey(api, &mut key).await)).await.expect(401);
        let receipt = due.header(RECEIPT).unwrap().to_owned();
        refused(&with_receipt(api, &receipt, &both).await);
        assert_eq!(left(&session).await, 10);
        api.authenticate(&body(&both)).await.expect(201);
        assert_eq!(left(&session).await, 9);
    }

    async fn a_recovery_code_counts_with_the_last_proof_alone(db: TestDb) {
        let mut cloud = world(&db).set("totp", "included_previous_windows", 2).start().await;
        let (session, _, _) = alice(cloud.api()).await;
        let codes = codes_of(&session).await;
        let rule = r#"[["password", "webauthn", "totp"]]"#;
        seed::behind_its_back(&mut cloud, &seed::user_option("alice", "MFAR", rule)).await;
        let (api, session) = (cloud.api(), session.at(cloud.api()));
        // Right or wrong, it is not looked at, and the receipt says nothing of it.
        for code in [codes[0].as_str(), "made up"] {
            let both = together(&[password("alice"), recovery("alice", code)]);
            let due = api.authenticate(&body(&both)).await.expect(401);
            assert_eq!(due.json()["receipt"]["methods"], json!(["password"]));
            assert_eq!(ways_due(&due), [["password", "totp", "webauthn"]]);
        }
        assert_eq!(left(&session).await, 10);
        totp_secret(&api.admin().await, "alice").await;
        let due = api.authenticate(&body(&password("alice"))).await.expect(401);
        let receipt = due.header(RECEIPT).unwrap().to_owned();
        let last = together(&[totp("alice", &passcode(Utc::now())), recovery("alice", &codes[0])]);
        with_receipt(api, &receipt, &last).await.expect(201);
        assert_eq!(left(&session).await, 9);
    }

    async fn a_passkey_that_looked_who_uses_it_is_enough_alone(db: TestDb) {
        let (cloud, _, mut key) = ruled(start(&db).await, r#"[["password", "totp"]]"#).await;
        let api = cloud.api();
        let session = api.session(&body(&passkey(api, &mut key).await)).await;
        let scoped = crate::support::scoped(crate::support::token(session.token()), Scope::Project("demo"));
        api.session(&scoped).await;
        api.authenticate(&body(&password("alice"))).await.expect(401);
    }

    async fn a15_a_passkey_and_a_password_prove_the_same_user(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let bob = api.login("bob", Scope::Unscoped).await;
        let (mut bobs, _) = register(&bob).await;
        let shown = passkey(api, &mut bobs).await;
        refused(&api.authenticate(&body(&together(&[password("alice"), shown]))).await);
        // Begun for no scope, it is good for any.
        let (_, mut key, _) = alice(api).await;
        let scope = json!({"project": {"id": "demo"}});
        let shown = passkey(api, &mut key).await;
        let session = api.session(&json!({"auth": {"identity": shown, "scope": scope}})).await;
        assert_eq!(session.text("/project/id"), "demo");
    }
}
