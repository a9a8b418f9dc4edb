//! Messages that change projects and domains. Once they are answered, no provider of this node
//! serves what was before.

use std::sync::Arc;

use actix::Message;

use super::super::{
    Domain, DomainContents, DomainPatch, Error, NewDomain, NewProject, Project, ProjectPatch,
    TagEdit,
};
use crate::ids::{DomainId, ProjectId};

/// Creates a project, or a domain. `UnknownDomain` or `UnknownParent` where it names one that there
/// is not; `NameTaken`; or another reason why it may not be where it wants to.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Project>, Error>")]
pub struct CreateProject {
    /// The project to be.
    pub project: NewProject,
}

/// Creates a domain. `NameTaken`, also when the ID is.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Domain>, Error>")]
pub struct CreateDomain {
    /// The domain to be.
    pub domain: NewDomain,
}

/// Changes what `patch` names, keeps the rest. `Immutable` unless it does nothing but clear that
/// option. A project is disabled after all below it (`SubtreeEnabled`), and enabled after all above
/// it (`ParentDisabled`).
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Project>, Error>")]
pub struct UpdateProject {
    /// Which project, or domain.
    pub id: ProjectId,
    /// What changes.
    pub patch: ProjectPatch,
}

/// Changes a domain, as [`UpdateProject`] does a project. Disabling it shuts out its users and the
/// tokens for its projects, until it is enabled again; they keep their own flags.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Domain>, Error>")]
pub struct UpdateDomain {
    /// Which domain.
    pub id: DomainId,
    /// What changes.
    pub patch: DomainPatch,
}

/// Deletes a project, below which there must be none (`NotLeaf`), with the grants, trusts, credentials,
/// limits and filters of endpoints for it, and ends the tokens for it. Of a domain: as
/// [`DeleteDomain`]; of another project the answer is empty.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<DomainContents, Error>")]
pub struct DeleteProject {
    /// Which project, or domain.
    pub id: ProjectId,
    /// Seconds since 1970.
    pub now: i64,
}

/// Deletes a domain, which has to be disabled (`DomainEnabled`), with its projects, users and
/// groups, each with what depends on it. Roles of the domain stay, as in Keystone.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<DomainContents, Error>")]
pub struct DeleteDomain {
    /// Which domain.
    pub id: DomainId,
    /// Seconds since 1970.
    pub now: i64,
}

/// Changes the tags of a project.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Project>, Error>")]
pub struct EditTags {
    /// Which project.
    pub project: ProjectId,
    /// How.
    pub edit: TagEdit,
}
