//! Finds all that is wrong with a value, for the few routes that tell all at once.

use serde_json::Value;

use super::Schema;
use crate::api::error::ApiError;

impl Schema {
    /// Compares a value as Keystone does with mappings: all mistakes, a line each and sorted, without
    /// a word about where they are.
    ///
    /// # Errors
    /// 400.
    pub fn check_every(&self, value: &Value) -> Result<(), ApiError> {
        let mut mistakes = Vec::new();
        self.find_every(value, &mut mistakes);
        if mistakes.is_empty() {
            return Ok(());
        }
        mistakes.sort_unstable();
        Err(ApiError::bad_request(mistakes.concat()))
    }

    fn find_every(&self, value: &Value, mistakes: &mut Vec<String>) {
        let own = [
            self.wrong_kind(value),
            self.wrong_value(value),
            self.no_alternative(value),
        ];
        mistakes.extend(own.into_iter().flatten().map(|one| one + "\n"));
        match value {
            Value::Object(members) => {
                for (name, schema) in &self.properties {
                    if let Some(member) = members.get(*name) {
                        schema.find_every(member, mistakes);
                    }
                }
                for name in &self.required {
                    if !members.contains_key(*name) {
                        mistakes.push(format!("'{name}' is a required property\n"));
                    }
                }
                let rest = Self {
                    required: Vec::new(),
                    ..self.clone()
                };
                mistakes.extend(rest.bounds(value).err().map(|one| one + "\n"));
                return;
            }
            Value::Array(items) => {
                for item in items {
                    if let Some(schema) = &self.items {
                        schema.find_every(item, mistakes);
                    }
                }
            }
            _ => {}
        }
        mistakes.extend(self.bounds(value).err().map(|one| one + "\n"));
    }
}
