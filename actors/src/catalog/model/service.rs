//! Services.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::attributes::{Extra, merge_extra};
use crate::ids::ServiceId;

/// A service, as v3 shows it (the API adds only `links`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Service {
    /// Attributes that Keystone does not know, and `name`, which it keeps among them.
    #[serde(flatten)]
    pub extra: Extra,
    /// Its ID.
    pub id: ServiceId,
    /// What it is, such as `compute`; need not be unique. `None` in rows of old.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Whether it and its endpoints are in catalogs.
    pub enabled: bool,
}

impl Service {
    /// Its name; empty where it has none.
    pub fn name(&self) -> &str {
        match self.extra.get("name") {
            Some(Value::String(name)) => name,
            _ => "",
        }
    }
}

/// A service to create.
#[derive(Clone, Debug, Deserialize)]
pub struct NewService {
    /// See [`Service::kind`].
    #[serde(rename = "type")]
    pub kind: String,
    /// See [`Service::enabled`].
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// See [`Service::extra`]; without a `name` it gets an empty one.
    #[serde(flatten)]
    pub extra: Extra,
}

pub(super) fn enabled() -> bool {
    true
}

impl From<NewService> for Service {
    fn from(mut new: NewService) -> Self {
        new.extra.entry("name").or_insert_with(|| "".into());
        Self {
            extra: new.extra,
            id: ServiceId::random(),
            kind: Some(new.kind),
            enabled: new.enabled,
        }
    }
}

/// What of a service changes; absent keeps it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ServicePatch {
    /// See [`Service::kind`].
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// See [`Service::enabled`].
    pub enabled: Option<bool>,
    /// See [`Service::extra`].
    #[serde(flatten)]
    pub extra: Extra,
}

impl ServicePatch {
    /// The service after this change.
    pub fn apply(self, service: &Service) -> Service {
        Service {
            extra: merge_extra(service.extra.clone(), self.extra),
            id: service.id.clone(),
            kind: self.kind.or_else(|| service.kind.clone()),
            enabled: self.enabled.unwrap_or(service.enabled),
        }
    }
}
