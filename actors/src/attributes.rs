//! What resources have in common: attributes that no column holds, patches in which absent and
//! `null` differ, and the option that makes a thing immutable.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// Attributes that Keystone does not know, kept in a resource's `extra` column and shown beside
/// the others.
pub type Extra = Map<String, Value>;

/// Reads an `extra` column; what is no JSON object counts as empty.
pub fn parse_extra(column: Option<&str>) -> Extra {
    match column.map(serde_json::from_str) {
        Some(Ok(Value::Object(extra))) => extra,
        _ => Extra::new(),
    }
}

/// Writes an `extra` column.
pub fn extra_column(extra: &Extra) -> String {
    Value::Object(extra.clone()).to_string()
}

/// Lays the attributes of a patch over those that were; `null` is a value like any other
/// (Keystone keeps it).
pub fn merge_extra(mut extra: Extra, patch: Extra) -> Extra {
    extra.extend(patch);
    extra
}

/// Deserialises a patch's member: absent is `None`, `null` is `Some(None)`.
pub fn double_option<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

/// Deserialises a patch's member of any type: absent is `None`, `null` is one.
pub fn given<'de, D>(deserializer: D) -> Result<Option<Value>, D::Error>
where
    D: Deserializer<'de>,
{
    Value::deserialize(deserializer).map(Some)
}

/// Deserialises a whole number, which JSON Schema also sees in `1.0`.
pub fn whole<'de, D>(deserializer: D) -> Result<i32, D::Error>
where
    D: Deserializer<'de>,
{
    let number = serde_json::Number::deserialize(deserializer)?.to_string();
    let digits = number.strip_suffix(".0").unwrap_or(&number);
    digits.parse().map_err(serde::de::Error::custom)
}

/// The same for a patch's member.
pub fn whole_if_given<'de, D>(deserializer: D) -> Result<Option<i32>, D::Error>
where
    D: Deserializer<'de>,
{
    whole(deserializer).map(Some)
}

/// The options of roles, projects and domains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceOptions {
    /// `true`: can neither be changed nor deleted until this is cleared, alone. `None`: unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub immutable: Option<bool>,
}

/// Changes of [`ResourceOptions`]: what is absent stays, `null` removes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResourceOptionsPatch {
    /// See [`ResourceOptions::immutable`].
    #[serde(deserialize_with = "double_option")]
    pub immutable: Option<Option<bool>>,
}

/// The four characters under which Keystone stores `immutable`.
pub const IMMUTABLE_OPTION: &str = "IMMU";

impl ResourceOptions {
    /// The options after a change.
    pub fn patched(self, patch: ResourceOptionsPatch) -> Self {
        Self {
            immutable: patch.immutable.unwrap_or(self.immutable),
        }
    }

    /// Whether the resource refuses changes.
    pub fn is_immutable(self) -> bool {
        self.immutable == Some(true)
    }

    /// From rows of an option table: option ID, and value as JSON.
    pub fn from_rows<'a>(rows: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Self {
        let immutable = rows
            .into_iter()
            .filter(|(id, _)| *id == IMMUTABLE_OPTION)
            .find_map(|(_, value)| serde_json::from_str(value?).ok());
        Self { immutable }
    }

    /// As rows of an option table.
    pub fn to_rows(self) -> Vec<(&'static str, String)> {
        self.immutable
            .map(|value| (IMMUTABLE_OPTION, value.to_string()))
            .into_iter()
            .collect()
    }
}

impl ResourceOptionsPatch {
    /// Whether this takes the immutability away.
    pub fn clears_immutable(self) -> bool {
        matches!(self.immutable, Some(None | Some(false)))
    }
}
