//! Users as they are.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::options::UserOptions;
use crate::attributes::Extra;
use crate::db::DbTime;
use crate::ids::{DomainId, ProjectId, UserId};

/// A user: local, federated, or known from a directory.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// Its ID.
    pub id: UserId,
    /// 1 to 255 characters, of local users unique within `domain_id`. The display name of one
    /// that is federated only; empty where nothing is known.
    pub name: String,
    /// The domain that the user belongs to, for ever.
    pub domain_id: DomainId,
    /// As it is stored; [`Self::is_enabled`] is what counts.
    pub enabled: bool,
    /// When the user has been inactive for too long, in seconds since 1970. `None` where no such
    /// rule applies.
    pub inactive_from: Option<i64>,
    /// The project that a login without scope is scoped to. Not checked to exist.
    pub default_project_id: Option<ProjectId>,
    /// When the present password expires; [`Self::password_is_expired`] is what counts.
    pub password_expires_at: Option<DbTime>,
    /// Exceptions from the rules for passwords, and multi-factor rules.
    pub options: UserOptions,
    /// Who the user is to identity providers.
    pub federated: Vec<FederatedIdentity>,
    /// Attributes that no column holds: `description`, `email`, and whatever else was given.
    pub extra: Extra,
}

/// What a user is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserName {
    /// The user's ID.
    pub id: UserId,
    /// See [`User::name`].
    pub name: String,
    /// See [`User::domain_id`].
    pub domain_id: DomainId,
}

impl UserName {
    /// That of a user.
    pub fn of(user: &User) -> Self {
        Self {
            id: user.id.clone(),
            name: user.name.clone(),
            domain_id: user.domain_id.clone(),
        }
    }
}

/// A user of an identity provider, by protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FederatedIdentity {
    /// The identity provider.
    pub idp_id: String,
    /// The protocols that the user comes by, at least one.
    pub protocols: Vec<FederatedProtocol>,
}

/// What a user is called by one protocol of an identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FederatedProtocol {
    /// The protocol.
    pub protocol_id: String,
    /// The name that the identity provider gives the user and nobody else.
    pub unique_id: String,
}

impl User {
    /// Whether the user may do anything at `now` (seconds since 1970): enabled, and not inactive
    /// for too long. The domain has to be enabled too.
    pub fn is_enabled(&self, now: i64) -> bool {
        self.enabled && self.inactive_from.is_none_or(|from| now < from)
    }

    /// Whether the password is no longer good at `now`, in seconds since 1970.
    pub fn password_is_expired(&self, now: i64) -> bool {
        self.options.ignore_password_expiry != Some(true)
            && self
                .password_expires_at
                .is_some_and(|at| at <= DbTime::from_seconds(now))
    }

    /// The user as v3 shows it at `now` (seconds since 1970); the API adds `links`.
    pub fn view(&self, now: i64) -> UserView<'_> {
        UserView {
            federated: &self.federated,
            ..self.list_view(now)
        }
    }

    /// The user as v3 shows it in lists: without `federated`.
    pub fn list_view(&self, now: i64) -> UserView<'_> {
        UserView {
            extra: &self.extra,
            id: &self.id,
            name: &self.name,
            domain_id: &self.domain_id,
            enabled: self.is_enabled(now),
            default_project_id: self.default_project_id.as_ref(),
            password_expires_at: self.password_expires_at.map(DbTime::iso_without_zone),
            options: &self.options,
            federated: &[],
        }
    }
}

/// A user as v3 shows it.
#[derive(Debug, Serialize)]
pub struct UserView<'a> {
    /// First, so that no attribute of unknown name stands for a known one.
    #[serde(flatten)]
    extra: &'a Extra,
    id: &'a UserId,
    name: &'a str,
    domain_id: &'a DomainId,
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_project_id: Option<&'a ProjectId>,
    password_expires_at: Option<String>,
    options: &'a UserOptions,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    federated: &'a [FederatedIdentity],
}

/// The moment from which a user counts as inactive: midnight UTC, `days` after the day of the
/// last login, or of the creation where there was none. In seconds since 1970.
pub(in super::super) fn inactive_from(
    days: Option<u32>,
    last_active: Option<NaiveDate>,
    created: Option<NaiveDate>,
    options: &UserOptions,
) -> Option<i64> {
    let days = days.filter(|days| *days > 0)?;
    if options.ignore_user_inactivity == Some(true) {
        return None;
    }
    let day = last_active.or(created)?;
    let end = day.checked_add_days(chrono::Days::new(days.into()))?;
    Some(end.and_time(chrono::NaiveTime::MIN).and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    const NOW: i64 = 1_795_000_000;

    fn sample() -> User {
        User {
            id: "u".into(),
            name: "alice".to_owned(),
            domain_id: "d".into(),
            enabled: true,
            inactive_from: None,
            default_project_id: None,
            password_expires_at: None,
            options: UserOptions::default(),
            federated: Vec::new(),
            extra: Extra::new(),
        }
    }

    #[test]
    fn a_user_is_shown_as_keystone_shows_it() {
        let mut user = sample();
        user.extra = from_value(json!({"email": "a@example.org"})).unwrap();
        let plain = to_value(user.view(NOW)).unwrap();
        assert_eq!(
            plain,
            json!({"email": "a@example.org", "id": "u", "name": "alice", "domain_id": "d", "enabled": true,
                "password_expires_at": null, "options": {}})
        );

        user.default_project_id = Some("p".into());
        user.password_expires_at = Some(DbTime::from_seconds(1_795_000_000));
        user.federated = from_value(
            json!([{"idp_id": "i", "protocols": [{"protocol_id": "p", "unique_id": "x"}]}]),
        )
        .unwrap();
        let full = to_value(user.view(NOW)).unwrap();
        assert_eq!(full["default_project_id"], "p");
        assert_eq!(full["password_expires_at"], "2026-11-18T11:06:40.000000");
        assert_eq!(full["federated"][0]["idp_id"], "i");
        assert_eq!(
            to_value(user.list_view(NOW)).unwrap().get("federated"),
            None
        );
    }

    #[test]
    fn a_user_is_inactive_after_so_many_days_unless_excepted() {
        let day = |text: &str| text.parse::<NaiveDate>().ok();
        let midnight = |text: &str| {
            let day: NaiveDate = text.parse().unwrap();
            Some(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp())
        };
        let none = UserOptions::default();
        let excepted = UserOptions {
            ignore_user_inactivity: Some(true),
            ..UserOptions::default()
        };
        let (active, created) = (day("2026-11-10"), day("2026-01-01"));

        assert_eq!(
            inactive_from(Some(30), active, created, &none),
            midnight("2026-12-10")
        );
        assert_eq!(
            inactive_from(Some(30), None, created, &none),
            midnight("2026-01-31")
        );
        assert_eq!(inactive_from(Some(30), None, None, &none), None);
        assert_eq!(inactive_from(None, active, created, &none), None);
        assert_eq!(inactive_from(Some(30), active, created, &excepted), None);

        let mut user = sample();
        user.inactive_from = Some(NOW);
        assert!(user.is_enabled(NOW - 1));
        assert!(!user.is_enabled(NOW));
    }

    #[test]
    fn a_password_expires_unless_excepted() {
        let mut user = sample();
        assert!(!user.password_is_expired(NOW));
        user.password_expires_at = Some(DbTime::from_seconds(NOW));
        assert!(!user.password_is_expired(NOW - 1));
        assert!(user.password_is_expired(NOW));
        user.options.ignore_password_expiry = Some(true);
        assert!(!user.password_is_expired(NOW));
    }
}
