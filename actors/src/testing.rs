//! What provider tests share: a migrated database of their own, and the parts that providers are
//! made of.

use std::sync::Arc;

use crate::actor::supervisor::Supervision;
use crate::actor::{Limits, Provider};
use crate::cache::Cache;
use crate::db::url::DatabaseUrl;
use crate::db::{Databases, Db, StorageLimits, migrate};
use crate::revocation::Invalidations;
use crate::testdb::TestDb;

/// A database with its tables, and what the providers of one node share.
pub(crate) struct Bench {
    pub databases: Databases,
    pub invalidations: Invalidations,
    pub supervision: Supervision,
}

impl Bench {
    /// Brings the tables up, and makes a node on them.
    pub async fn new(db: &TestDb) -> Self {
        let bench = Self::second_node(db);
        migrate::sync(&bench.pool("migrate"), |_| {}).await.unwrap();
        bench
    }

    /// Another node on a database that has its tables.
    pub fn second_node(db: &TestDb) -> Self {
        let url = DatabaseUrl::parse(db.url()).unwrap();
        Self {
            databases: Databases::new(url, StorageLimits::default()).unwrap(),
            invalidations: Invalidations::default(),
            supervision: Supervision::start(0, Limits::default()),
        }
    }

    pub fn pool(&self, name: &'static str) -> Db {
        self.databases.pool(name, 10).unwrap()
    }

    pub fn cache<K, V>(&self) -> Cache<K, V>
    where
        K: Clone + Eq + std::hash::Hash,
        V: Clone,
    {
        Cache::new(Arc::clone(self.invalidations.epochs()), 1000, None)
    }

    /// Starts a provider under supervision.
    pub fn start<P: Provider>(&self, provider: P) -> crate::actor::Handle<P> {
        self.supervision
            .supervise(crate::actor::supervisor::Placement::Single, move || {
                provider.clone()
            })
    }
}
