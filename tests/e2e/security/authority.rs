//! Who may, may by what the server knows: nothing in a request, no project that is a domain, no rule
//! or role that there is not makes it more.

use awc::http::Method;
use serde_json::{Map, Value, json};

use crate::support::cloud::Builder;
use crate::support::login::{PASSWORD, password_is};
use crate::support::{Api, Cloud, Options, Scope, Session, scoped, seed, token};

/// Nina manages the domain `default`, and is `member` of demo; victor and afar are of another domain.
fn world() -> Vec<String> {
    [
        seed::world(),
        seed::domain("away", true),
        seed::project("afar", "away", true),
        seed::user("victor", "away", true),
        seed::user("nina", "default", true),
        seed::grant("UserProject", "victor", "afar", "member"),
        seed::grant("UserProject", "nina", "demo", "member"),
        seed::grant("UserDomain", "nina", "default", "manager"),
    ]
    .concat()
}

/// What rules compare with the caller, as nina would like it to be.
const FORGED: [(&str, &str); 22] = [
    ("user_id", "nina"),
    ("domain_id", "default"),
    ("project_id", "demo"),
    ("target.user.id", "nina"),
    ("target.user.domain_id", "default"),
    ("target.group.domain_id", "default"),
    ("target.project.id", "demo"),
    ("target.project.domain_id", "default"),
    ("target.domain.id", "default"),
    ("target.domain_id", "default"),
    ("target.role.domain_id", "default"),
    ("target.role.name", "member"),
    ("target.credential.user_id", "nina"),
    ("target.trust.trustor_user_id", "nina"),
    ("target.trust.trustee_user_id", "nina"),
    ("target.token.user_id", "nina"),
    ("target.limit.domain.id", "default"),
    ("target.limit.project_id", "demo"),
    ("role", "admin"),
    ("roles", "admin"),
    ("is_admin", "1"),
    ("system_scope", "all"),
];

/// The operations that `/openapi.json` names below `/v3`, with victor's things in their paths, and an
/// example of what each takes.
async fn operations(api: &Api, group: &str) -> Vec<(Method, String, Value)> {
    let described = api.get("/openapi.json").await.expect(200).json();
    let paths = described["paths"].as_object().unwrap().iter();
    let paths =
        paths.filter(|(path, _)| path.starts_with("/v3/") && !path.starts_with("/v3/auth/"));
    let mut found = Vec::new();
    for (path, methods) in paths {
        let parts = path.split('/').map(|part| match part {
            "{user_id}" => "victor",
            "{project_id}" => "afar",
            "{domain_id}" => "away",
            "{group_id}" => group,
            part if part.starts_with('{') => "nothing",
            part => part,
        });
        let path = parts.collect::<Vec<_>>().join("/");
        for (method, operation) in methods.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let example = operation.pointer("/requestBody/content/application~1json/example");
            found.push((method, path.clone(), example.cloned().unwrap_or(json!({}))));
        }
    }
    found
}

async fn ask(session: &Session, method: &Method, path: &str, body: &Value) -> u16 {
    let request = session.request(method.clone(), path);
    let takes = matches!(*method, Method::POST | Method::PUT | Method::PATCH);
    let request = if takes { request.json(body) } else { request };
    request.send().await.status()
}

on_sqlite! {
    async fn a2_a_request_says_nothing_about_what_it_is_for(db: TestDb) {
        let cloud = Builder::new(&db).seed(world()).start().await;
        let api = cloud.api();
        let group = json!({"group": {"name": "theirs", "domain_id": "away"}});
        let group = api.admin().await.post("/v3/groups", &group).await.expect(201).json();
        let group = group["group"]["id"].as_str().unwrap();
        let query: Vec<String> = FORGED.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let query = query.join("&");
        let mut forged = Map::new();
        for (name, value) in FORGED {
            forged.insert(name.to_owned(), value.into());
        }
        forged.insert("target".to_owned(), json!({
            "user": {"id": "nina", "domain_id": "default"}, "project": {"id": "demo", "domain_id": "default"},
            "group": {"domain_id": "default"}, "domain": {"id": "default"}, "role": {"name": "member", "domain_id": null},
        }));
        let operations = operations(api, group).await;
        assert!(operations.len() > 200, "{}", operations.len());
        let mut refused = 0;
        for scope in [Scope::Domain("default"), Scope::Project("demo")] {
            let nina = api.login("nina", scope).await;
            for (method, path, body) in &operations {
                let plain = ask(&nina, method, path, body).await;
                if plain < 400 {
                    continue;
                }
                refused += 1;
                let mut more = forged.clone();
                more.extend(body.as_object().cloned().unwrap_or_default());
                let more = Value::Object(more);
                for (path, body) in [(format!("{path}?{query}"), body), (path.clone(), &more)] {
                    let status = ask(&nina, method, &path, body).await;
                    // What is too much in a body is 400, before anybody is asked.
                    assert!(status == plain || status == 400, "{scope:?} {method} {path} {body}: {plain}, then {status}");
                }
            }
        }
        assert!(refused > 200, "{refused}");
    }

    async fn a16_a_role_on_the_project_that_is_a_domain_gives_nothing_of_the_domain(db: TestDb) {
        let cloud = Builder::new(&db).seed(world())
            .seed(seed::grant("UserProject", "bob", "default", "manager"))
            .seed(seed::grant("UserProject", "bob", "demo", "member"))
            .start().await;
        let api = cloud.api();
        let scope = |identity: Value, scope: Value| json!({"auth": {"identity": identity, "scope": scope}});
        let demo = api.login("bob", Scope::Project("demo")).await;
        for of in [json!({"project": {"id": "default"}}), json!({"domain": {"id": "default"}}), json!({"system": {"all": true}})] {
            for identity in [password_is("bob", PASSWORD), token(demo.token())] {
                let refused = api.authenticate(&scope(identity, of.clone())).await;
                assert_eq!(refused.status(), 401, "{of}");
            }
        }
        let listed = demo.get("/v3/auth/domains").await.expect(200).json();
        assert_eq!(listed["domains"], json!([]));
        let nina = api.login("nina", Scope::Domain("default")).await;
        let user = json!({"user": {"name": "new", "domain_id": "default"}});
        for (method, path, body) in [
            (Method::GET, "/v3/users", &Value::Null),
            (Method::GET, "/v3/users/alice", &Value::Null),
            (Method::GET, "/v3/groups", &Value::Null),
            (Method::GET, "/v3/projects", &Value::Null),
            (Method::GET, "/v3/role_assignments", &Value::Null),
            (Method::PATCH, "/v3/users/alice", &json!({"user": {"description": "x"}})),
            (Method::POST, "/v3/users", &user),
        ] {
            assert_eq!(ask(&demo, &method, path, body).await, 403, "{method} {path}");
            assert!(ask(&nina, &method, path, body).await < 300, "{method} {path}");
        }
    }

    async fn a19_what_there_is_not_lets_nobody_in(db: TestDb) {
        let policy = db.scratch().join("policy.yaml");
        let write = |text: &str| std::fs::write(&policy, text).unwrap();
        write("\"identity:list_users\": \"role:nosuch\"\n\"identity:list_groups\": \"rule:nosuch\"\n");
        let options = || Options::default().set("oslo_policy", "policy_file", policy.display());
        let cloud = Builder::new(&db).options(options()).start().await;
        let admin = cloud.api().admin().await;
        for path in ["/v3/users", "/v3/groups"] {
            assert_eq!(admin.get(path).await.status(), 403, "{path}");
        }
        admin.get("/v3/projects").await.expect(200);
        for broken in ["\"identity:list_users\": \"role:admin or\"\n", "- no map\n", "\"identity:list_users\": \"nosuch:1\"\n"] {
            write(broken);
            let node = Cloud::configured(&db, options());
            let refused = node.fails(&["serve"]);
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(said.contains("policy.yaml"), "{broken}: {said}");
        }
    }

    async fn b11_who_changes_a_password_knows_it_and_a_reset_ends_all_tokens(db: TestDb) {
        let cloud = Builder::new(&db).seed(world()).start().await;
        let api = cloud.api();
        let admin = api.admin().await;
        let change = async |user: &str, original: &str, new: &str| {
            let body = json!({"user": {"original_password": original, "password": new}});
            let path = format!("/v3/users/{user}/password");
            api.request(Method::POST, &path).json(&body).send().await
        };
        let told = |answer: &crate::support::Answer| (answer.status(), answer.message());
        let wrong = change("alice", "not it", "new").await;
        assert_eq!(wrong.status(), 401);
        for user in ["nobody", "dora", "eve"] {
            assert_eq!(told(&change(user, "not it", "new").await), told(&wrong), "{user}");
        }
        // A token is no password.
        let alice = api.login("alice", Scope::Project("demo")).await;
        let body = json!({"user": {"original_password": "not it", "password": "new"}});
        assert_eq!(alice.post("/v3/users/alice/password", &body).await.status(), 401);
        assert_eq!(alice.patch("/v3/users/alice", &json!({"user": {"password": "new"}})).await.status(), 403);
        alice.get("/v3/users/alice").await.expect(200);

        change("alice", PASSWORD, "a second one").await.expect(204);
        assert_eq!(alice.get("/v3/users/alice").await.status(), 401);
        let with = |password: &str| scoped(password_is("alice", password), Scope::Project("demo"));
        let alice = api.session(&with("a second one")).await;
        let reset = json!({"user": {"password": "a third one"}});
        admin.patch("/v3/users/alice", &reset).await.expect(200);
        assert_eq!(alice.get("/v3/users/alice").await.status(), 401);
        assert_eq!(api.authenticate(&with("a second one")).await.status(), 401);
        api.session(&with("a third one")).await;
    }
}
