//! `/v3/policies` and `OS-ENDPOINT-POLICY`.

use serde_json::{Value, json};

use crate::support::{Scope, Session, each_keystone, seed};

async fn create(admin: &Session, path: &str, kind: &str, attributes: &Value) -> Value {
    let answer = admin.post(path, &json!({ kind: attributes })).await;
    answer.expect(201).json()[kind].clone()
}

fn id(resource: &Value) -> &str {
    resource["id"].as_str().unwrap()
}

each_keystone! {

async fn policies_are_created_shown_listed_changed_and_deleted(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;

    let attributes = json!({"blob": "{\"a\": 1}", "type": "application/json", "a:b": null});
    let made = create(&admin, "/v3/policies", "policy", &attributes).await;
    let path = format!("/v3/policies/{}", id(&made));
    assert_eq!(made, json!({
        "a_b": null, "id": id(&made), "blob": "{\"a\": 1}", "type": "application/json",
        "links": {"self": format!("{}{path}", cloud.api().base())},
    }));
    let other = create(&admin, "/v3/policies", "policy", &json!({"blob": "", "type": "t"})).await;
    assert_eq!(admin.get(&path).await.expect(200).json()["policy"], made);
    admin.head(&path).await.expect(200);
    let listed = admin.get("/v3/policies?type=t").await.expect(200).json();
    assert_eq!(listed["policies"], json!([other]));
    assert_eq!(admin.get("/v3/policies").await.expect(200).json()["policies"].as_array().unwrap().len(), 2);

    let changed = admin.patch(&path, &json!({"policy": {"blob": "b", "id": id(&made)}})).await.expect(200).json();
    assert_eq!((&changed["policy"]["blob"], &changed["policy"]["type"]), (&json!("b"), &json!("application/json")));
    for (body, line) in [
        (json!({"policy": {}}), "{} should be non-empty"),
        (json!({"policy": {"type": 5}}), "Invalid input for field 'type': 5 is not of type 'string'"),
        (json!({"policy": {"blob": "b", "id": "x"}}), "Cannot change policy ID"),
    ] {
        let message = admin.patch(&path, &body).await.expect(400).message();
        assert_eq!(message.lines().next(), Some(line));
    }
    let missing = admin.post("/v3/policies", &json!({"policy": {"type": "t"}})).await.expect(400).message();
    assert_eq!(missing.lines().next(), Some("'blob' is a required property"));

    let alice = cloud.api().login("alice", Scope::Project("demo")).await;
    alice.get(&path).await.expect(403);
    alice.post("/v3/policies", &json!({})).await.expect(403);
    admin.delete(&path).await.expect(204);
    assert_eq!(admin.get(&path).await.expect(404).message(), format!("Could not find policy: {}.", id(&made)));
    admin.patch(&path, &json!({"policy": {"blob": "b"}})).await.expect(404);
    admin.delete(&path).await.expect(404);
}

async fn the_nearest_policy_is_the_endpoints(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;
    for region in [json!({"id": "eu"}), json!({"id": "de", "parent_region_id": "eu"})] {
        create(&admin, "/v3/regions", "region", &region).await;
    }
    let compute = create(&admin, "/v3/services", "service", &json!({"type": "compute"})).await;
    let compute = id(&compute);
    let attributes = json!({"interface": "public", "service_id": compute, "url": "http://h", "region_id": "de"});
    let endpoint = create(&admin, "/v3/endpoints", "endpoint", &attributes).await;
    let endpoint = id(&endpoint);
    let of_endpoint = format!("/v3/endpoints/{endpoint}/OS-ENDPOINT-POLICY/policy");
    assert_eq!(admin.get(&of_endpoint).await.expect(404).message(),
        format!("No policy is associated with endpoint {endpoint}."));

    for target in [
        format!("services/{compute}"),
        format!("services/{compute}/regions/eu"),
        format!("services/{compute}/regions/de"),
        format!("endpoints/{endpoint}"),
    ] {
        let policy = create(&admin, "/v3/policies", "policy", &json!({"blob": target, "type": "t"})).await;
        let path = format!("/v3/policies/{}/OS-ENDPOINT-POLICY", id(&policy));
        let association = format!("{path}/{target}");
        assert_eq!(admin.get(&association).await.expect(404).message(), "Could not find policy association.");
        assert_eq!(admin.put(&association).await.expect(204).bytes(), b"");
        admin.put(&association).await.expect(204);
        admin.get(&association).await.expect(204);
        admin.head(&association).await.expect(204);

        let shown = admin.get(&of_endpoint).await.expect(200).json()["policy"].clone();
        assert_eq!(shown["blob"], json!(target));
        assert_eq!(shown["links"]["self"], format!("{}/v3/endpoints/{}", cloud.api().base(), id(&policy)));
        let list = admin.get(&format!("{path}/endpoints")).await.expect(200).json();
        assert_eq!(list["endpoints"], json!([{
            "id": endpoint, "interface": "public", "service_id": compute, "url": "http://h", "region_id": "de",
            "enabled": true, "links": {"self": format!("{}/v3/endpoints/{endpoint}", cloud.api().base())},
        }]));
    }

    // Another policy takes the place of the endpoint's.
    let policy = create(&admin, "/v3/policies", "policy", &json!({"blob": "other", "type": "t"})).await;
    let association = format!("/v3/policies/{}/OS-ENDPOINT-POLICY/endpoints/{endpoint}", id(&policy));
    admin.put(&association).await.expect(204);
    assert_eq!(admin.get(&of_endpoint).await.expect(200).json()["policy"]["blob"], "other");
    admin.delete(&association).await.expect(204);
    admin.delete(&association).await.expect(204);
    let nearest = admin.get(&of_endpoint).await.expect(200).json();
    assert_eq!(nearest["policy"]["blob"], json!(format!("services/{compute}/regions/de")));

    for (path, message) in [
        (format!("x/OS-ENDPOINT-POLICY/endpoints/{endpoint}"), "Could not find policy: x."),
        ("x/OS-ENDPOINT-POLICY/endpoints".to_owned(), "Could not find policy: x."),
        (format!("{}/OS-ENDPOINT-POLICY/endpoints/y", id(&policy)), "Could not find endpoint: y."),
        (format!("{}/OS-ENDPOINT-POLICY/services/y", id(&policy)), "Could not find service: y."),
        (format!("{}/OS-ENDPOINT-POLICY/services/{compute}/regions/y", id(&policy)), "Could not find region: y."),
    ] {
        assert_eq!(admin.get(&format!("/v3/policies/{path}")).await.expect(404).message(), message);
    }
    let alice = cloud.api().login("alice", Scope::Project("demo")).await;
    alice.get(&of_endpoint).await.expect(403);
    alice.put(&association).await.expect(403);
}

}
