//! What was handed on registers nothing (I9), and what is good once is good once: invitations, logins
//! of command lines.

use awc::http::Method;
use serde_json::{Value, json};

use super::forged::unlimited;
use super::{alice, log_in, passkeys_of, post, register, token_of, world};
use crate::support::delegation::{ec2_key, ec2_token, in_trust, trust};
use crate::support::oauth1;
use crate::support::passkey::Authenticator;
use crate::support::{Answer, Api, Cloud, Scope, Session, password, seed};

/// What somebody with this token is answered who asks for what takes a login of one's own.
async fn asked(api: &Api, token: &str, passkey: &str) -> Vec<(String, Answer)> {
    let (mine, one) = (
        passkeys_of("alice"),
        format!("{}/{passkey}", passkeys_of("alice")),
    );
    let made = Authenticator::new().create(&json!({"challenge": "AAAA", "user": {"id": "AAAA"}}));
    let requests = [
        (
            Method::POST,
            format!("{mine}/register_start"),
            json!({"passkey": {}}),
        ),
        (
            Method::POST,
            format!("{mine}/register_finish"),
            json!({"credential": made}),
        ),
        (Method::POST, format!("{mine}/recovery_codes"), json!({})),
        (Method::POST, format!("{mine}/invitation"), json!({})),
        (
            Method::PATCH,
            one.clone(),
            json!({"passkey": {"state": "disabled"}}),
        ),
        (
            Method::PATCH,
            one.clone(),
            json!({"passkey": {"description": "mine"}}),
        ),
        (Method::DELETE, one, json!({})),
        (Method::DELETE, mine, json!({})),
    ];
    let mut answers = Vec::new();
    for (method, path, body) in requests {
        let request = api.request(method.clone(), &path).token(token).json(&body);
        answers.push((format!("{method} {path}"), request.send().await));
    }
    answers
}

async fn invitation(admin: &Session, user: &str) -> String {
    let path = format!("{}/invitation", passkeys_of(user));
    let made = admin.post(&path, &json!({})).await.expect(201).json();
    let url = made["invitation"]["url"].as_str().unwrap();
    url.split_once('#').unwrap().1.to_owned()
}

async fn begin_invited(api: &Api, secret: &str) -> Answer {
    post(
        api,
        "/v4/auth/passkey/invitation/start",
        &json!({"invitation": {"secret": secret}}),
    )
    .await
}

async fn finish_invited(api: &Api, secret: &str, credential: &Value) -> Answer {
    let body = json!({"invitation": {"secret": secret}, "credential": credential});
    post(api, "/v4/auth/passkey/invitation/finish", &body).await
}

async fn passkeys(admin: &Session, user: &str) -> usize {
    let listed = admin.get(&passkeys_of(user)).await.expect(200).json();
    listed["passkeys"].as_array().unwrap().len()
}

on_sqlite! {
    async fn i9_no_kind_of_token_that_was_handed_on_registers_or_changes_anything(db: TestDb) {
        // Consumers are authorised by administrators alone.
        let authority = seed::grant("UserProject", "alice", "demo", "admin");
        let cloud = unlimited(&db).seed(authority).start().await;
        let api = cloud.api();
        let (_, mut key, passkey) = alice(api).await;
        let session = api.login("alice", Scope::Project("demo")).await;
        let admin = api.admin().await;
        let trust = trust(&session, "bob", &json!({"impersonation": true})).await;
        let trusted = api.session(&in_trust(&password("bob"), &trust)).await;
        assert_eq!(trusted.text("/user/id"), "alice");
        let signed = ec2_token(api, &admin, &ec2_key(&session, "demo").await).await;
        let own = crate::support::delegation::application_credential(&session, json!({"name": "a", "unrestricted": true})).await;
        let application = api.session(&own.login()).await;
        let consumer = oauth1::consumer(&admin).await;
        let granted = oauth1::granted(&session, &consumer, "demo", &json!([{"name": "member"}])).await;
        let consumed = oauth1::Signer::new(&consumer).with(&granted).login(api, &Value::Null).await;
        let consumed = token_of(&consumed.expect(201));
        let id = passkey["id"].as_str().unwrap();
        for (kind, token) in [
            ("a trust's", trusted.token()), ("EC2's", signed.as_str()),
            ("an unrestricted application's", application.token()), ("a consumer's", consumed.as_str()),
        ] {
            for (what, answer) in asked(api, token, id).await {
                assert_eq!(answer.status(), 403, "{kind}: {what}: {answer:?}");
            }
        }
        // Not even by an administrator's application.
        let own = crate::support::delegation::application_credential(&admin, json!({"name": "a", "unrestricted": true})).await;
        let application = api.session(&own.login()).await;
        for (what, answer) in asked(api, application.token(), id).await {
            assert_eq!(answer.status(), 403, "{what}: {answer:?}");
        }
        assert_eq!(passkeys(&admin, "alice").await, 1);
        log_in(api, &mut key).await.expect(201);
    }

    async fn an_invitation_is_one_users_for_one_passkey_in_its_time(db: TestDb) {
        let mut cloud = unlimited(&db).start().await;
        let api = cloud.api().clone();
        let admin = api.admin().await;
        let (for_alice, for_bob) = (invitation(&admin, "alice").await, invitation(&admin, "bob").await);
        let begun = begin_invited(&api, &for_alice).await.expect(201).json();
        let mut key = Authenticator::new();
        let made = key.create(&begun["publicKey"]);
        // What was begun for one is not ended for the other; nor without, nor with what looks like one.
        assert_eq!(finish_invited(&api, &for_bob, &made).await.status(), 400);
        for wrong in ["", "x", &for_alice[1..], &format!("{for_alice}A"), &for_alice.to_lowercase(), &format!("{for_alice} ")] {
            let answer = finish_invited(&api, wrong, &made).await;
            assert!([400, 401].contains(&answer.status()), "{wrong}: {answer:?}");
            let answer = begin_invited(&api, wrong).await;
            assert!([400, 401].contains(&answer.status()), "{wrong}: {answer:?}");
        }
        let bob = api.login("bob", Scope::Unscoped).await;
        let path = format!("{}/register_finish", passkeys_of("bob"));
        assert_eq!(bob.post(&path, &json!({"credential": made})).await.status(), 400);
        assert_eq!((passkeys(&admin, "alice").await, passkeys(&admin, "bob").await), (0, 0));
        finish_invited(&api, &for_alice, &made).await.expect(201);
        let again = Authenticator::new().create(&begun["publicKey"]);
        assert_eq!(finish_invited(&api, &for_alice, &again).await.status(), 401);
        assert_eq!(begin_invited(&api, &for_alice).await.status(), 401);
        assert_eq!(passkeys(&admin, "alice").await, 1);

        // Whoever is disabled is not invited; with the passkeys of a user invitations go.
        let enabled = |on: bool| json!({"user": {"enabled": on}});
        admin.patch("/v3/users/bob", &enabled(false)).await.expect(200);
        assert_eq!(begin_invited(&api, &for_bob).await.status(), 401);
        admin.patch("/v3/users/bob", &enabled(true)).await.expect(200);
        begin_invited(&api, &for_bob).await.expect(201);
        admin.delete(&passkeys_of("bob")).await.expect(204);
        assert_eq!(begin_invited(&api, &for_bob).await.status(), 401);
        let late = invitation(&admin, "bob").await;
        let over = r#"UPDATE "ng_webauthn_invitation" SET "expires_at" = 1"#.to_owned();
        seed::behind_its_back(&mut cloud, &[over]).await;
        assert_eq!(begin_invited(cloud.api(), &late).await.status(), 401);
        assert_told_no_secret(&cloud, &[&for_alice, &for_bob, &late]);
    }

    async fn codes_of_command_lines_are_not_guessed_nor_taken_for_each_other(db: TestDb) {
        let cloud = unlimited(&db).start().await;
        let api = cloud.api();
        let begun = post(api, "/v4/auth/passkey/device", &json!({"client": "a <b>shell</b>\u{7}"})).await.expect(201).json();
        let (device, user) = (begun["device_code"].as_str().unwrap(), begun["user_code"].as_str().unwrap());
        assert!(device.len() >= 43, "{device}");
        for wrong in [user, "BCDF-GHJK", &device[1..], &device.to_lowercase(), &format!("{device}="), " ", "\u{0}"] {
            let answer = post(api, "/v4/auth/passkey/device/token", &json!({"device_code": wrong})).await.expect(400);
            assert_eq!(answer.json()["error"]["title"], "expired_token", "{wrong}");
            assert_eq!(answer.header("X-Subject-Token"), None);
        }
        let pending = post(api, "/v4/auth/passkey/device/token", &json!({"device_code": device})).await.expect(400);
        assert_eq!(pending.json()["error"]["title"], "authorization_pending");
        assert_told_no_secret(&cloud, &[device]);
    }

    async fn a_disabled_passkey_lets_nobody_in_until_its_user_enables_it(db: TestDb) {
        let cloud = world(&db).set("webauthn", "on_counter_regression", "disable").start().await;
        let api = cloud.api();
        let (session, mut key, passkey) = alice(api).await;
        let one = format!("{}/{}", passkeys_of("alice"), passkey["id"].as_str().unwrap());
        log_in(api, &mut key).await.expect(201);
        key.counter = 0;
        log_in(api, &mut key).await.expect(401);
        key.counter = 100;
        log_in(api, &mut key).await.expect(401);
        assert_eq!(session.get(&one).await.expect(200).json()["passkey"]["state"], "disabled");
        // Its user's, and nobody else's to enable.
        let bob = api.login("bob", Scope::Unscoped).await;
        let enable = json!({"passkey": {"state": "active"}});
        bob.patch(&one, &enable).await.expect(403);
        register(&bob).await;
        let as_own = format!("{}/{}", passkeys_of("bob"), passkey["id"].as_str().unwrap());
        bob.patch(&as_own, &enable).await.expect(404);
        bob.delete(&as_own).await.expect(404);
        session.patch(&one, &enable).await.expect(200);
        log_in(api, &mut key).await.expect(201);
    }
}

fn assert_told_no_secret(cloud: &Cloud<'_>, secrets: &[&str]) {
    let log = cloud.log();
    for secret in secrets {
        assert!(!log.contains(secret));
    }
}
