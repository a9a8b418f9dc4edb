//! The operations of `/v4` for people: passkeys; and, not routed yet, federation and OAuth 2.0 clients,
//! of which policy files may speak already.
//!
//! A check of the domain asks, too, whether there is one: a token without a
//! domain and an object without a domain would otherwise be a match of two nulls.

use super::super::rule::Rule;
use super::{ALL, ANY, DefaultRule, SYSTEM_OR_PROJECT};

pub(super) const RULES: &[DefaultRule] = &[
    DefaultRule {
        rule: Rule::CloudAdmin,
        check: "rule:admin_required and domain_id:None",
        scopes: ANY,
        description: "Administrators whose token is not scoped to one domain.",
        operations: &[],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4PasskeyList,
        check: "rule:admin_required or (role:reader and domain_id:%(target.user.domain_id)s and not \
            None:%(target.user.domain_id)s) or user_id:%(target.user.id)s",
        scopes: ALL,
        description: "List the passkeys of a user.",
        operations: &["GET /v4/users/{user_id}/passkeys"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4PasskeyGet,
        check: "rule:admin_required or (role:reader and domain_id:%(target.user.domain_id)s and not \
            None:%(target.user.domain_id)s) or user_id:%(target.user.id)s",
        scopes: ALL,
        description: "Read a passkey, or how many recovery codes are left.",
        operations: &[
            "GET /v4/users/{user_id}/passkeys/{id}",
            "GET /v4/users/{user_id}/passkeys/recovery_codes",
        ],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4PasskeyUpdate,
        check: "rule:admin_required or (role:manager and domain_id:%(target.user.domain_id)s and not \
            None:%(target.user.domain_id)s) or user_id:%(target.user.id)s",
        scopes: ALL,
        description: "Name, disable or enable a passkey.",
        operations: &["PATCH /v4/users/{user_id}/passkeys/{id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4PasskeyDelete,
        check: "rule:admin_required or (role:manager and domain_id:%(target.user.domain_id)s and not \
            None:%(target.user.domain_id)s) or user_id:%(target.user.id)s",
        scopes: ALL,
        description: "Delete a passkey.",
        operations: &["DELETE /v4/users/{user_id}/passkeys/{id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4PasskeyReset,
        check: "rule:admin_required or (role:manager and domain_id:%(target.user.domain_id)s and not \
            None:%(target.user.domain_id)s)",
        scopes: ALL,
        description: "Delete all passkeys of a user who has lost them.",
        operations: &["DELETE /v4/users/{user_id}/passkeys"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4PasskeyInvite,
        check: "rule:admin_required or (role:manager and domain_id:%(target.user.domain_id)s and not \
            None:%(target.user.domain_id)s)",
        scopes: ALL,
        description: "Make a link by which a user can register a passkey once.",
        operations: &["POST /v4/users/{user_id}/passkeys/invitation"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4PasskeyRegister,
        check: "user_id:%(target.user.id)s",
        scopes: ALL,
        description: "Register a passkey of one's own, or make recovery codes. Nobody does so for others, \
            whatever this rule says: see identity:v4_passkey_invite.",
        operations: &[
            "POST /v4/users/{user_id}/passkeys/register_start",
            "POST /v4/users/{user_id}/passkeys/register_finish",
            "POST /v4/users/{user_id}/passkeys/recovery_codes",
        ],
        deprecated: None,
    },
];

/// Those that nothing asks for yet.
pub(super) const NOT_ROUTED: &[DefaultRule] = &[
    DefaultRule {
        rule: Rule::V4CreateIdentityProvider,
        check: "rule:admin_required or (role:manager and \
            domain_id:%(target.identity_provider.domain_id)s and not \
            None:%(target.identity_provider.domain_id)s)",
        scopes: ALL,
        description: "Create an OIDC identity provider; a manager, in the own domain.",
        operations: &["POST /v4/federation/identity_providers"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4ListIdentityProviders,
        check: "rule:admin_required or role:reader",
        scopes: ALL,
        description: "List OIDC identity providers; others than administrators see global ones and those \
            of their domain.",
        operations: &["GET /v4/federation/identity_providers"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4GetIdentityProvider,
        check: "rule:admin_required or (role:reader and (None:%(target.identity_provider.domain_id)s \
            or domain_id:%(target.identity_provider.domain_id)s))",
        scopes: ALL,
        description: "Read an OIDC identity provider, global or of the own domain.",
        operations: &["GET /v4/federation/identity_providers/{idp_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4UpdateIdentityProvider,
        check: "rule:admin_required or (role:manager and \
            domain_id:%(target.identity_provider.domain_id)s and not \
            None:%(target.identity_provider.domain_id)s)",
        scopes: ALL,
        description: "Change an OIDC identity provider.",
        operations: &["PUT /v4/federation/identity_providers/{idp_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4DeleteIdentityProvider,
        check: "rule:admin_required or (role:manager and \
            domain_id:%(target.identity_provider.domain_id)s and not \
            None:%(target.identity_provider.domain_id)s)",
        scopes: ALL,
        description: "Delete an OIDC identity provider.",
        operations: &["DELETE /v4/federation/identity_providers/{idp_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4CreateMappingRuleset,
        check: "rule:admin_required or (role:manager and domain_id:%(target.mapping.domain_id)s and \
            not None:%(target.mapping.domain_id)s)",
        scopes: ALL,
        description: "Create a mapping ruleset; a manager, in the own domain.",
        operations: &["POST /v4/mappings/rulesets"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4ListMappingRulesets,
        check: "rule:admin_required or role:reader",
        scopes: ALL,
        description: "List mapping rulesets; others than administrators see global ones and those of their \
            domain.",
        operations: &["GET /v4/mappings/rulesets"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4GetMappingRuleset,
        check: "rule:admin_required or (role:reader and (None:%(target.mapping.domain_id)s or \
            domain_id:%(target.mapping.domain_id)s))",
        scopes: ALL,
        description: "Read a mapping ruleset, global or of the own domain.",
        operations: &["GET /v4/mappings/rulesets/{mapping_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4UpdateMappingRuleset,
        check: "rule:admin_required or (role:manager and domain_id:%(target.mapping.domain_id)s and \
            not None:%(target.mapping.domain_id)s)",
        scopes: ALL,
        description: "Change a mapping ruleset.",
        operations: &[
            "PUT /v4/mappings/rulesets/{mapping_id}",
            "POST /v4/mappings/rulesets/{mapping_id}/rules/mutate",
        ],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4DeleteMappingRuleset,
        check: "rule:admin_required or (role:manager and domain_id:%(target.mapping.domain_id)s and \
            not None:%(target.mapping.domain_id)s)",
        scopes: ALL,
        description: "Delete a mapping ruleset.",
        operations: &["DELETE /v4/mappings/rulesets/{mapping_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4CreateOauth2Client,
        check: "rule:admin_required or (role:manager and \
            domain_id:%(target.oauth2_client.domain_id)s and not \
            None:%(target.oauth2_client.domain_id)s)",
        scopes: ALL,
        description: "Register an OAuth 2.0 client of a domain.",
        operations: &["POST /v4/oauth2/{domain_id}/clients"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4ListOauth2Clients,
        check: "rule:admin_required or (role:manager and \
            domain_id:%(target.oauth2_client.domain_id)s and not \
            None:%(target.oauth2_client.domain_id)s)",
        scopes: ALL,
        description: "List the OAuth 2.0 clients of a domain.",
        operations: &["GET /v4/oauth2/{domain_id}/clients"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4GetOauth2Client,
        check: "rule:admin_required or (role:manager and \
            domain_id:%(target.oauth2_client.domain_id)s and not \
            None:%(target.oauth2_client.domain_id)s)",
        scopes: ALL,
        description: "Read an OAuth 2.0 client.",
        operations: &["GET /v4/oauth2/{domain_id}/clients/{provider_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4UpdateOauth2Client,
        check: "rule:admin_required or (role:manager and \
            domain_id:%(target.oauth2_client.domain_id)s and not \
            None:%(target.oauth2_client.domain_id)s)",
        scopes: ALL,
        description: "Change an OAuth 2.0 client.",
        operations: &["PUT /v4/oauth2/{domain_id}/clients/{provider_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4DeleteOauth2Client,
        check: "rule:admin_required or (role:manager and \
            domain_id:%(target.oauth2_client.domain_id)s and not \
            None:%(target.oauth2_client.domain_id)s)",
        scopes: ALL,
        description: "Delete an OAuth 2.0 client.",
        operations: &["DELETE /v4/oauth2/{domain_id}/clients/{provider_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4RotateOauth2Client,
        check: "rule:admin_required or (role:manager and \
            domain_id:%(target.oauth2_client.domain_id)s and not \
            None:%(target.oauth2_client.domain_id)s)",
        scopes: ALL,
        description: "Give an OAuth 2.0 client a new secret.",
        operations: &["POST /v4/oauth2/{domain_id}/clients/{provider_id}/rotate-secret"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::V4ManageOauth2Keys,
        check: "rule:cloud_admin",
        scopes: SYSTEM_OR_PROJECT,
        description: "Create and rotate the keys that sign ID tokens.",
        operations: &[
            "POST /v4/oauth2/{domain_id}/ensure-signing-key",
            "POST /v4/oauth2/{domain_id}/rotate-signing-key",
            "POST /v4/oauth2/{domain_id}/confirm-rotate-signing-key",
        ],
        deprecated: None,
    },
];
