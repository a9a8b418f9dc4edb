mod entries;
mod filters;

use serde_json::{Value, from_value, json};

use super::*;
use crate::actor::Handle;
use crate::testdb::TestDb;
use crate::testing::Bench;

/// The provider of one node.
struct Tests {
    bench: Bench,
    catalog: Handle<CatalogProvider>,
}

impl Tests {
    async fn new(db: &TestDb) -> Self {
        Self::with(db, true).await
    }

    /// There are the projects `a`, `b`, `p` and `q`.
    async fn with(db: &TestDb, all_without_filter: bool) -> Self {
        let bench = Bench::new(db).await;
        for id in ["a", "b", "p", "q"] {
            db.execute(&format!(
                "INSERT INTO project (id, name, enabled, domain_id, is_domain) \
                 VALUES ('{id}', '{id}', true, '<<keystone.domain.root>>', false)"
            ))
            .await;
        }
        let catalog = bench.start_catalog(all_without_filter);
        Self { bench, catalog }
    }

    async fn region(&self, id: &str, parent: Option<&str>) -> Result<Arc<Region>, Error> {
        let region = NewRegion {
            parent_region_id: parent.map(RegionId::from),
            ..NewRegion::named(id.into())
        };
        self.catalog.send(CreateRegion { region }).await
    }

    async fn service(&self, kind: &str) -> ServiceId {
        let service = from_value(json!({"type": kind})).unwrap();
        let created = self.catalog.send(CreateService { service }).await;
        created.unwrap().id.clone()
    }

    async fn endpoint(&self, body: Value) -> Result<Arc<Endpoint>, Error> {
        Ok(self.placed(body).await?.endpoint)
    }

    async fn placed(&self, body: Value) -> Result<PlacedEndpoint, Error> {
        let endpoint = from_value(body).unwrap();
        self.catalog.send(CreateEndpoint { endpoint }).await
    }

    /// One that is public, at `http://h`.
    async fn public(&self, service: &ServiceId) -> EndpointId {
        let body = json!({"interface": "public", "service_id": service, "url": "http://h"});
        self.endpoint(body).await.unwrap().id.clone()
    }

    async fn inventory(&self) -> Arc<Inventory> {
        self.catalog.read(GetInventory).await.unwrap()
    }

    /// The catalog as a token of a project shows it.
    async fn shown(&self, project: Option<&str>) -> Value {
        let get = GetCatalog {
            project: project.map(ProjectId::from),
        };
        let catalog = self.catalog.read(get).await.unwrap();
        let with = Substitutions {
            project_id: project,
            user_id: "u",
        };
        serde_json::to_value(catalog.render(with).collect::<Vec<_>>()).unwrap()
    }

    /// The IDs of the endpoints in it, in their order.
    async fn ids(&self, project: Option<&str>) -> Vec<String> {
        let shown = self.shown(project).await;
        let services = shown.as_array().unwrap().iter();
        let endpoints = services.flat_map(|service| service["endpoints"].as_array().unwrap());
        let mut ids: Vec<String> = endpoints
            .map(|endpoint| endpoint["id"].as_str().unwrap().to_owned())
            .collect();
        ids.sort();
        ids
    }
}

/// How many endpoints, and how many groups, projects are shown.
async fn associations(bench: &Bench) -> (i64, i64) {
    use diesel::prelude::*;
    use diesel_async::RunQueryDsl;

    use crate::db::schema::{project_endpoint, project_endpoint_group};

    let counts: Result<(i64, i64), Error> = crate::with_conn!(&bench.pool("look"), |conn| {
        let endpoints = project_endpoint::table.count().get_result(conn).await?;
        let groups = project_endpoint_group::table
            .count()
            .get_result(conn)
            .await?;
        Ok((endpoints, groups))
    });
    counts.unwrap()
}

fn text<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    outcome.unwrap_err().to_string()
}
