//! What an operator decides about users and passwords.

use super::{Lockout, PasswordRequirement};
use crate::ids::DomainId;

/// Options of `[identity]`, `[security_compliance]` and `[federation]` that users are treated by.
/// How passwords are hashed is the [`HashPolicy`](crate::hashing::HashPolicy)'s.
#[derive(Clone, Debug)]
pub struct IdentitySettings {
    /// `[identity] default_domain_id`: where users and groups go that name no domain.
    pub default_domain_id: DomainId,
    /// `disable_user_account_days_inactive`: so many days without a login disable a user.
    pub disable_user_account_days_inactive: Option<u32>,
    /// `lockout_failure_attempts` and `lockout_duration`; without the former nothing locks, and
    /// failures aren't counted.
    pub lockout: Option<Lockout>,
    /// `password_expires_days`: so many days after it was set a password expires.
    pub password_expires_days: Option<u32>,
    /// `password_regex` and `password_regex_description`: what a password has to look like.
    pub password_requirement: Option<PasswordRequirement>,
    /// `unique_last_password_count`: a user's own new password has to differ from so many before
    /// it, the present one included.
    pub unique_last_password_count: u32,
    /// `minimum_password_age`: so many days after an own change a user can't change it again.
    pub minimum_password_age: u32,
    /// `change_password_upon_first_use`: a password that an administrator sets is good only for
    /// changing it.
    pub change_password_upon_first_use: bool,
    /// `[federation] default_authorization_ttl`, in minutes: how long a membership lasts that an
    /// identity provider without a time of its own brings.
    pub default_authorization_ttl: u32,
}

impl Default for IdentitySettings {
    /// Keystone's defaults.
    fn default() -> Self {
        Self {
            default_domain_id: "default".into(),
            disable_user_account_days_inactive: None,
            lockout: None,
            password_expires_days: None,
            password_requirement: None,
            unique_last_password_count: 0,
            minimum_password_age: 0,
            change_password_upon_first_use: false,
            default_authorization_ttl: 0,
        }
    }
}

impl IdentitySettings {
    /// The days after which a user counts as inactive, if there is such a rule.
    pub(super) fn inactivity_days(&self) -> Option<u32> {
        self.disable_user_account_days_inactive
            .filter(|days| *days > 0)
    }
}
