//! Logging in by password: what is asked, what is answered, and when an account is locked.

use std::sync::Arc;

use super::user::User;
use crate::db::DbTime;
use crate::ids::{DomainId, UserId};

/// How a user is named at a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserLookup {
    /// By ID.
    ById(UserId),
    /// By name, in a domain.
    ByName {
        /// The name, compared as the database compares.
        name: String,
        /// The domain's ID.
        domain_id: DomainId,
    },
}

/// What became of a login. A refusal is an answer, not an error.
#[derive(Clone, Debug, PartialEq)]
pub enum Authenticated {
    /// The user is who they say they are. The domain is the caller's to look at.
    Accepted(Arc<User>),
    /// Somebody else, or nobody.
    Refused(Refusal),
}

/// Why a password was not taken. For logs and for audit: to a client all of them are one, the
/// expired password aside, which it is told of because it was right.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// There is no such user.
    UnknownUser,
    /// The user, or the domain, is disabled; or the user was inactive for too long.
    Disabled,
    /// There were too many failures lately.
    Locked,
    /// Another password, or a user that has none.
    WrongPassword,
    /// The password was right, and has to be changed.
    PasswordExpired {
        /// Whose it is.
        user: Arc<User>,
    },
}

/// What became of a user's own change of password. A breach of a rule is an error.
#[derive(Clone, Debug, PartialEq)]
pub enum PasswordChange {
    /// It is changed.
    Changed,
    /// The original password was not taken. Never [`Refusal::PasswordExpired`]: an expired
    /// password can be changed.
    Refused(Refusal),
}

/// Failed logins since the last good one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Failures {
    pub count: u32,
    pub last_at: Option<DbTime>,
}

/// When failures lock an account: `[security_compliance] lockout_failure_attempts` and
/// `lockout_duration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockout {
    /// So many failures in a row lock it.
    pub attempts: u32,
    /// For so many seconds after the last of them; `None`: until somebody unlocks it.
    pub duration: Option<u32>,
}

impl Lockout {
    /// Failures at or before this time no longer lock, at `now` in seconds since 1970.
    pub(in super::super) fn forgotten_until(&self, now: i64) -> Option<DbTime> {
        let duration = self.duration?;
        Some(DbTime::from_seconds(now.saturating_sub(duration.into())))
    }

    /// Whether an account with these failures is locked at `now`, in seconds since 1970.
    pub(in super::super) fn locks(&self, failures: Failures, now: i64) -> bool {
        let forgotten = self
            .forgotten_until(now)
            .zip(failures.last_at)
            .is_some_and(|(until, last)| last <= until);
        failures.count >= self.attempts && !forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_000_000;

    fn failed(count: u32, ago: i64) -> Failures {
        Failures {
            count,
            last_at: Some(DbTime::from_seconds(NOW - ago)),
        }
    }

    #[test]
    fn so_many_failures_lock_for_so_long() {
        let rule = Lockout {
            attempts: 3,
            duration: Some(60),
        };
        assert!(!rule.locks(failed(2, 0), NOW));
        assert!(rule.locks(failed(3, 0), NOW));
        assert!(rule.locks(failed(4, 59), NOW));
        assert!(!rule.locks(failed(3, 60), NOW));
    }

    #[test]
    fn without_a_duration_a_lock_stays() {
        let rule = Lockout {
            attempts: 3,
            duration: None,
        };
        assert!(rule.locks(failed(3, 1_000_000), NOW));
    }

    #[test]
    fn failures_without_a_time_lock() {
        let rule = Lockout {
            attempts: 3,
            duration: Some(60),
        };
        let failures = Failures {
            count: 3,
            last_at: None,
        };
        assert!(rule.locks(failures, NOW));
    }
}
