//! Access rules of application credentials: who may validate a token that has some, and what such a
//! token is good for at the identity service itself.

use awc::http::Method;
use serde_json::{Value, json};

use crate::support::cloud::Builder;
use crate::support::login::application_credential;
use crate::support::{Answer, Cloud, Scope, Session, each_keystone, seed};
use crate::testdb::each_database;

const NOT_VALID: &str = "Failed to validate token";
const REFUSED: &str = "The request you have made requires authentication.";

/// alice's credentials on demo: `free` has no rules, `bound` two, `elsewhere` one of another service.
fn credentials() -> Vec<String> {
    let credential = |id| seed::application_credential(id, "alice", "demo", "member");
    let rule = |id, rule| seed::access_rule(id, "alice", rule);
    [
        seed::world(),
        credential("free"),
        credential("bound"),
        credential("elsewhere"),
        rule("bound", ("identity", "GET", "/v3/auth/projects")),
        rule("bound", ("identity", "GET", "/v3/auth/{what}/*")),
        rule("elsewhere", ("compute", "GET", "/v3/auth/projects")),
    ]
    .concat()
}

async fn log_in(cloud: &Cloud<'_>, credential: &str) -> Session {
    let body = json!({"auth": {"identity": application_credential(credential)}});
    cloud.api().session(&body).await
}

/// A validation by the admin, of a service that says this of itself.
async fn validate(
    admin: &Session,
    method: Method,
    subject: &Session,
    version: Option<&str>,
) -> Answer {
    let mut request = admin
        .request(method, "/v3/auth/tokens")
        .subject(subject.token());
    if let Some(version) = version {
        request = request.header("OpenStack-Identity-Access-Rules", version);
    }
    request.send().await
}

each_keystone! {
    async fn a_token_with_access_rules_is_told_only_to_who_heeds_them(builder: Builder) {
        let cloud = builder.seed(credentials()).start().await;
        let admin = cloud.api().admin().await;
        let (free, bound) = (log_in(&cloud, "free").await, log_in(&cloud, "bound").await);

        for version in [None, Some(""), Some("0"), Some("0.9"), Some("-1")] {
            let told = validate(&admin, Method::GET, &bound, version).await;
            assert_eq!((told.status(), told.message().as_str()), (404, NOT_VALID), "{version:?}: {told:?}");
            validate(&admin, Method::HEAD, &bound, version).await.expect(404);
            validate(&admin, Method::GET, &free, version).await.expect(200);
        }
        for version in ["1", "1.0", "2", "1e1", " 1.0 "] {
            let told = validate(&admin, Method::GET, &bound, Some(version)).await.expect(200).json();
            let mut rules: Vec<Value> = told["token"]["application_credential"]["access_rules"].as_array().unwrap().clone();
            rules.sort_by_key(|rule| rule["path"].to_string());
            let shown: Vec<_> = rules.iter().map(|rule| ["service", "method", "path"].map(|name| rule[name].clone())).collect();
            assert_eq!(shown, [["identity", "GET", "/v3/auth/projects"], ["identity", "GET", "/v3/auth/{what}/*"]]);
            validate(&admin, Method::HEAD, &bound, Some(version)).await.expect(200);
        }
        let told = validate(&admin, Method::GET, &free, Some("1.0")).await.expect(200).json();
        assert_eq!(told["token"]["application_credential"].get("access_rules"), None);
    }

    async fn a_token_with_access_rules_does_here_what_they_allow_and_no_more(builder: Builder) {
        let cloud = builder.seed(credentials()).start().await;
        let (free, bound) = (log_in(&cloud, "free").await, log_in(&cloud, "bound").await);
        let elsewhere = log_in(&cloud, "elsewhere").await;
        let ask = async |session: &Session, method: Method, path: &str| {
            session.request(method, path).send().await.status()
        };

        assert_eq!(ask(&bound, Method::GET, "/v3/auth/projects").await, 200);
        for (method, path) in [
            (Method::HEAD, "/v3/auth/projects"),
            (Method::GET, "/v3/auth/domains"),
            (Method::GET, "/v3/auth/catalog"),
        ] {
            assert_eq!(ask(&bound, method.clone(), path).await, 401, "{method} {path}");
            assert_eq!(ask(&free, method.clone(), path).await, 200, "{method} {path}");
            assert_eq!(ask(&elsewhere, method, path).await, 401, "{path}");
        }
        assert_eq!(ask(&elsewhere, Method::GET, "/v3/auth/projects").await, 401);

        // Every token may be validated by its bearer, who has to heed the rules; and not revoked.
        let about_itself = validate(&bound, Method::GET, &bound, Some("1.0")).await;
        assert_eq!(about_itself.status(), 200, "{about_itself:?}");
        validate(&bound, Method::GET, &bound, None).await.expect(404);
        validate(&bound, Method::HEAD, &bound, Some("1.0")).await.expect(401);
        let refused = bound.revoke(bound.token()).await;
        assert_eq!((refused.status(), refused.message().as_str()), (401, REFUSED));
        // Not even on the route that needs no token.
        // (Without a body: Python Keystone does not read it, and its server ends the connection.)
        assert_eq!(ask(&bound, Method::POST, "/v3/auth/tokens").await, 401);
        let login = crate::support::scoped(crate::support::password("alice"), Scope::Unscoped);
        free.post("/v3/auth/tokens", &login).await.expect(201);
    }
}

each_database! {
    async fn only_a_services_own_token_lifts_access_rules(db: TestDb) {
        let seed = [
            credentials(),
            seed::user("nova", "default", true),
            seed::grant("UserProject", "nova", "demo", "service"),
        ];
        let cloud = Builder::new(&db).seed(seed.concat()).start().await;
        let bound = log_in(&cloud, "bound").await;
        let nova = cloud.api().login("nova", Scope::Project("demo")).await;
        let alice = cloud.api().login("alice", Scope::Project("demo")).await;
        let with = async |service: &str| {
            let request = bound.request(Method::GET, "/v3/auth/domains");
            request.header("X-Service-Token", service).send().await.status()
        };

        assert_eq!(with("anything").await, 401);
        assert_eq!(with(alice.token()).await, 401);
        assert_eq!(with(bound.token()).await, 401);
        assert_eq!(with(nova.token()).await, 200);
        nova.revoke(nova.token()).await.expect(204);
        assert_eq!(with(nova.token()).await, 401);
    }

    async fn a_version_of_access_rules_that_is_no_number_is_none(db: TestDb) {
        let cloud = Builder::new(&db).seed(credentials()).start().await;
        let admin = cloud.api().admin().await;
        let bound = log_in(&cloud, "bound").await;

        for version in ["one", "1,0", "1.0.0", "nan", "0x1"] {
            validate(&admin, Method::GET, &bound, Some(version)).await.expect(404);
        }
    }
}
