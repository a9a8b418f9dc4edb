//! The catalog: regions, services, endpoints, and which endpoints a project is shown. Part of
//! every scoped token's body, changed a few times a month, and few: the whole set is cached as one
//! [`Inventory`], its URL templates compiled, until any part changes. What a single project is
//! shown is cached by itself.

mod handlers;
mod messages;
mod model;
mod store;
#[cfg(test)]
mod tests;
mod url;

use std::sync::Arc;

pub use messages::{
    AddEndpointToProject, AddGroupToProject, CreateEndpoint, CreateEndpointGroup, CreateRegion,
    CreateService, DeleteEndpoint, DeleteEndpointGroup, DeleteRegion, DeleteService, GetCatalog,
    GetInventory, GetProjectFilter, ListProjectsOfEndpoint, ListProjectsOfGroup,
    RemoveEndpointFromProject, RemoveGroupFromProject, UpdateEndpoint, UpdateEndpointGroup,
    UpdateRegion, UpdateService,
};
pub use model::{
    Catalog, CatalogEndpoint, CatalogService, Endpoint, EndpointGroup, EndpointGroupPatch,
    EndpointPatch, Inventory, NewEndpoint, NewEndpointGroup, NewRegion, NewService, PlacedEndpoint,
    ProjectFilter, Region, RegionPatch, Rendered, Service, ServicePatch,
};
pub(crate) use store::delete_filters_of_projects;
pub use url::{Substitutions, UrlTemplate};

use crate::actor::{Provider, Unavailable};
use crate::cache::Cache;
use crate::db::Db;
use crate::ids::{EndpointGroupId, EndpointId, ProjectId, RegionId, ServiceId};
use crate::resource;
use crate::revocation::Invalidations;

/// What the catalog provider remembers; one set for all replicas.
#[derive(Clone)]
pub struct CatalogCaches {
    /// There is one inventory.
    pub inventory: Cache<(), Arc<Inventory>>,
    /// What single projects are shown.
    pub filters: Cache<ProjectId, Arc<ProjectFilter>>,
}

/// What the catalog provider goes by.
#[derive(Clone, Debug)]
pub struct CatalogSettings {
    /// `[DEFAULT] public_endpoint`: what `$(public_endpoint)s` in a URL stands for.
    pub public_endpoint: Option<String>,
    /// `[endpoint_filter] return_all_endpoints_if_no_filter`.
    pub all_without_filter: bool,
}

/// The catalog provider.
#[derive(Clone)]
pub struct CatalogProvider {
    db: Db,
    caches: CatalogCaches,
    invalidations: Invalidations,
    settings: Arc<CatalogSettings>,
}

impl Provider for CatalogProvider {
    const NAME: &'static str = "catalog";
}

impl CatalogProvider {
    /// The provider on its pool.
    pub fn new(
        db: Db,
        caches: CatalogCaches,
        invalidations: Invalidations,
        settings: CatalogSettings,
    ) -> Self {
        Self {
            db,
            caches,
            invalidations,
            settings: Arc::new(settings),
        }
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such region.
    #[error("Could not find region: {0}.")]
    RegionNotFound(RegionId),
    /// There is no such service.
    #[error("Could not find service: {0}.")]
    ServiceNotFound(ServiceId),
    /// There is no such endpoint.
    #[error("Could not find endpoint: {0}.")]
    EndpointNotFound(EndpointId),
    /// There is no such group of endpoints.
    #[error("Could not find Endpoint Group: {0}.")]
    GroupNotFound(EndpointGroupId),
    /// The ID is taken.
    #[error("Conflict occurred attempting to store region - Duplicate ID, {0}..")]
    RegionExists(RegionId),
    /// It, or a region below it, has endpoints.
    #[error(
        "Unable to delete region {0} because it or its child regions have associated endpoints."
    )]
    RegionInUse(RegionId),
    /// A region would be above itself.
    #[error("The specified parent region {0} would create a circular region hierarchy.")]
    CircularRegions(RegionId),
    /// An endpoint is to be in a region that there isn't.
    #[error("Expecting to find endpoint region_id in region table.")]
    UnknownRegion,
    /// An endpoint is to be of a service that there isn't.
    #[error("Expecting to find endpoint service_id in service table.")]
    UnknownService,
    /// A new endpoint's URL is malformed, or refers to something unknown.
    #[error("Cannot create an endpoint with an invalid URL: {0}.")]
    InvalidUrl(String),
    /// The project is shown this endpoint already.
    #[error("Conflict occurred attempting to store project_endpoint - Duplicate entry.")]
    EndpointInProject,
    /// The project is shown this group already.
    #[error("Conflict occurred attempting to store project_endpoint_group - Duplicate entry.")]
    GroupInProject,
    /// The project is not shown this endpoint by itself.
    #[error("Endpoint {endpoint} not found in project {project}")]
    EndpointNotInProject {
        /// The endpoint.
        endpoint: EndpointId,
        /// The project.
        project: ProjectId,
    },
    /// The project is not shown this group.
    #[error("Endpoint Group Project Association not found")]
    GroupNotInProject,
    /// What the resource provider says.
    #[error(transparent)]
    Resource(#[from] resource::Error),
    /// Trying again may help.
    #[error("the catalog provider is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("catalog storage failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);
