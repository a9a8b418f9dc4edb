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

pub use messages::{
    CheckGrant, CreateGrant, DeleteGrant, GetEffectiveRoles, ListAssignments, ListGrants,
    ListScopes, RetainWithRole,
};
pub use model::{
    Actor, Assignment, AssignmentFilter, Assignments, AssignmentsIter, EffectiveRoles, Grant,
    GrantTarget, Mentioned, Scopes,
};
pub(crate) use store::{
    delete_of_groups, delete_of_role, delete_of_users, delete_on_domain, delete_on_projects,
};

use self::store::Sought;
use crate::actor::{Handle, Provider, Unavailable};
use crate::cache::Cache;
use crate::db::Db;
use crate::identity::{self, IdentityProvider};
use crate::ids::{ProjectId, RoleId};
use crate::resource::{self, ResourceProvider};
use crate::revocation::Invalidations;
use crate::role::{self, RoleProvider};

/// Grants, and whose they are.
type Found = Arc<[(Actor, Grant)]>;

/// The assignment provider.
#[derive(Clone)]
pub struct AssignmentProvider {
    db: Db,
    /// All that an actor was granted. One for all replicas.
    grants: Cache<Actor, Arc<[Grant]>>,
    /// What was found by targets or roles, where lists are kept.
    found: Option<Cache<Sought, Found>>,
    invalidations: Invalidations,
    role: Handle<RoleProvider>,
    resource: Handle<ResourceProvider>,
    identity: Handle<IdentityProvider>,
}

impl Provider for AssignmentProvider {
    const NAME: &'static str = "assignment";
}

impl AssignmentProvider {
    /// The provider on its pool, and the providers that it asks.
    pub(crate) fn new(
        db: Db,
        grants: Cache<Actor, Arc<[Grant]>>,
        found: Option<Cache<Sought, Found>>,
        invalidations: Invalidations,
        role: Handle<RoleProvider>,
        resource: Handle<ResourceProvider>,
        identity: Handle<IdentityProvider>,
    ) -> Self {
        Self {
            db,
            grants,
            found,
            invalidations,
            role,
            resource,
            identity,
        }
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody was granted this.
    #[error(
        "Could not find role assignment with role: {role}, user or group: {actor}, project, \
         domain, or system: {target}."
    )]
    NotGranted {
        /// Which role.
        role: RoleId,
        /// Whose.
        actor: String,
        /// On what.
        target: String,
    },
    /// A role of a domain is for the projects of that domain.
    #[error("Project {project} must be in the same domain as the role {role} being assigned.")]
    RoleOfOtherDomain {
        /// The project.
        project: ProjectId,
        /// The role.
        role: RoleId,
    },
    /// A role of a domain is not for the system.
    #[error(
        "Role {0} is a domain-specific role. Unable to use a domain-specific role in a system \
         assignment."
    )]
    DomainRoleOnSystem(RoleId),
    /// What the role provider answered.
    #[error(transparent)]
    Role(role::Error),
    /// What the resource provider answered, or would have.
    #[error(transparent)]
    Resource(resource::Error),
    /// What the identity provider answered, or would have.
    #[error(transparent)]
    Identity(identity::Error),
    /// Trying again may help.
    #[error("the assignment provider is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("assignment storage failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);

impl Error {
    fn not_granted(actor: &Actor, grant: &Grant) -> Self {
        Self::NotGranted {
            role: grant.role_id.clone(),
            actor: actor.id().to_owned(),
            target: grant.target.id().to_owned(),
        }
    }

    fn no_such(actor: &Actor) -> Self {
        Self::Identity(match actor {
            Actor::User(id) => identity::Error::UserNotFound(id.to_string()),
            Actor::Group(id) => identity::Error::GroupNotFound(id.to_string()),
        })
    }
}

/// What another provider could not tell is no answer of it.
macro_rules! answers_of {
    ($($provider:ident => $variant:ident),*) => {$(
        impl From<$provider::Error> for Error {
            fn from(error: $provider::Error) -> Self {
                match error {
                    $provider::Error::Unavailable(why) => Self::Unavailable(why),
                    other => Self::$variant(other),
                }
            }
        }
    )*};
}
answers_of!(role => Role, resource => Resource, identity => Identity);
