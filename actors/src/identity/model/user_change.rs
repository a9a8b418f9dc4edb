//! Users as they are asked to be.

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use super::super::Error;
use super::options::{UserOptions, UserOptionsPatch};
use super::user::{FederatedIdentity, User};
use crate::attributes::{Extra, double_option, merge_extra};
use crate::ids::{DomainId, ProjectId, UserId};

/// A user to create.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NewUser {
    /// Given by `bootstrap` alone; else random.
    #[serde(skip)]
    pub id: Option<UserId>,
    /// See [`User::name`]. Blanks around it are taken away.
    pub name: String,
    /// `None`: the default domain.
    #[serde(default)]
    pub domain_id: Option<DomainId>,
    /// `None`: enabled.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// `None`: nothing that could be a password; `Some(None)`: one that none equals.
    #[serde(default, deserialize_with = "password")]
    pub password: Option<Option<SecretString>>,
    /// See [`User::default_project_id`].
    #[serde(default)]
    pub default_project_id: Option<ProjectId>,
    /// See [`User::options`].
    #[serde(default)]
    pub options: UserOptions,
    /// See [`User::federated`]. Providers and protocols have to exist.
    #[serde(default)]
    pub federated: Option<Vec<FederatedIdentity>>,
    /// See [`User::extra`].
    #[serde(flatten)]
    pub extra: Extra,
}

impl NewUser {
    /// The user that comes of it, its password aside.
    pub(in super::super) fn to_user(&self, default_domain: &DomainId) -> User {
        User {
            id: self.id.clone().unwrap_or_else(UserId::random),
            name: self.name.trim().to_owned(),
            domain_id: self
                .domain_id
                .clone()
                .unwrap_or_else(|| default_domain.clone()),
            enabled: self.enabled.unwrap_or(true),
            inactive_from: None,
            default_project_id: self.default_project_id.clone(),
            password_expires_at: None,
            options: self.options.clone(),
            federated: self.federated.clone().unwrap_or_default(),
            extra: storable(self.extra.clone()),
        }
    }
}

/// What of a user changes. Absent members stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct UserPatch {
    /// See [`NewUser::name`].
    pub name: Option<String>,
    /// May be repeated, not changed.
    pub domain_id: Option<DomainId>,
    /// `true` also unlocks the account, and counts as activity.
    pub enabled: Option<bool>,
    /// `Some(None)`: from now on no password is right.
    #[serde(deserialize_with = "password")]
    pub password: Option<Option<SecretString>>,
    /// `null` clears it.
    #[serde(deserialize_with = "double_option")]
    pub default_project_id: Option<Option<ProjectId>>,
    /// Merged by name; `null` removes one.
    pub options: UserOptionsPatch,
    /// Replaces all, unless empty.
    pub federated: Option<Vec<FederatedIdentity>>,
    /// Laid over those that were.
    #[serde(flatten)]
    pub extra: Extra,
}

impl UserPatch {
    /// The user after this change, its password and its activity aside. Pure: its rules are
    /// tested without a database.
    pub fn apply(&self, user: &User) -> Result<User, Error> {
        if self
            .domain_id
            .as_ref()
            .is_some_and(|domain| *domain != user.domain_id)
        {
            return Err(Error::DomainIsFixed);
        }
        let name = self.name.as_ref().map(|name| name.trim().to_owned());
        let default_project_id = self.default_project_id.clone();
        let federated = self.federated.clone().filter(|all| !all.is_empty());
        Ok(User {
            id: user.id.clone(),
            name: name.unwrap_or_else(|| user.name.clone()),
            domain_id: user.domain_id.clone(),
            enabled: self.enabled.unwrap_or(user.enabled),
            inactive_from: user.inactive_from,
            default_project_id: default_project_id
                .unwrap_or_else(|| user.default_project_id.clone()),
            password_expires_at: user.password_expires_at,
            options: user.options.patched(self.options.clone()),
            federated: federated.unwrap_or_else(|| user.federated.clone()),
            extra: merge_extra(user.extra.clone(), storable(self.extra.clone())),
        })
    }

    /// Whether this ends the tokens of `user`: it is disabled by it, or gets a password, be it the
    /// one that it had (Keystone's rule).
    pub fn revokes_tokens(&self, user: &User) -> bool {
        (self.enabled == Some(false) && user.enabled) || matches!(self.password, Some(Some(_)))
    }
}

/// What of the attributes of unknown name is kept. The others are names that Keystone never shows,
/// or that the server itself gives.
pub(in super::super) fn storable(mut extra: Extra) -> Extra {
    for name in [
        "id",
        "password",
        "password_expires_at",
        "extra",
        "links",
        "tenants",
        "groups",
        "domains",
    ] {
        // Not swap_remove: the others stay in their order.
        extra.shift_remove(name);
    }
    extra
}

/// A password or `null`, which are both something else than no such member.
fn password<'de, D>(deserializer: D) -> Result<Option<Option<SecretString>>, D::Error>
where
    D: Deserializer<'de>,
{
    let password = Option::<String>::deserialize(deserializer)?;
    Ok(Some(password.map(SecretString::from)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

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

    fn patch(body: Value) -> UserPatch {
        from_value(body).unwrap()
    }

    #[test]
    fn a_new_user_is_trimmed_enabled_and_in_the_default_domain() {
        let new: NewUser = from_value(
            json!({"name": " alice ", "id": "mine", "email": "a@example.org", "tenants": []}),
        )
        .unwrap();
        let user = new.to_user(&"default".into());
        assert_eq!(
            (user.name.as_str(), user.domain_id.as_str(), user.enabled),
            ("alice", "default", true)
        );
        assert_ne!(user.id.as_str(), "mine");
        assert_eq!(Value::Object(user.extra), json!({"email": "a@example.org"}));
    }

    #[test]
    fn a_patch_keeps_what_it_does_not_name() {
        let mut user = sample();
        user.default_project_id = Some("p".into());
        user.extra = from_value(json!({"email": "a@example.org", "colour": "red"})).unwrap();

        let after = patch(json!({"colour": null, "name": " bob "}))
            .apply(&user)
            .unwrap();
        assert_eq!((after.name.as_str(), after.enabled), ("bob", true));
        assert_eq!(after.default_project_id, user.default_project_id);
        assert_eq!(
            Value::Object(after.extra),
            json!({"email": "a@example.org", "colour": null})
        );

        let cleared = patch(json!({"default_project_id": null}))
            .apply(&user)
            .unwrap();
        assert_eq!(cleared.default_project_id, None);
    }

    #[test]
    fn a_user_stays_in_its_domain() {
        assert!(patch(json!({"domain_id": "d"})).apply(&sample()).is_ok());
        let moved = patch(json!({"domain_id": "e"})).apply(&sample());
        assert_eq!(moved.unwrap_err().to_string(), "Cannot change Domain ID");
    }

    #[test]
    fn what_the_server_gives_is_not_taken_from_a_client() {
        let body = json!({"password_expires_at": "2030-01-01", "groups": ["g"], "extra": {}, "id": "u", "pet": "cat"});
        let after = patch(body).apply(&sample()).unwrap();
        assert_eq!(Value::Object(after.extra), json!({"pet": "cat"}));
    }

    #[test]
    fn disabling_and_a_password_revoke_tokens() {
        let (enabled, mut disabled) = (sample(), sample());
        disabled.enabled = false;
        let revokes = |body, user| patch(body).revokes_tokens(user);

        assert!(revokes(json!({"enabled": false}), &enabled));
        assert!(!revokes(json!({"enabled": false}), &disabled));
        assert!(!revokes(json!({"enabled": true}), &disabled));
        assert!(revokes(json!({"password": "x"}), &enabled));
        assert!(!revokes(json!({"password": null}), &enabled));
        assert!(!revokes(json!({"name": "x"}), &enabled));
    }

    #[test]
    fn a_password_is_absent_or_null_or_given() {
        assert!(patch(json!({})).password.is_none());
        assert!(matches!(
            patch(json!({"password": null})).password,
            Some(None)
        ));
        assert!(matches!(
            patch(json!({"password": "x"})).password,
            Some(Some(_))
        ));
        assert!(!format!("{:?}", patch(json!({"password": "s3cret"}))).contains("s3cret"));
    }
}
