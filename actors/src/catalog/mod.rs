//! The catalog: services, endpoints and regions. Part of every scoped token's body, so the whole
//! of it is cached as one [`Catalog`], its URL templates compiled, until any part changes.

mod handlers;
mod messages;
mod model;
mod store;
#[cfg(test)]
mod tests;
mod url;

use std::sync::Arc;

pub use messages::GetCatalog;
pub use model::{Catalog, CatalogEndpoint, CatalogService, Rendered};
pub use url::{Substitutions, UrlTemplate};

use crate::actor::{Provider, Unavailable};
use crate::cache::Cache;
use crate::db::Db;

/// The catalog provider.
#[derive(Clone)]
pub struct CatalogProvider {
    db: Db,
    /// One for all replicas. There is one catalog.
    catalog: Cache<(), Arc<Catalog>>,
    /// `[DEFAULT] public_endpoint`, which endpoint URLs may refer to.
    public_endpoint: Option<Arc<str>>,
}

impl Provider for CatalogProvider {
    const NAME: &'static str = "catalog";
}

impl CatalogProvider {
    /// The provider on its pool. `public_endpoint` is what `$(public_endpoint)s` stands for.
    pub fn new(
        db: Db,
        catalog: Cache<(), Arc<Catalog>>,
        public_endpoint: Option<Arc<str>>,
    ) -> Self {
        Self {
            db,
            catalog,
            public_endpoint,
        }
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Trying again may help.
    #[error("the catalog provider is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("catalog storage failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);
