//! What changing and deleting each thing does to what depends on it: to the rows of others, and to
//! the tokens that were issued before, at the node that is asked and at another one.
//!
//! A token that is **revoked** stays dead whatever happens afterwards; one that only **rests** is
//! good again when what it stands on is.

use std::sync::Arc;

use awc::http::Method;
use keystone_actors::token::{
    AuditIds, FederationRef, FernetTokens, KeyRepository, LiveKeys, MethodTable, Payload,
    PayloadScope,
};
use serde_json::{Value, json};

use crate::support::cloud::Builder;
use crate::support::delegation::{Made, application_credential, in_trust, trust};
use crate::support::login::{PASSWORD, token};
use crate::support::oauth1::{Pair, Signer, consumer, granted};
use crate::support::{
    Cloud, Options, Scope, Session, each_keystone, password, scoped, seed, until,
};
use crate::testdb::{TestDb, each_database};

/// A cloud of two nodes, where that is ours, and who may do everything.
struct Scene<'db> {
    cloud: Cloud<'db>,
    other: Option<Cloud<'db>>,
    admin: Session,
}

impl<'db> Scene<'db> {
    async fn start(builder: Builder<'db>, more: Vec<Vec<String>>) -> Self {
        let cloud = builder
            .seed(seed::world())
            .seed(more.concat())
            .start()
            .await;
        // Python Keystone is asked whether the rules are its own; one process is enough for that.
        let other = match cloud.is_python() {
            true => None,
            false => Some(cloud.start_node(Options::default()).await),
        };
        let admin = cloud.api().admin().await;
        Self {
            cloud,
            other,
            admin,
        }
    }

    async fn login(&self, user: &str, scope: Scope<'_>) -> Session {
        let session = self.cloud.api().login(user, scope).await;
        self.is_good("before", &session).await;
        session
    }

    /// What each node says of a token.
    async fn says(&self, token: &str, due: u16, row: &str) {
        let here = self.admin.validate(token).await;
        assert_eq!(here.status(), due, "{row}: {here:?}");
        if let Some(other) = &self.other {
            let there = self.admin.at(other.api());
            until(row, async || there.validate(token).await.status() == due).await;
        }
    }

    async fn is_good(&self, row: &str, session: &Session) {
        self.says(session.token(), 200, row).await;
    }

    async fn is_dead(&self, row: &str, session: &Session) {
        self.says(session.token(), 404, row).await;
    }

    /// Python Keystone tells whoever asks which part of it is missing; ours tells nothing.
    async fn is_no_login(&self, credential: &Made) {
        let answer = self.cloud.api().authenticate(&credential.login()).await;
        let due: &[u16] = if self.cloud.is_python() {
            &[401, 404]
        } else {
            &[401]
        };
        assert!(due.contains(&answer.status()), "{answer:?}");
    }

    async fn switch(&self, path: &str, kind: &str, on: bool) {
        let patch = json!({kind: {"enabled": on}});
        self.admin.patch(path, &patch).await.expect(200);
    }

    async fn make(&self, path: &str, kind: &str, attributes: Value) -> String {
        let made = self.admin.post(path, &json!({kind: attributes})).await;
        made.expect(201).json()[kind]["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }

    /// How many there are in a list.
    async fn count(&self, path: &str) -> usize {
        let list = self.admin.get(path).await.expect(200).json();
        let lists = list.as_object().unwrap().values().find_map(Value::as_array);
        lists.expect("a list").len()
    }

    async fn role(&self, name: &str) -> String {
        let list = self
            .admin
            .get(&format!("/v3/roles?name={name}"))
            .await
            .expect(200)
            .json();
        list["roles"][0]["id"].as_str().expect("a role").to_owned()
    }
}

fn user(id: &str) -> Vec<String> {
    [
        seed::user(id, "default", true),
        seed::grant("UserProject", id, "demo", "member"),
    ]
    .concat()
}

fn names(session: &Value, of: &str) -> Vec<String> {
    let mut names: Vec<String> = session[of]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| one["name"].as_str().unwrap_or_default().to_owned())
        .collect();
    names.sort();
    names
}

each_keystone! {

async fn whatever_ends_a_users_tokens_ends_all_of_them_for_good(builder: Builder) {
    let rows = ["disabled", "reset", "changed", "revoked"];
    let scene = Scene::start(builder, rows.map(user).to_vec()).await;
    let mut before = Vec::new();
    for row in rows {
        before.push((row, scene.login(row, Scope::Project("demo")).await));
        before.push((row, scene.login(row, Scope::Unscoped).await));
    }
    let bystander = scene.login("alice", Scope::Project("demo")).await;

    scene.switch("/v3/users/disabled", "user", false).await;
    scene.admin.patch("/v3/users/reset", &json!({"user": {"password": PASSWORD}})).await.expect(200);
    let change = json!({"user": {"original_password": PASSWORD, "password": "another"}});
    scene.cloud.api().request(awc::http::Method::POST, "/v3/users/changed/password").json(&change).send().await.expect(204);
    scene.admin.delete("/v3/users/revoked/tokens").await.expect(204);

    for (row, session) in &before {
        scene.is_dead(row, session).await;
    }
    scene.switch("/v3/users/disabled", "user", true).await;
    for (row, session) in &before {
        scene.is_dead(row, session).await;
    }
    scene.is_good("bystander", &bystander).await;
}

async fn a_deleted_user_takes_along_all_that_was_its(builder: Builder) {
    let scene = Scene::start(builder, vec![user("gone"), user("heir")]).await;
    let gone = scene.login("gone", Scope::Project("demo")).await;
    let unscoped = scene.login("gone", Scope::Unscoped).await;
    let heir = scene.login("heir", Scope::Project("demo")).await;
    let group = scene.make("/v3/groups", "group", json!({"name": "crew"})).await;
    let member = format!("/v3/groups/{group}/users/gone");
    scene.admin.put(&member).await.expect(204);
    let credential = json!({"type": "note", "blob": "{}", "user_id": "gone", "project_id": "demo"});
    let credential = scene.make("/v3/credentials", "credential", credential).await;
    let rules = json!([{"service": "compute", "path": "/v2", "method": "GET"}]);
    let robot = application_credential(&gone, json!({"name": "robot", "access_rules": rules})).await;
    let given = trust(&gone, "heir", &Value::Null).await;
    let taken = trust(&heir, "gone", &Value::Null).await;
    let in_given = scene.cloud.api().session(&in_trust(&password("heir"), &given)).await;
    scene.is_good("trust", &in_given).await;

    scene.admin.delete("/v3/users/gone").await.expect(204);

    scene.is_dead("project", &gone).await;
    scene.is_dead("unscoped", &unscoped).await;
    scene.is_good("heir", &heir).await;
    let broken = scene.admin.validate(in_given.token()).await.status();
    assert!([403, 404].contains(&broken), "{broken}");
    scene.is_no_login(&robot).await;
    for path in [
        "/v3/users/gone".to_owned(), member, format!("/v3/credentials/{credential}"),
        format!("/v3/OS-TRUST/trusts/{given}"), format!("/v3/OS-TRUST/trusts/{taken}"),
    ] {
        scene.admin.get(&path).await.expect(404);
    }
    assert_eq!(scene.count("/v3/role_assignments?user.id=gone").await, 0);
    assert_eq!(scene.count(&format!("/v3/groups/{group}/users")).await, 0);
    assert_eq!(scene.count("/v3/credentials?user_id=gone").await, 0);
}

async fn groups_give_roles_at_the_next_look_and_take_tokens_when_left(builder: Builder) {
    let scene = Scene::start(builder, ["leaver", "paid", "unpaid"].map(user).to_vec()).await;
    let reader = scene.role("reader").await;
    let group = async |name: &str, user: &str| {
        let id = scene.make("/v3/groups", "group", json!({"name": name})).await;
        let path = format!("/v3/groups/{id}");
        (format!("{path}/users/{user}"), format!("/v3/projects/demo/groups/{id}/roles/{reader}"), path)
    };
    let roles = async |session: &Session| names(&scene.admin.validate(session.token()).await.expect(200).json()["token"], "roles");
    let (member, grant, _) = group("left", "leaver").await;
    let leaver = scene.login("leaver", Scope::Project("demo")).await;

    // Being let in, or given a role, ends nothing.
    scene.admin.put(&member).await.expect(204);
    assert_eq!(roles(&leaver).await, ["member", "reader"]);
    scene.admin.put(&grant).await.expect(204);
    assert_eq!(roles(&leaver).await, ["member", "reader"]);
    scene.is_good("joined", &leaver).await;
    let elsewhere = scene.login("leaver", Scope::Unscoped).await;
    scene.admin.delete(&member).await.expect(204);
    scene.is_dead("left", &leaver).await;
    scene.is_dead("left, unscoped", &elsewhere).await;
    scene.admin.put(&member).await.expect(204);
    scene.is_dead("joined again", &leaver).await;

    // A group that goes takes its members' tokens where it had a role anywhere.
    let (member, grant, paid) = group("paid", "paid").await;
    scene.admin.put(&member).await.expect(204);
    scene.admin.put(&grant).await.expect(204);
    let (member, _, unpaid) = group("unpaid", "unpaid").await;
    scene.admin.put(&member).await.expect(204);
    let with = scene.login("paid", Scope::Project("demo")).await;
    let without = scene.login("unpaid", Scope::Project("demo")).await;
    scene.admin.delete(&paid).await.expect(204);
    scene.admin.delete(&unpaid).await.expect(204);
    scene.is_dead("a group with a role", &with).await;
    scene.is_good("a group without", &without).await;
    scene.admin.get(&grant).await.expect(404);
    assert_eq!(scene.count("/v3/users/unpaid/groups").await, 0);
}

async fn a_role_that_goes_leaves_no_assignment_implication_or_credential(builder: Builder) {
    let scene = Scene::start(builder, vec![user("staff"), user("guest")]).await;
    let doomed = scene.make("/v3/roles", "role", json!({"name": "doomed"})).await;
    let implied = scene.make("/v3/roles", "role", json!({"name": "implied"})).await;
    let (member, implication) = (scene.role("member").await, format!("/v3/roles/{doomed}/implies/{implied}"));
    let of_staff = format!("/v3/projects/demo/users/staff/roles/{doomed}");
    scene.admin.put(&of_staff).await.expect(204);
    let staff = scene.login("staff", Scope::Project("demo")).await;
    let guest = scene.login("guest", Scope::Project("demo")).await;
    let only = async |session: &Session, name: &str| application_credential(session, json!({"name": "robot", "roles": [{"name": name}]})).await;
    let (staffs, guests) = (only(&staff, "member").await, only(&guest, "member").await);
    let roles = async |session: &Session| names(&scene.admin.validate(session.token()).await.expect(200).json()["token"], "roles");

    // What a role implies shows at the next look, and is gone at the next.
    scene.admin.put(&implication).await.expect(201);
    assert_eq!(roles(&staff).await, ["doomed", "implied", "member", "reader"]);
    scene.admin.delete(&implication).await.expect(204);
    assert_eq!(roles(&staff).await, ["doomed", "member", "reader"]);
    scene.admin.put(&implication).await.expect(201);

    scene.admin.delete(&format!("/v3/roles/{doomed}")).await.expect(204);

    assert_eq!(roles(&staff).await, ["member", "reader"]);
    scene.is_good("other roles are left", &staff).await;
    assert_eq!(scene.count(&format!("/v3/role_assignments?role.id={doomed}")).await, 0);
    scene.admin.get(&implication).await.expect(404);
    // Those of everybody who had the role there go, whatever roles they hold.
    scene.is_no_login(&staffs).await;
    scene.cloud.api().authenticate(&guests.login()).await.expect(201);

    // Without its last role a token rests.
    let grant = format!("/v3/projects/demo/users/guest/roles/{member}");
    scene.admin.delete(&grant).await.expect(204);
    scene.is_dead("no role is left", &guest).await;
    scene.is_no_login(&guests).await;
    scene.admin.put(&grant).await.expect(204);
    scene.is_good("a role again", &guest).await;
    scene.cloud.api().authenticate(&guests.login()).await.expect(201);
}

async fn a_project_rests_while_it_is_disabled_and_is_deleted_with_all_on_it(builder: Builder) {
    let scene = Scene::start(builder, vec![user("owner")]).await;
    let project = scene.make("/v3/projects", "project", json!({"name": "p"})).await;
    let path = format!("/v3/projects/{project}");
    scene.admin.put(&format!("{path}/users/owner/roles/{}", scene.role("member").await)).await.expect(204);
    scene.admin.patch("/v3/users/owner", &json!({"user": {"default_project_id": project}})).await.expect(200);
    let owner = scene.login("owner", Scope::Project("p")).await;
    let elsewhere = scene.login("owner", Scope::Project("demo")).await;

    scene.switch(&path, "project", false).await;
    scene.is_dead("disabled", &owner).await;
    scene.switch(&path, "project", true).await;
    scene.is_good("enabled", &owner).await;

    let credential = json!({"type": "note", "blob": "{}", "user_id": "owner", "project_id": project});
    let credential = scene.make("/v3/credentials", "credential", credential).await;
    let robot = application_credential(&owner, json!({"name": "robot"})).await;
    let handed_on = trust(&owner, "alice", &Value::Null).await;
    let service = scene.make("/v3/services", "service", json!({"type": "compute"})).await;
    let endpoint = json!({"service_id": service, "interface": "public", "url": "http://compute"});
    let endpoint = scene.make("/v3/endpoints", "endpoint", endpoint).await;
    scene.admin.put(&format!("/v3/OS-EP-FILTER/projects/{project}/endpoints/{endpoint}")).await.expect(204);
    let registered = json!({"registered_limits": [{"service_id": service, "resource_name": "cores", "default_limit": 5}]});
    scene.admin.post("/v3/registered_limits", &registered).await.expect(201);
    let limit = json!({"limits": [{"service_id": service, "resource_name": "cores", "resource_limit": 3, "project_id": project}]});
    scene.admin.post("/v3/limits", &limit).await.expect(201);
    assert_eq!(scene.count("/v3/limits").await, 1);

    scene.admin.delete(&path).await.expect(204);

    scene.is_dead("deleted", &owner).await;
    scene.is_good("elsewhere", &elsewhere).await;
    for gone in [path, format!("/v3/credentials/{credential}"), format!("/v3/OS-TRUST/trusts/{handed_on}")] {
        scene.admin.get(&gone).await.expect(404);
    }
    let assigned = format!("/v3/role_assignments?user.id=owner&role.id={}", scene.role("member").await);
    assert_eq!(scene.count(&assigned).await, 1, "the grant on demo alone is left");
    assert_eq!(scene.count("/v3/limits").await, 0);
    assert_eq!(scene.count(&format!("/v3/OS-EP-FILTER/endpoints/{endpoint}/projects")).await, 0);
    let owners = scene.admin.get("/v3/users/owner").await.expect(200).json();
    assert_eq!(owners["user"].get("default_project_id"), None);
    // An application credential stays, and is good for nothing.
    assert_eq!(scene.count("/v3/users/owner/application_credentials").await, 1);
    scene.is_no_login(&robot).await;
}

async fn a_domain_rests_while_it_is_disabled_and_is_deleted_with_all_in_it(builder: Builder) {
    let branch = "0ddf9a1e4b544ac6b1fb5ba6bbc0d9a3";
    let scene = Scene::start(builder, vec![
        seed::domain(branch, true),
        seed::project("inner", branch, true),
        seed::user("native", branch, true),
        seed::grant("UserProject", "native", "demo", "member"),
        seed::grant("UserDomain", "alice", branch, "member"),
    ]).await;
    let identity = json!({"methods": ["password"], "password": {"user": {"id": "native", "password": PASSWORD}}});
    let native = scene.cloud.api().session(&scoped(identity, Scope::Project("demo"))).await;
    let visitor = scene.login("alice", Scope::Domain(branch)).await;
    let bystander = scene.login("alice", Scope::Project("demo")).await;
    let path = format!("/v3/domains/{branch}");
    let role = scene.make("/v3/roles", "role", json!({"name": "own", "domain_id": branch})).await;
    let service = scene.make("/v3/services", "service", json!({"type": "compute"})).await;
    let registered = json!({"registered_limits": [{"service_id": service, "resource_name": "cores", "default_limit": 5}]});
    scene.admin.post("/v3/registered_limits", &registered).await.expect(201);
    let limit = json!({"limits": [{"service_id": service, "resource_name": "cores", "resource_limit": 3, "domain_id": branch}]});
    scene.admin.post("/v3/limits", &limit).await.expect(201);
    let group = scene.make("/v3/groups", "group", json!({"name": "natives", "domain_id": branch})).await;
    scene.is_good("a user of the domain", &native).await;

    scene.switch(&path, "domain", false).await;
    scene.is_dead("a user of it", &native).await;
    // To Python Keystone a scope is as good as before.
    if !scene.cloud.is_python() {
        scene.is_dead("a scope of it", &visitor).await;
    }
    scene.switch(&path, "domain", true).await;
    for (row, session) in [("a user of it", &native), ("a scope of it", &visitor)] {
        scene.is_good(row, session).await;
    }
    scene.switch(&path, "domain", false).await;
    scene.admin.delete(&path).await.expect(204);

    for (row, session) in [("a user of it", &native), ("a scope of it", &visitor)] {
        scene.is_dead(row, session).await;
    }
    scene.is_good("bystander", &bystander).await;
    for gone in [path, "/v3/projects/inner".to_owned(), "/v3/users/native".to_owned(), format!("/v3/groups/{group}")] {
        scene.admin.get(&gone).await.expect(404);
    }
    assert_eq!(scene.count(&format!("/v3/role_assignments?scope.domain.id={branch}")).await, 0);
    // Its roles and limits outlive it.
    let left = scene.admin.get(&format!("/v3/roles/{role}")).await.expect(200).json();
    assert_eq!(left["role"]["domain_id"], branch);
    assert_eq!(scene.count("/v3/limits").await, 1);
}

async fn what_was_handed_on_ends_with_what_it_was_handed_on_by(builder: Builder) {
    let scene = Scene::start(builder, vec![seed::user("carol", "default", true)]).await;
    let api = scene.cloud.api();
    let alice = scene.login("alice", Scope::Project("demo")).await;
    let first = trust(&alice, "bob", &json!({"impersonation": true, "allow_redelegation": true})).await;
    let bob = api.session(&in_trust(&password("bob"), &first)).await;
    let second = trust(&bob, "carol", &json!({"impersonation": true})).await;
    let carol = api.session(&in_trust(&password("carol"), &second)).await;
    let rules = json!([{"service": "identity", "path": "/v3/auth/*", "method": "GET"}]);
    let robot = application_credential(&alice, json!({"name": "robot"})).await;
    let bound = application_credential(&alice, json!({"name": "bound", "access_rules": rules})).await;
    let by_robot = api.session(&robot.login()).await;
    let parent = scene.login("alice", Scope::Unscoped).await;
    let child = api.session(&scoped(token(parent.token()), Scope::Project("demo"))).await;
    for session in [&bob, &carol, &by_robot, &child] {
        scene.is_good("before", session).await;
    }

    alice.delete(&format!("/v3/OS-TRUST/trusts/{first}")).await.expect(204);
    alice.get(&format!("/v3/OS-TRUST/trusts/{second}")).await.expect(404);
    let credentials = format!("/v3/users/{}/application_credentials", alice.text("/user/id"));
    for made in [&robot, &bound] {
        alice.delete(&format!("{credentials}/{}", made.id)).await.expect(204);
    }
    parent.revoke(parent.token()).await.expect(204);

    for (row, session) in [("trust", &bob), ("trust below it", &carol), ("credential", &by_robot), ("token", &parent), ("token from it", &child)] {
        scene.is_dead(row, session).await;
    }
    scene.is_good("the giver", &alice).await;
    let rules = format!("/v3/users/{}/access_rules", alice.text("/user/id"));
    let rules = alice.get(&rules).await.expect(200).json();
    assert_eq!(rules["access_rules"].as_array().map(Vec::len), Some(1), "rules are kept");
}

async fn what_a_consumer_was_let_do_ends_with_it_or_with_the_access_token(builder: Builder) {
    let scene = Scene::start(builder, Vec::new()).await;
    let (api, giver) = (scene.cloud.api(), &scene.admin);
    let (project, roles) = (giver.text("/project/id"), json!([{"name": "admin"}]));
    let made = async |consumer: &Pair| {
        let given = granted(giver, consumer, project, &roles).await;
        let made = Signer::new(consumer).with(&given).login(api, &Value::Null).await.expect(201);
        let made = made.header("X-Subject-Token").unwrap().to_owned();
        (given, made)
    };
    let (gone, kept) = (consumer(&scene.admin).await, consumer(&scene.admin).await);
    let (_, by_gone) = made(&gone).await;
    let (withdrawn, by_withdrawn) = made(&kept).await;
    let (_, by_kept) = made(&kept).await;
    for made in [&by_gone, &by_withdrawn, &by_kept] {
        scene.says(made, 200, "before").await;
    }

    scene.admin.delete(&format!("/v3/OS-OAUTH1/consumers/{}", gone.id)).await.expect(204);
    scene.says(&by_gone, 404, "a consumer that is gone").await;
    let tokens = format!("/v3/users/{}/OS-OAUTH1/access_tokens", giver.text("/user/id"));
    scene.admin.delete(&format!("{tokens}/{}", withdrawn.id)).await.expect(204);
    scene.says(&by_withdrawn, 404, "an access token that is withdrawn").await;
    scene.says(&by_kept, 200, "another access token").await;
    scene.is_good("the giver", giver).await;
}

async fn what_the_catalog_loses_is_lost_to_its_filters_and_policies(builder: Builder) {
    let scene = Scene::start(builder, Vec::new()).await;
    let bystander = scene.login("alice", Scope::Project("demo")).await;
    let service = scene.make("/v3/services", "service", json!({"type": "compute"})).await;
    let region = scene.make("/v3/regions", "region", json!({"id": "eu"})).await;
    scene.make("/v3/regions", "region", json!({"id": "eu-1", "parent_region_id": region})).await;
    let endpoint = async |region: Value| {
        let endpoint = json!({"service_id": service, "interface": "public", "url": "http://compute", "region_id": region});
        scene.make("/v3/endpoints", "endpoint", endpoint).await
    };
    let (inside, outside) = (endpoint(json!("eu-1")).await, endpoint(Value::Null).await);
    let policy = scene.make("/v3/policies", "policy", json!({"blob": "{}", "type": "application/json"})).await;
    let bound = |to: &str| format!("/v3/policies/{policy}/OS-ENDPOINT-POLICY/{to}");
    let (to_endpoint, to_service) = (bound(&format!("endpoints/{outside}")), bound(&format!("services/{service}")));
    for path in [&to_endpoint, &to_service, &format!("/v3/OS-EP-FILTER/projects/demo/endpoints/{outside}")] {
        scene.admin.put(path).await.expect(204);
    }
    let registered = json!({"registered_limits": [{"service_id": service, "resource_name": "cores", "default_limit": 5}]});
    scene.admin.post("/v3/registered_limits", &registered).await.expect(201);

    let refused = scene.admin.delete("/v3/regions/eu").await.expect(403);
    assert_eq!(refused.message(), "Unable to delete region eu because it or its child regions have associated endpoints.");
    scene.admin.delete(&format!("/v3/endpoints/{inside}")).await.expect(204);
    scene.admin.delete("/v3/regions/eu").await.expect(204);
    scene.admin.get("/v3/regions/eu-1").await.expect(404);
    scene.admin.delete(&format!("/v3/endpoints/{outside}")).await.expect(204);
    scene.admin.get(&to_endpoint).await.expect(404);
    assert_eq!(scene.count("/v3/OS-EP-FILTER/projects/demo/endpoints").await, 0);
    let last = endpoint(Value::Null).await;
    scene.admin.get(&to_service).await.expect(204);
    scene.admin.delete(&format!("/v3/services/{service}")).await.expect(204);
    scene.admin.get(&format!("/v3/endpoints/{last}")).await.expect(404);
    scene.admin.get(&to_service).await.expect(404);
    assert_eq!(scene.count("/v3/registered_limits").await, 1, "limits outlive their service");
    scene.admin.delete(&format!("/v3/policies/{policy}")).await.expect(204);
    scene.is_good("bystander", &bystander).await;
}

}

/// A token of a federated user for the project `demo`, such as Python Keystone issues: made with the
/// keys of this database's servers.
fn federated(db: &TestDb, user: &str, (idp, protocol): (&str, &str)) -> String {
    let methods = keystone_ng::config::Config::default().auth.methods;
    let table = Arc::new(MethodTable::new(&methods).unwrap());
    let keys = LiveKeys::load(KeyRepository::new(db.scratch().join("fernet-keys"), 3)).unwrap();
    let now = chrono::Utc::now().timestamp();
    let methods = ["mapped"].into_iter().collect();
    let payload = Payload {
        scope: PayloadScope::Project("demo".to_owned()),
        federation: Some(FederationRef {
            group_ids: Vec::new(),
            idp_id: idp.to_owned(),
            protocol_id: protocol.to_owned(),
        }),
        ..Payload::new(user.to_owned(), methods, now + 600, AuditIds::fresh())
    };
    let tokens = FernetTokens::new(keys, table, 300);
    tokens.seal(&payload, now).unwrap()
}

/// A user whom this provider knows by this protocol, and who is a member of the project `demo`.
fn known_to(id: &str, (idp, protocol): (&str, &str)) -> Vec<String> {
    let role = r#"(SELECT "id" FROM "role" WHERE "name" = 'member')"#;
    vec![
        format!(
            r#"INSERT INTO "federated_user" ("user_id", "idp_id", "protocol_id", "unique_id", "display_name")
               VALUES ('{id}', '{idp}', '{protocol}', '{id}', '{id}')"#
        ),
        format!(
            r#"INSERT INTO "assignment" ("type", "actor_id", "target_id", "role_id", "inherited")
               VALUES ('UserProject', '{id}', 'demo', {role}, false)"#
        ),
    ]
}

each_database! {

async fn tokens_of_federated_users_end_with_who_sent_them_and_not_while_it_is_disabled(db: TestDb) {
    let scene = Scene::start(Builder::new(&db), vec![seed::user("both", "default", true)]).await;
    let put = async |path: &str, kind: &str, attributes: Value| {
        let path = format!("/v3/OS-FEDERATION/{path}");
        let request = scene.admin.request(Method::PUT, &path);
        request.json(&json!({ kind: attributes })).send().await.expect(201);
    };
    let rules = json!([{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "UserName"}]}]);
    put("mappings/rules", "mapping", json!({ "rules": rules })).await;
    let ways = [("first", "saml2"), ("second", "saml2"), ("second", "openid")];
    for idp in ["first", "second"] {
        let provider = json!({"enabled": true, "domain_id": "default"});
        put(&format!("identity_providers/{idp}"), "identity_provider", provider).await;
    }
    for (idp, protocol) in ways {
        let path = format!("identity_providers/{idp}/protocols/{protocol}");
        put(&path, "protocol", json!({"mapping_id": "rules"})).await;
    }
    let [first, second, other] = ways;
    let users = ["alone", "stranger", "visitor"].map(|id| {
        format!(
            r#"INSERT INTO "user" ("id", "extra", "enabled", "domain_id", "created_at")
               VALUES ('{id}', '{{}}', true, 'default', '2026-01-01 00:00:00')"#
        )
    });
    scene.cloud.execute(&users).await;
    let mut tokens = Vec::new();
    for (id, way) in [("alone", first), ("both", first), ("stranger", second), ("visitor", other)] {
        scene.cloud.execute(&known_to(id, way)).await;
        tokens.push(federated(&db, id, way));
    }
    let [alone, both, stranger, visitor] = &tokens[..] else { panic!("{tokens:?}") };
    let by_password = scene.login("both", Scope::Project("demo")).await;
    for made in &tokens {
        scene.says(made, 200, "before").await;
    }

    // Who may come is decided when somebody comes: Keystone ends nothing here.
    scene.switch("/v3/OS-FEDERATION/identity_providers/first", "identity_provider", false).await;
    scene.admin.delete("/v3/OS-FEDERATION/mappings/rules").await.expect(204);
    for made in &tokens {
        scene.says(made, 200, "a disabled provider, and no mapping").await;
    }

    scene.admin.delete("/v3/OS-FEDERATION/identity_providers/second/protocols/openid").await.expect(204);
    scene.says(visitor, 404, "a protocol that is gone").await;
    scene.says(stranger, 200, "another protocol").await;

    scene.admin.delete("/v3/OS-FEDERATION/identity_providers/first").await.expect(204);
    for made in [alone, both] {
        scene.says(made, 404, "a provider that is gone").await;
    }
    scene.says(stranger, 200, "another provider").await;
    // Who has another name is still there by that.
    scene.admin.get("/v3/users/alone").await.expect(404);
    scene.is_good("the password's token", &by_password).await;
}

}
