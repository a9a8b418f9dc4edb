//! Projects and domains to create.

use serde::Deserialize;

use super::super::{Error, ResourceSettings};
use super::{Project, checked_name};
use crate::attributes::{Extra, ResourceOptions, double_option};
use crate::ids::{DomainId, ProjectId};

/// A project to create, or with `is_domain` a domain.
#[derive(Clone, Debug, Deserialize)]
pub struct NewProject {
    /// Given by `bootstrap` alone; else random.
    #[serde(skip)]
    pub id: Option<ProjectId>,
    /// See [`Project::name`]. Blanks around it are taken away.
    pub name: String,
    /// `None`: the default domain.
    #[serde(default)]
    pub domain_id: Option<DomainId>,
    /// `None`: right below the domain.
    #[serde(default)]
    pub parent_id: Option<ProjectId>,
    /// See [`Project::is_domain`].
    #[serde(default)]
    pub is_domain: bool,
    /// See [`Project::enabled`].
    #[serde(default = "yes")]
    pub enabled: bool,
    /// `None`: empty; `Some(None)`: `null`.
    #[serde(default, deserialize_with = "double_option")]
    pub description: Option<Option<String>>,
    /// See [`Project::tags`].
    #[serde(default)]
    pub tags: Vec<String>,
    /// See [`Project::options`].
    #[serde(default)]
    pub options: ResourceOptions,
    /// Attributes that Keystone does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl NewProject {
    /// The project that comes of it, its place in the tree still unchecked.
    pub(in super::super) fn into_project(
        self,
        settings: &ResourceSettings,
    ) -> Result<Project, Error> {
        let name = checked_name(&self.name, self.is_domain, settings)?;
        // A domain begins as a project, whose rule holds for its first name as well.
        checked_name(&self.name, false, settings)?;
        let set = |id: &&str| !id.is_empty();
        let parent = self.parent_id.filter(|id| set(&id.as_str()));
        let domain = self.domain_id.filter(|id| set(&id.as_str()));
        let (domain_id, parent_id) = if self.is_domain {
            if parent.is_some() || domain.is_some() {
                return Err(Error::DomainBelowAnother);
            }
            (None, None)
        } else {
            let domain = domain.unwrap_or_else(|| settings.default_domain_id.clone());
            let parent = parent.unwrap_or_else(|| ProjectId::from(&domain));
            (Some(domain), Some(parent))
        };
        Ok(Project {
            extra: self.extra,
            id: self.id.unwrap_or_else(ProjectId::random),
            name,
            domain_id,
            description: self.description.unwrap_or_else(|| Some(String::new())),
            enabled: self.enabled,
            parent_id,
            is_domain: self.is_domain,
            tags: self.tags,
            options: self.options,
        })
    }
}

/// A domain to create.
#[derive(Clone, Debug, Deserialize)]
pub struct NewDomain {
    /// `None`: random. 32 lower-case hexadecimal digits.
    #[serde(default)]
    pub explicit_domain_id: Option<String>,
    /// See [`NewProject::name`].
    pub name: String,
    /// See [`Project::enabled`].
    #[serde(default = "yes")]
    pub enabled: bool,
    /// See [`NewProject::description`].
    #[serde(default, deserialize_with = "double_option")]
    pub description: Option<Option<String>>,
    /// See [`Project::tags`].
    #[serde(default)]
    pub tags: Vec<String>,
    /// See [`Project::options`].
    #[serde(default)]
    pub options: ResourceOptions,
    /// Attributes that Keystone does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl NewDomain {
    /// The project that acts as this domain.
    pub(in super::super) fn into_project(
        self,
        settings: &ResourceSettings,
    ) -> Result<Project, Error> {
        if let Some(id) = &self.explicit_domain_id {
            let is_digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
            if id.len() != 32 || !id.bytes().all(is_digit) {
                return Err(Error::DomainIdInvalid);
            }
        }
        let new = NewProject {
            id: self.explicit_domain_id.map(ProjectId::from),
            name: self.name,
            domain_id: None,
            parent_id: None,
            is_domain: true,
            enabled: self.enabled,
            description: self.description,
            tags: self.tags,
            options: self.options,
            extra: without_place(self.extra),
        };
        new.into_project(settings)
    }
}

/// What a project has and a domain hasn't is overwritten by Keystone, and never stored.
pub(super) fn without_place(mut extra: Extra) -> Extra {
    for name in ["domain_id", "parent_id", "is_domain"] {
        extra.shift_remove(name);
    }
    extra
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn project(body: Value) -> Result<Project, Error> {
        let new: NewProject = from_value(body).unwrap();
        new.into_project(&ResourceSettings::default())
    }

    #[test]
    fn a_project_goes_right_below_its_domain_unless_told_otherwise() {
        let place = |body| {
            let project = project(body).unwrap();
            (
                project.domain_id.unwrap().to_string(),
                project.parent_id.unwrap().to_string(),
            )
        };
        let pair = |domain: &str, parent: &str| (domain.to_owned(), parent.to_owned());

        assert_eq!(place(json!({"name": "p"})), pair("default", "default"));
        assert_eq!(
            place(json!({"name": "p", "domain_id": "d", "parent_id": null})),
            pair("d", "d")
        );
        assert_eq!(
            place(json!({"name": "p", "parent_id": "q"})),
            pair("default", "q")
        );
    }

    #[test]
    fn a_domain_is_below_nothing() {
        for place in ["domain_id", "parent_id"] {
            let refused = project(json!({"name": "d", "is_domain": true, place: "x"}));
            assert!(matches!(refused, Err(Error::DomainBelowAnother)));
        }
        let domain = project(json!({"name": "d", "is_domain": true})).unwrap();
        assert_eq!((domain.domain_id, domain.parent_id), (None, None));
    }

    #[test]
    fn names_lose_blanks_and_may_have_to_do_without_reserved_characters() {
        assert_eq!(
            project(json!({"name": " a/b "})).unwrap().name,
            "a/b".to_owned()
        );
        let settings = ResourceSettings {
            url_safe_projects: true,
            ..ResourceSettings::default()
        };
        let new = |body| {
            from_value::<NewProject>(body)
                .unwrap()
                .into_project(&settings)
        };
        let refused = new(json!({"name": "a/b?"})).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "Project name cannot contain the following reserved characters: /?"
        );
        let refused = new(json!({"name": "a/b", "is_domain": true})).unwrap_err();
        assert!(refused.to_string().starts_with("Project name"), "{refused}");
        let reserved = new(json!({"name": "FEDERATED", "is_domain": true}));
        assert!(matches!(reserved, Err(Error::ReservedDomain(_))));
    }

    #[test]
    fn an_id_given_for_a_domain_is_a_uuid_without_hyphens() {
        let id = |id: &str| {
            let new: NewDomain =
                from_value(json!({"name": "d", "explicit_domain_id": id, "parent_id": "x"}))
                    .unwrap();
            new.into_project(&ResourceSettings::default())
        };
        let good = "0ddf9a1e4b544ac6b1fb5ba6bbc0d9a3";
        let domain = id(good).unwrap();
        assert_eq!((domain.id.as_str(), domain.extra.len()), (good, 0));
        for bad in ["", "zz", &good.to_uppercase(), &good[1..]] {
            assert!(matches!(id(bad), Err(Error::DomainIdInvalid)), "{bad}");
        }
    }
}
