use serde_json::json;

use super::*;

fn said(schema: &Schema, value: Value) -> String {
    match schema.check(&value) {
        Ok(()) => String::new(),
        Err(error) => error.to_string().replace("400 Bad Request: ", ""),
    }
}

fn user() -> Schema {
    let user = object()
        .required("name", name())
        .optional("enabled", loose_boolean())
        .optional("password", text().nullable().secret())
        .optional("options", resource_options())
        .not_empty();
    object().required("user", user).closed()
}

/// Each text was seen on a running Keystone 30.
#[test]
fn messages_are_keystones() {
    let schema = user();
    for (body, message) in [
        (json!({}), "'user' is a required property"),
        (
            json!({"user": {"name": "x"}, "x": 1}),
            "Additional properties are not allowed ('x' was unexpected)",
        ),
        (
            json!({"user": {}}),
            "Invalid input for field/attribute user. Value: {}. 'name' is a required property",
        ),
        (
            json!({"user": {"name": ""}}),
            "Invalid input for field/attribute name. Value: . '' should be non-empty",
        ),
        (
            json!({"user": {"name": "  "}}),
            r"Invalid input for field/attribute name. Value:   . '  ' does not match '[\\S]+'",
        ),
        (
            json!({"user": {"name": 5}}),
            "Invalid input for field/attribute name. Value: 5. 5 is not of type 'string'",
        ),
        (
            json!({"user": {"name": "x", "options": {"foo": 1}}}),
            "Invalid input for field/attribute options. Value: {'foo': 1}. \
             Additional properties are not allowed ('foo' was unexpected)",
        ),
    ] {
        assert_eq!(said(&schema, body), message);
    }
    assert_eq!(said(&schema, json!({"user": {"name": "x", "any": []}})), "");
}

#[test]
fn of_several_mistakes_the_first_is_told_in_the_order_of_the_schema() {
    let schema = user();
    let told = |value| said(&schema, value);
    let both = told(json!({"user": {"enabled": 5, "name": 5}}));
    assert!(both.contains("attribute name"), "{both}");
    let inside = told(json!({"user": {"options": {"immutable": 5}}}));
    assert!(inside.contains("attribute immutable"), "{inside}");
    let outside = told(json!({"user": {}, "x": 1}));
    assert!(
        outside.contains("'name' is a required property"),
        "{outside}"
    );
}

#[test]
fn a_secret_is_not_repeated() {
    let schema = user();
    for body in [
        json!({"user": {"name": "x", "password": 12_345}}),
        json!({"user": {"password": "12345"}}),
    ] {
        let message = said(&schema, body);
        assert!(!message.contains("12345"), "{message}");
        assert!(message.contains("***"), "{message}");
    }
}

#[test]
fn lists_have_bounds() {
    let schema = object().optional("tags", tags());
    let many: Vec<String> = (0..81).map(|n| n.to_string()).collect();
    assert!(said(&schema, json!({"tags": many})).ends_with("is too long"));
    assert!(said(&schema, json!({"tags": ["a", "a"]})).ends_with("has non-unique elements"));
    assert!(said(&schema, json!({"tags": ["a,b"]})).contains("attribute 0."));
    assert_eq!(said(&schema, json!({"tags": ["a", "b"]})), "");
}

#[test]
fn formats_and_numbers_are_compared() {
    let schema = object()
        .optional("id", text().format(Format::Uuid))
        .optional("at", text().format(Format::DateTime))
        .optional("limit", integer().minimum(-1).maximum(10));
    let good = json!({"id": "0ddf9a1e-4b54-4ac6-b1fb-5ba6bbc0d9a3", "at": "2026-11-25T10:00:00.000000Z", "limit": -1});
    assert_eq!(said(&schema, good), "");
    for (bad, message) in [
        (json!({"id": "zz"}), "'zz' is not a 'uuid'"),
        (json!({"at": "soon"}), "'soon' is not a 'date-time'"),
        (json!({"limit": -2}), "-2 is less than the minimum of -1"),
        (json!({"limit": 11}), "11 is greater than the maximum of 10"),
        (json!({"limit": 1.5}), "1.5 is not of type 'integer'"),
    ] {
        let told = said(&schema, bad);
        assert!(told.ends_with(message), "{told}");
    }
}

#[test]
fn the_older_words_name_the_path_and_repeat_nothing_else() {
    let schema = object().required("original_password", text().secret());
    let told = |value| schema.check_older(&value).unwrap_err().to_string();
    assert!(told(json!({})).ends_with("'original_password' is a required property"));
    assert!(told(json!({"original_password": 77_777})).contains("field 'original_password'"));
    assert!(!told(json!({"original_password": 77_777})).contains("77777"));
}
