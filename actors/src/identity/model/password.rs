//! Setting passwords: what becomes of the old ones, and when a user may do it.

use secrecy::SecretString;

use super::super::{Error, IdentitySettings};
use super::options::UserOptions;
use crate::db::DbTime;

const DAY: i64 = 86_400;

/// A password of the history, its hash aside. The newest is the present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct PasswordRecord {
    pub id: i32,
    /// In microseconds since 1970. No two of a user are equal.
    pub created_at: i64,
    /// Whether the user set it.
    pub self_service: bool,
}

/// A password that is to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct NewPassword {
    /// `None`: no password is right.
    pub hash: Option<String>,
    pub expires_at: Option<DbTime>,
    /// Whether the user sets it.
    pub self_service: bool,
}

impl IdentitySettings {
    /// When a password expires that an administrator sets at `now` (seconds since 1970).
    pub(in super::super) fn expiry_after_reset(
        &self,
        options: &UserOptions,
        now: i64,
    ) -> Option<DbTime> {
        let first_use = self.change_password_upon_first_use
            && options.ignore_change_password_upon_first_use != Some(true);
        match first_use {
            true => Some(DbTime::from_seconds(now)),
            false => self.expiry(options, now),
        }
    }

    /// When a password expires that is set at `now`, in seconds since 1970.
    pub(in super::super) fn expiry(&self, options: &UserOptions, now: i64) -> Option<DbTime> {
        let exempt = options.ignore_password_expiry == Some(true);
        self.password_expires_days
            .filter(|days| *days > 0 && !exempt)
            .map(|days| DbTime::from_seconds(now.saturating_add(i64::from(days) * DAY)))
    }

    /// How many passwords are kept beside a new one.
    pub(in super::super) fn kept_passwords(&self) -> usize {
        usize::try_from(self.unique_last_password_count.max(1)).unwrap_or(usize::MAX)
    }

    /// Whether a password may be set at all, by whomever.
    pub(in super::super) fn check_password(
        &self,
        password: Option<&SecretString>,
    ) -> Result<(), Error> {
        match (&self.password_requirement, password) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(Error::PasswordIsNoText),
            (Some(requirement), Some(password)) => requirement.check(password),
        }
    }

    /// Whether a user with these options may replace this password at `now` (seconds since 1970).
    pub(in super::super) fn check_own_change(
        &self,
        options: &UserOptions,
        present: Option<PasswordRecord>,
        now: i64,
    ) -> Result<(), Error> {
        if options.lock_password == Some(true) {
            return Err(Error::PasswordChangeDisabled);
        }
        // Of passwords that others set no age is asked: they are there to be changed.
        let Some(own) = present.filter(|password| password.self_service) else {
            return Ok(());
        };
        let age = i64::from(self.minimum_password_age) * DAY;
        let left = own.created_at.div_euclid(1_000_000).saturating_add(age) - now;
        match left > 0 {
            true => Err(Error::PasswordTooYoung {
                minimum: self.minimum_password_age,
                left: left / DAY,
            }),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_000_000;

    fn options(body: serde_json::Value) -> UserOptions {
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn a_password_expires_after_so_many_days_unless_excepted() {
        let mut settings = IdentitySettings::default();
        let none = UserOptions::default();
        assert_eq!(settings.expiry(&none, NOW), None);

        settings.password_expires_days = Some(2);
        assert_eq!(
            settings.expiry(&none, NOW),
            Some(DbTime::from_seconds(NOW + 2 * DAY))
        );
        let excepted = options(serde_json::json!({"ignore_password_expiry": true}));
        assert_eq!(settings.expiry(&excepted, NOW), None);
    }

    #[test]
    fn what_an_administrator_sets_expires_at_once_where_it_has_to_be_changed() {
        let mut settings = IdentitySettings::default();
        let none = UserOptions::default();
        assert_eq!(settings.expiry_after_reset(&none, NOW), None);

        settings.change_password_upon_first_use = true;
        assert_eq!(
            settings.expiry_after_reset(&none, NOW),
            Some(DbTime::from_seconds(NOW))
        );
        assert_eq!(settings.expiry(&none, NOW), None);
        let excepted = options(serde_json::json!({"ignore_change_password_upon_first_use": true}));
        assert_eq!(settings.expiry_after_reset(&excepted, NOW), None);
    }

    #[test]
    fn an_own_password_has_to_be_used_for_so_many_days() {
        let settings = IdentitySettings {
            minimum_password_age: 3,
            ..IdentitySettings::default()
        };
        let none = UserOptions::default();
        let set = |ago: i64, self_service| {
            Some(PasswordRecord {
                id: 1,
                created_at: (NOW - ago) * 1_000_000,
                self_service,
            })
        };
        let left = |ago| match settings.check_own_change(&none, set(ago, true), NOW) {
            Err(Error::PasswordTooYoung { left, .. }) => Some(left),
            _ => None,
        };

        assert_eq!(left(0), Some(3));
        assert_eq!(left(1), Some(2));
        assert_eq!(left(3 * DAY - 1), Some(0));
        assert_eq!(left(3 * DAY), None);
        assert!(settings.check_own_change(&none, set(0, false), NOW).is_ok());
        assert!(settings.check_own_change(&none, None, NOW).is_ok());
    }

    #[test]
    fn a_locked_password_is_not_the_users_to_change() {
        let locked = options(serde_json::json!({"lock_password": true}));
        let refused = IdentitySettings::default().check_own_change(&locked, None, NOW);
        assert!(matches!(refused, Err(Error::PasswordChangeDisabled)));
    }
}
