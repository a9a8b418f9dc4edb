//! Roles, global or owned by a domain, and the rules by which one implies others. Read for every
//! token issued, changed a few times a year, and few: the whole set is cached as one
//! [`RoleGraph`], until any role or implication changes.

mod handlers;
mod messages;
mod model;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use messages::{
    CreateImplication, CreateRole, DeleteImplication, DeleteRole, GetRole, GetRoleGraph, UpdateRole,
};
pub use model::{NewRole, Role, RoleGraph, RolePatch};

use crate::actor::{Provider, Unavailable};
use crate::cache::Cache;
use crate::db::Db;
use crate::ids::RoleId;
use crate::revocation::Invalidations;

/// The role provider.
#[derive(Clone)]
pub struct RoleProvider {
    db: Db,
    /// One for all replicas. There is one graph.
    graph: Cache<(), Arc<RoleGraph>>,
    invalidations: Invalidations,
    /// Names of roles that no role may imply: `[assignment] prohibited_implied_role`.
    prohibited: Arc<[String]>,
}

impl Provider for RoleProvider {
    const NAME: &'static str = "role";
}

impl RoleProvider {
    /// The provider on its pool, with the names of roles that may not be implied.
    pub fn new(
        db: Db,
        graph: Cache<(), Arc<RoleGraph>>,
        invalidations: Invalidations,
        prohibited: Arc<[String]>,
    ) -> Self {
        Self {
            db,
            graph,
            invalidations,
            prohibited,
        }
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such role.
    #[error("Could not find role: {0}.")]
    NotFound(RoleId),
    /// The prior role does not imply the other.
    #[error("{prior} does not imply {implied}.")]
    NotImplied {
        /// The role that should imply.
        prior: RoleId,
        /// The role that should be implied.
        implied: RoleId,
    },
    /// The name is taken, among the global roles or in the domain.
    #[error(
        "Conflict occurred attempting to store role - Duplicate entry found with name {name}{}.",
        at(domain)
    )]
    NameTaken {
        /// The name.
        name: String,
        /// The domain, if it was named.
        domain: Option<String>,
    },
    /// The implication exists.
    #[error("Conflict occurred attempting to store implied_role - Duplicate entry.")]
    ImplicationExists,
    /// Keystone's rules for implied roles refuse this one.
    #[error("{0} cannot be an implied roles.")]
    ProhibitedImplication(RoleId),
    /// `options.immutable` has to be cleared first, in a request of its own.
    #[error(
        "Unable to update immutable role resource: `{0}. Set resource option \"immutable\" to \
         false first."
    )]
    Immutable(RoleId),
    /// The same, for a deletion.
    #[error(
        "Unable to delete immutable role resource: `{0}. Set resource option \"immutable\" to \
         false first."
    )]
    ImmutableDeletion(RoleId),
    /// A role stays in its domain.
    #[error("Update of `domain_id` is not allowed.")]
    DomainIsFixed,
    /// Trying again may help.
    #[error("the role provider is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("role storage failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);

fn at(domain: &Option<String>) -> String {
    domain
        .as_ref()
        .map(|id| format!(" at domain ID {id}"))
        .unwrap_or_default()
}
