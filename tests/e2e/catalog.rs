//! `/v3/services`, `/v3/endpoints`, `/v3/regions` and `/v3/OS-EP-FILTER`: the catalog, and what
//! tokens show of it.

use awc::http::Method;
use serde_json::{Value, json};

use crate::support::cloud::Builder;
use crate::support::{Api, Options, Scope, Session, each_keystone, seed};
use crate::testdb::each_database;

async fn create(admin: &Session, path: &str, kind: &str, attributes: &Value) -> Value {
    let answer = admin.post(path, &json!({ kind: attributes })).await;
    answer.expect(201).json()[kind].clone()
}

async fn service(admin: &Session, kind: &str) -> String {
    let service = create(admin, "/v3/services", "service", &json!({"type": kind})).await;
    id(&service).to_owned()
}

/// A public endpoint.
async fn endpoint(admin: &Session, service: &str, url: &str) -> String {
    let attributes = json!({"interface": "public", "service_id": service, "url": url});
    let endpoint = create(admin, "/v3/endpoints", "endpoint", &attributes).await;
    id(&endpoint).to_owned()
}

fn id(resource: &Value) -> &str {
    resource["id"].as_str().unwrap()
}

/// The IDs of the members of a list, sorted.
fn ids(list: &Value, of: &str) -> Vec<String> {
    let members = list[of].as_array().unwrap();
    let mut ids: Vec<String> = members.iter().map(|one| id(one).to_owned()).collect();
    ids.sort();
    ids
}

/// The URLs in the catalog of a new token of alice's in project demo, sorted; without the identity
/// service's.
async fn urls(api: &Api) -> Vec<String> {
    let alice = api.login("alice", Scope::Project("demo")).await;
    shown(&alice.issued()["catalog"])
}

fn shown(catalog: &Value) -> Vec<String> {
    let services = catalog.as_array().unwrap().iter();
    let services = services.filter(|service| service["type"] != "identity");
    let endpoints = services.flat_map(|service| service["endpoints"].as_array().unwrap());
    let mut urls: Vec<String> = endpoints
        .map(|endpoint| endpoint["url"].as_str().unwrap().to_owned())
        .collect();
    urls.sort();
    urls
}

each_keystone! {

async fn services_are_created_shown_listed_changed_and_deleted(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;

    let nova = json!({"type": "compute", "name": "nova", "id": "mine", "a-b": null, "enabled": false});
    let nova = create(&admin, "/v3/services", "service", &nova).await;
    let path = format!("/v3/services/{}", id(&nova));
    assert_eq!(nova, json!({
        "name": "nova", "a_b": null, "id": id(&nova), "type": "compute", "enabled": false,
        "links": {"self": format!("{}{path}", cloud.api().base())},
    }));
    assert_ne!(id(&nova), "mine");
    let bare = create(&admin, "/v3/services", "service", &json!({"type": "image", "description": "d"})).await;
    assert_eq!((&bare["name"], &bare["enabled"], &bare["description"]), (&json!(""), &json!(true), &json!("d")));

    assert_eq!(admin.get(&path).await.expect(200).json()["service"], nova);
    assert_eq!(admin.head(&path).await.expect(200).bytes(), b"");
    let list = async |query: &str| admin.get(&format!("/v3/services{query}")).await.expect(200).json();
    assert_eq!(list("").await["services"].as_array().unwrap().len(), 3);
    assert_eq!(ids(&list("?type=compute").await, "services"), [id(&nova)]);
    assert_eq!(ids(&list("?name__istartswith=NO").await, "services"), [id(&nova)]);
    assert_eq!(ids(&list("?type__contains=comp&name=nova").await, "services"), [id(&nova)]);
    assert_eq!(ids(&list("?name=Nova").await, "services"), [] as [&str; 0]);
    let short = list("?limit=1").await;
    assert_eq!((short["services"].as_array().unwrap().len(), &short["truncated"]), (1, &json!(true)));

    let patch = json!({"service": {"enabled": true, "description": null, "id": id(&nova)}});
    let changed = admin.patch(&path, &patch).await.expect(200).json()["service"].clone();
    assert_eq!((&changed["enabled"], &changed["description"], &changed["name"]), (&json!(true), &Value::Null, &json!("nova")));
    for (body, message) in [
        (json!({"service": {}}), "Invalid input for field/attribute service. Value: {}. {} should be non-empty"),
        (json!({"service": {"id": "x"}}), "Cannot change ID"),
        (json!({"service": {"enabled": "true"}}),
            "Invalid input for field/attribute enabled. Value: true. 'true' is not of type 'boolean'"),
        (json!({"service": {"name": ""}}), "Invalid input for field/attribute name. Value: . '' should be non-empty"),
    ] {
        assert_eq!(admin.patch(&path, &body).await.expect(400).message(), message);
    }
    let typeless = admin.post("/v3/services", &json!({"service": {"name": "x"}})).await.expect(400);
    assert!(typeless.message().ends_with("'type' is a required property"));

    let alice = cloud.api().login("alice", Scope::Project("demo")).await;
    alice.get(&path).await.expect(403);
    alice.get("/v3/services").await.expect(403);
    alice.get("/v3/services/nope").await.expect(403);
    assert_eq!(admin.delete(&path).await.expect(204).bytes(), b"");
    assert_eq!(admin.get(&path).await.expect(404).message(), format!("Could not find service: {}.", id(&nova)));
    admin.delete(&path).await.expect(404);
}

async fn regions_are_a_tree(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let admin = cloud.api().admin().await;
    let put = async |id: &str, attributes: Value| {
        let path = format!("/v3/regions/{id}");
        admin.request(Method::PUT, &path).json(&json!({"region": attributes})).send().await
    };

    let eu = put("eu", json!({"description": null, "a": 1})).await.expect(201).json()["region"].clone();
    assert_eq!(eu, json!({
        "a": 1, "id": "eu", "description": "", "parent_region_id": null,
        "links": {"self": format!("{}/v3/regions/eu", cloud.api().base())},
    }));
    let de = create(&admin, "/v3/regions", "region", &json!({"id": "de", "parent_region_id": "eu"})).await;
    assert_eq!((id(&de), &de["parent_region_id"]), ("de", &json!("eu")));
    let random = create(&admin, "/v3/regions", "region", &json!({"id": ""})).await;
    assert_eq!(id(&random).len(), 32);

    assert_eq!(put("eu", json!({})).await.expect(409).message(),
        "Conflict occurred attempting to store region - Duplicate ID, eu..");
    for (given, message) in [
        (json!("fr"), "Conflicting region IDs specified: \"us\" != \"fr\""),
        (Value::Null, "Conflicting region IDs specified: \"us\" != \"None\""),
    ] {
        assert_eq!(put("us", json!({"id": given})).await.expect(400).message(), message);
    }
    assert_eq!(put("us", json!({"parent_region_id": "xx"})).await.expect(404).message(), "Could not find region: xx.");
    let patch = async |id: &str, attributes: Value| {
        admin.patch(&format!("/v3/regions/{id}"), &json!({"region": attributes})).await
    };
    assert_eq!(patch("eu", json!({"parent_region_id": "de"})).await.expect(400).message(),
        "The specified parent region eu would create a circular region hierarchy.");
    assert_eq!(patch("eu", json!({"id": "xx"})).await.expect(400).message(), "Cannot change ID");
    let changed = patch("de", json!({"description": "d", "b": null})).await.expect(200).json();
    assert_eq!((&changed["region"]["description"], &changed["region"]["parent_region_id"]), (&json!("d"), &json!("eu")));

    let alice = cloud.api().login("alice", Scope::Project("demo")).await;
    let list = alice.get("/v3/regions?parent_region_id=eu").await.expect(200).json();
    assert_eq!(ids(&list, "regions"), ["de"]);
    assert_eq!(alice.get("/v3/regions?limit=1").await.expect(400).message(),
        "Additional properties are not allowed ('limit' was unexpected)");
    assert_eq!(alice.get("/v3/regions/nope").await.expect(404).message(), "Could not find region: nope.");
    alice.delete("/v3/regions/nope").await.expect(403);

    let compute = service(&admin, "compute").await;
    let attributes = json!({"interface": "public", "service_id": compute, "url": "http://h", "region_id": "de"});
    let endpoint = create(&admin, "/v3/endpoints", "endpoint", &attributes).await;
    assert_eq!(admin.delete("/v3/regions/eu").await.expect(403).message(),
        "Unable to delete region eu because it or its child regions have associated endpoints.");
    admin.delete(&format!("/v3/endpoints/{}", id(&endpoint))).await.expect(204);
    admin.delete("/v3/regions/eu").await.expect(204);
    admin.get("/v3/regions/eu").await.expect(404);
    admin.get("/v3/regions/de").await.expect(404);
}

async fn endpoints_are_created_shown_listed_changed_and_deleted(builder: Builder) {
    let cloud = builder.start().await;
    let admin = cloud.api().admin().await;
    let compute = service(&admin, "compute").await;

    let attributes = json!({
        "interface": "internal", "service_id": compute, "url": "http://h/%(project_id)s", "region": "eu", "name": "n",
        "description": null,
    });
    let made = create(&admin, "/v3/endpoints", "endpoint", &attributes).await;
    let path = format!("/v3/endpoints/{}", id(&made));
    assert_eq!(made, json!({
        "name": "n", "description": null, "id": id(&made), "interface": "internal", "region_id": "eu",
        "service_id": compute, "url": "http://h/%(project_id)s", "enabled": true, "region": "eu",
        "links": {"self": format!("{}{path}", cloud.api().base())},
    }));
    assert_eq!(admin.get("/v3/regions/eu").await.expect(200).json()["region"]["description"], "");
    assert_eq!(admin.get(&path).await.expect(200).json()["endpoint"], made);
    assert_eq!(admin.head(&path).await.expect(200).bytes(), b"");

    let list = async |query: &str| {
        let list = admin.get(&format!("/v3/endpoints{query}")).await.expect(200).json();
        ids(&list, "endpoints")
    };
    let mine = [id(&made)];
    assert_eq!(list(&format!("?service_id={compute}")).await, mine);
    assert_eq!(list("?interface=internal&region_id=eu").await, mine);
    assert_eq!(list("?region_id__icontains=EU&enabled=0&region=xx&interface=internal").await, mine);
    assert_eq!(list("?region_id=xx").await, [] as [&str; 0]);
    let wrong = admin.get("/v3/endpoints?interface=x").await.expect(400);
    assert_eq!(wrong.message(),
        "Invalid input for field/attribute interface. Value: x. 'x' is not one of ['admin', 'internal', 'public']");

    let post = async |more: Value| {
        let mut attributes = json!({"interface": "public", "service_id": compute, "url": "http://h"});
        attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        admin.post("/v3/endpoints", &json!({"endpoint": attributes})).await.expect(400).message()
    };
    let malformed = "The server could not comply with the request since it is either malformed or otherwise incorrect. \
        The client is assumed to be in error.";
    assert_eq!(post(json!({"service_id": "x"})).await,
        format!("Expecting to find endpoint service_id in service table. {malformed}"));
    assert_eq!(post(json!({"region_id": "x"})).await,
        format!("Expecting to find endpoint region_id in region table. {malformed}"));
    assert_eq!(post(json!({"url": "http://%(nope)s"})).await,
        "Cannot create an endpoint with an invalid URL: http://%(nope)s.");
    assert_eq!(post(json!({"url": "h"})).await,
        "Invalid input for field/attribute url. Value: h. 'h' does not match '^[a-zA-Z0-9+.-]+:.+'");

    let patch = json!({"endpoint": {"url": "http://%(nope)s", "region_id": null, "enabled": false, "name": "m"}});
    let changed = admin.patch(&path, &patch).await.expect(200).json()["endpoint"].clone();
    assert_eq!((&changed["region"], &changed["enabled"], &changed["name"]), (&Value::Null, &json!(false), &json!("m")));
    let moved = admin.patch(&path, &json!({"endpoint": {"region": "us"}})).await.expect(200).json();
    assert_eq!((&moved["endpoint"]["region_id"], &moved["endpoint"]["interface"]), (&json!("us"), &json!("internal")));

    admin.delete(&path).await.expect(204);
    assert_eq!(admin.get(&path).await.expect(404).message(), format!("Could not find endpoint: {}.", id(&made)));
    admin.patch(&path, &json!({"endpoint": {"name": "x"}})).await.expect(404);
}

async fn a_token_shows_what_the_catalog_is_now(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let (api, admin) = (cloud.api(), cloud.api().admin().await);
    let alice = api.login("alice", Scope::Project("demo")).await;
    let validated = async || {
        let answer = admin.validate(alice.token()).await.expect(200);
        shown(&answer.json()["token"]["catalog"])
    };
    assert!(validated().await.is_empty());

    let compute = service(&admin, "compute").await;
    let first = endpoint(&admin, &compute, "http://a/%(tenant_id)s/$(user_id)s").await;
    let user = alice.text("/user/id");
    assert_eq!(validated().await, [format!("http://a/demo/{user}")]);
    assert_eq!(urls(api).await, [format!("http://a/demo/{user}")]);

    let path = format!("/v3/endpoints/{first}");
    admin.patch(&path, &json!({"endpoint": {"url": "http://b", "description": "d"}})).await.expect(200);
    assert_eq!(validated().await, ["http://b"]);
    let answer = admin.validate(alice.token()).await.expect(200).json();
    let services = answer["token"]["catalog"].as_array().unwrap();
    let compute_shown = services.iter().find(|service| service["type"] == "compute").unwrap();
    assert_eq!(compute_shown["endpoints"][0], json!({
        "description": "d", "id": first, "interface": "public", "region_id": null, "url": "http://b", "region": null,
    }));
    admin.patch(&format!("/v3/services/{compute}"), &json!({"service": {"enabled": false}})).await.expect(200);
    assert!(validated().await.is_empty());
    admin.patch(&format!("/v3/services/{compute}"), &json!({"service": {"enabled": true}})).await.expect(200);
    assert_eq!(validated().await, ["http://b"]);
    admin.delete(&format!("/v3/services/{compute}")).await.expect(204);
    assert!(validated().await.is_empty());
    admin.get(&path).await.expect(404);
}

async fn a_project_with_a_filter_is_shown_nothing_else(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let (api, admin) = (cloud.api(), cloud.api().admin().await);
    let (compute, image) = (service(&admin, "compute").await, service(&admin, "image").await);
    let a = endpoint(&admin, &compute, "http://a").await;
    endpoint(&admin, &compute, "http://b").await;
    let c = endpoint(&admin, &image, "http://c").await;
    assert_eq!(urls(api).await, ["http://a", "http://b", "http://c"]);

    // A token that has been looked at shows it at once, too.
    let living = api.login("alice", Scope::Project("demo")).await;
    let services = async || {
        let shown = living.get("/v3/auth/catalog").await.expect(200).json();
        shown["catalog"].as_array().unwrap().len()
    };
    assert!(services().await > 1);
    let of_project = format!("/v3/OS-EP-FILTER/projects/demo/endpoints/{a}");
    assert_eq!(admin.get(&of_project).await.expect(404).message(), format!("Endpoint {a} not found in project demo"));
    assert_eq!(admin.put(&of_project).await.expect(204).bytes(), b"");
    assert_eq!(admin.put(&of_project).await.expect(409).message(),
        "Conflict occurred attempting to store project_endpoint - Duplicate entry.");
    admin.head(&of_project).await.expect(204);
    assert_eq!(urls(api).await, ["http://a"]);
    assert_eq!(services().await, 1);

    let groups = "/v3/OS-EP-FILTER/endpoint_groups";
    let attributes = json!({"name": "images", "filters": {"service_id": image}});
    let group = create(&admin, groups, "endpoint_group", &attributes).await;
    let group_path = format!("{groups}/{}", id(&group));
    assert_eq!(group, json!({
        "id": id(&group), "name": "images", "description": null, "filters": {"service_id": image},
        "links": {"self": format!("{}{group_path}", api.base())},
    }));
    let of_group = format!("{group_path}/projects/demo");
    assert_eq!(admin.get(&of_group).await.expect(404).message(), "Endpoint Group Project Association not found");
    admin.put(&of_group).await.expect(204);
    assert_eq!(admin.put(&of_group).await.expect(409).message(),
        "Conflict occurred attempting to store project_endpoint_group - Duplicate entry.");
    let link = format!("/OS-EP-FILTER/endpoint_groups/{}/projects/demo", id(&group));
    assert_eq!(admin.get(&of_group).await.expect(200).json(), json!({"project_endpoint_group": {
        "endpoint_group_id": id(&group), "project_id": "demo", "links": {"self": link},
    }}));
    assert_eq!(urls(api).await, ["http://a", "http://c"]);

    let list = async |path: &str, of: &str| {
        let list = admin.get(path).await.expect(200).json();
        assert_eq!(list["links"]["self"], format!("{}{path}", api.base()));
        ids(&list, of)
    };
    let mut both = [a.as_str(), c.as_str()];
    both.sort_unstable();
    assert_eq!(list("/v3/OS-EP-FILTER/projects/demo/endpoints", "endpoints").await, both);
    assert_eq!(list("/v3/OS-EP-FILTER/projects/demo/endpoint_groups", "endpoint_groups").await, [id(&group)]);
    assert_eq!(list(&format!("{group_path}/endpoints"), "endpoints").await, [c.as_str()]);
    assert_eq!(list(&format!("{group_path}/projects"), "projects").await, ["demo"]);
    assert_eq!(list(&format!("/v3/OS-EP-FILTER/endpoints/{a}/projects"), "projects").await, ["demo"]);
    assert_eq!(list("/v3/OS-EP-FILTER/endpoint_groups?name=images", "endpoint_groups").await, [id(&group)]);
    assert_eq!(list("/v3/OS-EP-FILTER/endpoint_groups?name=x", "endpoint_groups").await, [] as [&str; 0]);

    let patch = json!({"endpoint_group": {"filters": {"region_id": "nowhere"}, "description": "d"}});
    let changed = admin.patch(&group_path, &patch).await.expect(200).json();
    assert_eq!(changed["endpoint_group"]["filters"], json!({"region_id": "nowhere"}));
    assert_eq!(urls(api).await, ["http://a"]);
    admin.delete(&of_project).await.expect(204);
    admin.delete(&of_project).await.expect(404);
    // A filter that lets nothing through is none.
    assert_eq!(urls(api).await, ["http://a", "http://b", "http://c"]);
    admin.delete(&of_group).await.expect(204);
    admin.delete(&of_group).await.expect(404);
    admin.delete(&group_path).await.expect(204);
    assert_eq!(admin.get(&group_path).await.expect(404).message(), format!("Could not find Endpoint Group: {}.", id(&group)));
}

async fn what_can_be_no_filter_is_refused(builder: Builder) {
    let cloud = builder.seed(seed::world()).set("endpoint_filter", "return_all_endpoints_if_no_filter", false).start().await;
    let (api, admin) = (cloud.api(), cloud.api().admin().await);
    let groups = "/v3/OS-EP-FILTER/endpoint_groups";
    for (body, message) in [
        (json!({}), "filters field is required and cannot be empty"),
        (json!({"endpoint_group": {"name": "x", "filters": {}}}), "filters field is required and cannot be empty"),
        (json!({"endpoint_group": {"name": "x", "filters": {"enabled": true}}}),
            "Expecting to find service_id or region_id or interface in endpoint_group. The server could not comply with \
            the request since it is either malformed or otherwise incorrect. The client is assumed to be in error."),
        (json!({"endpoint_group": {"name": "x", "filters": {"interface": "y"}}}),
            "Invalid input for field/attribute interface. Value: y. 'y' is not one of ['admin', 'internal', 'public']"),
        (json!({"endpoint_group": {"filters": {"service_id": "y"}}}), "Invalid input for field/attribute endpoint_group. \
            Value: {'filters': {'service_id': 'y'}}. 'name' is a required property"),
    ] {
        assert_eq!(admin.post(groups, &body).await.expect(400).message(), message);
    }
    let compute = service(&admin, "compute").await;
    let a = endpoint(&admin, &compute, "http://a").await;
    for (path, message) in [
        (format!("/v3/OS-EP-FILTER/projects/nope/endpoints/{a}"), "Could not find project: nope."),
        ("/v3/OS-EP-FILTER/projects/nope/endpoints/x".to_owned(), "Could not find endpoint: x."),
        (format!("{groups}/x/projects/nope"), "Could not find project: nope."),
        (format!("{groups}/x/projects/demo"), "Could not find Endpoint Group: x."),
    ] {
        assert_eq!(admin.put(&path).await.expect(404).message(), message);
    }
    let alice = api.login("alice", Scope::Project("demo")).await;
    alice.get(groups).await.expect(403);
    alice.put(&format!("/v3/OS-EP-FILTER/projects/demo/endpoints/{a}")).await.expect(403);

    // Here nobody is shown anything without a filter.
    assert_eq!(alice.issued()["catalog"], json!([]));
    assert_eq!(api.login("admin", Scope::System).await.issued()["catalog"], json!([]));
    admin.put(&format!("/v3/OS-EP-FILTER/projects/demo/endpoints/{a}")).await.expect(204);
    assert_eq!(urls(api).await, ["http://a"]);
}

}

each_database! {
    async fn another_node_shows_a_change_of_the_catalog(db: TestDb) {
        let cloud = Builder::new(&db).seed(seed::world()).start().await;
        let other = cloud.start_node(Options::default()).await;
        let admin = cloud.api().admin().await;
        let alice = cloud.api().login("alice", Scope::Project("demo")).await;
        let until_seen = async |what: &[&str]| {
            // Within the bounds of docs/ARCHITECTURE.md; asked until then.
            crate::support::until("the catalog at the other node", async || {
                let answer = admin.at(other.api()).validate(alice.token()).await.expect(200);
                shown(&answer.json()["token"]["catalog"]) == what
            })
            .await;
        };
        until_seen(&[]).await;

        let compute = service(&admin, "compute").await;
        let a = endpoint(&admin, &compute, "http://a").await;
        endpoint(&admin, &compute, "http://b").await;
        until_seen(&["http://a", "http://b"]).await;
        admin.put(&format!("/v3/OS-EP-FILTER/projects/demo/endpoints/{a}")).await.expect(204);
        until_seen(&["http://a"]).await;
        admin.patch(&format!("/v3/endpoints/{a}"), &json!({"endpoint": {"url": "http://c"}})).await.expect(200);
        until_seen(&["http://c"]).await;
    }
}
