//! `/v3/OS-FEDERATION`: who is trusted, and what tokens show of it.

use awc::http::Method;
use serde_json::{Value, json};

use crate::support::api::Answer;
use crate::support::{Scope, Session, each_keystone, seed};

async fn put(by: &Session, path: &str, body: &Value) -> Answer {
    let path = format!("/v3/OS-FEDERATION/{path}");
    by.request(Method::PUT, &path).json(body).send().await
}

async fn patch(by: &Session, path: &str, body: &Value) -> Answer {
    by.patch(&format!("/v3/OS-FEDERATION/{path}"), body).await
}

async fn get(by: &Session, path: &str) -> Answer {
    by.get(&format!("/v3/OS-FEDERATION/{path}")).await
}

async fn delete(by: &Session, path: &str) -> Answer {
    by.delete(&format!("/v3/OS-FEDERATION/{path}")).await
}

fn rules() -> Value {
    json!([{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "UserName"}]}])
}

/// What has `path` itself, in a member of a list.
fn ids(list: &Value, of: &str) -> Vec<String> {
    let members = list[of].as_array().unwrap().iter();
    members
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

each_keystone! {

async fn an_identity_provider_is_made_with_a_domain_listed_changed_and_deleted(builder: Builder) {
    let cloud = builder.start().await;
    let admin = cloud.api().admin().await;

    let made = put(&admin, "identity_providers/idp", &json!({})).await.expect(201).json();
    let made = &made["identity_provider"];
    let domain = made["domain_id"].as_str().unwrap();
    let url = format!("{}/v3/OS-FEDERATION/identity_providers/idp", cloud.api().base());
    assert_eq!(*made, json!({
        "id": "idp", "domain_id": domain, "enabled": false, "description": null, "remote_ids": [],
        "authorization_ttl": null, "links": {"self": url},
    }));
    let shown = admin.get(&format!("/v3/domains/{domain}")).await.expect(200).json();
    assert_eq!(shown["domain"]["description"], "Auto generated federated domain for Identity Provider: idp");
    assert_eq!((&shown["domain"]["name"], &shown["domain"]["enabled"]), (&json!(domain), &json!(true)));
    let body = json!({"identity_provider": {"domain_id": "default", "enabled": true, "remote_ids": ["b", "a"], "authorization_ttl": 5}});
    let other = put(&admin, "identity_providers/other", &body).await.expect(201).json();
    assert_eq!(other["identity_provider"]["domain_id"], "default");

    let list = get(&admin, "identity_providers").await.expect(200).json();
    assert_eq!(ids(&list, "identity_providers"), ["idp", "other"]);
    let links = &list["identity_providers"][0]["links"];
    assert_eq!(*links, json!({"self": url, "protocols": format!("{url}/protocols")}));
    for query in ["id=other", "enabled=true", "enabled=1&id__contains=th", "enabled="] {
        let list = get(&admin, &format!("identity_providers?{query}")).await.expect(200).json();
        assert_eq!(ids(&list, "identity_providers"), ["other"], "{query}");
    }
    let page = get(&admin, "identity_providers?limit=1").await.expect(200).json();
    assert_eq!((ids(&page, "identity_providers"), &page["truncated"]), (vec!["idp".to_owned()], &json!(true)));
    get(&admin, "identity_providers?enabled=maybe").await.expect(400);

    let body = json!({"identity_provider": {"remote_ids": ["c"], "description": "d"}, "x": 1});
    let changed = patch(&admin, "identity_providers/other", &body).await.expect(200).json();
    let shown = get(&admin, "identity_providers/other").await.expect(200).json();
    assert_eq!(shown, changed);
    let shown = &shown["identity_provider"];
    assert_eq!((&shown["remote_ids"], &shown["description"], &shown["authorization_ttl"]), (&json!(["c"]), &json!("d"), &json!(5)));
    assert_eq!(shown["enabled"], true);

    assert_eq!(delete(&admin, "identity_providers/other").await.expect(204).bytes(), b"");
    for gone in [
        get(&admin, "identity_providers/other").await,
        delete(&admin, "identity_providers/other").await,
        patch(&admin, "identity_providers/other", &json!({"identity_provider": {"enabled": true}})).await,
    ] {
        assert_eq!(gone.expect(404).message(), "Could not find Identity Provider: other.");
    }
}

async fn what_is_no_identity_provider_is_refused_in_keystones_words(builder: Builder) {
    let cloud = builder.start().await;
    let admin = cloud.api().admin().await;
    let body = json!({"identity_provider": {"domain_id": "default", "remote_ids": ["a"]}});
    put(&admin, "identity_providers/idp", &body).await.expect(201);

    let conflict = "Conflict occurred attempting to store identity_provider - Duplicate";
    // Python Keystone on SQLite doesn't know what is twice.
    for (id, told) in [("idp", "entry: idp."), ("other", "remote ID: a.")] {
        let message = put(&admin, &format!("identity_providers/{id}"), &body).await.expect(409).message();
        assert!(cloud.is_python() || message == format!("{conflict} {told}"), "{message}");
    }
    let field = "Invalid input for field/attribute";
    for (provider, told) in [
        (json!({"xx": null}), format!("{field} identity_provider. Value: {{'xx': None}}. Additional properties are not allowed ('xx' was unexpected)")),
        (json!({"authorization_ttl": -1}), format!("{field} authorization_ttl. Value: -1. -1 is less than the minimum of 0")),
        (json!({"authorization_ttl": "5"}), format!("{field} authorization_ttl. Value: 5. '5' is not of type 'integer', 'null'")),
        (json!({"remote_ids": ["a", "a"]}), format!("{field} remote_ids. Value: ['a', 'a']. ['a', 'a'] has non-unique elements")),
    ] {
        let body = json!({ "identity_provider": provider });
        assert_eq!(put(&admin, "identity_providers/new", &body).await.expect(400).message(), told);
    }
    let nowhere = put(&admin, "identity_providers/new", &json!({"identity_provider": {"domain_id": "nope"}})).await;
    assert_eq!(nowhere.expect(404).message(), "Could not find domain: nope.");
    let moved = patch(&admin, "identity_providers/idp", &json!({"identity_provider": {"domain_id": "default"}})).await;
    assert_eq!(moved.expect(400).message(),
        format!("{field} identity_provider. Value: {{'domain_id': 'default'}}. Additional properties are not allowed ('domain_id' was unexpected)"));
    let id = "i".repeat(65);
    assert_eq!(put(&admin, &format!("identity_providers/{id}"), &json!({})).await.expect(400).message(),
        format!("String length exceeded. The length of string '{id}' exceeds the limit of column id(CHAR(64))."));
}

async fn mappings_are_checked_by_the_form_of_their_version(builder: Builder) {
    let cloud = builder.start().await;
    let admin = cloud.api().admin().await;

    let made = put(&admin, "mappings/m", &json!({"mapping": {"rules": rules(), "xx": 1}})).await.expect(201).json();
    assert_eq!(made["mapping"], json!({
        "id": "m", "rules": rules(), "schema_version": "1.0",
        "links": {"self": format!("{}/v3/OS-FEDERATION/mappings/m", cloud.api().base())},
    }));
    assert_eq!(get(&admin, "mappings/m").await.expect(200).json(), made);
    let twice = put(&admin, "mappings/m", &json!({"mapping": {"rules": rules()}})).await.expect(409);
    assert_eq!(twice.message(), "Conflict occurred attempting to store mapping - Duplicate entry.");

    let wrong = json!([
        {"local": [{"user": {"name": 5, "type": "other"}}], "remote": [{"type": "a", "any_one_of": ["x"], "not_any_of": ["y"]}, {"foo": 1}], "zz": 1},
        {"local": [{"group": {"id": "x", "name": "y"}}, {"group": {"name": "a"}}]},
        {"local": [], "remote": []},
    ]);
    for (mapping, told) in [
        (json!({}), "'rules' is a required property\n"),
        (json!({"rules": []}), "[] should be non-empty\n"),
        (json!({"rules": wrong}), "'other' is not one of ['ephemeral', 'local']\n\
            'remote' is a required property\n\
            5 is not of type 'string'\n\
            Additional properties are not allowed ('zz' was unexpected)\n\
            [] should be non-empty\n\
            {'foo': 1} is not valid under any of the given schemas\n\
            {'id': 'x', 'name': 'y'} is not valid under any of the given schemas\n\
            {'name': 'a'} is not valid under any of the given schemas\n\
            {'type': 'a', 'any_one_of': ['x'], 'not_any_of': ['y']} is not valid under any of the given schemas\n"),
    ] {
        let refused = put(&admin, "mappings/n", &json!({ "mapping": mapping })).await.expect(400);
        assert_eq!(refused.message(), told);
    }
    let project = json!({"name": "p", "roles": [{"name": "member"}], "domain": {"id": "default"}});
    let rules = json!([{"local": [{"projects": [project], "projects_json": "{0}"}], "remote": [{"type": "a", "whitelist": ["x"], "regex": true}]}]);
    for (version, told) in [
        ("1.0", "Additional properties are not allowed ('domain' was unexpected)\nAdditional properties are not allowed ('projects_json' was unexpected)\n"),
        ("2.0", "Additional properties are not allowed ('projects_json' was unexpected)\n"),
    ] {
        let body = json!({"mapping": {"rules": rules, "schema_version": version}});
        assert_eq!(put(&admin, "mappings/n", &body).await.expect(400).message(), told);
    }
    put(&admin, "mappings/n", &json!({"mapping": {"rules": rules, "schema_version": "3.0"}})).await.expect(201);

    // A change leaves nothing of what was.
    let changed = patch(&admin, "mappings/n", &json!({"mapping": {"rules": self::rules(), "id": "x"}})).await.expect(200).json();
    assert_eq!((&changed["mapping"]["schema_version"], &changed["mapping"]["id"]), (&json!("1.0"), &json!("n")));
    assert_eq!(ids(&get(&admin, "mappings?id=m&limit=1").await.expect(200).json(), "mappings"), ["m", "n"]);
    delete(&admin, "mappings/n").await.expect(204);
    for gone in [
        get(&admin, "mappings/n").await,
        delete(&admin, "mappings/n").await,
        patch(&admin, "mappings/n", &json!({"mapping": {"rules": self::rules()}})).await,
    ] {
        assert_eq!(gone.expect(404).message(), "Could not find mapping: n.");
    }
    if !cloud.is_python() {
        for version in [json!("9.0"), json!(5)] {
            let body = json!({"mapping": {"rules": self::rules(), "schema_version": version}});
            assert_eq!(put(&admin, "mappings/n", &body).await.expect(400).message(), "schema_version has to be 1.0, 2.0 or 3.0.");
        }
    }
}

async fn protocols_join_a_provider_and_a_mapping(builder: Builder) {
    let cloud = builder.start().await;
    let admin = cloud.api().admin().await;
    let body = json!({"identity_provider": {"domain_id": "default"}});
    put(&admin, "identity_providers/idp", &body).await.expect(201);
    for id in ["m", "n"] {
        put(&admin, &format!("mappings/{id}"), &json!({"mapping": {"rules": rules()}})).await.expect(201);
    }
    let all = "identity_providers/idp/protocols";
    let path = &format!("{all}/saml2");

    let body = json!({"protocol": {"mapping_id": "m", "remote_id_attribute": "HTTP"}});
    let made = put(&admin, path, &body).await.expect(201).json();
    let base = cloud.api().base();
    let links = json!({"self": format!("{base}/v3/protocols/saml2"), "identity_provider": format!("{base}/v3/idp")});
    assert_eq!(made["protocol"], json!({"id": "saml2", "mapping_id": "m", "links": links}));
    assert_eq!(get(&admin, path).await.expect(200).json(), made);
    let list = get(&admin, all).await.expect(200).json();
    assert_eq!(list["protocols"], json!([
        {"id": "saml2", "idp_id": "idp", "mapping_id": "m", "remote_id_attribute": "HTTP", "links": links},
    ]));
    assert_eq!(get(&admin, "identity_providers/nope/protocols").await.expect(200).json()["protocols"], json!([]));

    let conflict = "Conflict occurred attempting to store federation_protocol - Duplicate entry found with ID saml2.";
    assert_eq!(put(&admin, path, &body).await.expect(409).message(), conflict);
    let invalid = json!({"protocol": {"mapping_id": "nope"}});
    for answer in [put(&admin, &format!("{all}/x"), &invalid).await, patch(&admin, path, &invalid).await] {
        assert_eq!(answer.expect(400).message(), "Invalid mapping id: nope");
    }
    assert_eq!(put(&admin, "identity_providers/nope/protocols/x", &body).await.expect(404).message(),
        "Could not find Identity Provider: nope.");
    assert_eq!(patch(&admin, path, &json!({"protocol": {"remote_id_attribute": "x"}})).await.expect(400).message(),
        "Invalid input for field/attribute protocol. Value: {'remote_id_attribute': 'x'}. 'mapping_id' is a required property");
    assert_eq!(put(&admin, &format!("{all}/x"), &json!({"protocol": {"mapping_id": ""}})).await.expect(400).message(),
        "Invalid input for field/attribute mapping_id. Value: . '' should be non-empty");

    let changed = patch(&admin, path, &json!({"protocol": {"mapping_id": "n"}})).await.expect(200).json();
    assert_eq!(changed["protocol"]["mapping_id"], "n");
    // A mapping may go while protocols name it.
    delete(&admin, "mappings/n").await.expect(204);
    assert_eq!(get(&admin, path).await.expect(200).json(), changed);
    delete(&admin, path).await.expect(204);
    for gone in [get(&admin, path).await, delete(&admin, path).await] {
        assert_eq!(gone.expect(404).message(), "Could not find federated protocol saml2 for Identity Provider: idp.");
    }
}

async fn tokens_show_the_service_providers_that_are_enabled(builder: Builder) {
    let cloud = builder.start().await;
    let admin = cloud.api().admin().await;
    let shown = async || {
        let token = admin.validate(admin.token()).await.expect(200).json();
        token["token"].get("service_providers").cloned().unwrap_or(Value::Null)
    };
    assert_eq!(shown().await, Value::Null);

    let body = json!({"service_provider": {"auth_url": "http://a", "sp_url": "http://b"}});
    let made = put(&admin, "service_providers/one", &body).await.expect(201).json();
    let url = format!("{}/v3/OS-FEDERATION/service_providers/one", cloud.api().base());
    assert_eq!(made["service_provider"], json!({
        "auth_url": "http://a", "id": "one", "enabled": false, "description": null,
        "relay_state_prefix": "ss:mem:", "sp_url": "http://b", "links": {"self": url},
    }));
    assert_eq!(shown().await, Value::Null);
    let conflict = "Conflict occurred attempting to store service_provider - Duplicate entry found with ID one.";
    assert_eq!(put(&admin, "service_providers/one", &body).await.expect(409).message(), conflict);
    let body = json!({"service_provider": {"auth_url": "http://c", "sp_url": "http://d", "enabled": true, "relay_state_prefix": "x"}});
    put(&admin, "service_providers/two", &body).await.expect(201);

    let two = json!({"auth_url": "http://c", "id": "two", "sp_url": "http://d"});
    assert_eq!(shown().await, json!([two]));
    patch(&admin, "service_providers/one", &json!({"service_provider": {"enabled": true}})).await.expect(200);
    assert_eq!(shown().await, json!([{"auth_url": "http://a", "id": "one", "sp_url": "http://b"}, two]));
    assert_eq!(admin.issued().get("service_providers"), None);

    for (query, found) in [("", vec!["one", "two"]), ("id=two", vec!["two"]), ("enabled=false", vec![])] {
        let list = get(&admin, &format!("service_providers?{query}")).await.expect(200).json();
        assert_eq!(ids(&list, "service_providers"), found, "{query}");
    }
    let field = "Invalid input for field/attribute";
    for (provider, told) in [
        (json!({}), format!("{field} service_provider. Value: {{}}. {{}} should be non-empty")),
        (json!({"auth_url": "x"}), format!("{field} auth_url. Value: x. 'x' does not match '^[a-zA-Z0-9+.-]+:.+'")),
        (json!({"id": "x"}), format!("{field} service_provider. Value: {{'id': 'x'}}. Additional properties are not allowed ('id' was unexpected)")),
    ] {
        let answer = patch(&admin, "service_providers/one", &json!({ "service_provider": provider })).await;
        assert_eq!(answer.expect(400).message(), told);
    }
    delete(&admin, "service_providers/one").await.expect(204);
    delete(&admin, "service_providers/two").await.expect(204);
    assert_eq!(shown().await, Value::Null);
    for gone in [get(&admin, "service_providers/one").await, delete(&admin, "service_providers/one").await] {
        assert_eq!(gone.expect(404).message(), "Could not find Service Provider: one.");
    }
}

async fn who_may_not_federate_learns_nothing(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let alice = cloud.api().login("alice", Scope::Project("demo")).await;

    for path in [
        "identity_providers", "identity_providers/x", "identity_providers/x/protocols",
        "identity_providers/x/protocols/y", "mappings", "mappings/x", "service_providers", "service_providers/x",
    ] {
        get(&alice, path).await.expect(403);
    }
    for path in ["identity_providers/x", "identity_providers/x/protocols/y", "mappings/x", "service_providers/x"] {
        delete(&alice, path).await.expect(403);
    }
    put(&alice, "mappings/x", &json!({})).await.expect(403);
    put(&alice, "identity_providers/x", &json!({})).await.expect(403);
    put(&alice, "identity_providers/x", &json!({"x": 1})).await.expect(400);
    cloud.api().get("/v3/OS-FEDERATION/mappings").await.expect(401);
}

async fn the_former_places_of_scopes_still_answer(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let alice = cloud.api().login("alice", Scope::Project("demo")).await;

    for what in ["projects", "domains"] {
        let former = get(&alice, what).await.expect(200).json();
        let now = alice.get(&format!("/v3/auth/{what}")).await.expect(200).json();
        assert_eq!(former[what], now[what]);
        let url = format!("{}/v3/OS-FEDERATION/{what}", cloud.api().base());
        assert_eq!(former["links"]["self"], url);
    }
}

}
