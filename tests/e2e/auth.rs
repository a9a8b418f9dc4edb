//! Logging in: what each scope gives, and every way in which it is refused.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use awc::http::Method;
use serde_json::{Value, json};

use crate::support::cloud::Builder;
use crate::support::login::{PASSWORD, password_is};
use crate::support::{Answer, Cloud, Scope, each_keystone, password, scoped, seed, token};

/// Whoever fails to authenticate gets this, whatever the reason.
const REFUSED: &str = "The request you have made requires authentication.";

/// How Keystone ends its message about a request that it cannot read.
const MALFORMED: &str = "The server could not comply with the request since it is either malformed or otherwise \
                         incorrect. The client is assumed to be in error.";

/// What is expected of one request.
struct Expected {
    status: u16,
    /// `None`: the wording is not a part of the rule.
    message: Option<String>,
}

fn refused() -> Expected {
    Expected {
        status: 401,
        message: Some(REFUSED.to_owned()),
    }
}

fn malformed(what: &str) -> Expected {
    Expected {
        status: 400,
        message: Some(format!("{what} {MALFORMED}")),
    }
}

fn status(status: u16) -> Expected {
    Expected {
        status,
        message: None,
    }
}

fn says(status: u16, message: &str) -> Expected {
    Expected {
        status,
        message: Some(message.to_owned()),
    }
}

/// What is wrong with an answer: its status and message, and the headers that every refusal has.
fn differences(what: &str, answer: &Answer, expected: &Expected, base: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut differ = |aspect: &str, is: String, should: String| {
        if is != should {
            found.push(format!("{what}: {aspect} is {is:?}, should be {should:?}"));
        }
    };
    differ(
        "the status",
        answer.status().to_string(),
        expected.status.to_string(),
    );
    if let Some(message) = &expected.message {
        differ("the message", answer.message(), message.clone());
    }
    let asks = answer
        .header("WWW-Authenticate")
        .unwrap_or_default()
        .to_owned();
    let should = if expected.status == 401 {
        format!(r#"Keystone uri="{base}/v3""#)
    } else {
        String::new()
    };
    differ("WWW-Authenticate", asks, should);
    differ(
        "Vary",
        answer.header("Vary").unwrap_or_default().to_owned(),
        "X-Auth-Token".to_owned(),
    );
    let id = answer.header("x-openstack-request-id").unwrap_or_default();
    differ(
        "x-openstack-request-id",
        id.chars().take(4).collect(),
        "req-".to_owned(),
    );
    if expected.status >= 400 && expected.status != 405 {
        let body = answer.json();
        differ(
            "error.code",
            body["error"]["code"].to_string(),
            expected.status.to_string(),
        );
        differ(
            "a token in the answer",
            answer
                .header("X-Subject-Token")
                .unwrap_or_default()
                .to_owned(),
            String::new(),
        );
    }
    found
}

#[track_caller]
fn assert_none(differences: &[String]) {
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The first line of the answer to these bytes, which need not be a whole request.
fn status_line(address: &str, bytes: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    connection
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    connection.write_all(bytes.as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(connection).read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

fn members(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

async fn start_world(builder: Builder<'_>) -> Cloud<'_> {
    builder.seed(seed::world()).start().await
}

each_keystone! {
    async fn a_token_says_its_scope_and_nothing_of_others(builder: Builder) {
        let cloud = start_world(builder).await;
        let api = cloud.api();
        let always = ["methods", "user", "audit_ids", "expires_at", "issued_at"];
        let expected = [
            (Scope::Default, &[][..]),
            (Scope::Unscoped, &[]),
            (Scope::Project("admin"), &["project", "is_domain", "roles", "catalog"]),
            (Scope::Domain("default"), &["domain", "roles", "catalog"]),
            (Scope::System, &["system", "roles", "catalog"]),
        ];
        for (scope, besides) in expected {
            let session = api.login("admin", scope).await;

            let all: BTreeSet<_> = always.iter().chain(besides).copied().collect();
            assert_eq!(members(session.issued()), all, "{scope:?}");
            assert_eq!(session.issued()["methods"], json!(["password"]));
            assert_eq!(members(&session.issued()["user"]), ["domain", "id", "name", "password_expires_at"].into());
            assert_eq!(session.text("/user/name"), "admin");
            assert_eq!(session.issued()["user"]["domain"], json!({"id": "default", "name": "Default"}));
            assert_eq!(session.issued()["audit_ids"].as_array().unwrap().len(), 1);
            assert_eq!(session.text("/audit_ids/0").len(), 22);
            for time in ["/issued_at", "/expires_at"] {
                assert!(session.text(time).ends_with(".000000Z"), "{}", session.text(time));
            }
        }

        let project = api.admin().await;
        assert_eq!(project.issued()["is_domain"], json!(false));
        assert_eq!(project.text("/project/name"), "admin");
        assert_eq!(project.issued()["project"]["domain"], json!({"id": "default", "name": "Default"}));
        assert!(project.roles().contains(&"admin".to_owned()), "{:?}", project.roles());
        let role = &project.issued()["roles"][0];
        assert_eq!(members(role), ["id", "name"].into());
        let identity = &project.issued()["catalog"][0];
        assert_eq!(members(identity), ["endpoints", "id", "name", "type"].into());
        assert_eq!(members(&identity["endpoints"][0]), ["id", "interface", "region", "region_id", "url"].into());
        let domain = api.login("admin", Scope::Domain("default")).await;
        assert_eq!(domain.issued()["domain"], json!({"id": "default", "name": "Default"}));
        let system = api.login("admin", Scope::System).await;
        assert_eq!(system.issued()["system"], json!({"all": true}));
    }

    async fn a_scope_can_be_named_in_several_ways(builder: Builder) {
        let cloud = start_world(builder).await;
        let api = cloud.api();
        let project = api.admin().await.text("/project/id").to_owned();
        let user = api.admin().await.text("/user/id").to_owned();
        let cases = [
            ("project by id", json!({"project": {"id": project}}), "/project/id"),
            ("domain of the project by name", json!({"project": {"name": "admin", "domain": {"name": "Default"}}}), "/project/id"),
            ("domain by name", json!({"domain": {"name": "Default"}}), "/domain/id"),
            ("system, all false", json!({"system": {"all": false}}), "/system/all"),
            ("system, empty", json!({"system": {}}), "/system/all"),
            ("the word system", json!("system"), "/system/all"),
            ("the word unscoped", json!("unscoped"), "/user/id"),
            ("unscoped, anything", json!({"unscoped": 5}), "/user/id"),
        ];
        for (what, scope, pointer) in cases {
            let answer = api.authenticate(&json!({"auth": {"identity": password("admin"), "scope": scope}})).await.expect(201);

            assert!(answer.json()["token"].pointer(pointer).is_some(), "{what}: {answer:?}");
        }
        let by_id = json!({"methods": ["password"], "password": {"user": {"id": user, "password": PASSWORD}}});
        assert_eq!(api.session(&scoped(by_id, Scope::System)).await.text("/user/id"), user);
    }

    async fn only_what_a_body_must_say_is_asked_for(builder: Builder) {
        let cloud = start_world(builder).await;
        let api = cloud.api();
        let body = scoped(password("admin"), Scope::Project("admin"));
        let post = |path: &str| api.request(Method::POST, path);

        let mut strange = body.clone();
        strange["auth"]["whatever"] = json!([1]);
        strange["auth"]["identity"]["methods"] = json!(vec!["password"; 50]);
        let answer = api.authenticate(&strange).await.expect(201);
        assert_eq!(answer.json()["token"]["methods"], json!(["password"]));

        // Rubbish in X-Auth-Token is no matter: this route needs none.
        post("/v3/auth/tokens").token("rubbish").json(&body).send().await.expect(201);
        for content_type in ["application/json; charset=utf-8", "application/x+json"] {
            post("/v3/auth/tokens").header("Content-Type", content_type).body(body.to_string()).send().await.expect(201);
        }
        post("/v3/auth/tokens").body(body.to_string()).send().await.expect(201);
        let with_mark = format!("\u{feff}{body}");
        post("/v3/auth/tokens").header("Content-Type", "application/json").body(with_mark).send().await.expect(201);

        let answer = post("/v3/auth/tokens?nocatalog").json(&body).send().await.expect(201);
        assert_eq!(answer.json()["token"].get("catalog"), None);
        assert_eq!(answer.header("Content-Type"), Some("application/json"));
        assert_eq!(answer.header("Vary"), Some("X-Auth-Token"));
    }

    async fn a_refused_login_has_keystones_status_and_words(builder: Builder) {
        let cloud = start_world(builder).await;
        let api = cloud.api();
        let base = api.base();
        let revoked = api.login("alice", Scope::Unscoped).await;
        revoked.revoke(revoked.token()).await.expect(204);
        let system = api.login("admin", Scope::System).await;
        let alice = api.login("alice", Scope::Unscoped).await;

        let identity = |identity: Value| json!({"auth": {"identity": identity}});
        let scope = |scope: Value| json!({"auth": {"identity": password("alice"), "scope": scope}});
        let named = |user: Value| identity(json!({"methods": ["password"], "password": {"user": user}}));
        let both_users = json!({"methods": ["password", "token"],
            "password": password("bob")["password"], "token": {"id": alice.token()}});
        let no_scope = "Expecting to find system, project, domain, OS-TRUST:trust or unscoped in scope.";
        let forbidden = |action: &str| says(403, &format!("You are not authorized to perform the requested action: {action}."));

        let mut cases = vec![
            ("an unknown user", identity(password("nobody")), refused()),
            ("a wrong password", identity(password_is("alice", "wrong")), refused()),
            ("an empty password", identity(password_is("alice", "")), refused()),
            ("no password", named(json!({"name": "alice", "domain": {"id": "default"}})), refused()),
            ("a disabled user", identity(password("dora")), refused()),
            ("a user of a disabled domain", named(json!({"name": "eve", "domain": {"id": "shut"}, "password": PASSWORD})), refused()),
            ("an unknown domain", named(json!({"name": "alice", "domain": {"id": "nowhere"}, "password": PASSWORD})), refused()),
            ("an unknown domain by name", named(json!({"name": "alice", "domain": {"name": "nowhere"}, "password": PASSWORD})), refused()),
            ("an unknown user by id", named(json!({"id": "nobody", "password": PASSWORD})), refused()),
            ("an unknown project", scoped(password("alice"), Scope::Project("nothing")), refused()),
            ("an unknown project by id", scope(json!({"project": {"id": "nothing"}})), refused()),
            ("an empty project id", scope(json!({"project": {"id": ""}})), refused()),
            ("a disabled project", scoped(password("alice"), Scope::Project("closed")), refused()),
            ("a project of a disabled domain", scope(json!({"project": {"id": "attic"}})), refused()),
            ("a project without a role", scoped(password("bob"), Scope::Project("demo")), refused()),
            ("a domain as a project", scope(json!({"project": {"id": "default"}})), refused()),
            ("a domain without a role", scoped(password("alice"), Scope::Domain("default")), refused()),
            ("an unknown scope domain", scoped(password("alice"), Scope::Domain("nowhere")), refused()),
            ("a disabled scope domain", scoped(password("alice"), Scope::Domain("shut")), refused()),
            ("the system without a role", scoped(password("alice"), Scope::System), refused()),
            ("an unknown trust", scope(json!({"OS-TRUST:trust": {"id": "nothing"}})), refused()),
            ("no method", identity(json!({"methods": []})), refused()),
            ("two methods of two users", identity(both_users), refused()),
            ("an unknown method", identity(json!({"methods": ["smoke"], "smoke": {}})),
                says(401, "Attempted to authenticate with an unsupported method.")),
            ("an unknown method without its object", identity(json!({"methods": ["smoke"]})), malformed("Expecting to find smoke in identity.")),
            ("a method without its object", identity(json!({"methods": ["password"]})), malformed("Expecting to find password in identity.")),
            ("password without a user", identity(json!({"methods": ["password"], "password": {}})), malformed("Expecting to find user in None.")),
            ("a user without name and id", named(json!({"password": PASSWORD, "domain": {"id": "default"}})), status(400)),
            ("a user by an empty name", named(json!({"name": "", "password": PASSWORD, "domain": {"id": "default"}})), malformed("Expecting to find id or name in user.")),
            ("a user by name without a domain", named(json!({"name": "alice", "password": PASSWORD})), malformed("Expecting to find domain in user.")),
            ("a password that is null", named(json!({"name": "alice", "domain": {"id": "default"}, "password": null})), status(400)),
            ("two scopes", scope(json!({"project": {"id": "demo"}, "domain": {"id": "default"}})), malformed(no_scope)),
            ("an empty scope", scope(json!({})), malformed(no_scope)),
            ("an unknown scope", scope(json!({"moon": {}})), malformed(no_scope)),
            ("an empty word as scope", scope(json!("")), malformed(no_scope)),
            ("a scope that is null", scope(json!(null)), status(400)),
            ("a scope that is a list", scope(json!([])), status(400)),
            ("a scope that is a number", scope(json!(1)), status(400)),
            ("system, true", scope(json!({"system": true})), status(400)),
            ("system, all a text", scope(json!({"system": {"all": "x"}})), status(400)),
            ("a trust without id", scope(json!({"OS-TRUST:trust": {}})), malformed("Expecting to find trust_id in trust.")),
            ("a project by name without a domain", scope(json!({"project": {"name": "demo"}})), malformed("Expecting to find domain in project.")),
            ("methods that are no list", identity(json!({"methods": "password"})), status(400)),
            ("no identity", json!({"auth": {}}), status(400)),
            ("no auth", json!({}), malformed("Expecting to find auth in request body.")),
            ("auth that is null", json!({"auth": null}), malformed("Expecting to find auth in request body.")),
            ("auth that is a text", json!({"auth": "x"}), status(400)),
            ("a body that is no object", json!([1]), malformed("Expecting to find valid JSON in request body.")),
            ("a token that is none", identity(token("rubbish")), says(404, "Could not recognize Fernet token")),
            ("an empty token", identity(token("")), says(404, "No token in the request")),
            ("a revoked token", identity(token(revoked.token())), says(404, "Failed to validate token")),
            ("a token without id", identity(json!({"methods": ["token"], "token": {}})), status(400)),
            ("a system token for a project", scoped(token(system.token()), Scope::Project("admin")),
                forbidden("Using a system-scoped token to create a project-scoped or domain-scoped token is not allowed.")),
            ("an application credential without name or id",
                identity(json!({"methods": ["application_credential"], "application_credential": {}})),
                malformed("Expecting to find name or ID in application credential.")),
        ];
        for method in ["external", "ec2credential"] {
            cases.push(("a method without its proof", identity(json!({"methods": [method], method: {}})), refused()));
        }
        // Python tells whether there is such a credential; ours tells nobody who can't authenticate.
        let unknown = json!({"methods": ["application_credential"], "application_credential": {"id": "none", "secret": "x"}});
        let status_of_unknown = api.authenticate(&identity(unknown)).await.status();
        assert!([401, 404].contains(&status_of_unknown), "{status_of_unknown}");
        let mut found = Vec::new();
        for (what, body, expected) in &cases {
            found.extend(differences(what, &api.authenticate(body).await, expected, base));
        }

        // The answer to an unknown method names those that are known.
        let answer = api.authenticate(&identity(json!({"methods": ["smoke"], "smoke": {}}))).await;
        let methods = &answer.json()["error"]["identity"]["methods"];
        assert!(methods.as_array().is_some_and(|known| known.contains(&json!("password"))), "{answer:?}");
        assert_none(&found);
    }

    async fn a_body_that_cannot_be_read_is_refused_as_keystone_does(builder: Builder) {
        let cloud = builder.start().await;
        let api = cloud.api();
        let body = scoped(password("admin"), Scope::System).to_string();
        let no_auth = || malformed("Expecting to find auth in request body.");
        let no_json = || malformed("Expecting to find valid JSON in request body.");
        let just_right = format!("{body}{}", " ".repeat(114_688 - body.len()));
        let cases = [
            ("empty", Some("application/json"), String::new(), no_auth()),
            ("empty, of another type", Some("text/plain"), String::new(), no_auth()),
            ("no JSON", Some("application/json"), "{".to_owned(), no_json()),
            ("a number", Some("application/json"), "7".to_owned(), no_json()),
            ("another type", Some("text/plain"), body.clone(), malformed("Expecting to find application/json in Content-Type header.")),
            ("a form", Some("application/x-www-form-urlencoded"), body.clone(),
                malformed("Expecting to find application/json in Content-Type header.")),
            ("as long as allowed", Some("application/json"), just_right, status(201)),
        ];
        let mut found = Vec::new();
        for (what, content_type, body, expected) in cases {
            let mut request = api.request(Method::POST, "/v3/auth/tokens").body(body);
            if let Some(content_type) = content_type {
                request = request.header("Content-Type", content_type);
            }
            found.extend(differences(what, &request.send().await, &expected, api.base()));
        }
        // One byte more is refused by what the headers announce. Sending it would race with the
        // server, which closes the connection without reading what it does not want.
        let head = format!(
            "POST /v3/auth/tokens HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 114689\r\n\r\n",
            cloud.address()
        );
        let told = status_line(&cloud.address(), &head);
        assert!(told.starts_with("HTTP/1.1 413 "), "{told}");
        for method in [Method::PUT, Method::PATCH] {
            let answer = api.request(method.clone(), "/v3/auth/tokens").send().await;

            found.extend(differences(method.as_str(), &answer, &status(405), api.base()));
            assert_eq!(answer.json(), json!({"message": "The method is not allowed for the requested URL."}));
            let allowed: BTreeSet<_> = answer.header("Allow").unwrap().split(", ").map(str::to_owned).collect();
            assert_eq!(allowed, ["DELETE", "GET", "HEAD", "OPTIONS", "POST"].map(str::to_owned).into());
        }
        assert_none(&found);
    }

    async fn a_user_sees_what_to_scope_to(builder: Builder) {
        let cloud = start_world(builder).await;
        let api = cloud.api();
        let ids = |answer: &Answer, list: &str| -> BTreeSet<String> {
            let items = answer.json()[list].as_array().unwrap().clone();
            items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
        };

        let alice = api.login("alice", Scope::Unscoped).await;
        let projects = alice.get("/v3/auth/projects").await.expect(200);
        // Keystone lists what is disabled as well, although no token can be had for it.
        assert_eq!(ids(&projects, "projects"), ["attic", "closed", "demo"].map(str::to_owned).into());
        assert_eq!(projects.json()["links"]["self"], format!("{}/v3/auth/projects", api.base()));
        assert_eq!(ids(&alice.get("/v3/auth/domains").await.expect(200), "domains"), ["shut".to_owned()].into());
        assert_eq!(alice.get("/v3/auth/system").await.expect(200).json()["system"], json!([]));

        let admin = api.admin().await;
        assert_eq!(ids(&admin.get("/v3/auth/projects").await.expect(200), "projects"), ["admin".to_owned()].into());
        assert_eq!(ids(&admin.get("/v3/auth/domains").await.expect(200), "domains"), ["Default".to_owned()].into());
        assert_eq!(admin.get("/v3/auth/system").await.expect(200).json()["system"], json!([{"all": true}]));
        for path in ["/v3/auth/projects", "/v3/auth/domains", "/v3/auth/system", "/v3/auth/catalog"] {
            let head = admin.head(path).await.expect(200);
            assert_eq!(head.bytes(), b"", "{path}");
            api.get(path).await.expect(401);
        }
    }

    async fn the_catalog_is_that_of_the_token_and_needs_a_project(builder: Builder) {
        let cloud = start_world(builder).await;
        let api = cloud.api();

        let admin = api.admin().await;
        let catalog = admin.get("/v3/auth/catalog").await.expect(200).json();
        assert_eq!(sorted(&catalog["catalog"]), sorted(&admin.issued()["catalog"]));
        assert_eq!(catalog["links"]["self"], format!("{}/v3/auth/catalog", api.base()));

        for scope in [Scope::Unscoped, Scope::Domain("default")] {
            api.login("admin", scope).await.get("/v3/auth/catalog").await.expect(403);
        }
    }
}

/// A catalog in an order of its own: Keystone promises none.
fn sorted(catalog: &Value) -> Vec<Value> {
    let by_id = |item: &Value| item["id"].as_str().unwrap().to_owned();
    let mut services = catalog.as_array().unwrap().clone();
    for service in &mut services {
        service["endpoints"]
            .as_array_mut()
            .unwrap()
            .sort_by_key(by_id);
    }
    services.sort_by_key(by_id);
    services
}
