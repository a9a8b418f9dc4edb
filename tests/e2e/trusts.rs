//! Trusts.

use serde_json::{Value, json};

use crate::support::delegation::{in_trust, trust};
use crate::support::{Scope, each_keystone, password, seed};

each_keystone! {
    async fn a_trust_lives_as_in_keystone(builder: Builder) {
        let cloud = builder.seed(seed::world()).start().await;
        let api = cloud.api();
        let alice = api.login("alice", Scope::Project("demo")).await;
        let bob = api.login("bob", Scope::Unscoped).await;
        let admin = api.admin().await;
        let wanted = |attributes: &Value| {
            let mut trust = json!({
                "trustor_user_id": "alice", "trustee_user_id": "bob", "impersonation": true,
                "project_id": "demo", "roles": [{"name": "member"}],
            });
            for (name, value) in attributes.as_object().unwrap() {
                trust[name] = value.clone();
            }
            json!({ "trust": trust })
        };
        let path = "/v3/OS-TRUST/trusts";

        let made = alice.post(path, &wanted(&json!({"expires_at": "2099-01-01T00:00:00Z", "colour": "red"}))).await.expect(201).json();
        let made = &made["trust"];
        let id = made["id"].as_str().unwrap();
        assert_eq!(made["expires_at"], "2099-01-01T00:00:00.000000Z");
        assert_eq!((&made["deleted_at"], &made["remaining_uses"], &made["redelegated_trust_id"]), (&Value::Null, &Value::Null, &Value::Null));
        assert_eq!((&made["redelegation_count"], &made["colour"]), (&json!(0), &json!("red")));
        assert_eq!(made["roles"][0]["name"], "member");
        assert_eq!(made["roles_links"]["self"], format!("{}/v3/{id}/roles", api.base()));
        assert_eq!(made["links"]["self"], format!("{}{path}/{id}", api.base()));

        // What is refused, and how.
        let none = "Could not find";
        let forbidden = "You are not authorized to perform the requested action";
        for (attributes, status, message) in [
            (json!({"trustor_user_id": "bob"}), 403, format!("{forbidden}: identity:create_trust.")),
            (json!({"roles": []}), 403, format!("{forbidden}: At least one role should be specified.")),
            (json!({"trustee_user_id": "none"}), 404, format!("{none} user: none.")),
            (json!({"roles": [{"name": "none"}]}), 404, "Role none is not defined".to_owned()),
            (json!({"project_id": "none"}), 404, format!("{none} project: none.")),
            (json!({"roles": [{"id": "none"}]}), 404, format!("{none} role: none.")),
            (json!({"project_id": null}), 404, format!("{none} role: {}.", made["roles"][0]["id"].as_str().unwrap())),
            (json!({"remaining_uses": 0}), 400,
                "Invalid input for field/attribute remaining_uses. Value: 0. 0 is less than the minimum of 1".to_owned()),
            (json!({"remaining_uses": 2, "allow_redelegation": true}), 400,
                "remaining_uses must not be set if redelegation is allowed".to_owned()),
            (json!({"allow_redelegation": true, "redelegation_count": 4}), 403, format!("{forbidden}.")),
            (json!({"impersonation": "yes"}), 400,
                "Invalid input for field/attribute impersonation. Value: yes. 'yes' is not of type 'boolean'".to_owned()),
        ] {
            let answer = alice.post(path, &wanted(&attributes)).await;
            assert_eq!((answer.status(), answer.message()), (status, message), "{attributes}");
        }

        // Who may see it.
        let one = format!("{path}/{id}");
        assert_eq!(alice.get(&one).await.expect(200).json()["trust"]["roles"][0]["name"], "member");
        assert_eq!(bob.head(&one).await.status(), 200);
        assert_eq!(bob.get(&format!("{path}/none")).await.expect(404).message(), "Could not find trust: none.");
        let listed = bob.get(&format!("{path}?trustee_user_id=bob")).await.expect(200).json();
        assert_eq!(listed["trusts"].as_array().unwrap().len(), 1);
        assert!(listed["trusts"][0].get("roles").is_none());
        assert_eq!(bob.get(&format!("{path}?trustor_user_id=alice")).await.expect(403).message(),
            format!("{forbidden}: identity:list_trusts_for_trustor."));
        assert_eq!(bob.get(path).await.expect(403).message(), format!("{forbidden}: identity:list_trusts."));
        assert_eq!(admin.get(path).await.expect(200).json()["trusts"].as_array().unwrap().len(), 1);
        assert_eq!(admin.get(&format!("{path}?foo=1")).await.expect(200).json()["trusts"], json!([]));
        let role = made["roles"][0]["id"].as_str().unwrap();
        let roles = bob.get(&format!("{one}/roles")).await.expect(200).json();
        assert_eq!((roles["roles"].as_array().unwrap().len(), &roles["roles"][0]["id"]), (1, &json!(role)));
        assert_eq!(bob.get(&format!("{one}/roles/{role}")).await.expect(200).json()["role"]["name"], "member");
        assert_eq!(bob.head(&format!("{one}/roles/{role}")).await.status(), 200);
        assert_eq!(bob.get(&format!("{one}/roles/none")).await.expect(404).message(), "Could not find role: none.");

        // Its trustee acts as the trustor until it is withdrawn, which the trustee can't do.
        let session = api.session(&in_trust(&password("bob"), id)).await;
        assert_eq!((session.text("/user/id"), session.text("/OS-TRUST:trust/id")), ("alice", id));
        assert_eq!(session.roles(), ["member", "reader"]);
        assert_eq!(bob.delete(&one).await.expect(403).message(), format!("{forbidden}: identity:delete_trust."));
        alice.delete(&one).await.expect(204);
        assert_eq!(admin.validate(session.token()).await.status(), 404);
        assert_eq!(alice.delete(&one).await.status(), 404);
        assert_eq!(api.authenticate(&in_trust(&password("bob"), id)).await.status(), 401);
    }

    async fn a_trust_is_used_as_often_and_handed_on_as_far_as_was_said(builder: Builder) {
        let cloud = builder.seed(seed::world()).start().await;
        let api = cloud.api();
        let alice = api.login("alice", Scope::Project("demo")).await;
        let twice = trust(&alice, "bob", &json!({"remaining_uses": 2})).await;
        for _ in 0..2 {
            api.session(&in_trust(&password("bob"), &twice)).await;
        }
        assert_eq!(api.authenticate(&in_trust(&password("bob"), &twice)).await.status(), 401);
        assert_eq!(alice.get(&format!("/v3/OS-TRUST/trusts/{twice}")).await.status(), 404);

        let first = trust(&alice, "bob", &json!({"impersonation": true, "allow_redelegation": true, "redelegation_count": 1})).await;
        let bob = api.session(&in_trust(&password("bob"), &first)).await;
        let second = trust(&bob, "dora", &json!({"impersonation": true})).await;
        let shown = alice.get(&format!("/v3/OS-TRUST/trusts/{second}")).await.expect(200).json();
        assert_eq!((&shown["trust"]["redelegated_trust_id"], &shown["trust"]["redelegation_count"]), (&json!(first), &json!(0)));
        let more = json!({"trust": {
            "trustor_user_id": "alice", "trustee_user_id": "dora", "impersonation": true, "project_id": "demo",
            "roles": [{"name": "reader"}],
        }});
        // A role that was not handed on.
        assert_eq!(bob.post("/v3/OS-TRUST/trusts", &more).await.status(), 403);
        alice.delete(&format!("/v3/OS-TRUST/trusts/{first}")).await.expect(204);
        assert_eq!(alice.get(&format!("/v3/OS-TRUST/trusts/{second}")).await.status(), 404);
    }

    async fn a_trust_that_was_handed_on_falls_with_who_handed_it_on(builder: Builder) {
        let cloud = builder.seed(seed::world()).seed(seed::user("carol", "default", true)).start().await;
        let api = cloud.api();
        let admin = api.admin().await;
        let alice = api.login("alice", Scope::Project("demo")).await;
        let first = trust(&alice, "bob", &json!({"impersonation": true, "allow_redelegation": true})).await;
        let bob = api.session(&in_trust(&password("bob"), &first)).await;
        let second = trust(&bob, "carol", &json!({"impersonation": true})).await;
        let carol = in_trust(&password("carol"), &second);
        let session = api.session(&carol).await;
        admin.validate(session.token()).await.expect(200);

        admin.patch("/v3/users/bob", &json!({"user": {"enabled": false}})).await.expect(200);

        assert_eq!(admin.validate(session.token()).await.status(), 403);
        assert_eq!(api.authenticate(&carol).await.status(), 403);
        admin.patch("/v3/users/bob", &json!({"user": {"enabled": true}})).await.expect(200);
        api.authenticate(&carol).await.expect(201);
    }
}
