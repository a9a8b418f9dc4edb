//! Endpoints: where a service is to be found.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::service::enabled;
use crate::attributes::{Extra, double_option, merge_extra};
use crate::ids::{EndpointId, RegionId, ServiceId};

/// An endpoint. v3 shows it with `region`, a second name of `region_id`, and `links`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Endpoint {
    /// Attributes that Keystone does not know.
    #[serde(flatten)]
    pub extra: Extra,
    /// Its ID.
    pub id: EndpointId,
    /// `public`, `internal` or `admin`.
    pub interface: String,
    /// The region that it is in.
    pub region_id: Option<RegionId>,
    /// Whose it is.
    pub service_id: ServiceId,
    /// A template; see [`UrlTemplate`](crate::catalog::UrlTemplate).
    pub url: String,
    /// Whether it is in catalogs.
    pub enabled: bool,
}

/// An endpoint as it is after a change.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedEndpoint {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// The region that was made for it.
    pub made: Option<RegionId>,
}

/// An endpoint to create.
#[derive(Clone, Debug, Deserialize)]
pub struct NewEndpoint {
    /// See [`Endpoint::interface`].
    pub interface: String,
    /// See [`Endpoint::region_id`]; has to exist.
    #[serde(default)]
    pub region_id: Option<RegionId>,
    /// See [`Endpoint::service_id`]; has to exist.
    pub service_id: ServiceId,
    /// See [`Endpoint::url`].
    pub url: String,
    /// See [`Endpoint::enabled`].
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// Attributes that Keystone does not know; and `region`, for clients of old: without a
    /// `region_id` it is one, made if there is no such region.
    #[serde(flatten)]
    pub extra: Extra,
}

impl NewEndpoint {
    /// Takes `region` for `region_id` where that rules; the region that is to be made if it is
    /// missing.
    pub(in super::super) fn settle_region(&mut self) -> Option<RegionId> {
        let region = region_of_old(&mut self.extra, self.region_id.is_some())?;
        self.region_id = Some(region.clone());
        Some(region)
    }
}

impl From<NewEndpoint> for Endpoint {
    fn from(new: NewEndpoint) -> Self {
        Self {
            extra: new.extra,
            id: EndpointId::random(),
            interface: new.interface,
            region_id: new.region_id,
            service_id: new.service_id,
            url: new.url,
            enabled: new.enabled,
        }
    }
}

/// What of an endpoint changes; absent keeps it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct EndpointPatch {
    /// See [`Endpoint::interface`].
    pub interface: Option<String>,
    /// See [`Endpoint::region_id`]; `null` takes it out of its region.
    #[serde(deserialize_with = "double_option")]
    pub region_id: Option<Option<RegionId>>,
    /// See [`Endpoint::service_id`].
    pub service_id: Option<ServiceId>,
    /// See [`Endpoint::url`].
    pub url: Option<String>,
    /// See [`Endpoint::enabled`].
    pub enabled: Option<bool>,
    /// As in [`NewEndpoint::extra`].
    #[serde(flatten)]
    pub extra: Extra,
}

impl EndpointPatch {
    /// As [`NewEndpoint::settle_region`].
    pub(in super::super) fn settle_region(&mut self) -> Option<RegionId> {
        let named = matches!(self.region_id, Some(Some(_)));
        let region = region_of_old(&mut self.extra, named)?;
        self.region_id = Some(Some(region.clone()));
        Some(region)
    }

    /// The endpoint after this change.
    pub fn apply(self, endpoint: &Endpoint) -> Endpoint {
        Endpoint {
            extra: merge_extra(endpoint.extra.clone(), self.extra),
            id: endpoint.id.clone(),
            interface: self.interface.unwrap_or_else(|| endpoint.interface.clone()),
            region_id: self.region_id.unwrap_or_else(|| endpoint.region_id.clone()),
            service_id: self
                .service_id
                .unwrap_or_else(|| endpoint.service_id.clone()),
            url: self.url.unwrap_or_else(|| endpoint.url.clone()),
            enabled: self.enabled.unwrap_or(endpoint.enabled),
        }
    }
}

/// `region` where it counts. It is no attribute in any case: `region_id` is shown under its name.
fn region_of_old(extra: &mut Extra, has_region_id: bool) -> Option<RegionId> {
    match extra.shift_remove("region") {
        Some(Value::String(region)) if !has_region_id => Some(region.into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn region_counts_where_there_is_no_region_id() {
        for (body, settled) in [
            (json!({"region": "a"}), Some("a")),
            (json!({"region": "a", "region_id": null}), Some("a")),
            (json!({"region": "a", "region_id": "b"}), None),
            (json!({"region": null, "region_id": "b"}), None),
            (json!({"url": "http://h"}), None),
        ] {
            let mut patch: EndpointPatch = from_value(body.clone()).unwrap();
            assert_eq!(patch.settle_region(), settled.map(RegionId::from), "{body}");
            assert!(patch.extra.is_empty());
        }
    }
}
