//! What the body or the query of a request has to look like, and what is said where it does not:
//! the part of JSON Schema (draft 2020-12) that Keystone's own schemas use, with the messages of
//! its validator, which clients show to people.
//!
//! ```ignore
//! static NEW_ROLE: LazyLock<Schema> = LazyLock::new(|| {
//!     object().required("role", object().required("name", name()).optional("description", text().nullable())).closed()
//! });
//! NEW_ROLE.check(&body)?;
//! ```

mod check;
mod common;
mod every;
mod example;
#[cfg(test)]
mod tests;

use regex::Regex;
use serde_json::{Value, json};

pub use common::{
    description, id, loose_boolean, name, nullable_boolean, resource_options, tags, url,
};
pub use example::example_of_text;

/// A JSON type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Object,
    Array,
    Text,
    Boolean,
    Integer,
    Number,
    Null,
}

/// A format that is more than a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A UUID, with or without hyphens.
    Uuid,
    /// An ISO 8601 time.
    DateTime,
}

/// What a value has to be. Everything that is not asked for is allowed. Members are compared in the
/// order in which they stand here, and the first mistake is told: the order is Keystone's.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    kinds: Vec<Kind>,
    values: Vec<Value>,
    format: Option<Format>,
    min_length: Option<usize>,
    max_length: Option<usize>,
    pattern: Option<Regex>,
    minimum: Option<i64>,
    maximum: Option<i64>,
    items: Option<Box<Schema>>,
    min_items: Option<usize>,
    max_items: Option<usize>,
    unique: bool,
    properties: Vec<(&'static str, Schema)>,
    required: Vec<&'static str>,
    min_properties: Option<usize>,
    max_properties: Option<usize>,
    closed: bool,
    /// What is unknown is told before what is missing.
    unknown_first: bool,
    secret: bool,
    alternatives: Vec<Schema>,
    example: Option<Value>,
}

fn of(kind: Kind) -> Schema {
    Schema {
        kinds: vec![kind],
        ..Schema::default()
    }
}

/// Anything.
pub fn any() -> Schema {
    Schema::default()
}

/// An object; members that are not named are allowed, unless it is [`Schema::closed`].
pub fn object() -> Schema {
    of(Kind::Object)
}

/// A list of such items.
pub fn array(items: Schema) -> Schema {
    Schema {
        items: Some(Box::new(items)),
        ..of(Kind::Array)
    }
}

/// Text.
pub fn text() -> Schema {
    of(Kind::Text)
}

/// `true` or `false`, and no word for it.
pub fn boolean() -> Schema {
    of(Kind::Boolean)
}

/// A whole number.
pub fn integer() -> Schema {
    of(Kind::Integer)
}

/// A number.
pub fn number() -> Schema {
    of(Kind::Number)
}

impl Schema {
    /// Or `null`.
    pub fn nullable(mut self) -> Self {
        if !self.kinds.contains(&Kind::Null) {
            self.kinds.push(Kind::Null);
        }
        if !self.values.is_empty() && !self.values.contains(&Value::Null) {
            self.values.push(Value::Null);
        }
        self
    }

    /// Or text.
    fn or_text(mut self) -> Self {
        self.kinds.push(Kind::Text);
        self
    }

    /// One of these values.
    pub fn one_of(mut self, values: impl IntoIterator<Item = Value>) -> Self {
        self.values = values.into_iter().collect();
        self
    }

    /// So many characters, at least and at most.
    pub fn length(mut self, min: usize, max: usize) -> Self {
        (self.min_length, self.max_length) = (Some(min), Some(max));
        self
    }

    /// Text in which this is found. A pattern that is none of the syntax of `regex` finds nothing.
    pub fn pattern(mut self, pattern: &str) -> Self {
        self.pattern = Regex::new(pattern).or_else(|_| Regex::new(r"[^\s\S]")).ok();
        self
    }

    /// Text of this format.
    pub fn format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// A number from `minimum` on. In a query it may be written as text.
    pub fn minimum(mut self, minimum: i64) -> Self {
        self.minimum = Some(minimum);
        self
    }

    /// A number up to `maximum`.
    pub fn maximum(mut self, maximum: i64) -> Self {
        self.maximum = Some(maximum);
        self
    }

    /// So many items, at least and at most.
    pub fn items(mut self, min: Option<usize>, max: Option<usize>) -> Self {
        (self.min_items, self.max_items) = (min, max);
        self
    }

    /// No item twice.
    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// With this member.
    pub fn required(self, name: &'static str, schema: Schema) -> Self {
        self.optional(name, schema).requires(name)
    }

    /// With the member of this name, which is described already.
    pub fn requires(mut self, name: &'static str) -> Self {
        self.required.push(name);
        self
    }

    /// With this member, or without.
    pub fn optional(mut self, name: &'static str, schema: Schema) -> Self {
        self.properties.push((name, schema));
        self
    }

    /// With no members but those that are named.
    pub fn closed(mut self) -> Self {
        self.closed = true;
        self
    }

    /// The same, and a member that is not named is told before one that is missing.
    pub fn closed_first(mut self) -> Self {
        self.unknown_first = true;
        self.closed()
    }

    /// With one member at least.
    pub fn not_empty(mut self) -> Self {
        self.min_properties = Some(1);
        self
    }

    /// With so many members at most.
    pub fn at_most(mut self, members: usize) -> Self {
        self.max_properties = Some(members);
        self
    }

    /// And one of these.
    pub fn either(mut self, alternatives: impl IntoIterator<Item = Schema>) -> Self {
        self.alternatives = alternatives.into_iter().collect();
        self
    }

    /// Not to be repeated in an error.
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// With an example that could not be guessed.
    pub fn with_example(mut self, example: Value) -> Self {
        self.example = Some(example);
        self
    }

    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<&Schema> {
        let mut properties = self.properties.iter();
        let (_, schema) = properties.find(|(known, _)| *known == name)?;
        Some(schema)
    }

    /// All members that are named.
    pub fn members(&self) -> &[(&'static str, Schema)] {
        &self.properties
    }

    /// What each item of a list is.
    pub fn item(&self) -> Option<&Schema> {
        self.items.as_deref()
    }

    /// How the server shows what a request with this schema has made: of the same types or null,
    /// without passwords, and whatever the bounds of today are.
    pub fn shown(&self) -> Self {
        let properties = self.properties.iter();
        let properties = properties.filter(|(name, _)| *name != "password");
        let shown = Self {
            kinds: self.kinds.clone(),
            items: self.items.as_ref().map(|items| Box::new(items.shown())),
            properties: properties
                .map(|(name, schema)| (*name, schema.shown()))
                .collect(),
            ..Self::default()
        };
        match self.kinds.is_empty() {
            true => shown,
            false => shown.nullable(),
        }
    }

    /// The same in JSON Schema, for the API's description.
    pub fn to_json(&self) -> Value {
        let mut schema = serde_json::Map::new();
        let mut put = |key: &str, value: Value| {
            schema.insert(key.to_owned(), value);
        };
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.name()).collect();
        match kinds.as_slice() {
            [] => {}
            [kind] => put("type", json!(kind)),
            kinds => put("type", json!(kinds)),
        }
        if !self.values.is_empty() {
            put("enum", json!(self.values));
        }
        if let Some(format) = self.format {
            put("format", json!(format.name()));
        }
        if let Some(pattern) = &self.pattern {
            put("pattern", json!(pattern.as_str()));
        }
        let bounds = [
            ("minLength", self.min_length),
            ("maxLength", self.max_length),
            ("minItems", self.min_items),
            ("maxItems", self.max_items),
            ("minProperties", self.min_properties),
            ("maxProperties", self.max_properties),
        ];
        for (key, bound) in bounds {
            if let Some(bound) = bound {
                put(key, json!(bound));
            }
        }
        for (key, bound) in [("minimum", self.minimum), ("maximum", self.maximum)] {
            if let Some(bound) = bound {
                put(key, json!(bound));
            }
        }
        if let Some(items) = &self.items {
            put("items", items.to_json());
        }
        if self.unique {
            put("uniqueItems", json!(true));
        }
        if !self.properties.is_empty() {
            let properties = self.properties.iter();
            let properties =
                properties.map(|(name, schema)| ((*name).to_owned(), schema.to_json()));
            put("properties", Value::Object(properties.collect()));
        }
        if !self.alternatives.is_empty() {
            let alternatives = self.alternatives.iter().map(Self::to_json);
            put("oneOf", alternatives.collect());
        }
        if !self.required.is_empty() {
            put("required", json!(self.required));
        }
        if self.closed {
            put("additionalProperties", json!(false));
        }
        if self.secret {
            put("writeOnly", json!(true));
        }
        Value::Object(schema)
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::Text => "string",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Null => "null",
        }
    }

    fn is_of(self, value: &Value) -> bool {
        match self {
            Self::Object => value.is_object(),
            Self::Array => value.is_array(),
            Self::Text => value.is_string(),
            Self::Boolean => value.is_boolean(),
            Self::Integer => {
                value.is_i64()
                    || value.is_u64()
                    || value.as_f64().is_some_and(|number| number.fract() == 0.0)
            }
            Self::Number => value.is_number(),
            Self::Null => value.is_null(),
        }
    }
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::DateTime => "date-time",
        }
    }
}
