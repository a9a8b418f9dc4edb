//! What the role provider answers.

use std::sync::Arc;

use actix::Message;

use super::{Error, NewRole, Role, RoleGraph, RolePatch};
use crate::actor::Idempotent;
use crate::ids::RoleId;

/// All roles and implications. Lists, filters and expansions are done on it without SQL.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<RoleGraph>, Error>")]
pub struct GetRoleGraph;
impl Idempotent for GetRoleGraph {}

/// One role. `NotFound` if none has this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Role>, Error>")]
pub struct GetRole {
    /// Its ID.
    pub id: RoleId,
}
impl Idempotent for GetRole {}

/// Creates a role. `NameTaken` if its domain, or the set of global roles, has one of this name.
#[derive(Debug, Message)]
#[rtype(result = "Result<Arc<Role>, Error>")]
pub struct CreateRole {
    /// The role to be.
    pub role: NewRole,
}

/// Changes what `patch` names, keeps the rest. `Immutable` unless it does nothing but clear that
/// option.
///
/// Once answered, no provider of this node serves the old role.
#[derive(Debug, Message)]
#[rtype(result = "Result<Arc<Role>, Error>")]
pub struct UpdateRole {
    /// Which role.
    pub id: RoleId,
    /// What changes.
    pub patch: RolePatch,
}

/// Deletes a role with its implications and assignments, and the application credentials of
/// those who were assigned it (Keystone's rule).
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteRole {
    /// Which role.
    pub id: RoleId,
}

/// From now on, whoever has `prior` has `implied` too. `ProhibitedImplication` where that may not be.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct CreateImplication {
    /// The role that implies.
    pub prior: RoleId,
    /// The role that is implied.
    pub implied: RoleId,
}

/// Undoes [`CreateImplication`]. `NotImplied` if there is nothing to undo.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteImplication {
    /// The role that implied.
    pub prior: RoleId,
    /// The role that was implied.
    pub implied: RoleId,
}
