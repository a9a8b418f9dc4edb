//! `/v3/registered_limits` and `/v3/limits`.

use serde_json::{Value, json};

use crate::support::{Scope, Session, each_keystone, seed};

async fn service(admin: &Session) -> String {
    let body = json!({"service": {"type": "compute"}});
    let answer = admin.post("/v3/services", &body).await.expect(201).json();
    answer["service"]["id"].as_str().unwrap().to_owned()
}

fn id(resource: &Value) -> &str {
    resource["id"].as_str().unwrap()
}

/// The numbers of the limits in a list, sorted.
fn numbers(list: &Value, of: &str, name: &str) -> Vec<i64> {
    let members = list[of].as_array().unwrap();
    let mut numbers: Vec<i64> = members
        .iter()
        .map(|one| one[name].as_i64().unwrap())
        .collect();
    numbers.sort_unstable();
    numbers
}

const MALFORMED: &str = "The server could not comply with the request since it is either malformed or otherwise \
    incorrect. The client is assumed to be in error.";

each_keystone! {

async fn limits_are_registered_changed_and_deleted(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;
    let compute = service(&admin).await;
    admin.post("/v3/regions", &json!({"region": {"id": "eu"}})).await.expect(201);
    let limit = |name: &str, region: Option<&str>, number: i64| json!({
        "service_id": compute, "region_id": region, "resource_name": name, "default_limit": number,
    });
    let post = async |limits: Value| admin.post("/v3/registered_limits", &json!({"registered_limits": limits})).await;

    let made = post(json!([limit("cores", None, 10), limit("cores", Some("eu"), -1)])).await.expect(201).json();
    assert_eq!(made.as_object().unwrap().len(), 1, "no links of a list");
    let of = |region: &Value| {
        let limits = made["registered_limits"].as_array().unwrap().iter();
        limits.clone().find(|one| one["region_id"] == *region).unwrap().clone()
    };
    let (cores, in_eu) = (of(&Value::Null), of(&json!("eu")));
    let path = format!("/v3/registered_limits/{}", id(&cores));
    assert_eq!(cores, json!({
        "id": id(&cores), "service_id": compute, "region_id": null, "resource_name": "cores", "default_limit": 10,
        "description": null, "links": {"self": format!("{}{path}", cloud.api().base())},
    }));

    let malformed = |attribute: &str| format!("Expecting to find {attribute} in registered_limit. {MALFORMED}");
    let unknown = "0ddf9a1e4b544ac6b1fb5ba6bbc0d9a3";
    for (limits, status, message) in [
        (json!([limit("ram", None, 1), limit("cores", None, 1)]), 409,
            "Conflict occurred attempting to store registered_limit - Duplicate entry.".to_owned()),
        (json!([limit("ram", Some("us"), 1)]), 400, malformed("region_id")),
        (json!([{"service_id": unknown, "resource_name": "x", "default_limit": 1}]), 400, malformed("service_id")),
        (json!([{"service_id": compute, "resource_name": "x", "default_limit": -2}]), 400,
            "Invalid input for field/attribute default_limit. Value: -2. -2 is less than the minimum of -1".to_owned()),
        (json!([{"service_id": "zz", "resource_name": "x", "default_limit": 1}]), 400,
            "Invalid input for field/attribute service_id. Value: zz. 'zz' is not a 'uuid'".to_owned()),
        (json!([]), 400,
            "Invalid input for field/attribute registered_limits. Value: []. [] should be non-empty".to_owned()),
        (json!([{"service_id": compute, "resource_name": "x"}]), 400, format!("Invalid input for field/attribute 0. Value: \
            {{'service_id': '{compute}', 'resource_name': 'x'}}. 'default_limit' is a required property")),
    ] {
        assert_eq!(post(limits).await.expect(status).message(), message);
    }

    let alice = cloud.api().login("alice", Scope::Project("demo")).await;
    let list = async |query: &str| {
        let list = alice.get(&format!("/v3/registered_limits{query}")).await.expect(200).json();
        numbers(&list, "registered_limits", "default_limit")
    };
    assert_eq!(list("").await, [-1, 10], "all or none");
    assert_eq!(list("?region_id=eu").await, [-1]);
    assert_eq!(list("?resource_name__icontains=CORE&foo=1").await, [-1, 10]);
    assert_eq!(list(&format!("?service_id={unknown}")).await, [] as [i64; 0]);
    alice.get("/v3/registered_limits?service_id=zz").await.expect(400);
    assert_eq!(alice.get(&path).await.expect(200).json()["registered_limit"], cores);
    assert_eq!(alice.get("/v3/registered_limits/x").await.expect(404).message(), "Could not find registered limit for x.");
    alice.delete("/v3/registered_limits/x").await.expect(403);

    let patch = async |body: Value| admin.patch(&path, &json!({"registered_limit": body})).await;
    let changed = patch(json!({"default_limit": 20, "description": "d"})).await.expect(200).json();
    assert_eq!((&changed["registered_limit"]["default_limit"], &changed["registered_limit"]["region_id"]), (&json!(20), &Value::Null));
    assert_eq!(patch(json!({})).await.expect(200).json(), changed);
    patch(json!({"region_id": "eu"})).await.expect(409);
    patch(json!({"resource_name": "cores"})).await.expect(409);
    assert_eq!(patch(json!({"foo": 1})).await.expect(400).message(), "Invalid input for field/attribute registered_limit. \
        Value: {'foo': 1}. Additional properties are not allowed ('foo' was unexpected)");

    let body = json!({"limits": [{
        "service_id": compute, "resource_name": "cores", "resource_limit": 1, "project_id": "demo",
    }]});
    admin.post("/v3/limits", &body).await.expect(201);
    let used = format!(
        "Unable to update or delete registered limit {} because there are project limits associated with it.", id(&cores)
    );
    assert_eq!(patch(json!({"default_limit": 1})).await.expect(403).message(), used);
    assert_eq!(admin.delete(&path).await.expect(403).message(), used);
    admin.delete(&format!("/v3/registered_limits/{}", id(&in_eu))).await.expect(204);
    admin.delete(&format!("/v3/registered_limits/{}", id(&in_eu))).await.expect(404);
}

async fn limits_of_projects_and_domains_are_seen_by_those_they_are_for(builder: Builder) {
    let cloud = builder.seed([
        seed::world(), seed::grant("UserDomain", "bob", "default", "reader"), seed::grant("UserProject", "bob", "demo", "reader"),
    ].concat()).start().await;
    let admin = cloud.api().admin().await;
    let compute = service(&admin).await;
    let registered = json!({"registered_limits": [
        {"service_id": compute, "resource_name": "cores", "default_limit": 10},
        {"service_id": compute, "resource_name": "ram", "default_limit": 10},
    ]});
    admin.post("/v3/registered_limits", &registered).await.expect(201);
    let limit = |owner: &str, of: &str, name: &str, number: i64| json!({
        "service_id": compute, owner: of, "resource_name": name, "resource_limit": number,
    });
    let post = async |limits: Value| admin.post("/v3/limits", &json!({"limits": limits})).await;

    let made = post(json!([
        limit("project_id", "demo", "cores", 1), limit("project_id", "demo", "ram", 2), limit("project_id", "attic", "cores", 3),
        limit("domain_id", "default", "cores", 4), limit("project_id", "shut", "ram", 5),
    ])).await.expect(201).json();
    let of = |number: i64| {
        let limits = made["limits"].as_array().unwrap().iter();
        limits.clone().find(|one| one["resource_limit"] == number).unwrap().clone()
    };
    let (cores, of_domain) = (of(1), of(5));
    let path = |limit: &Value| format!("/v3/limits/{}", id(limit));
    assert_eq!(made.as_object().unwrap().len(), 1, "no links of a list");
    assert_eq!(cores, json!({
        "id": id(&cores), "project_id": "demo", "domain_id": null, "resource_limit": 1, "description": null,
        "service_id": compute, "region_id": null, "resource_name": "cores",
        "links": {"self": format!("{}{}", cloud.api().base(), path(&cores))},
    }));
    assert_eq!((&of_domain["project_id"], &of_domain["domain_id"]), (&Value::Null, &json!("shut")));

    let malformed = |attribute: &str| format!("Expecting to find {attribute} in limit. {MALFORMED}");
    let neither = json!([{"service_id": compute, "resource_name": "cores", "resource_limit": 1}]);
    for (limits, status, message) in [
        (json!([limit("project_id", "closed", "ram", 1), limit("project_id", "demo", "cores", 1)]), 409,
            "Conflict occurred attempting to store limit - Duplicate entry.".to_owned()),
        (json!([limit("project_id", "nope", "cores", 1)]), 400, malformed("project_id")),
        (json!([limit("domain_id", "nope", "cores", 1)]), 400, malformed("domain_id")),
        (json!([limit("project_id", "closed", "disk", 1)]), 403,
            "Unable to create a limit that has no corresponding registered limit.".to_owned()),
        (neither, 400, format!("Invalid input for field/attribute 0. Value: {{'service_id': '{compute}', 'resource_name': \
            'cores', 'resource_limit': 1}}. {{'service_id': '{compute}', 'resource_name': 'cores', 'resource_limit': 1}} is \
            not valid under any of the given schemas")),
    ] {
        assert_eq!(post(limits).await.expect(status).message(), message);
    }

    let list = async |who: &Session, query: &str| {
        let list = who.get(&format!("/v3/limits{query}")).await.expect(200).json();
        numbers(&list, "limits", "resource_limit")
    };
    let alice = cloud.api().login("alice", Scope::Project("demo")).await;
    let bob = cloud.api().login("bob", Scope::Domain("default")).await;
    let nobody = cloud.api().login("bob", Scope::Unscoped).await;
    assert_eq!(list(&admin, "").await, [1, 2, 3, 4, 5]);
    assert_eq!(list(&admin, "?project_id=demo&resource_name=ram").await, [2]);
    assert_eq!(list(&admin, "?domain_id=shut").await, [5]);
    assert_eq!(list(&admin, &format!("?service_id={compute}&resource_name=cores")).await, [1, 3, 4]);
    assert_eq!(list(&alice, "").await, [1, 2]);
    assert_eq!(list(&alice, "?project_id=attic").await, [] as [i64; 0]);
    assert_eq!(list(&bob, "").await, [1, 2, 4]);
    assert_eq!(list(&nobody, "").await, [] as [i64; 0]);
    assert_eq!(alice.get(&path(&cores)).await.expect(200).json()["limit"], cores);
    bob.get(&path(&cores)).await.expect(200);
    alice.get(&path(&of_domain)).await.expect(403);
    alice.get("/v3/limits/x").await.expect(403);
    alice.patch("/v3/limits/x", &json!({"limit": {}})).await.expect(404);
    alice.delete(&path(&cores)).await.expect(403);

    let patch = async |body: Value| admin.patch(&path(&cores), &json!({"limit": body})).await;
    let changed = patch(json!({"resource_limit": 7, "description": "d"})).await.expect(200).json();
    assert_eq!((&changed["limit"]["resource_limit"], &changed["limit"]["description"]), (&json!(7), &json!("d")));
    patch(json!({})).await.expect(200);
    patch(json!({"project_id": "attic"})).await.expect(400);
    assert_eq!(list(&alice, "").await, [2, 7]);
    admin.delete(&path(&cores)).await.expect(204);
    assert_eq!(list(&alice, "").await, [2]);
    assert_eq!(admin.delete(&path(&cores)).await.expect(404).message(), format!("Could not find limit for {}.", id(&cores)));

    let model = alice.get("/v3/limits/model").await.expect(200).json();
    assert_eq!(model, json!({"model": {
        "name": "flat",
        "description": "Limit enforcement and validation does not take project hierarchy into consideration.",
    }}));
}

async fn the_strict_model_keeps_projects_within_their_domain(builder: Builder) {
    let cloud = builder.seed(seed::world()).set("unified_limit", "enforcement_model", "strict_two_level").start().await;
    let admin = cloud.api().admin().await;
    let compute = service(&admin).await;
    let registered = json!({"registered_limits": [{"service_id": compute, "resource_name": "cores", "default_limit": 10}]});
    admin.post("/v3/registered_limits", &registered).await.expect(201);
    let limit = |owner: &str, of: &str, number: i64| json!({
        "service_id": compute, owner: of, "resource_name": "cores", "resource_limit": number,
    });
    let post = async |limits: Value| admin.post("/v3/limits", &json!({"limits": limits})).await;

    let over = post(json!([limit("project_id", "demo", 11)])).await.expect(403);
    assert_eq!(over.message(), format!("Invalid resource limit: The resource limit (project_id: demo, resource_name: cores, \
        resource_limit: 11, service_id: {compute}, region_id: None) doesn't satisfy current hierarchy model.."));
    let made = post(json!([limit("domain_id", "default", 20), limit("project_id", "demo", 15)])).await.expect(201).json();
    post(json!([limit("project_id", "closed", 21)])).await.expect(403);
    let limits = made["limits"].as_array().unwrap().iter();
    for limit in limits {
        let path = format!("/v3/limits/{}", id(limit));
        let number = if limit["domain_id"] == "default" { 14 } else { 21 };
        admin.patch(&path, &json!({"limit": {"resource_limit": number}})).await.expect(403);
        admin.patch(&path, &json!({"limit": {"resource_limit": 16}})).await.expect(200);
    }
    let model = admin.get("/v3/limits/model").await.expect(200).json();
    assert_eq!(model["model"]["name"], "strict_two_level");
}

}
