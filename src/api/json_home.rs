//! JSON Home: which resources this server has, by their relations. Only what is routed stands here.

use serde_json::{Map, Value, json};

const V3: &str = "https://docs.openstack.org/api/openstack-identity/3";

/// Relations below [`V3`], and their paths below `/v3`.
const RELATIONS: &[(&str, &str)] = &[
    ("rel/auth_tokens", "/auth/tokens"),
    (
        "ext/OS-PKI/1.0/rel/revocations",
        "/auth/tokens/OS-PKI/revoked",
    ),
    ("rel/auth_catalog", "/auth/catalog"),
    ("rel/auth_projects", "/auth/projects"),
    ("rel/auth_domains", "/auth/domains"),
    ("rel/auth_system", "/auth/system"),
    ("ext/OS-REVOKE/1.0/rel/events", "/OS-REVOKE/events"),
    (
        "ext/OS-SIMPLE-CERT/1.0/rel/ca_certificate",
        "/OS-SIMPLE-CERT/ca",
    ),
    (
        "ext/OS-SIMPLE-CERT/1.0/rel/certificates",
        "/OS-SIMPLE-CERT/certificates",
    ),
    ("rel/roles", "/roles"),
    ("rel/role", "/roles/{role_id}"),
    ("rel/implied_roles", "/roles/{prior_role_id}/implies"),
    (
        "rel/implied_role",
        "/roles/{prior_role_id}/implies/{implied_role_id}",
    ),
    ("rel/role_inferences", "/role_inferences"),
    ("rel/users", "/users"),
    ("rel/user", "/users/{user_id}"),
    ("rel/user_change_password", "/users/{user_id}/password"),
    ("rel/user_groups", "/users/{user_id}/groups"),
    ("rel/user_tokens", "/users/{user_id}/tokens"),
    ("rel/groups", "/groups"),
    ("rel/group", "/groups/{group_id}"),
    ("rel/group_users", "/groups/{group_id}/users"),
    ("rel/group_user", "/groups/{group_id}/users/{user_id}"),
    (
        "rel/application_credentials",
        "/users/{user_id}/application_credentials",
    ),
    (
        "rel/application_credential",
        "/users/{user_id}/application_credentials/{application_credential_id}",
    ),
    ("rel/access_rules", "/users/{user_id}/access_rules"),
    (
        "rel/access_rule",
        "/users/{user_id}/access_rules/{access_rule_id}",
    ),
    ("rel/credentials", "/credentials"),
    ("rel/credential", "/credentials/{credential_id}"),
    (
        "ext/OS-EC2/1.0/rel/user_credentials",
        "/users/{user_id}/credentials/OS-EC2",
    ),
    (
        "ext/OS-EC2/1.0/rel/user_credential",
        "/users/{user_id}/credentials/OS-EC2/{credential_id}",
    ),
    ("ext/OS-EC2/1.0/rel/ec2tokens", "/ec2tokens"),
    ("ext/s3tokens/1.0/rel/s3tokens", "/s3tokens"),
    ("ext/OS-TRUST/1.0/rel/trusts", "/OS-TRUST/trusts"),
    ("ext/OS-TRUST/1.0/rel/trust", "/OS-TRUST/trusts/{trust_id}"),
    (
        "ext/OS-TRUST/1.0/rel/trust_roles",
        "/OS-TRUST/trusts/{trust_id}/roles",
    ),
    (
        "ext/OS-TRUST/1.0/rel/trust_role",
        "/OS-TRUST/trusts/{trust_id}/roles/{role_id}",
    ),
    ("rel/services", "/services"),
    ("rel/service", "/services/{service_id}"),
    ("rel/endpoints", "/endpoints"),
    ("rel/endpoint", "/endpoints/{endpoint_id}"),
    (
        "ext/OS-ENDPOINT-POLICY/1.0/rel/endpoint_policy",
        "/endpoints/{endpoint_id}/OS-ENDPOINT-POLICY/policy",
    ),
    ("rel/regions", "/regions"),
    ("rel/region", "/regions/{region_id}"),
    (
        "ext/OS-EP-FILTER/1.0/rel/endpoint_groups",
        "/OS-EP-FILTER/endpoint_groups",
    ),
    (
        "ext/OS-EP-FILTER/1.0/rel/endpoint_group",
        "/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}",
    ),
    (
        "ext/OS-EP-FILTER/1.0/rel/endpoints_in_endpoint_group",
        "/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/endpoints",
    ),
    (
        "ext/OS-EP-FILTER/1.0/rel/projects_associated_with_endpoint_group",
        "/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/projects",
    ),
    (
        "ext/OS-EP-FILTER/1.0/rel/endpoint_group_to_project_association",
        "/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/projects/{project_id}",
    ),
    (
        "ext/OS-EP-FILTER/1.0/rel/endpoint_projects",
        "/OS-EP-FILTER/endpoints/{endpoint_id}/projects",
    ),
    (
        "ext/OS-EP-FILTER/1.0/rel/project_endpoint_groups",
        "/OS-EP-FILTER/projects/{project_id}/endpoint_groups",
    ),
    (
        "ext/OS-EP-FILTER/1.0/rel/project_endpoints",
        "/OS-EP-FILTER/projects/{project_id}/endpoints",
    ),
    (
        "ext/OS-EP-FILTER/1.0/rel/project_endpoint",
        "/OS-EP-FILTER/projects/{project_id}/endpoints/{endpoint_id}",
    ),
    ("rel/registered_limits", "/registered_limits"),
    (
        "rel/registered_limit",
        "/registered_limits/{registered_limit_id}",
    ),
    ("rel/limits", "/limits"),
    ("rel/limit_model", "/limits/model"),
    ("rel/limit", "/limits/{limit_id}"),
    ("rel/policies", "/policies"),
    ("rel/policy", "/policies/{policy_id}"),
    (
        "ext/OS-ENDPOINT-POLICY/1.0/rel/policy_endpoints",
        "/policies/{policy_id}/OS-ENDPOINT-POLICY/endpoints",
    ),
    (
        "ext/OS-ENDPOINT-POLICY/1.0/rel/endpoint_policy_association",
        "/policies/{policy_id}/OS-ENDPOINT-POLICY/endpoints/{endpoint_id}",
    ),
    (
        "ext/OS-ENDPOINT-POLICY/1.0/rel/service_policy_association",
        "/policies/{policy_id}/OS-ENDPOINT-POLICY/services/{service_id}",
    ),
    (
        "ext/OS-ENDPOINT-POLICY/1.0/rel/region_and_service_policy_association",
        "/policies/{policy_id}/OS-ENDPOINT-POLICY/services/{service_id}/regions/{region_id}",
    ),
    ("rel/domain_config_default", "/domains/config/default"),
    (
        "rel/domain_config_default_group",
        "/domains/config/{group}/default",
    ),
    (
        "rel/domain_config_default_option",
        "/domains/config/{group}/{option}/default",
    ),
    ("rel/domain_config", "/domains/{domain_id}/config"),
    (
        "rel/domain_config_group",
        "/domains/{domain_id}/config/{group}",
    ),
    (
        "rel/domain_config_option",
        "/domains/{domain_id}/config/{group}/{option}",
    ),
    ("rel/domains", "/domains"),
    ("rel/domain", "/domains/{domain_id}"),
    (
        "rel/domain_user_roles",
        "/domains/{domain_id}/users/{user_id}/roles",
    ),
    (
        "rel/domain_user_role",
        "/domains/{domain_id}/users/{user_id}/roles/{role_id}",
    ),
    (
        "rel/domain_group_roles",
        "/domains/{domain_id}/groups/{group_id}/roles",
    ),
    (
        "rel/domain_group_role",
        "/domains/{domain_id}/groups/{group_id}/roles/{role_id}",
    ),
    ("rel/projects", "/projects"),
    ("rel/project", "/projects/{project_id}"),
    ("rel/project_tags", "/projects/{project_id}/tags/{value}"),
    (
        "rel/project_user_roles",
        "/projects/{project_id}/users/{user_id}/roles",
    ),
    (
        "rel/project_user_role",
        "/projects/{project_id}/users/{user_id}/roles/{role_id}",
    ),
    (
        "rel/project_group_roles",
        "/projects/{project_id}/groups/{group_id}/roles",
    ),
    (
        "rel/project_group_role",
        "/projects/{project_id}/groups/{group_id}/roles/{role_id}",
    ),
    ("rel/user_projects", "/users/{user_id}/projects"),
    ("rel/role_assignments", "/role_assignments"),
    ("rel/system_user_roles", "/system/users/{user_id}/roles"),
    (
        "rel/system_user_role",
        "/system/users/{user_id}/roles/{role_id}",
    ),
    ("rel/system_group_roles", "/system/groups/{group_id}/roles"),
    (
        "rel/system_group_role",
        "/system/groups/{group_id}/roles/{role_id}",
    ),
    (
        "ext/OS-INHERIT/1.0/rel/domain_user_roles_inherited_to_projects",
        "/OS-INHERIT/domains/{domain_id}/users/{user_id}/roles/inherited_to_projects",
    ),
    (
        "ext/OS-INHERIT/1.0/rel/domain_user_role_inherited_to_projects",
        "/OS-INHERIT/domains/{domain_id}/users/{user_id}/roles/{role_id}/inherited_to_projects",
    ),
    (
        "ext/OS-INHERIT/1.0/rel/domain_group_roles_inherited_to_projects",
        "/OS-INHERIT/domains/{domain_id}/groups/{group_id}/roles/inherited_to_projects",
    ),
    (
        "ext/OS-INHERIT/1.0/rel/domain_group_role_inherited_to_projects",
        "/OS-INHERIT/domains/{domain_id}/groups/{group_id}/roles/{role_id}/inherited_to_projects",
    ),
    (
        "ext/OS-INHERIT/1.0/rel/project_user_role_inherited_to_projects",
        "/OS-INHERIT/projects/{project_id}/users/{user_id}/roles/{role_id}/inherited_to_projects",
    ),
    (
        "ext/OS-INHERIT/1.0/rel/project_group_role_inherited_to_projects",
        "/OS-INHERIT/projects/{project_id}/groups/{group_id}/roles/{role_id}/inherited_to_projects",
    ),
    ("ext/OS-FEDERATION/1.0/rel/projects", "/auth/projects"),
    ("ext/OS-FEDERATION/1.0/rel/domains", "/auth/domains"),
    (
        "ext/OS-FEDERATION/1.0/rel/identity_providers",
        "/OS-FEDERATION/identity_providers",
    ),
    (
        "ext/OS-FEDERATION/1.0/rel/identity_provider",
        "/OS-FEDERATION/identity_providers/{idp_id}",
    ),
    (
        "ext/OS-FEDERATION/1.0/rel/identity_provider_protocols",
        "/OS-FEDERATION/identity_providers/{idp_id}/protocols",
    ),
    (
        "ext/OS-FEDERATION/1.0/rel/identity_provider_protocol",
        "/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}",
    ),
    (
        "ext/OS-FEDERATION/1.0/rel/mappings",
        "/OS-FEDERATION/mappings",
    ),
    (
        "ext/OS-FEDERATION/1.0/rel/mapping",
        "/OS-FEDERATION/mappings/{mapping_id}",
    ),
    (
        "ext/OS-FEDERATION/1.0/rel/service_providers",
        "/OS-FEDERATION/service_providers",
    ),
    (
        "ext/OS-FEDERATION/1.0/rel/service_provider",
        "/OS-FEDERATION/service_providers/{service_provider_id}",
    ),
    ("ext/OS-OAUTH1/1.0/rel/consumers", "/OS-OAUTH1/consumers"),
    (
        "ext/OS-OAUTH1/1.0/rel/consumer",
        "/OS-OAUTH1/consumers/{consumer_id}",
    ),
    (
        "ext/OS-OAUTH1/1.0/rel/request_tokens",
        "/OS-OAUTH1/request_token",
    ),
    (
        "ext/OS-OAUTH1/1.0/rel/access_tokens",
        "/OS-OAUTH1/access_token",
    ),
    (
        "ext/OS-OAUTH1/1.0/rel/authorize_request_token",
        "/OS-OAUTH1/authorize/{request_token_id}",
    ),
    (
        "ext/OS-OAUTH1/1.0/rel/user_access_tokens",
        "/users/{user_id}/OS-OAUTH1/access_tokens",
    ),
    (
        "ext/OS-OAUTH1/1.0/rel/user_access_token",
        "/users/{user_id}/OS-OAUTH1/access_tokens/{access_token_id}",
    ),
    (
        "ext/OS-OAUTH1/1.0/rel/user_access_token_roles",
        "/users/{user_id}/OS-OAUTH1/access_tokens/{access_token_id}/roles",
    ),
    (
        "ext/OS-OAUTH1/1.0/rel/user_access_token_role",
        "/users/{user_id}/OS-OAUTH1/access_tokens/{access_token_id}/roles/{role_id}",
    ),
];

/// Relations of parameters that are not `param/<name>`.
const PARAMETERS: [(&str, &str); 14] = [
    ("access_token_id", "ext/OS-OAUTH1/1.0/param/access_token_id"),
    ("consumer_id", "ext/OS-OAUTH1/1.0/param/consumer_id"),
    (
        "endpoint_group_id",
        "ext/OS-EP-FILTER/1.0/param/endpoint_group_id",
    ),
    ("group", "param/config_group"),
    ("idp_id", "ext/OS-FEDERATION/1.0/param/idp_id"),
    ("implied_role_id", "param/role_id"),
    ("mapping_id", "ext/OS-FEDERATION/1.0/param/mapping_id"),
    ("option", "param/config_option"),
    ("prior_role_id", "param/role_id"),
    ("protocol_id", "ext/OS-FEDERATION/1.0/param/protocol_id"),
    (
        "request_token_id",
        "ext/OS-OAUTH1/1.0/param/request_token_id",
    ),
    (
        "service_provider_id",
        "ext/OS-FEDERATION/1.0/param/service_provider_id",
    ),
    ("trust_id", "ext/OS-TRUST/1.0/param/trust_id"),
    ("value", "param/tag_value"),
];

/// Relations that Keystone marks as experimental.
const EXPERIMENTAL: [&str; 5] = [
    "rel/limits",
    "rel/limit",
    "rel/limit_model",
    "rel/registered_limits",
    "rel/registered_limit",
];

/// The document; `prefix` stands before each path.
pub fn document(prefix: &str) -> Value {
    let resources = RELATIONS.iter().map(|(relation, path)| {
        (
            format!("{V3}/{relation}"),
            resource(relation, &format!("{prefix}{path}")),
        )
    });
    json!({ "resources": resources.collect::<Map<String, Value>>() })
}

/// Relations of version 4, and their paths.
const V4_RELATIONS: &[(&str, &str)] = &[
    ("rel/user_passkeys", "/v4/users/{user_id}/passkeys"),
    (
        "rel/user_passkey",
        "/v4/users/{user_id}/passkeys/{passkey_id}",
    ),
    (
        "rel/passkey_register_start",
        "/v4/users/{user_id}/passkeys/register_start",
    ),
    (
        "rel/passkey_register_finish",
        "/v4/users/{user_id}/passkeys/register_finish",
    ),
    (
        "rel/passkey_invitation",
        "/v4/users/{user_id}/passkeys/invitation",
    ),
    (
        "rel/passkey_recovery_codes",
        "/v4/users/{user_id}/passkeys/recovery_codes",
    ),
    ("rel/auth_passkey_start", "/v4/auth/passkey/start"),
    ("rel/auth_passkey_finish", "/v4/auth/passkey/finish"),
    ("rel/auth_passkey_device", "/v4/auth/passkey/device"),
];

/// The document of version 4.
pub fn of_v4() -> Value {
    let resources = V4_RELATIONS.iter().map(|(relation, path)| {
        let name = V3.replace("/3", "/4");
        (format!("{name}/{relation}"), resource(relation, path))
    });
    json!({ "resources": resources.collect::<Map<String, Value>>() })
}

fn resource(relation: &str, path: &str) -> Value {
    let variables: Map<String, Value> = variables(path)
        .map(|name| (name.to_owned(), Value::from(parameter(name))))
        .collect();
    let mut resource = if variables.is_empty() {
        json!({ "href": path })
    } else {
        json!({ "href-template": path, "href-vars": variables })
    };
    if EXPERIMENTAL.contains(&relation)
        && let Value::Object(members) = &mut resource
    {
        members.insert("hints".to_owned(), json!({"status": "experimental"}));
    }
    resource
}

/// The names in `{…}`.
fn variables(path: &str) -> impl Iterator<Item = &str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('}')?.0))
}

fn parameter(name: &str) -> String {
    let special = PARAMETERS.iter().find(|(known, _)| *known == name);
    match special {
        Some((_, relation)) => format!("{V3}/{relation}"),
        None => format!("{V3}/param/{name}"),
    }
}
