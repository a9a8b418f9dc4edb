//! Limits of projects and domains.

use serde::{Deserialize, Serialize};

use super::registered::Resource;
use crate::attributes::{double_option, whole, whole_if_given};
use crate::ids::{DomainId, LimitId, ProjectId, RegionId, RegisteredLimitId, ServiceId};
use crate::listing::TextFilter;

/// A limit, as v3 shows it (the API adds only `links`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// Its ID.
    pub id: LimitId,
    /// The project; either this or a domain.
    pub project_id: Option<ProjectId>,
    /// The domain; it may have been deleted.
    pub domain_id: Option<DomainId>,
    /// How many it may have; −1: any number.
    pub resource_limit: i32,
    /// Free text, up to 255 characters.
    pub description: Option<String>,
    /// As registered.
    pub service_id: Option<ServiceId>,
    /// As registered.
    pub region_id: Option<RegionId>,
    /// As registered.
    pub resource_name: Option<String>,
    /// The registered limit whose place it takes.
    #[serde(skip)]
    pub(in super::super) registered_limit_id: RegisteredLimitId,
}

impl Limit {
    /// The ID of the project or domain; empty in rows that have neither.
    pub fn owner(&self) -> &str {
        let project = self.project_id.as_ref().map(ProjectId::as_str);
        let domain = self.domain_id.as_ref().map(DomainId::as_str);
        project.or(domain).unwrap_or_default()
    }
}

/// A limit to create. A project that acts as domain counts as the domain.
#[derive(Clone, Debug, Deserialize)]
pub struct NewLimit {
    /// The project; either this or a domain has to be there.
    #[serde(default)]
    pub project_id: Option<ProjectId>,
    /// The domain.
    #[serde(default)]
    pub domain_id: Option<DomainId>,
    /// The service; has to exist.
    pub service_id: ServiceId,
    /// The region; has to exist.
    #[serde(default)]
    pub region_id: Option<RegionId>,
    /// What is registered for the service and region.
    pub resource_name: String,
    /// See [`Limit::resource_limit`].
    #[serde(deserialize_with = "whole")]
    pub resource_limit: i32,
    /// See [`Limit::description`].
    #[serde(default)]
    pub description: Option<String>,
}

impl NewLimit {
    pub(in super::super) fn resource(&self) -> Resource {
        Resource {
            service_id: Some(self.service_id.clone()),
            region_id: self.region_id.clone(),
            resource_name: Some(self.resource_name.clone()),
        }
    }

    /// The limit in the place of this registered one.
    pub(in super::super) fn registered(self, registered: &RegisteredLimitId) -> Limit {
        Limit {
            id: LimitId::random(),
            project_id: self.project_id,
            domain_id: self.domain_id,
            resource_limit: self.resource_limit,
            description: self.description,
            service_id: Some(self.service_id),
            region_id: self.region_id,
            resource_name: Some(self.resource_name),
            registered_limit_id: registered.clone(),
        }
    }
}

/// What of a limit changes; absent keeps it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LimitPatch {
    /// See [`Limit::resource_limit`].
    #[serde(deserialize_with = "whole_if_given")]
    pub resource_limit: Option<i32>,
    /// See [`Limit::description`]; `null` clears it.
    #[serde(deserialize_with = "double_option")]
    pub description: Option<Option<String>>,
}

impl LimitPatch {
    /// The limit after this change.
    pub fn apply(self, limit: &Limit) -> Limit {
        Limit {
            id: limit.id.clone(),
            project_id: limit.project_id.clone(),
            domain_id: limit.domain_id.clone(),
            resource_limit: self.resource_limit.unwrap_or(limit.resource_limit),
            description: self
                .description
                .unwrap_or_else(|| limit.description.clone()),
            service_id: limit.service_id.clone(),
            region_id: limit.region_id.clone(),
            resource_name: limit.resource_name.clone(),
            registered_limit_id: limit.registered_limit_id.clone(),
        }
    }
}

/// Which limits are listed. Of each kind of condition all have to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitFilter {
    /// On the service's ID.
    pub service_id: Vec<TextFilter>,
    /// On the region's ID.
    pub region_id: Vec<TextFilter>,
    /// On the resource's name.
    pub resource_name: Vec<TextFilter>,
    /// On the project's ID.
    pub project_id: Vec<TextFilter>,
    /// On the domain's ID.
    pub domain_id: Vec<TextFilter>,
}

impl LimitFilter {
    pub(in super::super) fn matches(&self, limit: &Limit) -> bool {
        let text = |filters: &[TextFilter], value: Option<&str>| match value {
            Some(value) => filters.iter().all(|filter| filter.matches(value)),
            None => filters.is_empty(),
        };
        text(
            &self.service_id,
            limit.service_id.as_ref().map(ServiceId::as_str),
        ) && text(
            &self.region_id,
            limit.region_id.as_ref().map(RegionId::as_str),
        ) && text(&self.resource_name, limit.resource_name.as_deref())
            && text(
                &self.project_id,
                limit.project_id.as_ref().map(ProjectId::as_str),
            )
            && text(
                &self.domain_id,
                limit.domain_id.as_ref().map(DomainId::as_str),
            )
    }

    /// The one project or domain whose limits are asked for, if it is one.
    pub(in super::super) fn owner(&self) -> Option<&str> {
        let mut owners = self.project_id.iter().chain(&self.domain_id);
        owners.find_map(|filter| filter.exactly())
    }
}
