//! What is handed on is never more than what was given, and secrets stay secret.

use std::fs;

use awc::http::Method;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::cloud::Builder;
use crate::support::delegation::{
    Ec2, application_credential, ec2_key, ec2_token, in_trust, passcode, totp, totp_secret, trust,
};
use crate::support::{Api, Cloud, Options, Scope, Session, password, scoped, seed, token};
use crate::testdb::{TestDb, each_database};

/// Alice is `member` of demo and side, bob of demo, carol of nothing; all in `default`.
fn world() -> Vec<String> {
    [
        seed::world(),
        seed::project("side", "default", true),
        seed::user("carol", "default", true),
        seed::grant("UserProject", "alice", "side", "member"),
        seed::grant("UserProject", "bob", "demo", "member"),
    ]
    .concat()
}

async fn start(db: &TestDb) -> Cloud<'_> {
    Builder::new(db).seed(world()).start().await
}

async fn member(api: &Api, user: &str) -> Session {
    api.login(user, Scope::Project("demo")).await
}

/// The same token for the kinds of tokens that were handed on, by what they were made from.
async fn delegated(api: &Api) -> Vec<(&'static str, Session)> {
    let alice = member(api, "alice").await;
    let restricted = application_credential(&alice, json!({"name": "restricted"})).await;
    let unrestricted = application_credential(
        &alice,
        json!({"name": "unrestricted", "unrestricted": true}),
    )
    .await;
    let impersonating = trust(&alice, "bob", &json!({"impersonation": true})).await;
    vec![
        (
            "a restricted application credential",
            api.session(&restricted.login()).await,
        ),
        (
            "an unrestricted application credential",
            api.session(&unrestricted.login()).await,
        ),
        (
            "a trust",
            api.session(&in_trust(&password("bob"), &impersonating))
                .await,
        ),
    ]
}

/// Stores an EC2 key of the session's user with these members in its blob besides.
async fn forged_key(session: &Session, access: &str, project: &str, source: &Value) -> Ec2 {
    let mut blob = json!({"access": access, "secret": "secret"});
    for (name, value) in source.as_object().unwrap() {
        blob[name] = value.clone();
    }
    let credential = json!({"credential": {
        "type": "ec2", "blob": blob.to_string(), "user_id": session.text("/user/id"), "project_id": project,
    }});
    session
        .post("/v3/credentials", &credential)
        .await
        .expect(201);
    Ec2 {
        access: access.to_owned(),
        secret: "secret".to_owned(),
    }
}

async fn exchange(service: &Session, key: &Ec2) -> u16 {
    service
        .post("/v3/ec2tokens", &key.signed(Utc::now()))
        .await
        .status()
}

fn expiry(session: &Session) -> String {
    session.text("/expires_at").to_owned()
}

on_sqlite! {
    async fn a1_an_application_credential_logs_in_its_owner_and_nobody_else(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let theirs = async |user: &str| {
            let owner = member(api, user).await;
            application_credential(&owner, json!({"name": "same"})).await
        };
        let (alices, bobs) = (theirs("alice").await, theirs("bob").await);
        let logs_in = async |credential: Value| {
            let body = json!({"auth": {"identity": {
                "methods": ["application_credential"], "application_credential": credential,
            }}});
            let answer = api.authenticate(&body).await;
            match answer.status() {
                201 => Some(answer.json()["token"]["user"]["id"].as_str().unwrap().to_owned()),
                _ => None,
            }
        };
        let (a, b) = (&alices.secret, &bobs.secret);
        let user = |id: &str| json!({"id": id});

        for (credential, whose) in [
            (json!({"id": alices.id, "secret": a}), Some("alice")),
            (json!({"id": alices.id, "secret": a, "user": user("alice")}), Some("alice")),
            (json!({"id": alices.id, "secret": a, "user": user("bob")}), None),
            (json!({"id": alices.id, "secret": a, "user": user("none")}), None),
            (json!({"id": alices.id, "secret": b}), None),
            (json!({"id": alices.id, "secret": b, "user": user("bob")}), None),
            (json!({"id": bobs.id, "secret": a, "user": user("alice")}), None),
            (json!({"name": "same", "secret": a, "user": user("alice")}), Some("alice")),
            (json!({"name": "same", "secret": b, "user": user("bob")}), Some("bob")),
            (json!({"name": "same", "secret": a, "user": user("bob")}), None),
            (json!({"id": bobs.id, "name": "same", "secret": a, "user": user("alice")}), None),
            (json!({"id": "", "name": "same", "secret": b, "user": user("alice")}), None),
        ] {
            assert_eq!(logs_in(credential.clone()).await.as_deref(), whose, "{credential}");
        }
    }

    async fn a3_an_application_credential_has_no_part_in_trusts(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let given = trust(&member(api, "alice").await, "bob", &json!({})).await;
        let one = format!("/v3/OS-TRUST/trusts/{given}");
        let new = json!({"trust": {
            "trustor_user_id": "alice", "trustee_user_id": "bob", "project_id": "demo", "impersonation": false,
            "roles": [{"name": "reader"}],
        }});
        for (what, session) in delegated(api).await {
            if what == "a trust" {
                continue;
            }
            assert_eq!(session.post("/v3/OS-TRUST/trusts", &new).await.status(), 403, "{what}");
            for path in ["/v3/OS-TRUST/trusts?trustor_user_id=alice", &one, &format!("{one}/roles"), &format!("{one}/roles/x")] {
                assert_eq!(session.get(path).await.status(), 403, "{what}: {path}");
            }
            assert_eq!(session.delete(&one).await.status(), 403, "{what}");
        }
        member(api, "alice").await.get(&one).await.expect(200);
    }

    async fn a4_an_ec2_key_is_for_the_project_of_what_it_was_made_with(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let (alice, admin) = (member(api, "alice").await, api.admin().await);
        let made = application_credential(&alice, json!({"name": "a"})).await;
        let bobs = application_credential(&member(api, "bob").await, json!({"name": "b"})).await;
        let given = trust(&alice, "bob", &json!({"impersonation": true})).await;

        let from = |id: &str| json!({ "app_cred_id": id });
        let right = forged_key(&alice, "right", "demo", &from(&made.id)).await;
        assert_eq!(exchange(&admin, &right).await, 200);
        let elsewhere = forged_key(&alice, "elsewhere", "side", &from(&made.id)).await;
        assert_eq!(exchange(&admin, &elsewhere).await, 401);
        let anothers = forged_key(&alice, "anothers", "demo", &from(&bobs.id)).await;
        assert_eq!(exchange(&admin, &anothers).await, 401);
        let elsewhere = forged_key(&alice, "trust elsewhere", "side", &json!({ "trust_id": given })).await;
        assert_eq!(exchange(&admin, &elsewhere).await, 401);
        let not_mine = forged_key(&member(api, "bob").await, "not mine", "demo", &json!({ "trust_id": given })).await;
        assert_eq!(exchange(&admin, &not_mine).await, 401);
    }

    async fn a6_a_token_ends_no_later_than_what_it_was_made_from(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let (alice, bob, admin) = (member(api, "alice").await, member(api, "bob").await, api.admin().await);
        let end = Utc::now() + TimeDelta::minutes(10);
        let asked = end.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let told = end.format("%Y-%m-%dT%H:%M:%S.000000Z").to_string();

        let made = application_credential(&alice, json!({"name": "short", "expires_at": asked})).await;
        assert_eq!(expiry(&api.session(&made.login()).await), told);
        let given = trust(&alice, "bob", &json!({"expires_at": asked})).await;
        assert_eq!(expiry(&api.session(&in_trust(&password("bob"), &given)).await), told);
        for (access, source) in [("a", json!({"app_cred_id": made.id})), ("t", json!({"trust_id": given}))] {
            let owner = if access == "a" { &alice } else { &bob };
            let key = forged_key(owner, access, "demo", &source).await;
            let answer = admin.post("/v3/ec2tokens", &key.signed(Utc::now())).await.expect(200).json();
            assert_eq!(answer["token"]["expires_at"], told, "{source}");
        }
        // What has ended makes no more tokens.
        cloud.execute(&["UPDATE application_credential SET expires_at = 1000000".to_owned()]).await;
        let node = cloud.start_node(Options::default()).await;
        let key = Ec2 { access: "a".to_owned(), secret: "secret".to_owned() };
        assert_eq!(exchange(&admin.at(node.api()), &key).await, 401);
        assert_eq!(node.api().authenticate(&made.login()).await.status(), 401);
    }

    async fn a7_credentials_are_out_of_reach_of_delegated_tokens(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let alice = member(api, "alice").await;
        let key = ec2_key(&alice, "demo").await;
        totp_secret(&alice, "alice").await;
        let listed = alice.get("/v3/credentials").await.expect(200).json();
        let ids: Vec<&str> = listed["credentials"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 2);
        let ec2 = "/v3/users/alice/credentials/OS-EC2";
        for (what, session) in delegated(api).await {
            assert_eq!(session.get("/v3/credentials").await.expect(200).json()["credentials"], json!([]), "{what}");
            for kind in ["totp", "ec2", "cert"] {
                let new = json!({"credential": {
                    "type": kind, "blob": r#"{"access": "x"}"#, "user_id": "alice", "project_id": "demo",
                }});
                assert_eq!(session.post("/v3/credentials", &new).await.status(), 403, "{what}: {kind}");
            }
            for id in &ids {
                let one = format!("/v3/credentials/{id}");
                assert_eq!(session.get(&one).await.status(), 403, "{what}");
                let change = json!({"credential": {"blob": "x"}});
                assert_eq!(session.patch(&one, &change).await.status(), 403, "{what}");
                assert_eq!(session.delete(&one).await.status(), 403, "{what}");
            }
            assert_eq!(session.get(ec2).await.status(), 403, "{what}");
            assert_eq!(session.post(ec2, &json!({"tenant_id": "demo"})).await.status(), 403, "{what}");
            let one = format!("{ec2}/{}", key.access);
            assert_eq!(session.get(&one).await.status(), 403, "{what}");
            assert_eq!(session.delete(&one).await.status(), 403, "{what}");
        }
        assert_eq!(alice.get("/v3/credentials").await.expect(200).json()["credentials"], listed["credentials"]);
    }

    async fn a9_application_credentials_are_managed_by_their_owner_and_what_may(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let path = "/v3/users/alice/application_credentials";
        let rules = "/v3/users/alice/access_rules";
        for (what, session) in delegated(api).await {
            let (reads, manages) = match what {
                "a trust" => (403, 403),
                "a restricted application credential" => (200, 403),
                _ => (200, 201),
            };
            let alice = member(api, "alice").await;
            let victim = application_credential(&alice, json!({
                "name": format!("victim of {what}"), "access_rules": [{"service": "compute", "path": "/v2", "method": "GET"}],
            })).await;
            let one = format!("{path}/{}", victim.id);
            let rule = format!("{rules}/{}", victim.body["access_rules"][0]["id"].as_str().unwrap());
            for readable in [path, rules, &one, &rule] {
                assert_eq!(session.get(readable).await.status(), reads, "{what}: {readable}");
            }
            let new = json!({"application_credential": {"name": format!("made by {what}")}});
            assert_eq!(session.post(path, &new).await.status(), manages, "{what}");
            assert_eq!(session.delete(&one).await.status(), if manages == 201 { 204 } else { 403 }, "{what}");
            alice.delete(&one).await;
            assert_eq!(session.delete(&rule).await.status(), if manages == 201 { 204 } else { 403 }, "{what}");
            alice.delete(&rule).await;
        }
    }

    async fn a10_what_is_made_with_a_delegation_has_no_more_roles_and_dies_with_it(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let (alice, admin) = (member(api, "alice").await, api.admin().await);
        let made = application_credential(&alice, json!({"name": "r", "roles": [{"name": "reader"}], "unrestricted": true})).await;
        let session = api.session(&made.login()).await;
        let path = "/v3/users/alice/application_credentials";
        let more = json!({"application_credential": {"name": "more", "roles": [{"name": "member"}]}});
        assert_eq!(session.post(path, &more).await.status(), 400);
        let same = application_credential(&session, json!({"name": "same"})).await;
        assert_eq!(api.session(&same.login()).await.roles(), ["reader"]);

        let given = trust(&alice, "bob", &json!({"impersonation": true, "roles": [{"name": "reader"}]})).await;
        for (access, source) in [("a", json!({"app_cred_id": made.id})), ("t", json!({"trust_id": given}))] {
            let key = forged_key(&alice, access, "demo", &source).await;
            let answer = admin.post("/v3/ec2tokens", &key.signed(Utc::now())).await.expect(200);
            let roles = answer.json()["token"]["roles"].clone();
            assert_eq!((roles.as_array().unwrap().len(), &roles[0]["name"]), (1, &json!("reader")), "{source}");
            let text = answer.header("X-Subject-Token").unwrap();
            admin.validate(text).await.expect(200);
            let source = match access {
                "a" => format!("{path}/{}", made.id),
                _ => format!("/v3/OS-TRUST/trusts/{given}"),
            };
            alice.delete(&source).await.expect(204);
            assert_eq!(admin.validate(text).await.status(), 404, "{source}");
            assert_eq!(exchange(&admin, &key).await, 404, "{source}");
        }
        // What an application credential has made outlives it, with no more roles than it had.
        assert_eq!(api.session(&same.login()).await.roles(), ["reader"]);
    }

    async fn a10_what_was_handed_on_twice_dies_with_the_first_who_gave_it(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let (alice, admin) = (member(api, "alice").await, api.admin().await);
        let first = trust(&alice, "bob", &json!({"allow_redelegation": true})).await;
        // As himself: the roles are alice's, and nothing else in the second trust is.
        let bob = api.session(&in_trust(&password("bob"), &first)).await;
        let second = trust(&bob, "carol", &json!({})).await;
        let carol = in_trust(&password("carol"), &second);
        let session = api.session(&carol).await;
        assert_eq!((session.text("/user/id"), session.roles()), ("carol", vec!["member".to_owned(), "reader".to_owned()]));
        admin.validate(session.token()).await.expect(200);

        admin.patch("/v3/users/alice", &json!({"user": {"enabled": false}})).await.expect(200);
        assert_eq!(admin.validate(session.token()).await.status(), 403);
        admin.patch("/v3/users/alice", &json!({"user": {"enabled": true}})).await.expect(200);
        let session = api.session(&carol).await;
        admin.delete("/v3/users/alice").await.expect(204);
        assert!(matches!(admin.validate(session.token()).await.status(), 403 | 404));
        assert!(matches!(api.authenticate(&carol).await.status(), 401 | 403));
    }

    async fn a11_a_credential_keeps_its_owner_its_project_and_its_source(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let (alice, admin) = (member(api, "alice").await, api.admin().await);
        forged_key(&alice, "key", "demo", &json!({"app_cred_id": "a", "trust_id": "t"})).await;
        let listed = alice.get("/v3/credentials").await.expect(200).json();
        let one = format!("/v3/credentials/{}", listed["credentials"][0]["id"].as_str().unwrap());
        let blob = |members: Value| {
            let mut blob = json!({"access": "key", "secret": "secret", "app_cred_id": "a", "trust_id": "t"});
            for (name, value) in members.as_object().unwrap() {
                blob[name] = value.clone();
            }
            json!({"blob": blob.to_string()})
        };
        for session in [&alice, &admin] {
            for change in [
                json!({"user_id": "bob"}), json!({"project_id": "side"}), json!({"type": "cert"}), json!({"id": "x"}),
                blob(json!({"app_cred_id": null})), blob(json!({"app_cred_id": "b"})), blob(json!({"trust_id": "u"})),
                blob(json!({"access_token_id": "x"})), blob(json!({"access_id": "x"})),
            ] {
                let answer = session.patch(&one, &json!({ "credential": change })).await;
                assert_eq!(answer.status(), 400, "{change}: {answer:?}");
            }
        }
        assert_eq!(alice.get(&one).await.expect(200).json()["credential"], listed["credentials"][0]);
        let fine = alice.patch(&one, &json!({"credential": blob(json!({"secret": "new"}))})).await;
        fine.expect(200);
    }

    async fn a13_a_token_of_a_signed_request_manages_nothing_here(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let admin = api.admin().await;
        // The administrator's own, so that nothing but its origin keeps it from anything.
        let project = admin.text("/project/id").to_owned();
        let key = ec2_key(&admin, &project).await;
        let text = ec2_token(api, &admin, &key).await;
        admin.validate(&text).await.expect(200);
        let user = admin.text("/user/id");
        for (method, path) in [
            (Method::POST, "/v3/users".to_owned()),
            (Method::PATCH, format!("/v3/users/{user}")),
            (Method::DELETE, "/v3/users/alice".to_owned()),
            (Method::GET, "/v3/users".to_owned()),
            (Method::POST, "/v3/roles".to_owned()),
            (Method::POST, "/v3/groups".to_owned()),
            (Method::POST, "/v3/OS-TRUST/trusts".to_owned()),
            (Method::POST, "/v3/credentials".to_owned()),
            (Method::POST, format!("/v3/users/{user}/credentials/OS-EC2")),
            (Method::POST, format!("/v3/users/{user}/application_credentials")),
            (Method::POST, "/v3/ec2tokens".to_owned()),
        ] {
            let request = api.request(method.clone(), &path).token(&text);
            let body = json!({"user": {"name": "x"}, "role": {"name": "x"}, "group": {"name": "x"}});
            let status = request.json(&body).send().await.status();
            assert!(matches!(status, 400 | 403), "{method} {path}: {status}");
        }
        // Nor is it exchanged for another.
        let another = api.authenticate(&scoped(token(&text), Scope::Project("admin"))).await;
        assert_eq!(another.status(), 403);
    }

    async fn a17_nobody_but_the_owner_sees_application_credentials(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let made = application_credential(&member(api, "alice").await, json!({"name": "a"})).await;
        let bob = member(api, "bob").await;
        for path in [
            "/v3/users/alice/application_credentials".to_owned(),
            format!("/v3/users/alice/application_credentials/{}", made.id),
            // The path says bob's, and the credential is alice's all the same.
            format!("/v3/users/bob/application_credentials/{}", made.id),
        ] {
            assert_eq!(bob.get(&path).await.status(), 403, "{path}");
            let status = bob.delete(&path).await.status();
            assert!(matches!(status, 403 | 405), "{path}: {status}");
        }
        assert_eq!(bob.get("/v3/users/bob/application_credentials").await.expect(200).json()["application_credentials"], json!([]));
        api.session(&made.login()).await;
    }

    async fn a18_no_filter_shows_the_credentials_of_others(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let alice = member(api, "alice").await;
        ec2_key(&alice, "demo").await;
        let bob = member(api, "bob").await;
        ec2_key(&bob, "demo").await;
        for query in ["", "?user_id=alice", "?type=ec2", "?user_id=alice&type=ec2", "?user_id__contains=a", "?user_id=", "?user_id=bob&user_id=alice"] {
            let listed = bob.get(&format!("/v3/credentials{query}")).await.expect(200).json();
            let owners: Vec<_> = listed["credentials"].as_array().unwrap().iter().map(|one| one["user_id"].clone()).collect();
            assert!(owners.iter().all(|owner| owner == "bob"), "{query}: {owners:?}");
        }
    }

    async fn b7_a_receipt_is_its_users_and_ends(db: TestDb) {
        let methods = "external,password,token,oauth1,mapped,application_credential,ec2credential,totp";
        let rules = |user: &str, rules: &str| vec![format!(
            r#"INSERT INTO "user_option" ("user_id", "option_id", "option_value") VALUES ('{user}', 'MFAR', '{rules}')"#
        )];
        let cloud = Builder::new(&db).set("auth", "methods", methods)
            .set("totp", "included_previous_windows", 2).seed(world())
            .seed(rules("alice", r#"[["password", "totp"]]"#)).seed(rules("bob", r#"[["password", "totp"]]"#))
            .seed(rules("carol", r#"[["password", "nosuch"]]"#)).start().await;
        let api = cloud.api();
        let admin = api.admin().await;
        for user in ["alice", "bob"] {
            totp_secret(&admin, user).await;
        }
        let receipt_at = async |api: &Api, user: &str| {
            let half = api.authenticate(&scoped(password(user), Scope::Unscoped)).await.expect(401);
            half.header("Openstack-Auth-Receipt").unwrap().to_owned()
        };
        let receipt = async |user: &str| receipt_at(api, user).await;
        let with = async |identity: Value, receipt: &str| {
            let request = api.request(Method::POST, "/v3/auth/tokens").header("Openstack-Auth-Receipt", receipt);
            request.json(&scoped(identity, Scope::Unscoped)).send().await
        };
        let now = || passcode(Utc::now());

        let bobs = receipt("bob").await;
        assert_eq!(with(totp("alice", &now()), &bobs).await.status(), 401);
        assert_eq!(with(totp("alice", "000000"), &receipt("alice").await).await.status(), 401);
        // The receipt proves a password and nothing more, however often it is shown.
        let again = with(password("bob"), &bobs).await.expect(401);
        assert_eq!(again.json()["required_auth_methods"], json!([["password", "totp"]]));
        with(totp("bob", &now()), &receipt("bob").await).await.expect(201);
        // A rule that can't be met refuses.
        assert_eq!(api.authenticate(&scoped(password("carol"), Scope::Unscoped)).await.status(), 401);
        // Those of this node have ended when they are given: nobody has to wait.
        let hasty = Options::default().set("auth", "methods", methods).set("receipt", "expiration", 0);
        let hasty = cloud.start_node(hasty).await;
        let over = receipt_at(hasty.api(), "bob").await;
        let ended = with(password("bob"), &over).await.expect(401);
        assert_eq!(ended.message(), "Could not find auth receipt.");
    }

    async fn b9_signed_requests_are_shown_by_services_and_soon(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let (alice, admin) = (member(api, "alice").await, api.admin().await);
        let key = ec2_key(&alice, "demo").await;
        let now = Utc::now();
        for (path, signed) in [("/v3/ec2tokens", key.signed(now)), ("/v3/s3tokens", key.signed_s3(now))] {
            assert_eq!(api.request(Method::POST, path).json(&signed).send().await.status(), 401, "{path}");
            assert_eq!(alice.post(path, &signed).await.status(), 403, "{path}");
            admin.post(path, &signed).await.expect(200);
        }
        for minutes in [-16, 16] {
            let then = now + TimeDelta::minutes(minutes);
            assert_eq!(admin.post("/v3/ec2tokens", &key.signed(then)).await.status(), 401, "{minutes}");
            assert_eq!(admin.post("/v3/s3tokens", &key.signed_s3(then)).await.status(), 401, "{minutes}");
        }
        // A time beside what was signed makes an old request no younger.
        let mut old = key.signed(now - TimeDelta::minutes(16));
        old["credentials"]["headers"] = json!({"X-Amz-Date": now.format("%Y%m%dT%H%M%SZ").to_string()});
        assert_eq!(admin.post("/v3/ec2tokens", &old).await.status(), 401);
        old["credentials"]["params"]["Timestamp"] = now.format("%Y-%m-%dT%H:%M:%SZ").to_string().into();
        assert_eq!(admin.post("/v3/ec2tokens", &old).await.status(), 401);
    }
}

each_database! {
    async fn b8_a_passcode_works_once_on_all_nodes(db: TestDb) {
        let options = || Options::default()
            .set("auth", "methods", "password,token,totp,application_credential,ec2credential")
            .set("totp", "included_previous_windows", 2);
        let cloud = Builder::new(&db).set("auth", "methods", "password,token,totp,application_credential,ec2credential")
            .set("totp", "included_previous_windows", 2).seed(world()).start().await;
        let other = cloud.start_node(options()).await;
        totp_secret(&cloud.api().admin().await, "alice").await;
        let code = passcode(Utc::now());
        let body = scoped(totp("alice", &code), Scope::Unscoped);

        let apis = [cloud.api(), other.api()];
        let tries = (0..8).map(|n| apis[n % 2].authenticate(&body));
        let answers = futures_util::future::join_all(tries).await;

        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 401, 401, 401, 401, 401, 401, 401]);
        for api in apis {
            assert_eq!(api.authenticate(&body).await.status(), 401);
        }
    }

    async fn c6_secrets_are_encrypted_outlive_rotations_and_a_lost_key_is_named(db: TestDb) {
        let mut cloud = start(&db).await;
        let keys = db.scratch().join("credential-keys");
        let hash = || {
            let mut files: Vec<_> = fs::read_dir(&keys).unwrap().map(|file| file.unwrap().path()).collect();
            files.sort();
            let text = fs::read(files.last().unwrap()).unwrap();
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &text);
            digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        let command = |name: &str| {
            let output = Cloud::command(&["credential", name]).arg("--config-file").arg(cloud.config_file()).output().unwrap();
            let printed = [output.stdout, output.stderr].concat();
            (output.status.success(), String::from_utf8_lossy(&printed).into_owned())
        };
        let alice = member(cloud.api(), "alice").await;
        let new = json!({"credential": {"type": "cert", "blob": "marked-s3cret", "user_id": "alice"}});
        let made = alice.post("/v3/credentials", &new).await.expect(201).json();
        let one = format!("/v3/credentials/{}", made["credential"]["id"].as_str().unwrap());

        assert!(command("rotate").0);
        let (rotated, why) = command("rotate");
        assert!(!rotated && why.contains("credential migrate"), "{why}");
        let (migrated, told) = command("migrate");
        assert!(migrated && told.contains("1 credential was encrypted anew"), "{told}");
        assert!(command("rotate").0);
        assert_eq!(alice.get(&one).await.expect(200).json()["credential"]["blob"], "marked-s3cret");
        assert!(command("migrate").0);

        let lost = hash();
        cloud.stop().await;
        fs::remove_dir_all(&keys).unwrap();
        cloud.run(&["credential", "setup"], &[]);
        cloud.start_again().await;
        let answer = alice.get(&one).await.expect(500);
        assert!(!answer.message().contains(&lost));
        cloud.until_logged(&[&lost]).await;
        cloud.until_logged(&["answered", "status=500"]).await;
        assert!(!cloud.log().contains("marked-s3cret"));
        let output = Cloud::command(&["credential", "migrate"]).arg("--config-file").arg(cloud.config_file()).output().unwrap();
        assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains(&lost));
        // It can still be got rid of.
        alice.delete(&one).await.expect(204);
    }
}
