use super::*;
use crate::db::outbox::{Change, record_change};
use crate::testdb::each_database;
use crate::transaction;

async fn group(tests: &Tests, filters: Value) -> Arc<EndpointGroup> {
    let group = from_value(json!({"name": "g", "filters": filters})).unwrap();
    let created = tests.catalog.send(CreateEndpointGroup { group }).await;
    created.unwrap()
}

async fn add(tests: &Tests, endpoint: &EndpointId, project: &str) -> Result<(), Error> {
    let (endpoint, project) = (endpoint.clone(), project.into());
    let add = AddEndpointToProject { endpoint, project };
    tests.catalog.send(add).await
}

async fn add_group(tests: &Tests, group: &EndpointGroup, project: &str) -> Result<(), Error> {
    let (group, project) = (group.id.clone(), project.into());
    tests
        .catalog
        .send(AddGroupToProject { group, project })
        .await
}

fn sorted<const N: usize>(ids: [&EndpointId; N]) -> Vec<String> {
    let mut ids = ids.map(EndpointId::to_string);
    ids.sort();
    ids.into()
}

each_database! {
    async fn a_project_with_a_filter_is_shown_nothing_else(db: TestDb) {
        let tests = Tests::new(&db).await;
        let (compute, image) = (tests.service("compute").await, tests.service("image").await);
        let (a, b, c) = (tests.public(&compute).await, tests.public(&compute).await, tests.public(&image).await);
        assert_eq!(tests.ids(Some("p")).await, sorted([&a, &b, &c])); // cached from here on

        add(&tests, &a, "p").await.unwrap();
        let one = tests.shown(Some("p")).await;
        let images = group(&tests, json!({"service_id": image})).await;
        add_group(&tests, &images, "p").await.unwrap();

        assert_eq!(one.as_array().unwrap().len(), 1, "services without endpoints are left out");
        assert_eq!(one[0]["endpoints"].as_array().unwrap().len(), 1);
        assert_eq!(tests.ids(Some("p")).await, sorted([&a, &c]));
        assert_eq!(tests.ids(Some("q")).await, sorted([&a, &b, &c]));
        assert_eq!(tests.ids(None).await, sorted([&a, &b, &c]));
        let filter = tests.catalog.read(GetProjectFilter { project: "p".into() }).await.unwrap();
        let inventory = tests.inventory().await;
        let listed: Vec<_> = inventory.endpoints_shown(&filter).iter().map(|endpoint| endpoint.id.clone()).collect();
        assert_eq!(listed, [a.clone(), c.clone()]);

        // A disabled endpoint is a filter as well, and lets nothing through.
        let patch = || from_value(json!({"enabled": false})).unwrap();
        for id in [&a, &c] {
            tests.catalog.send(UpdateEndpoint { id: id.clone(), patch: patch() }).await.unwrap();
        }
        assert_eq!(tests.shown(Some("p")).await, json!([]));
        // Once they are gone there is no filter any more.
        for id in [&a, &c] {
            tests.catalog.send(DeleteEndpoint { id: id.clone() }).await.unwrap();
        }
        assert_eq!(tests.ids(Some("p")).await, sorted([&b]));
        assert_eq!(associations(&tests.bench).await, (0, 1));
    }

    async fn without_a_filter_nothing_is_shown_where_that_is_set(db: TestDb) {
        let tests = Tests::with(&db, false).await;
        let endpoint = tests.public(&tests.service("compute").await).await;
        add(&tests, &endpoint, "p").await.unwrap();

        assert_eq!(tests.ids(Some("p")).await, sorted([&endpoint]));
        assert_eq!(tests.shown(Some("q")).await, json!([]));
        assert_eq!(tests.shown(None).await, json!([]));
    }

    async fn what_a_project_is_shown_is_added_once_and_taken_away_once(db: TestDb) {
        let tests = Tests::new(&db).await;
        let endpoint = tests.public(&tests.service("compute").await).await;
        let group = group(&tests, json!({"interface": "public"})).await;
        let remove = async || {
            let remove = RemoveEndpointFromProject { endpoint: endpoint.clone(), project: "p".into() };
            tests.catalog.send(remove).await
        };
        let remove_group = async || {
            let remove = RemoveGroupFromProject { group: group.id.clone(), project: "p".into() };
            tests.catalog.send(remove).await
        };

        add(&tests, &endpoint, "p").await.unwrap();
        add_group(&tests, &group, "p").await.unwrap();
        assert_eq!(text(add(&tests, &endpoint, "p").await), "Conflict occurred attempting to store project_endpoint - Duplicate entry.");
        assert_eq!(
            text(add_group(&tests, &group, "p").await),
            "Conflict occurred attempting to store project_endpoint_group - Duplicate entry."
        );
        assert_eq!(text(add(&tests, &"x".into(), "p").await), "Could not find endpoint: x.");
        add(&tests, &endpoint, "a").await.unwrap();
        add_group(&tests, &group, "b").await.unwrap();
        let of_endpoint = ListProjectsOfEndpoint { endpoint: endpoint.clone() };
        assert_eq!(tests.catalog.read(of_endpoint).await.unwrap(), ["a", "p"].map(ProjectId::from));
        let of_group = ListProjectsOfGroup { group: group.id.clone() };
        assert_eq!(tests.catalog.read(of_group.clone()).await.unwrap(), ["b", "p"].map(ProjectId::from));

        remove().await.unwrap();
        remove_group().await.unwrap();
        assert_eq!(text(remove().await), format!("Endpoint {endpoint} not found in project p"));
        assert_eq!(text(remove_group().await), "Endpoint Group Project Association not found");
        tests.catalog.send(DeleteEndpointGroup { id: group.id.clone() }).await.unwrap();
        assert!(tests.catalog.read(of_group).await.unwrap().is_empty());
        let gone = tests.catalog.send(DeleteEndpointGroup { id: group.id.clone() }).await;
        assert_eq!(text(gone), format!("Could not find Endpoint Group: {}.", group.id));
    }

    async fn a_project_that_is_gone_is_shown_nothing(db: TestDb) {
        let tests = Tests::new(&db).await;
        let endpoint = tests.public(&tests.service("compute").await).await;
        let group = group(&tests, json!({"interface": "public"})).await;
        db.execute("DELETE FROM project WHERE id = 'p'").await;

        assert_eq!(text(add(&tests, &endpoint, "p").await), "Could not find project: p.");
        assert_eq!(text(add_group(&tests, &group, "p").await), "Could not find project: p.");
        assert_eq!(associations(&tests.bench).await, (0, 0));
    }

    async fn a_changed_group_shows_what_it_now_chooses(db: TestDb) {
        let tests = Tests::new(&db).await;
        let (compute, image) = (tests.service("compute").await, tests.service("image").await);
        let (a, b) = (tests.public(&compute).await, tests.public(&image).await);
        let group = group(&tests, json!({"service_id": compute})).await;
        add_group(&tests, &group, "p").await.unwrap();
        assert_eq!(tests.ids(Some("p")).await, sorted([&a])); // cached from here on

        let patch = from_value(json!({"filters": {"service_id": image}, "description": "d"})).unwrap();
        let changed = tests.catalog.send(UpdateEndpointGroup { id: group.id.clone(), patch }).await.unwrap();

        assert_eq!(tests.ids(Some("p")).await, sorted([&b]));
        assert_eq!((&*changed.name, changed.description.as_deref()), ("g", Some("d")));
        let inventory = tests.inventory().await;
        assert_eq!(inventory.group(&group.id).unwrap(), &changed);
    }

    async fn a_deleted_project_takes_its_filters_along(db: TestDb) {
        let tests = Tests::new(&db).await;
        let service = tests.service("compute").await;
        let (a, b) = (tests.public(&service).await, tests.public(&service).await);
        let group = group(&tests, json!({"interface": "admin"})).await;
        for project in ["p", "q"] {
            add(&tests, &a, project).await.unwrap();
            add_group(&tests, &group, project).await.unwrap();
        }
        assert_eq!(tests.ids(Some("p")).await, sorted([&a])); // cached from here on

        let change: Result<Change, Error> = transaction!(&tests.bench.pool("projects"), |conn| {
            let stale = delete_filters_of_projects(conn, &["p".to_owned()]).await?;
            Ok(record_change(conn, "node", Change::of(stale)).await?)
        });
        tests.bench.invalidations.publish(&change.unwrap());

        assert_eq!(tests.ids(Some("p")).await, sorted([&a, &b]));
        assert_eq!(tests.ids(Some("q")).await, sorted([&a]));
        assert_eq!(associations(&tests.bench).await, (1, 1));
    }
}
