//! Bodies that follow no pattern, for the description of the API: nothing is compared with these.

use std::sync::LazyLock;

use serde_json::json;

use crate::api::schema::{Schema, any, array, boolean, integer, object, text};

/// `links`, as one resource has them.
fn own_link() -> Schema {
    object().required("self", text())
}

/// A list that is always whole.
pub(in crate::api) fn list(name: &'static str, item: Schema) -> Schema {
    let links = own_link()
        .required("next", text().nullable())
        .required("previous", text().nullable());
    object()
        .required(name, array(item))
        .required("links", links)
}

/// What is told of something elsewhere: its ID and name.
fn brief() -> Schema {
    object().required("id", text()).required("name", text())
}

fn of_domain() -> Schema {
    brief().required("domain", brief())
}

/// A user, by ID or by name and domain.
fn user() -> Schema {
    let domain = object().optional("id", text()).optional("name", text());
    object()
        .optional("id", text())
        .optional("name", text())
        .optional("domain", domain)
}

/// `POST /v3/auth/tokens`.
pub(super) static AUTH: LazyLock<Schema> = LazyLock::new(|| {
    let names = [
        "password",
        "token",
        "application_credential",
        "totp",
        "oauth1",
        "webauthn",
    ];
    let password = user().required("password", text().secret());
    let passcode = user().required("passcode", text().secret());
    let credential = object()
        .optional("id", text())
        .optional("name", text())
        .optional("user", user())
        .required("secret", text().secret());
    let holder = user().optional("recovery_code", text().secret());
    let webauthn = object()
        .optional("credential", object())
        .optional("user", holder);
    let methods = array(text().one_of(names.map(Into::into)));
    let identity = object()
        .required("methods", methods)
        .optional("password", object().required("user", password))
        .optional("token", object().required("id", text().secret()))
        .optional("application_credential", credential)
        .optional("totp", object().required("user", passcode))
        .optional("oauth1", object())
        .optional("webauthn", webauthn);
    let system = object().required("all", boolean());
    let trust = object().required("id", text());
    let scope = object()
        .optional("project", user())
        .optional(
            "domain",
            object().optional("id", text()).optional("name", text()),
        )
        .optional("system", system)
        .optional("OS-TRUST:trust", trust);
    let auth = object()
        .required("identity", identity)
        .optional("scope", scope);
    let example = json!({"auth": {
        "identity": {
            "methods": ["password"],
            "password": {"user": {
                "name": "alice",
                "domain": {"id": "default"},
                "password": "correct horse battery staple",
            }},
        },
        "scope": {"system": {"all": true}},
    }});
    object().required("auth", auth).with_example(example)
});

/// A token: what it stands for.
pub fn token() -> Schema {
    let project = of_domain();
    let trust = object().required("id", text());
    let token = object()
        .required("methods", array(text()))
        .required("user", of_domain())
        .required("audit_ids", array(text()))
        .required("issued_at", text())
        .required("expires_at", text())
        .optional("roles", array(brief()))
        .optional("project", project)
        .optional("is_domain", boolean())
        .optional("domain", brief())
        .optional("system", object().required("all", boolean()))
        .optional("OS-TRUST:trust", trust)
        .optional("OS-OAUTH1", object())
        .optional("catalog", services());
    object().required("token", token)
}

/// That more is needed, with a receipt; or an error.
pub fn refusal() -> Schema {
    let error = object()
        .required("code", integer())
        .required("message", text())
        .required("title", text());
    let receipt = object()
        .required("methods", array(text()))
        .required("user", of_domain())
        .required("issued_at", text())
        .required("expires_at", text());
    object()
        .optional("error", error)
        .optional("receipt", receipt)
        .optional("required_auth_methods", array(array(text())))
}

fn services() -> Schema {
    let endpoint = object()
        .required("id", text())
        .required("interface", text())
        .required("region_id", text().nullable())
        .required("url", text());
    let service = object()
        .required("id", text())
        .required("type", text())
        .required("name", text())
        .required("endpoints", array(endpoint));
    array(service)
}

pub(super) fn catalog() -> Schema {
    object()
        .required("catalog", services())
        .required("links", own_link())
}

/// What of the system the caller may scope to.
pub(super) fn system() -> Schema {
    let all = object().required("all", boolean());
    object()
        .required("system", array(all))
        .required("links", own_link())
}

pub(super) fn revocations() -> Schema {
    let event = object()
        .required("issued_before", text())
        .required("revoked_at", text())
        .optional("user_id", text())
        .optional("audit_id", text());
    list("events", event)
}

/// A signed request: `POST /v3/ec2tokens`, `POST /v3/s3tokens`.
pub(super) static SIGNED: LazyLock<Schema> = LazyLock::new(|| {
    let signed = object()
        .required("access", text())
        .required("signature", text())
        .optional("token", text())
        .optional("host", text())
        .optional("verb", text())
        .optional("path", text())
        .optional("params", object())
        .optional("headers", object())
        .optional("body_hash", text());
    object().required("credentials", signed)
});

/// For which project a key is to be.
pub(super) static NEW_KEY: LazyLock<Schema> =
    LazyLock::new(|| object().required("tenant_id", text()));

fn key() -> Schema {
    object()
        .required("user_id", text())
        .required("tenant_id", text().nullable())
        .required("access", text())
        .required("secret", text())
        .required("trust_id", text().nullable())
        .required("links", own_link())
}

/// A key with which requests are signed.
pub(super) fn one_key() -> Schema {
    object().required("credential", key())
}

pub(super) fn keys() -> Schema {
    list("credentials", key())
}

/// A new password, and the one before it.
pub(super) static PASSWORDS: LazyLock<Schema> = LazyLock::new(|| {
    let passwords = object()
        .required("original_password", text().secret())
        .required("password", text().secret());
    object().required("user", passwords)
});

fn role() -> Schema {
    brief().required("links", own_link())
}

fn inferences(implies: Schema) -> Schema {
    object()
        .required("prior_role", role())
        .required("implies", implies)
}

/// That one role implies another.
pub(super) fn inference() -> Schema {
    object()
        .required("role_inference", inferences(role()))
        .required("links", own_link())
}

/// What a role implies.
pub(super) fn implied() -> Schema {
    object()
        .required("role_inference", inferences(array(role())))
        .required("links", own_link())
}

/// What all roles imply.
pub(super) fn all_implied() -> Schema {
    object().required("role_inferences", array(inferences(array(role()))))
}

pub(super) fn roles_of_trust() -> Schema {
    list("roles", role())
}

pub(super) fn assignments() -> Schema {
    let actor = || object().required("id", text()).optional("name", text());
    let scope = object()
        .optional("project", actor())
        .optional("domain", actor())
        .optional("system", object())
        .optional("OS-INHERIT:inherited_to", text());
    let assignment = object()
        .required("role", actor())
        .required("scope", scope)
        .optional("user", actor())
        .optional("group", actor())
        .required("links", object());
    list("role_assignments", assignment)
}

/// Options of a domain, by groups.
pub(super) static CONFIG: LazyLock<Schema> = LazyLock::new(|| {
    let ldap = object()
        .optional("url", text())
        .optional("user_tree_dn", text());
    let config = object().optional("ldap", ldap);
    let example = json!({"config": {"ldap": {"url": "ldaps://ldap.example.com"}}});
    object().required("config", config).with_example(example)
});

pub(super) fn config() -> Schema {
    object()
        .required("config", any())
        .with_example(json!({"config": {"ldap": {"url": "ldaps://ldap.example.com"}}}))
}

/// That a project is shown a group of endpoints.
pub(super) fn shown_group() -> Schema {
    let shown = object()
        .required("endpoint_group_id", text())
        .required("project_id", text())
        .required("links", own_link());
    object().required("project_endpoint_group", shown)
}

pub(super) fn limit_model() -> Schema {
    let model = object()
        .required("name", text())
        .required("description", text());
    object().required("model", model)
}

pub(super) fn tags() -> Schema {
    object()
        .required("tags", array(text()))
        .required("links", own_link())
}

/// A policy that is kept for a service.
pub(super) static NEW_POLICY: LazyLock<Schema> = LazyLock::new(|| {
    let policy = object().required("blob", text()).required("type", text());
    object().required("policy", policy)
});

pub(super) static POLICY: LazyLock<Schema> = LazyLock::new(|| {
    let policy = object().optional("blob", text()).optional("type", text());
    object().required("policy", policy)
});

pub(super) static CONSUMER: LazyLock<Schema> = LazyLock::new(|| {
    let consumer = object().optional("description", text().nullable());
    object().required("consumer", consumer)
});

/// Of what has all that it needs in its headers.
pub(super) static NOTHING: LazyLock<Schema> = LazyLock::new(object);

/// What a user tells a consumer.
pub(super) fn verifier() -> Schema {
    let token = object().required("oauth_verifier", text());
    object().required("token", token)
}

fn access_token() -> Schema {
    object()
        .required("id", text())
        .required("authorizing_user_id", text())
        .required("project_id", text())
        .required("consumer_id", text())
        .required("expires_at", text().nullable())
        .required("links", own_link().required("roles", text()))
}

pub(super) fn one_access_token() -> Schema {
    object().required("access_token", access_token())
}

pub(super) fn access_tokens() -> Schema {
    list("access_tokens", access_token())
}

pub(super) static MAPPING: LazyLock<Schema> = LazyLock::new(|| {
    let rule = object()
        .required("local", array(object()))
        .required("remote", array(object()));
    let mapping = object().required("rules", array(rule)).optional(
        "schema_version",
        text().one_of(["1.0", "2.0", "3.0"].map(Into::into)),
    );
    let example = json!({"mapping": {"rules": [{
        "local": [{"user": {"name": "{0}"}}],
        "remote": [{"type": "REMOTE_USER"}],
    }]}});
    object().required("mapping", mapping).with_example(example)
});
