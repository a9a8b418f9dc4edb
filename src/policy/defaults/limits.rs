//! Registered limits and limits.

use super::super::rule::Rule;
use super::{ALL, DefaultRule, SYSTEM_OR_PROJECT};

pub(super) const RULES: &[DefaultRule] = &[
    DefaultRule {
        rule: Rule::GetRegisteredLimit,
        check: "",
        scopes: ALL,
        description: "Read a registered limit.",
        operations: &[
            "GET /v3/registered_limits/{registered_limit_id}",
            "HEAD /v3/registered_limits/{registered_limit_id}",
        ],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::ListRegisteredLimits,
        check: "",
        scopes: ALL,
        description: "List the registered limits.",
        operations: &["GET /v3/registered_limits", "HEAD /v3/registered_limits"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::CreateRegisteredLimits,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Set the limits that hold where no other is set.",
        operations: &["POST /v3/registered_limits"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::UpdateRegisteredLimit,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Change a registered limit.",
        operations: &["PATCH /v3/registered_limits/{registered_limit_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::DeleteRegisteredLimit,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Delete a registered limit.",
        operations: &["DELETE /v3/registered_limits/{registered_limit_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::GetLimitModel,
        check: "",
        scopes: ALL,
        description: "Learn how limits are enforced.",
        operations: &["GET /v3/limits/model", "HEAD /v3/limits/model"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::GetLimit,
        check: "rule:admin_required or (role:reader and system_scope:all) or \
            (domain_id:%(target.limit.domain.id)s or \
            domain_id:%(target.limit.project.domain_id)s) or \
            (project_id:%(target.limit.project_id)s and not None:%(target.limit.project_id)s)",
        scopes: ALL,
        description: "Read a limit.",
        operations: &["GET /v3/limits/{limit_id}", "HEAD /v3/limits/{limit_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::ListLimits,
        check: "",
        scopes: ALL,
        description: "List limits.",
        operations: &["GET /v3/limits", "HEAD /v3/limits"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::CreateLimits,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Set limits for projects or domains.",
        operations: &["POST /v3/limits"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::UpdateLimit,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Change a limit.",
        operations: &["PATCH /v3/limits/{limit_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::DeleteLimit,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Delete a limit.",
        operations: &["DELETE /v3/limits/{limit_id}"],
        deprecated: None,
    },
];
