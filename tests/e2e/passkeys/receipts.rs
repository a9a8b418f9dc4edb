//! Logins in several steps that begin with a passkey, and what becomes of them with the passkey.

use serde_json::{Value, json};

use super::factors::{RECEIPT, body, passkey, ruled, with_receipt};
use super::{passkeys_of, token_of, world};
use crate::support::passkey::{Authenticator, enabled};
use crate::support::{Scope, password, until};
use crate::testdb::each_database;

/// The path of alice's first passkey.
fn first(listed: &Value) -> String {
    let id = listed["passkeys"][0]["id"].as_str().expect("a passkey");
    format!("{}/{id}", passkeys_of("alice"))
}

each_database! {
    async fn a_token_of_two_steps_goes_with_the_passkey_of_the_first(db: TestDb) {
        let cloud = world(&db).set("webauthn", "mfa_equivalent", false).start().await;
        let (cloud, session, mut key) = ruled(cloud, r#"[["password", "webauthn"]]"#).await;
        let other = cloud.start_node(enabled().set("webauthn", "mfa_equivalent", false)).await;
        let api = cloud.api();
        let admin = api.admin().await;
        let begun = async |key: &mut Authenticator| {
            let due = api.authenticate(&body(&passkey(api, key).await)).await.expect(401);
            due.header(RECEIPT).unwrap().to_owned()
        };

        // Ended at another node; and with a token made of it.
        let receipt = begun(&mut key).await;
        let made = with_receipt(other.api(), &receipt, &password("alice")).await.expect(201);
        let child = crate::support::scoped(crate::support::token(&token_of(&made)), Scope::Project("demo"));
        let child = api.session(&child).await;
        // Under way while the passkey is turned off, and while it is deleted.
        let receipt = begun(&mut key).await;
        let one = first(&session.at(api).get(&passkeys_of("alice")).await.expect(200).json());
        let put = async |state: &str| {
            let change = json!({"passkey": {"state": state}});
            admin.patch(&one, &change).await.expect(200);
        };
        put("disabled").await;
        let refused = with_receipt(api, &receipt, &password("alice")).await.expect(401);
        assert_eq!(refused.message(), "Could not find auth receipt.");
        assert_eq!(refused.header(RECEIPT), None);
        put("active").await;
        with_receipt(api, &receipt, &password("alice")).await.expect(201);

        admin.delete(&one).await.expect(204);
        for token in [token_of(&made).as_str(), child.token()] {
            until("its end", async || admin.validate(token).await.status() == 404).await;
        }
        with_receipt(api, &receipt, &password("alice")).await.expect(401);
        // What was begun by password is not touched.
        let due = api.authenticate(&body(&password("alice"))).await.expect(401);
        assert!(due.header(RECEIPT).is_some());
    }
}

on_sqlite! {
    async fn a_passkey_is_remembered_by_way_of_two_receipts(db: TestDb) {
        let cloud = world(&db).set("webauthn", "mfa_equivalent", false).start().await;
        let (cloud, session, mut key) = ruled(cloud, r#"[["password", "webauthn", "totp"]]"#).await;
        let api = cloud.api();
        let admin = api.admin().await;
        let due = api.authenticate(&body(&passkey(api, &mut key).await)).await.expect(401);
        let first_receipt = due.header(RECEIPT).unwrap().to_owned();
        let due = with_receipt(api, &first_receipt, &password("alice")).await.expect(401);
        let second_receipt = due.header(RECEIPT).unwrap().to_owned();
        let one = first(&session.at(api).get(&passkeys_of("alice")).await.expect(200).json());
        admin.delete(&one).await.expect(204);
        for receipt in [first_receipt, second_receipt] {
            let refused = with_receipt(api, &receipt, &password("alice")).await.expect(401);
            assert_eq!(refused.message(), "Could not find auth receipt.");
        }
    }
}
