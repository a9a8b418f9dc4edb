//! One-time passwords, alone and as a second factor.

use chrono::Utc;
use serde_json::{Value, json};

use crate::support::delegation::{passcode, totp, totp_secret, ways_due};
use crate::support::login::PASSWORD;
use crate::support::{Scope, each_keystone, password, scoped, seed};

const METHODS: &str =
    "external,password,token,oauth1,mapped,application_credential,ec2credential,totp";

fn rules(user: &str) -> String {
    format!(
        r#"INSERT INTO "user_option" ("user_id", "option_id", "option_value") VALUES ('{user}', 'MFAR', '[["password", "totp"]]')"#
    )
}

each_keystone! {
    async fn a_passcode_logs_in_and_completes_what_a_password_began(builder: Builder) {
        let cloud = builder
            .set("auth", "methods", METHODS)
            .set("totp", "included_previous_windows", 2)
            .seed(seed::world())
            .seed(vec![rules("bob")])
            .start()
            .await;
        let api = cloud.api();
        let admin = api.admin().await;
        for user in ["alice", "bob", "dora"] {
            totp_secret(&admin, user).await;
        }
        let now = || passcode(Utc::now());

        // Alone, for a user without rules.
        let session = api.session(&scoped(totp("alice", &now()), Scope::Project("demo"))).await;
        assert_eq!((session.text("/user/id"), session.issued()["methods"].clone()), ("alice", json!(["totp"])));
        let by_name = json!({"methods": ["totp"], "totp": {"user": {
            "name": "alice", "domain": {"id": "default"}, "passcode": "not one",
        }}});
        for refused in [
            by_name, totp("alice", "000000"), totp("alice", ""), totp("none", &now()), totp("dora", &now()), totp("admin", &now()),
            json!({"methods": ["totp"], "totp": {"user": {"id": "alice"}}}),
        ] {
            let answer = api.authenticate(&scoped(refused.clone(), Scope::Unscoped)).await;
            assert_eq!(answer.status(), 401, "{refused}: {answer:?}");
        }
        assert_eq!(api.authenticate(&scoped(json!({"methods": ["totp"], "totp": {}}), Scope::Unscoped)).await.status(), 400);

        // Together, in one request or in two.
        let half = api.authenticate(&scoped(password("bob"), Scope::Unscoped)).await.expect(401);
        assert_eq!(ways_due(&half), [["password", "totp"]]);
        let receipt = half.header("Openstack-Auth-Receipt").unwrap().to_owned();
        // The same again below: of the next half minute there is another, which is not used up.
        let code = now();
        let rest = scoped(totp("bob", &code), Scope::Unscoped);
        let complete = api.request(awc::http::Method::POST, "/v3/auth/tokens").header("Openstack-Auth-Receipt", &receipt);
        let answer = complete.json(&rest).send().await.expect(201).json();
        let mut methods: Vec<Value> = answer["token"]["methods"].as_array().unwrap().clone();
        methods.sort_by_key(Value::to_string);
        assert_eq!(methods, ["password", "totp"]);
        let both = |password: &str| json!({
            "methods": ["password", "totp"],
            "password": {"user": {"id": "bob", "password": password}},
            "totp": {"user": {"id": "bob", "passcode": code}},
        });
        assert_eq!(api.authenticate(&scoped(both("wrong"), Scope::Unscoped)).await.status(), 401);
        // A passcode that was used is used up here, and Keystone takes it again.
        let again = api.authenticate(&scoped(both(PASSWORD), Scope::Unscoped)).await;
        assert_eq!(again.status(), if cloud.is_python() { 201 } else { 401 });
    }
}
