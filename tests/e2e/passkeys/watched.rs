//! What operators and auditors see of passkeys.

use serde_json::{Value, json};

use super::{alice, begin, finish, log_in, passkeys_of, post, refused, register, start, world};
use crate::server::metrics::{parse, total};
use crate::support::login::together;
use crate::support::passkey::Authenticator;
use crate::support::{Cloud, Scope, Session, password};

/// What has failed, as auditors are told of it: the whole line.
async fn until_failed(cloud: &Cloud<'_>, event: &str, class: &str, about: &str) -> String {
    let reason = format!(r#""reasonType":"{class}""#);
    let failed = r#""outcome":"failure""#;
    cloud.until_logged(&[event, failed, &reason, about]).await
}

/// A login that has.
async fn until_told(cloud: &Cloud<'_>, class: &str, user: &str) {
    let user = format!(r#""user_id":"{user}""#);
    until_failed(cloud, "identity.authenticate", class, &user).await;
}

/// What the authenticator answers to a page of another origin.
async fn elsewhere(session: &Session) -> Value {
    let path = format!("{}/register_start", passkeys_of(session.text("/user/id")));
    let begun = session.post(&path, &json!({"passkey": {}})).await;
    let mut evil = Authenticator::new();
    evil.origin = "https://evil.example".to_owned();
    evil.create(&begun.expect(201).json()["publicKey"])
}

async fn identity(api: &crate::support::Api, key: &mut Authenticator) -> Value {
    let begun = begin(api, &json!({"passkey": {}})).await;
    json!({"methods": ["webauthn"], "webauthn": {"credential": key.get(&begun["publicKey"])}})
}

/// A passkey of alice's that can be copied to other devices, and its path.
async fn that_can_be_copied(session: &Session) -> (Authenticator, String) {
    let all = passkeys_of("alice");
    let begun = session
        .post(&format!("{all}/register_start"), &json!({"passkey": {}}))
        .await
        .expect(201);
    let mut key = Authenticator::new();
    key.backup = (true, false);
    let body = json!({"credential": key.create(&begun.json()["publicKey"])});
    let made = session
        .post(&format!("{all}/register_finish"), &body)
        .await
        .expect(201);
    let id = made.json()["passkey"]["id"].as_str().unwrap().to_owned();
    (key, format!("{all}/{id}"))
}

async fn backup_changes(cloud: &Cloud<'_>) -> f64 {
    let answer = cloud.metrics().get("/metrics").await.expect(200);
    let metrics = parse(std::str::from_utf8(answer.bytes()).unwrap());
    total(&metrics, "keystone_passkey_backup_changes", &[])
}

on_sqlite! {
    async fn a_passkey_that_is_copied_is_told_of_and_goes_on(db: TestDb) {
        let cloud = world(&db).notifying().start().await;
        let api = cloud.api();
        let session = api.login("alice", Scope::Unscoped).await;
        let (mut key, path) = that_can_be_copied(&session).await;
        log_in(api, &mut key).await.expect(201);
        assert_eq!(backup_changes(&cloud).await, 0.0);

        key.backup = (true, true);
        log_in(api, &mut key).await.expect(201);
        log_in(api, &mut key).await.expect(201);

        assert_eq!(backup_changes(&cloud).await, 1.0);
        let id = path.rsplit('/').next().unwrap();
        let told = ["identity.passkey.updated", id, "has changed to true", r#""user_id":"alice""#];
        let told = cloud.until_logged(&told).await;
        assert!(told.contains(r#""reasonCode":"200""#), "{told}");
        let shown = session.get(&path).await.expect(200).json();
        assert_eq!((&shown["passkey"]["backup_state"], &shown["passkey"]["state"]), (&json!(true), &json!("active")));
        // Whether it can be is fixed.
        key.backup = (false, false);
        refused(&log_in(api, &mut key).await);
        let class = r#""reasonType":"BackupEligibilityChanged""#;
        cloud.until_logged(&["identity.authenticate", class]).await;
    }

    async fn a_passkey_that_is_copied_is_disabled_where_that_is_the_rule(db: TestDb) {
        let cloud = world(&db).notifying().set("webauthn", "on_backup_change", "disable").start().await;
        let api = cloud.api();
        let session = api.login("alice", Scope::Unscoped).await;
        let (mut key, path) = that_can_be_copied(&session).await;
        log_in(api, &mut key).await.expect(201);

        key.backup = (true, true);
        refused(&log_in(api, &mut key).await);

        assert_eq!(backup_changes(&cloud).await, 1.0);
        let id = path.rsplit('/').next().unwrap();
        // Nobody was named: the authenticator has told who it was.
        let owner = r#""user_id":"alice""#;
        cloud.until_logged(&["identity.passkey.disabled", id, "has changed to true", owner]).await;
        until_told(&cloud, "BackupStateChanged", "alice").await;
        refused(&log_in(api, &mut key).await);
        let shown = session.get(&path).await.expect(200).json();
        assert_eq!(shown["passkey"]["state"], "disabled");
    }

    async fn what_fails_is_told_with_its_class_and_whom_it_was_about(db: TestDb) {
        let cloud = world(&db).notifying().start().await;
        let api = cloud.api();
        let (_, mut key, _) = alice(api).await;
        let bob = api.login("bob", Scope::Unscoped).await;
        let (mut bobs, _) = register(&bob).await;

        let user = json!({"name": "alice", "domain": {"id": "default"}});
        let begun = begin(api, &json!({"passkey": {"user": user}})).await;
        let body = json!({"user": user, "credential": bobs.get(&begun["publicKey"])});
        refused(&finish(api, &body).await);
        until_told(&cloud, "OtherUser", "alice").await;

        let body = json!({"user": user, "credential": key.get(&begun["publicKey"])});
        finish(api, &body).await.expect(201);
        refused(&finish(api, &body).await);
        until_told(&cloud, "ChallengeReplayed", "alice").await;

        let scope = json!({"project": {"id": "nowhere"}});
        let begun = begin(api, &json!({"passkey": {}, "scope": scope})).await;
        let body = json!({"scope": scope, "credential": key.get(&begun["publicKey"])});
        refused(&finish(api, &body).await);
        until_told(&cloud, "NoToken", "alice").await;

        // By the method of v3, beside a password of somebody else.
        let shown = identity(api, &mut bobs).await;
        let body = json!({"auth": {"identity": together(&[password("alice"), shown])}});
        refused(&api.authenticate(&body).await);
        until_told(&cloud, "OtherUser", "bob").await;

        let admin = api.admin().await;
        let disable = json!({"user": {"enabled": false}});
        admin.patch("/v3/users/alice", &disable).await.expect(200);
        refused(&log_in(api, &mut key).await);
        until_told(&cloud, "UserDisabled", "alice").await;

        // Registrations as logins, and nothing of what was shown.
        let created = "identity.passkey.created";
        let credential = elsewhere(&bob).await;
        let path = format!("{}/register_finish", passkeys_of("bob"));
        bob.post(&path, &json!({"credential": credential})).await.expect(400);
        let told = until_failed(&cloud, created, "WrongOrigin", r#""user_id":"bob""#).await;
        assert!(told.contains(r#""reasonCode":"400""#), "{told}");
        assert!(!told.contains(credential["response"]["clientDataJSON"].as_str().unwrap()), "{told}");
        let secret = "a-secret-of-nobody";
        let invitation = json!({"invitation": {"secret": secret}});
        post(api, "/v4/auth/passkey/invitation/start", &invitation).await.expect(401);
        until_failed(&cloud, created, "BadInvitation", r#""reasonCode":"401""#).await;
        assert!(!cloud.log().contains(secret));
    }

    async fn ceremonies_regressions_and_limits_are_counted(db: TestDb) {
        let cloud = world(&db)
            .set("login_limits", "window", 3600)
            .set("login_limits", "passkey_per_user", 3)
            .start()
            .await;
        let api = cloud.api();
        let (_, mut key, _) = alice(api).await;
        // Another page's registration is refused.
        let (path, bob) = (passkeys_of("bob"), api.login("bob", Scope::Unscoped).await);
        let body = json!({"credential": elsewhere(&bob).await});
        bob.post(&format!("{path}/register_finish"), &body).await.expect(400);

        log_in(api, &mut key).await.expect(201);
        refused(&log_in(api, &mut Authenticator::new()).await);
        let both = together(&[password("alice"), identity(api, &mut key).await]);
        api.authenticate(&json!({"auth": {"identity": both}})).await.expect(201);
        let code = json!({"user": {"id": "alice", "recovery_code": "made up"}});
        let code = json!({"methods": ["webauthn"], "webauthn": code});
        refused(&api.authenticate(&json!({"auth": {"identity": code}})).await);
        post(api, "/v4/auth/passkey/device/token", &json!({"device_code": "made up"})).await.expect(400);
        key.counter = 0;
        refused(&log_in(api, &mut key).await);
        let named = json!({"passkey": {"user_id": "a-name-of-a-client"}});
        for _ in 0..3 {
            begin(api, &named).await;
        }
        post(api, "/v4/auth/passkey/start", &named).await.expect(429);

        let answer = cloud.metrics().get("/metrics").await.expect(200);
        let text = std::str::from_utf8(answer.bytes()).unwrap();
        let metrics = parse(text);
        let accepted = |kind| total(&metrics, "keystone_passkey_accepted", &[("kind", kind)]);
        let refused = |kind, reason| {
            let labels = [("kind", kind), ("reason", reason)];
            total(&metrics, "keystone_passkey_refused", &labels)
        };
        assert_eq!(accepted("registration"), 1.0);
        assert_eq!(accepted("login"), 1.0);
        assert_eq!(accepted("step_up"), 1.0);
        assert_eq!(accepted("recovery") + accepted("device"), 0.0);
        assert_eq!(refused("registration", "WrongOrigin"), 1.0);
        assert_eq!(refused("login", "UnknownCredential"), 1.0);
        assert_eq!(refused("login", "CounterRegression"), 1.0);
        assert_eq!(refused("recovery", "RecoveryCodeAlone"), 1.0);
        assert_eq!(refused("device", "Expired"), 1.0);
        assert_eq!(total(&metrics, "keystone_passkey_refused", &[]), 5.0);
        assert_eq!(total(&metrics, "keystone_passkey_counter_regressions", &[]), 1.0);
        let limited = |limit| total(&metrics, "keystone_logins_limited", &[("limit", limit)]);
        assert_eq!(limited("passkey_per_user"), 1.0);
        assert_eq!(limited("passkey_per_address") + limited("failures_per_user"), 0.0);
        assert!(!text.contains("alice") && !text.contains("a-name-of-a-client"), "{text}");
    }

    async fn what_was_never_counted_is_zero_and_there(db: TestDb) {
        let cloud = start(&db).await;
        let answer = cloud.metrics().get("/metrics").await.expect(200);
        let metrics = parse(std::str::from_utf8(answer.bytes()).unwrap());
        for kind in ["registration", "login", "step_up", "recovery", "device"] {
            let family = &metrics["keystone_passkey_accepted"];
            assert!(family.has(&[("kind", kind)]), "{family:?}");
        }
        let of_failures = ["failures_per_address", "failures_per_user"];
        for limit in ["passkey_per_address", "passkey_per_user", "device_per_address"].into_iter().chain(of_failures) {
            let family = &metrics["keystone_logins_limited"];
            assert!(family.has(&[("limit", limit)]), "{family:?}");
        }
        for family in ["keystone_passkey_counter_regressions", "keystone_passkey_backup_changes"] {
            assert_eq!(total(&metrics, family, &[]), 0.0, "{family}");
        }
    }
}
