//! Changes of projects and domains.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{Error, ResourceSettings};
use super::new::without_place;
use super::{Project, checked_name};
use crate::attributes::{Extra, ResourceOptionsPatch, double_option, given, merge_extra};

/// What of a project changes. Absent members stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProjectPatch {
    /// See [`Project::name`]. Blanks around it are taken away.
    pub name: Option<String>,
    /// May be repeated, not changed: whatever it is, it is compared with what is.
    #[serde(deserialize_with = "given")]
    pub domain_id: Option<Value>,
    /// As [`Self::domain_id`].
    #[serde(deserialize_with = "given")]
    pub parent_id: Option<Value>,
    /// As [`Self::domain_id`].
    #[serde(deserialize_with = "given")]
    pub is_domain: Option<Value>,
    /// See [`Project::enabled`].
    pub enabled: Option<bool>,
    /// `null` clears it.
    #[serde(deserialize_with = "double_option")]
    pub description: Option<Option<String>>,
    /// Replaces all tags.
    pub tags: Option<Vec<String>>,
    /// Merged by name; `null` removes one.
    pub options: Option<ResourceOptionsPatch>,
    /// Attributes that Keystone does not know; laid over those that were.
    #[serde(flatten)]
    pub extra: Extra,
}

impl ProjectPatch {
    /// The project after this change. What is above and below it is not looked at.
    pub fn apply(self, project: &Project, settings: &ResourceSettings) -> Result<Project, Error> {
        let domain = project.domain_id.as_ref().map(|id| id.as_str());
        if self
            .domain_id
            .as_ref()
            .is_some_and(|id| *id != json!(domain))
        {
            return Err(Error::DomainIsFixed);
        }
        // Keystone's check_immutable_update: first the flag, alone; the rest in a second request.
        if project.options.is_immutable() && !self.only_clears_immutable() {
            return Err(Error::Immutable {
                kind: project.kind(),
                id: project.id.clone(),
            });
        }
        let name = match self.name {
            Some(name) if name != project.name => checked_name(&name, project.is_domain, settings)?,
            _ => project.name.clone(),
        };
        let parent = project.parent_id.as_ref().map(|id| id.as_str());
        if self.parent_id.is_some_and(|id| id != json!(parent)) {
            return Err(Error::ParentIsFixed);
        }
        if self
            .is_domain
            .is_some_and(|is| truth(&is) != Some(project.is_domain))
        {
            return Err(Error::KindIsFixed);
        }
        Ok(Project {
            extra: merge_extra(project.extra.clone(), self.extra),
            id: project.id.clone(),
            domain_id: project.domain_id.clone(),
            parent_id: project.parent_id.clone(),
            is_domain: project.is_domain,
            name,
            description: self
                .description
                .unwrap_or_else(|| project.description.clone()),
            enabled: self.enabled.unwrap_or(project.enabled),
            tags: self.tags.unwrap_or_else(|| project.tags.clone()),
            options: match self.options {
                Some(options) => project.options.patched(options),
                None => project.options,
            },
        })
    }

    fn only_clears_immutable(&self) -> bool {
        let Self {
            name,
            domain_id,
            parent_id,
            is_domain,
            enabled,
            description,
            tags,
            options,
            extra,
        } = self;
        options.is_some_and(ResourceOptionsPatch::clears_immutable)
            && name.is_none()
            && domain_id.is_none()
            && parent_id.is_none()
            && is_domain.is_none()
            && enabled.is_none()
            && description.is_none()
            && tags.is_none()
            && extra.is_empty()
    }
}

/// What is equal to a boolean in Python: itself, 1 and 0.
fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(is) => Some(*is),
        Value::Number(number) if number.as_f64() == Some(1.0) => Some(true),
        Value::Number(number) if number.as_f64() == Some(0.0) => Some(false),
        _ => None,
    }
}

/// What of a domain changes. Absent members stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct DomainPatch {
    /// See [`ProjectPatch::name`].
    pub name: Option<String>,
    /// See [`Project::enabled`].
    pub enabled: Option<bool>,
    /// `null` clears it.
    #[serde(deserialize_with = "double_option")]
    pub description: Option<Option<String>>,
    /// Replaces all tags.
    pub tags: Option<Vec<String>>,
    /// Merged by name; `null` removes one.
    pub options: Option<ResourceOptionsPatch>,
    /// Attributes that Keystone does not know; laid over those that were.
    #[serde(flatten)]
    pub extra: Extra,
}

impl From<DomainPatch> for ProjectPatch {
    fn from(patch: DomainPatch) -> Self {
        Self {
            name: patch.name,
            enabled: patch.enabled,
            description: patch.description,
            tags: patch.tags,
            options: patch.options,
            extra: without_place(patch.extra),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::from_value;

    use super::super::NewProject;
    use super::*;

    fn sample(body: Value) -> Project {
        let new: NewProject = from_value(body).unwrap();
        new.into_project(&ResourceSettings::default()).unwrap()
    }

    fn patched(project: &Project, body: Value) -> Result<Project, Error> {
        let patch: ProjectPatch = from_value(body).unwrap();
        patch.apply(project, &ResourceSettings::default())
    }

    #[test]
    fn absence_keeps_and_null_clears() {
        let project = sample(json!({"name": "p", "description": "d", "tags": ["t"], "colour": 1}));
        assert_eq!(patched(&project, json!({})).unwrap(), project);

        let after = patched(
            &project,
            json!({"description": null, "tags": [], "colour": null, "enabled": false, "name": " q "}),
        )
        .unwrap();
        assert_eq!((&after.description, &*after.name), (&None, "q"));
        assert!(after.tags.is_empty() && !after.enabled);
        assert_eq!(after.extra["colour"], Value::Null);
    }

    #[test]
    fn a_project_stays_where_and_what_it_is() {
        let project = sample(json!({"name": "p", "domain_id": "d"}));
        for same in [
            json!({"domain_id": "d", "parent_id": "d", "is_domain": false}),
            json!({"is_domain": 0}),
        ] {
            assert!(patched(&project, same).is_ok());
        }
        for (body, error) in [
            (json!({"domain_id": "e"}), "Cannot change Domain ID"),
            (json!({"domain_id": null}), "Cannot change Domain ID"),
            (json!({"domain_id": ["d"]}), "Cannot change Domain ID"),
            (
                json!({"parent_id": 7}),
                "Update of `parent_id` is not allowed.",
            ),
            (
                json!({"is_domain": null}),
                "Update of `is_domain` is not allowed.",
            ),
            (
                json!({"is_domain": "false"}),
                "Update of `is_domain` is not allowed.",
            ),
            (
                json!({"parent_id": "e"}),
                "Update of `parent_id` is not allowed.",
            ),
            (
                json!({"is_domain": true}),
                "Update of `is_domain` is not allowed.",
            ),
        ] {
            assert_eq!(patched(&project, body).unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn an_immutable_project_can_only_be_freed_and_by_nothing_else() {
        let project = sample(json!({"name": "p", "options": {"immutable": true}}));
        for free in [json!(false), json!(null)] {
            assert!(patched(&project, json!({"options": {"immutable": free}})).is_ok());
        }
        for body in [
            json!({}),
            json!({"options": {}}),
            json!({"options": {"immutable": true}}),
            json!({"name": "q"}),
            json!({"options": {"immutable": false}, "colour": 1}),
        ] {
            assert!(matches!(
                patched(&project, body),
                Err(Error::Immutable {
                    kind: "project",
                    ..
                })
            ));
        }
    }

    #[test]
    fn what_only_projects_have_is_no_attribute_of_a_domain() {
        let patch: DomainPatch =
            from_value(json!({"parent_id": "x", "is_domain": false, "colour": 1})).unwrap();
        let patch = ProjectPatch::from(patch);
        assert_eq!(patch.extra.len(), 1);
        assert!(patch.parent_id.is_none() && patch.is_domain.is_none());
    }
}
