//! JSON Home: which resources this server has, by their relations.

use serde_json::{Map, Value, json};

const V3: &str = "https://docs.openstack.org/api/openstack-identity/3";

/// The relations of what is routed: name, and path below `/v3`. `ext/…` names an extension.
const RELATIONS: [(&str, &str); 6] = [
    ("rel/auth_tokens", "/auth/tokens"),
    ("rel/auth_catalog", "/auth/catalog"),
    ("rel/auth_projects", "/auth/projects"),
    ("rel/auth_domains", "/auth/domains"),
    ("rel/auth_system", "/auth/system"),
    ("ext/OS-REVOKE/1.0/rel/events", "/OS-REVOKE/events"),
];

/// The document; `prefix` stands before each path.
pub fn document(prefix: &str) -> Value {
    let resources: Map<String, Value> = RELATIONS
        .iter()
        .map(|(name, path)| {
            (
                format!("{V3}/{name}"),
                json!({"href": format!("{prefix}{path}")}),
            )
        })
        .collect();
    json!({ "resources": resources })
}
