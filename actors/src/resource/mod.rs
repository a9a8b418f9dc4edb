//! Domains and projects: a tree whose roots are the domains. A domain is a project that acts as
//! domain, and is stored as one. Every token that is issued or validated asks for a few of them,
//! so each is cached by its ID, together with what it is found by: its name, and the chain of its
//! ancestors.

mod error;
mod handlers;
mod messages;
mod model;
mod settings;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use error::Error;
pub use messages::*;
pub use model::{
    Descendant, Domain, DomainContents, DomainFilter, DomainPatch, MOST_TAGS, NewDomain,
    NewProject, Project, ProjectFilter, ProjectPatch, TagEdit, TagFilter,
};
pub use settings::ResourceSettings;
pub(crate) use store::{domains, hold, hold_all, insert_domain};

use crate::actor::Provider;
use crate::cache::Cache;
use crate::db::Db;
use crate::ids::{DomainId, ProjectId};
use crate::revocation::Invalidations;

/// What the resource provider remembers; one set for all replicas.
#[derive(Clone)]
pub struct ResourceCaches {
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
    caches: ResourceCaches,
    invalidations: Invalidations,
    settings: Arc<ResourceSettings>,
}

impl Provider for ResourceProvider {
    const NAME: &'static str = "resource";
}

impl ResourceProvider {
    /// The provider on its pool.
    pub fn new(
        db: Db,
        caches: ResourceCaches,
        invalidations: Invalidations,
        settings: Arc<ResourceSettings>,
    ) -> Self {
        Self {
            db,
            caches,
            invalidations,
            settings,
        }
    }
}
