//! Registered limits.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::Error;
use crate::attributes::{double_option, whole, whole_if_given};
use crate::ids::{RegionId, RegisteredLimitId, ServiceId};

/// What is limited: a resource of a service, in a region or in none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in super::super) struct Resource {
    pub service_id: Option<ServiceId>,
    pub region_id: Option<RegionId>,
    pub resource_name: Option<String>,
}

/// A registered limit, as v3 shows it (the API adds only `links`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RegisteredLimit {
    /// Its ID.
    pub id: RegisteredLimitId,
    /// The service; it may have been deleted.
    pub service_id: Option<ServiceId>,
    /// The region, where it holds for one; likewise.
    pub region_id: Option<RegionId>,
    /// 1 to 255 characters.
    pub resource_name: Option<String>,
    /// How many a project may have; −1: any number.
    pub default_limit: i32,
    /// Free text, up to 255 characters.
    pub description: Option<String>,
}

impl RegisteredLimit {
    pub(in super::super) fn resource(&self) -> Resource {
        Resource {
            service_id: self.service_id.clone(),
            region_id: self.region_id.clone(),
            resource_name: self.resource_name.clone(),
        }
    }
}

/// A registered limit to create.
#[derive(Clone, Debug, Deserialize)]
pub struct NewRegisteredLimit {
    /// The service; has to exist.
    pub service_id: ServiceId,
    /// The region; has to exist.
    #[serde(default)]
    pub region_id: Option<RegionId>,
    /// See [`RegisteredLimit::resource_name`].
    pub resource_name: String,
    /// See [`RegisteredLimit::default_limit`].
    #[serde(deserialize_with = "whole")]
    pub default_limit: i32,
    /// See [`RegisteredLimit::description`].
    #[serde(default)]
    pub description: Option<String>,
}

impl From<NewRegisteredLimit> for RegisteredLimit {
    fn from(new: NewRegisteredLimit) -> Self {
        Self {
            id: RegisteredLimitId::random(),
            service_id: Some(new.service_id),
            region_id: new.region_id,
            resource_name: Some(new.resource_name),
            default_limit: new.default_limit,
            description: new.description,
        }
    }
}

/// What of a registered limit changes; absent keeps it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RegisteredLimitPatch {
    /// See [`NewRegisteredLimit::service_id`].
    pub service_id: Option<ServiceId>,
    /// See [`NewRegisteredLimit::region_id`]; `null`: in none.
    #[serde(deserialize_with = "double_option")]
    pub region_id: Option<Option<RegionId>>,
    /// See [`RegisteredLimit::resource_name`].
    pub resource_name: Option<String>,
    /// See [`RegisteredLimit::default_limit`].
    #[serde(deserialize_with = "whole_if_given")]
    pub default_limit: Option<i32>,
    /// See [`RegisteredLimit::description`]; `null` clears it.
    #[serde(deserialize_with = "double_option")]
    pub description: Option<Option<String>>,
}

impl RegisteredLimitPatch {
    /// Whether it names what is limited. Keystone then refuses it where there is such a registered
    /// limit, be it the same one.
    pub(in super::super) fn names_resource(&self) -> bool {
        self.service_id.is_some() || self.region_id.is_some() || self.resource_name.is_some()
    }

    /// The registered limit after this change.
    pub fn apply(self, limit: &RegisteredLimit) -> RegisteredLimit {
        RegisteredLimit {
            id: limit.id.clone(),
            service_id: self.service_id.or_else(|| limit.service_id.clone()),
            region_id: self.region_id.unwrap_or_else(|| limit.region_id.clone()),
            resource_name: self.resource_name.or_else(|| limit.resource_name.clone()),
            default_limit: self.default_limit.unwrap_or(limit.default_limit),
            description: self
                .description
                .unwrap_or_else(|| limit.description.clone()),
        }
    }
}

/// All registered limits, in the order of their IDs.
#[derive(Clone, Debug, Default)]
pub struct RegisteredLimits(Vec<Arc<RegisteredLimit>>);

impl RegisteredLimits {
    pub(in super::super) fn new(mut limits: Vec<RegisteredLimit>) -> Self {
        limits.sort_by(|a, b| a.id.cmp(&b.id));
        Self(limits.into_iter().map(Arc::new).collect())
    }

    /// The registered limit of this ID.
    ///
    /// # Errors
    /// `RegisteredNotFound` if there is none.
    pub fn get(&self, id: &RegisteredLimitId) -> Result<&Arc<RegisteredLimit>, Error> {
        let found = self.0.iter().find(|limit| limit.id == *id);
        found.ok_or_else(|| Error::RegisteredNotFound(id.clone()))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<RegisteredLimit>> {
        self.0.iter()
    }
}
