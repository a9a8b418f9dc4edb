//! What the application credential provider answers.

use std::sync::Arc;

use actix::Message;
use secrecy::SecretString;

use super::{ApplicationCredential, Authentication, Error, Lookup};
use crate::actor::Idempotent;
use crate::ids::ApplicationCredentialId;

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
