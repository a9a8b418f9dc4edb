//! Looking at passkeys, changing and deleting them.

use serde_json::{Value, json};

use super::{alice, log_in, passkeys_of, refused, register, start, token_of};
use crate::support::{Scope, until};
use crate::testdb::each_database;

each_database! {
    async fn passkeys_are_listed_named_disabled_and_deleted(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let (session, mut key, passkey) = alice(api).await;
        let (_, second) = register(&session).await;
        let path = passkeys_of("alice");
        let listed = session.get(&path).await.expect(200).json();
        let listed = listed["passkeys"].as_array().unwrap().clone();
        let known = |id: &Value| listed.iter().any(|one| one["id"] == *id);
        assert!(listed.len() == 2 && known(&passkey["id"]) && known(&second["id"]), "{listed:?}");
        let one = format!("{path}/{}", passkey["id"].as_str().unwrap());
        let by_credential = format!("{path}/{}", passkey["credential_id"].as_str().unwrap());
        let shown = session.get(&by_credential).await.expect(200).json();
        assert_eq!(shown["passkey"]["description"], "a key");
        assert_eq!((&shown["passkey"]["state"], &shown["passkey"]["last_used_at"]), (&json!("active"), &Value::Null));

        let name = "ü".repeat(65);
        let change = |change: Value| json!({ "passkey": change });
        let renamed = session.patch(&one, &change(json!({"description": name}))).await.expect(200).json();
        assert_eq!(renamed["passkey"]["description"], name.as_str());
        session.patch(&one, &change(json!({"description": "ü".repeat(256)}))).await.expect(400);
        session.patch(&one, &change(json!({"state": "suspect"}))).await.expect(400);
        session.patch(&one, &change(json!({}))).await.expect(400);
        session.patch(&one, &change(json!({"state": "disabled"}))).await.expect(200);
        refused(&log_in(api, &mut key).await);
        session.patch(&one, &change(json!({"state": "active", "description": null}))).await.expect(200);
        let login = log_in(api, &mut key).await.expect(201);
        assert!(session.get(&one).await.expect(200).json()["passkey"]["last_used_at"].is_string());

        // Its tokens go with it, and those made from them; others stay.
        let child = crate::support::scoped(crate::support::token(&token_of(&login)), Scope::Project("demo"));
        let child = api.session(&child).await;
        let admin = api.admin().await;
        session.delete(&one).await.expect(204);
        for token in [token_of(&login).as_str(), child.token()] {
            until("its end", async || admin.validate(token).await.status() == 404).await;
        }
        assert_eq!(admin.validate(session.token()).await.status(), 200);
        refused(&log_in(api, &mut key).await);
        session.get(&one).await.expect(404);
        session.delete(&one).await.expect(404);
    }

    async fn an_administrator_takes_all_of_them_from_who_has_lost_them(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let (session, mut key, _) = alice(api).await;
        let login = log_in(api, &mut key).await.expect(201);
        session.delete(&passkeys_of("alice")).await.expect(403);
        let admin = api.admin().await;
        admin.delete(&passkeys_of("alice")).await.expect(204);
        refused(&log_in(api, &mut key).await);
        until("its end", async || admin.validate(&token_of(&login)).await.status() == 404).await;
        assert_eq!(admin.get(&passkeys_of("alice")).await.expect(200).json()["passkeys"], json!([]));
    }
}

on_sqlite! {
    async fn tokens_can_be_spared(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let (session, mut key, passkey) = alice(api).await;
        let login = log_in(api, &mut key).await.expect(201);
        let one = format!("{}/{}", passkeys_of("alice"), passkey["id"].as_str().unwrap());
        session.delete(&format!("{one}?revoke_tokens=false")).await.expect(204);
        let admin = api.admin().await;
        assert_eq!(admin.validate(&token_of(&login)).await.status(), 200);
    }

    async fn nobody_but_the_entitled_sees_whose_passkeys_there_are(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let (_, _, passkey) = alice(api).await;
        let bob = api.login("bob", Scope::Unscoped).await;
        let one = format!("{}/{}", passkeys_of("alice"), passkey["id"].as_str().unwrap());
        for path in [passkeys_of("alice"), passkeys_of("nobody"), one.clone()] {
            bob.get(&path).await.expect(403);
            bob.delete(&path).await.expect(403);
        }
        // Not even by an own path.
        let stolen = format!("{}/{}", passkeys_of("bob"), passkey["id"].as_str().unwrap());
        bob.get(&stolen).await.expect(404);
        let admin = api.admin().await;
        admin.get(&passkeys_of("alice")).await.expect(200);
        admin.get(&passkeys_of("nobody")).await.expect(404);
    }
}
