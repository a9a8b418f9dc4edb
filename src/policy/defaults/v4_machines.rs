//! The operations of `/v4` for machines: token restrictions, API keys, SCIM, Kubernetes. None is
//! routed yet; policy files may speak of them already.
//!
//! A check of the domain asks, too, whether there is one: a token without a
//! domain and an object without a domain would otherwise be a match of two nulls.

use super::super::rule::Rule;
use super::{ALL, DefaultRule};

/// Nothing asks for them yet.
pub(super) const NOT_ROUTED: &[DefaultRule] = &[
    DefaultRule {
        rule: Rule::V4CreateTokenRestriction,
        check: "rule:admin_required or (role:manager and domain_id:%(target.restriction.domain_id)s \
            and not None:%(target.restriction.domain_id)s)",
        scopes: ALL,
        description: "Create a token restriction; a manager, in the own domain.",
        operations: &["POST /v4/tokens/restrictions"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4ListTokenRestrictions,
        check: "rule:admin_required or role:reader",
        scopes: ALL,
        description: "List token restrictions; others than administrators see those of their domain.",
        operations: &["GET /v4/tokens/restrictions"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4GetTokenRestriction,
        check: "rule:admin_required or (role:reader and domain_id:%(target.restriction.domain_id)s \
            and not None:%(target.restriction.domain_id)s) or \
            user_id:%(target.restriction.user_id)s",
        scopes: ALL,
        description: "Read a token restriction.",
        operations: &["GET /v4/tokens/restrictions/{id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4UpdateTokenRestriction,
        check: "rule:admin_required or (role:manager and domain_id:%(target.restriction.domain_id)s \
            and not None:%(target.restriction.domain_id)s)",
        scopes: ALL,
        description: "Change a token restriction.",
        operations: &["PUT /v4/tokens/restrictions/{id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4DeleteTokenRestriction,
        check: "rule:admin_required or (role:manager and domain_id:%(target.restriction.domain_id)s \
            and not None:%(target.restriction.domain_id)s) or \
            user_id:%(target.restriction.user_id)s",
        scopes: ALL,
        description: "Delete a token restriction; also the user it is for.",
        operations: &["DELETE /v4/tokens/restrictions/{id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4CreateApiKey,
        check: "rule:admin_required or (role:manager and domain_id:%(target.api_key.domain_id)s and \
            not None:%(target.api_key.domain_id)s)",
        scopes: ALL,
        description: "Create an API key of a domain.",
        operations: &["POST /v4/api-keys"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4ListApiKeys,
        check: "rule:admin_required or (role:reader and domain_id:%(target.api_key.domain_id)s and \
            not None:%(target.api_key.domain_id)s)",
        scopes: ALL,
        description: "List the API keys of a domain.",
        operations: &["GET /v4/api-keys"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4GetApiKey,
        check: "rule:admin_required or (role:reader and domain_id:%(target.api_key.domain_id)s and \
            not None:%(target.api_key.domain_id)s)",
        scopes: ALL,
        description: "Read an API key, without its secret.",
        operations: &["GET /v4/api-keys/{client_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4UpdateApiKey,
        check: "rule:admin_required or (role:manager and domain_id:%(target.api_key.domain_id)s and \
            not None:%(target.api_key.domain_id)s)",
        scopes: ALL,
        description: "Change an API key.",
        operations: &["PUT /v4/api-keys/{client_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4RevokeApiKey,
        check: "rule:admin_required or (role:manager and domain_id:%(target.api_key.domain_id)s and \
            not None:%(target.api_key.domain_id)s)",
        scopes: ALL,
        description: "Revoke an API key for good.",
        operations: &["POST /v4/api-keys/{client_id}/revoke"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4SimulateApiKey,
        check: "rule:admin_required or (role:manager and domain_id:%(target.api_key.domain_id)s and \
            not None:%(target.api_key.domain_id)s)",
        scopes: ALL,
        description: "Try out what the mapping makes of an API key.",
        operations: &["POST /v4/api-keys/simulate-access"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4CreateScimRealm,
        check: "rule:admin_required or (role:manager and domain_id:%(target.scim_realm.domain_id)s \
            and not None:%(target.scim_realm.domain_id)s)",
        scopes: ALL,
        description: "Create a SCIM realm of a domain.",
        operations: &["POST /v4/scim_realms"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4ListScimRealms,
        check: "rule:admin_required or (role:manager and domain_id:%(target.scim_realm.domain_id)s \
            and not None:%(target.scim_realm.domain_id)s)",
        scopes: ALL,
        description: "List the SCIM realms of a domain.",
        operations: &["GET /v4/scim_realms"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4GetScimRealm,
        check: "rule:admin_required or (role:manager and domain_id:%(target.scim_realm.domain_id)s \
            and not None:%(target.scim_realm.domain_id)s)",
        scopes: ALL,
        description: "Read a SCIM realm.",
        operations: &["GET /v4/scim_realms/{domain_id}/{provider_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4UpdateScimRealm,
        check: "rule:admin_required or (role:manager and domain_id:%(target.scim_realm.domain_id)s \
            and not None:%(target.scim_realm.domain_id)s)",
        scopes: ALL,
        description: "Change, enable or disable a SCIM realm.",
        operations: &["PUT /v4/scim_realms/{domain_id}/{provider_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4DeleteScimRealm,
        check: "rule:admin_required or (role:manager and domain_id:%(target.scim_realm.domain_id)s \
            and not None:%(target.scim_realm.domain_id)s)",
        scopes: ALL,
        description: "Delete a SCIM realm.",
        operations: &["DELETE /v4/scim_realms/{domain_id}/{provider_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4PurgeScimRealm,
        check: "rule:admin_required or (role:manager and domain_id:%(target.scim_realm.domain_id)s \
            and not None:%(target.scim_realm.domain_id)s)",
        scopes: ALL,
        description: "Remove for good what a SCIM realm has deleted.",
        operations: &[
            "POST /v4/scim_realms/{domain_id}/{provider_id}/purge/{resource_type}/{keystone_id}",
        ],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4CreateK8sAuthInstance,
        check: "rule:admin_required or (role:manager and domain_id:%(target.instance.domain_id)s and \
            not None:%(target.instance.domain_id)s)",
        scopes: ALL,
        description: "Let the service accounts of a Kubernetes cluster log in to a domain.",
        operations: &["POST /v4/k8s_auth/instances"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4ListK8sAuthInstances,
        check: "rule:admin_required or (role:reader and domain_id:%(target.instance.domain_id)s and \
            not None:%(target.instance.domain_id)s)",
        scopes: ALL,
        description: "List Kubernetes clusters whose service accounts can log in.",
        operations: &["GET /v4/k8s_auth/instances"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4GetK8sAuthInstance,
        check: "rule:admin_required or (role:reader and domain_id:%(target.instance.domain_id)s and \
            not None:%(target.instance.domain_id)s)",
        scopes: ALL,
        description: "Read how the service accounts of a Kubernetes cluster log in.",
        operations: &["GET /v4/k8s_auth/instances/{instance_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4UpdateK8sAuthInstance,
        check: "rule:admin_required or (role:manager and domain_id:%(target.instance.domain_id)s and \
            not None:%(target.instance.domain_id)s)",
        scopes: ALL,
        description: "Change how the service accounts of a Kubernetes cluster log in.",
        operations: &["PUT /v4/k8s_auth/instances/{instance_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4DeleteK8sAuthInstance,
        check: "rule:admin_required or (role:manager and domain_id:%(target.instance.domain_id)s and \
            not None:%(target.instance.domain_id)s)",
        scopes: ALL,
        description: "Shut the service accounts of a Kubernetes cluster out.",
        operations: &["DELETE /v4/k8s_auth/instances/{instance_id}"],
        deprecated: None,
    },
];
