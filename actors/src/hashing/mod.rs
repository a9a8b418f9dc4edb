//! Passwords: hashing them, and telling whether one fits a stored hash.
//!
//! A password hash is slow by intent, so the work never runs where requests are served: it goes
//! to a [`HashPool`] of a few threads with lowered priority and a bounded queue. A storm of logins
//! fills that queue and is answered "busy", while token validation keeps its pace.
//!
//! Every form that Python Keystone 30 writes is read and written; [`HashPolicy`] holds the options
//! that choose between them. Whoever has no user to check against asks with no hash, and the pool
//! does the same work on a decoy: how long an answer takes doesn't tell whether a user exists.

mod algorithm;
mod hasher;
mod policy;
mod pool;
mod stored;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
mod tests;

pub use policy::{Algorithm, HashPolicy};
pub use pool::{HashPool, HashStats, PoolSize};

use crate::actor::Unavailable;

/// What became of a password that was compared with a stored hash. Only [`Verdict::Right`] may log
/// anybody in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The password is the one that was set.
    Right,
    /// It is another, or there was no hash to compare it with.
    Wrong,
    /// The stored hash can't be read: [`HashError::Unrecognised`] or [`HashError::TooCostly`].
    /// For the client it is a wrong password; for the operator's log it is a broken row.
    Unreadable(HashError),
}

/// Why no password was hashed or compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The stored text is no form that Keystone writes. It isn't repeated here: a row edited by
    /// hand may hold the password itself.
    #[error("the stored password hash has no known form; set the password anew")]
    Unrecognised,
    /// The parameters inside the stored hash ask for more time or memory than a login may take;
    /// [`HashPolicy`] tells the bounds.
    #[error("the stored password hash asks for more work than is allowed; set the password anew")]
    TooCostly,
    /// The password to be set is too long for `[identity] max_password_length`, or for plain
    /// bcrypt where `strict_password_check` is on. Keystone's `PasswordVerificationError`, a 403.
    #[error("the password is longer than {limit} bytes")]
    PasswordTooLong {
        /// The longest that is taken, in bytes of UTF-8.
        limit: usize,
    },
    /// As many passwords wait as may wait: 503 with `Retry-After`.
    #[error("too many passwords are waiting; try again in {retry_after_seconds} s")]
    Busy {
        /// When the present queue should be worked off, 1 to 30 seconds.
        retry_after_seconds: u32,
    },
    /// The pool was lost twice while it had the password, or the process is shutting down.
    #[error("the password hashing pool is unavailable")]
    Unavailable,
    /// Our defect, or no random numbers from the system. Logged where it happened.
    #[error("hashing the password failed")]
    Failed,
    /// An option has a value that no hash can be made with.
    #[error("{option} {rule}")]
    Policy {
        /// The option, as in `keystone.conf`.
        option: &'static str,
        /// What its value has to be.
        rule: &'static str,
    },
}

impl HashError {
    /// Why the pool could not be asked, if that is what this says.
    pub(crate) fn unavailable(&self) -> Option<Unavailable> {
        match self {
            Self::Busy {
                retry_after_seconds: retry_after,
            } => Some(Unavailable::Queued {
                retry_after: *retry_after,
            }),
            Self::Unavailable => Some(Unavailable::Restarting),
            Self::Unrecognised
            | Self::TooCostly
            | Self::PasswordTooLong { .. }
            | Self::Failed
            | Self::Policy { .. } => None,
        }
    }
}
