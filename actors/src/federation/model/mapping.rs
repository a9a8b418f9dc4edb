//! Mappings: rules that make a user of an assertion.

use serde::Serialize;
use serde_json::Value;

use super::super::Error;
use super::{LONGEST_TEXT, id_fits};
use crate::ids::MappingId;

/// A mapping, as v3 shows it (the API adds only `links`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mapping {
    /// Chosen by its creator.
    pub id: MappingId,
    /// A list of objects with `local` and `remote`, of the form that the version has.
    pub rules: Value,
    /// Which form that is.
    pub schema_version: String,
}

/// What a mapping is to be, created or changed: its whole content.
#[derive(Clone, Debug)]
pub struct MappingDraft {
    /// See [`Mapping::rules`]. Compared with the form by who asks.
    pub rules: Value,
    /// See [`Mapping::schema_version`]; up to 5 characters.
    pub schema_version: String,
}

impl MappingDraft {
    /// The mapping that comes of it.
    pub(in super::super) fn into_mapping(self, id: MappingId) -> Result<Mapping, Error> {
        id_fits(id.as_str())?;
        Ok(Mapping {
            id,
            rules: self.rules,
            schema_version: self.schema_version,
        })
    }
}

impl Mapping {
    /// The rules as the column has them. Python Keystone encodes them twice: a JSON text in which
    /// there is JSON.
    pub(in super::super) fn rules_column(&self) -> Result<String, Error> {
        let column = Value::String(self.rules.to_string()).to_string();
        match column.len() > LONGEST_TEXT {
            true => Err(Error::TooLarge("rules")),
            false => Ok(column),
        }
    }

    /// The other way; what can't be read is no rule.
    pub(in super::super) fn rules_of(column: &str) -> Value {
        let once = serde_json::from_str(column).unwrap_or(Value::Array(Vec::new()));
        match once {
            Value::String(inner) => serde_json::from_str(&inner).unwrap_or(Value::Array(vec![])),
            rules => rules,
        }
    }
}
