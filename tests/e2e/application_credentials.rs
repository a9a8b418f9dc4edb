//! Application credentials and access rules.

use awc::http::Method;
use serde_json::{Value, json};

use crate::support::delegation::application_credential;
use crate::support::{Scope, each_keystone, seed};

fn wanted(attributes: Value) -> Value {
    json!({ "application_credential": attributes })
}

each_keystone! {
    async fn an_application_credential_lives_as_in_keystone(builder: Builder) {
        let cloud = builder.seed(seed::world()).start().await;
        let api = cloud.api();
        let alice = api.login("alice", Scope::Project("demo")).await;
        let path = "/v3/users/alice/application_credentials";

        let made = application_credential(&alice, json!({
            "name": "backup", "description": "nightly", "expires_at": "2099-01-01T00:00:00.123456Z",
            "access_rules": [{"service": "compute", "path": "/v2", "method": "GET"}],
        })).await;
        assert_eq!(made.body["expires_at"], "2099-01-01T00:00:00.123456");
        assert_eq!((&made.body["unrestricted"], &made.body["system"]), (&Value::Null, &Value::Null));
        assert_eq!((&made.body["project_id"], &made.body["user_id"]), (&json!("demo"), &json!("alice")));
        assert_eq!(made.body["links"]["self"], format!("{}/v3/application_credentials/{}", api.base(), made.id));
        let mut roles: Vec<_> = made.body["roles"].as_array().unwrap().iter().map(|role| role["name"].clone()).collect();
        roles.sort_by_key(Value::to_string);
        assert_eq!(roles, ["member", "reader"]);
        assert_eq!(made.body["roles"][0].as_object().unwrap().len(), 5);

        // It is shown without its secret, and logs its owner in.
        let one = format!("{path}/{}", made.id);
        let shown = alice.get(&one).await.expect(200).json();
        assert!(shown["application_credential"].get("secret").is_none());
        assert_eq!(shown["application_credential"]["access_rules"][0]["path"], "/v2");
        assert_eq!(alice.head(&one).await.status(), 200);
        let session = api.session(&made.login()).await;
        assert_eq!((session.text("/user/id"), session.text("/project/id")), ("alice", "demo"));
        assert_eq!(session.roles(), ["member", "reader"]);
        let mut scoped = made.login();
        scoped["auth"]["scope"] = json!({"project": {"id": "demo"}});
        let refused = api.authenticate(&scoped).await.expect(401);
        assert!(refused.message().ends_with("Application credentials cannot request a scope."));

        // Roles: those asked for, with all that they imply, and none that the token lacks.
        let reader = application_credential(&alice, json!({"name": "reader", "roles": [{"name": "reader"}]})).await;
        assert_eq!(api.session(&reader.login()).await.roles(), ["reader"]);
        let unassigned = "Invalid application credential: Cannot create an application credential with unassigned role";
        let malformed = "The server could not comply with the request since it is either malformed or otherwise \
                         incorrect. The client is assumed to be in error.";
        for (attributes, status, message) in [
            (json!({"name": "x", "roles": [{"name": "admin"}]}), 400, unassigned.to_owned()),
            (json!({"name": "x", "roles": [{"id": "none"}]}), 400, unassigned.to_owned()),
            (json!({"name": "x", "roles": [{"name": "none"}]}), 404, "Role none is not defined".to_owned()),
            (json!({"name": "x", "roles": [{"id": "r", "name": "r"}]}), 400,
                "Invalid input for field/attribute 0. Value: {'id': 'r', 'name': 'r'}. \
                 {'id': 'r', 'name': 'r'} has too many properties".to_owned()),
            (json!({"name": "x", "user_id": "bob"}), 400,
                "Invalid input for field/attribute application_credential. Value: {'name': 'x', 'user_id': 'bob'}. \
                 Additional properties are not allowed ('user_id' was unexpected)".to_owned()),
            (json!({"description": "x"}), 400,
                "Invalid input for field/attribute application_credential. Value: {'description': 'x'}. \
                 'name' is a required property".to_owned()),
            (json!({"name": "x", "expires_at": "tomorrow"}), 400, format!("Timestamp not in expected format. {malformed}")),
            (json!({"name": "x", "expires_at": "2001-01-01T00:00:00Z"}), 400,
                format!("The 'expires_at' must not be before now. {malformed}")),
            (json!({"name": "backup"}), 409,
                "Conflict occurred attempting to store application_credential - Duplicate entry found with name backup.".to_owned()),
            (json!({"name": "x", "access_rules": [{"service": "compute", "path": "/v2", "method": "get"}]}), 400,
                "Invalid input for field/attribute method. Value: get. 'get' is not one of \
                 ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT']".to_owned()),
        ] {
            let answer = alice.post(path, &wanted(attributes.clone())).await;
            assert_eq!((answer.status(), answer.message()), (status, message), "{attributes}");
        }

        // Lists; and nobody else's business.
        let named = |body: &Value| {
            let listed = body["application_credentials"].as_array().unwrap();
            let mut names: Vec<_> = listed.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
            names.sort();
            names
        };
        assert_eq!(named(&alice.get(path).await.expect(200).json()), ["backup", "reader"]);
        assert_eq!(named(&alice.get(&format!("{path}?name=reader&foo=1")).await.expect(200).json()), ["reader"]);
        let admin = api.admin().await;
        assert_eq!(named(&admin.get(path).await.expect(200).json()), ["backup", "reader"]);
        assert_eq!(admin.get(&format!("{path}/none")).await.expect(404).message(), "Could not find Application Credential: none.");
        assert_eq!(admin.post(path, &wanted(json!({"name": "x"}))).await.status(), 403);
        assert_eq!(alice.patch(&one, &json!({})).await.status(), 405);

        // Tokens made from it end with it.
        assert_eq!(admin.validate(session.token()).await.status(), 404, "its rules are not enforced by who asks");
        let asked = admin.request(Method::GET, "/v3/auth/tokens").subject(session.token());
        asked.header("OpenStack-Identity-Access-Rules", "1.0").send().await.expect(200);
        alice.delete(&one).await.expect(204);
        let asked = admin.request(Method::GET, "/v3/auth/tokens").subject(session.token());
        asked.header("OpenStack-Identity-Access-Rules", "1.0").send().await.expect(404);
        api.authenticate(&made.login()).await.expect(if cloud.is_python() { 404 } else { 401 });
    }

    async fn access_rules_are_reused_and_outlive_what_they_restrict(builder: Builder) {
        let cloud = builder.seed(seed::world()).seed(seed::grant("UserProject", "bob", "demo", "member")).start().await;
        let api = cloud.api();
        let alice = api.login("alice", Scope::Project("demo")).await;
        let bob = api.login("bob", Scope::Project("demo")).await;
        let rule = |path: &str| json!({"service": "compute", "path": path, "method": "GET"});
        let made = application_credential(&alice, json!({"name": "a", "access_rules": [rule("/v2"), rule("/v3")]})).await;
        let ids: Vec<_> = made.body["access_rules"].as_array().unwrap().iter().map(|rule| rule["id"].clone()).collect();

        let again = application_credential(&alice, json!({"name": "b", "access_rules": [rule("/v2"), {"id": ids[1]}]})).await;

        let reused: Vec<_> = again.body["access_rules"].as_array().unwrap().iter().map(|rule| rule["id"].clone()).collect();
        assert_eq!(reused.len(), 2);
        assert!(reused.iter().all(|id| ids.contains(id)));
        let path = "/v3/users/alice/access_rules";
        let id = ids[0].as_str().unwrap();
        let one = format!("{path}/{id}");
        let shown = alice.get(&one).await.expect(200).json();
        assert_eq!(shown["access_rule"], json!({
            "id": id, "service": "compute", "path": "/v2", "method": "GET",
            "links": {"self": format!("{}/v3/access_rules/{id}", api.base())},
        }));
        let listed = async |query: &str| alice.get(&format!("{path}{query}")).await.expect(200).json()["access_rules"].as_array().unwrap().len();
        assert_eq!((listed("").await, listed("?path=/v2").await, listed("?method=POST").await), (2, 1, 0));

        // Another's rule can be neither used nor seen.
        let stolen = wanted(json!({"name": "c", "access_rules": [{"id": id, "service": "compute", "path": "/v2", "method": "GET"}]}));
        let refused = bob.post("/v3/users/bob/application_credentials", &stolen).await.expect(404);
        assert_eq!(refused.message(), format!("Could not find Access Rule: {id}."));
        assert_eq!(bob.get(&format!("/v3/users/bob/access_rules/{id}")).await.status(), 404);
        assert_eq!(bob.get(&one).await.status(), 403);

        assert_eq!(alice.delete(&one).await.expect(403).message(), "May not delete access rule in use");
        for made in [made, again] {
            alice.delete(&format!("/v3/users/alice/application_credentials/{}", made.id)).await.expect(204);
        }
        assert_eq!(listed("").await, 2);
        alice.delete(&one).await.expect(204);
        assert_eq!(alice.delete(&one).await.expect(404).message(), format!("Could not find Access Rule: {id}."));
    }
}
