//! Notifications, in the shape of Python Keystone's.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::login::{PASSWORD, password_is};
use crate::support::{Cloud, Scope, each_keystone, scoped, seed};

/// All notifications in the log so far.
fn told(cloud: &Cloud<'_>) -> Vec<Value> {
    let log = cloud.log();
    let lines = log.lines().filter_map(|line| {
        let at = line.find(r#"{"message_id""#)?;
        let mut values = serde_json::Deserializer::from_str(&line[at..]).into_iter::<Value>();
        values.next()?.ok()
    });
    lines.collect()
}

/// The notification of this type about this resource, once it is there.
pub(crate) async fn wait_for(cloud: &Cloud<'_>, event_type: &str, about: &str) -> Value {
    for _ in 0..600 {
        let found = told(cloud).into_iter().find(|one| {
            one["event_type"] == event_type
                && (about.is_empty() || one["payload"]["resource_info"] == about)
        });
        if let Some(found) = found {
            return found;
        }
        actix_rt::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no {event_type} about {about:?} in {:#?}", told(cloud));
}

each_keystone! {

async fn changes_and_logins_are_told_to_auditors_without_a_secret(builder: Builder) {
    let cloud = builder
        .seed(seed::world())
        .notifying()
        .set("DEFAULT", "notification_opt_out", "identity.authenticate.pending")
        .set("DEFAULT", "default_publisher_id", "here")
        .start()
        .await;
    let admin = cloud.api().admin().await;
    let own = admin.text("/user/id").to_owned();
    let body = json!({"user": {"name": "carol", "password": "carols-secret-password"}});
    let user = admin.post("/v3/users", &body).await.expect(201).json();
    let user = user["user"]["id"].as_str().unwrap();

    let created = wait_for(&cloud, "identity.user.created", user).await;
    assert_eq!((&created["publisher_id"], &created["priority"]), (&json!("identity.here"), &json!("INFO")));
    let payload = &created["payload"];
    assert_eq!(payload["typeURI"], "http://schemas.dmtf.org/cloud/audit/1.0/event");
    assert_eq!((&payload["eventType"], &payload["action"]), (&json!("activity"), &json!("created.user")));
    assert_eq!(payload["outcome"], "success");
    assert_eq!(payload["target"], json!({"id": user, "typeURI": "data/security/account/user"}));
    let initiator = &payload["initiator"];
    assert_eq!((&initiator["user_id"], &initiator["username"]), (&json!(own), &json!("admin")));
    assert_eq!(initiator["id"], own);
    // Python Keystone sometimes tells an address that is none.
    if !cloud.is_python() {
        assert_eq!(initiator["host"]["address"], "127.0.0.1");
    }
    assert_eq!(initiator["project_id"], admin.text("/project/id"));
    assert!(initiator["request_id"].as_str().unwrap().starts_with("req-"));
    let services = admin.issued()["catalog"].as_array().unwrap();
    let identity = services.iter().find(|service| service["type"] == "identity").unwrap();
    assert_eq!(payload["observer"], json!({"id": identity["id"], "typeURI": "service/security"}));

    let group = admin.post("/v3/groups", &json!({"group": {"name": "team"}})).await.expect(201).json();
    let group = group["group"]["id"].as_str().unwrap();
    admin.put(&format!("/v3/groups/{group}/users/{user}")).await.expect(204);
    wait_for(&cloud, "identity.group.created", group).await;
    wait_for(&cloud, "identity.group.updated", group).await;
    admin.delete(&format!("/v3/users/{user}")).await.expect(204);
    wait_for(&cloud, "identity.user.deleted", user).await;

    cloud.api().authenticate(&scoped(password_is("alice", "not-her-password"), Scope::Unscoped)).await.expect(401);
    wait_for(&cloud, "identity.authenticate", "").await;
    let outcome = |wanted: &str| told(&cloud).iter().any(|one| {
        one["event_type"] == "identity.authenticate" && one["payload"]["outcome"] == wanted
    });
    for _ in 0..600 {
        if outcome("success") && outcome("failure") {
            break;
        }
        actix_rt::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(outcome("success") && outcome("failure"), "{:#?}", told(&cloud));
    let all = Value::from(told(&cloud)).to_string();
    for secret in [PASSWORD, "carols-secret-password", "not-her-password", admin.token()] {
        assert!(!all.contains(secret));
    }
}

}
