//! What bodies look like. The structures of WebAuthn are compared member by member when they are
//! read, in either spelling; here stands enough of them to describe the API.

use std::sync::LazyLock;

use serde_json::json;

use crate::api::schema::{Schema, array, boolean, integer, object, text};
use crate::api::v3::shapes;
use crate::passkeys::MAX_DESCRIPTION;

fn described() -> Schema {
    text().length(0, MAX_DESCRIPTION).nullable()
}

/// A user, by ID or by name and domain.
fn user() -> Schema {
    let domain = object().optional("id", text()).optional("name", text());
    object()
        .optional("id", text())
        .optional("name", text())
        .optional("domain", domain)
}

/// What a token is to be good for, as in `POST /v3/auth/tokens`.
fn scope() -> Schema {
    object()
}

/// `PublicKeyCredential.toJSON()`, or the same in snake_case beside it.
fn credential(example: serde_json::Value) -> Schema {
    object().with_example(example)
}

/// `register_start`.
pub(super) static REGISTER: LazyLock<Schema> = LazyLock::new(|| {
    let passkey = object().optional("description", described());
    object().required("passkey", passkey)
});

fn attested() -> serde_json::Value {
    json!({
        "id": "AQI", "rawId": "AQI", "type": "public-key", "clientExtensionResults": {},
        "response": {"attestationObject": "oA", "clientDataJSON": "e30", "transports": ["usb"]},
    })
}

fn asserted() -> serde_json::Value {
    json!({
        "id": "AQI", "rawId": "AQI", "type": "public-key", "clientExtensionResults": {},
        "response": {"authenticatorData": "AA", "clientDataJSON": "e30", "signature": "MAA"},
    })
}

/// `register_finish`.
pub(super) static REGISTERED: LazyLock<Schema> = LazyLock::new(|| {
    object()
        .optional("credential", credential(attested()).nullable())
        .optional("description", described())
});

/// `PATCH` of a passkey.
pub(super) static CHANGE: LazyLock<Schema> = LazyLock::new(|| {
    let state = text().one_of(["active".into(), "disabled".into()]);
    let passkey = object()
        .optional("description", described())
        .optional("state", state)
        .not_empty()
        .closed();
    object().required("passkey", passkey).closed()
});

/// A body that is not looked at.
pub(super) static NOTHING: LazyLock<Schema> = LazyLock::new(object);

/// `POST /v4/auth/passkey/start`.
pub(super) static START: LazyLock<Schema> = LazyLock::new(|| {
    let passkey = object()
        .optional("user_id", text().length(1, 64).nullable())
        .optional("user", user().nullable());
    object()
        .required("passkey", passkey)
        .optional("scope", scope().nullable())
        .with_example(json!({"passkey": {}, "scope": {"unscoped": {}}}))
});

/// `POST /v4/auth/passkey/finish`.
pub(super) static FINISH: LazyLock<Schema> = LazyLock::new(|| {
    object()
        .optional("user_id", text().length(1, 64).nullable())
        .optional("user", user().nullable())
        .optional("credential", credential(asserted()).nullable())
        .optional("scope", scope().nullable())
        .with_example(json!({"credential": asserted(), "scope": {"unscoped": {}}}))
});

/// The begin of a registration by invitation, and its end.
pub(super) static INVITED: LazyLock<Schema> = LazyLock::new(|| {
    // Whole: who takes it for the secret itself is not told it either.
    let invitation = object()
        .required("secret", text().length(1, 255).secret())
        .secret();
    object()
        .required("invitation", invitation)
        .optional("credential", credential(attested()).nullable())
        .optional("description", described())
});

/// `POST /v4/auth/passkey/device`.
pub(super) static DEVICE: LazyLock<Schema> =
    LazyLock::new(|| object().optional("client", text().length(0, 255).nullable()));

/// `POST /v4/auth/passkey/device/token`.
pub(super) static DEVICE_TOKEN: LazyLock<Schema> = LazyLock::new(|| {
    object()
        .required("device_code", text().length(1, 255).secret())
        .optional("scope", scope().nullable())
        .with_example(json!({"device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS"}))
});

fn passkey() -> Schema {
    object()
        .required("id", text())
        .required("credential_id", text())
        .optional("description", text().nullable())
        .required("created_at", text())
        .required("created_by", text().nullable())
        .required("last_used_at", text().nullable())
        .required("transports", array(text()))
        .required("aaguid", text().nullable())
        .required("authenticator_name", text().nullable())
        .required("backup_eligible", boolean())
        .required("backup_state", boolean())
        .required("discoverable", boolean().nullable())
        .required("state", text())
}

/// One passkey.
pub(super) fn one() -> Schema {
    object().required("passkey", passkey())
}

/// All of a user.
pub(super) fn list() -> Schema {
    shapes::list("passkeys", passkey())
}

/// Options for an authenticator, in both spellings.
pub(super) fn options() -> Schema {
    object()
        .required("public_key", object())
        .required("publicKey", object())
}

/// An invitation.
pub(super) fn invitation() -> Schema {
    let invitation = object()
        .required("url", text())
        .required("expires_at", text());
    object().required("invitation", invitation)
}

/// How many recovery codes are left.
pub(super) fn codes_left() -> Schema {
    let codes = object().required("left", integer());
    object().required("recovery_codes", codes)
}

/// New recovery codes.
pub(super) fn codes() -> Schema {
    let codes = object().required("codes", array(text()));
    object().required("recovery_codes", codes)
}

/// A login that goes on in a browser.
pub(super) fn device() -> Schema {
    object()
        .required("device_code", text())
        .required("user_code", text())
        .required("verification_uri", text())
        .required("verification_uri_complete", text())
        .required("expires_in", integer())
        .required("interval", integer())
}
