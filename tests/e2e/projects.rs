//! `/v3/projects`, `/v3/domains` and tags: what may be where in the tree, and what goes with it.

use serde_json::{Value, json};

use crate::support::{Scope, Session, each_keystone, scoped, seed};

async fn create(admin: &Session, kind: &str, attributes: &Value) -> Value {
    let body = json!({ kind: attributes });
    let answer = admin.post(&format!("/v3/{kind}s"), &body).await;
    answer.expect(201).json()[kind].clone()
}

fn id(resource: &Value) -> String {
    resource["id"].as_str().unwrap().to_owned()
}

async fn project(admin: &Session, name: &str, domain: &str, parent: &str) -> String {
    let attributes = json!({"name": name, "domain_id": domain, "parent_id": parent});
    id(&create(admin, "project", &attributes).await)
}

fn names(list: &Value, of: &str) -> Vec<String> {
    let members = list[of].as_array().unwrap().iter();
    let mut names: Vec<String> = members
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

const RESERVED: &str = "Federated";

each_keystone! {

async fn a_project_is_created_shown_changed_and_deleted(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;

    let project = create(&admin, "project", &json!({
        "name": " lab ", "colour-of": "red", "tags": ["x"], "options": {"immutable": false}, "id": "mine",
    })).await;
    let path = format!("/v3/projects/{}", id(&project));
    let links = json!({"self": format!("{}{path}", cloud.api().base())});
    assert_eq!(project, json!({
        "colour_of": "red", "id": id(&project), "name": "lab", "domain_id": "default", "description": "",
        "enabled": true, "parent_id": "default", "is_domain": false, "tags": ["x"],
        "options": {"immutable": false}, "links": links,
    }));
    assert_eq!(id(&project).len(), 32);
    assert_eq!(admin.get(&path).await.expect(200).json()["project"], project);
    assert_eq!(admin.head(&path).await.expect(200).bytes(), b"");

    let patch = json!({"project": {"name": "labs", "description": null, "tags": ["z", "y"], "phone": 1, "domain_id": "default"}});
    let mut changed = admin.patch(&path, &patch).await.expect(200).json()["project"].clone();
    changed["tags"].as_array_mut().unwrap().sort_by_key(Value::to_string);
    assert_eq!(changed, json!({
        "colour_of": "red", "phone": 1, "id": id(&project), "name": "labs", "domain_id": "default",
        "description": null, "enabled": true, "parent_id": "default", "is_domain": false,
        "tags": ["y", "z"], "extra": {"colour_of": "red", "phone": 1}, "options": {"immutable": false},
        "links": links,
    }));
    admin.patch(&path, &json!({"project": {}})).await.expect(200);

    admin.delete(&path).await.expect(204);
    let gone = admin.get(&path).await.expect(404);
    assert_eq!(gone.message(), format!("Could not find project: {}.", id(&project)));
    admin.delete(&path).await.expect(404);
}

async fn what_is_no_project_or_domain_is_refused_in_keystones_words(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;
    let lab = id(&create(&admin, "project", &json!({"name": "lab"})).await);
    let inner = project(&admin, "inner", "default", &lab).await;
    let rock = id(&create(&admin, "project", &json!({"name": "rock", "options": {"immutable": true}})).await);
    let other = id(&create(&admin, "domain", &json!({"name": "other"})).await);

    for (kind, body, status, message) in [
        ("project", json!({"project": {}}), 400,
            "Invalid input for field/attribute project. Value: {}. 'name' is a required property".to_owned()),
        ("project", json!({"project": {"name": "x"}, "y": 1}), 400,
            "Additional properties are not allowed ('y' was unexpected)".to_owned()),
        ("project", json!({"project": {"name": ""}}), 400,
            "Invalid input for field/attribute name. Value: . '' should be non-empty".to_owned()),
        ("project", json!({"project": {"name": "x", "tags": ["a,b"]}}), 400,
            "Invalid input for field/attribute 0. Value: a,b. 'a,b' does not match '^[^,/]*$'".to_owned()),
        ("project", json!({"project": {"name": "x", "domain_id": "nope"}}), 400, "Could not find domain: nope.".to_owned()),
        ("project", json!({"project": {"name": "x", "parent_id": "nope"}}), 400, "Could not find project: nope.".to_owned()),
        ("project", json!({"project": {"name": "x", "domain_id": other, "parent_id": lab}}), 400, format!(
            "Cannot create project, since it specifies its domain_id {other}, but specifies a parent in a different domain (default).")),
        ("project", json!({"project": {"name": "x", "domain_id": other, "parent_id": "default"}}), 400, format!(
            "Cannot create project, the parent (default) is acting as a domain, but this project's domain id ({other}) \
             does not match the parent's id.")),
        ("project", json!({"project": {"name": "x", "parent_id": "closed"}}), 400,
            "cannot create a project in a branch containing a disabled project: closed".to_owned()),
        ("project", json!({"project": {"name": "x", "is_domain": true, "domain_id": "default"}}), 400,
            "only root projects are allowed to act as domains.".to_owned()),
        ("project", json!({"project": {"name": "other", "is_domain": true}}), 409,
            "Conflict occurred attempting to store project - it is not permitted to have two projects acting as domains \
             with the same name: other.".to_owned()),
        ("domain", json!({}), 400, "'domain' is a required property".to_owned()),
        ("domain", json!({"domain": {"name": "other"}}), 409,
            "Conflict occurred attempting to store project - it is not permitted to have two projects acting as domains \
             with the same name: other.".to_owned()),
        ("domain", json!({"domain": {"name": "x", "explicit_domain_id": "zz"}}), 400,
            "Domain ID does not conform to required UUID format.".to_owned()),
    ] {
        let answer = admin.post(&format!("/v3/{kind}s"), &body).await.expect(status);
        assert_eq!(answer.message(), message, "{body}");
    }
    let taken = admin.post("/v3/projects", &json!({"project": {"name": "lab", "parent_id": inner}})).await.expect(409);
    assert!(taken.message().starts_with(
        "Conflict occurred attempting to store project - it is not permitted to have two projects with either the same \
         name or same id in the same domain: name is lab, project id "), "{}", taken.message());

    let at = |id: &str| format!("/v3/projects/{id}");
    for (id, patch, status, message) in [
        (&lab, json!({"domain_id": other}), 400, "Cannot change Domain ID".to_owned()),
        (&lab, json!({"parent_id": inner}), 403, "Update of `parent_id` is not allowed.".to_owned()),
        (&lab, json!({"is_domain": true}), 400, "Update of `is_domain` is not allowed.".to_owned()),
        (&lab, json!({"id": "x"}), 400, "Cannot change ID".to_owned()),
        (&lab, json!({"enabled": false}), 403, format!(
            "Cannot disable project {lab} since its subtree contains enabled projects.")),
        (&rock, json!({"name": "x"}), 403, format!(
            "Unable to update immutable project resource: `{rock}. Set resource option \"immutable\" to false first.")),
    ] {
        let answer = admin.patch(&at(id), &json!({"project": patch})).await.expect(status);
        assert_eq!(answer.message(), message);
    }
    for (path, message) in [
        (at(&lab), format!("Cannot delete the project {lab} since it is not a leaf in the hierarchy. Use the cascade \
                            option if you want to delete a whole subtree.")),
        (at(&rock), format!("Unable to delete immutable project resource: `{rock}. Set resource option \"immutable\" to false first.")),
        (at("default"), "Cannot delete a domain that is enabled, please disable it first.".to_owned()),
        (format!("/v3/domains/{other}"), "Cannot delete a domain that is enabled, please disable it first.".to_owned()),
    ] {
        assert_eq!(admin.delete(&path).await.expect(403).message(), message);
    }
    admin.patch(&at(&rock), &json!({"project": {"options": {"immutable": null}}})).await.expect(200);
    admin.delete(&at(&rock)).await.expect(204);
    if !cloud.is_python() {
        // Python closes the connection.
        admin.post("/v3/domains", &json!({"domain": {"name": RESERVED}})).await.expect(400);
        admin.post("/v3/projects", &json!({})).await.expect(400);
    }
}

async fn projects_and_domains_are_listed_filtered_and_in_pages(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;
    for (name, tags) in [("p1", json!(["a", "b"])), ("p2", json!(["a"])), ("P3", json!([]))] {
        create(&admin, "project", &json!({"name": name, "tags": tags})).await;
    }

    let list = async |query: &str| admin.get(&format!("/v3/projects{query}")).await.expect(200).json();
    let found = async |query: &str| names(&list(query).await, "projects");
    assert_eq!(found("").await, ["P3", "admin", "attic", "closed", "demo", "p1", "p2"]);
    assert_eq!(found("?domain_id=shut").await, ["attic"]);
    assert_eq!(found("?enabled=false").await, ["closed"]);
    assert_eq!(found("?name=demo&name=admin").await, [""; 0]);
    assert_eq!(found("?name__istartswith=p").await, ["P3", "p1", "p2"]);
    assert_eq!(found("?name__startswith=p").await, ["p1", "p2"]);
    assert_eq!(found("?is_domain=true&name=shut").await, ["shut"]);
    assert_eq!(found("?tags=a,b").await, ["p1"]);
    assert_eq!(found("?tags-any=b,c").await, ["p1"]);
    assert_eq!(found("?not-tags=a,b&domain_id=default").await, ["P3", "admin", "closed", "demo", "p2"]);
    assert_eq!(found("?not-tags-any=a,b&domain_id=default").await, ["P3", "admin", "closed", "demo"]);
    assert_eq!(found("?tags=a&not-tags=b").await, ["p2"]);
    let parent = admin.get("/v3/projects?parent_id=zz").await.expect(400);
    assert!(parent.message().ends_with("'zz' is not a 'uuid'"), "{}", parent.message());
    admin.get("/v3/projects?name=").await.expect(400);
    assert_eq!(admin.get("/v3/projects?marker=nope").await.expect(404).message(), "Marker nope could not be found.");

    let mut seen = Vec::new();
    let mut page = list("?limit=2&domain_id=default").await;
    loop {
        seen.extend(names(&page, "projects"));
        let Some(next) = page["links"]["next"].as_str() else { break };
        assert_eq!(page["truncated"], true);
        let path = next.strip_prefix(cloud.api().base()).unwrap().to_owned();
        page = admin.get(&path).await.expect(200).json();
    }
    seen.sort();
    assert_eq!(seen, ["P3", "admin", "closed", "demo", "p1", "p2"]);

    let domains = async |who: &Session, query: &str| {
        names(&who.get(&format!("/v3/domains{query}")).await.expect(200).json(), "domains")
    };
    assert_eq!(domains(&admin, "").await, ["Default", "shut"]);
    assert_eq!(domains(&admin, "?enabled=0").await, ["shut"]);
    assert_eq!(domains(&admin, "?name__contains=hu").await, ["shut"]);
    assert_eq!(domains(&admin, "?limit=1").await.len(), 1);
    // A token of a domain sees that domain alone.
    let domain = cloud.api().login("admin", Scope::Domain("default")).await;
    assert_eq!(domains(&domain, "").await, ["Default"]);
    let own = domain.get("/v3/projects").await.expect(200).json();
    assert_eq!(names(&own, "projects"), ["P3", "admin", "closed", "demo", "p1", "p2"]);
}

async fn a_tree_of_projects_is_shown_and_has_a_bottom(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;
    let mut chain = vec!["default".to_owned()];
    for level in 1..=5 {
        let below = project(&admin, &format!("l{level}"), "default", chain.last().unwrap()).await;
        chain.push(below);
    }
    let deeper = json!({"project": {"name": "l6", "parent_id": chain[5]}});
    let refused = admin.post("/v3/projects", &deeper).await.expect(403);
    assert_eq!(refused.message(), format!("Max hierarchy depth reached for {} branch.", chain[5]));

    let show = async |who: &Session, level: usize, query: &str| {
        let path = format!("/v3/projects/{}?{query}", chain[level]);
        who.get(&path).await.expect(200).json()["project"].clone()
    };
    let ids = show(&admin, 3, "parents_as_ids&subtree_as_ids=false").await;
    assert_eq!(ids["parents"], json!({&chain[2]: {&chain[1]: {"default": null}}}));
    assert_eq!(ids["subtree"], json!({&chain[4]: {&chain[5]: null}}));
    let none = show(&admin, 5, "subtree_as_ids&parents_as_ids=0").await;
    assert_eq!((&none["subtree"], none.get("parents")), (&Value::Null, None));
    let both = format!("/v3/projects/{}?parents_as_list&parents_as_ids", chain[1]);
    assert_eq!(
        admin.get(&both).await.expect(400).message(),
        "Cannot use parents_as_list and parents_as_ids query params at the same time."
    );

    // As lists they are those that the caller has a role on.
    let of_none = show(&admin, 3, "parents_as_list&subtree_as_list").await;
    assert_eq!((&of_none["parents"], &of_none["subtree"]), (&json!([]), &json!([])));
    let user = admin.get("/v3/users?name=admin").await.expect(200).json();
    let role = admin.get("/v3/roles?name=admin").await.expect(200).json();
    let (user, role) = (id(&user["users"][0]), id(&role["roles"][0]));
    admin.put(&format!("/v3/OS-INHERIT/projects/{}/users/{user}/roles/{role}/inherited_to_projects", chain[1])).await.expect(204);
    let listed = show(&admin, 3, "parents_as_list&subtree_as_list").await;
    let level = |list: &Value| list.as_array().unwrap().iter().map(|one| id(&one["project"])).collect::<Vec<_>>();
    assert_eq!(level(&listed["parents"]), [chain[2].clone()]);
    assert_eq!(level(&listed["subtree"]), [chain[4].clone(), chain[5].clone()]);
    assert!(listed["parents"][0]["project"]["links"]["self"].is_string());
    let own = admin.get(&format!("/v3/users/{user}/projects")).await.expect(200).json();
    assert_eq!(names(&own, "projects"), ["admin", "l2", "l3", "l4", "l5"]);
    let own = admin.get(&format!("/v3/users/{user}/projects?name=l3")).await.expect(200).json();
    assert_eq!(names(&own, "projects"), ["l3"]);

    // Disabled from the bottom up, enabled from the top down.
    let switch = async |level: usize, on: bool| {
        admin.patch(&format!("/v3/projects/{}", chain[level]), &json!({"project": {"enabled": on}})).await
    };
    switch(4, false).await.expect(403);
    for level in [5, 4, 3] {
        switch(level, false).await.expect(200);
    }
    let refused = switch(5, true).await.expect(403);
    assert_eq!(refused.message(), format!("Cannot enable project {} since it has disabled parents", chain[5]));
    for level in [3, 4, 5] {
        switch(level, true).await.expect(200);
    }
}

async fn tags_are_put_one_by_one_or_all_at_once(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;
    let alice = cloud.api().login("alice", Scope::Project("demo")).await;
    let path = "/v3/projects/demo/tags";
    let put = async |body: Value| {
        admin.request(awc::http::Method::PUT, path).json(&body).send().await
    };

    let made = admin.put(&format!("{path}/a")).await.expect(201);
    assert_eq!((made.bytes(), made.header("Location").unwrap().to_owned()),
        (&b""[..], format!("{}/v3/demo/tags/a", cloud.api().base())));
    let twice = admin.put(&format!("{path}/a")).await.expect(400);
    assert!(twice.message().starts_with("['a', 'a'] has non-unique elements"), "{}", twice.message());
    admin.get(&format!("{path}/a")).await.expect(204);
    admin.head(&format!("{path}/a")).await.expect(204);
    assert_eq!(admin.get(&format!("{path}/b")).await.expect(404).message(), "Could not find project tag: b.");

    let all = put(json!({"tags": ["d", "c"]})).await.expect(200).json();
    assert_eq!(all, json!({"links": {"self": format!("{}/v3", cloud.api().base())}, "tags": ["d", "c"]}));
    assert_eq!(alice.get(path).await.expect(200).json()["tags"], json!(["c", "d"]));
    let many: Vec<String> = (0..81).map(|n| n.to_string()).collect();
    for (body, message) in [
        (json!({"tags": ["a", "a"]}), "['a', 'a'] has non-unique elements"),
        (json!({}), "{} is not of type 'array'"),
        (json!({"tags": many}), "['0', '1',"),
    ] {
        let refused = put(body).await.expect(400);
        assert!(refused.message().starts_with(message), "{}", refused.message());
    }
    admin.delete(&format!("{path}/c")).await.expect(204);
    admin.delete(&format!("{path}/c")).await.expect(404);
    admin.delete(path).await.expect(204);
    assert_eq!(admin.get(path).await.expect(200).json()["tags"], json!([]));

    admin.patch("/v3/projects/demo", &json!({"project": {"options": {"immutable": true}}})).await.expect(200);
    let refused = admin.put(&format!("{path}/a")).await.expect(403);
    assert_eq!(refused.message(), "Cannot create project tags for demo, project is immutable. \
        Set \"immutable\" option to false before creating project tags.");
    alice.put(&format!("{path}/a")).await.expect(403);
    assert_eq!(alice.get("/v3/projects/nope/tags").await.expect(403).message(),
        "You are not authorized to perform the requested action: identity:list_project_tags.");
}

async fn a_domain_is_created_changed_and_deleted_with_all_in_it(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;
    let own = "0ddf9a1e4b544ac6b1fb5ba6bbc0d9a3";
    let domain = create(&admin, "domain", &json!({
        "name": "lab", "explicit_domain_id": own, "colour": 1, "parent_id": "default",
    })).await;
    let path = format!("/v3/domains/{own}");
    assert_eq!(domain, json!({
        "colour": 1, "id": own, "name": "lab", "description": "", "enabled": true, "tags": [], "options": {},
        "links": {"self": format!("{}{path}", cloud.api().base())},
    }));
    assert_eq!(admin.get(&path).await.expect(200).json()["domain"], domain);
    let as_project = admin.get(&format!("/v3/projects/{own}")).await.expect(200).json();
    assert_eq!((&as_project["project"]["is_domain"], &as_project["project"]["domain_id"]), (&json!(true), &Value::Null));
    let changed = admin.patch(&path, &json!({"domain": {"description": "d", "id": "x"}})).await.expect(200).json();
    assert_eq!((&changed["domain"]["description"], changed["domain"].get("extra")), (&json!("d"), None));
    admin.patch(&path, &json!({"domain": {}})).await.expect(400);

    let top = project(&admin, "top", own, own).await;
    let below = project(&admin, "below", own, &top).await;
    let user = create(&admin, "user", &json!({"name": "insider", "domain_id": own, "password": "p"})).await;
    let group = create(&admin, "group", &json!({"name": "insiders", "domain_id": own})).await;
    admin.delete(&path).await.expect(403);
    admin.patch(&path, &json!({"domain": {"enabled": false}})).await.expect(200);
    assert_eq!(admin.get(&format!("/v3/projects/{top}")).await.expect(200).json()["project"]["enabled"], true);
    admin.delete(&path).await.expect(204);

    for gone in [
        path,
        format!("/v3/projects/{top}"),
        format!("/v3/projects/{below}"),
        format!("/v3/users/{}", id(&user)),
        format!("/v3/groups/{}", id(&group)),
    ] {
        admin.get(&gone).await.expect(404);
    }
}

async fn tokens_end_with_their_project_or_domain_and_rest_while_it_is_disabled(builder: Builder) {
    let cloud = builder.seed([
        seed::world(),
        seed::domain("branch", true),
        seed::project("inner", "branch", true),
        seed::grant("UserProject", "alice", "inner", "member"),
    ].concat()).start().await;
    let api = cloud.api();
    let admin = api.admin().await;
    let alice = api.login("alice", Scope::Project("demo")).await;
    let inner = json!({"project": {"id": "inner"}});
    let inner = json!({"auth": {"identity": crate::support::password("alice"), "scope": inner}});
    let inside = api.session(&inner).await;
    let other = api.login("alice", Scope::Unscoped).await;
    let switch = async |path: &str, kind: &str, on: bool| {
        admin.patch(path, &json!({kind: {"enabled": on}})).await.expect(200);
    };
    admin.validate(alice.token()).await.expect(200);

    switch("/v3/projects/demo", "project", false).await;
    let told = admin.validate(alice.token()).await.expect(404);
    assert_eq!(told.message(), "Unable to validate token because project demo is disabled");
    api.authenticate(&scoped(crate::support::password("alice"), Scope::Project("demo"))).await.expect(401);
    switch("/v3/projects/demo", "project", true).await;
    admin.validate(alice.token()).await.expect(200);

    switch("/v3/domains/branch", "domain", false).await;
    let told = admin.validate(inside.token()).await.expect(404);
    assert_eq!(told.message(), "Unable to validate token because domain branch is disabled");
    switch("/v3/domains/branch", "domain", true).await;
    admin.validate(inside.token()).await.expect(200);

    admin.delete("/v3/projects/demo").await.expect(204);
    assert_eq!(admin.validate(alice.token()).await.expect(404).message(), "Could not find project: demo.");
    admin.validate(other.token()).await.expect(200);
    let events = admin.get("/v3/OS-REVOKE/events").await.expect(200).json();
    let of_project = events["events"].as_array().unwrap().iter().filter(|event| event["project_id"] == "demo");
    assert_eq!(of_project.count(), 1);
}

async fn who_is_no_admin_sees_its_own_project_and_domain_alone(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let alice = cloud.api().login("alice", Scope::Project("demo")).await;

    alice.get("/v3/projects/demo").await.expect(200);
    alice.get("/v3/domains/default").await.expect(200);
    let own = format!("/v3/users/{}/projects", alice.text("/user/id"));
    assert_eq!(names(&alice.get(&own).await.expect(200).json(), "projects"), ["attic", "closed", "demo"]);
    for (path, action) in [
        ("/v3/projects", "list_projects"), ("/v3/projects/closed", "get_project"), ("/v3/projects/nope", "get_project"),
        ("/v3/domains", "list_domains"), ("/v3/domains/shut", "get_domain"), ("/v3/domains/nope", "get_domain"),
    ] {
        let refused = alice.get(path).await.expect(403);
        assert_eq!(refused.message(), format!("You are not authorized to perform the requested action: identity:{action}."));
    }
    alice.post("/v3/projects", &json!({"project": {"name": "x"}})).await.expect(403);
    alice.patch("/v3/projects/demo", &json!({"project": {"name": "x"}})).await.expect(403);
    alice.delete("/v3/projects/demo").await.expect(403);
    alice.delete("/v3/domains/default").await.expect(403);
    // Keystone tells whoever has a token whether there is such a domain.
    alice.delete("/v3/domains/nope").await.expect(404);
    cloud.api().get("/v3/projects").await.expect(401);
}

}
