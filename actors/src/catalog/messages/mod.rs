//! What the catalog provider answers.

mod entries;
mod filters;

use std::sync::Arc;

use actix::Message;

pub use entries::{
    CreateEndpoint, CreateRegion, CreateService, DeleteEndpoint, DeleteRegion, DeleteService,
    UpdateEndpoint, UpdateRegion, UpdateService,
};
pub use filters::{
    AddEndpointToProject, AddGroupToProject, CreateEndpointGroup, DeleteEndpointGroup,
    GetProjectFilter, ListProjectsOfEndpoint, ListProjectsOfGroup, RemoveEndpointFromProject,
    RemoveGroupFromProject, UpdateEndpointGroup,
};

use super::{Catalog, Error, Inventory};
use crate::actor::Idempotent;
use crate::ids::ProjectId;

/// All regions, services, endpoints and groups of endpoints. Lists, filters and look-ups are done
/// on it without SQL.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Inventory>, Error>")]
pub struct GetInventory;
impl Idempotent for GetInventory {}

/// The enabled services with their enabled endpoints, as far as a project is shown them; to be
/// rendered for a token.
///
/// What is computed from the answer depends on [`Kind::Catalog`](crate::epoch::Kind) of the empty
/// ID and of the project.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Catalog>, Error>")]
pub struct GetCatalog {
    /// The project; `None` for a domain or the system.
    pub project: Option<ProjectId>,
}
impl Idempotent for GetCatalog {}
