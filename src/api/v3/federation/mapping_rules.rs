//! What a mapping has to look like, in each version of its form.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::api::error::ApiError;
use crate::api::schema::{Schema, any, array, boolean, object, text};

static V1: LazyLock<Schema> = LazyLock::new(|| mapping(local(projects())));

/// Projects name their domain.
static V2: LazyLock<Schema> = LazyLock::new(|| mapping(local(projects_of_domains())));

/// Projects may be in the assertion.
static V3: LazyLock<Schema> = LazyLock::new(|| {
    let local = local(projects_of_domains());
    mapping(local.optional("projects_json", text()))
});

/// Compares a mapping with the form of its version.
///
/// # Errors
/// 400 with all that is wrong.
pub(super) fn check(version: &str, mapping: &Value) -> Result<(), ApiError> {
    match version {
        "1.0" => V1.check_every(mapping),
        "2.0" => V2.check_every(mapping),
        "3.0" => V3.check_every(mapping),
        _ => Err(unknown_version()),
    }
}

/// What Keystone has no answer for.
pub(super) fn unknown_version() -> ApiError {
    ApiError::bad_request("schema_version has to be 1.0, 2.0 or 3.0.")
}

fn mapping(local: Schema) -> Schema {
    let rule = object()
        .optional("local", array(local))
        .optional("remote", array(remote()).items(Some(1), None))
        .requires("local")
        .requires("remote")
        .closed();
    object()
        .required("rules", array(rule).items(Some(1), None))
        .optional("schema_version", text())
}

fn domain() -> Schema {
    object()
        .optional("id", text())
        .optional("name", text())
        .closed()
}

fn local(projects: Schema) -> Schema {
    let kind = text().one_of([json!("ephemeral"), json!("local")]);
    let user = object()
        .optional("id", text())
        .optional("name", text())
        .optional("email", text())
        .optional("domain", domain())
        .optional("type", kind)
        .closed();
    let by_id = object().required("id", text()).closed();
    let by_name = object()
        .required("name", text())
        .required("domain", domain())
        .closed();
    object()
        .optional("user", user)
        .optional("projects", array(projects))
        .optional("group", object().either([by_id, by_name]))
        .optional("groups", text())
        .optional("group_ids", text())
        .optional("domain", domain())
        .closed()
}

fn projects() -> Schema {
    let role = object().required("name", text()).closed();
    object()
        .required("name", text())
        .required("roles", array(role))
        .closed()
}

fn projects_of_domains() -> Schema {
    projects().optional("domain", domain())
}

/// What of an assertion is looked at: an attribute, and what its values may or may not be.
fn remote() -> Schema {
    let condition = |name: &'static str| {
        object()
            .required("type", text())
            .required(name, array(any()))
            .optional("regex", boolean())
            .closed()
    };
    let attribute = object().required("type", text()).closed();
    object().either([
        attribute,
        condition("any_one_of"),
        condition("not_any_of"),
        condition("blacklist"),
        condition("whitelist"),
    ])
}
