//! `/v3/domains/{domain_id}/config`: the configuration of single domains.

use awc::http::Method;
use serde_json::{Value, json};

use crate::support::{Scope, each_keystone, seed};

const PATH: &str = "/v3/domains/default/config";

each_keystone! {

async fn a_configuration_is_set_changed_and_deleted_and_keeps_its_secrets(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;
    let put = async |config: Value| {
        admin.request(Method::PUT, PATH).json(&json!({"config": config})).send().await
    };
    let patch = async |at: &str, config: Value| {
        admin.patch(&format!("{PATH}{at}"), &json!({"config": config})).await
    };
    let get = async |at: &str| admin.get(&format!("{PATH}{at}")).await;
    assert_eq!(get("").await.expect(404).message(),
        "Could not find any options in domain configuration for domain default.");

    let ldap = json!({"url": "ldap://%(password)s@h", "password": "secret", "page_size": 7});
    let shown = json!({"ldap": {"url": "ldap://%(password)s@h", "page_size": 7}});
    assert_eq!(put(json!({"ldap": ldap})).await.expect(201).json(), json!({"config": shown}));
    assert_eq!(put(json!({"ldap": ldap})).await.expect(200).json(), json!({"config": shown}));
    assert_eq!(get("").await.expect(200).json(), json!({"config": shown}));
    assert_eq!(get("/ldap").await.expect(200).json(), json!({"config": shown}));
    assert_eq!(get("/ldap/page_size").await.expect(200).json(), json!({"config": {"page_size": 7}}));
    assert_eq!(get("/ldap/password").await.expect(404).message(),
        "Could not find option password in group ldap in domain configuration for domain default.");
    assert_eq!(admin.head(PATH).await.expect(200).bytes(), b"");

    let all = patch("/ldap", json!({"ldap": {"user": "u"}})).await.expect(200).json();
    assert_eq!(all["config"]["ldap"], json!({"url": "ldap://%(password)s@h", "page_size": 7, "user": "u"}));
    let all = patch("/ldap/url", json!({"url": "ldap://h"})).await.expect(200).json();
    assert_eq!(all["config"]["ldap"], json!({"url": "ldap://h", "page_size": 7, "user": "u"}));
    let all = patch("", json!({"identity": {"driver": "ldap"}})).await.expect(200).json();
    assert_eq!(all["config"]["identity"], json!({"driver": "ldap"}));

    let invalid = |text: &str| format!("Invalid domain specific configuration: {text}.");
    for (at, config, status, message) in [
        ("", json!({}), 403, invalid("No options specified")),
        ("", json!({"ldap": "x"}), 403,
            invalid("The value of group ldap specified in the config should be a dictionary of options")),
        ("", json!({"foo": {"a": 1}}), 403, invalid("Group foo is not supported for domain specific configurations")),
        ("", json!({"ldap": {"foo": 1}}), 403,
            invalid("Option foo in group ldap is not supported for domain specific configurations")),
        ("/ldap/url", json!({"suffix": "x"}), 403,
            invalid("Trying to update option url in group ldap, but config provided contains option suffix instead")),
        ("/ldap", json!({"identity": {"driver": "x"}}), 403,
            invalid("request to update group ldap, but config provided contains group identity instead")),
        ("/ldap/suffix", json!({"suffix": "x"}), 404,
            "Could not find option suffix in group ldap in domain configuration for domain default.".to_owned()),
    ] {
        assert_eq!(patch(at, config).await.expect(status).message(), message, "{at}");
    }

    admin.delete(&format!("{PATH}/ldap/user")).await.expect(204);
    admin.delete(&format!("{PATH}/ldap/user")).await.expect(404);
    assert_eq!(get("/ldap").await.expect(200).json()["config"]["ldap"], json!({"url": "ldap://h", "page_size": 7}));
    admin.delete(&format!("{PATH}/identity")).await.expect(204);
    assert_eq!(admin.delete(&format!("{PATH}/identity/driver")).await.expect(404).message(),
        "Could not find group identity in domain configuration for domain default.");
    admin.delete(PATH).await.expect(204);
    admin.delete(PATH).await.expect(204);
    get("").await.expect(404);
}

async fn what_holds_without_a_configuration_is_shown(builder: Builder) {
    let cloud = builder.seed(seed::world())
        .set("security_compliance", "password_regex", "^.{3,}$")
        .set("ldap", "page_size", 9)
        .set("ldap", "user_attribute_ignore", "a, b")
        .start().await;
    let admin = cloud.api().admin().await;
    let alice = cloud.api().login("alice", Scope::Project("demo")).await;

    let whole = admin.get("/v3/domains/config/default").await.expect(200).json();
    assert_eq!(whole["config"]["identity"], json!({"driver": "sql", "list_limit": null}));
    let ldap = &whole["config"]["ldap"];
    assert_eq!(ldap.as_object().unwrap().len(), 49);
    for (option, value) in [
        ("url", json!("ldap://localhost")), ("user", Value::Null), ("page_size", json!(9)), ("use_pool", json!(true)),
        ("pool_retry_delay", json!(0.1)), ("user_enabled_default", json!("True")), ("group_attribute_ignore", json!([])),
        ("user_attribute_ignore", json!(["a", "b"])), ("debug_level", Value::Null), ("pool_connection_timeout", json!(-1)),
    ] {
        assert_eq!(ldap[option], value, "{option}");
    }
    assert_eq!(admin.get("/v3/domains/config/ldap/default").await.expect(200).json(), json!({"config": {"ldap": ldap}}));
    assert_eq!(admin.get("/v3/domains/config/ldap/url/default").await.expect(200).json(),
        json!({"config": {"url": "ldap://localhost"}}));
    assert_eq!(admin.get("/v3/domains/config/ldap/password/default").await.expect(403).message(),
        "Invalid domain specific configuration: Reading the default for option password in group ldap is not supported.");
    alice.get("/v3/domains/config/default").await.expect(403);

    // Who may change a password may know what it has to be like.
    let rules = json!({"security_compliance": {"password_regex": "^.{3,}$", "password_regex_description": null}});
    assert_eq!(alice.get(&format!("{PATH}/security_compliance")).await.expect(200).json(), json!({"config": rules}));
    let option = alice.get(&format!("{PATH}/security_compliance/password_regex")).await.expect(200).json();
    assert_eq!(option, json!({"config": {"password_regex": "^.{3,}$"}}));
    alice.get(&format!("{PATH}/security_compliance/lockout_duration")).await.expect(403);
    alice.get("/v3/domains/shut/config/security_compliance").await.expect(403);

    alice.get(PATH).await.expect(403);
    alice.get("/v3/domains/nope/config").await.expect(403);
    assert_eq!(admin.get("/v3/domains/nope/config").await.expect(404).message(),
        "Could not find any options in domain configuration for domain nope.");
    let nope = admin.request(Method::PUT, "/v3/domains/nope/config").json(&json!({"config": {"ldap": {"url": "x"}}}));
    assert_eq!(nope.send().await.expect(404).message(), "Could not find domain: nope.");
    admin.request(Method::PUT, &format!("{PATH}/ldap")).json(&json!({})).send().await.expect(405);
}

}
