//! Logging in, and being refused.

use serde_json::{Value, json};

use super::{alice, begin, finish, log_in, refused, start, token_of, world};
use crate::notifications::wait_for;
use crate::support::passkey::{Authenticator, legacy};
use crate::support::{Options, Scope, seed};
use crate::testdb::each_database;

each_database! {
    async fn a_passkey_logs_in_in_either_spelling_named_or_not(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let (session, mut key, _) = alice(api).await;

        let answer = log_in(api, &mut key).await.expect(201);
        let token = answer.json()["token"].clone();
        assert_eq!((&token["user"]["id"], &token["methods"]), (&json!("alice"), &json!(["webauthn"])));
        assert!(token.get("project").is_none() && token.get("catalog").is_none(), "{token}");
        assert_eq!(session.validate(&token_of(&answer)).await.status(), 200);

        // The older spelling, by ID.
        let begun = begin(api, &json!({"passkey": {"user_id": "alice"}})).await;
        let old = &begun["public_key"];
        assert_eq!(old["user_verification"], "Required");
        assert_eq!(old["allow_credentials"].as_array().unwrap().len(), 1);
        assert!(old["challenge"].as_str().unwrap().len().is_multiple_of(4));
        let mut body = legacy(&key.get(&begun["publicKey"]));
        body["user_id"] = json!("alice");
        finish(api, &body).await.expect(201);

        // By name, with a scope, the members of which may come in any order.
        let user = json!({"name": "alice", "domain": {"name": "Default"}});
        let scope = json!({"project": {"name": "demo", "domain": {"id": "default"}}});
        let begun = begin(api, &json!({"passkey": {"user": user}, "scope": scope})).await;
        let scope = json!({"project": {"domain": {"id": "default"}, "name": "demo"}});
        let credential = key.get(&begun["publicKey"]);
        let body = json!({"user": user, "scope": scope, "credential": credential});
        let answer = finish(api, &body).await.expect(201);
        let token = answer.json()["token"].clone();
        assert_eq!(token["project"]["name"], "demo");
        assert!(token["catalog"].is_array());

        // The token is as good as any: it is no delegated one, and can be rescoped.
        let again = scoped_by(&token_of(&answer));
        assert_eq!(api.authenticate(&again).await.status(), 201);
    }

    async fn a_login_that_is_begun_at_one_node_ends_at_another_once(db: TestDb) {
        let first = start(&db).await;
        let second = first.start_node(crate::support::passkey::enabled()).await;
        let (_, mut key, _) = alice(first.api()).await;

        let begun = begin(first.api(), &json!({"passkey": {}})).await;
        let body = json!({"credential": key.get(&begun["publicKey"])});
        finish(second.api(), &body).await.expect(201);
        for api in [first.api(), second.api()] {
            refused(&finish(api, &body).await);
        }
    }

    async fn whoever_is_refused_learns_nothing(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let (_, mut key, _) = alice(api).await;
        let bob = api.login("bob", Scope::Unscoped).await;
        let (mut bobs, _) = super::register(&bob).await;

        // Somebody known without passkeys, with some, and nobody: one shape.
        for user in ["alice", "admin", "nobody"] {
            let begun = begin(api, &json!({"passkey": {"user_id": user}})).await;
            let allowed = begun["publicKey"]["allowCredentials"].as_array().unwrap();
            assert!(!allowed.is_empty(), "{user}: {begun}");
            let again = begin(api, &json!({"passkey": {"user_id": user}})).await;
            assert_eq!(again["publicKey"]["allowCredentials"], json!(allowed), "{user}");
        }
        // Another's key; one that nobody has; another scope than that it was begun for.
        let named = begin(api, &json!({"passkey": {"user_id": "alice"}})).await;
        let credential = bobs.get(&named["publicKey"]);
        refused(&finish(api, &json!({"user_id": "alice", "credential": credential})).await);
        refused(&finish(api, &json!({"user_id": "bob", "credential": credential})).await);
        refused(&log_in(api, &mut Authenticator::new()).await);
        let begun = begin(api, &json!({"passkey": {}, "scope": {"unscoped": {}}})).await;
        let credential = key.get(&begun["publicKey"]);
        let other = json!({"project": {"id": "demo"}});
        refused(&finish(api, &json!({"credential": credential, "scope": other})).await);
        // Another page; nobody looked who it was; a counter that goes back.
        let begun = begin(api, &json!({"passkey": {}})).await;
        key.origin = "https://evil.example".to_owned();
        refused(&finish(api, &json!({"credential": key.get(&begun["publicKey"])})).await);
        key.origin = crate::support::passkey::ORIGIN.to_owned();
        key.verifies = false;
        refused(&finish(api, &json!({"credential": key.get(&begun["publicKey"])})).await);
        key.verifies = true;
        finish(api, &json!({"credential": key.get(&begun["publicKey"])})).await.expect(201);
        key.counter -= 2;
        refused(&log_in(api, &mut key).await);
    }

    async fn two_spellings_of_a_name_tell_no_more_than_one(db: TestDb) {
        let cloud = super::forged::unlimited(&db).start().await;
        let api = cloud.api();
        alice(api).await;
        let admin = api.admin().await;
        let offered = async |name: &str, domain: Value| {
            let user = json!({"name": name, "domain": domain});
            let begun = begin(api, &json!({"passkey": {"user": user}})).await;
            begun["publicKey"]["allowCredentials"].clone()
        };

        // With a passkey, without one, disabled, unknown; and of a domain that is disabled.
        let of_default = ["alice", "bob", "dora", "nobody"].map(|name| (name, "default", "Default"));
        let of_shut = ["eve", "nobody"].map(|name| (name, "shut", "shut"));
        for is_open in [true, false] {
            for (name, id, domain) in of_default.into_iter().chain(of_shut) {
                let told = format!("{name} of {domain}, default is open: {is_open}");
                let by_id = offered(name, json!({"id": id})).await;
                assert_eq!(offered(name, json!({"name": domain})).await, by_id, "{told}");
                // What some databases take for the same name is another one.
                for other in [name.to_uppercase(), format!("{name} "), name.replace('e', "\u{e9}")] {
                    if other != name {
                        let by_other = offered(&other, json!({"id": id})).await;
                        assert_ne!(by_other, by_id, "{told}, {other:?}");
                        assert_eq!(offered(&other, json!({"name": domain})).await, by_other, "{told}, {other:?}");
                    }
                }
                for other in [json!({"name": domain.to_uppercase()}), json!({"id": id.to_uppercase()})] {
                    assert_ne!(offered(name, other.clone()).await, by_id, "{told}, {other}");
                }
            }
            if is_open {
                let shut = json!({"domain": {"enabled": false}});
                admin.patch("/v3/domains/default", &shut).await.expect(200);
            }
        }
    }

    async fn who_may_not_log_in_may_not_by_passkey(db: TestDb) {
        let mut cloud = world(&db)
            .set("security_compliance", "lockout_failure_attempts", 2)
            .start()
            .await;
        let (_, mut key, _) = alice(cloud.api()).await;
        for _ in 0..2 {
            let wrong = crate::support::login::password_is("alice", "wrong");
            cloud.api().authenticate(&crate::support::scoped(wrong, Scope::Unscoped)).await.expect(401);
        }
        refused(&log_in(cloud.api(), &mut key).await);
        let open = r#"UPDATE "local_user" SET "failed_auth_count" = 0 WHERE "user_id" = 'alice'"#;
        seed::behind_its_back(&mut cloud, &[open.to_owned()]).await;
        log_in(cloud.api(), &mut key).await.expect(201);

        let admin = cloud.api().admin().await;
        let disable = json!({"user": {"enabled": false}});
        admin.patch("/v3/users/alice", &disable).await.expect(200);
        refused(&log_in(cloud.api(), &mut key).await);
    }
}

fn scoped_by(token: &str) -> serde_json::Value {
    crate::support::scoped(crate::support::token(token), Scope::Project("demo"))
}

on_sqlite! {
    async fn what_is_malformed_is_400_in_keystones_words(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let (_, mut key, _) = alice(api).await;
        let begun = begin(api, &json!({"passkey": {}})).await;
        let good = json!({"credential": key.get(&begun["publicKey"])});
        for (place, value) in [
            ("/credential/rawId", json!("=")),
            ("/credential/rawId", json!(5)),
            ("/credential/response", json!(null)),
            ("/credential/response/signature", json!("a+b/")),
            ("/credential/response/clientDataJSON", json!("")),
            ("/credential/type", json!("password")),
            ("/credential", json!([])),
        ] {
            let mut body = good.clone();
            *body.pointer_mut(place).unwrap() = value;
            let answer = finish(api, &body).await.expect(400).json();
            assert_eq!(answer["error"]["title"], "Bad Request", "{place}: {answer}");
        }
        for body in [json!({}), json!({"passkey": 1}), json!({"passkey": {}, "scope": {"project": {}, "domain": {}}})] {
            super::post(api, "/v4/auth/passkey/start", &body).await.expect(400);
        }
        finish(api, &good).await.expect(201);
    }

    async fn without_the_option_there_is_nothing(db: TestDb) {
        let cloud = crate::support::Cloud::start(&db).await;
        let api = cloud.api();
        for path in ["/v4", "/.well-known/webauthn", "/v4/users/alice/passkeys"] {
            assert_eq!(api.request(awc::http::Method::GET, path).send().await.status(), 404, "{path}");
        }
        super::post(api, "/v4/auth/passkey/start", &json!({"passkey": {}})).await.expect(404);
        let passkey = json!({"methods": ["webauthn"], "webauthn": {"credential": {}}});
        api.authenticate(&json!({"auth": {"identity": passkey}})).await.expect(400);
        let document = api.request(awc::http::Method::GET, "/openapi.json").send().await.json();
        assert!(document["paths"].get("/v4/auth/passkey/start").is_none());
    }

    async fn browsers_and_clients_find_the_paths(db: TestDb) {
        let cloud = world(&db).set("webauthn", "related_origins", "https://other.example").start().await;
        let api = cloud.api();
        let get = async |path: &str| api.request(awc::http::Method::GET, path).send().await.expect(200).json();
        assert_eq!(
            get("/.well-known/webauthn").await,
            json!({"origins": ["https://id.cloud.example", "https://other.example"]})
        );
        let endpoints = get("/.well-known/passkey-endpoints").await;
        assert_eq!(endpoints["manage"], "https://id.cloud.example/passkeys");
        assert_eq!(get("/v4").await["version"]["id"], "v4.0");
        assert!(get("/openapi.json").await["paths"]["/v4/auth/passkey/start"].is_object());
        // A page of the related origin may use them.
        let (_, mut key, _) = alice(api).await;
        key.origin = "https://other.example".to_owned();
        log_in(api, &mut key).await.expect(201);
    }

    async fn auditors_are_told_what_happened_and_no_secret(db: TestDb) {
        let cloud = world(&db).notifying().set("webauthn", "on_counter_regression", "disable").start().await;
        let api = cloud.api();
        let (session, mut key, passkey) = alice(api).await;
        let id = passkey["id"].as_str().unwrap();
        let created = wait_for(&cloud, "identity.passkey.created", id).await;
        assert_eq!(created["payload"]["initiator"]["user_id"], "alice");
        log_in(api, &mut key).await.expect(201);
        key.counter = 0;
        refused(&log_in(api, &mut key).await);
        let disabled = wait_for(&cloud, "identity.passkey.disabled", id).await;
        let why = disabled["payload"]["reason"]["reasonType"].as_str().unwrap();
        assert!(why.contains("from 1 to 1"), "{why}");
        assert_eq!(disabled["payload"]["initiator"]["user_id"], "alice");
        cloud.until_logged(&["identity.authenticate", "CounterRegression"]).await;
        let log = cloud.log();
        assert!(!log.contains(session.token()));
        // It is disabled: the right counter does not help.
        key.counter = 10;
        refused(&log_in(api, &mut key).await);
    }

    async fn a_server_that_could_not_say_it_in_tokens_does_not_start(db: TestDb) {
        let options = crate::support::passkey::enabled().set("auth", "methods", "password,token");
        let cloud = crate::support::Cloud::configured(&db, options);
        let said = cloud.fails(&["serve"]);
        let said = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(said.contains("add x509 at the end of [auth] methods"), "{said}");
    }

    async fn beside_python_tokens_say_x509(db: TestDb) {
        let methods = "external,password,token,oauth1,mapped,application_credential,ec2credential,x509";
        let cloud = world(&db).set("auth", "methods", methods).start().await;
        let api = cloud.api();
        let (_, mut key, _) = alice(api).await;
        let answer = log_in(api, &mut key).await.expect(201);
        assert_eq!(answer.json()["token"]["methods"], json!(["x509"]));
        let other = cloud.start_node(Options::default().set("auth", "methods", methods)).await;
        let admin = other.api().admin().await;
        assert_eq!(admin.validate(&token_of(&answer)).await.status(), 200);
    }
}
