use super::*;
use crate::testdb::each_database;

each_database! {
    async fn a_catalog_has_what_is_enabled_and_well_formed(db: TestDb) {
        let tests = Tests::new(&db).await;
        for (id, kind, enabled, extra) in [
            ("a", "compute", true, r#"{"name": "nova"}"#),
            ("b", "image", true, "{}"),
            ("c", "network", false, "{}"),
        ] {
            db.execute(&format!(
                "INSERT INTO service (id, type, enabled, extra) VALUES ('{id}', '{kind}', {enabled}, '{extra}')"
            )).await;
        }
        for (id, service, enabled, url, extra) in [
            ("1", "a", true, "http://h/$(project_id)s", r#"{"description": "d", "region": "x"}"#),
            ("2", "a", true, "http://h/%(nope)s", "{}"),
            ("3", "a", false, "http://h", "{}"),
            ("4", "c", true, "http://h", "{}"),
        ] {
            db.execute(&format!(
                "INSERT INTO endpoint (id, interface, service_id, url, enabled, extra)
                 VALUES ('{id}', 'public', '{service}', '{url}', {enabled}, '{extra}')"
            )).await;
        }

        assert_eq!(tests.shown(Some("p")).await, json!([
            {"id": "a", "type": "compute", "name": "nova", "endpoints": [{
                "description": "d", "id": "1", "interface": "public", "region": null, "region_id": null,
                "url": "http://h/p"
            }]},
            {"id": "b", "type": "image", "name": "", "endpoints": []},
        ]));
        assert_eq!(tests.shown(None).await[0]["endpoints"], json!([]));
    }

    async fn what_is_created_is_kept_with_all_its_attributes(db: TestDb) {
        let tests = Tests::new(&db).await;
        let region = NewRegion {
            id: Some("eu".into()),
            ..from_value(json!({"description": null, "colour": [1, null]})).unwrap()
        };
        let region = tests.catalog.send(CreateRegion { region }).await.unwrap();
        let service = from_value(json!({"type": "compute", "description": "d"})).unwrap();
        let service = tests.catalog.send(CreateService { service }).await.unwrap();
        let endpoint = tests.endpoint(json!({
            "interface": "admin", "service_id": service.id, "region_id": "eu", "url": "http://h", "name": "n",
        })).await.unwrap();

        let inventory = tests.inventory().await;

        assert_eq!(inventory.region(&region.id).unwrap(), &region);
        assert_eq!(inventory.service(&service.id).unwrap(), &service);
        assert_eq!(inventory.endpoint(&endpoint.id).unwrap(), &endpoint);
        assert_eq!((&*region.description, &region.extra["colour"]), ("", &json!([1, null])));
        assert_eq!(json!(*service), json!({
            "description": "d", "name": "", "id": service.id, "type": "compute", "enabled": true,
        }));
        assert_eq!(endpoint.extra["name"], json!("n"));
    }

    async fn a_change_is_seen_by_the_next_read_and_keeps_the_rest(db: TestDb) {
        let tests = Tests::new(&db).await;
        let service = tests.service("compute").await;
        let endpoint = tests.public(&service).await;
        tests.region("eu", None).await.unwrap();
        assert_eq!(tests.ids(None).await.len(), 1); // cached from here on

        let patch = from_value(json!({"url": "http://h/%(nope)s", "region_id": "eu", "a": 1})).unwrap();
        tests.catalog.send(UpdateEndpoint { id: endpoint.clone(), patch }).await.unwrap();
        let broken = tests.ids(None).await;
        let patch = from_value(json!({"url": "http://i", "region_id": null, "b": null})).unwrap();
        let changed = tests.catalog.send(UpdateEndpoint { id: endpoint.clone(), patch }).await.unwrap().endpoint;
        let mended = tests.shown(None).await;
        let patch = from_value(json!({"enabled": false, "name": "nova"})).unwrap();
        let renamed = tests.catalog.send(UpdateService { id: service.clone(), patch }).await.unwrap();

        assert!(broken.is_empty());
        assert_eq!(mended[0]["endpoints"][0]["url"], json!("http://i"));
        assert_eq!((&changed.region_id, json!(changed.extra)), (&None, json!({"a": 1, "b": null})));
        assert_eq!((renamed.name(), renamed.kind.as_deref()), ("nova", Some("compute")));
        assert_eq!(tests.shown(None).await, json!([]));
        let patch = ServicePatch::default;
        assert_eq!(text(tests.catalog.send(UpdateService { id: "x".into(), patch: patch() }).await), "Could not find service: x.");
    }

    async fn an_endpoint_is_of_a_service_and_in_a_region_that_exist(db: TestDb) {
        let tests = Tests::new(&db).await;
        let service = tests.service("compute").await;
        let body = |more: Value| {
            let mut body = json!({"interface": "public", "service_id": service, "url": "http://h"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };

        assert!(matches!(tests.endpoint(body(json!({"service_id": "x"}))).await, Err(Error::UnknownService)));
        assert!(matches!(tests.endpoint(body(json!({"region_id": "x"}))).await, Err(Error::UnknownRegion)));
        let url = json!({"url": "http://%(x)s"});
        assert_eq!(text(tests.endpoint(body(url)).await), "Cannot create an endpoint with an invalid URL: http://%(x)s.");
        // The way of old makes the region.
        let placed = tests.placed(body(json!({"region": "x"}))).await.unwrap();
        assert_eq!((&placed.endpoint.region_id, &placed.made), (&Some("x".into()), &Some("x".into())));
        let again = tests.placed(body(json!({"region": "x"}))).await.unwrap();
        assert_eq!(again.made, None);
        let again = again.endpoint;
        assert!(tests.inventory().await.region(&"x".into()).is_ok());
        let patch: EndpointPatch = from_value(json!({"region": "y"})).unwrap();
        let id = again.id.clone();
        let moved = tests.catalog.send(UpdateEndpoint { id, patch }).await.unwrap();
        assert_eq!((&moved.endpoint.region_id, &moved.made), (&Some("y".into()), &Some("y".into())));
        // Nothing is made where nothing comes of it.
        assert!(tests.endpoint(body(json!({"region": "z", "service_id": "x"}))).await.is_err());
        assert!(tests.endpoint(body(json!({"region": "r".repeat(256)}))).await.is_err());
        let regions = tests.inventory().await.regions().map(|region| region.id.to_string()).collect::<Vec<_>>();
        assert_eq!(regions, ["x", "y"]);
    }

    async fn regions_are_a_tree(db: TestDb) {
        let tests = Tests::new(&db).await;
        for (id, parent) in [("a", None), ("b", Some("a")), ("c", Some("b")), ("d", None)] {
            tests.region(id, parent).await.unwrap();
        }
        let parent = async |id: &str, parent: Option<&str>| {
            let patch = from_value(json!({"parent_region_id": parent})).unwrap();
            tests.catalog.send(UpdateRegion { id: id.into(), patch }).await
        };

        assert_eq!(text(tests.region("a", None).await), "Conflict occurred attempting to store region - Duplicate ID, a..");
        assert_eq!(text(tests.region("e", Some("x")).await), "Could not find region: x.");
        assert_eq!(text(parent("a", Some("x")).await), "Could not find region: x.");
        assert_eq!(text(parent("x", None).await), "Could not find region: x.");
        for id in ["a", "b", "c"] {
            let told = text(parent("a", Some(id)).await);
            assert_eq!(told, "The specified parent region a would create a circular region hierarchy.");
        }
        assert_eq!(parent("d", Some("c")).await.unwrap().parent_region_id, Some("c".into()));
        let inventory = tests.inventory().await;
        assert_eq!(inventory.region_and_above(&"d".into()), ["d", "c", "b", "a"].map(RegionId::from));
        assert_eq!(inventory.region_and_below(&"c".into()), ["c", "d"].map(RegionId::from).into());
    }

    async fn a_region_goes_with_those_below_it_unless_one_has_endpoints(db: TestDb) {
        let tests = Tests::new(&db).await;
        for (id, parent) in [("a", None), ("b", Some("a")), ("c", Some("b")), ("d", None)] {
            tests.region(id, parent).await.unwrap();
        }
        let service = tests.service("compute").await;
        let endpoint = tests.endpoint(json!({
            "interface": "public", "service_id": service, "url": "http://h", "region_id": "c",
        })).await.unwrap();
        let delete = async |id: &str| tests.catalog.send(DeleteRegion { id: id.into() }).await;
        // A loop as Python Keystone can leave it behind.
        db.execute("INSERT INTO region (id, description, parent_region_id) VALUES ('x', '', 'y'), ('y', '', 'x')").await;

        assert_eq!(
            text(delete("a").await),
            "Unable to delete region a because it or its child regions have associated endpoints."
        );
        tests.catalog.send(DeleteEndpoint { id: endpoint.id.clone() }).await.unwrap();
        delete("a").await.unwrap();
        delete("x").await.unwrap();

        let left: Vec<_> = tests.inventory().await.regions().map(|region| region.id.clone()).collect();
        assert_eq!(left, [RegionId::from("d")]);
        assert_eq!(text(delete("a").await), "Could not find region: a.");
    }

    async fn a_service_goes_with_its_endpoints(db: TestDb) {
        let tests = Tests::new(&db).await;
        let (gone, stays) = (tests.service("compute").await, tests.service("image").await);
        let endpoint = tests.public(&gone).await;
        let other = tests.public(&stays).await;
        for endpoint in [&endpoint, &other] {
            let add = AddEndpointToProject { endpoint: endpoint.clone(), project: "p".into() };
            tests.catalog.send(add).await.unwrap();
        }

        tests.catalog.send(DeleteService { id: gone.clone() }).await.unwrap();

        assert!(matches!(tests.inventory().await.endpoint(&endpoint), Err(Error::EndpointNotFound(_))));
        assert_eq!(tests.ids(Some("p")).await, [other.to_string()]);
        assert_eq!(associations(&tests.bench).await, (1, 0));
        assert_eq!(text(tests.catalog.send(DeleteService { id: gone.clone() }).await), format!("Could not find service: {gone}."));
    }
}
