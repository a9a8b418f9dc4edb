//! Groups of endpoints, chosen by a filter, to be shown to projects.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Endpoint;
use crate::attributes::double_option;
use crate::ids::EndpointGroupId;

/// A group of endpoints, as v3 shows it (the API adds only `links`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EndpointGroup {
    /// Its ID.
    pub id: EndpointGroupId,
    /// 1 to 255 characters; need not be unique.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// What an endpoint has to have to be in it: values by `service_id`, `region_id` and
    /// `interface`.
    pub filters: Map<String, Value>,
}

impl EndpointGroup {
    /// Whether an endpoint is in it.
    pub fn contains(&self, endpoint: &Endpoint) -> bool {
        self.filters.iter().all(|(name, wanted)| {
            let has = |text: &str| wanted.as_str() == Some(text);
            match name.as_str() {
                "interface" => has(&endpoint.interface),
                "service_id" => has(endpoint.service_id.as_str()),
                "region_id" => match &endpoint.region_id {
                    Some(region) => has(region.as_str()),
                    None => wanted.is_null(),
                },
                // Refused today; rows of old may have it.
                "enabled" => wanted.as_bool() == Some(endpoint.enabled),
                _ => false,
            }
        })
    }
}

/// A group of endpoints to create.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NewEndpointGroup {
    /// See [`EndpointGroup::name`].
    pub name: String,
    /// See [`EndpointGroup::description`].
    #[serde(default)]
    pub description: Option<String>,
    /// See [`EndpointGroup::filters`].
    pub filters: Map<String, Value>,
}

impl From<NewEndpointGroup> for EndpointGroup {
    fn from(new: NewEndpointGroup) -> Self {
        Self {
            id: EndpointGroupId::random(),
            name: new.name,
            description: new.description,
            filters: new.filters,
        }
    }
}

/// What of a group of endpoints changes; absent keeps it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct EndpointGroupPatch {
    /// See [`EndpointGroup::name`].
    pub name: Option<String>,
    /// See [`EndpointGroup::description`]; `null` clears it.
    #[serde(deserialize_with = "double_option")]
    pub description: Option<Option<String>>,
    /// All of them, in the place of those that were.
    pub filters: Option<Map<String, Value>>,
}

impl EndpointGroupPatch {
    /// The group after this change.
    pub fn apply(self, group: &EndpointGroup) -> EndpointGroup {
        EndpointGroup {
            id: group.id.clone(),
            name: self.name.unwrap_or_else(|| group.name.clone()),
            description: self
                .description
                .unwrap_or_else(|| group.description.clone()),
            filters: self.filters.unwrap_or_else(|| group.filters.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_group_contains_what_all_its_filters_match() {
        let endpoint = Endpoint {
            extra: Map::new(),
            id: "e".into(),
            interface: "public".to_owned(),
            region_id: None,
            service_id: "s".into(),
            url: "http://h".to_owned(),
            enabled: true,
        };
        let contains = |filters| {
            let group = NewEndpointGroup {
                filters: from_value(filters).unwrap(),
                ..NewEndpointGroup::default()
            };
            EndpointGroup::from(group).contains(&endpoint)
        };
        assert!(contains(json!({})));
        assert!(contains(json!({"interface": "public", "service_id": "s"})));
        assert!(contains(json!({"region_id": null, "enabled": true})));
        assert!(!contains(json!({"interface": "public", "service_id": "t"})));
        assert!(!contains(json!({"region_id": "r"})));
        assert!(!contains(json!({"colour": "blue"})));
    }
}
