//! Configuration of single domains, kept in the database: by which driver their users are found,
//! and what that driver goes by. Options that are secret are kept in a table of their own, and
//! shown to nobody; others may refer to them, as `%(password)s`, which is filled in for drivers
//! alone.

mod handlers;
mod messages;
mod model;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use messages::{
    DeleteDomainConfig, GetDefaultConfig, GetDomainConfig, GetDomainSettings, SetDomainConfig,
    UpdateDomainConfig,
};
pub use model::{ConfigPlace, DomainSettings, Options};
pub(crate) use store::delete_config_of_domain;

use crate::actor::{Provider, Unavailable};
use crate::cache::Cache;
use crate::db::Db;
use crate::ids::DomainId;
use crate::revocation::Invalidations;

/// The provider of configurations of domains.
#[derive(Clone)]
pub struct DomainConfigProvider {
    db: Db,
    /// One for all replicas.
    cache: Cache<DomainId, Arc<DomainSettings>>,
    invalidations: Invalidations,
    options: Arc<Options>,
}

impl Provider for DomainConfigProvider {
    const NAME: &'static str = "domain_config";
}

impl DomainConfigProvider {
    /// The provider on its pool, with the options that a domain may have.
    pub fn new(
        db: Db,
        cache: Cache<DomainId, Arc<DomainSettings>>,
        invalidations: Invalidations,
        options: Options,
    ) -> Self {
        Self {
            db,
            cache,
            invalidations,
            options: Arc::new(options),
        }
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The domain has nothing there.
    #[error("Could not find {place} in domain configuration for domain {domain}.")]
    NotFound {
        /// What was looked for.
        place: ConfigPlace,
        /// The domain.
        domain: DomainId,
    },
    /// There is no such domain.
    #[error("Could not find domain: {0}.")]
    DomainNotFound(DomainId),
    /// A group or an option that a domain can't have, or a change that does not fit its place.
    #[error("Invalid domain specific configuration: {0}.")]
    Invalid(String),
    /// Trying again may help.
    #[error("the provider of domain configurations is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("storage of domain configurations failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);
