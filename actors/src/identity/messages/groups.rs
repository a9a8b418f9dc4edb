//! Messages about groups and who is in them.

use std::sync::Arc;

use actix::Message;

use super::super::{Error, Group, Memberships};
use crate::actor::Idempotent;
use crate::ids::{DomainId, GroupId, UserId};

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
