//! Roles, and by which one implies others.

use super::super::rule::Rule;
use super::{ALL, DefaultRule, DeprecatedRule, GRANULAR, SYSTEM_OR_PROJECT};

pub(super) const RULES: &[DefaultRule] = &[
    DefaultRule {
        rule: Rule::GetRole,
        check: "(rule:admin_required or (role:reader and system_scope:all)) or (role:manager and \
            rule:domain_managed_target_role)",
        scopes: ALL,
        description: "Read a global role.",
        operations: &["GET /v3/roles/{role_id}", "HEAD /v3/roles/{role_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListRoles,
        check: "(rule:admin_required or (role:reader and system_scope:all)) or (role:manager and not \
            domain_id:None)",
        scopes: ALL,
        description: "List global roles.",
        operations: &["GET /v3/roles", "HEAD /v3/roles"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::CreateRole,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Create a global role.",
        operations: &["POST /v3/roles"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::UpdateRole,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Change a global role.",
        operations: &["PATCH /v3/roles/{role_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::DeleteRole,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Delete a global role.",
        operations: &["DELETE /v3/roles/{role_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::GetDomainRole,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "Read a domain's own role.",
        operations: &["GET /v3/roles/{role_id}", "HEAD /v3/roles/{role_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListDomainRoles,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "List a domain's own roles.",
        operations: &[
            "GET /v3/roles?domain_id={domain_id}",
            "HEAD /v3/roles?domain_id={domain_id}",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::CreateDomainRole,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Create a domain's own role.",
        operations: &["POST /v3/roles"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::UpdateDomainRole,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Change a domain's own role.",
        operations: &["PATCH /v3/roles/{role_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::DeleteDomainRole,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Delete a domain's own role.",
        operations: &["DELETE /v3/roles/{role_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::GetImpliedRole,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "See one role that another implies.",
        operations: &["GET /v3/roles/{prior_role_id}/implies/{implied_role_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListImpliedRoles,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "List the roles that a role implies.",
        operations: &[
            "GET /v3/roles/{prior_role_id}/implies",
            "HEAD /v3/roles/{prior_role_id}/implies",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::CreateImpliedRole,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Make a role imply another: whoever has the one has the other, too.",
        operations: &["PUT /v3/roles/{prior_role_id}/implies/{implied_role_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::DeleteImpliedRole,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Make a role no longer imply another.",
        operations: &["DELETE /v3/roles/{prior_role_id}/implies/{implied_role_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::ListRoleInferenceRules,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "List which roles imply which.",
        operations: &["GET /v3/role_inferences", "HEAD /v3/role_inferences"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::CheckImpliedRole,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "Learn whether a role implies another.",
        operations: &["HEAD /v3/roles/{prior_role_id}/implies/{implied_role_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
];
