use serde_json::{Value, json};

use super::request::{AuthRequest, DomainRef, ProjectRef, ScopeRequest};

fn request(scope: Value) -> Value {
    json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": {"id": "u", "password": "p"}}},
        "scope": scope,
    }})
}

fn refusal(body: &Value) -> String {
    AuthRequest::parse(body).unwrap_err().to_string()
}

#[test]
fn a_scope_is_one_of_five_things() {
    let scope = |value| AuthRequest::parse(&request(value)).unwrap().scope;
    assert_eq!(scope(json!({"unscoped": {}})), ScopeRequest::Unscoped);
    assert_eq!(scope(json!("unscoped")), ScopeRequest::Unscoped);
    assert_eq!(
        scope(json!({"system": {"all": false}})),
        ScopeRequest::System
    );
    let domain = DomainRef::Name("d".to_owned());
    assert_eq!(
        scope(json!({"domain": {"name": "d"}})),
        ScopeRequest::Domain(domain)
    );
    let project = ProjectRef::Id("p".to_owned());
    assert_eq!(
        scope(json!({"project": {"id": "p"}})),
        ScopeRequest::Project(project)
    );
    assert_eq!(
        scope(json!({"OS-TRUST:trust": {"id": "t"}})),
        ScopeRequest::Trust("t".to_owned())
    );

    for several in [
        json!({}),
        json!({"unscoped": {}, "system": {}}),
        json!({"x": 1}),
        json!(""),
    ] {
        assert!(refusal(&request(several)).contains("Expecting to find system, project"));
    }
}

#[test]
fn what_is_missing_is_named() {
    for (body, expected) in [
        (json!({}), "Expecting to find auth in request body."),
        (
            json!({"auth": null}),
            "Expecting to find auth in request body.",
        ),
        (json!({"auth": {}}), "'identity' is a required property"),
        (
            json!({"auth": {"identity": {}}}),
            "'methods' is a required property",
        ),
        (
            json!({"auth": {"identity": {"methods": "password"}}}),
            "'password' is not of type 'array'",
        ),
        (
            json!({"auth": {"identity": {"methods": ["password"]}}}),
            "Expecting to find password in identity.",
        ),
        (
            json!({"auth": {"identity": {"methods": ["password"], "password": {}}}}),
            "Expecting to find user in None.",
        ),
        (
            json!({"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "u"}}}}}),
            "Expecting to find domain in user.",
        ),
        (
            request(json!({"project": {"name": "p"}})),
            "Expecting to find domain in project.",
        ),
        (
            request(json!({"project": {}})),
            "scope/project: id or name must be present.",
        ),
        (request(json!(7)), "7 is not of type 'object', 'string'"),
    ] {
        let text = refusal(&body);
        assert!(text.contains(expected), "{text:?} lacks {expected:?}");
    }
}

#[test]
fn a_method_named_a_thousand_times_counts_once() {
    let mut body = request(json!({"unscoped": {}}));
    body["auth"]["identity"]["methods"] = json!(vec!["password"; 1000]);
    assert_eq!(AuthRequest::parse(&body).unwrap().methods.len(), 1);
    body["auth"]["identity"]["methods"] = json!(vec!["password"; 1_000_000]);
    assert!(AuthRequest::parse(&body).is_err());
}

#[test]
fn a_refusal_does_not_repeat_a_password() {
    let body = json!({"auth": {"identity": {
        "methods": ["password"],
        "password": {"user": {"id": "u", "password": {"secret": "hunter2"}}},
    }}});
    assert!(!refusal(&body).contains("hunter2"));
}
