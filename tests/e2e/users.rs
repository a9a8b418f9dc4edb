//! `/v3/users` and `/v3/groups`.

use serde_json::{Value, json};

use crate::support::login::{PASSWORD, password_is};
use crate::support::{Scope, Session, each_keystone, scoped, seed};

async fn create(admin: &Session, kind: &str, attributes: &Value) -> Value {
    let body = json!({ kind: attributes });
    let answer = admin.post(&format!("/v3/{kind}s"), &body).await;
    answer.expect(201).json()[kind].clone()
}

fn id(resource: &Value) -> &str {
    resource["id"].as_str().unwrap()
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

async fn a_user_is_created_shown_changed_and_deleted(builder: Builder) {
    let cloud = builder.start().await;
    let admin = cloud.api().admin().await;

    let user = create(&admin, "user", &json!({
        "name": " carol ", "password": PASSWORD, "email": "c@example.org", "description": null, "a-b": 1,
        "options": {"lock_password": true},
    })).await;
    let path = format!("/v3/users/{}", id(&user));
    assert_eq!(user, json!({
        "email": "c@example.org", "description": null, "a_b": 1, "id": id(&user), "name": "carol",
        "domain_id": "default", "enabled": true, "password_expires_at": null,
        "options": {"lock_password": true},
        "links": {"self": format!("{}{path}", cloud.api().base())},
    }));
    assert_eq!(admin.get(&path).await.expect(200).json()["user"], user);
    let login = scoped(password_is("carol", PASSWORD), Scope::Unscoped);
    cloud.api().authenticate(&login).await.expect(201);

    let patch = json!({"user": {"name": "caroline", "options": {"lock_password": null}, "phone": 1}});
    let changed = admin.patch(&path, &patch).await.expect(200).json();
    assert_eq!((&changed["user"]["name"], &changed["user"]["options"]), (&json!("caroline"), &json!({})));
    assert_eq!(changed["user"]["extra"]["phone"], 1);

    admin.patch(&path, &json!({"user": {"enabled": false}})).await.expect(200);
    let login = scoped(password_is("caroline", PASSWORD), Scope::Unscoped);
    cloud.api().authenticate(&login).await.expect(401);

    admin.delete(&path).await.expect(204);
    assert_eq!(admin.get(&path).await.expect(404).message(), format!("Could not find user: {}.", id(&user)));
    admin.delete(&path).await.expect(404);
}

async fn what_is_no_user_is_refused_in_keystones_words(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;

    for (body, status, message) in [
        (json!({"user": {"name": "alice"}}), 409,
            "Conflict occurred attempting to store user - Duplicate entry found with name alice at domain ID default."),
        (json!({"user": {"name": "x", "domain_id": "nope"}}), 404, "Could not find domain: nope."),
        (json!({"user": {"name": "x", "enabled": "maybe"}}), 400, "Invalid input for field/attribute enabled. Value: maybe. \
            'maybe' is not one of [True, 'True', 'TRUE', 'true', False, 'False', 'FALSE', 'false', '', '1', '0', 'y', 'Y', \
            'n', 'N', 'on', 'ON', 'off', 'OFF', 'yes', 'no']"),
        (json!({"user": {"name": "x", "domain_id": null}}), 400,
            "Invalid input for field/attribute domain_id. Value: None. None is not of type 'string'"),
        (json!({"user": {"name": "x", "options": {"foo": 1}}}), 400, "Invalid input for field/attribute options. \
            Value: {'foo': 1}. Additional properties are not allowed ('foo' was unexpected)"),
    ] {
        let answer = admin.post("/v3/users", &body).await.expect(status);
        assert_eq!(answer.message(), message, "{body}");
    }
}

async fn users_are_listed_filtered_and_in_pages(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;

    let list = async |query: &str| admin.get(&format!("/v3/users{query}")).await.expect(200).json();
    assert_eq!(names(&list("").await, "users"), ["admin", "alice", "bob", "dora", "eve"]);
    assert_eq!(names(&list("?domain_id=shut").await, "users"), ["eve"]);
    assert_eq!(names(&list("?enabled=false").await, "users"), ["dora"]);
    assert_eq!(names(&list("?name__contains=o&enabled=1").await, "users"), ["bob"]);
    assert_eq!(names(&list("?name=alice&name=bob").await, "users"), [] as [&str; 0]);

    let mut seen = Vec::new();
    let mut page = list("?limit=2").await;
    loop {
        seen.extend(names(&page, "users"));
        let Some(next) = page["links"]["next"].as_str() else { break };
        assert_eq!(page["truncated"], true);
        let path = next.strip_prefix(cloud.api().base()).unwrap().to_owned();
        page = admin.get(&path).await.expect(200).json();
    }
    seen.sort();
    assert_eq!(seen, ["admin", "alice", "bob", "dora", "eve"]);
    let lost = admin.get("/v3/users?marker=nope").await.expect(404);
    assert_eq!(lost.message(), "Marker nope could not be found.");
    admin.get("/v3/users?domain_id=").await.expect(400);
    admin.get("/v3/users?password_expires_at=xx:2016-12-08T22:02:00Z").await.expect(400);

    // A token of a domain sees that domain alone.
    let domain = cloud.api().login("admin", Scope::Domain("default")).await;
    let seen = domain.get("/v3/users").await.expect(200).json();
    assert_eq!(names(&seen, "users"), ["admin", "alice", "bob", "dora"]);
    assert_eq!(names(&domain.get("/v3/users?domain_id=shut").await.expect(200).json(), "users"), [] as [&str; 0]);
}

async fn who_is_in_a_group_is_listed_whole_or_in_pages(builder: Builder) {
    let cloud = builder.seed(seed::world()).set("DEFAULT", "max_db_limit", 2).start().await;
    let admin = cloud.api().admin().await;
    let group = create(&admin, "group", &json!({"name": "team"})).await;
    let path = format!("/v3/groups/{}/users", id(&group));
    for user in ["alice", "bob", "dora", "eve"] {
        admin.put(&format!("{path}/{user}")).await.expect(204);
    }
    let list = async |query: &str| admin.get(&format!("{path}{query}")).await.expect(200).json();

    // More than a page can have: only those that are asked for are bounded.
    let whole = list("").await;
    assert_eq!(names(&whole, "users"), ["alice", "bob", "dora", "eve"]);
    assert_eq!((&whole["truncated"], &whole["links"]["next"]), (&Value::Null, &Value::Null));
    assert_eq!(names(&list("?enabled=false").await, "users"), ["dora"]);
    assert_eq!(names(&list("?name__contains=o&domain_id=default").await, "users"), ["bob", "dora"]);
    // It is heeded by the list of all users alone.
    assert_eq!(names(&list("?idp_id=nope").await, "users").len(), 4);
    let first = list("?limit=2").await;
    assert_eq!((names(&first, "users").len(), &first["truncated"]), (2, &Value::Bool(true)));
    assert_eq!(list("?limit=2&name__contains=o").await["truncated"], Value::Null);

    // Python Keystone leads to the same page for ever.
    if !cloud.is_python() {
        let (mut seen, mut page) = (Vec::new(), first);
        for _ in 0..3 {
            seen.extend(names(&page, "users"));
            let Some(next) = page["links"]["next"].as_str() else { break };
            let path = next.strip_prefix(cloud.api().base()).unwrap().to_owned();
            page = admin.get(&path).await.expect(200).json();
        }
        seen.sort();
        assert_eq!(seen, ["alice", "bob", "dora", "eve"]);
        assert_eq!(page["links"]["next"], Value::Null);
    }
}

async fn all_of_a_group_are_listed_however_many(builder: Builder) {
    // More than are read at a time, twice over.
    const MANY: usize = 2_000;
    let rows = |row: &dyn Fn(usize) -> String| (0..MANY).map(row).collect::<Vec<_>>().join(", ");
    let users = rows(&|n| format!("('u{n:04}', '{{}}', true, 'default', '2026-01-01 00:00:00')"));
    let named = rows(&|n| format!("('u{n:04}', 'default', 'u{n:04}')"));
    let members = rows(&|n| format!("('u{n:04}', 'crowd')"));
    let statements = vec![
        r#"INSERT INTO "group" ("id", "domain_id", "name", "description", "extra") VALUES ('crowd', 'default', 'crowd', '', '{}')"#.to_owned(),
        format!(r#"INSERT INTO "user" ("id", "extra", "enabled", "domain_id", "created_at") VALUES {users}"#),
        format!(r#"INSERT INTO "local_user" ("user_id", "domain_id", "name") VALUES {named}"#),
        format!(r#"INSERT INTO "user_group_membership" ("user_id", "group_id") VALUES {members}"#),
    ];
    let cloud = builder.seed(statements).set("DEFAULT", "max_db_limit", 1_500).start().await;
    let admin = cloud.api().admin().await;
    let all: Vec<String> = (0..MANY).map(|n| format!("u{n:04}")).collect();
    let list = async |query: &str| admin.get(&format!("/v3/groups/crowd/users{query}")).await.expect(200).json();

    let whole = list("").await;
    assert!(names(&whole, "users") == all, "{} of {MANY}", names(&whole, "users").len());
    assert_eq!((&whole["truncated"], &whole["links"]["next"]), (&Value::Null, &Value::Null));
    assert_eq!(names(&list("?name__contains=u19").await, "users"), all[1_900..]);
    // Python Keystone leads to the same page for ever.
    if !cloud.is_python() {
        let page = list("?limit=1500").await;
        assert_eq!((names(&page, "users"), &page["truncated"]), (all[..1_500].to_vec(), &Value::Bool(true)));
        let page = list("?limit=1500&marker=u1499").await;
        assert_eq!((names(&page, "users"), &page["truncated"]), (all[1_500..].to_vec(), &Value::Null));
        let lost = admin.get("/v3/groups/crowd/users?marker=nope").await.expect(404);
        assert_eq!(lost.message(), "Marker nope could not be found.");
    }
}

async fn where_domains_may_have_drivers_a_list_is_of_one_domain(builder: Builder) {
    let cloud = builder.seed(seed::world()).set("identity", "domain_specific_drivers_enabled", true).start().await;
    let admin = cloud.api().admin().await;
    let domains = async |session: &Session, path: &str| {
        let list = session.get(path).await.expect(200).json();
        let users = list["users"].as_array().unwrap().iter();
        let mut domains: Vec<_> = users.map(|user| user["domain_id"].as_str().unwrap().to_owned()).collect();
        domains.dedup();
        domains
    };
    assert_eq!(domains(&admin, "/v3/users").await, ["default"]);
    assert_eq!(domains(&admin, "/v3/users?domain_id=shut").await, ["shut"]);
    let of_domain = cloud.api().login("admin", Scope::Domain("default")).await;
    assert_eq!(domains(&of_domain, "/v3/users").await, ["default"]);
    let root = cloud.api().login("admin", Scope::System).await;
    let everybody = root.get("/v3/users?name=eve").await.expect(200).json();
    assert_eq!(everybody["users"][0]["domain_id"], "shut");
    let group = json!({"group": {"name": "elsewhere", "domain_id": "shut"}});
    admin.post("/v3/groups", &group).await.expect(201);
    assert_eq!(admin.get("/v3/groups").await.expect(200).json()["groups"], json!([]));
}

async fn a_user_sees_itself_and_nobody_else(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let alice = cloud.api().login("alice", Scope::Project("demo")).await;
    let bob = cloud.api().login("bob", Scope::Unscoped).await;

    let own = format!("/v3/users/{}", alice.text("/user/id"));
    alice.get(&own).await.expect(200);
    alice.get(&format!("{own}/groups")).await.expect(200);
    let refused = bob.get(&own).await.expect(403);
    assert_eq!(refused.message(), "You are not authorized to perform the requested action: identity:get_user.");
    // Whoever may not know learns nothing.
    let unknown = bob.get("/v3/users/nope").await.expect(403);
    assert_eq!(unknown.message(), refused.message());
    alice.patch(&own, &json!({"user": {"email": "x"}})).await.expect(403);
    alice.post("/v3/users", &json!({"user": {"name": "x"}})).await.expect(403);
    alice.get("/v3/users").await.expect(403);
}

async fn a_user_changes_its_own_password(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let alice = cloud.api().login("alice", Scope::Project("demo")).await;
    let path = format!("/v3/users/{}/password", alice.text("/user/id"));
    let change = async |original: &str, password: &str| {
        let body = json!({"user": {"original_password": original, "password": password}});
        cloud.api().request(awc::http::Method::POST, &path).json(&body).send().await
    };

    change("wrong", "new").await.expect(401);
    change(PASSWORD, "a new one").await.expect(204);
    cloud.api().get("/v3/auth/projects").await.expect(401);
    alice.get("/v3/auth/projects").await.expect(401);
    cloud.api().authenticate(&scoped(password_is("alice", PASSWORD), Scope::Unscoped)).await.expect(401);
    cloud.api().authenticate(&scoped(password_is("alice", "a new one"), Scope::Unscoped)).await.expect(201);
    let body = json!({"user": {"password": "x"}});
    let incomplete = cloud.api().request(awc::http::Method::POST, &path).json(&body).send().await.expect(400);
    assert!(incomplete.message().starts_with("'original_password' is a required property"), "{incomplete:?}");
    assert_eq!(cloud.api().get(&path).await.expect(405).header("Allow").map(|allow| allow.contains("POST")), Some(true));
}

async fn a_group_and_who_is_in_it(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;
    let alice = cloud.api().login("alice", Scope::Project("demo")).await;
    let user = alice.text("/user/id");

    let group = create(&admin, "group", &json!({"name": "team", "colour": "red"})).await;
    let path = format!("/v3/groups/{}", id(&group));
    assert_eq!(group, json!({
        "colour": "red", "id": id(&group), "name": "team", "domain_id": "default", "description": "",
        "links": {"self": format!("{}{path}", cloud.api().base())},
    }));
    assert_eq!(admin.get(&path).await.expect(200).json()["group"], group);
    let changed = admin.patch(&path, &json!({"group": {"description": null}})).await.expect(200).json();
    assert_eq!((&changed["group"]["description"], &changed["group"]["colour"]), (&Value::Null, &json!("red")));
    assert_eq!(names(&admin.get("/v3/groups?name=team").await.expect(200).json(), "groups"), ["team"]);

    let member = format!("{path}/users/{user}");
    let not = admin.head(&member).await.expect(404);
    assert_eq!(not.bytes(), b"");
    admin.put(&member).await.expect(204);
    admin.put(&member).await.expect(204);
    admin.get(&member).await.expect(204);
    assert_eq!(names(&admin.get(&format!("{path}/users")).await.expect(200).json(), "users"), ["alice"]);
    let of = admin.get(&format!("/v3/users/{user}/groups")).await.expect(200).json();
    assert_eq!((names(&of, "groups"), &of["groups"][0]["membership_expires_at"]), (vec!["team".to_owned()], &Value::Null));
    admin.put(&format!("{path}/users/nope")).await.expect(404);

    // Whoever leaves a group loses its tokens.
    alice.get("/v3/auth/projects").await.expect(200);
    admin.delete(&member).await.expect(204);
    alice.get("/v3/auth/projects").await.expect(401);
    let again = admin.delete(&member).await.expect(404);
    assert_eq!(again.message(), format!("User '{user}' not found in group '{}'", id(&group)));
    admin.delete(&path).await.expect(204);
    admin.get(&path).await.expect(404);
}

async fn the_tokens_of_a_user_are_revoked(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;
    let alice = cloud.api().login("alice", Scope::Project("demo")).await;
    let bob = cloud.api().login("bob", Scope::Unscoped).await;
    let path = format!("/v3/users/{}/tokens", alice.text("/user/id"));

    bob.delete(&path).await.expect(403);
    admin.delete(&path).await.expect(204);
    alice.get("/v3/auth/projects").await.expect(401);
    bob.get("/v3/auth/projects").await.expect(200);
    admin.delete("/v3/users/nope/tokens").await.expect(404);
}

}
