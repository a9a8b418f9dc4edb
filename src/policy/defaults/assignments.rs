//! Grants of roles on projects, domains and the system.

use super::super::rule::Rule;
use super::{ALL, DefaultRule, DeprecatedRule, GRANULAR, SYSTEM_OR_PROJECT};

pub(super) const RULES: &[DefaultRule] = &[
    DefaultRule {
        rule: Rule::CheckGrant,
        check: "(rule:admin_required) or ((role:reader and system_scope:all) or ((role:reader and \
            domain_id:%(target.user.domain_id)s and domain_id:%(target.project.domain_id)s) or \
            (role:reader and domain_id:%(target.user.domain_id)s and \
            domain_id:%(target.domain.id)s) or (role:reader and \
            domain_id:%(target.group.domain_id)s and domain_id:%(target.project.domain_id)s) or \
            (role:reader and domain_id:%(target.group.domain_id)s and \
            domain_id:%(target.domain.id)s)) and (domain_id:%(target.role.domain_id)s or \
            None:%(target.role.domain_id)s))",
        scopes: ALL,
        description: "Learn whether a user or group has a role on a project or domain, directly or to be \
            inherited below it.",
        operations: &[
            "HEAD /v3/projects/{project_id}/users/{user_id}/roles/{role_id}",
            "GET /v3/projects/{project_id}/users/{user_id}/roles/{role_id}",
            "HEAD /v3/projects/{project_id}/groups/{group_id}/roles/{role_id}",
            "GET /v3/projects/{project_id}/groups/{group_id}/roles/{role_id}",
            "HEAD /v3/domains/{domain_id}/users/{user_id}/roles/{role_id}",
            "GET /v3/domains/{domain_id}/users/{user_id}/roles/{role_id}",
            "HEAD /v3/domains/{domain_id}/groups/{group_id}/roles/{role_id}",
            "GET /v3/domains/{domain_id}/groups/{group_id}/roles/{role_id}",
            "HEAD \
            /v3/OS-INHERIT/projects/{project_id}/users/{user_id}/roles/{role_id}/inherited_to_projects",
            "GET \
            /v3/OS-INHERIT/projects/{project_id}/users/{user_id}/roles/{role_id}/inherited_to_projects",
            "HEAD \
            /v3/OS-INHERIT/projects/{project_id}/groups/{group_id}/roles/{role_id}/inherited_to_projects",
            "GET \
            /v3/OS-INHERIT/projects/{project_id}/groups/{group_id}/roles/{role_id}/inherited_to_projects",
            "HEAD \
            /v3/OS-INHERIT/domains/{domain_id}/users/{user_id}/roles/{role_id}/inherited_to_projects",
            "GET \
            /v3/OS-INHERIT/domains/{domain_id}/users/{user_id}/roles/{role_id}/inherited_to_projects",
            "HEAD \
            /v3/OS-INHERIT/domains/{domain_id}/groups/{group_id}/roles/{role_id}/inherited_to_projects",
            "GET \
            /v3/OS-INHERIT/domains/{domain_id}/groups/{group_id}/roles/{role_id}/inherited_to_projects",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListGrants,
        check: "(rule:admin_required) or ((role:reader and system_scope:all) or (role:reader and \
            domain_id:%(target.user.domain_id)s and domain_id:%(target.project.domain_id)s) or \
            (role:reader and domain_id:%(target.user.domain_id)s and \
            domain_id:%(target.domain.id)s) or (role:reader and \
            domain_id:%(target.group.domain_id)s and domain_id:%(target.project.domain_id)s) or \
            (role:reader and domain_id:%(target.group.domain_id)s and \
            domain_id:%(target.domain.id)s))",
        scopes: ALL,
        description: "List the roles a user or group has on a project or domain, directly or to be \
            inherited below it.",
        operations: &[
            "GET /v3/projects/{project_id}/users/{user_id}/roles",
            "HEAD /v3/projects/{project_id}/users/{user_id}/roles",
            "GET /v3/projects/{project_id}/groups/{group_id}/roles",
            "HEAD /v3/projects/{project_id}/groups/{group_id}/roles",
            "GET /v3/domains/{domain_id}/users/{user_id}/roles",
            "HEAD /v3/domains/{domain_id}/users/{user_id}/roles",
            "GET /v3/domains/{domain_id}/groups/{group_id}/roles",
            "HEAD /v3/domains/{domain_id}/groups/{group_id}/roles",
            "GET /v3/OS-INHERIT/domains/{domain_id}/groups/{group_id}/roles/inherited_to_projects",
            "GET /v3/OS-INHERIT/domains/{domain_id}/users/{user_id}/roles/inherited_to_projects",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::CreateGrant,
        check: "(rule:admin_required) or ((role:admin and domain_id:%(target.user.domain_id)s and \
            domain_id:%(target.project.domain_id)s) or (role:admin and \
            domain_id:%(target.user.domain_id)s and domain_id:%(target.domain.id)s) or \
            (role:admin and domain_id:%(target.group.domain_id)s and \
            domain_id:%(target.project.domain_id)s) or (role:admin and \
            domain_id:%(target.group.domain_id)s and domain_id:%(target.domain.id)s)) and \
            (domain_id:%(target.role.domain_id)s or None:%(target.role.domain_id)s) or \
            ((role:manager and domain_id:%(target.user.domain_id)s and \
            domain_id:%(target.project.domain_id)s) or (role:manager and \
            domain_id:%(target.user.domain_id)s and domain_id:%(target.domain.id)s) or \
            (role:manager and domain_id:%(target.group.domain_id)s and \
            domain_id:%(target.project.domain_id)s) or (role:manager and \
            domain_id:%(target.group.domain_id)s and domain_id:%(target.domain.id)s)) and \
            rule:domain_managed_target_role",
        scopes: ALL,
        description: "Grant a user or group a role on a project or domain, directly or to be inherited \
            below it.",
        operations: &[
            "PUT /v3/projects/{project_id}/users/{user_id}/roles/{role_id}",
            "PUT /v3/projects/{project_id}/groups/{group_id}/roles/{role_id}",
            "PUT /v3/domains/{domain_id}/users/{user_id}/roles/{role_id}",
            "PUT /v3/domains/{domain_id}/groups/{group_id}/roles/{role_id}",
            "PUT \
            /v3/OS-INHERIT/projects/{project_id}/users/{user_id}/roles/{role_id}/inherited_to_projects",
            "PUT \
            /v3/OS-INHERIT/projects/{project_id}/groups/{group_id}/roles/{role_id}/inherited_to_projects",
            "PUT \
            /v3/OS-INHERIT/domains/{domain_id}/users/{user_id}/roles/{role_id}/inherited_to_projects",
            "PUT \
            /v3/OS-INHERIT/domains/{domain_id}/groups/{group_id}/roles/{role_id}/inherited_to_projects",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::RevokeGrant,
        check: "(rule:admin_required) or ((role:admin and domain_id:%(target.user.domain_id)s and \
            domain_id:%(target.project.domain_id)s) or (role:admin and \
            domain_id:%(target.user.domain_id)s and domain_id:%(target.domain.id)s) or \
            (role:admin and domain_id:%(target.group.domain_id)s and \
            domain_id:%(target.project.domain_id)s) or (role:admin and \
            domain_id:%(target.group.domain_id)s and domain_id:%(target.domain.id)s)) and \
            (domain_id:%(target.role.domain_id)s or None:%(target.role.domain_id)s) or \
            ((role:manager and domain_id:%(target.user.domain_id)s and \
            domain_id:%(target.project.domain_id)s) or (role:manager and \
            domain_id:%(target.user.domain_id)s and domain_id:%(target.domain.id)s) or \
            (role:manager and domain_id:%(target.group.domain_id)s and \
            domain_id:%(target.project.domain_id)s) or (role:manager and \
            domain_id:%(target.group.domain_id)s and domain_id:%(target.domain.id)s)) and \
            rule:domain_managed_target_role",
        scopes: ALL,
        description: "Take a role on a project or domain from a user or group, and with an inherited one \
            what follows from it below.",
        operations: &[
            "DELETE /v3/projects/{project_id}/users/{user_id}/roles/{role_id}",
            "DELETE /v3/projects/{project_id}/groups/{group_id}/roles/{role_id}",
            "DELETE /v3/domains/{domain_id}/users/{user_id}/roles/{role_id}",
            "DELETE /v3/domains/{domain_id}/groups/{group_id}/roles/{role_id}",
            "DELETE \
            /v3/OS-INHERIT/projects/{project_id}/users/{user_id}/roles/{role_id}/inherited_to_projects",
            "DELETE \
            /v3/OS-INHERIT/projects/{project_id}/groups/{group_id}/roles/{role_id}/inherited_to_projects",
            "DELETE \
            /v3/OS-INHERIT/domains/{domain_id}/users/{user_id}/roles/{role_id}/inherited_to_projects",
            "DELETE \
            /v3/OS-INHERIT/domains/{domain_id}/groups/{group_id}/roles/{role_id}/inherited_to_projects",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListSystemGrantsForUser,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "List the roles a user has on the system.",
        operations: &[
            "HEAD /v3/system/users/{user_id}/roles",
            "GET /v3/system/users/{user_id}/roles",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::CheckSystemGrantForUser,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "Learn whether a user has a role on the system.",
        operations: &[
            "HEAD /v3/system/users/{user_id}/roles/{role_id}",
            "GET /v3/system/users/{user_id}/roles/{role_id}",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::CreateSystemGrantForUser,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Grant a user a role on the system.",
        operations: &["PUT /v3/system/users/{user_id}/roles/{role_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::RevokeSystemGrantForUser,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Take a role on the system from a user.",
        operations: &["DELETE /v3/system/users/{user_id}/roles/{role_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::ListSystemGrantsForGroup,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "List the roles a group has on the system.",
        operations: &[
            "HEAD /v3/system/groups/{group_id}/roles",
            "GET /v3/system/groups/{group_id}/roles",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::CheckSystemGrantForGroup,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "Learn whether a group has a role on the system.",
        operations: &[
            "HEAD /v3/system/groups/{group_id}/roles/{role_id}",
            "GET /v3/system/groups/{group_id}/roles/{role_id}",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::CreateSystemGrantForGroup,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Grant a group a role on the system.",
        operations: &["PUT /v3/system/groups/{group_id}/roles/{role_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::RevokeSystemGrantForGroup,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Take a role on the system from a group.",
        operations: &["DELETE /v3/system/groups/{group_id}/roles/{role_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::ListRoleAssignments,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or (role:reader and \
            domain_id:%(target.domain_id)s and not None:%(target.domain_id)s)",
        scopes: ALL,
        description: "List role assignments.",
        operations: &["GET /v3/role_assignments", "HEAD /v3/role_assignments"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListRoleAssignmentsForTree,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or (role:reader and \
            domain_id:%(target.domain_id)s and not None:%(target.domain_id)s)",
        scopes: ALL,
        description: "List the role assignments on a project and all below it.",
        operations: &[
            "GET /v3/role_assignments?include_subtree",
            "HEAD /v3/role_assignments?include_subtree",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
];
