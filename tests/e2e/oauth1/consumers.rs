//! `/v3/OS-OAUTH1/consumers`.

use serde_json::json;

use crate::support::{Scope, each_keystone, seed};

each_keystone! {

async fn a_consumer_is_created_with_a_secret_shown_changed_and_deleted(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;
    let all = "/v3/OS-OAUTH1/consumers";

    let made = admin.post(all, &json!({"consumer": {"description": "d", "a-b": 1}})).await.expect(201).json();
    let mut made = made["consumer"].clone();
    let secret = made.as_object_mut().unwrap().remove("secret").unwrap();
    assert_eq!(secret.as_str().unwrap().len(), 32);
    let id = made["id"].as_str().unwrap();
    let path = format!("{all}/{id}");
    assert_eq!(made, json!({
        "a_b": 1, "id": id, "description": "d", "links": {"self": format!("{}{path}", cloud.api().base())},
    }));
    assert_eq!(admin.get(&path).await.expect(200).json()["consumer"], made);
    assert_eq!(admin.get(all).await.expect(200).json()["consumers"], json!([made]));

    let body = json!({"consumer": {"description": null, "c-d": [1], "id": id}});
    let changed = admin.patch(&path, &body).await.expect(200).json();
    let changed = &changed["consumer"];
    assert_eq!((&changed["description"], &changed["a_b"], &changed["c_d"]), (&json!(null), &json!(1), &json!([1])));
    assert_eq!(changed.get("secret"), None);
    for (consumer, line) in [
        (json!({}), "{} should be non-empty"),
        (json!({"description": 5}), "Invalid input for field 'description': 5 is not of type 'string', 'null'"),
        (json!({"description": "d", "id": "x"}), "Cannot change ID"),
    ] {
        let message = admin.patch(&path, &json!({ "consumer": consumer })).await.expect(400).message();
        assert_eq!(message.lines().next(), Some(line));
    }
    admin.patch(&path, &json!({"consumer": {"secret": "x"}})).await.expect(400);
    let long = "d".repeat(65);
    assert_eq!(admin.post(all, &json!({"consumer": {"description": long}})).await.expect(400).message(),
        format!("String length exceeded. The length of string '{long}' exceeds the limit of column description(CHAR(64))."));

    let alice = cloud.api().login("alice", Scope::Project("demo")).await;
    alice.get(&path).await.expect(403);
    alice.post(all, &json!({"consumer": {}})).await.expect(403);
    alice.delete(&path).await.expect(403);
    admin.delete(&path).await.expect(204);
    for gone in [
        admin.get(&path).await,
        admin.delete(&path).await,
        admin.patch(&path, &json!({"consumer": {"description": "d"}})).await,
    ] {
        assert_eq!(gone.expect(404).message(), "Consumer not found");
    }
}

}
