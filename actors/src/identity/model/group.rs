//! Groups, and who is in them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::Error;
use super::user_change::storable;
use crate::attributes::{Extra, double_option, given, merge_extra};
use crate::db::DbTime;
use crate::ids::{DomainId, GroupId};

/// A group of users, as v3 shows it (the API adds only `links`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// Attributes that Keystone does not know.
    #[serde(flatten)]
    pub extra: Extra,
    /// Its ID.
    pub id: GroupId,
    /// 1 to 64 characters, unique within `domain_id`.
    pub name: String,
    /// The domain that the group belongs to, for ever.
    pub domain_id: DomainId,
    /// Free text.
    pub description: Option<String>,
}

/// A group to create.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NewGroup {
    /// Given by `bootstrap` alone; else random.
    #[serde(skip)]
    pub id: Option<GroupId>,
    /// See [`Group::name`]. Blanks around it are taken away.
    pub name: String,
    /// `None`: the default domain.
    #[serde(default)]
    pub domain_id: Option<DomainId>,
    /// `None`: empty; `Some(None)`: `null`.
    #[serde(default, deserialize_with = "double_option")]
    pub description: Option<Option<String>>,
    /// Attributes that Keystone does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl NewGroup {
    /// The group that comes of it.
    pub(in super::super) fn into_group(self, default_domain: &DomainId) -> Group {
        Group {
            extra: storable(self.extra),
            id: self.id.unwrap_or_else(GroupId::random),
            name: self.name.trim().to_owned(),
            domain_id: self.domain_id.unwrap_or_else(|| default_domain.clone()),
            description: self.description.unwrap_or_else(|| Some(String::new())),
        }
    }
}

/// What of a group changes. Absent members stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct GroupPatch {
    /// See [`NewGroup::name`].
    pub name: Option<String>,
    /// May be repeated, not changed: whatever it is, it is compared with what is.
    #[serde(deserialize_with = "given")]
    pub domain_id: Option<Value>,
    /// `null` clears it.
    #[serde(deserialize_with = "double_option")]
    pub description: Option<Option<String>>,
    /// Laid over those that were.
    #[serde(flatten)]
    pub extra: Extra,
}

impl GroupPatch {
    /// The group after this change.
    pub fn apply(self, group: &Group) -> Result<Group, Error> {
        if self
            .domain_id
            .is_some_and(|domain| domain != *group.domain_id.as_str())
        {
            return Err(Error::DomainIsFixed);
        }
        let name = self.name.map(|name| name.trim().to_owned());
        Ok(Group {
            extra: merge_extra(group.extra.clone(), storable(self.extra)),
            id: group.id.clone(),
            domain_id: group.domain_id.clone(),
            name: name.unwrap_or_else(|| group.name.clone()),
            description: self
                .description
                .unwrap_or_else(|| group.description.clone()),
        })
    }
}

/// The groups of one user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memberships {
    /// Groups that the user is in until removed from them.
    pub permanent: Arc<[GroupId]>,
    /// Groups that an identity provider put the user in, each until its time has come.
    pub expiring: Vec<ExpiringMembership>,
}

/// A membership that has to be confirmed by a login, or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiringMembership {
    /// The group.
    pub group_id: GroupId,
    /// The identity provider that said so last.
    pub idp_id: String,
    /// When it ends.
    pub expires_at: DbTime,
}

impl Memberships {
    /// The groups at `now` (seconds since 1970), each once.
    pub fn at(&self, now: i64) -> Arc<[GroupId]> {
        if self.expiring.is_empty() {
            return Arc::clone(&self.permanent);
        }
        let mut groups: Vec<GroupId> = self.permanent.to_vec();
        for membership in self.valid(now) {
            if !groups.contains(&membership.group_id) {
                groups.push(membership.group_id.clone());
            }
        }
        groups.into()
    }

    /// The expiring memberships that are good at `now`, in seconds since 1970.
    pub fn valid(&self, now: i64) -> impl Iterator<Item = &ExpiringMembership> {
        let now = DbTime::from_seconds(now);
        self.expiring
            .iter()
            .filter(move |membership| membership.expires_at > now)
    }

    /// Until when [`Self::at`] of `now` stays as it is, in seconds since 1970; `None`: until the
    /// memberships change.
    pub fn settled_until(&self, now: i64) -> Option<i64> {
        self.valid(now)
            .map(|membership| membership.expires_at.seconds())
            .min()
    }
}

/// A group of a user, as v3 shows it (the API adds only `links`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupOfUser {
    /// The group.
    #[serde(flatten)]
    pub group: Arc<Group>,
    /// When the membership ends, if it ends by itself.
    #[serde(serialize_with = "time")]
    pub membership_expires_at: Option<DbTime>,
}

fn time<S: serde::Serializer>(time: &Option<DbTime>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(DbTime::iso_without_zone).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    fn created(body: serde_json::Value) -> Group {
        let new: NewGroup = from_value(body).unwrap();
        new.into_group(&"default".into())
    }

    #[test]
    fn a_group_has_a_description_unless_it_is_given_null() {
        assert_eq!(
            created(json!({"name": "a"})).description.as_deref(),
            Some("")
        );
        assert_eq!(
            created(json!({"name": "a", "description": null})).description,
            None
        );
    }

    #[test]
    fn a_group_is_trimmed_and_falls_into_the_default_domain() {
        let group = created(json!({"name": " a b ", "colour": "red", "id": "mine"}));
        assert_eq!(
            (group.name.as_str(), group.domain_id.as_str()),
            ("a b", "default")
        );
        assert_ne!(group.id.as_str(), "mine");
        assert_eq!(to_value(&group).unwrap()["colour"], "red");
    }

    #[test]
    fn a_group_stays_in_its_domain() {
        let group = created(json!({"name": "a", "domain_id": "d"}));
        let patch = |body| from_value::<GroupPatch>(body).unwrap().apply(&group);
        assert!(patch(json!({"domain_id": "d"})).is_ok());
        for other in [json!("e"), json!(null), json!(["d"])] {
            assert_eq!(
                patch(json!({"domain_id": other})).unwrap_err().to_string(),
                "Cannot change Domain ID"
            );
        }
    }

    #[test]
    fn an_expiring_membership_counts_until_its_time_and_a_group_once() {
        let until = |group: &str, seconds| ExpiringMembership {
            group_id: group.into(),
            idp_id: "idp".to_owned(),
            expires_at: DbTime::from_seconds(seconds),
        };
        let memberships = Memberships {
            permanent: ["a".into()].into(),
            expiring: vec![until("a", 300), until("b", 200), until("c", 100)],
        };
        let at = |now| {
            memberships
                .at(now)
                .iter()
                .map(GroupId::to_string)
                .collect::<Vec<_>>()
        };

        assert_eq!(at(99), ["a", "b", "c"]);
        assert_eq!(at(100), ["a", "b"]);
        assert_eq!(at(300), ["a"]);
        assert_eq!(memberships.settled_until(99), Some(100));
        assert_eq!(memberships.settled_until(100), Some(200));
        assert_eq!(memberships.settled_until(300), None);
    }
}
