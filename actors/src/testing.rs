//! What provider tests share: a migrated database of their own, and the parts that providers are
//! made of.

use std::sync::Arc;
use std::time::Duration;

use crate::actor::supervisor::Supervision;
use crate::actor::{Handle, Limits, Provider};
use crate::cache::Cache;
use crate::catalog::{CatalogCaches, CatalogProvider, CatalogSettings};
use crate::db::url::DatabaseUrl;
use crate::db::{Databases, Db, StorageLimits, migrate};
use crate::hashing::{HashPolicy, HashPool, PoolSize};
use crate::identity::{IdentityCaches, IdentityProvider, IdentitySettings};
use crate::resource::{ResourceCaches, ResourceProvider, ResourceSettings};
use crate::revocation::Invalidations;
use crate::testdb::TestDb;

/// For all deadlines: no test with a [`Bench`] is about them, and on a busy machine the tables alone
/// take long.
const PATIENCE: Duration = Duration::from_secs(120);

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
        let storage = StorageLimits {
            acquire: PATIENCE,
            connect: PATIENCE,
            statement: PATIENCE,
            ..StorageLimits::default()
        };
        let actors = Limits {
            deadline: PATIENCE,
            ..Limits::default()
        };
        Self {
            databases: Databases::new(url, storage).unwrap(),
            invalidations: Invalidations::default(),
            supervision: Supervision::start(0, actors),
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

    /// The provider of projects and domains.
    pub fn resources(&self, settings: ResourceSettings) -> Handle<ResourceProvider> {
        let caches = ResourceCaches {
            projects: self.cache(),
            domains: self.cache(),
            names: self.cache(),
            ancestors: self.cache(),
        };
        self.start(ResourceProvider::new(
            self.pool("resource"),
            caches,
            self.invalidations.clone(),
            Arc::new(settings),
        ))
    }

    /// The provider of users and groups.
    pub fn identity(
        &self,
        resources: &Handle<ResourceProvider>,
        settings: IdentitySettings,
    ) -> Handle<IdentityProvider> {
        let caches = IdentityCaches {
            users: self.cache(),
            user_names: self.cache(),
            groups: self.cache(),
            group_names: self.cache(),
            memberships: self.cache(),
        };
        self.start(IdentityProvider::new(
            self.pool("identity"),
            caches,
            hashing(),
            self.invalidations.clone(),
            resources.clone(),
            Arc::new(settings),
        ))
    }

    /// Starts a provider under supervision.
    pub fn start<P: Provider>(&self, provider: P) -> Handle<P> {
        self.supervision
            .supervise(crate::actor::supervisor::Placement::Single, move || {
                provider.clone()
            })
    }

    /// The catalog provider, which others ask. `all_without_filter` as in [`CatalogSettings`].
    pub fn start_catalog(&self, all_without_filter: bool) -> Handle<CatalogProvider> {
        let caches = CatalogCaches {
            inventory: self.cache(),
            filters: self.cache(),
        };
        let settings = CatalogSettings {
            public_endpoint: None,
            all_without_filter,
        };
        let (db, invalidations) = (self.pool("catalog"), self.invalidations.clone());
        self.start(CatalogProvider::new(db, caches, invalidations, settings))
    }
}

/// As cheap as bcrypt can be.
pub(crate) fn hashing() -> HashPool {
    let policy = HashPolicy {
        rounds: Some(4),
        ..HashPolicy::default()
    };
    let size = PoolSize {
        threads: 2,
        queue: 1000,
        nice: 0,
    };
    HashPool::start(policy, size).unwrap()
}
