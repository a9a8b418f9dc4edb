//! Messages that read projects and domains.

use std::sync::Arc;

use actix::Message;

use super::super::{Descendant, Domain, DomainFilter, Error, Project, ProjectFilter};
use crate::actor::Idempotent;
use crate::ids::{DomainId, ProjectId};
use crate::listing::{Listed, Page};

/// One project, or one domain as a project. `NotFound` if none has this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Project>, Error>")]
pub struct GetProject {
    /// Its ID.
    pub id: ProjectId,
}
impl Idempotent for GetProject {}

/// The projects and domains of these IDs, each once, in no order; unknown IDs are left out.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<Arc<Project>>, Error>")]
pub struct GetProjects {
    /// Their IDs.
    pub ids: Vec<ProjectId>,
}
impl Idempotent for GetProjects {}

/// One domain. `DomainNotFound` if there is none of exactly this ID, or if it is a project.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Domain>, Error>")]
pub struct GetDomain {
    /// Its ID.
    pub id: DomainId,
}
impl Idempotent for GetDomain {}

/// The project of this name in a domain, never a domain. `NotFound` if there is none. Whether
/// case matters is up to the database's collation.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Project>, Error>")]
pub struct FindProject {
    /// Its name.
    pub name: String,
    /// The domain that it is in.
    pub domain_id: DomainId,
}
impl Idempotent for FindProject {}

/// The domain of this name. `DomainNotFound` if there is none.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Domain>, Error>")]
pub struct FindDomain {
    /// Its name.
    pub name: String,
}
impl Idempotent for FindDomain {}

/// The ancestors of a project, the nearest first, its domain last; none for a domain. `NotFound`
/// if there is no such project.
///
/// What is computed from the answer depends on [`Kind::Project`](crate::epoch::Kind) of the
/// project and of each ancestor.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<[ProjectId]>, Error>")]
pub struct GetAncestors {
    /// Whose ancestors.
    pub project: ProjectId,
}
impl Idempotent for GetAncestors {}

/// All projects below any of these projects and domains, each once, in no order. One statement.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<Descendant>, Error>")]
pub struct GetDescendants {
    /// Below which.
    pub of: Vec<ProjectId>,
}
impl Idempotent for GetDescendants {}

/// The projects that match, in the order of their IDs. `MarkerNotFound` if the page should begin
/// behind a project that there is not.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Listed<Arc<Project>>, Error>")]
pub struct ListProjects {
    /// Which projects; domains are among them unless told otherwise.
    pub filter: ProjectFilter,
    /// Which part of them; without a limit all.
    pub page: Page,
}
impl Idempotent for ListProjects {}

/// The domains that match, as [`ListProjects`].
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Listed<Arc<Domain>>, Error>")]
pub struct ListDomains {
    /// Which domains.
    pub filter: DomainFilter,
    /// Which part of them; without a limit all.
    pub page: Page,
}
impl Idempotent for ListDomains {}
