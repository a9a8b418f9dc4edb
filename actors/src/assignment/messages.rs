//! What the assignment provider answers.

use std::sync::Arc;

use actix::Message;

use super::{
    Actor, AssignmentFilter, Assignments, EffectiveRoles, Error, Grant, GrantTarget, Scopes,
};
use crate::actor::Idempotent;
use crate::ids::{GroupId, ProjectId, UserId};
use crate::role::Role;

/// The roles that a user has on a target, whatever the way: its own and its groups' grants, what
/// is inherited from above, and what all those imply. `Resource(NotFound)` for an unknown project.
///
/// What is computed from the answer depends on [`Kind`](crate::epoch::Kind) `Assignments` of the
/// user and of each group, `Roles`, and `Project` of the target and of each of
/// [`EffectiveRoles::ancestors`].
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<EffectiveRoles>, Error>")]
pub struct GetEffectiveRoles {
    /// Who.
    pub user: UserId,
    /// The groups that it is in.
    pub groups: Arc<[GroupId]>,
    /// On what.
    pub target: GrantTarget,
}
impl Idempotent for GetEffectiveRoles {}

/// Everything on which a user has a role that a token can show, whatever the way. Whether a
/// project or domain is enabled is not looked at.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Scopes, Error>")]
pub struct ListScopes {
    /// Who.
    pub user: UserId,
    /// The groups that it is in.
    pub groups: Arc<[GroupId]>,
}
impl Idempotent for ListScopes {}

/// Those of these projects on which a user has a role that a token can show, whatever the way, in
/// the given order. A domain that acts as a project counts as one; whether there is such a project is
/// not looked at.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<ProjectId>, Error>")]
pub struct RetainWithRole {
    /// Who.
    pub user: UserId,
    /// The groups that it is in.
    pub groups: Arc<[GroupId]>,
    /// Of which projects.
    pub projects: Vec<ProjectId>,
    /// Whether each of them is below those that follow it: then nothing has to be looked up.
    pub is_chain: bool,
}
impl Idempotent for RetainWithRole {}

/// Gives a user or a group a role. Nothing happens where it has been given already. `Role`,
/// `Resource` or `Identity` with their "not found"; a role of a domain is neither for projects of
/// another (`RoleOfOtherDomain`) nor for the system (`DomainRoleOnSystem`).
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct CreateGrant {
    /// Whom.
    pub actor: Actor,
    /// What.
    pub grant: Grant,
}
impl Idempotent for CreateGrant {}

/// Whether a user or a group was given exactly this: `NotGranted` if not.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct CheckGrant {
    /// Whose.
    pub actor: Actor,
    /// What.
    pub grant: Grant,
}
impl Idempotent for CheckGrant {}

/// The roles that a user or a group was given on exactly this target, in the order of their IDs.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<Arc<Role>>, Error>")]
pub struct ListGrants {
    /// Whose.
    pub actor: Actor,
    /// On what.
    pub target: GrantTarget,
    /// Those to be inherited by what is below, or those on the target itself.
    pub inherited: bool,
}
impl Idempotent for ListGrants {}

/// Takes a role back, also from a user or a group that there is no longer. `NotGranted` if it
/// hasn't been given. Tokens show the change at their next use.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteGrant {
    /// Whose.
    pub actor: Actor,
    /// What.
    pub grant: Grant,
}

/// Role assignments, in no order: a constant number of statements for each thousand groups or
/// projects that they are about. `Resource(NotFound)` for a project whose subtree or effective
/// roles are asked for.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Assignments, Error>")]
pub struct ListAssignments {
    /// Which.
    pub filter: AssignmentFilter,
    /// Seconds since 1970: of a user that is asked for, memberships count only while they last.
    pub now: i64,
}
impl Idempotent for ListAssignments {}
