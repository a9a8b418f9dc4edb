//! Projects and domains.

use serde::Serialize;

use crate::attributes::{Extra, ResourceOptions};
use crate::ids::{DomainId, ProjectId};

/// A project, as v3 shows it (the API adds only `links`). A domain is one with `is_domain`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Project {
    /// Attributes that Keystone does not know.
    #[serde(flatten)]
    pub extra: Extra,
    /// Its ID.
    pub id: ProjectId,
    /// 1 to 64 characters, unique within the domain; a domain's among the domains.
    pub name: String,
    /// The domain that it is in; `None` for a domain.
    pub domain_id: Option<DomainId>,
    /// Free text.
    pub description: Option<String>,
    /// Whether tokens may be scoped to it, and those that are stay good.
    pub enabled: bool,
    /// The project or domain right above; `None` for a domain.
    pub parent_id: Option<ProjectId>,
    /// Whether it acts as domain.
    pub is_domain: bool,
    /// Up to 80 texts of 1 to 255 characters without `,` and `/`; the order means nothing.
    pub tags: Vec<String>,
    /// Whether it may be changed.
    pub options: ResourceOptions,
}

/// A domain, as v3 shows it (the API adds only `links`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Domain {
    /// Attributes that Keystone does not know.
    #[serde(flatten)]
    pub extra: Extra,
    /// Its ID.
    pub id: DomainId,
    /// 1 to 64 characters, unique among the domains.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Whether its users may log in, and tokens be scoped to it and its projects.
    pub enabled: bool,
    /// See [`Project::tags`].
    pub tags: Vec<String>,
    /// Whether it may be changed.
    pub options: ResourceOptions,
}

impl Domain {
    /// The domain that a project acts as; `None` if it doesn't.
    pub fn of(project: &Project) -> Option<Self> {
        project.is_domain.then(|| Self {
            extra: project.extra.clone(),
            id: DomainId::from(&project.id),
            name: project.name.clone(),
            description: project.description.clone(),
            enabled: project.enabled,
            tags: project.tags.clone(),
            options: project.options,
        })
    }
}

/// A project below another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Descendant {
    /// Its ID.
    pub id: ProjectId,
    /// What it is right below.
    pub parent_id: ProjectId,
}
