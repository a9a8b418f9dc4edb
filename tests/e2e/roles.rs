//! `/v3/roles`: who may do what to roles, and what tokens make of it.

use serde_json::{Value, json};

use crate::support::{Scope, Session, each_keystone, seed};

async fn create(admin: &Session, role: &Value) -> Value {
    let answer = admin.post("/v3/roles", &json!({ "role": role })).await;
    answer.expect(201).json()["role"].clone()
}

fn names(list: &Value, of: &str) -> Vec<String> {
    let mut names: Vec<String> = list[of]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

each_keystone! {

async fn a_role_is_created_shown_changed_and_deleted(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;

    let role = create(&admin, &json!({"name": "auditor", "id": "mine", "pet-name": "x"})).await;
    let id = role["id"].as_str().unwrap();
    let path = format!("/v3/roles/{id}");
    assert_eq!(id.len(), 32);
    assert_eq!(role["links"]["self"], format!("{}{path}", cloud.api().base()));
    assert_eq!((&role["domain_id"], &role["description"], &role["options"]), (&Value::Null, &Value::Null, &json!({})));
    assert_eq!(role["pet_name"], "x");

    assert_eq!(admin.get(&path).await.expect(200).json()["role"], role);
    assert_eq!(admin.head(&path).await.expect(200).bytes(), b"");
    let changed = admin.patch(&path, &json!({"role": {"name": "inspector", "description": "d", "id": id}})).await;
    assert_eq!(changed.expect(200).json()["role"]["name"], "inspector");
    let cleared = admin.patch(&path, &json!({"role": {"description": null}})).await.expect(200).json();
    assert_eq!((&cleared["role"]["description"], &cleared["role"]["name"]), (&Value::Null, &json!("inspector")));

    assert_eq!(admin.delete(&path).await.expect(204).bytes(), b"");
    let gone = admin.get(&path).await.expect(404);
    assert_eq!(gone.message(), format!("Could not find role: {id}."));
}

async fn what_is_no_role_is_refused_in_keystones_words(builder: Builder) {
    let cloud = builder.start().await;
    let admin = cloud.api().admin().await;
    let taken = create(&admin, &json!({"name": "taken"})).await;
    let path = format!("/v3/roles/{}", taken["id"].as_str().unwrap());

    for (body, message) in [
        (json!({}), "'role' is a required property"),
        (json!({"role": {"name": "x"}, "y": 1}), "Additional properties are not allowed ('y' was unexpected)"),
        (json!({"role": {}}), "Invalid input for field/attribute role. Value: {}. 'name' is a required property"),
        (json!({"role": {"name": "  "}}),
            r"Invalid input for field/attribute name. Value:   . '  ' does not match '[\\S]+'"),
        (json!({"role": {"name": "x", "options": {"a": 1}}}),
            "Invalid input for field/attribute options. Value: {'a': 1}. Additional properties are not allowed ('a' was unexpected)"),
        (json!({"role": {"name": "x", "domain_id": "a b", "description": 5}}),
            "Invalid input for field/attribute description. Value: 5. 5 is not of type 'string', 'null'"),
    ] {
        let answer = admin.post("/v3/roles", &body).await.expect(400);
        assert_eq!(answer.message(), message, "{body}");
        // A malformed body is told to whoever sends it.
        let nobody = cloud.api().request(awc::http::Method::POST, "/v3/roles").json(&body).send().await;
        assert_eq!(nobody.expect(400).message(), message);
    }
    let again = admin.post("/v3/roles", &json!({"role": {"name": "taken"}})).await.expect(409);
    assert_eq!(again.message(),
        "Conflict occurred attempting to store role - Duplicate entry found with name taken.");
    let empty = admin.patch(&path, &json!({"role": {}})).await.expect(400);
    assert_eq!(empty.message(), "Invalid input for field/attribute role. Value: {}. {} should be non-empty");
    let id = admin.patch(&path, &json!({"role": {"id": "other"}})).await.expect(400);
    assert_eq!(id.message(), "Cannot change ID");
    let domain = admin.patch(&path, &json!({"role": {"domain_id": "default"}})).await.expect(400);
    assert_eq!(domain.message(), "Update of `domain_id` is not allowed.");

    let unknown = admin.request(awc::http::Method::PUT, "/v3/roles").send().await.expect(405);
    assert!(unknown.header("Allow").unwrap().contains("POST"));
}

async fn an_immutable_role_is_freed_first(builder: Builder) {
    let cloud = builder.start().await;
    let admin = cloud.api().admin().await;
    let role = create(&admin, &json!({"name": "rock", "options": {"immutable": true}})).await;
    let path = format!("/v3/roles/{}", role["id"].as_str().unwrap());

    admin.patch(&path, &json!({"role": {"name": "x"}})).await.expect(403);
    admin.delete(&path).await.expect(403);
    admin.patch(&path, &json!({"role": {"options": {"immutable": false}}})).await.expect(200);
    admin.delete(&path).await.expect(204);
}

async fn roles_of_a_domain_are_listed_by_its_id_alone(builder: Builder) {
    let cloud = builder.start().await;
    let admin = cloud.api().admin().await;
    create(&admin, &json!({"name": "global-one"})).await;
    create(&admin, &json!({"name": "domain-one", "domain_id": "default"})).await;

    let list = async |query: &str| admin.get(&format!("/v3/roles{query}")).await.expect(200).json();
    assert!(!names(&list("").await, "roles").contains(&"domain-one".to_owned()));
    assert_eq!(names(&list("?domain_id=default").await, "roles"), ["domain-one"]);
    assert_eq!(names(&list("?name=global-one").await, "roles"), ["global-one"]);
    assert_eq!(names(&list("?name__istartswith=GLOBAL").await, "roles"), ["global-one"]);
    assert_eq!(names(&list("?name__contains=ONE").await, "roles"), [] as [&str; 0]);
    let envelope = list("?name=global-one").await;
    assert_eq!(envelope["links"], json!({
        "next": null, "previous": null,
        "self": format!("{}/v3/roles?name=global-one", cloud.api().base()),
    }));
    let short = list("?limit=1").await;
    assert_eq!((short["roles"].as_array().unwrap().len(), &short["truncated"]), (1, &json!(true)));
    admin.get("/v3/roles?name=").await.expect(400);
}

async fn an_implied_role_is_in_the_next_token(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;
    let roles = admin.get("/v3/roles?name=member").await.expect(200).json();
    let member = roles["roles"][0]["id"].as_str().unwrap().to_owned();
    let auditor = create(&admin, &json!({"name": "auditor"})).await;
    let auditor = auditor["id"].as_str().unwrap();
    let path = format!("/v3/roles/{member}/implies/{auditor}");

    admin.get(&path).await.expect(404);
    let made = admin.put(&path).await.expect(201).json();
    assert_eq!(made["role_inference"]["implies"]["name"], "auditor");
    assert_eq!(made["links"]["self"], format!("{}{path}", cloud.api().base()));
    admin.put(&path).await.expect(409);
    assert_eq!(admin.get(&path).await.expect(200).json(), made);
    admin.head(&path).await.expect(204);
    let implied = admin.get(&format!("/v3/roles/{member}/implies")).await.expect(200).json();
    assert_eq!(names(&implied["role_inference"], "implies"), ["auditor", "reader"]);
    let all = admin.get("/v3/role_inferences").await.expect(200).json();
    assert!(all["role_inferences"].as_array().unwrap().iter().any(|one| one["prior_role"]["name"] == "member"));

    let alice = cloud.api().login("alice", Scope::Project("demo")).await;
    assert_eq!(alice.roles(), ["auditor", "member", "reader"]);

    admin.delete(&path).await.expect(204);
    admin.delete(&path).await.expect(404);
    let alice = cloud.api().login("alice", Scope::Project("demo")).await;
    assert_eq!(alice.roles(), ["member", "reader"]);
}

async fn who_is_no_admin_may_not_change_roles(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let alice = cloud.api().login("alice", Scope::Project("demo")).await;

    let refused = alice.post("/v3/roles", &json!({"role": {"name": "x"}})).await.expect(403);
    assert_eq!(refused.message(), "You are not authorized to perform the requested action: identity:create_role.");
    alice.get("/v3/roles").await.expect(403);
    cloud.api().get("/v3/roles").await.expect(401);
    // Keystone tells whoever has a token whether a role exists.
    alice.get("/v3/roles/nope").await.expect(404);
}

}
