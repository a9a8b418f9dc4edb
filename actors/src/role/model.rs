//! Roles and their implications, and the rules for changing them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Error;
use crate::attributes::{Extra, ResourceOptions, ResourceOptionsPatch, double_option, merge_extra};
use crate::ids::{DomainId, RoleId};

/// A role, as v3 shows it (the API adds only `links`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Role {
    /// Attributes that Keystone does not know.
    #[serde(flatten)]
    pub extra: Extra,
    /// Its ID.
    pub id: RoleId,
    /// 1 to 255 characters, unique within `domain_id`.
    pub name: String,
    /// `None`: a global role, which tokens show. A role of a domain only implies others.
    pub domain_id: Option<DomainId>,
    /// Free text, up to 255 characters.
    pub description: Option<String>,
    /// Whether it may be changed.
    pub options: ResourceOptions,
}

/// A role to create.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NewRole {
    /// Given by `bootstrap` alone; else random.
    #[serde(skip)]
    pub id: Option<RoleId>,
    /// See [`Role::name`].
    pub name: String,
    /// See [`Role::domain_id`]. Not checked to exist, as Keystone doesn't.
    #[serde(default)]
    pub domain_id: Option<DomainId>,
    /// See [`Role::description`].
    #[serde(default)]
    pub description: Option<String>,
    /// See [`Role::options`].
    #[serde(default)]
    pub options: ResourceOptions,
    /// Attributes that Keystone does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Role {
    /// Fails where Keystone's rules refuse that it implies the other: a global role implies none of a
    /// domain, and none has those whose names are `prohibited`.
    pub(super) fn check_implication(&self, of: &Self, prohibited: &[String]) -> Result<(), Error> {
        let out_of_global = self.domain_id.is_none() && of.domain_id.is_some();
        if out_of_global || prohibited.contains(&of.name) {
            return Err(Error::ProhibitedImplication(of.id.clone()));
        }
        Ok(())
    }
}

impl From<NewRole> for Role {
    fn from(new: NewRole) -> Self {
        Self {
            extra: new.extra,
            id: new.id.unwrap_or_else(RoleId::random),
            name: new.name,
            domain_id: new.domain_id,
            description: new.description,
            options: new.options,
        }
    }
}

/// What of a role changes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RolePatch {
    /// Absent keeps it.
    pub name: Option<String>,
    /// Absent keeps it, `null` clears it: hence two options.
    #[serde(deserialize_with = "double_option")]
    pub description: Option<Option<String>>,
    /// May be repeated, not changed.
    #[serde(deserialize_with = "double_option")]
    pub domain_id: Option<Option<DomainId>>,
    /// Merged by name; `null` removes one.
    pub options: ResourceOptionsPatch,
    /// Attributes that Keystone does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl RolePatch {
    /// The role after this change. Pure: its rules are tested without a database.
    pub fn apply(self, role: &Role) -> Result<Role, Error> {
        // Keystone's check_immutable_update: first the flag, alone; the rest in a second request.
        if role.options.is_immutable() && !self.only_clears_immutable() {
            return Err(Error::Immutable(role.id.clone()));
        }
        if self
            .domain_id
            .is_some_and(|domain| domain != role.domain_id)
        {
            return Err(Error::DomainIsFixed);
        }
        Ok(Role {
            extra: merge_extra(role.extra.clone(), self.extra),
            id: role.id.clone(),
            name: self.name.unwrap_or_else(|| role.name.clone()),
            domain_id: role.domain_id.clone(),
            description: self.description.unwrap_or_else(|| role.description.clone()),
            options: role.options.patched(self.options),
        })
    }

    fn only_clears_immutable(&self) -> bool {
        // By name, so that the compiler asks about a new one.
        let Self {
            name,
            description,
            domain_id,
            options,
            extra,
        } = self;
        options.clears_immutable()
            && name.is_none()
            && description.is_none()
            && domain_id.is_none()
            && extra.is_empty()
    }
}

/// All roles, and which implies which.
#[derive(Debug, Default)]
pub struct RoleGraph {
    /// In the order of their IDs, so that lists are stable.
    roles: BTreeMap<RoleId, Arc<Role>>,
    implied: HashMap<RoleId, Vec<RoleId>>,
}

impl RoleGraph {
    /// The graph of these roles; an implication is a pair of the prior and the implied one.
    pub fn new(
        roles: impl IntoIterator<Item = Role>,
        implications: impl IntoIterator<Item = (RoleId, RoleId)>,
    ) -> Self {
        let mut implied: HashMap<RoleId, Vec<RoleId>> = HashMap::new();
        for (prior, implication) in implications {
            implied.entry(prior).or_default().push(implication);
        }
        Self {
            roles: roles
                .into_iter()
                .map(|role| (role.id.clone(), Arc::new(role)))
                .collect(),
            implied,
        }
    }

    /// The role of this ID.
    pub fn get(&self, id: &RoleId) -> Option<&Arc<Role>> {
        self.roles.get(id)
    }

    /// All roles, in the order of their IDs.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Role>> {
        self.roles.values()
    }

    /// The roles that `prior` implies directly.
    pub fn implied_by(&self, prior: &RoleId) -> &[RoleId] {
        self.implied.get(prior).map_or(&[], Vec::as_slice)
    }

    /// This role and all that imply it, through any number of steps; each once.
    pub fn implying(&self, role: &RoleId) -> Vec<RoleId> {
        let mut priors: HashMap<&RoleId, Vec<&RoleId>> = HashMap::new();
        for (prior, implied) in &self.implied {
            for implied in implied {
                priors.entry(implied).or_default().push(prior);
            }
        }
        let (mut seen, mut next) = (HashSet::from([role]), vec![role]);
        let mut found = Vec::new();
        while let Some(id) = next.pop() {
            found.push(id.clone());
            let above = priors.get(id).into_iter().flatten().copied();
            next.extend(above.filter(|prior| seen.insert(*prior)));
        }
        found
    }

    /// These roles and all that they imply, through any number of steps; each once, and only
    /// those that exist.
    pub fn expand<'a>(&'a self, ids: impl IntoIterator<Item = &'a RoleId>) -> Vec<&'a Arc<Role>> {
        let mut found = HashSet::new();
        let mut expanded = Vec::new();
        let mut next: Vec<&RoleId> = ids.into_iter().collect();
        while let Some(id) = next.pop() {
            if let Some(role) = self.roles.get(id)
                && found.insert(id)
            {
                expanded.push(role);
                next.extend(self.implied_by(id));
            }
        }
        expanded
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn sample() -> Role {
        NewRole {
            name: "auditor".to_owned(),
            description: Some("reads logs".to_owned()),
            ..NewRole::default()
        }
        .into()
    }

    #[test]
    fn null_clears_a_description_and_absence_keeps_it() {
        let role = sample();
        let after = |body| {
            let patch: RolePatch = from_value(body).unwrap();
            patch.apply(&role).unwrap().description
        };

        assert_eq!(after(json!({})), role.description);
        assert_eq!(after(json!({"description": null})), None);
    }

    #[test]
    fn an_immutable_role_can_only_be_freed_and_by_nothing_else() {
        let mut role = sample();
        role.options.immutable = Some(true);
        let allowed = |body| {
            let patch: RolePatch = from_value(body).unwrap();
            patch.apply(&role).is_ok()
        };

        assert!(allowed(json!({"options": {"immutable": false}})));
        assert!(allowed(json!({"options": {"immutable": null}})));
        assert!(!allowed(json!({"options": {"immutable": true}})));
        assert!(!allowed(json!({"name": "x"})));
        assert!(!allowed(
            json!({"name": "x", "options": {"immutable": false}})
        ));
    }

    #[test]
    fn implication_is_transitive_and_a_loop_ends() {
        let [a, b, c] = ["a", "b", "c"].map(RoleId::from);
        let role = |id: &RoleId| Role {
            id: id.clone(),
            ..sample()
        };
        let graph = RoleGraph::new(
            [role(&a), role(&b), role(&c)],
            [
                (a.clone(), b.clone()),
                (b.clone(), c.clone()),
                (c.clone(), a.clone()),
            ],
        );
        let mut all: Vec<_> = graph
            .expand([&a])
            .into_iter()
            .map(|role| role.id.clone())
            .collect();
        all.sort();
        assert_eq!(all, [a, b, c]);
    }
}
