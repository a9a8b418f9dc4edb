//! Groups of endpoints, and which endpoints a project is shown.

use std::sync::Arc;

use actix::Message;

use super::super::{EndpointGroup, EndpointGroupPatch, Error, NewEndpointGroup, ProjectFilter};
use crate::actor::Idempotent;
use crate::ids::{EndpointGroupId, EndpointId, ProjectId};

/// Creates a group of endpoints.
#[derive(Debug, Message)]
#[rtype(result = "Result<Arc<EndpointGroup>, Error>")]
pub struct CreateEndpointGroup {
    /// The group to be.
    pub group: NewEndpointGroup,
}

/// Changes what `patch` names, keeps the rest.
#[derive(Debug, Message)]
#[rtype(result = "Result<Arc<EndpointGroup>, Error>")]
pub struct UpdateEndpointGroup {
    /// Which group.
    pub id: EndpointGroupId,
    /// What changes.
    pub patch: EndpointGroupPatch,
}

/// Deletes a group of endpoints; no project is shown it any more.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteEndpointGroup {
    /// Which group.
    pub id: EndpointGroupId,
}

/// What a project is shown; nothing is in it for one without a filter, or an unknown one.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<ProjectFilter>, Error>")]
pub struct GetProjectFilter {
    /// The project.
    pub project: ProjectId,
}
impl Idempotent for GetProjectFilter {}

/// From now on the project is shown this endpoint, and no others but those that it was given like
/// this. `EndpointInProject` if it is already.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct AddEndpointToProject {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The project.
    pub project: ProjectId,
}

/// Undoes [`AddEndpointToProject`]. `EndpointNotInProject` if there is nothing to undo.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct RemoveEndpointFromProject {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The project.
    pub project: ProjectId,
}

/// As [`AddEndpointToProject`], for the endpoints of a group. `GroupInProject` if it is already.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct AddGroupToProject {
    /// The group.
    pub group: EndpointGroupId,
    /// The project.
    pub project: ProjectId,
}

/// Undoes [`AddGroupToProject`]. `GroupNotInProject` if there is nothing to undo.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct RemoveGroupFromProject {
    /// The group.
    pub group: EndpointGroupId,
    /// The project.
    pub project: ProjectId,
}

/// The projects that are shown an endpoint by itself, in the order of their IDs.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<ProjectId>, Error>")]
pub struct ListProjectsOfEndpoint {
    /// The endpoint.
    pub endpoint: EndpointId,
}
impl Idempotent for ListProjectsOfEndpoint {}

/// The projects that are shown a group, in the order of their IDs.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<ProjectId>, Error>")]
pub struct ListProjectsOfGroup {
    /// The group.
    pub group: EndpointGroupId,
}
impl Idempotent for ListProjectsOfGroup {}
