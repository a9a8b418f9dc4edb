//! The rules that other rules are made of.

use super::super::rule::Rule;
use super::{ANY, DefaultRule};

pub(super) const RULES: &[DefaultRule] = &[
    DefaultRule {
        rule: Rule::AdminRequired,
        check: "role:admin or is_admin:1",
        scopes: ANY,
        description: "The administrator: the role admin on whatever the token is scoped to.",
        operations: &[],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::ServiceRole,
        check: "role:service",
        scopes: ANY,
        description: "Services of the deployment.",
        operations: &[],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::ServiceOrAdmin,
        check: "rule:admin_required or rule:service_role",
        scopes: ANY,
        description: "Services and administrators.",
        operations: &[],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::Owner,
        check: "user_id:%(user_id)s",
        scopes: ANY,
        description: "The user named in the path.",
        operations: &[],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::AdminOrOwner,
        check: "rule:admin_required or rule:owner",
        scopes: ANY,
        description: "Administrators, and the user named in the path.",
        operations: &[],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::TokenSubject,
        check: "user_id:%(target.token.user_id)s",
        scopes: ANY,
        description: "The user to whom the token in X-Subject-Token was issued.",
        operations: &[],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::AdminOrTokenSubject,
        check: "rule:admin_required or rule:token_subject",
        scopes: ANY,
        description: "Administrators, and the bearer of the token in question.",
        operations: &[],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::ServiceAdminOrTokenSubject,
        check: "rule:service_or_admin or rule:token_subject",
        scopes: ANY,
        description: "Services, administrators, and the bearer of the token in question.",
        operations: &[],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::DomainManagedTargetRole,
        check: "'manager':%(target.role.name)s or 'member':%(target.role.name)s or \
            'reader':%(target.role.name)s",
        scopes: ANY,
        description: "Roles that a manager of a domain may hand out within it. Never add a role here that \
            can do more than a manager.",
        operations: &[],
        deprecated: None,
    },
];
