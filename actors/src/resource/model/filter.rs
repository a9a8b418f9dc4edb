//! What lists of projects and domains are narrowed by. Of each kind of condition all have to hold.

use super::Project;
use crate::ids::DomainId;
use crate::listing::{TextFilter, match_nothing, meets};

/// Which projects are listed; domains are projects too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectFilter {
    /// On the name.
    pub name: Vec<TextFilter>,
    /// On the ID of the domain that they are in; no domain meets such a condition.
    pub domain_id: Vec<TextFilter>,
    /// On the ID of what they are right below; likewise.
    pub parent_id: Vec<TextFilter>,
    /// On whether they are enabled themselves.
    pub enabled: Vec<bool>,
    /// Whether they act as domain.
    pub is_domain: Vec<bool>,
    /// On their tags.
    pub tags: TagFilter,
    /// Only the one of this ID.
    pub id: Option<String>,
}

/// Conditions on tags; `None`: none of this kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagFilter {
    /// `tags`: those that have all of these.
    pub all: Option<Vec<String>>,
    /// `tags-any`: those that have one of these at least.
    pub any: Option<Vec<String>>,
    /// `not-tags`: those that lack one of these at least.
    pub not_all: Option<Vec<String>>,
    /// `not-tags-any`: those that have none of these.
    pub not_any: Option<Vec<String>>,
}

/// Which domains are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainFilter {
    /// On the name.
    pub name: Vec<TextFilter>,
    /// On whether they are enabled.
    pub enabled: Vec<bool>,
    /// Only this one.
    pub id: Option<DomainId>,
}

impl From<DomainFilter> for ProjectFilter {
    fn from(filter: DomainFilter) -> Self {
        Self {
            name: filter.name,
            enabled: filter.enabled,
            is_domain: vec![true],
            id: filter.id.map(|id| id.to_string()),
            ..Self::default()
        }
    }
}

impl ProjectFilter {
    /// Whether no project can match.
    pub(in super::super) fn matches_nothing(&self) -> bool {
        let texts = [&self.name, &self.domain_id, &self.parent_id];
        let tags = &self.tags;
        let tags = [&tags.all, &tags.any, &tags.not_all, &tags.not_any];
        let mut tags = tags.into_iter().flatten().flatten();
        texts.into_iter().any(|filters| match_nothing(filters))
            || tags.any(|tag| tag.contains('\0'))
            || self.id.as_ref().is_some_and(|id| id.contains('\0'))
    }

    /// Whether what the database finds is more than what is asked for: it may not heed case, nor
    /// compare sets.
    pub(in super::super) fn finds_too_much(&self) -> bool {
        let texts = [&self.name, &self.domain_id, &self.parent_id];
        let mut texts = texts.into_iter().flatten();
        texts.any(TextFilter::heeds_case)
            || self.tags.all.is_some()
            || self.tags.not_all.is_some()
            || self.id.is_some()
    }

    /// The second look at what the database found.
    pub(in super::super) fn meets(&self, project: &Project) -> bool {
        let domain = project.domain_id.as_ref().map_or("", DomainId::as_str);
        let parent = project.parent_id.as_ref().map_or("", |id| id.as_str());
        let has_all = |tags: &Vec<String>| tags.iter().all(|tag| project.tags.contains(tag));
        meets(&self.name, &project.name)
            && meets(&self.domain_id, domain)
            && meets(&self.parent_id, parent)
            && self.tags.all.as_ref().is_none_or(has_all)
            && !self.tags.not_all.as_ref().is_some_and(has_all)
            && self.id.as_ref().is_none_or(|id| project.id == **id)
    }
}
