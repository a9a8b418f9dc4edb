//! Credentials, EC2 keys, and tokens for signed requests.

use awc::http::Method;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::cloud::Builder;
use crate::support::delegation::ec2_key;
use crate::support::{Scope, each_keystone, seed};

const ACCESS: &str = "c6e4d8d6";

fn wanted(attributes: Value) -> Value {
    json!({ "credential": attributes })
}

each_keystone! {
    async fn a_credential_lives_as_in_keystone(builder: Builder) {
        let cloud = builder.seed(seed::world()).start().await;
        let api = cloud.api();
        let alice = api.login("alice", Scope::Project("demo")).await;
        let bob = api.login("bob", Scope::Unscoped).await;
        let admin = api.admin().await;
        let path = "/v3/credentials";

        let made = alice.post(path, &wanted(json!({"type": "cert", "blob": "s3cret", "user_id": "alice", "colour": "red"}))).await;
        let made = made.expect(201).json();
        let cert = made["credential"]["id"].as_str().unwrap().to_owned();
        assert_eq!(made["credential"], json!({
            "colour": "red", "id": cert, "user_id": "alice", "project_id": null, "type": "cert", "blob": "s3cret",
            "links": {"self": format!("{}{path}/{cert}", api.base())},
        }));
        let blob = format!(r#"{{"access": "{ACCESS}", "secret": "s"}}"#);
        let ec2 = wanted(json!({"type": "ec2", "blob": blob, "user_id": "alice", "project_id": "demo"}));
        let id = alice.post(path, &ec2).await.expect(201).json()["credential"]["id"].as_str().unwrap().to_owned();
        assert_eq!(id.len(), 64);

        let malformed = "The server could not comply with the request since it is either malformed or otherwise \
                         incorrect. The client is assumed to be in error.";
        for (attributes, status, message) in [
            (json!({"type": "ec2", "blob": blob, "user_id": "alice", "project_id": "demo"}), 409,
                format!("Conflict occurred attempting to store credential - Duplicate entry found with ID {id}.")),
            (json!({"type": "ec2", "blob": "x", "user_id": "alice", "project_id": "demo"}), 400, "Invalid blob in credential".to_owned()),
            (json!({"type": "ec2", "blob": "{}", "user_id": "alice", "project_id": "demo"}), 400,
                format!("Expecting to find blob in credential. {malformed}")),
            (json!({"type": "EC2", "blob": "{\"a\": 1}", "user_id": "alice"}), 400,
                format!("Expecting to find access in credential. {malformed}")),
            (json!({"type": "cert", "blob": "x", "user_id": "bob"}), 403,
                "You are not authorized to perform the requested action: identity:create_credential.".to_owned()),
        ] {
            let answer = alice.post(path, &wanted(attributes.clone())).await;
            assert_eq!((answer.status(), answer.message()), (status, message), "{attributes}");
        }
        for attributes in [
            json!({"type": "ec2", "blob": blob, "user_id": "alice"}),
            json!({"type": "cert", "user_id": "alice"}),
            json!({"type": "cert", "blob": {"a": 1}, "user_id": "alice"}),
        ] {
            let answer = alice.post(path, &wanted(attributes.clone())).await;
            assert_eq!(answer.status(), 400, "{attributes}: {answer:?}");
        }

        // Everybody sees their own, whatever they ask for.
        let listed = async |session: &crate::support::Session, query: &str| {
            let body = session.get(&format!("{path}{query}")).await.expect(200).json();
            body["credentials"].as_array().unwrap().len()
        };
        assert_eq!((listed(&alice, "").await, listed(&bob, "").await, listed(&admin, "").await), (2, 0, 2));
        assert_eq!((listed(&alice, "?type=ec2").await, listed(&bob, "?user_id=alice").await), (1, 0));
        assert_eq!((listed(&admin, "?user_id=alice&type__contains=er").await, listed(&admin, "?user_id=none").await), (1, 0));
        assert_eq!(bob.get(&format!("{path}/{cert}")).await.status(), 403);
        assert_eq!(bob.get(&format!("{path}/none")).await.status(), 403);
        assert_eq!(admin.get(&format!("{path}/none")).await.expect(404).message(), "Could not find credential: none.");
        assert_eq!(admin.get(&format!("{path}/{cert}")).await.expect(200).json()["credential"]["blob"], "s3cret");
        assert_eq!(alice.head(&format!("{path}/{cert}")).await.status(), 200);

        // Only the secret changes, and what an EC2 key was made with is no part of it.
        let one = format!("{path}/{id}");
        let change = async |attributes: Value| alice.patch(&one, &wanted(attributes)).await;
        let changed = change(json!({"blob": format!(r#"{{"access": "{ACCESS}", "secret": "t"}}"#)})).await;
        assert_eq!(changed.expect(200).json()["credential"]["id"], json!(id));
        for (attributes, message) in [
            (json!({"blob": blob, "type": "cert"}), "Additional properties are not allowed ('type' was unexpected)"),
            (json!({}), "'blob' is a required property"),
            (json!({"blob": "x"}), "Invalid blob in credential"),
            (json!({"blob": r#"{"access": "x", "trust_id": "t"}"#}), "trust_id can not be updated for credential"),
            (json!({"blob": r#"{"access": "x", "app_cred_id": "t"}"#}), "app_cred_id can not be updated for credential"),
            (json!({"blob": r#"{"access": "x", "access_id": "t"}"#}), "access_id can not be updated for credential"),
        ] {
            let answer = change(attributes.clone()).await.expect(400);
            assert!(answer.message().ends_with(message), "{attributes}: {answer:?}");
        }
        alice.delete(&format!("{path}/{cert}")).await.expect(204);
        assert_eq!(admin.delete(&format!("{path}/{cert}")).await.status(), 404);
        assert_eq!(listed(&alice, "").await, 1);
    }

    async fn a_signed_request_is_its_signers(builder: Builder) {
        let cloud = builder.seed(seed::world()).start().await;
        let api = cloud.api();
        let alice = api.login("alice", Scope::Project("demo")).await;
        let admin = api.admin().await;
        let path = "/v3/users/alice/credentials/OS-EC2";
        let key = ec2_key(&alice, "demo").await;
        let one = format!("{path}/{}", key.access);

        let shown = alice.get(&one).await.expect(200).json();
        assert_eq!(shown["credential"], json!({
            "user_id": "alice", "tenant_id": "demo", "access": key.access, "secret": key.secret, "trust_id": null,
            "links": {"self": format!("{}{one}", api.base())},
        }));
        assert_eq!(alice.get(path).await.expect(200).json()["credentials"].as_array().unwrap().len(), 1);
        assert_eq!(alice.post(path, &json!({})).await.expect(404).message(), "Could not find project: None.");
        let unknown = alice.get(&format!("{path}/none")).await.expect(404).message();
        assert!(unknown.starts_with("Could not find credential: ") && unknown.len() == 92, "{unknown}");
        assert_eq!(api.login("bob", Scope::Unscoped).await.get(&one).await.status(), 403);

        // A service exchanges it, for the user's roles on the project of the key.
        let now = Utc::now();
        let answer = admin.post("/v3/ec2tokens", &key.signed(now)).await.expect(200);
        let token = answer.json();
        assert_eq!((&token["token"]["user"]["id"], &token["token"]["project"]["id"]), (&json!("alice"), &json!("demo")));
        assert_eq!(token["token"]["methods"], json!(["ec2credential"]));
        let text = answer.header("X-Subject-Token").unwrap();
        assert_eq!(admin.validate(text).await.expect(200).json()["token"]["user"]["id"], "alice");
        let answer = admin.post("/v3/s3tokens", &key.signed_s3(now)).await.expect(200);
        assert_eq!(answer.json()["token"]["user"]["id"], "alice");
        let mut named = key.signed(now);
        named["ec2Credentials"] = named["credentials"].take();
        admin.post("/v3/ec2tokens", &named).await.expect(200);

        for path in ["/v3/ec2tokens", "/v3/s3tokens"] {
            assert_eq!(admin.get(path).await.status(), 405);
            assert_eq!(admin.post(path, &json!({})).await.expect(400).message(), "request must include a request body");
            assert_eq!(admin.post(path, &json!({"credentials": {"signature": "x"}})).await.status(), 401);
            let unknown = json!({"credentials": {"access": "none", "signature": "x", "params": {}}});
            assert_eq!(admin.post(path, &unknown).await.expect(404).message(), "EC2 access key not found.");
        }
        for mut signed in [key.signed(now), key.signed_s3(now)] {
            let path = if signed["credentials"].get("token").is_some() { "/v3/s3tokens" } else { "/v3/ec2tokens" };
            signed["credentials"]["signature"] = "x".into();
            assert_eq!(admin.post(path, &signed).await.status(), 401);
        }
        let old = key.signed(now - TimeDelta::minutes(16));
        assert_eq!(admin.post("/v3/ec2tokens", &old).await.status(), 401);

        alice.delete(&one).await.expect(204);
        assert_eq!(admin.post("/v3/ec2tokens", &key.signed(now)).await.status(), 404);
    }
}

on_sqlite! {
    async fn a_long_list_is_whole_though_it_is_written_in_pieces(db: TestDb) {
        let cloud = Builder::new(&db).seed(seed::world()).start().await;
        let admin = cloud.api().admin().await;
        let blob = "x".repeat(4096);
        let one = wanted(json!({"type": "cert", "blob": blob, "user_id": "alice"}));
        let id = admin.post("/v3/credentials", &one).await.expect(201).json()["credential"]["id"].clone();
        let copy = |number: usize| format!(
            r#"INSERT INTO "credential" ("id", "user_id", "type", "extra", "key_hash", "encrypted_blob")
               SELECT 'copy{number:03}', "user_id", "type", "extra", "key_hash", "encrypted_blob" FROM "credential"
                WHERE "id" = '{}'"#,
            id.as_str().unwrap()
        );
        let copies: Vec<_> = (0..100).map(copy).collect();
        cloud.execute(&copies).await;

        let answer = admin.get("/v3/credentials").await.expect(200);

        assert_eq!(answer.header("Content-Length"), None);
        let all = answer.json()["credentials"].clone();
        let all = all.as_array().unwrap();
        assert_eq!(all.len(), 101);
        assert!(all.iter().all(|one| one["blob"] == blob));
        let page = admin.get("/v3/credentials?limit=90").await.expect(200).json();
        assert_eq!(page["credentials"].as_array().unwrap().len(), 90);
        assert_eq!(page["truncated"], true);
        let next = page["links"]["next"].as_str().unwrap().strip_prefix(cloud.api().base()).unwrap();
        let rest = admin.get(next).await.expect(200).json();
        assert_eq!(rest["credentials"].as_array().unwrap().len(), 11);

        // What is no secret any more is no answer: the list ends before its end, and is not taken for one.
        let damage = |set: &str, which: &str| [format!(r#"UPDATE "credential" SET {set} WHERE "id" LIKE '{which}'"#)];
        cloud.execute(&damage(r#""encrypted_blob" = 'damaged'"#, "copy099")).await;
        let list = || admin.request(Method::GET, "/v3/credentials");
        // The client of the tests takes the end of the connection for that of the answer; others tell.
        let broken = list().try_send().await;
        let whole = broken.as_ref().is_ok_and(|it| serde_json::from_slice::<Value>(it.bytes()).is_ok());
        assert!(!whole, "{broken:?}");
        cloud.until_logged(&["copy099"]).await;
        // What can be known before, is.
        cloud.execute(&damage(r#""key_hash" = 'lost'"#, "copy099")).await;
        assert_eq!(list().send().await.status(), 500);
        cloud.execute(&[r#"DELETE FROM "credential" WHERE "id" = 'copy099'"#.to_owned()]).await;
        list().send().await.expect(200);
        cloud.execute(&damage(r#""encrypted_blob" = 'damaged'"#, "%")).await;
        assert_eq!(list().send().await.status(), 500);
    }
}
