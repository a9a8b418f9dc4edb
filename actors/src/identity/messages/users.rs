//! Messages about users.

use std::sync::Arc;

use actix::Message;

use super::super::{Error, User};
use crate::actor::Idempotent;
use crate::ids::{DomainId, UserId};

/// One user. `UserNotFound` if none has this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<User>, Error>")]
pub struct GetUser {
    /// Its ID.
    pub id: UserId,
}
impl Idempotent for GetUser {}

/// The user of this name, local or known from a directory; federated users are not found by
/// their display name.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Option<Arc<User>>, Error>")]
pub struct FindUser {
    /// The name, compared as the database compares.
    pub name: String,
    /// The domain to look in.
    pub domain_id: DomainId,
}
impl Idempotent for FindUser {}
