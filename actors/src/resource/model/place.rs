//! Where in the tree a project may be.

use super::super::Error;
use super::Project;
use crate::ids::{DomainId, ProjectId};

/// A project or domain as the tree sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Link {
    pub id: ProjectId,
    /// What it is right below; `None` for a domain.
    pub parent_id: Option<ProjectId>,
    /// The domain that it is in; its own for a domain.
    pub domain_id: DomainId,
    pub is_domain: bool,
    pub enabled: bool,
}

/// Whether a new project may go where it wants to: `parent` is what it names, `above` what is above
/// that, the nearest first. Keystone's `_enforce_project_constraints`.
pub(in super::super) fn check_place(
    project: &Project,
    parent: &Link,
    above: &[Link],
    max_depth: usize,
) -> Result<(), Error> {
    let domain = project.own_domain();
    if parent.is_domain && *parent.id.as_str() != *domain.as_str() {
        return Err(Error::ParentIsOtherDomain {
            parent: parent.id.clone(),
            domain,
        });
    }
    if parent.domain_id != domain {
        return Err(Error::ParentInOtherDomain {
            domain,
            of_parent: parent.domain_id.clone(),
        });
    }
    let mut branch = above.iter().chain([parent]);
    if let Some(disabled) = branch.find(|link| !link.enabled) {
        return Err(Error::BranchDisabled(disabled.id.clone()));
    }
    // The domain is a level too.
    if above.len() + 1 > max_depth {
        return Err(Error::TooDeep(parent.id.clone()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::super::super::ResourceSettings;
    use super::super::NewProject;
    use super::*;

    /// Domain `d`, and below it `1`, `2`, … , the nearest to the bottom first.
    fn chain(levels: usize) -> Vec<Link> {
        let link = |level: usize| Link {
            id: match level {
                0 => "d".into(),
                level => level.to_string().as_str().into(),
            },
            parent_id: None,
            domain_id: "d".into(),
            is_domain: level == 0,
            enabled: true,
        };
        (0..=levels).rev().map(link).collect()
    }

    fn placed(domain: &str, chain: &[Link]) -> Result<(), Error> {
        let [parent, above @ ..] = chain else {
            unreachable!("a chain has a domain");
        };
        let body = json!({"name": "p", "domain_id": domain, "parent_id": parent.id});
        let new: NewProject = from_value(body).unwrap();
        let project = new.into_project(&ResourceSettings::default()).unwrap();
        check_place(&project, parent, above, 5)
    }

    #[test]
    fn five_levels_of_projects_fit_below_a_domain() {
        assert!(placed("d", &chain(4)).is_ok());
        let refused = placed("d", &chain(5)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "Max hierarchy depth reached for 5 branch."
        );
    }

    #[test]
    fn parent_and_project_are_in_one_domain() {
        let domain = placed("e", &chain(0)).unwrap_err();
        assert!(matches!(domain, Error::ParentIsOtherDomain { .. }));
        let project = placed("e", &chain(1)).unwrap_err();
        assert!(matches!(project, Error::ParentInOtherDomain { .. }));
    }

    #[test]
    fn nothing_is_made_below_what_is_disabled() {
        for disabled in 0..3 {
            let mut chain = chain(2);
            chain[disabled].enabled = false;
            let id = chain[disabled].id.clone();
            assert!(
                matches!(placed("d", &chain), Err(Error::BranchDisabled(found)) if found == id)
            );
        }
    }
}
