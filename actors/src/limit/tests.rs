use serde_json::{Value, from_value, json};

use super::*;
use crate::catalog::{CreateRegion, CreateService, DeleteService, NewRegion};
use crate::db::outbox::{Change, record_change};
use crate::ids::ServiceId;
use crate::listing::TextFilter;
use crate::resource::ResourceSettings;
use crate::testdb::{TestDb, each_database};
use crate::testing::Bench;
use crate::transaction;

/// A service, a region `eu`, a domain `d` with the projects `p` and `q`, and a domain `e`.
struct Tests {
    bench: Bench,
    limits: Handle<LimitProvider>,
    catalog: Handle<CatalogProvider>,
    service: ServiceId,
}

impl Tests {
    async fn new(db: &TestDb, model: EnforcementModel) -> Self {
        let bench = Bench::new(db).await;
        let catalog = bench.start_catalog(true);
        let service = from_value(json!({"type": "compute"})).unwrap();
        let service = catalog.send(CreateService { service }).await.unwrap();
        let region = NewRegion::named("eu".into());
        catalog.send(CreateRegion { region }).await.unwrap();
        let root = "<<keystone.domain.root>>";
        for (id, domain, is_domain) in [
            ("d", root, true),
            ("e", root, true),
            ("p", "d", false),
            ("q", "d", false),
        ] {
            db.execute(&format!(
                "INSERT INTO project (id, name, enabled, domain_id, parent_id, is_domain)
                 VALUES ('{id}', '{id}', true, '{domain}', {}, {is_domain})",
                match domain == root {
                    true => "NULL".to_owned(),
                    false => format!("'{domain}'"),
                }
            ))
            .await;
        }
        let resource = bench.resources(ResourceSettings::default());
        let caches = LimitCaches {
            registered: bench.cache(),
            owned: bench.cache(),
        };
        let (db, handle) = (bench.pool("limit"), catalog.clone());
        let invalidations = bench.invalidations.clone();
        let provider = LimitProvider::new(db, caches, invalidations, handle, resource, model);
        Self {
            limits: bench.start(provider),
            bench,
            catalog,
            service: service.id.clone(),
        }
    }

    /// Registers these: name, region and number.
    async fn register(
        &self,
        limits: &[(&str, Option<&str>, i32)],
    ) -> Result<Vec<RegisteredLimit>, Error> {
        let limits = limits.iter().map(|(name, region, number)| {
            let body = json!({
                "service_id": self.service, "region_id": region, "resource_name": name, "default_limit": number,
            });
            from_value(body).unwrap()
        });
        let limits = limits.collect();
        self.limits.send(CreateRegisteredLimits { limits }).await
    }

    /// Creates limits of cores: what is not said otherwise is of no region.
    async fn create(
        &self,
        limits: impl IntoIterator<Item = (Value, i32)>,
    ) -> Result<Vec<Limit>, Error> {
        let limits = limits.into_iter().map(|(more, number)| {
            let mut body = json!({"service_id": self.service, "resource_name": "cores", "resource_limit": number});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            from_value(body).unwrap()
        });
        let limits = limits.collect();
        self.limits.send(CreateLimits { limits }).await
    }

    async fn update(&self, id: &LimitId, body: Value) -> Result<Limit, Error> {
        let (id, patch) = (id.clone(), from_value(body).unwrap());
        self.limits.send(UpdateLimit { id, patch }).await
    }

    /// Owners and numbers of the limits in a list.
    async fn list(&self, filter: LimitFilter, owners: Option<&[&str]>) -> Vec<(String, i32)> {
        let owners = owners.map(|owners| owners.iter().map(|id| (*id).to_owned()).collect());
        let listed = self
            .limits
            .read(ListLimits { filter, owners })
            .await
            .unwrap();
        let mut listed: Vec<_> = listed
            .iter()
            .map(|limit| (limit.owner().to_owned(), limit.resource_limit))
            .collect();
        listed.sort();
        listed
    }

    async fn of(&self, project: &str) -> Vec<(String, i32)> {
        let filter = LimitFilter {
            project_id: vec![TextFilter::equals(project)],
            ..LimitFilter::default()
        };
        self.list(filter, None).await
    }
}

fn text<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    outcome.unwrap_err().to_string()
}

fn pairs<const N: usize>(pairs: [(&str, i32); N]) -> Vec<(String, i32)> {
    pairs
        .map(|(owner, number)| (owner.to_owned(), number))
        .into()
}

each_database! {
    async fn a_resource_is_registered_once_for_each_region_and_for_none(db: TestDb) {
        let tests = Tests::new(&db, EnforcementModel::Flat).await;
        let made = tests.register(&[("cores", None, 10), ("cores", Some("eu"), -1), ("ram", None, 0)]).await.unwrap();
        let all = || async { tests.limits.read(GetRegisteredLimits).await.unwrap() };
        assert_eq!(all().await.iter().count(), 3); // cached from here on

        for twice in [("cores", None), ("cores", Some("eu"))] {
            let again = tests.register(&[("disk", None, 1), (twice.0, twice.1, 1)]).await;
            assert_eq!(text(again), "Conflict occurred attempting to store registered_limit - Duplicate entry.");
        }
        assert!(matches!(tests.register(&[("disk", None, 1), ("disk", None, 1)]).await, Err(Error::RegisteredExists)));
        assert_eq!(text(tests.register(&[("disk", Some("us"), 1)]).await), "Expecting to find region_id in registered_limit.");
        assert_eq!(all().await.iter().count(), 3, "all or none");
        tests.register(&[("disk", None, 1)]).await.unwrap();
        assert_eq!(all().await.iter().count(), 4);
        assert_eq!(**all().await.get(&made[0].id).unwrap(), made[0]);
        assert_eq!(json!(made[1]), json!({
            "id": made[1].id, "service_id": tests.service, "region_id": "eu", "resource_name": "cores",
            "default_limit": -1, "description": null,
        }));
    }

    async fn a_registered_limit_changes_only_while_no_limit_is_in_its_place(db: TestDb) {
        let tests = Tests::new(&db, EnforcementModel::Flat).await;
        let made = tests.register(&[("cores", None, 10), ("ram", None, 5)]).await.unwrap();
        let (id, other) = (&made[0].id, &made[1].id);
        let update = async |id: &RegisteredLimitId, body: Value| {
            let (id, patch) = (id.clone(), from_value(body).unwrap());
            tests.limits.send(UpdateRegisteredLimit { id, patch }).await
        };
        let delete = async |id: &RegisteredLimitId| {
            tests.limits.send(DeleteRegisteredLimit { id: id.clone() }).await
        };

        let changed = update(id, json!({"default_limit": 20, "description": "d"})).await.unwrap();
        assert_eq!((changed.default_limit, changed.description.as_deref()), (20, Some("d")));
        assert_eq!(update(id, json!({})).await.unwrap(), changed);
        assert_eq!(update(id, json!({"region_id": "eu"})).await.unwrap().region_id, Some("eu".into()));
        // Keystone compares with itself too.
        assert!(matches!(update(id, json!({"resource_name": "cores"})).await, Err(Error::RegisteredExists)));
        let taken = update(id, json!({"region_id": null, "resource_name": "ram"})).await;
        assert!(matches!(taken, Err(Error::RegisteredExists)));
        assert_eq!(text(update(id, json!({"service_id": "x"})).await), "Expecting to find service_id in registered_limit.");
        update(id, json!({"region_id": null})).await.unwrap();

        tests.create([(json!({"project_id": "p"}), 1)]).await.unwrap();
        let told = format!(
            "Unable to update or delete registered limit {id} because there are project limits associated with it."
        );
        assert_eq!(text(update(id, json!({"default_limit": 1})).await), told);
        assert_eq!(text(delete(id).await), told);
        delete(other).await.unwrap();
        assert_eq!(text(delete(other).await), format!("Could not find registered limit for {other}."));
        assert_eq!(text(update(other, json!({})).await), format!("Could not find registered limit for {other}."));
    }

    async fn a_limit_takes_the_place_of_a_registered_one_once_for_each_owner(db: TestDb) {
        let tests = Tests::new(&db, EnforcementModel::Flat).await;
        tests.register(&[("cores", None, 10)]).await.unwrap();
        let project = |id: &str| json!({"project_id": id});

        let made = tests.create([(project("p"), 5), (project("d"), 7), (json!({"domain_id": "e"}), 9)]).await.unwrap();
        let get = GetLimit { id: made[1].id.clone() };
        assert_eq!(tests.limits.read(get).await.unwrap(), made[1]);
        assert_eq!(json!(made[1]), json!({
            "id": made[1].id, "project_id": null, "domain_id": "d", "resource_limit": 7, "description": null,
            "service_id": tests.service, "region_id": null, "resource_name": "cores",
        }));

        for taken in [project("p"), project("d"), json!({"domain_id": "e"})] {
            let again = tests.create([(project("q"), 1), (taken, 1)]).await;
            assert_eq!(text(again), "Conflict occurred attempting to store limit - Duplicate entry.");
        }
        assert!(matches!(tests.create([(project("q"), 1), (project("q"), 2)]).await, Err(Error::Exists)));
        for (body, told) in [
            (json!({"project_id": "x"}), "Expecting to find project_id in limit."),
            (json!({"domain_id": "p"}), "Expecting to find domain_id in limit."),
            (json!({"project_id": null}), "Expecting to find project_id in limit."),
            (json!({"project_id": "q", "service_id": "x"}), "Expecting to find service_id in limit."),
            (json!({"project_id": "q", "region_id": "x"}), "Expecting to find region_id in limit."),
            (
                json!({"project_id": "q", "region_id": "eu"}),
                "Unable to create a limit that has no corresponding registered limit.",
            ),
        ] {
            assert_eq!(text(tests.create([(body, 1)]).await), told);
        }
        assert!(tests.of("q").await.is_empty());
    }

    async fn a_change_of_a_limit_is_seen_by_the_next_read(db: TestDb) {
        let tests = Tests::new(&db, EnforcementModel::Flat).await;
        tests.register(&[("cores", None, 10), ("cores", Some("eu"), 10)]).await.unwrap();
        assert!(tests.of("p").await.is_empty()); // cached from here on

        let id = tests.create([(json!({"project_id": "p"}), 5)]).await.unwrap()[0].id.clone();
        assert_eq!(tests.of("p").await, pairs([("p", 5)]));
        let changed = tests.update(&id, json!({"resource_limit": 0, "description": "none"})).await.unwrap();
        assert_eq!((changed.resource_limit, changed.description.as_deref()), (0, Some("none")));
        assert_eq!(tests.of("p").await, pairs([("p", 0)]));
        assert_eq!(tests.update(&id, json!({})).await.unwrap(), changed);
        assert_eq!(tests.update(&id, json!({"description": null})).await.unwrap().description, None);
        tests.limits.send(DeleteLimit { id: id.clone() }).await.unwrap();

        assert!(tests.of("p").await.is_empty());
        let told = format!("Could not find limit for {id}.");
        assert_eq!(text(tests.limits.send(DeleteLimit { id: id.clone() }).await), told);
        assert_eq!(text(tests.update(&id, json!({})).await), told);
        assert_eq!(text(tests.limits.read(GetLimit { id }).await), told);
    }

    async fn lists_are_of_what_may_be_seen_and_matches(db: TestDb) {
        let tests = Tests::new(&db, EnforcementModel::Flat).await;
        tests.register(&[("cores", None, 10), ("cores", Some("eu"), 10), ("ram", None, 10)]).await.unwrap();
        let eu = |owner: &str| json!({"project_id": owner, "region_id": "eu"});
        let ram = json!({"project_id": "q", "resource_name": "ram"});
        tests.create([(json!({"project_id": "p"}), 1), (eu("p"), 2), (ram, 3), (eu("d"), 4), (eu("e"), 5)]).await.unwrap();
        let filter = |name: &str, value: &str| {
            let mut filter = LimitFilter::default();
            let text = vec![TextFilter::equals(value)];
            match name {
                "region_id" => filter.region_id = text,
                "resource_name" => filter.resource_name = text,
                "domain_id" => filter.domain_id = text,
                "service_id" => filter.service_id = text,
                _ => filter.project_id = text,
            }
            filter
        };

        assert_eq!(tests.list(LimitFilter::default(), None).await.len(), 5);
        assert_eq!(tests.list(filter("region_id", "eu"), None).await, pairs([("d", 4), ("e", 5), ("p", 2)]));
        assert_eq!(tests.list(filter("resource_name", "ram"), None).await, pairs([("q", 3)]));
        assert_eq!(tests.list(filter("domain_id", "d"), None).await, pairs([("d", 4)]));
        assert_eq!(tests.list(filter("service_id", "x"), None).await, []);
        assert_eq!(tests.list(filter("project_id", "d"), None).await, [], "it is the domain's");
        let owners: &[&str] = &["d", "p", "q"];
        assert_eq!(tests.list(filter("region_id", "eu"), Some(owners)).await, pairs([("d", 4), ("p", 2)]));
        assert_eq!(tests.list(filter("domain_id", "e"), Some(owners)).await, []);
        assert_eq!(tests.list(LimitFilter::default(), Some(&["q"])).await, pairs([("q", 3)]));
        assert_eq!(tests.list(LimitFilter::default(), Some(&[])).await, []);
    }

    async fn the_strict_model_keeps_projects_within_their_domains(db: TestDb) {
        let tests = Tests::new(&db, EnforcementModel::StrictTwoLevel).await;
        tests.register(&[("cores", None, 10)]).await.unwrap();
        let project = |id: &str| json!({"project_id": id});
        let domain = json!({"domain_id": "d"});

        let over = tests.create([(project("p"), 11)]).await;
        assert_eq!(text(over), format!(
            "Invalid resource limit: The resource limit (project_id: p, resource_name: cores, resource_limit: 11, \
             service_id: {}, region_id: None) doesn't satisfy current hierarchy model..", tests.service
        ));
        let made = tests.create([(domain.clone(), 20), (project("p"), 15)]).await.unwrap();
        assert!(matches!(tests.create([(project("q"), 21)]).await, Err(Error::Invalid(_))));
        tests.create([(project("q"), 20)]).await.unwrap();
        let (of_domain, of_project) = (&made[0].id, &made[1].id);
        assert!(matches!(tests.update(of_domain, json!({"resource_limit": 19})).await, Err(Error::Invalid(_))));
        assert!(matches!(tests.update(of_project, json!({"resource_limit": 21})).await, Err(Error::Invalid(_))));
        tests.update(of_domain, json!({"resource_limit": 30})).await.unwrap();
        tests.update(of_project, json!({"resource_limit": 21})).await.unwrap();
    }

    async fn what_another_program_deleted_gets_no_limit_whatever_is_cached_of_it(db: TestDb) {
        let tests = Tests::new(&db, EnforcementModel::Flat).await;
        tests.register(&[("cores", None, 10), ("ram", None, 10)]).await.unwrap();
        let (project, domain) = (json!({"project_id": "q"}), json!({"domain_id": "e"}));
        tests.create([(project, 1), (domain, 1)]).await.unwrap(); // cached from here on
        db.execute("DELETE FROM project WHERE id IN ('q', 'e')").await;

        let project = json!({"project_id": "q", "resource_name": "ram"});
        let domain = json!({"domain_id": "e", "resource_name": "ram"});
        assert_eq!(text(tests.create([(project, 1)]).await), "Expecting to find project_id in limit.");
        assert_eq!(text(tests.create([(domain, 1)]).await), "Expecting to find domain_id in limit.");
    }

    async fn limits_go_with_their_project_and_outlive_their_service(db: TestDb) {
        let tests = Tests::new(&db, EnforcementModel::Flat).await;
        tests.register(&[("cores", None, 10)]).await.unwrap();
        let project = |id: &str| (json!({"project_id": id}), 1);
        tests.create([project("p"), project("q")]).await.unwrap();
        assert_eq!(tests.of("p").await, pairs([("p", 1)])); // cached from here on

        let change: Result<Change, Error> = transaction!(&tests.bench.pool("projects"), |conn| {
            let stale = delete_limits_of_projects(conn, &["p".to_owned()]).await?;
            Ok(record_change(conn, "node", Change::of(stale)).await?)
        });
        tests.bench.invalidations.publish(&change.unwrap());
        tests.catalog.send(DeleteService { id: tests.service.clone() }).await.unwrap();

        assert!(tests.of("p").await.is_empty());
        assert_eq!(tests.of("q").await, pairs([("q", 1)]));
        assert_eq!(tests.limits.read(GetRegisteredLimits).await.unwrap().iter().count(), 1);
    }
}
