//! What is told of each request: these events and no others, in this order, in both formats.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use awc::http::Method;
use serde_json::{Value, json};

use crate::notifications::told;
use crate::support::cloud::Builder;
use crate::support::delegation::{application_credential, in_trust, trust};
use crate::support::{Cloud, Scope, Session, each_keystone, password, seed, until};

/// Where the kinds of resources are in CADF's taxonomy.
const KINDS: [(&str, &str); 16] = [
    ("user", "data/security/account/user"),
    ("group", "data/security/group"),
    ("project", "data/security/project"),
    ("domain", "data/security/domain"),
    ("project tag", "unknown"),
    ("role", "data/security/role"),
    ("role_assignment", "service/security/account/user"),
    ("region", "data/security/region"),
    ("service", "data/security/service"),
    ("endpoint", "data/security/endpoint"),
    ("policy", "data/security/policy"),
    ("credential", "unknown"),
    ("application_credential", "data/security/credential"),
    ("access_rule", "unknown"),
    ("OS-TRUST:trust", "data/security/trust"),
    ("OS-OAUTH1:consumer", "data/security/account"),
];

/// Who listens.
struct Auditor<'a, 'db> {
    cloud: &'a Cloud<'db>,
    admin: &'a Session,
    is_basic: bool,
    /// How often the end of what is told of a request was marked.
    marks: Cell<usize>,
}

impl Auditor<'_, '_> {
    /// What is told of one event: its type, what it is about, and who did it.
    fn line(&self, event: &Value) -> String {
        let payload = &event["payload"];
        let kind = event["event_type"].as_str().unwrap();
        let kind = kind.strip_prefix("identity.").unwrap();
        let (resource, operation) = kind.rsplit_once('.').unwrap();
        let is_assignment = resource == "role_assignment";
        let by = if self.is_basic && !is_assignment {
            assert_eq!(payload.get("typeURI"), None, "{event}");
            payload.get("request_id").map(|_| "somebody")
        } else {
            let found = KINDS.iter().find(|(name, _)| *name == resource);
            let (_, uri) = found.unwrap_or_else(|| panic!("{event}"));
            let cadf = "http://schemas.dmtf.org/cloud/audit/1.0/event";
            assert_eq!(
                (&payload["typeURI"], &payload["eventType"]),
                (&json!(cadf), &json!("activity"))
            );
            assert_eq!(payload["action"], format!("{operation}.{resource}"));
            assert_eq!(payload["outcome"], "success", "{event}");
            assert_eq!(payload["target"]["typeURI"], *uri, "{event}");
            if !is_assignment {
                assert_eq!(payload["target"]["id"], payload["resource_info"]);
            }
            let by = payload.get("initiator");
            by.map(|by| by["user_id"].as_str().unwrap_or("somebody"))
        };
        let about = payload.get("resource_info").unwrap_or(&payload["role"]);
        let about = about.as_str().unwrap();
        format!("{kind} {about} by {}", by.unwrap_or("nobody"))
    }

    /// Whether these are told since this was asked last, and nothing else but logins.
    async fn hears(&self, due: &[String]) {
        let mark = self.marks.replace(self.marks.get() + 1);
        let patch = json!({"region": {"description": mark.to_string()}});
        self.admin
            .patch("/v3/regions/mark", &patch)
            .await
            .expect(200);
        let is_mark = |event: &Value| {
            event["event_type"] == "identity.region.updated"
                && event["payload"]["resource_info"] == "mark"
        };
        let mut all = Vec::new();
        until("the mark", async || {
            all = told(self.cloud);
            all.iter().filter(|event| is_mark(event)).count() > mark
        })
        .await;
        let since = all.split(is_mark).nth(mark).unwrap();
        let since = since
            .iter()
            .filter(|event| event["event_type"] != "identity.authenticate");
        let heard: Vec<String> = since.map(|event| self.line(event)).collect();
        let blurred = |line: &String| {
            let (what, by) = line.rsplit_once(" by ").unwrap();
            match by {
                "nobody" => line.clone(),
                _ => format!("{what} by somebody"),
            }
        };
        match self.is_basic {
            // It says that somebody did it, and not who.
            true => assert_eq!(
                heard.iter().map(blurred).collect::<Vec<_>>(),
                due.iter().map(blurred).collect::<Vec<_>>()
            ),
            false => assert_eq!(heard, due),
        }
    }
}

async fn make(session: &Session, path: &str, kind: &str, attributes: Value) -> String {
    let made = session.post(path, &json!({ kind: attributes })).await;
    let id = &made.expect(201).json()[kind]["id"];
    id.as_str().unwrap().to_owned()
}

/// A user of this ID and password, on a project.
fn login(user: &str, password: &str, project: &str) -> Value {
    json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": {"id": user, "password": password}}},
        "scope": {"project": {"id": project}},
    }})
}

/// An application credential with an access rule; the IDs of both.
async fn robot(session: &Session, name: &str) -> (String, String) {
    let rules = json!([{"service": "compute", "path": "/v2", "method": "GET"}]);
    let made = json!({"name": name, "access_rules": rules});
    let made = application_credential(session, made).await;
    let rule = made.body["access_rules"][0]["id"].as_str().unwrap();
    (made.id.clone(), rule.to_owned())
}

async fn all_requests(builder: Builder<'_>, format: &str) {
    let file = builder.scratch().join("told");
    let cloud = builder
        .seed(seed::world())
        .notifying()
        .set("DEFAULT", "notification_format", format)
        .set("notifications", "file", file.display())
        .start()
        .await;
    let api = cloud.api();
    let admin = &api.admin().await;
    let auditor = Auditor {
        cloud: &cloud,
        admin,
        is_basic: format == "basic",
        marks: Cell::new(0),
    };
    let own = admin.text("/user/id").to_owned();
    let by_admin = |what: &str, id: &str| format!("{what} {id} by {own}");
    let by_nobody = |what: &str, id: &str| format!("{what} {id} by nobody");
    // Where Python Keystone forgets to say who did it.
    let forgotten = |what: &str, id: &str| match cloud.is_python() {
        true => by_nobody(what, id),
        false => by_admin(what, id),
    };
    let patch = async |path: &str, kind: &str, attributes: Value| {
        let body = json!({ kind: attributes });
        admin.patch(path, &body).await.expect(200);
    };
    let delete = async |path: &str| {
        admin.delete(path).await.expect(204);
    };
    let member = admin.get("/v3/roles?name=member").await.expect(200).json();
    let member = member["roles"][0]["id"].as_str().unwrap().to_owned();
    make(admin, "/v3/regions", "region", json!({"id": "mark"})).await;
    auditor.hears(&[by_admin("region.created", "mark")]).await;

    // What is created, changed and deleted, and takes nothing along that is told.
    for (path, kind, attributes, change) in [
        (
            "/v3/regions",
            "region",
            json!({"id": "r"}),
            json!({"description": "d"}),
        ),
        (
            "/v3/services",
            "service",
            json!({"type": "t"}),
            json!({"name": "n"}),
        ),
        (
            "/v3/policies",
            "policy",
            json!({"type": "text/plain", "blob": "a"}),
            json!({"blob": "b"}),
        ),
        (
            "/v3/roles",
            "role",
            json!({"name": "r"}),
            json!({"name": "s"}),
        ),
        (
            "/v3/projects",
            "project",
            json!({"name": "p"}),
            json!({"enabled": false}),
        ),
        (
            "/v3/groups",
            "group",
            json!({"name": "g"}),
            json!({"description": "d"}),
        ),
        (
            "/v3/users",
            "user",
            json!({"name": "u"}),
            json!({"enabled": false}),
        ),
        (
            "/v3/OS-OAUTH1/consumers",
            "consumer",
            json!({"description": "c"}),
            json!({"description": "d"}),
        ),
    ] {
        let name = match kind {
            "consumer" => "OS-OAUTH1:consumer",
            kind => kind,
        };
        let id = make(admin, path, kind, attributes).await;
        let one = format!("{path}/{id}");
        auditor
            .hears(&[by_admin(&format!("{name}.created"), &id)])
            .await;
        patch(&one, kind, change).await;
        auditor
            .hears(&[by_admin(&format!("{name}.updated"), &id)])
            .await;
        delete(&one).await;
        auditor
            .hears(&[by_admin(&format!("{name}.deleted"), &id)])
            .await;
    }

    // A service goes with its endpoints, silently; an endpoint may come with a region.
    let service = make(admin, "/v3/services", "service", json!({"type": "compute"})).await;
    auditor
        .hears(&[by_admin("service.created", &service)])
        .await;
    let endpoint =
        json!({"service_id": service, "interface": "public", "url": "http://h", "region": "old"});
    let endpoint = make(admin, "/v3/endpoints", "endpoint", endpoint).await;
    auditor
        .hears(&[
            by_admin("region.created", "old"),
            by_admin("endpoint.created", &endpoint),
        ])
        .await;
    patch(
        &format!("/v3/endpoints/{endpoint}"),
        "endpoint",
        json!({"region": "new"}),
    )
    .await;
    auditor
        .hears(&[
            by_admin("region.created", "new"),
            by_admin("endpoint.updated", &endpoint),
        ])
        .await;
    patch(
        &format!("/v3/endpoints/{endpoint}"),
        "endpoint",
        json!({"region": "old"}),
    )
    .await;
    auditor
        .hears(&[by_admin("endpoint.updated", &endpoint)])
        .await;
    delete(&format!("/v3/endpoints/{endpoint}")).await;
    auditor
        .hears(&[by_admin("endpoint.deleted", &endpoint)])
        .await;
    let endpoint = json!({"service_id": service, "interface": "public", "url": "http://h"});
    let endpoint = make(admin, "/v3/endpoints", "endpoint", endpoint).await;
    auditor
        .hears(&[by_admin("endpoint.created", &endpoint)])
        .await;
    delete(&format!("/v3/services/{service}")).await;
    auditor
        .hears(&[by_admin("service.deleted", &service)])
        .await;

    // Roles: grants are told, but those on the system; implications are not.
    let (first, second) = (
        make(admin, "/v3/roles", "role", json!({"name": "first"})).await,
        make(admin, "/v3/roles", "role", json!({"name": "second"})).await,
    );
    auditor
        .hears(&[
            by_admin("role.created", &first),
            by_admin("role.created", &second),
        ])
        .await;
    let implication = format!("/v3/roles/{first}/implies/{second}");
    admin.put(&implication).await.expect(201);
    let grant = format!("/v3/projects/demo/users/bob/roles/{first}");
    admin.put(&grant).await.expect(204);
    admin
        .put(&format!("/v3/system/users/bob/roles/{first}"))
        .await
        .expect(204);
    delete(&grant).await;
    auditor
        .hears(&[
            by_admin("role_assignment.created", &first),
            by_admin("role_assignment.deleted", &first),
        ])
        .await;
    delete(&format!("/v3/roles/{first}")).await;
    auditor.hears(&[by_admin("role.deleted", &first)]).await;

    // A project goes with its credentials, silently, and its tags are told by name.
    let project = make(admin, "/v3/projects", "project", json!({"name": "tagged"})).await;
    let path = format!("/v3/projects/{project}");
    let note = json!({"type": "note", "blob": "{}", "user_id": own, "project_id": project});
    let credential = make(admin, "/v3/credentials", "credential", note.clone()).await;
    auditor
        .hears(&[
            by_admin("project.created", &project),
            by_admin("credential.created", &credential),
        ])
        .await;
    admin.put(&format!("{path}/tags/t")).await.expect(201);
    auditor
        .hears(&[
            forgotten("project.updated", &project),
            by_admin("project tag.created", "t"),
        ])
        .await;
    delete(&format!("{path}/tags/t")).await;
    auditor
        .hears(&[
            forgotten("project.updated", &project),
            forgotten("project tag.deleted", "t"),
        ])
        .await;
    admin
        .request(Method::PUT, &format!("{path}/tags"))
        .json(&json!({"tags": ["a", "b"]}))
        .send()
        .await
        .expect(200);
    auditor
        .hears(&[forgotten("project.updated", &project)])
        .await;
    delete(&format!("{path}/tags")).await;
    auditor
        .hears(&[forgotten("project.updated", &project)])
        .await;
    delete(&path).await;
    auditor
        .hears(&[by_admin("project.deleted", &project)])
        .await;

    // A credential that changes is not told.
    let note = json!({"type": "note", "blob": "{}", "user_id": own});
    let credential = make(admin, "/v3/credentials", "credential", note).await;
    patch(
        &format!("/v3/credentials/{credential}"),
        "credential",
        json!({"blob": "[]"}),
    )
    .await;
    delete(&format!("/v3/credentials/{credential}")).await;
    auditor
        .hears(&[
            by_admin("credential.created", &credential),
            by_admin("credential.deleted", &credential),
        ])
        .await;
    let keys = format!("/v3/users/{own}/credentials/OS-EC2");
    let key = admin
        .post(&keys, &json!({"tenant_id": "demo"}))
        .await
        .expect(201)
        .json();
    let access = key["credential"]["access"].as_str().unwrap();
    let listed = admin
        .get("/v3/credentials?type=ec2")
        .await
        .expect(200)
        .json();
    let credential = listed["credentials"][0]["id"].as_str().unwrap();
    delete(&format!("{keys}/{access}")).await;
    auditor
        .hears(&[
            forgotten("credential.created", credential),
            forgotten("credential.deleted", credential),
        ])
        .await;

    // A user goes with application credentials and access rules, which are told.
    let user = make(
        admin,
        "/v3/users",
        "user",
        json!({"name": "u", "password": "u-password"}),
    )
    .await;
    let path = format!("/v3/users/{user}");
    admin
        .put(&format!("/v3/projects/demo/users/{user}/roles/{member}"))
        .await
        .expect(204);
    let session = api.session(&login(&user, "u-password", "demo")).await;
    auditor
        .hears(&[
            by_admin("user.created", &user),
            by_admin("role_assignment.created", &member),
        ])
        .await;
    let by_user = |what: &str, id: &str| format!("{what} {id} by {user}");
    let (credential, rule) = robot(&session, "one").await;
    auditor
        .hears(&[by_user("application_credential.created", &credential)])
        .await;
    session
        .delete(&format!("{path}/application_credentials/{credential}"))
        .await
        .expect(204);
    session
        .delete(&format!("{path}/access_rules/{rule}"))
        .await
        .expect(204);
    auditor
        .hears(&[
            by_user("application_credential.deleted", &credential),
            by_user("access_rule.deleted", &rule),
        ])
        .await;
    let (credential, rule) = robot(&session, "two").await;
    // The number of a last one would be given again in SQLite, where Python Keystone's rows of its roles
    // are still there.
    let alice = api.login("alice", Scope::Project("demo")).await;
    let (last, _) = robot(&alice, "last").await;
    auditor
        .hears(&[
            by_user("application_credential.created", &credential),
            format!("application_credential.created {last} by alice"),
        ])
        .await;
    delete(&path).await;
    auditor
        .hears(&[
            by_nobody("application_credential.deleted", &credential),
            by_nobody("access_rule.deleted", &rule),
            by_admin("user.deleted", &user),
        ])
        .await;

    // A trust goes with those that were made from it.
    let handed_on =
        json!({"impersonation": true, "allow_redelegation": true, "redelegation_count": 1});
    let first = trust(&alice, "bob", &handed_on).await;
    let bob = api.session(&in_trust(&password("bob"), &first)).await;
    let second = trust(&bob, "dora", &json!({"impersonation": true})).await;
    let by_alice = |what: &str, id: &str| format!("{what} {id} by alice");
    auditor
        .hears(&[
            by_alice("OS-TRUST:trust.created", &first),
            by_alice("OS-TRUST:trust.created", &second),
        ])
        .await;
    alice
        .delete(&format!("/v3/OS-TRUST/trusts/{first}"))
        .await
        .expect(204);
    auditor
        .hears(&[
            by_nobody("OS-TRUST:trust.deleted", &second),
            by_alice("OS-TRUST:trust.deleted", &first),
        ])
        .await;

    // A domain is a project, too, and goes with all that is in it.
    let domain = make(admin, "/v3/domains", "domain", json!({"name": "d"})).await;
    let path = format!("/v3/domains/{domain}");
    auditor.hears(&[by_admin("domain.created", &domain)]).await;
    let upper = make(
        admin,
        "/v3/projects",
        "project",
        json!({"name": "upper", "domain_id": domain}),
    )
    .await;
    let lower = json!({"name": "lower", "domain_id": domain, "parent_id": upper});
    let lower = make(admin, "/v3/projects", "project", lower).await;
    let group = make(
        admin,
        "/v3/groups",
        "group",
        json!({"name": "g", "domain_id": domain}),
    )
    .await;
    let user = json!({"name": "u", "domain_id": domain, "password": "u-password"});
    let user = make(admin, "/v3/users", "user", user).await;
    admin
        .put(&format!("/v3/projects/{upper}/users/{user}/roles/{member}"))
        .await
        .expect(204);
    let session = api.session(&login(&user, "u-password", &upper)).await;
    let (credential, rule) = robot(&session, "three").await;
    auditor
        .hears(&[
            by_admin("project.created", &upper),
            by_admin("project.created", &lower),
            by_admin("group.created", &group),
            by_admin("user.created", &user),
            by_admin("role_assignment.created", &member),
            format!("application_credential.created {credential} by {user}"),
        ])
        .await;
    patch(&path, "domain", json!({"enabled": false})).await;
    auditor
        .hears(&[
            by_admin("project.updated", &domain),
            by_admin("domain.updated", &domain),
        ])
        .await;
    delete(&path).await;
    auditor
        .hears(&[
            by_nobody("project.deleted", &lower),
            by_nobody("project.deleted", &upper),
            by_nobody("group.deleted", &group),
            by_nobody("application_credential.deleted", &credential),
            by_nobody("access_rule.deleted", &rule),
            by_nobody("user.deleted", &user),
            by_admin("project.deleted", &domain),
            by_admin("domain.deleted", &domain),
        ])
        .await;

    // Of federation and limits nothing is told but the domain that an identity provider gets.
    let idp = "/v3/OS-FEDERATION/identity_providers/idp";
    let made = admin
        .request(Method::PUT, idp)
        .json(&json!({"identity_provider": {"enabled": true}}));
    let made = made.send().await.expect(201).json();
    let domain = made["identity_provider"]["domain_id"].as_str().unwrap();
    auditor.hears(&[forgotten("domain.created", domain)]).await;
    patch(idp, "identity_provider", json!({"enabled": false})).await;
    delete(idp).await;
    auditor.hears(&[]).await;

    if !cloud.is_python() {
        is_in_file(&file, &told(&cloud)).await;
    }
}

/// Whether a file has all of these, an object a line.
async fn is_in_file(file: &Path, events: &[Value]) {
    let mut lines: Vec<Value> = Vec::new();
    until("the last in the file", async || {
        let text = fs::read_to_string(file).unwrap_or_default();
        let whole = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        lines = whole
            .map(|line| serde_json::from_str(line).expect("an object a line"))
            .collect();
        lines.len() >= events.len()
    })
    .await;
    assert_eq!(lines, events);
}

each_keystone! {

async fn each_request_gives_these_events_as_cadf(builder: Builder) {
    all_requests(builder, "cadf").await;
}

async fn each_request_gives_these_events_in_the_basic_format(builder: Builder) {
    all_requests(builder, "basic").await;
}

}
