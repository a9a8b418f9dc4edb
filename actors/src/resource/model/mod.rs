//! Projects and domains, and the rules for them.

mod filter;
mod new;
mod patch;
mod place;
mod tags;

pub use filter::{DomainFilter, ProjectFilter, TagFilter};
pub use new::{NewDomain, NewProject};
pub use patch::{DomainPatch, ProjectPatch};
pub(super) use place::{Link, check_place};
pub use tags::{MOST_TAGS, TagEdit};

use serde::Serialize;

use super::{Error, ResourceSettings};

use crate::attributes::{Extra, ResourceOptions};
use crate::identity::DeletedUser;
use crate::ids::{DomainId, GroupId, ProjectId};

/// What was in a domain, and was deleted with it: that of which Keystone tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainContents {
    /// The projects, none before those below it.
    pub projects: Vec<ProjectId>,
    /// The groups.
    pub groups: Vec<GroupId>,
    /// The users.
    pub users: Vec<DeletedUser>,
}

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

impl Project {
    /// What it is called where it refuses a change.
    pub(super) fn kind(&self) -> &'static str {
        if self.is_domain { "domain" } else { "project" }
    }

    /// The domain that it belongs to: its own where it acts as one.
    pub(super) fn own_domain(&self) -> DomainId {
        let own = || DomainId::from(&self.id);
        self.domain_id.clone().unwrap_or_else(own)
    }

    /// Why it can't be deleted, whatever is below it.
    pub(super) fn check_deletion(&self) -> Result<(), Error> {
        if self.options.is_immutable() {
            return Err(Error::ImmutableDeletion {
                kind: self.kind(),
                id: self.id.clone(),
            });
        }
        if self.is_domain && self.enabled {
            return Err(Error::DomainEnabled);
        }
        Ok(())
    }
}

/// A name as it is stored: without blanks around it, and with no character that URLs reserve where
/// the operator wants none.
fn checked_name(name: &str, is_domain: bool, settings: &ResourceSettings) -> Result<String, Error> {
    const RESERVED: &str = ":/?#[]@!$&'()*+,;=";
    let (kind, url_safe) = if is_domain {
        ("Domain", settings.url_safe_domains)
    } else {
        ("Project", settings.url_safe_projects)
    };
    let characters: String = name.chars().filter(|one| RESERVED.contains(*one)).collect();
    if url_safe && !characters.is_empty() {
        return Err(Error::ReservedCharacters { kind, characters });
    }
    let name = name.trim();
    if is_domain && name.to_lowercase() == settings.reserved_domain.to_lowercase() {
        return Err(Error::ReservedDomain(name.to_owned()));
    }
    Ok(name.to_owned())
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
