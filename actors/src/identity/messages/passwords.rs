//! Messages about passwords.

use actix::Message;
use secrecy::SecretString;

use super::super::{Authenticated, Error, PasswordChange, UserLookup};
use crate::ids::UserId;

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

/// Whether a user who has proven otherwise than by password who it is may log in: refused where
/// there is no such user (`UnknownUser`), it is disabled or was away for too long (`Disabled`), or
/// failures lock the account (`Locked`). Notes the day of the activity.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Authenticated, Error>")]
pub struct AdmitUser {
    /// Who.
    pub user: UserId,
    /// Seconds since 1970.
    pub now: i64,
}

/// Changes a user's own password, an expired one too, and ends the user's tokens.
///
/// The rules, in this order: the original password is right (a failure counts towards a lock-out,
/// and is told as it is at a login), the user is enabled, the new one is as the operator demands
/// (`PasswordRequirements`), the user may change it (`PasswordChangeDisabled`), it was used long
/// enough (`PasswordTooYoung`), and the new one was not used lately (`PasswordReused`). Whoever
/// does not know the original learns of none of the others.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<PasswordChange, Error>")]
pub struct ChangePassword {
    /// Whose.
    pub user: UserId,
    /// The present one.
    pub original: SecretString,
    /// The new one.
    pub password: SecretString,
    /// Seconds since 1970.
    pub now: i64,
}
