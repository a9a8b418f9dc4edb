//! Grants, and what they amount to.

mod list;
mod walk;

pub use list::{Assignment, AssignmentFilter};
pub(super) use list::{Expansion, Tree};
pub(super) use walk::Bounds;
pub use walk::{Assignments, AssignmentsIter, Mentioned};

use std::sync::Arc;

use crate::ids::{DomainId, GroupId, ProjectId, RoleId, UserId};
use crate::role::{Role, RoleGraph};

/// Who can be granted a role.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Actor {
    /// A user.
    User(UserId),
    /// All members of a group.
    Group(GroupId),
}

impl Actor {
    /// The user's or group's ID.
    pub fn id(&self) -> &str {
        match self {
            Self::User(id) => id.as_str(),
            Self::Group(id) => id.as_str(),
        }
    }
}

/// What a role can be granted on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GrantTarget {
    /// A project.
    Project(ProjectId),
    /// A domain.
    Domain(DomainId),
    /// The whole deployment.
    System,
}

impl GrantTarget {
    /// The ID by which the database knows it; `system` for the system.
    pub fn id(&self) -> &str {
        match self {
            Self::Project(id) => id.as_str(),
            Self::Domain(id) => id.as_str(),
            Self::System => "system",
        }
    }
}

/// One grant of an actor.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Grant {
    /// On what.
    pub target: GrantTarget,
    /// Which role.
    pub role_id: RoleId,
    /// `true`: not on the target, but on all projects below it.
    pub inherited: bool,
}

impl Grant {
    /// Whether it gives its role on a target with these ancestors.
    pub fn reaches(&self, target: &GrantTarget, ancestors: &[ProjectId]) -> bool {
        if !self.inherited {
            return self.target == *target;
        }
        // A domain's ID is that of the project which acts as it: the last of the ancestors.
        matches!(target, GrantTarget::Project(_))
            && ancestors.iter().any(|above| *above == *self.target.id())
    }
}

/// The roles that somebody has on a target.
#[derive(Debug, Default)]
pub struct EffectiveRoles {
    /// All of them, each once, by name; those of a domain included, which no token shows.
    pub roles: Vec<Arc<Role>>,
    /// What is above the target, where that is a project: the nearest first, the domain last.
    pub ancestors: Arc<[ProjectId]>,
}

impl EffectiveRoles {
    /// What these grants amount to on a target.
    pub fn new<'a>(
        grants: impl IntoIterator<Item = &'a Grant>,
        target: &GrantTarget,
        ancestors: Arc<[ProjectId]>,
        graph: &RoleGraph,
    ) -> Self {
        let granted = grants
            .into_iter()
            .filter(|grant| grant.reaches(target, &ancestors))
            .map(|grant| &grant.role_id);
        let mut roles: Vec<_> = graph.expand(granted).into_iter().cloned().collect();
        roles.sort_unstable_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Self { roles, ancestors }
    }

    /// The roles that a token shows, by name: the global ones. Without any there is no scope.
    pub fn visible(&self) -> impl Iterator<Item = &Arc<Role>> {
        self.roles.iter().filter(|role| role.domain_id.is_none())
    }
}

/// Where a user has a role that a token can show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes {
    /// Projects, each once, by ID.
    pub projects: Vec<ProjectId>,
    /// Domains, each once, by ID.
    pub domains: Vec<DomainId>,
    /// The system.
    pub system: bool,
}
