//! Credentials, application credentials and access rules.

use super::super::rule::Rule;
use super::{ALL, DefaultRule, DeprecatedRule, GRANULAR, PROJECT, SYSTEM_OR_PROJECT};

pub(super) const RULES: &[DefaultRule] = &[
    DefaultRule {
        rule: Rule::GetCredential,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or \
            user_id:%(target.credential.user_id)s",
        scopes: ALL,
        description: "Read a credential.",
        operations: &["GET /v3/credentials/{credential_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListCredentials,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or \
            user_id:%(target.credential.user_id)s",
        scopes: ALL,
        description: "List credentials.",
        operations: &["GET /v3/credentials"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::CreateCredential,
        check: "(rule:admin_required) or user_id:%(target.credential.user_id)s",
        scopes: ALL,
        description: "Create a credential.",
        operations: &["POST /v3/credentials"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::UpdateCredential,
        check: "(rule:admin_required) or user_id:%(target.credential.user_id)s",
        scopes: ALL,
        description: "Change a credential.",
        operations: &["PATCH /v3/credentials/{credential_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::DeleteCredential,
        check: "(rule:admin_required) or user_id:%(target.credential.user_id)s",
        scopes: ALL,
        description: "Delete a credential.",
        operations: &["DELETE /v3/credentials/{credential_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::Ec2GetCredential,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or \
            user_id:%(target.credential.user_id)s",
        scopes: SYSTEM_OR_PROJECT,
        description: "Read an EC2 credential.",
        operations: &["GET /v3/users/{user_id}/credentials/OS-EC2/{credential_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required or (rule:owner and user_id:%(target.credential.user_id)s)",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::Ec2ListCredentials,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or rule:owner",
        scopes: SYSTEM_OR_PROJECT,
        description: "List the EC2 credentials of a user.",
        operations: &["GET /v3/users/{user_id}/credentials/OS-EC2"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_or_owner",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::Ec2CreateCredential,
        check: "(rule:admin_required) or (role:member and user_id:%(target.credential.user_id)s)",
        scopes: SYSTEM_OR_PROJECT,
        description: "Create an EC2 credential.",
        operations: &["POST /v3/users/{user_id}/credentials/OS-EC2"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_or_owner",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::Ec2DeleteCredential,
        check: "(rule:admin_required) or (role:member and user_id:%(target.credential.user_id)s)",
        scopes: SYSTEM_OR_PROJECT,
        description: "Delete an EC2 credential.",
        operations: &["DELETE /v3/users/{user_id}/credentials/OS-EC2/{credential_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required or (rule:owner and user_id:%(target.credential.user_id)s)",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::GetApplicationCredential,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or rule:owner",
        scopes: SYSTEM_OR_PROJECT,
        description: "Read an application credential.",
        operations: &[
            "GET /v3/users/{user_id}/application_credentials/{application_credential_id}",
            "HEAD /v3/users/{user_id}/application_credentials/{application_credential_id}",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_or_owner",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListApplicationCredentials,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or rule:owner",
        scopes: SYSTEM_OR_PROJECT,
        description: "List the application credentials of a user.",
        operations: &[
            "GET /v3/users/{user_id}/application_credentials",
            "HEAD /v3/users/{user_id}/application_credentials",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_or_owner",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::CreateApplicationCredential,
        check: "user_id:%(user_id)s",
        scopes: PROJECT,
        description: "Create an application credential for oneself.",
        operations: &["POST /v3/users/{user_id}/application_credentials"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::DeleteApplicationCredential,
        check: "rule:admin_or_owner",
        scopes: SYSTEM_OR_PROJECT,
        description: "Delete an application credential.",
        operations: &[
            "DELETE /v3/users/{user_id}/application_credentials/{application_credential_id}",
        ],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::GetAccessRule,
        check: "(role:reader and system_scope:all) or user_id:%(target.user.id)s",
        scopes: SYSTEM_OR_PROJECT,
        description: "Read an access rule of application credentials.",
        operations: &[
            "GET /v3/users/{user_id}/access_rules/{access_rule_id}",
            "HEAD /v3/users/{user_id}/access_rules/{access_rule_id}",
        ],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::ListAccessRules,
        check: "(role:reader and system_scope:all) or user_id:%(target.user.id)s",
        scopes: SYSTEM_OR_PROJECT,
        description: "List the access rules of a user.",
        operations: &[
            "GET /v3/users/{user_id}/access_rules",
            "HEAD /v3/users/{user_id}/access_rules",
        ],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::DeleteAccessRule,
        check: "(role:admin and system_scope:all) or user_id:%(target.user.id)s",
        scopes: SYSTEM_OR_PROJECT,
        description: "Delete an access rule.",
        operations: &["DELETE /v3/users/{user_id}/access_rules/{access_rule_id}"],
        deprecated: None,
    },
];
