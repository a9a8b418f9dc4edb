//! Users and groups.

use super::super::rule::Rule;
use super::{ALL, ANY, DefaultRule, DeprecatedRule, GRANULAR};

pub(super) const RULES: &[DefaultRule] = &[
    DefaultRule {
        rule: Rule::GetUser,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or (role:reader and \
            token.domain.id:%(target.user.domain_id)s) or user_id:%(target.user.id)s",
        scopes: ALL,
        description: "Read a user.",
        operations: &["GET /v3/users/{user_id}", "HEAD /v3/users/{user_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_or_owner",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListUsers,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or (role:reader and \
            domain_id:%(target.domain_id)s)",
        scopes: ALL,
        description: "List users.",
        operations: &["GET /v3/users", "HEAD /v3/users"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListProjectsForUser,
        check: "",
        scopes: ANY,
        description: "List the projects the caller has a role on.",
        operations: &["GET /v3/auth/projects"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::ListDomainsForUser,
        check: "",
        scopes: ANY,
        description: "List the domains the caller has a role on.",
        operations: &["GET /v3/auth/domains"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::CreateUser,
        check: "(rule:admin_required) or (role:manager and \
            token.domain.id:%(target.user.domain_id)s)",
        scopes: ALL,
        description: "Create a user.",
        operations: &["POST /v3/users"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::UpdateUser,
        check: "(rule:admin_required) or (role:manager and \
            token.domain.id:%(target.user.domain_id)s)",
        scopes: ALL,
        description: "Change a user, the password included.",
        operations: &["PATCH /v3/users/{user_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::DeleteUser,
        check: "(rule:admin_required) or (role:manager and \
            token.domain.id:%(target.user.domain_id)s)",
        scopes: ALL,
        description: "Delete a user.",
        operations: &["DELETE /v3/users/{user_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::RevokeTokensForUser,
        check: "rule:admin_or_owner",
        scopes: ALL,
        description: "Revoke all tokens of a user; users may do so for themselves, which helps those who \
            cannot change a password here.",
        operations: &["DELETE /v3/users/{user_id}/tokens"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::GetGroup,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or (role:reader and \
            domain_id:%(target.group.domain_id)s)",
        scopes: ALL,
        description: "Read a group.",
        operations: &["GET /v3/groups/{group_id}", "HEAD /v3/groups/{group_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListGroups,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or (role:reader and \
            domain_id:%(target.group.domain_id)s)",
        scopes: ALL,
        description: "List groups.",
        operations: &["GET /v3/groups", "HEAD /v3/groups"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListGroupsForUser,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or (role:reader and \
            domain_id:%(target.user.domain_id)s) or user_id:%(user_id)s",
        scopes: ALL,
        description: "List the groups a user is a member of.",
        operations: &[
            "GET /v3/users/{user_id}/groups",
            "HEAD /v3/users/{user_id}/groups",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_or_owner",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::CreateGroup,
        check: "(rule:admin_required) or (role:manager and domain_id:%(target.group.domain_id)s)",
        scopes: ALL,
        description: "Create a group.",
        operations: &["POST /v3/groups"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::UpdateGroup,
        check: "(rule:admin_required) or (role:manager and domain_id:%(target.group.domain_id)s)",
        scopes: ALL,
        description: "Change a group.",
        operations: &["PATCH /v3/groups/{group_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::DeleteGroup,
        check: "(rule:admin_required) or (role:manager and domain_id:%(target.group.domain_id)s)",
        scopes: ALL,
        description: "Delete a group.",
        operations: &["DELETE /v3/groups/{group_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListUsersInGroup,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or (role:reader and \
            domain_id:%(target.group.domain_id)s)",
        scopes: ALL,
        description: "List the members of a group.",
        operations: &[
            "GET /v3/groups/{group_id}/users",
            "HEAD /v3/groups/{group_id}/users",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::RemoveUserFromGroup,
        check: "(rule:admin_required) or (role:manager and domain_id:%(target.group.domain_id)s and \
            domain_id:%(target.user.domain_id)s)",
        scopes: ALL,
        description: "Take a user out of a group.",
        operations: &["DELETE /v3/groups/{group_id}/users/{user_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::CheckUserInGroup,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or (role:reader and \
            domain_id:%(target.group.domain_id)s and domain_id:%(target.user.domain_id)s)",
        scopes: ALL,
        description: "Learn whether a user is a member of a group.",
        operations: &[
            "HEAD /v3/groups/{group_id}/users/{user_id}",
            "GET /v3/groups/{group_id}/users/{user_id}",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::AddUserToGroup,
        check: "(rule:admin_required) or (role:manager and domain_id:%(target.group.domain_id)s and \
            domain_id:%(target.user.domain_id)s)",
        scopes: ALL,
        description: "Make a user a member of a group.",
        operations: &["PUT /v3/groups/{group_id}/users/{user_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
];
