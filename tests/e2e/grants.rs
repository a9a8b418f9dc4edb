//! Grants and the list of role assignments: who gets which role where, and what tokens make of it.

use serde_json::{Value, json};

use crate::support::{Options, Scope, Session, each_keystone, seed};
use crate::testdb::each_database;

/// The IDs of what every test here is about.
struct Ids {
    member: String,
    reader: String,
    auditor: String,
    own: String,
    alice: String,
    bob: String,
    group: String,
}

async fn first(admin: &Session, path: &str, of: &str) -> String {
    let list = admin.get(path).await.expect(200).json();
    list[of][0]["id"].as_str().unwrap().to_owned()
}

async fn make(admin: &Session, kind: &str, attributes: Value) -> String {
    let body = json!({ kind: attributes });
    let answer = admin.post(&format!("/v3/{kind}s"), &body).await.expect(201);
    answer.json()[kind]["id"].as_str().unwrap().to_owned()
}

impl Ids {
    /// Role `auditor`, role `own` of the default domain, and a group that bob is in.
    async fn of(admin: &Session) -> Self {
        let ids = Self {
            member: first(admin, "/v3/roles?name=member", "roles").await,
            reader: first(admin, "/v3/roles?name=reader", "roles").await,
            auditor: make(admin, "role", json!({"name": "auditor"})).await,
            own: make(
                admin,
                "role",
                json!({"name": "own", "domain_id": "default"}),
            )
            .await,
            alice: first(admin, "/v3/users?name=alice", "users").await,
            bob: first(admin, "/v3/users?name=bob", "users").await,
            group: make(admin, "group", json!({"name": "crew"})).await,
        };
        admin
            .put(&format!("/v3/groups/{}/users/{}", ids.group, ids.bob))
            .await
            .expect(204);
        ids
    }
}

fn names(list: &Value) -> Vec<String> {
    let roles = list["roles"].as_array().unwrap().iter();
    let mut names: Vec<String> = roles
        .map(|role| role["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// Scope, actor and role of each assignment, sorted.
fn told(list: &Value) -> Vec<String> {
    let id = |part: &Value| part["id"].as_str().map(str::to_owned);
    let mut told: Vec<String> = list["role_assignments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let scope = &one["scope"];
            let target = id(&scope["project"]).or(id(&scope["domain"]));
            let inherited = match scope.get("OS-INHERIT:inherited_to") {
                Some(_) => "+",
                None => "",
            };
            let actor = id(&one["user"]).or(id(&one["group"])).unwrap();
            let target = target.unwrap_or_else(|| "system".to_owned());
            format!("{actor} {} {target}{inherited}", id(&one["role"]).unwrap())
        })
        .collect();
    told.sort();
    told
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

each_keystone! {

async fn a_grant_is_made_found_and_taken_back(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;
    let ids = Ids::of(&admin).await;

    for (target, inherited, has_list) in [
        ("/v3/projects/demo", "", true), ("/v3/domains/default", "", true), ("/v3/system", "", true),
        ("/v3/OS-INHERIT/domains/default", "/inherited_to_projects", true),
        ("/v3/OS-INHERIT/projects/demo", "/inherited_to_projects", false),
    ] {
        for actor in [format!("users/{}", ids.bob), format!("groups/{}", ids.group)] {
            let path = format!("{target}/{actor}/roles/{}{inherited}", ids.auditor);
            let missing = admin.get(&path).await.expect(404);
            let what = target.rsplit('/').next().unwrap();
            assert_eq!(missing.message(), format!(
                "Could not find role assignment with role: {}, user or group: {}, project, domain, or system: {what}.",
                ids.auditor, actor.split_once('/').unwrap().1));
            admin.put(&path).await.expect(204);
            admin.put(&path).await.expect(204);
            admin.get(&path).await.expect(204);
            admin.head(&path).await.expect(204);
            if has_list {
                let list = admin.get(&format!("{target}/{actor}/roles{inherited}")).await.expect(200).json();
                assert_eq!(names(&list), ["auditor"]);
                assert_eq!(list["roles"][0]["links"]["self"], format!("{}/v3/roles/{}", cloud.api().base(), ids.auditor));
                assert_eq!(list["links"]["next"], Value::Null);
            }
            admin.delete(&path).await.expect(204);
            admin.delete(&path).await.expect(404);
        }
    }
    let bob = format!("users/{}/roles", ids.bob);
    for (path, status, message) in [
        (format!("/v3/projects/demo/{bob}/nope"), 404, "Could not find role: nope.".to_owned()),
        (format!("/v3/projects/nope/{bob}/{}", ids.reader), 404, "Could not find project: nope.".to_owned()),
        (format!("/v3/domains/nope/{bob}/{}", ids.reader), 404, "Could not find domain: nope.".to_owned()),
        (format!("/v3/projects/demo/users/nope/roles/{}", ids.reader), 404, "Could not find user: nope.".to_owned()),
        (format!("/v3/system/groups/nope/roles/{}", ids.reader), 404, "Could not find group: nope.".to_owned()),
        (format!("/v3/projects/attic/{bob}/{}", ids.own), 403, format!(
            "Project attic must be in the same domain as the role {} being assigned.", ids.own)),
        (format!("/v3/system/{bob}/{}", ids.own), 400, format!(
            "Role {} is a domain-specific role. Unable to use a domain-specific role in a system assignment.", ids.own)),
    ] {
        assert_eq!(admin.put(&path).await.expect(status).message(), message);
    }
    admin.put(&format!("/v3/domains/shut/{bob}/{}", ids.own)).await.expect(204);

    // Whoever has a token learns what exists, and may do nothing.
    let alice = cloud.api().login("alice", Scope::Project("demo")).await;
    alice.put(&format!("/v3/projects/nope/{bob}/{}", ids.reader)).await.expect(404);
    let refused = alice.put(&format!("/v3/projects/demo/{bob}/{}", ids.reader)).await.expect(403);
    assert_eq!(refused.message(), "You are not authorized to perform the requested action: identity:create_grant.");
    alice.put(&format!("/v3/OS-INHERIT/projects/nope/{bob}/{}/inherited_to_projects", ids.reader)).await.expect(403);
    alice.get(&format!("/v3/system/{bob}")).await.expect(403);
    // What is left of a user that there is no longer can be taken back.
    let leftover = format!(r#"INSERT INTO "assignment" ("type", "actor_id", "target_id", "role_id", "inherited")
                              VALUES ('UserProject', 'gone', 'demo', '{}', false)"#, ids.reader);
    cloud.execute(&[leftover]).await;
    admin.delete(&format!("/v3/projects/demo/users/gone/roles/{}", ids.reader)).await.expect(204);
}

async fn a_token_shows_the_roles_that_are_left_and_ends_with_the_last(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;
    let ids = Ids::of(&admin).await;
    let grant = |actor: &str, role: &str| format!("/v3/projects/demo/{actor}/roles/{role}");
    let user = format!("users/{}", ids.bob);
    let group = format!("groups/{}", ids.group);
    admin.put(&grant(&user, &ids.auditor)).await.expect(204);
    admin.put(&grant(&group, &ids.reader)).await.expect(204);
    let bob = cloud.api().login("bob", Scope::Project("demo")).await;
    assert_eq!(bob.roles(), ["auditor", "reader"]);
    let roles = async || {
        let told = admin.validate(bob.token()).await.expect(200).json();
        names(&told["token"])
    };

    admin.put(&grant(&user, &ids.member)).await.expect(204);
    assert_eq!(roles().await, ["auditor", "member", "reader"]);
    admin.delete(&grant(&user, &ids.member)).await.expect(204);
    admin.delete(&grant(&user, &ids.auditor)).await.expect(204);
    assert_eq!(roles().await, ["reader"]);
    admin.delete(&format!("/v3/roles/{}", ids.auditor)).await.expect(204);
    assert_eq!(roles().await, ["reader"]);
    admin.delete(&grant(&group, &ids.reader)).await.expect(204);
    admin.validate(bob.token()).await.expect(404);
    // No event was written: with a role the token is good again.
    admin.put(&grant(&user, &ids.reader)).await.expect(204);
    assert_eq!(roles().await, ["reader"]);
    // A user's and a group's grants go with them.
    admin.put(&grant(&group, &ids.reader)).await.expect(204);
    admin.delete(&format!("/v3/groups/{}", ids.group)).await.expect(204);
    admin.delete(&format!("/v3/users/{}", ids.bob)).await.expect(204);
    let left = admin.get(&format!("/v3/role_assignments?role.id={}", ids.reader)).await.expect(200).json();
    assert_eq!(told(&left), [""; 0]);
}

async fn assignments_are_listed_with_every_filter(builder: Builder) {
    let cloud = builder.seed([
        seed::world(),
        seed::project("below", "default", true),
        vec![r#"UPDATE "project" SET "parent_id" = 'demo' WHERE "id" = 'below'"#.to_owned()],
    ].concat()).start().await;
    let admin = cloud.api().admin().await;
    let ids = Ids::of(&admin).await;
    admin.put(&format!("/v3/roles/{}/implies/{}", ids.own, ids.reader)).await.expect(201);
    let Ids { member, reader, auditor, own, alice, bob, group } = &ids;
    for path in [
        format!("/v3/OS-INHERIT/projects/demo/groups/{group}/roles/{auditor}/inherited_to_projects"),
        format!("/v3/OS-INHERIT/domains/default/users/{bob}/roles/{auditor}/inherited_to_projects"),
        format!("/v3/domains/default/groups/{group}/roles/{reader}"),
        format!("/v3/system/users/{bob}/roles/{reader}"),
        format!("/v3/projects/below/users/{bob}/roles/{own}"),
    ] {
        admin.put(&path).await.expect(204);
    }
    let list = async |query: &str| admin.get(&format!("/v3/role_assignments?{query}")).await.expect(200).json();
    let found = async |query: String| told(&list(&query).await);

    assert_eq!(found(format!("user.id={bob}")).await, sorted(vec![
        format!("{bob} {auditor} default+"), format!("{bob} {reader} system"), format!("{bob} {own} below"),
    ]));
    assert_eq!(found(format!("group.id={group}&scope.domain.id=default")).await, [format!("{group} {reader} default")]);
    assert_eq!(found(format!("role.id={auditor}")).await, sorted(vec![
        format!("{group} {auditor} demo+"), format!("{bob} {auditor} default+"),
    ]));
    assert_eq!(found(format!("user.id={bob}&scope.system=all")).await, [format!("{bob} {reader} system")]);
    assert_eq!(found(format!("user.id={bob}&scope.OS-INHERIT:inherited_to=projects")).await, sorted(vec![
        format!("{bob} {auditor} default+"), format!("{bob} {reader} system"),
    ]));
    let dora = first(&admin, "/v3/users?name=dora", "users").await;
    let eve = first(&admin, "/v3/users?name=eve", "users").await;
    assert_eq!(found("scope.project.id=demo&include_subtree".to_owned()).await, sorted(vec![
        format!("{alice} {member} demo"), format!("{dora} {member} demo"), format!("{eve} {member} demo"),
        format!("{group} {auditor} demo+"), format!("{bob} {own} below"),
    ]));
    assert_eq!(found("scope.project.id=nope".to_owned()).await, [""; 0]);

    assert_eq!(found(format!("effective&user.id={bob}&scope.project.id=below")).await, sorted(vec![
        format!("{bob} {auditor} below+"), format!("{bob} {auditor} below+"), format!("{bob} {reader} below"),
    ]));
    assert_eq!(found(format!("effective&user.id={bob}&scope.domain.id=default")).await, [format!("{bob} {reader} default")]);
    assert_eq!(found(format!("effective&role.id={auditor}&scope.project.id=demo&include_subtree")).await, sorted(vec![
        format!("{bob} {auditor} below+"), format!("{bob} {auditor} below+"), format!("{bob} {auditor} demo+"),
    ]));
    let everywhere = found(format!("effective&user.id={bob}")).await;
    assert_eq!(everywhere, sorted(vec![
        // of the default domain: admin, demo, below and closed
        format!("{bob} {auditor} below+"), format!("{bob} {auditor} below+"), format!("{bob} {auditor} closed+"),
        format!("{bob} {auditor} demo+"), format!("{bob} {auditor} {}+", first(&admin, "/v3/projects?name=admin", "projects").await),
        format!("{bob} {reader} below"), format!("{bob} {reader} default"),
    ]));
    admin.get("/v3/role_assignments?effective&scope.project.id=nope").await.expect(404);

    for (query, message) in [
        ("scope.project.id=demo&scope.domain.id=default", "Specify a domain or project, not both"),
        ("scope.system=all&scope.domain.id=default", "Specify system or domain, not both"),
        ("scope.system=all&scope.project.id=demo", "Specify system or project, not both"),
        ("effective&group.id=x", "Combining effective and group filter will always result in an empty list."),
        ("effective&scope.domain.id=default&scope.OS-INHERIT:inherited_to=projects",
            "Combining effective, domain and inherited filters will always result in an empty list."),
        ("include_subtree", "'scope.project.id' is a dependency of 'include_subtree'"),
    ] {
        let refused = admin.get(&format!("/v3/role_assignments?{query}")).await.expect(400);
        assert_eq!(refused.message(), message);
    }
    admin.get("/v3/role_assignments?user.id=x&group.id=y").await.expect(400);
    let domain = cloud.api().login("admin", Scope::Domain("default")).await;
    let own_domain = domain.get(&format!("/v3/role_assignments?user.id={bob}")).await.expect(200).json();
    assert_eq!(told(&own_domain), sorted(vec![format!("{bob} {auditor} default+"), format!("{bob} {own} below")]));
    let alice = cloud.api().login("alice", Scope::Project("demo")).await;
    alice.get("/v3/role_assignments").await.expect(403);
}

async fn an_assignment_tells_where_it_comes_from_and_what_all_is_called(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;
    let ids = Ids::of(&admin).await;
    let Ids { reader, auditor, own, bob, group, .. } = &ids;
    admin.put(&format!("/v3/roles/{auditor}/implies/{reader}")).await.expect(201);
    admin.put(&format!("/v3/OS-INHERIT/domains/shut/groups/{group}/roles/{auditor}/inherited_to_projects")).await.expect(204);
    admin.put(&format!("/v3/projects/demo/groups/{group}/roles/{own}")).await.expect(204);
    let base = format!("{}/v3", cloud.api().base());
    let one = async |query: String| {
        let list = admin.get(&format!("/v3/role_assignments?{query}")).await.expect(200).json();
        assert_eq!(list["role_assignments"].as_array().unwrap().len(), 1, "{list}");
        list["role_assignments"][0].clone()
    };

    assert_eq!(one(format!("effective&user.id={bob}&role.id={reader}")).await, json!({
        "links": {
            "membership": format!("{base}/groups/{group}/users/{bob}"),
            "assignment": format!("{base}/OS-INHERIT/domains/shut/groups/{group}/roles/{auditor}/inherited_to_projects"),
            "prior_role": format!("{base}/prior_role/{reader}/implies/{auditor}"),
        },
        "scope": {"project": {"id": "attic"}, "OS-INHERIT:inherited_to": "projects"},
        "user": {"id": bob}, "role": {"id": reader},
    }));
    let default = json!({"id": "default", "name": "Default"});
    assert_eq!(one(format!("include_names&group.id={group}&role.id={own}")).await, json!({
        "links": {"assignment": format!("{base}/projects/demo/groups/{group}/roles/{own}")},
        "scope": {"project": {"id": "demo", "name": "demo", "domain": default}},
        "group": {"id": group, "name": "crew", "domain": default},
        "role": {"id": own, "name": "own", "domain": default},
    }));
    assert_eq!(one(format!("include_names&group.id={group}&scope.domain.id=shut")).await, json!({
        "links": {"assignment": format!("{base}/OS-INHERIT/domains/shut/groups/{group}/roles/{auditor}/inherited_to_projects")},
        "scope": {"domain": {"id": "shut", "name": "shut"}, "OS-INHERIT:inherited_to": "projects"},
        "group": {"id": group, "name": "crew", "domain": default},
        "role": {"id": auditor, "name": "auditor"},
    }));
    let leftover = format!(r#"INSERT INTO "assignment" ("type", "actor_id", "target_id", "role_id", "inherited")
                              VALUES ('UserProject', 'gone', 'closed', '{reader}', false)"#);
    cloud.execute(&[leftover]).await;
    let leftover = one("include_names&user.id=gone".to_owned()).await;
    assert_eq!(leftover["user"], json!({"id": "gone", "name": "", "domain": {"id": "", "name": ""}}));
}

}

each_database! {
    async fn another_node_takes_no_token_that_a_change_here_has_ended(db: TestDb) {
        let here = crate::support::cloud::Builder::new(&db).seed([
            seed::world(),
            seed::domain("branch", true),
            seed::project("inner", "branch", true),
            seed::grant("UserProject", "alice", "inner", "member"),
        ].concat()).start().await;
        let there = here.start_node(Options::default()).await;
        let admin = here.api().admin().await;
        let alice = first(&admin, "/v3/users?name=alice", "users").await;
        let member = first(&admin, "/v3/roles?name=member", "roles").await;
        let inner = json!({"auth": {
            "identity": crate::support::password("alice"), "scope": {"project": {"id": "inner"}},
        }});
        let (demo, inner) = (here.api().login("alice", Scope::Project("demo")).await, here.api().session(&inner).await);
        let grant = format!("/v3/projects/demo/users/{alice}/roles/{member}");
        // Asked until it says so: the other node follows within a bound, that of [cache_coherence].
        let until = async |session: &Session, status: u16| {
            let what = format!("{status} of the other node");
            crate::support::until(&what, async || {
                admin.at(there.api()).validate(session.token()).await.status() == status
            })
            .await;
        };
        let patch = async |path: &str, kind: &str, on: bool| {
            admin.patch(path, &json!({kind: {"enabled": on}})).await.expect(200);
        };
        until(&demo, 200).await;
        until(&inner, 200).await;

        admin.delete(&grant).await.expect(204);
        until(&demo, 404).await;
        admin.put(&grant).await.expect(204);
        until(&demo, 200).await;
        patch("/v3/projects/demo", "project", false).await;
        until(&demo, 404).await;
        patch("/v3/projects/demo", "project", true).await;
        until(&demo, 200).await;
        patch("/v3/domains/branch", "domain", false).await;
        until(&inner, 404).await;
        patch("/v3/domains/branch", "domain", true).await;
        until(&inner, 200).await;
        admin.delete("/v3/projects/demo").await.expect(204);
        until(&demo, 404).await;
        patch("/v3/domains/branch", "domain", false).await;
        admin.delete("/v3/domains/branch").await.expect(204);
        until(&inner, 404).await;
    }
}
