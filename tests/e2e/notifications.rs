//! Notifications, in the shape of Python Keystone's.

use std::time::Duration;

use awc::http::Method;
use serde_json::{Value, json};

use crate::support::login::{PASSWORD, password_is};
use crate::support::{Cloud, Scope, each_keystone, scoped, seed};

/// What a chain of services calls a request.
const GLOBAL: &str = "req-01234567-89ab-cdef-0123-456789abcdef";

/// All notifications in the log so far.
pub(crate) fn told(cloud: &Cloud<'_>) -> Vec<Value> {
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
    wait_until(cloud, |one| {
        one["event_type"] == event_type
            && (about.is_empty() || one["payload"]["resource_info"] == about)
    })
    .await
}

/// The first notification that is so, once it is there.
async fn wait_until(cloud: &Cloud<'_>, is_so: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..600 {
        if let Some(found) = told(cloud).into_iter().find(&is_so) {
            return found;
        }
        actix_rt::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it is not told: {:#?}", told(cloud));
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

    let project = admin.text("/project/id");
    let grant = format!("/v3/projects/{project}/users/{own}/roles");
    let plain = admin.post("/v3/roles", &json!({"role": {"name": "plain"}})).await.expect(201).json();
    let plain = plain["role"]["id"].as_str().unwrap();
    admin.put(&format!("{grant}/{plain}")).await.expect(204);
    admin.delete(&format!("{grant}/{plain}")).await.expect(204);
    admin.delete(&format!("{grant}/{plain}")).await.expect(404);
    for (operation, outcome) in [("created", "success"), ("deleted", "success"), ("deleted", "failure")] {
        let found = wait_until(&cloud, |one| {
            one["event_type"] == format!("identity.role_assignment.{operation}") && one["payload"]["outcome"] == outcome
        });
        let payload = &found.await["payload"];
        assert_eq!((&payload["role"], &payload["user"], &payload["project"]), (&json!(plain), &json!(own), &json!(project)));
        assert_eq!(payload["inherited_to_projects"], false);
    }
    let path = format!("/v3/roles/{plain}");
    admin.request(Method::DELETE, &path).header("X-OpenStack-Request-ID", GLOBAL).send().await.expect(204);
    let deleted = wait_for(&cloud, "identity.role.deleted", plain).await;
    assert_eq!(deleted["payload"]["initiator"]["global_request_id"], GLOBAL);

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

async fn who_guesses_at_a_password_by_changing_it_is_heard_of(builder: Builder) {
    let cloud = builder
        .seed(seed::world())
        .notifying()
        .set("DEFAULT", "notification_opt_out", "identity.authenticate.pending")
        .set("security_compliance", "lockout_failure_attempts", 2)
        .set("security_compliance", "password_regex", "^.{9,}$")
        .start()
        .await;
    let change = async |user: &str, original: &str, new: &str| {
        let body = json!({"user": {"original_password": original, "password": new}});
        let path = format!("/v3/users/{user}/password");
        cloud.api().request(Method::POST, &path).json(&body).send().await
    };
    let proof = async |user: &str, outcome: &str| {
        wait_until(&cloud, |one| {
            one["event_type"] == "identity.authenticate"
                && one["payload"]["initiator"]["user_id"] == user
                && one["payload"]["outcome"] == outcome
        })
        .await
    };
    let reason = |told: &Value| told["payload"]["reason"].clone();

    // A right password and a new one that breaks a rule: both are told, the second with the rule.
    change("bob", PASSWORD, "short").await.expect(400);
    let good = proof("bob", "success").await;
    assert_eq!(good["payload"]["initiator"]["username"], "bob");
    let broken = wait_for(&cloud, "identity.user.updated", "bob").await;
    assert_eq!(broken["payload"]["reason"]["reasonCode"], "400");

    change("nobody", "not-her-password", "a-new-password").await.expect(401);
    proof("nobody", "failure").await;
    for _ in 0..2 {
        change("alice", "not-her-password", "a-new-password").await.expect(401);
    }
    proof("alice", "failure").await;
    // Locked, and told to auditors alone.
    let locked = change("alice", PASSWORD, "a-new-password").await.expect(401);
    assert_eq!(locked.message(), "The request you have made requires authentication.");
    let locked = wait_until(&cloud, |one| one["payload"]["reason"]["reasonType"] == "The account is locked for user: alice.");
    assert_eq!(reason(&locked.await)["reasonCode"], "401");

    let all = Value::from(told(&cloud)).to_string();
    for secret in [PASSWORD, "not-her-password", "a-new-password"] {
        assert!(!all.contains(secret));
    }
}

}
