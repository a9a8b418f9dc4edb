//! What is read from a request's body.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::api::error::{ApiError, MALFORMED};
use crate::api::schema::Schema;

/// What can be read from a request's body.
pub trait Body: Sized + 'static {
    /// Reads it.
    ///
    /// # Errors
    /// 400 when it is not as it should be.
    fn read(json: &Value) -> Result<Self, ApiError>;
}

/// No body, or one that does not matter.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Body for Nothing {
    fn read(_: &Value) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

/// Whether nobody sets this attribute: the server gives an ID to new things and the path has it of
/// others, links are its own, and `extra` is its word for all that it does not know, but of people.
fn is_own(name: &str, member: &str) -> bool {
    match name {
        "id" | "links" => true,
        "extra" => !matches!(member, "user" | "group"),
        _ => false,
    }
}

/// The one member of a body, `{"role": {…}}`, checked with the schema of the whole; without what
/// nobody sets.
///
/// # Errors
/// 400, in the words of the schema.
pub fn member<T: DeserializeOwned>(
    json: &Value,
    name: &str,
    schema: &Schema,
) -> Result<T, ApiError> {
    read(json, name, schema, str::to_owned)
}

/// The same for something new: `-` and `:` in the names of attributes become `_`, as Keystone
/// stores them.
///
/// # Errors
/// 400, in the words of the schema.
pub fn new_member<T: DeserializeOwned>(
    json: &Value,
    name: &str,
    schema: &Schema,
) -> Result<T, ApiError> {
    read(json, name, schema, |one| one.replace(['-', ':'], "_"))
}

fn read<T: DeserializeOwned>(
    json: &Value,
    name: &str,
    schema: &Schema,
    spelt: impl Fn(&str) -> String,
) -> Result<T, ApiError> {
    schema.check(json)?;
    let Some(Value::Object(attributes)) = json.get(name) else {
        return from_json(Value::Null);
    };
    require_links(attributes)?;
    let set = attributes.iter();
    let set = set.map(|(one, value)| (spelt(one), value.clone()));
    let set = set.filter(|(one, _)| !is_own(one, name));
    from_json(Value::Object(set.collect()))
}

/// Links that a client sends back with the rest are objects; Keystone stumbles over others.
fn require_links(attributes: &Map<String, Value>) -> Result<(), ApiError> {
    match attributes.get("links") {
        None | Some(Value::Object(_)) => Ok(()),
        Some(_) => Err(ApiError::bad_request(MALFORMED)),
    }
}

/// A value that a schema has let through. What fails here kills the request in Keystone (a text in
/// `enabled`, say); what was wrong is not repeated, since it may be a secret.
pub fn from_json<T: DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    serde_json::from_value(value).map_err(|error| {
        tracing::debug!(category = ?error.classify(), "a body of the right shape can't be read");
        ApiError::bad_request(MALFORMED)
    })
}
