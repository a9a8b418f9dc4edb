//! Messages about users.

use std::sync::Arc;

use actix::Message;

use super::super::{DeletedUser, Error, NewUser, User, UserFilter, UserName, UserPatch};
use crate::actor::Idempotent;
use crate::ids::{DomainId, UserId};
use crate::listing::{Listed, Page};

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

/// The ID of the user of this name, which has to be spelled as it is stored. The database is asked each
/// time, as a cache knows only those who are there: who has not logged in may name anybody, and is not
/// to learn of whom by the time that an answer takes, nor by two spellings that find the same.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Option<UserId>, Error>")]
pub struct IdentifyUser {
    /// The name, compared letter by letter.
    pub name: String,
    /// The domain to look in.
    pub domain_id: DomainId,
}
impl Idempotent for IdentifyUser {}

/// What the users of these IDs are called, each once, in no order; unknown IDs are left out. Of those
/// that are not cached no more is read than that.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<UserName>, Error>")]
pub struct NameUsers {
    /// Their IDs.
    pub ids: Vec<UserId>,
}
impl Idempotent for NameUsers {}

/// The users that match, in the order of their IDs. `MarkerNotFound` if the page should begin
/// behind a user that there is not.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Listed<Arc<User>>, Error>")]
pub struct ListUsers {
    /// Which users.
    pub filter: UserFilter,
    /// Which part of them; without a limit all.
    pub page: Page,
}
impl Idempotent for ListUsers {}

/// Creates a user. The domain has to exist (`Resource(DomainNotFound)`), the name has to be free
/// in it (`NameTaken`), and a password has to be as the operator demands.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<User>, Error>")]
pub struct CreateUser {
    /// The user to be.
    pub user: NewUser,
    /// Seconds since 1970.
    pub now: i64,
}

/// Changes what `patch` names, keeps the rest. Disabling a user, and setting a password, end all
/// the user's tokens. Of a password that is set this way neither age nor history is asked.
///
/// Once answered, no provider of this node serves the old user, nor takes an ended token.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<User>, Error>")]
pub struct UpdateUser {
    /// Which user.
    pub id: UserId,
    /// What changes.
    pub patch: UserPatch,
    /// Seconds since 1970.
    pub now: i64,
}

/// Deletes a user with all that is its own: memberships, options, passwords, federated identities, the
/// mapping of its ID, role assignments, application credentials with their access rules, credentials,
/// OAuth 1 request and access tokens, passkeys with recovery codes and invitations. Trusts in which it
/// is trustor or trustee end. Ends its tokens.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<DeletedUser, Error>")]
pub struct DeleteUser {
    /// Which user.
    pub id: UserId,
    /// Seconds since 1970.
    pub now: i64,
}

/// Ends all tokens of a user. `UserNotFound` if there is none.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct RevokeUserTokens {
    /// Which user.
    pub id: UserId,
    /// Seconds since 1970: tokens issued at or before this second end.
    pub now: i64,
}
// Twice the same event revokes no more than once.
impl Idempotent for RevokeUserTokens {}
