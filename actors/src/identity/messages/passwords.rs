//! Messages about passwords.

use actix::Message;
use secrecy::SecretString;

use super::super::{Authenticated, Error, UserLookup};

/// Compares a password with the one that a user has. Failures count towards a lock-out.
///
/// The order of the rules is Keystone's: user exists, domain and user enabled, not locked,
/// password right, not expired. The work is the same whichever of them refuses.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Authenticated, Error>")]
pub struct AuthenticatePassword {
    /// Whose it should be.
    pub user: UserLookup,
    /// What was given for it.
    pub password: SecretString,
    /// Whether the user's domain is enabled, where it is known beforehand; `true` where the caller
    /// looks at the domain of the user that comes back.
    pub domain_enabled: bool,
    /// Seconds since 1970.
    pub now: i64,
}
