//! Finds what is wrong with a value.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde_json::Value;

use super::{Format, Schema};
use crate::api::error::ApiError;
use crate::policy::{self, python_repr};

/// A step from a value into it. Items are told by their index.
enum Step {
    Member(String),
    Item(usize),
}

/// One mistake.
struct Mistake {
    path: Vec<Step>,
    /// The value as it may be repeated.
    shown: Value,
    message: String,
}

impl Schema {
    /// Compares a body, or the parameters of a query.
    ///
    /// # Errors
    /// 400, in the words of Keystone 30's validator.
    pub fn check(&self, value: &Value) -> Result<(), ApiError> {
        let Err(mistake) = self.find(value) else {
            return Ok(());
        };
        Err(ApiError::bad_request(match mistake.path.first() {
            None => mistake.message,
            Some(step) => format!(
                "Invalid input for field/attribute {}. Value: {}. {}",
                step.text(),
                policy::Value::from(&mistake.shown).text(),
                mistake.message
            ),
        }))
    }

    /// The same, in the words of the older validator that some of Keystone's routes still have; but
    /// only its first line, since what follows repeats the body with the passwords in it.
    ///
    /// # Errors
    /// 400.
    pub fn check_older(&self, value: &Value) -> Result<(), ApiError> {
        let Err(mistake) = self.find(value) else {
            return Ok(());
        };
        if mistake.path.is_empty() {
            return Err(ApiError::bad_request(mistake.message));
        }
        let path: Vec<String> = mistake.path.iter().rev().map(Step::text).collect();
        let (path, message) = (path.join("/"), mistake.message);
        Err(ApiError::bad_request(format!(
            "Invalid input for field '{path}': {message}"
        )))
    }

    /// The first mistake, in Keystone's order: the type, then what is inside, in the order of the
    /// schema, then what the value itself lacks or has too much of.
    fn find(&self, value: &Value) -> Result<(), Box<Mistake>> {
        let here = |message: String| {
            Box::new(Mistake {
                path: Vec::new(),
                shown: self.masked(value),
                message,
            })
        };
        let inside = |step: Step| {
            move |mut mistake: Box<Mistake>| {
                mistake.path.push(step);
                mistake
            }
        };
        if let Some(message) = self.wrong_kind(value).or_else(|| self.wrong_value(value)) {
            return Err(here(message));
        }
        if let Some(message) = self.no_alternative(value) {
            return Err(here(message));
        }
        match value {
            Value::Object(members) => {
                for (name, schema) in &self.properties {
                    if let Some(member) = members.get(*name) {
                        let step = Step::Member((*name).to_owned());
                        schema.find(member).map_err(inside(step))?;
                    }
                }
            }
            Value::Array(items) => {
                if let Some(schema) = &self.items {
                    for (index, item) in items.iter().enumerate() {
                        schema.find(item).map_err(inside(Step::Item(index)))?;
                    }
                }
            }
            _ => {}
        }
        self.bounds(value).map_err(here)
    }

    pub(super) fn wrong_kind(&self, value: &Value) -> Option<String> {
        if self.kinds.is_empty() || self.kinds.iter().any(|kind| kind.is_of(value)) {
            return None;
        }
        let kinds = self.kinds.iter();
        let kinds: Vec<String> = kinds.map(|kind| format!("'{}'", kind.name())).collect();
        let kinds = kinds.join(", ");
        Some(format!("{} is not of type {kinds}", self.repr(value)))
    }

    pub(super) fn wrong_value(&self, value: &Value) -> Option<String> {
        if self.values.is_empty() || self.values.contains(value) {
            return None;
        }
        let values = python_repr(&Value::Array(self.values.clone()));
        Some(format!("{} is not one of {values}", self.repr(value)))
    }

    pub(super) fn no_alternative(&self, value: &Value) -> Option<String> {
        let mut alternatives = self.alternatives.iter();
        if self.alternatives.is_empty() || alternatives.any(|one| one.find(value).is_ok()) {
            return None;
        }
        let shown = self.repr(value);
        Some(format!(
            "{shown} is not valid under any of the given schemas"
        ))
    }

    /// What is wrong with the value itself, not with what is in it.
    pub(super) fn bounds(&self, value: &Value) -> Result<(), String> {
        let too_short = |least: usize| match least {
            1 => "should be non-empty",
            _ => "is too short",
        };
        let wrong = |what: &str| Err(format!("{} {what}", self.repr(value)));
        match value {
            Value::String(text) => {
                let length = text.chars().count();
                if let Some(least) = self.min_length.filter(|least| length < *least) {
                    return wrong(too_short(least));
                }
                if self.max_length.is_some_and(|most| length > most) {
                    return wrong("is too long");
                }
                if let Some(pattern) = self.pattern.as_ref().filter(|one| !one.is_match(text)) {
                    let pattern = python_repr(&Value::from(pattern.as_str()));
                    return wrong(&format!("does not match {pattern}"));
                }
                if let Some(format) = self.format.filter(|format| !format.is_of(text)) {
                    return wrong(&format!("is not a '{}'", format.name()));
                }
            }
            Value::Array(items) => {
                if let Some(least) = self.min_items.filter(|least| items.len() < *least) {
                    return wrong(too_short(least));
                }
                if self.max_items.is_some_and(|most| items.len() > most) {
                    return wrong("is too long");
                }
                if self.unique && has_twice(items) {
                    return wrong("has non-unique elements");
                }
            }
            Value::Object(members) => {
                if self.unknown_first {
                    self.additional(members)?;
                }
                let mut required = self.required.iter();
                if let Some(name) = required.find(|name| !members.contains_key(**name)) {
                    return Err(format!("'{name}' is a required property"));
                }
                if let Some(least) = self.min_properties.filter(|least| members.len() < *least) {
                    return wrong(too_short(least));
                }
                if self.max_properties.is_some_and(|most| members.len() > most) {
                    return wrong("has too many properties");
                }
                if self.closed {
                    self.additional(members)?;
                }
            }
            _ => {}
        }
        // Keystone compares numbers that are written as text, too.
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let Some(number) = number else { return Ok(()) };
        #[expect(clippy::cast_precision_loss, reason = "bounds are small")]
        let float = |bound: i64| bound as f64;
        match (self.minimum, self.maximum) {
            (Some(least), _) if number < float(least) => {
                wrong(&format!("is less than the minimum of {least}"))
            }
            (_, Some(most)) if number > float(most) => {
                wrong(&format!("is greater than the maximum of {most}"))
            }
            _ => Ok(()),
        }
    }

    fn additional(&self, members: &serde_json::Map<String, Value>) -> Result<(), String> {
        let mut unknown: Vec<&str> = members.keys().map(String::as_str).collect();
        unknown.retain(|name| self.member(name).is_none());
        unknown.sort_unstable();
        if unknown.is_empty() {
            return Ok(());
        }
        let verb = if unknown.len() == 1 { "was" } else { "were" };
        let names: Vec<String> = unknown
            .iter()
            .map(|name| python_repr(&Value::from(*name)))
            .collect();
        let names = names.join(", ");
        Err(format!(
            "Additional properties are not allowed ({names} {verb} unexpected)"
        ))
    }

    fn repr(&self, value: &Value) -> String {
        python_repr(&self.masked(value))
    }

    /// The value without what is secret in it.
    fn masked(&self, value: &Value) -> Value {
        if self.secret {
            return Value::from("***");
        }
        match value {
            Value::Object(members) => {
                let masked = members.iter().map(|(name, member)| {
                    let schema = self.member(name);
                    let member =
                        schema.map_or_else(|| member.clone(), |schema| schema.masked(member));
                    (name.clone(), member)
                });
                Value::Object(masked.collect())
            }
            Value::Array(items) => match &self.items {
                Some(schema) => items.iter().map(|item| schema.masked(item)).collect(),
                None => value.clone(),
            },
            other => other.clone(),
        }
    }
}

impl Step {
    fn text(&self) -> String {
        match self {
            Self::Member(name) => name.clone(),
            Self::Item(index) => index.to_string(),
        }
    }
}

impl Format {
    fn is_of(self, text: &str) -> bool {
        match self {
            // As oslo.utils' `is_uuid_like`: hyphens and case do not matter.
            Self::Uuid => {
                let digits = text.trim_start_matches("urn:uuid:");
                let digits: String = digits
                    .chars()
                    .filter(|c| !matches!(c, '-' | '{' | '}'))
                    .collect();
                digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
            }
            Self::DateTime => {
                DateTime::parse_from_rfc3339(text).is_ok()
                    || DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z").is_ok()
                    || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").is_ok()
                    || NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
            }
        }
    }
}

/// Whether two items are equal. Sorted by their texts first, so that long lists cost no square.
fn has_twice(items: &[Value]) -> bool {
    let mut texts: Vec<String> = items.iter().map(Value::to_string).collect();
    texts.sort_unstable();
    texts
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a == b))
}
