//! Schemas that many resources share.

use serde_json::Value;

use super::{Schema, array, boolean, object, text};

/// A name: 1 to 255 characters, not only blanks.
pub fn name() -> Schema {
    text().length(1, 255).pattern(r"[\S]+")
}

/// A description of any length.
pub fn description() -> Schema {
    text().nullable()
}

/// An ID as clients may give one.
pub fn id() -> Schema {
    text().length(1, 64).pattern(r"^[a-zA-Z0-9-]+$")
}

/// A URL.
pub fn url() -> Schema {
    text().length(0, 225).pattern("^[a-zA-Z0-9+.-]+:.+")
}

/// `true`, `false` or `null`.
pub fn nullable_boolean() -> Schema {
    boolean().nullable()
}

/// Booleans as Keystone takes them in queries and of some members: words, too.
pub fn loose_boolean() -> Schema {
    const TRUE: [&str; 3] = ["True", "TRUE", "true"];
    const FALSE: [&str; 3] = ["False", "FALSE", "false"];
    const OTHERS: [&str; 13] = [
        "", "1", "0", "y", "Y", "n", "N", "on", "ON", "off", "OFF", "yes", "no",
    ];
    let words = |words: &'static [&str]| words.iter().map(|word| Value::from(*word));
    boolean().or_text().nullable().one_of(
        [Value::Bool(true)]
            .into_iter()
            .chain(words(&TRUE))
            .chain([Value::Bool(false)])
            .chain(words(&FALSE))
            .chain(words(&OTHERS)),
    )
}

/// The options of roles, projects and domains.
pub fn resource_options() -> Schema {
    object().optional("immutable", nullable_boolean()).closed()
}

/// Tags of a project or domain.
pub fn tags() -> Schema {
    array(text().length(1, 255).pattern("^[^,/]*$"))
        .items(None, Some(80))
        .unique()
}
