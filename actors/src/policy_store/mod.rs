//! Policies that are kept for services, a part of the API that Keystone has deprecated, and for
//! which endpoints each is. Hardly used and never by tokens, so nothing is cached: a change needs
//! to tell nobody.

mod handlers;
mod messages;
mod model;
mod store;
#[cfg(test)]
mod tests;

pub use messages::{
    Associate, CheckAssociation, CreatePolicy, DeletePolicy, Dissociate, GetPolicy,
    GetPolicyOfEndpoint, ListEndpointsOfPolicy, ListPolicies, UpdatePolicy,
};
pub use model::{NewPolicy, Policy, PolicyPatch, PolicyTarget};
pub(crate) use store::{
    delete_associations_of_endpoint, delete_associations_of_regions, delete_associations_of_service,
};

use crate::actor::{Handle, Provider, Unavailable};
use crate::catalog::{self, CatalogProvider};
use crate::db::Db;
use crate::ids::{EndpointId, PolicyId, RegionId, ServiceId};

/// The provider of policies.
#[derive(Clone)]
pub struct PolicyStoreProvider {
    db: Db,
    catalog: Handle<CatalogProvider>,
}

impl Provider for PolicyStoreProvider {
    const NAME: &'static str = "policy_store";
}

impl PolicyStoreProvider {
    /// The provider on its pool; it asks the catalog which endpoints there are.
    pub fn new(db: Db, catalog: Handle<CatalogProvider>) -> Self {
        Self { db, catalog }
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such policy.
    #[error("Could not find policy: {0}.")]
    NotFound(PolicyId),
    /// The policy is not for this.
    #[error("Could not find policy association.")]
    NotAssociated,
    /// No policy is for this endpoint.
    #[error("No policy is associated with endpoint {0}.")]
    NoPolicy(EndpointId),
    /// There is no such service.
    #[error("Could not find service: {0}.")]
    ServiceNotFound(ServiceId),
    /// There is no such region.
    #[error("Could not find region: {0}.")]
    RegionNotFound(RegionId),
    /// There is no such endpoint.
    #[error("Could not find endpoint: {0}.")]
    EndpointNotFound(EndpointId),
    /// Keystone's table takes shorter IDs of regions than its regions can have.
    #[error("The ID of a region that a policy is for can have 64 characters at most.")]
    RegionIdTooLong,
    /// What the catalog says.
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
    /// Trying again may help.
    #[error("the provider of policies is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("policy storage failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);
