//! Federation: which identity providers are trusted, and to which service providers this Keystone
//! vouches for its users. Both are read for tokens and changed rarely, so both are cached.

mod handlers;
mod messages;
mod model;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use messages::{GetIdentityProvider, ListEnabledServiceProviders};
pub use model::IdentityProvider;

use crate::actor::{Provider, Unavailable};
use crate::cache::Cache;
use crate::db::Db;

/// The federation provider.
#[derive(Clone)]
pub struct FederationProvider {
    db: Db,
    /// By ID. One for all replicas.
    identity_providers: Cache<String, Arc<IdentityProvider>>,
    /// The list that tokens show, as one entry.
    service_providers: Cache<(), Arc<[serde_json::Value]>>,
}

impl Provider for FederationProvider {
    const NAME: &'static str = "federation";
}

impl FederationProvider {
    /// The provider on its pool.
    pub fn new(
        db: Db,
        identity_providers: Cache<String, Arc<IdentityProvider>>,
        service_providers: Cache<(), Arc<[serde_json::Value]>>,
    ) -> Self {
        Self {
            db,
            identity_providers,
            service_providers,
        }
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such identity provider.
    #[error("Could not find Identity Provider: {0}.")]
    IdentityProviderNotFound(String),
    /// Trying again may help.
    #[error("the federation provider is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("federation storage failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);
