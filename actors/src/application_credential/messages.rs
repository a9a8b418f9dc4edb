//! What the application credential provider answers.

use std::sync::Arc;

use actix::Message;
use secrecy::SecretString;

use super::{
    AccessRule, AccessRuleFilter, ApplicationCredential, Authentication, Created, Error, Lookup,
    NewApplicationCredential,
};
use crate::actor::Idempotent;
use crate::ids::{ApplicationCredentialId, UserId};
use crate::listing::TextFilter;

/// One application credential, expired or not: of those who look at it some may see expired ones.
/// `NotFound` if none has this ID.
///
/// Whether the asker may see it is for the API: its owner, and whom policy allows.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<ApplicationCredential>, Error>")]
pub struct GetApplicationCredential {
    /// Its ID.
    pub id: ApplicationCredentialId,
}
impl Idempotent for GetApplicationCredential {}

/// Whether this secret is the one of that application credential, and it has not expired.
///
/// Takes as long for one that doesn't exist. Who logs in is the owner of what is accepted,
/// whatever the request says; whether owner and project are enabled, and which of the roles the
/// owner still has, is found out when the token is made.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Authentication, Error>")]
pub struct AuthenticateApplicationCredential {
    /// Which one.
    pub lookup: Lookup,
    /// What the client claims to be its secret.
    pub secret: SecretString,
    /// Seconds since 1970.
    pub now: i64,
}
impl Idempotent for AuthenticateApplicationCredential {}

/// The application credentials of a user, in the order in which they were made, expired ones too.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<Arc<ApplicationCredential>>, Error>")]
pub struct ListApplicationCredentials {
    /// Whose.
    pub user: UserId,
    /// What their names have to meet.
    pub name: Vec<TextFilter>,
}
impl Idempotent for ListApplicationCredentials {}

/// Creates an application credential. `NameTaken` if its owner has one of this name,
/// `LimitExceeded` if as many as may be, `AccessRuleNotFound` for a rule by ID that is not the
/// owner's, `SecretTooLong` where it can't be hashed as configured.
///
/// For the API: that the asker is the owner, by a token that may do so, and which roles it has
/// ([`chosen_roles`](super::chosen_roles)); that the end is in the future.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Created, Error>")]
pub struct CreateApplicationCredential {
    /// The one to be.
    pub credential: NewApplicationCredential,
}

/// Deletes an application credential; tokens made from it end. `NotFound` if none has this ID.
/// Its access rules stay, for others of its owner's.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteApplicationCredential {
    /// Which.
    pub id: ApplicationCredentialId,
}

/// The access rules of a user, in the order in which they were made.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<AccessRule>, Error>")]
pub struct ListAccessRules {
    /// Whose.
    pub user: UserId,
    /// What they have to meet.
    pub filters: Vec<AccessRuleFilter>,
}
impl Idempotent for ListAccessRules {}

/// One access rule. `AccessRuleNotFound` if this user has none of this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<AccessRule, Error>")]
pub struct GetAccessRule {
    /// Its ID.
    pub id: String,
    /// Whose it has to be.
    pub user: UserId,
}
impl Idempotent for GetAccessRule {}

/// Deletes an access rule. `AccessRuleNotFound` if this user has none of this ID,
/// `AccessRuleInUse` while an application credential is restricted by it.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteAccessRule {
    /// Its ID.
    pub id: String,
    /// Whose it has to be.
    pub user: UserId,
}
