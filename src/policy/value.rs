//! A value as a rule compares it: by the text that Python's `str()` gives it, for that is how oslo.policy compares.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

/// One attribute of the caller or of the target.
///
/// `Null` is an attribute that is there and holds nothing, which a rule reads as the word `None`. An attribute that
/// is not there at all is no `Value`: a check that needs it is false.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// There, and empty: reads as `None`.
    Null,
    /// Reads as `True` or `False`.
    Bool(bool),
    /// A signed whole number.
    Int(i64),
    /// A whole number above `i64::MAX`.
    Unsigned(u64),
    /// Reads as Python's `repr` of the float.
    Float(f64),
    /// Text, compared exactly, case included.
    Text(&'a str),
    /// A list or an object. As a part of a target an object is looked into by its dotted path.
    Json(&'a Json),
}

impl<'a> Value<'a> {
    /// The text a rule sees.
    pub fn text(self) -> Cow<'a, str> {
        match self {
            Self::Null => Cow::Borrowed("None"),
            Self::Bool(true) => Cow::Borrowed("True"),
            Self::Bool(false) => Cow::Borrowed("False"),
            Self::Int(number) => Cow::Owned(number.to_string()),
            Self::Unsigned(number) => Cow::Owned(number.to_string()),
            Self::Float(number) => Cow::Owned(python_float(number)),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Json(json) => Cow::Owned(python_repr(json)),
        }
    }

    /// Whether a rule would read `self` as `text`. Allocates for numbers and structures only.
    pub(super) fn reads(self, text: &str) -> bool {
        match self {
            Self::Text(own) => own == text,
            other => other.text() == text,
        }
    }

    pub(super) fn object(self) -> Option<&'a Map<String, Json>> {
        match self {
            Self::Json(Json::Object(map)) => Some(map),
            _ => None,
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl<'a> From<&'a Json> for Value<'a> {
    fn from(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(flag) => Self::Bool(*flag),
            Json::String(text) => Self::Text(text),
            Json::Number(number) => number
                .as_i64()
                .map(Self::Int)
                .or_else(|| number.as_u64().map(Self::Unsigned))
                .or_else(|| number.as_f64().map(Self::Float))
                .unwrap_or(Self::Json(json)),
            Json::Array(_) | Json::Object(_) => Self::Json(json),
        }
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Python's `repr(float)`: the shortest digits that read back, with an exponent below 1e-4 and from 1e16 on.
pub(super) fn python_float(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific; // inf and NaN, which JSON can't carry
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.unsigned_abs());
    }
    let plain = format!("{number}");
    if plain.contains('.') {
        plain
    } else {
        plain + ".0"
    }
}

/// Python's `repr` of decoded JSON, as messages of Keystone have it.
pub fn python_repr(json: &Json) -> String {
    let mut out = String::new();
    write_repr(json, &mut out);
    out
}

/// Python's `repr` of decoded JSON. Characters beyond ASCII are taken as printable, control characters are escaped.
fn write_repr(json: &Json, out: &mut String) {
    match json {
        Json::String(text) => python_quoted(text, out),
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write_repr(item, out);
            }
            out.push(']');
        }
        Json::Object(map) => {
            out.push('{');
            for (index, (key, item)) in map.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                python_quoted(key, out);
                out.push_str(": ");
                write_repr(item, out);
            }
            out.push('}');
        }
        Json::Number(number) if !number.is_f64() => {
            let _infallible = write!(out, "{number}");
        }
        scalar => out.push_str(&Value::from(scalar).text()),
    }
}

fn python_quoted(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if c.is_control() => {
                let _infallible = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}
