//! Trusts.

use super::super::rule::Rule;
use super::{DefaultRule, DeprecatedRule, GRANULAR, PROJECT, SYSTEM_OR_PROJECT};

pub(super) const RULES: &[DefaultRule] = &[
    DefaultRule {
        rule: Rule::CreateTrust,
        check: "user_id:%(target.trust.trustor_user_id)s",
        scopes: PROJECT,
        description: "Delegate roles of oneself to another user.",
        operations: &["POST /v3/OS-TRUST/trusts"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::ListTrusts,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "List all trusts.",
        operations: &["GET /v3/OS-TRUST/trusts", "HEAD /v3/OS-TRUST/trusts"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListTrustsForTrustor,
        check: "(rule:admin_required) or (role:reader and system_scope:all or \
            user_id:%(target.trust.trustor_user_id)s)",
        scopes: SYSTEM_OR_PROJECT,
        description: "List the trusts a user has given.",
        operations: &[
            "GET /v3/OS-TRUST/trusts?trustor_user_id={trustor_user_id}",
            "HEAD /v3/OS-TRUST/trusts?trustor_user_id={trustor_user_id}",
        ],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::ListTrustsForTrustee,
        check: "(rule:admin_required) or (role:reader and system_scope:all or \
            user_id:%(target.trust.trustee_user_id)s)",
        scopes: SYSTEM_OR_PROJECT,
        description: "List the trusts a user has been given.",
        operations: &[
            "GET /v3/OS-TRUST/trusts?trustee_user_id={trustee_user_id}",
            "HEAD /v3/OS-TRUST/trusts?trustee_user_id={trustee_user_id}",
        ],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::ListRolesForTrust,
        check: "(rule:admin_required) or (role:reader and system_scope:all or \
            user_id:%(target.trust.trustor_user_id)s or \
            user_id:%(target.trust.trustee_user_id)s)",
        scopes: SYSTEM_OR_PROJECT,
        description: "List the roles a trust delegates.",
        operations: &[
            "GET /v3/OS-TRUST/trusts/{trust_id}/roles",
            "HEAD /v3/OS-TRUST/trusts/{trust_id}/roles",
        ],
        deprecated: Some(DeprecatedRule {
            check: "user_id:%(target.trust.trustor_user_id)s or user_id:%(target.trust.trustee_user_id)s",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::GetRoleForTrust,
        check: "(rule:admin_required) or (role:reader and system_scope:all or \
            user_id:%(target.trust.trustor_user_id)s or \
            user_id:%(target.trust.trustee_user_id)s)",
        scopes: SYSTEM_OR_PROJECT,
        description: "Learn whether a trust delegates a role.",
        operations: &[
            "GET /v3/OS-TRUST/trusts/{trust_id}/roles/{role_id}",
            "HEAD /v3/OS-TRUST/trusts/{trust_id}/roles/{role_id}",
        ],
        deprecated: Some(DeprecatedRule {
            check: "user_id:%(target.trust.trustor_user_id)s or user_id:%(target.trust.trustee_user_id)s",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::DeleteTrust,
        check: "rule:admin_required or user_id:%(target.trust.trustor_user_id)s",
        scopes: SYSTEM_OR_PROJECT,
        description: "Withdraw a trust.",
        operations: &["DELETE /v3/OS-TRUST/trusts/{trust_id}"],
        deprecated: Some(DeprecatedRule {
            check: "user_id:%(target.trust.trustor_user_id)s",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::GetTrust,
        check: "(rule:admin_required) or (role:reader and system_scope:all or \
            user_id:%(target.trust.trustor_user_id)s or \
            user_id:%(target.trust.trustee_user_id)s)",
        scopes: SYSTEM_OR_PROJECT,
        description: "Read a trust.",
        operations: &[
            "GET /v3/OS-TRUST/trusts/{trust_id}",
            "HEAD /v3/OS-TRUST/trusts/{trust_id}",
        ],
        deprecated: Some(DeprecatedRule {
            check: "user_id:%(target.trust.trustor_user_id)s or user_id:%(target.trust.trustee_user_id)s",
            since: "Train",
            reason: GRANULAR,
        }),
    },
];
