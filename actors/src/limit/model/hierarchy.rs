//! How the limits of projects above and below one another go together: Keystone's enforcement
//! models.

use std::collections::HashMap;

use super::super::Error;
use super::{Limit, NewLimit, RegisteredLimit, Resource};
use crate::ids::{DomainId, ProjectId, RegisteredLimitId};

/// `[unified_limit] enforcement_model`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EnforcementModel {
    /// Each project by itself.
    #[default]
    Flat,
    /// A project's limits are within those of its domain, and nothing is below a project.
    StrictTwoLevel,
}

impl EnforcementModel {
    /// Keystone's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::StrictTwoLevel => "strict_two_level",
        }
    }

    /// What it means, in the words that Keystone's API has for it.
    pub fn description(self) -> &'static str {
        match self {
            Self::Flat => {
                "Limit enforcement and validation does not take project hierarchy into consideration."
            }
            Self::StrictTwoLevel => {
                "This model requires project hierarchy never exceeds a depth of two"
            }
        }
    }
}

/// What the strict model has to know of the projects and domains that limits are for.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Family {
    /// What a project is right below.
    pub parents: HashMap<ProjectId, ProjectId>,
    /// All projects below a domain.
    pub below: HashMap<DomainId, Vec<ProjectId>>,
}

impl Family {
    /// The projects and domains whose limits are compared with those of the family.
    pub fn relatives(&self) -> impl Iterator<Item = &ProjectId> {
        self.parents.values().chain(self.below.values().flatten())
    }
}

/// The limits that there are, as far as they matter.
#[derive(Default)]
pub(in super::super) struct Known {
    registered: HashMap<Resource, RegisteredLimit>,
    /// By registered limit and owner.
    limits: HashMap<(RegisteredLimitId, String), i32>,
}

impl Known {
    pub fn new(registered: Vec<RegisteredLimit>, limits: Vec<Limit>) -> Self {
        let registered = registered
            .into_iter()
            .map(|limit| (limit.resource(), limit));
        let limits = limits.into_iter().map(|limit| {
            let owner = limit.owner().to_owned();
            ((limit.registered_limit_id, owner), limit.resource_limit)
        });
        Self {
            registered: registered.collect(),
            limits: limits.collect(),
        }
    }

    pub fn registered(&self, resource: &Resource) -> Option<&RegisteredLimit> {
        self.registered.get(resource)
    }

    pub fn limit(&self, registered: &RegisteredLimitId, owner: &str) -> Option<i32> {
        let key = (registered.clone(), owner.to_owned());
        self.limits.get(&key).copied()
    }

    /// From now on there is this one too. False if there was.
    pub fn add(&mut self, limit: &Limit) -> bool {
        let key = (limit.registered_limit_id.clone(), limit.owner().to_owned());
        self.limits.insert(key, limit.resource_limit).is_none()
    }
}

/// Keystone's `StrictTwoLevelModel.check_limit`. Unlike Keystone's documentation it takes 0 for no
/// limit at all and −1 for less than any, since Keystone does.
pub(in super::super) fn check(
    limits: &[NewLimit],
    known: &Known,
    family: &Family,
) -> Result<(), Error> {
    for limit in limits {
        if !fits(limit, limits, known, family) {
            return Err(Error::Invalid(complaint(limit)));
        }
    }
    Ok(())
}

fn fits(limit: &NewLimit, all: &[NewLimit], known: &Known, family: &Family) -> bool {
    let set = |value: &i32| *value != 0;
    let resource = limit.resource();
    let registered = known.registered(&resource);
    let stored = |owner: &str| known.limit(&registered?.id, owner);
    if let Some(project) = &limit.project_id {
        let Some(parent) = family.parents.get(project) else {
            return true;
        };
        let beside = all.iter().find(|other| {
            let of_parent = other.domain_id.as_ref().map(DomainId::as_str) == Some(parent.as_str());
            of_parent && other.resource() == resource
        });
        if let Some(beside) = beside {
            return limit.resource_limit <= beside.resource_limit;
        }
        let default = || registered.map(|registered| registered.default_limit);
        let above = stored(parent.as_str()).or_else(default);
        above
            .filter(set)
            .is_none_or(|above| limit.resource_limit <= above)
    } else {
        let domain = limit.domain_id.as_ref();
        let below = domain.and_then(|domain| family.below.get(domain));
        let mut below = below.into_iter().flatten();
        below.all(|project| {
            stored(project.as_str())
                .filter(set)
                .is_none_or(|below| limit.resource_limit >= below)
        })
    }
}

fn complaint(limit: &NewLimit) -> String {
    let (level, id) = match (&limit.project_id, &limit.domain_id) {
        (Some(project), _) => ("project_id", project.as_str()),
        (None, domain) => {
            let domain = domain.as_ref().map_or("None", DomainId::as_str);
            ("domain_id", domain)
        }
    };
    let region = limit.region_id.as_ref().map_or("None", |id| id.as_str());
    format!(
        "The resource limit ({level}: {id}, resource_name: {}, resource_limit: {}, service_id: {}, \
         region_id: {region}) doesn't satisfy current hierarchy model.",
        limit.resource_name, limit.resource_limit, limit.service_id,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(project: Option<&str>, domain: Option<&str>, value: i32) -> NewLimit {
        NewLimit {
            project_id: project.map(ProjectId::from),
            domain_id: domain.map(DomainId::from),
            service_id: "s".into(),
            region_id: None,
            resource_name: "cores".to_owned(),
            resource_limit: value,
            description: None,
        }
    }

    /// Whether these go together where the domain `d`, with the projects `p` and `q` below it, has
    /// these limits and 10 is registered.
    fn accepted(stored: &[(&str, i32)], limits: &[NewLimit]) -> bool {
        let registered = RegisteredLimit {
            id: "r".into(),
            service_id: Some("s".into()),
            region_id: None,
            resource_name: Some("cores".to_owned()),
            default_limit: 10,
            description: None,
        };
        let stored = stored.iter().map(|(owner, value)| {
            let limit = match *owner {
                "d" => limit(None, Some("d"), *value),
                project => limit(Some(project), None, *value),
            };
            limit.registered(&registered.id)
        });
        let known = Known::new(vec![registered.clone()], stored.collect());
        let family = Family {
            parents: ["p", "q"].map(|id| (id.into(), "d".into())).into(),
            below: [("d".into(), vec!["p".into(), "q".into()])].into(),
        };
        check(limits, &known, &family).is_ok()
    }

    #[test]
    fn a_project_stays_within_its_domain() {
        let project = |value| [limit(Some("p"), None, value)];
        assert!(accepted(&[], &project(10)));
        assert!(!accepted(&[], &project(11)), "over what is registered");
        assert!(accepted(&[("d", 20)], &project(20)));
        assert!(!accepted(&[("d", 5)], &project(6)));
        assert!(accepted(&[("d", 0)], &project(100)));
        assert!(!accepted(&[("d", -1)], &project(1)));
    }

    #[test]
    fn a_domain_stays_above_its_projects() {
        let domain = |value| [limit(None, Some("d"), value)];
        assert!(accepted(&[("p", 5), ("q", 7)], &domain(7)));
        assert!(!accepted(&[("p", 5), ("q", 7)], &domain(6)));
        assert!(accepted(&[], &domain(1)));
    }

    #[test]
    fn what_is_made_together_is_compared_with_each_other() {
        let both = |domain, project| {
            [
                limit(None, Some("d"), domain),
                limit(Some("p"), None, project),
            ]
        };
        assert!(accepted(&[], &both(30, 20)));
        assert!(!accepted(&[], &both(20, 30)));
    }
}
