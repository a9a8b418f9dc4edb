//! A value that a schema lets through, for the API's description.

use serde_json::{Map, Value, json};

use super::{Format, Kind, Schema};

/// An ID as the server makes them.
const ID: &str = "263fd9a31b6d4b0bb1e5a7a9f4e6c1d2";

/// What a text of this name might be.
pub fn example_of_text(name: &str) -> &'static str {
    match name {
        "domain_id" | "domain_name" => "default",
        "region_id" => "RegionOne",
        "interface" => "public",
        "email" => "somebody@example.com",
        "password" | "original_password" | "secret" => "correct horse battery staple",
        "url" | "auth_url" | "sp_url" | "self" => "https://identity.example.com/v3",
        "path" => "/v2.1/servers",
        "service" | "type" => "compute",
        "group" => "ldap",
        "option" => "url",
        "value" | "tags" => "production",
        "description" => "An example.",
        "blob" => "{\"access\": \"access-key\", \"secret\": \"secret-key\"}",
        "title" => "Not Found",
        _ if name == "id" || name.ends_with("_id") => ID,
        _ => "example",
    }
}

impl Schema {
    /// A value that passes, with all that is required and of the rest what needs nothing else to
    /// exist.
    pub fn example(&self) -> Value {
        self.example_named("")
    }

    fn example_named(&self, name: &str) -> Value {
        if let Some(value) = self.example.as_ref().or(self.values.first()) {
            return value.clone();
        }
        let kind = self.kinds.iter().find(|kind| **kind != Kind::Null);
        match kind {
            Some(Kind::Object) => self.example_object(),
            Some(Kind::Array) => {
                let item = self.items.as_deref();
                let item = item.map(|item| item.example_named(name));
                item.into_iter().collect()
            }
            Some(Kind::Text) => self.example_text(name),
            Some(Kind::Boolean) => json!(true),
            Some(Kind::Integer | Kind::Number) => {
                let least = self.minimum.unwrap_or(1).max(1);
                json!(self.maximum.map_or(least, |most| most.min(least)))
            }
            Some(Kind::Null) => Value::Null,
            None => json!(example_of_text(name)),
        }
    }

    fn example_object(&self) -> Value {
        let alternative = self.alternatives.first();
        let all = alternative.into_iter().chain([self]);
        let mut members = Map::new();
        for schema in all {
            for (name, schema) in &schema.properties {
                let is_required = self.required.contains(name)
                    || alternative.is_some_and(|one| one.required.contains(name));
                let room = self.max_properties.is_none_or(|most| members.len() < most);
                let stands_alone = !name.ends_with("_id") && *name != "id" && room;
                if is_required || stands_alone {
                    members.insert((*name).to_owned(), schema.example_named(name));
                }
            }
        }
        members.into()
    }

    fn example_text(&self, name: &str) -> Value {
        let text = match self.format {
            Some(Format::Uuid) => ID,
            Some(Format::DateTime) => "2027-01-01T00:00:00.000000Z",
            None if name.ends_with("_at") => "2027-01-01T00:00:00.000000Z",
            None => example_of_text(name),
        };
        let short: String = text.chars().take(self.max_length.unwrap_or(255)).collect();
        Value::from(short)
    }
}
