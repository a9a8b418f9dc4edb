//! Tokens, their revocation, and what a token gives access to.

use super::super::rule::Rule;
use super::{ALL, ANY, DefaultRule, DeprecatedRule, GRANULAR, SYSTEM_OR_PROJECT};

pub(super) const RULES: &[DefaultRule] = &[
    DefaultRule {
        rule: Rule::CheckToken,
        check: "rule:admin_required or (role:reader and system_scope:all) or rule:token_subject",
        scopes: ALL,
        description: "Learn whether a token is valid.",
        operations: &["HEAD /v3/auth/tokens"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_or_token_subject",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ValidateToken,
        check: "rule:admin_required or (role:reader and system_scope:all) or rule:service_role or \
            rule:token_subject",
        scopes: ALL,
        description: "See what a token stands for.",
        operations: &["GET /v3/auth/tokens"],
        deprecated: Some(DeprecatedRule {
            check: "rule:service_admin_or_token_subject",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::RevokeToken,
        check: "rule:admin_required or rule:token_subject",
        scopes: ALL,
        description: "Revoke a token.",
        operations: &["DELETE /v3/auth/tokens"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_or_token_subject",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListRevokeEvents,
        check: "rule:service_or_admin",
        scopes: SYSTEM_OR_PROJECT,
        description: "Follow the revocations of tokens.",
        operations: &["GET /v3/OS-REVOKE/events"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::RevocationList,
        check: "rule:service_or_admin",
        scopes: SYSTEM_OR_PROJECT,
        description: "Nothing asks for this rule any more: the list of revoked PKI tokens is gone since \
            Train. It is here for policy files that still name it.",
        operations: &["GET /v3/auth/tokens/OS-PKI/revoked"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::GetAuthCatalog,
        check: "",
        scopes: ANY,
        description: "See the catalog that belongs to the own token.",
        operations: &["GET /v3/auth/catalog", "HEAD /v3/auth/catalog"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::GetAuthProjects,
        check: "",
        scopes: ANY,
        description: "List the projects the caller can scope a token to.",
        operations: &["GET /v3/auth/projects", "HEAD /v3/auth/projects"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::GetAuthDomains,
        check: "",
        scopes: ANY,
        description: "List the domains the caller can scope a token to.",
        operations: &["GET /v3/auth/domains", "HEAD /v3/auth/domains"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::GetAuthSystem,
        check: "",
        scopes: ANY,
        description: "Learn whether the caller can scope a token to the system.",
        operations: &["GET /v3/auth/system", "HEAD /v3/auth/system"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::Ec2tokensValidate,
        check: "rule:service_or_admin",
        scopes: ALL,
        description: "Exchange a signed EC2 request for a token. For services: whoever can present a \
            request of someone else gets a token of theirs.",
        operations: &["POST /v3/ec2tokens"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::S3tokensValidate,
        check: "rule:service_or_admin",
        scopes: ALL,
        description: "Exchange a signed S3 request for a token. For services: a presigned URL that got \
            about must not become a token.",
        operations: &["POST /v3/s3tokens"],
        deprecated: None,
    },
];
