//! Role assignments: which user or group has which role on a project, on a domain, or on the
//! system; directly, or inherited by what is below. What an actor was granted is cached by actor;
//! what that amounts to on a target is computed from it, the tree of projects and the roles'
//! implications, which their providers cache.

mod handlers;
mod messages;
mod model;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use messages::{GetEffectiveRoles, ListScopes};
pub use model::{Actor, EffectiveRoles, Grant, GrantTarget, Scopes};

use crate::actor::{Handle, Provider, Unavailable};
use crate::cache::Cache;
use crate::db::Db;
use crate::resource::{self, ResourceProvider};
use crate::role::{self, RoleProvider};

/// The assignment provider.
#[derive(Clone)]
pub struct AssignmentProvider {
    db: Db,
    /// All that an actor was granted. One for all replicas.
    grants: Cache<Actor, Arc<[Grant]>>,
    roles: Handle<RoleProvider>,
    resources: Handle<ResourceProvider>,
}

impl Provider for AssignmentProvider {
    const NAME: &'static str = "assignment";
}

impl AssignmentProvider {
    /// The provider on its pool, and the providers that it asks.
    pub fn new(
        db: Db,
        grants: Cache<Actor, Arc<[Grant]>>,
        roles: Handle<RoleProvider>,
        resources: Handle<ResourceProvider>,
    ) -> Self {
        Self {
            db,
            grants,
            roles,
            resources,
        }
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What the role provider answered.
    #[error(transparent)]
    Role(role::Error),
    /// What the resource provider answered.
    #[error(transparent)]
    Resource(resource::Error),
    /// Trying again may help.
    #[error("the assignment provider is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("assignment storage failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);

impl From<role::Error> for Error {
    fn from(error: role::Error) -> Self {
        match error {
            role::Error::Unavailable(why) => Self::Unavailable(why),
            other => Self::Role(other),
        }
    }
}

impl From<resource::Error> for Error {
    fn from(error: resource::Error) -> Self {
        match error {
            resource::Error::Unavailable(why) => Self::Unavailable(why),
            other => Self::Resource(other),
        }
    }
}
