//! D5 and D10, from outside: who is believed what, and what a filter can ask for.

use std::collections::BTreeSet;

use awc::http::Method;
use serde_json::json;
use url::form_urlencoded::byte_serialize;

use crate::support::cloud::Builder;
use crate::support::{Session, seed};
use crate::testdb::each_database;

/// What only a web server may say, to Python Keystone in its process: here nobody may.
const ENVIRONMENT: [(&str, &str); 11] = [
    ("REMOTE_USER", "admin"),
    ("Remote-User", "admin"),
    ("X-Remote-User", "admin"),
    ("HTTP_REMOTE_USER", "admin"),
    ("REMOTE_DOMAIN", "Default"),
    ("X-Forwarded-User", "admin"),
    ("OIDC-iss", "https://idp.example"),
    ("HTTP_OIDC_ISS", "https://idp.example"),
    ("OIDC_CLAIM_sub", "admin"),
    ("Shib-Identity-Provider", "https://idp.example"),
    ("SSL_CLIENT_SUBJECT_DN", "CN=admin"),
];

/// What filters have been broken by.
const NAMES: [&str; 13] = [
    "plain",
    "pl%n",
    "pl_in",
    "%",
    "_",
    "back\\slash",
    "back\\\\slash",
    "quo'te",
    "quo\"te",
    "' OR 1=1 --",
    "'; DROP TABLE \"role\"; --",
    "a/*b*/c",
    "Ünïcode",
];

/// The names of the users that this query lists.
async fn found(admin: &Session, comparator: &str, value: &str) -> BTreeSet<String> {
    let value: String = byte_serialize(value.as_bytes()).collect();
    let path = format!("/v3/users?domain_id=filtered&name{comparator}={value}");
    let list = admin.get(&path).await.expect(200).json();
    let users = list["users"].as_array().unwrap().iter();
    users
        .map(|user| user["name"].as_str().unwrap().to_owned())
        .collect()
}

each_database! {
    async fn d5_headers_that_speak_for_a_web_server_log_nobody_in(db: TestDb) {
        let cloud = Builder::new(&db)
            // Not even a proxy that is trusted with addresses is trusted with this.
            .set("api_server", "trusted_proxies", "127.0.0.0/8")
            .set("auth", "methods", "external,password,token,mapped")
            .set("federation", "remote_id_attribute", "HTTP_OIDC_ISS")
            .start()
            .await;
        let ask = |method: Method, path: &str| {
            let request = cloud.api().request(method, path);
            ENVIRONMENT.iter().fold(request, |request, (name, value)| request.header(name, value))
        };

        ask(Method::GET, "/v3/auth/projects").send().await.expect(401);
        ask(Method::GET, "/v3/users").send().await.expect(401);
        for identity in [
            json!({"methods": ["external"], "external": {}}),
            json!({"methods": ["external"]}),
            json!({"methods": ["mapped"], "mapped": {"identity_provider": "idp", "protocol": "openid"}}),
            json!({"methods": ["external", "password"], "external": {}, "password": {"user": {"id": "x", "password": "y"}}}),
        ] {
            let body = json!({"auth": {"identity": identity}});
            let answer = ask(Method::POST, "/v3/auth/tokens").json(&body).send().await;
            assert!([400, 401].contains(&answer.status()), "{identity}: {answer:?}");
            assert_eq!(answer.header("X-Subject-Token"), None, "{identity}");
        }
    }

    async fn d10_a_filter_finds_what_it_names_and_changes_nothing(db: TestDb) {
        let cloud = Builder::new(&db).seed(seed::domain("filtered", true)).start().await;
        let admin = cloud.api().admin().await;
        for name in NAMES {
            let body = json!({"user": {"name": name, "domain_id": "filtered"}});
            admin.post("/v3/users", &body).await.expect(201);
        }
        let due = |holds: &dyn Fn(&str) -> bool| -> BTreeSet<String> {
            NAMES.iter().filter(|name| holds(name)).map(|&name| name.to_owned()).collect()
        };

        for name in NAMES {
            assert_eq!(found(&admin, "", name).await, due(&|it| it == name), "{name}");
            assert_eq!(found(&admin, "__startswith", name).await, due(&|it| it.starts_with(name)), "{name}");
            assert_eq!(found(&admin, "__contains", name).await, due(&|it| it.contains(name)), "{name}");
        }
        for name in ["%", "_", "\\", "'", "\"", "%' OR '1'='1", "\\%"] {
            assert_eq!(found(&admin, "__contains", name).await, due(&|it| it.contains(name)), "{name}");
        }
        for path in ["/v3/users?domain_id='%20OR%20'1'='1", "/v3/projects?name=%25", "/v3/users/'%20OR%201=1%20--"] {
            let answer = admin.get(path).await;
            assert!([200, 400, 404].contains(&answer.status()), "{path}: {answer:?}");
            let list = answer.json();
            let members = ["users", "projects"].iter().filter_map(|it| list[*it].as_array()).map(Vec::len);
            assert_eq!(members.sum::<usize>(), 0, "{path}: {list}");
        }
        let all = admin.get("/v3/users?domain_id=filtered").await.expect(200).json();
        assert_eq!(all["users"].as_array().unwrap().len(), NAMES.len());
    }
}
