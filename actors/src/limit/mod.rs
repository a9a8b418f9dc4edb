//! Limits of what projects may use. A service registers a limit for each of its resources, which
//! holds for every project; a limit of a project or domain takes its place there.
//!
//! Services ask for them whenever something is to be made: the registered limits, which are few,
//! are cached as a whole, and those of a project or domain by its ID.

mod handlers;
mod messages;
mod model;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use messages::{
    CreateLimits, CreateRegisteredLimits, DeleteLimit, DeleteRegisteredLimit, GetLimit,
    GetRegisteredLimits, ListLimits, UpdateLimit, UpdateRegisteredLimit,
};
pub use model::{
    EnforcementModel, Limit, LimitFilter, LimitPatch, NewLimit, NewRegisteredLimit,
    RegisteredLimit, RegisteredLimitPatch, RegisteredLimits,
};
pub(crate) use store::delete_limits_of_projects;

use crate::actor::{Handle, Provider, Unavailable};
use crate::cache::Cache;
use crate::catalog::{self, CatalogProvider};
use crate::db::Db;
use crate::ids::{LimitId, RegisteredLimitId};
use crate::resource::{self, ResourceProvider};
use crate::revocation::Invalidations;

/// What the limit provider remembers; one set for all replicas.
#[derive(Clone)]
pub struct LimitCaches {
    /// There is one set of registered limits.
    pub registered: Cache<(), Arc<RegisteredLimits>>,
    /// The limits of a project or domain, by its ID.
    pub owned: Cache<String, Arc<[Limit]>>,
}

/// The limit provider.
#[derive(Clone)]
pub struct LimitProvider {
    db: Db,
    caches: LimitCaches,
    invalidations: Invalidations,
    catalog: Handle<CatalogProvider>,
    resource: Handle<ResourceProvider>,
    model: EnforcementModel,
}

impl Provider for LimitProvider {
    const NAME: &'static str = "limit";
}

impl LimitProvider {
    /// The provider on its pool. It asks the others whether what a limit is about exists; `model`
    /// says how limits above and below one another go together.
    pub fn new(
        db: Db,
        caches: LimitCaches,
        invalidations: Invalidations,
        catalog: Handle<CatalogProvider>,
        resource: Handle<ResourceProvider>,
        model: EnforcementModel,
    ) -> Self {
        Self {
            db,
            caches,
            invalidations,
            catalog,
            resource,
            model,
        }
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such registered limit.
    #[error("Could not find registered limit for {0}.")]
    RegisteredNotFound(RegisteredLimitId),
    /// There is no such limit.
    #[error("Could not find limit for {0}.")]
    NotFound(LimitId),
    /// What a limit is to be about does not exist.
    #[error("Expecting to find {attribute} in {kind}.")]
    Unknown {
        /// The attribute that names it.
        attribute: &'static str,
        /// `registered_limit` or `limit`.
        kind: &'static str,
    },
    /// There is a registered limit of this service, region and resource.
    #[error("Conflict occurred attempting to store registered_limit - Duplicate entry.")]
    RegisteredExists,
    /// The project or domain has a limit of this service, region and resource.
    #[error("Conflict occurred attempting to store limit - Duplicate entry.")]
    Exists,
    /// Nothing is registered for this service, region and resource.
    #[error("Unable to create a limit that has no corresponding registered limit.")]
    NotRegistered,
    /// Projects or domains have limits in its place.
    #[error(
        "Unable to update or delete registered limit {0} because there are project limits associated with it."
    )]
    RegisteredInUse(RegisteredLimitId),
    /// Not as the enforcement model wants it.
    #[error("Invalid resource limit: {0}.")]
    Invalid(String),
    /// What the catalog says.
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
    /// What the resource provider says.
    #[error(transparent)]
    Resource(#[from] resource::Error),
    /// Trying again may help.
    #[error("the limit provider is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("limit storage failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);
