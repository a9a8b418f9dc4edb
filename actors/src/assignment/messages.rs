//! What the assignment provider answers.

use std::sync::Arc;

use actix::Message;

use super::{EffectiveRoles, Error, GrantTarget, Scopes};
use crate::actor::Idempotent;
use crate::ids::{GroupId, UserId};

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
