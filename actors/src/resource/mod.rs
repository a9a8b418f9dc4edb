//! Domains and projects: a tree whose roots are the domains. A domain is a project that acts as
//! domain, and is stored as one. Every token that is issued or validated asks for a few of them,
//! so each is cached by its ID, together with what it is found by: its name, and the chain of its
//! ancestors.

mod handlers;
mod messages;
mod model;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use messages::{
    FindDomain, FindProject, GetAncestors, GetDescendants, GetDomain, GetProject, GetProjects,
};
pub use model::{Descendant, Domain, Project};

use crate::actor::{Provider, Unavailable};
use crate::cache::Cache;
use crate::db::Db;
use crate::ids::{DomainId, ProjectId};

/// What the resource provider remembers; one set for all replicas.
#[derive(Clone)]
pub struct Caches {
    /// Projects and domains by ID.
    pub projects: Cache<ProjectId, Arc<Project>>,
    /// Domains by ID, in their own form.
    pub domains: Cache<DomainId, Arc<Domain>>,
    /// IDs by name: of projects in a domain, and of domains (`None`).
    pub names: Cache<(Option<DomainId>, String), ProjectId>,
    /// The ancestors of a project.
    pub ancestors: Cache<ProjectId, Arc<[ProjectId]>>,
}

/// The resource provider.
#[derive(Clone)]
pub struct ResourceProvider {
    db: Db,
    caches: Caches,
}

impl Provider for ResourceProvider {
    const NAME: &'static str = "resource";
}

impl ResourceProvider {
    /// The provider on its pool.
    pub fn new(db: Db, caches: Caches) -> Self {
        Self { db, caches }
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No project has this ID or name.
    #[error("Could not find project: {0}.")]
    NotFound(String),
    /// No domain has this ID or name.
    #[error("Could not find domain: {0}.")]
    DomainNotFound(String),
    /// Trying again may help.
    #[error("the resource provider is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("resource storage failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);
