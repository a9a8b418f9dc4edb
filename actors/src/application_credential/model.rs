//! Application credentials, and what may come of an attempt to log in with one.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use serde::Serialize;

use super::Error;
use crate::epoch::{Entity, Kind};
use crate::ids::{ApplicationCredentialId, ProjectId, RoleId, UserId, random_id};
use crate::listing::TextFilter;
use crate::role::RoleGraph;

/// A secret's powers, without the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationCredential {
    /// Its ID.
    pub id: ApplicationCredentialId,
    /// 1 to 255 characters, unique among its owner's.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Its owner, as whom it logs in.
    pub user_id: UserId,
    /// The project that it is good for. Keystone makes some without, from unscoped tokens, which
    /// are good for nothing.
    pub project_id: Option<ProjectId>,
    /// Shown by Keystone, and never set.
    pub system: Option<String>,
    /// From then on nobody logs in with it: seconds since 1970, a fraction dropped.
    pub expires_at: Option<i64>,
    /// The same in microseconds since 1970, as v3 shows it.
    pub expires_at_micros: Option<i64>,
    /// Whether a token made from it may manage application credentials.
    pub unrestricted: bool,
    /// The same as it was given, as v3 shows it: `None` means false.
    pub unrestricted_given: Option<bool>,
    /// Of the owner's roles on the project, those that it has, while the owner has them.
    pub roles: Vec<RoleId>,
    /// The requests that it is good for; all where there is none.
    pub access_rules: Vec<AccessRule>,
}

impl ApplicationCredential {
    /// Whether nobody logs in with it any more at `now`, in seconds since 1970.
    pub fn has_expired(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// A kind of request: services ask for these when they see a token with rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct AccessRule {
    /// Its ID.
    pub id: String,
    /// The type of the service, such as `compute`.
    pub service: Option<String>,
    /// The path, which may have wildcards.
    pub path: Option<String>,
    /// The HTTP method.
    pub method: Option<String>,
}

/// What went with users who were deleted, each with its owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeletedWithUsers {
    /// Users and their application credentials.
    pub credentials: Vec<(String, String)>,
    /// Users and their access rules.
    pub rules: Vec<(String, String)>,
}

impl DeletedWithUsers {
    /// The entities that are not what they were.
    pub(crate) fn entities(&self) -> Vec<Entity> {
        let ids = self.credentials.iter().map(|(_, id)| id.as_str());
        ids.map(|id| Entity::new(Kind::ApplicationCredential, id))
            .collect()
    }
}

/// How a client names the application credential that it logs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// By its ID. A user named beside it is to be compared with the owner, and decides nothing.
    ById(ApplicationCredentialId),
    /// By its name and its owner.
    ByName {
        /// Its name.
        name: String,
        /// Its owner.
        user_id: UserId,
    },
}

/// What came of an attempt to log in.
#[derive(Clone, Debug)]
pub enum Authentication {
    /// The secret is right: the owner of this one logs in, on its project.
    Accepted(Arc<ApplicationCredential>),
    /// Nobody logs in.
    Refused(Refusal),
}

/// Why nobody logs in; for the log. Keystone tells [`Self::Unknown`] (404) where an ID was given,
/// and makes the other cases one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such application credential.
    Unknown,
    /// The secret is another.
    WrongSecret,
    /// The secret is right, and of no use any more.
    Expired,
}

/// An application credential to create.
#[derive(Clone)]
pub struct NewApplicationCredential {
    /// See [`ApplicationCredential::name`].
    pub name: String,
    /// See [`ApplicationCredential::description`].
    pub description: Option<String>,
    /// Its owner.
    pub user_id: UserId,
    /// See [`ApplicationCredential::project_id`].
    pub project_id: Option<ProjectId>,
    /// See [`ApplicationCredential::expires_at_micros`].
    pub expires_at_micros: Option<i64>,
    /// See [`ApplicationCredential::unrestricted_given`].
    pub unrestricted: Option<bool>,
    /// Its secret; `None`: a random one.
    pub secret: Option<SecretString>,
    /// Its roles, those implied included.
    pub roles: Vec<RoleId>,
    /// What it is restricted to.
    pub access_rules: Vec<NewAccessRule>,
}

impl fmt::Debug for NewApplicationCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewApplicationCredential")
            .field("name", &self.name)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

/// An access rule of an application credential to create: an old one by its ID, or by what it
/// says, where the owner has such a rule; else a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewAccessRule {
    /// The ID of a rule that there is; or that a new one gets.
    pub id: Option<String>,
    /// See [`AccessRule::service`].
    pub service: Option<String>,
    /// See [`AccessRule::path`].
    pub path: Option<String>,
    /// See [`AccessRule::method`].
    pub method: Option<String>,
}

/// Rules that a new application credential is restricted by.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RuleChoice {
    /// All of them, each once, in the order in which they were asked for.
    pub rules: Vec<AccessRule>,
    /// Those of them that there are not yet.
    pub new: Vec<AccessRule>,
}

impl RuleChoice {
    /// Chooses from what there is: `known` are the rules that could be meant, each with whether it
    /// is the owner's. `AccessRuleNotFound` for a rule of somebody else, and for an ID that nobody
    /// has where nothing else is said.
    pub fn of(wanted: Vec<NewAccessRule>, known: &[(bool, AccessRule)]) -> Result<Self, Error> {
        let mut choice = Self::default();
        for rule in wanted {
            let by_id = known
                .iter()
                .find(|(_, one)| Some(&one.id) == rule.id.as_ref());
            let chosen = match (by_id, &rule.id) {
                (Some((true, found)), _) => found.clone(),
                (Some((false, found)), _) => {
                    return Err(Error::AccessRuleNotFound(found.id.clone()));
                }
                (None, Some(id))
                    if rule.service.is_none() || rule.path.is_none() || rule.method.is_none() =>
                {
                    return Err(Error::AccessRuleNotFound(id.clone()));
                }
                (None, _) => {
                    let owned = known.iter().filter(|(own, _)| *own).map(|(_, one)| one);
                    let same = owned.chain(&choice.new).find(|one| rule.says(one)).cloned();
                    same.unwrap_or_else(|| {
                        let new = rule.into_rule();
                        choice.new.push(new.clone());
                        new
                    })
                }
            };
            if !choice.rules.contains(&chosen) {
                choice.rules.push(chosen);
            }
        }
        Ok(choice)
    }
}

impl NewAccessRule {
    fn says(&self, rule: &AccessRule) -> bool {
        (&self.service, &self.path, &self.method) == (&rule.service, &rule.path, &rule.method)
    }

    fn into_rule(self) -> AccessRule {
        AccessRule {
            id: self.id.unwrap_or_else(random_id),
            service: self.service,
            path: self.path,
            method: self.method,
        }
    }
}

/// An application credential that was just made. Its secret is not told a second time.
#[derive(Clone, Debug)]
pub struct Created {
    /// What was made.
    pub credential: Arc<ApplicationCredential>,
    /// Its secret.
    pub secret: SecretString,
}

/// An attribute of an access rule by which a list can be narrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleAttribute {
    /// [`AccessRule::service`].
    Service,
    /// [`AccessRule::path`].
    Path,
    /// [`AccessRule::method`].
    Method,
}

/// What an attribute of an access rule has to meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRuleFilter {
    /// Which attribute.
    pub attribute: RuleAttribute,
    /// The condition.
    pub text: TextFilter,
}

impl AccessRuleFilter {
    /// Whether the rule meets it.
    pub(super) fn matches(&self, rule: &AccessRule) -> bool {
        let value = match self.attribute {
            RuleAttribute::Service => &rule.service,
            RuleAttribute::Path => &rule.path,
            RuleAttribute::Method => &rule.method,
        };
        value
            .as_deref()
            .is_some_and(|value| self.text.matches(value))
    }
}

/// The roles of a new application credential: those asked for with all that they imply, or where
/// none are, all those `held` by the token that asks. `UnassignedRole` for one that isn't held:
/// nobody gives what the token at hand can't do (A10).
pub fn chosen_roles(
    wanted: &[RoleId],
    held: &[RoleId],
    graph: &RoleGraph,
) -> Result<Vec<RoleId>, Error> {
    if wanted.is_empty() {
        return Ok(held.to_vec());
    }
    if !wanted.iter().all(|id| held.contains(id)) {
        return Err(Error::UnassignedRole);
    }
    let mut roles: Vec<RoleId> = graph
        .expand(wanted)
        .into_iter()
        .map(|role| role.id.clone())
        .collect();
    if !roles.iter().all(|id| held.contains(id)) {
        return Err(Error::UnassignedRole);
    }
    roles.sort_unstable();
    Ok(roles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::{NewRole, Role};

    fn rule(id: &str, path: &str) -> AccessRule {
        AccessRule {
            id: id.to_owned(),
            service: Some("compute".to_owned()),
            path: Some(path.to_owned()),
            method: Some("GET".to_owned()),
        }
    }

    fn wanted(id: Option<&str>, path: &str) -> NewAccessRule {
        let AccessRule {
            service,
            path,
            method,
            ..
        } = rule("", path);
        NewAccessRule {
            id: id.map(str::to_owned),
            service,
            path,
            method,
        }
    }

    fn only_id(id: &str) -> NewAccessRule {
        NewAccessRule {
            id: Some(id.to_owned()),
            ..NewAccessRule::default()
        }
    }

    #[test]
    fn a_rule_that_the_owner_has_is_used_again_and_nobody_elses_is() {
        let known = [(true, rule("mine", "/a")), (false, rule("theirs", "/b"))];
        let choose = |wanted: NewAccessRule| RuleChoice::of(vec![wanted], &known);
        let found = |answer: Result<RuleChoice, Error>| match answer {
            Ok(choice) => Ok((choice.rules[0].id.clone(), choice.new.len())),
            Err(Error::AccessRuleNotFound(id)) => Err(id),
            Err(error) => panic!("{error}"),
        };

        assert_eq!(found(choose(only_id("mine"))), Ok(("mine".to_owned(), 0)));
        assert_eq!(
            found(choose(wanted(None, "/a"))),
            Ok(("mine".to_owned(), 0))
        );
        assert_eq!(
            found(choose(wanted(Some("new"), "/a"))),
            Ok(("mine".to_owned(), 0))
        );
        assert_eq!(
            found(choose(wanted(Some("new"), "/b"))),
            Ok(("new".to_owned(), 1))
        );
        assert_eq!(
            found(choose(wanted(Some("theirs"), "/a"))),
            Err("theirs".to_owned())
        );
        assert_eq!(found(choose(only_id("unknown"))), Err("unknown".to_owned()));
    }

    #[test]
    fn a_rule_asked_for_twice_is_there_once() {
        let twice = vec![wanted(None, "/a"), wanted(None, "/a"), wanted(None, "/b")];
        let choice = RuleChoice::of(twice, &[]).unwrap();
        assert_eq!((choice.rules.len(), choice.new.len()), (2, 2));
    }

    #[test]
    fn only_roles_that_the_token_has_are_given_and_all_that_they_imply() {
        let [manager, member, reader] = ["manager", "member", "reader"].map(RoleId::from);
        let role = |id: &RoleId| Role {
            id: id.clone(),
            ..NewRole::default().into()
        };
        let implies = [
            (manager.clone(), member.clone()),
            (member.clone(), reader.clone()),
        ];
        let graph = RoleGraph::new([&manager, &member, &reader].map(role), implies);
        let held = [member.clone(), reader.clone()];
        let choose = |wanted: &[&RoleId]| {
            let wanted: Vec<RoleId> = wanted.iter().map(|id| (*id).clone()).collect();
            chosen_roles(&wanted, &held, &graph).ok()
        };

        assert_eq!(choose(&[]), Some(held.to_vec()));
        assert_eq!(choose(&[&member]), Some(held.to_vec()));
        assert_eq!(choose(&[&reader]), Some(vec![reader.clone()]));
        assert_eq!(choose(&[&manager]), None);
        assert_eq!(choose(&[&RoleId::from("unknown")]), None);
    }
}
