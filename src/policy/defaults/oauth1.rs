//! OAuth 1.0a consumers and access tokens.

use super::super::rule::Rule;
use super::{DefaultRule, DeprecatedRule, GRANULAR, PROJECT, SYSTEM_OR_PROJECT};

pub(super) const RULES: &[DefaultRule] = &[
    DefaultRule {
        rule: Rule::GetConsumer,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "Read a consumer.",
        operations: &["GET /v3/OS-OAUTH1/consumers/{consumer_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListConsumers,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "List consumers.",
        operations: &["GET /v3/OS-OAUTH1/consumers"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::CreateConsumer,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Create a consumer.",
        operations: &["POST /v3/OS-OAUTH1/consumers"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::UpdateConsumer,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Change a consumer.",
        operations: &["PATCH /v3/OS-OAUTH1/consumers/{consumer_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::DeleteConsumer,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Delete a consumer.",
        operations: &["DELETE /v3/OS-OAUTH1/consumers/{consumer_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::AuthorizeRequestToken,
        check: "rule:admin_required",
        scopes: PROJECT,
        description: "Consent to what a consumer asks for.",
        operations: &["PUT /v3/OS-OAUTH1/authorize/{request_token_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::GetAccessToken,
        check: "rule:admin_required",
        scopes: PROJECT,
        description: "Read an access token of a user.",
        operations: &["GET /v3/users/{user_id}/OS-OAUTH1/access_tokens/{access_token_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::GetAccessTokenRole,
        check: "rule:admin_required",
        scopes: PROJECT,
        description: "Read a role that an access token carries.",
        operations: &[
            "GET /v3/users/{user_id}/OS-OAUTH1/access_tokens/{access_token_id}/roles/{role_id}",
        ],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::ListAccessTokens,
        check: "rule:admin_required",
        scopes: PROJECT,
        description: "List the access tokens of a user.",
        operations: &["GET /v3/users/{user_id}/OS-OAUTH1/access_tokens"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::ListAccessTokenRoles,
        check: "rule:admin_required",
        scopes: PROJECT,
        description: "List the roles that an access token carries.",
        operations: &["GET /v3/users/{user_id}/OS-OAUTH1/access_tokens/{access_token_id}/roles"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::DeleteAccessToken,
        check: "rule:admin_required",
        scopes: PROJECT,
        description: "Withdraw an access token.",
        operations: &["DELETE /v3/users/{user_id}/OS-OAUTH1/access_tokens/{access_token_id}"],
        deprecated: None,
    },
];
