//! Messages about groups and who is in them.

use std::sync::Arc;

use actix::Message;

use super::super::{
    Error, Group, GroupFilter, GroupOfUser, GroupPatch, Memberships, NewGroup, User, UserFilter,
};
use crate::actor::Idempotent;
use crate::ids::{DomainId, GroupId, UserId};
use crate::listing::{Listed, Page, TextFilter};

/// One group. `GroupNotFound` if none has this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Group>, Error>")]
pub struct GetGroup {
    /// Its ID.
    pub id: GroupId,
}
impl Idempotent for GetGroup {}

/// The group of this name.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Option<Arc<Group>>, Error>")]
pub struct FindGroup {
    /// The name, compared as the database compares.
    pub name: String,
    /// The domain to look in.
    pub domain_id: DomainId,
}
impl Idempotent for FindGroup {}

/// The groups of these IDs, each once, in no order; unknown IDs are left out.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<Arc<Group>>, Error>")]
pub struct GetGroups {
    /// Their IDs.
    pub ids: Vec<GroupId>,
}
impl Idempotent for GetGroups {}

/// The groups that match, in the order of their IDs. `MarkerNotFound` if the page should begin
/// behind a group that there is not.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Listed<Arc<Group>>, Error>")]
pub struct ListGroups {
    /// Which groups.
    pub filter: GroupFilter,
    /// Which part of them; without a limit all.
    pub page: Page,
}
impl Idempotent for ListGroups {}

/// Creates a group. The domain has to exist (`Resource(DomainNotFound)`), and the name has to be
/// free in it (`NameTaken`).
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Group>, Error>")]
pub struct CreateGroup {
    /// The group to be.
    pub group: NewGroup,
}

/// Changes what `patch` names, keeps the rest.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Group>, Error>")]
pub struct UpdateGroup {
    /// Which group.
    pub id: GroupId,
    /// What changes.
    pub patch: GroupPatch,
}

/// Deletes a group and who is in it. If it had any role, the tokens of its members end.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteGroup {
    /// Which group.
    pub id: GroupId,
    /// Seconds since 1970.
    pub now: i64,
}

/// Puts a user into a group, for good; nothing happens to one that is in it. `GroupNotFound`, or
/// else `UserNotFound`.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct AddUserToGroup {
    /// The group.
    pub group: GroupId,
    /// The user.
    pub user: UserId,
}
impl Idempotent for AddUserToGroup {}

/// Takes a user out of a group, and ends the user's tokens. `GroupNotFound`, `UserNotFound` or
/// `NotInGroup`; expiring memberships are no such membership.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct RemoveUserFromGroup {
    /// The group.
    pub group: GroupId,
    /// The user.
    pub user: UserId,
    /// Seconds since 1970.
    pub now: i64,
}

/// Whether a user is in a group at `now`: `GroupNotFound`, `UserNotFound` or `NotInGroup` if not.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct CheckUserInGroup {
    /// The group.
    pub group: GroupId,
    /// The user.
    pub user: UserId,
    /// Seconds since 1970.
    pub now: i64,
}
impl Idempotent for CheckUserInGroup {}

/// The users that are in a group for good and match, in the order of their IDs. `GroupNotFound`
/// if there is no such group, `MarkerNotFound` if there is no user of the marker's ID. A page is full
/// where there are more.
///
/// A group may be too large to be read within one deadline. Whoever wants all of it asks for some at a
/// time.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Listed<Arc<User>>, Error>")]
pub struct ListUsersInGroup {
    /// The group.
    pub group: GroupId,
    /// Which of its users.
    pub filter: UserFilter,
    /// Which part; without a limit all of them.
    pub page: Page,
    /// The last of the answer before, where this goes on with it; it may be gone since.
    pub after: Option<UserId>,
}
impl Idempotent for ListUsersInGroup {}

/// Who is in these groups for good, in no order: pairs of a group and a user.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<(GroupId, UserId)>, Error>")]
pub struct ListMembers {
    /// The groups.
    pub groups: Vec<GroupId>,
}
impl Idempotent for ListMembers {}

/// The groups that a user is in at `now`, each once, in the order of their IDs, with the time
/// when the membership ends, if it does. `UserNotFound` if there is no such user.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<GroupOfUser>, Error>")]
pub struct ListUserGroups {
    /// Whose groups.
    pub user: UserId,
    /// On the group's name.
    pub name: Vec<TextFilter>,
    /// Seconds since 1970.
    pub now: i64,
}
impl Idempotent for ListUserGroups {}

/// The IDs of the groups that a user is in at `now`; none for a user that doesn't exist.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<[GroupId]>, Error>")]
pub struct ListGroupsOfUser {
    /// Whose groups.
    pub user: UserId,
    /// Seconds since 1970: expiring memberships count only while they last.
    pub now: i64,
}
impl Idempotent for ListGroupsOfUser {}

/// The memberships of a user, expiring ones with the time of their end: for who remembers what
/// follows from them. None for a user that doesn't exist.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Memberships>, Error>")]
pub struct GetMemberships {
    /// Whose.
    pub user: UserId,
}
impl Idempotent for GetMemberships {}
