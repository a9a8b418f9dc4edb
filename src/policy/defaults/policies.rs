//! Policies that Keystone stores for other services.

use super::super::rule::Rule;
use super::{DefaultRule, DeprecatedRule, GRANULAR, SYSTEM_OR_PROJECT};

pub(super) const RULES: &[DefaultRule] = &[
    DefaultRule {
        rule: Rule::GetPolicy,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "Read a stored policy.",
        operations: &["GET /v3/policies/{policy_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListPolicies,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "List stored policies.",
        operations: &["GET /v3/policies"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::CreatePolicy,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Create a stored policy.",
        operations: &["POST /v3/policies"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::UpdatePolicy,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Change a stored policy.",
        operations: &["PATCH /v3/policies/{policy_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::DeletePolicy,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Delete a stored policy.",
        operations: &["DELETE /v3/policies/{policy_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::CreatePolicyAssociationForEndpoint,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Put a stored policy into force for an endpoint.",
        operations: &["PUT /v3/policies/{policy_id}/OS-ENDPOINT-POLICY/endpoints/{endpoint_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::CheckPolicyAssociationForEndpoint,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "Learn whether a stored policy is in force for an endpoint.",
        operations: &[
            "GET /v3/policies/{policy_id}/OS-ENDPOINT-POLICY/endpoints/{endpoint_id}",
            "HEAD /v3/policies/{policy_id}/OS-ENDPOINT-POLICY/endpoints/{endpoint_id}",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::DeletePolicyAssociationForEndpoint,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Withdraw a stored policy from an endpoint.",
        operations: &["DELETE /v3/policies/{policy_id}/OS-ENDPOINT-POLICY/endpoints/{endpoint_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::CreatePolicyAssociationForService,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Put a stored policy into force for a service.",
        operations: &["PUT /v3/policies/{policy_id}/OS-ENDPOINT-POLICY/services/{service_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::CheckPolicyAssociationForService,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "Learn whether a stored policy is in force for a service.",
        operations: &[
            "GET /v3/policies/{policy_id}/OS-ENDPOINT-POLICY/services/{service_id}",
            "HEAD /v3/policies/{policy_id}/OS-ENDPOINT-POLICY/services/{service_id}",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::DeletePolicyAssociationForService,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Withdraw a stored policy from a service.",
        operations: &["DELETE /v3/policies/{policy_id}/OS-ENDPOINT-POLICY/services/{service_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::CreatePolicyAssociationForRegionAndService,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Put a stored policy into force for a service in a region.",
        operations: &["PUT \
            /v3/policies/{policy_id}/OS-ENDPOINT-POLICY/services/{service_id}/regions/{region_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::CheckPolicyAssociationForRegionAndService,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "Learn whether a stored policy is in force for a service in a region.",
        operations: &[
            "GET \
            /v3/policies/{policy_id}/OS-ENDPOINT-POLICY/services/{service_id}/regions/{region_id}",
            "HEAD \
            /v3/policies/{policy_id}/OS-ENDPOINT-POLICY/services/{service_id}/regions/{region_id}",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::DeletePolicyAssociationForRegionAndService,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Withdraw a stored policy from a service in a region.",
        operations: &["DELETE \
            /v3/policies/{policy_id}/OS-ENDPOINT-POLICY/services/{service_id}/regions/{region_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::GetPolicyForEndpoint,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "Learn which stored policy is in force for an endpoint.",
        operations: &[
            "GET /v3/endpoints/{endpoint_id}/OS-ENDPOINT-POLICY/policy",
            "HEAD /v3/endpoints/{endpoint_id}/OS-ENDPOINT-POLICY/policy",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListEndpointsForPolicy,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "List the endpoints a stored policy is in force for.",
        operations: &["GET /v3/policies/{policy_id}/OS-ENDPOINT-POLICY/endpoints"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
];
