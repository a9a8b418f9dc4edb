use std::collections::HashSet;

use serde_json::{Value, json};

use super::*;

fn described(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

#[test]
fn what_is_routed_is_described_each_operation_once() {
    let document = document(true);
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.contains_key("/v3/users/{user_id}"), "{paths:?}");
    let create = &paths["/v3/users"]["post"];
    let schema = &create["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(schema["required"], json!(["user"]));
    assert_eq!(create["summary"], "Create a user.");
    let list = paths["/v3/users"]["get"]["parameters"].as_array().unwrap();
    assert!(list.iter().any(|one| one["name"] == "domain_id"));
    let mut ids = HashSet::new();
    for (path, method, operation) in described(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{method} {path}: {id}");
    }
    assert_eq!(ids.len(), operations(true).len());
}

/// What is missing here is said where the route is registered: `answers`, `takes`, `does`.
#[test]
fn each_operation_says_what_it_does_takes_and_answers() {
    for of in operations(true) {
        let name = format!("{} {}", of.method, of.path);
        let says_nothing = matches!(of.method, "PUT" | "DELETE");
        assert!(!of.answers.is_empty() || says_nothing, "{name}: no answer");
        let takes = matches!(of.method, "POST" | "PATCH");
        assert!(of.body.is_some() || !takes, "{name}: no body");
    }
    let document = document(true);
    for (path, method, operation) in described(&document) {
        let name = format!("{method} {path}");
        assert!(operation["summary"].is_string(), "{name}: no summary");
        let responses = operation["responses"].as_object().unwrap();
        for (status, response) in responses {
            let told = response.get("$ref").or_else(|| response.get("description"));
            assert!(told.is_some(), "{name}: {status}");
        }
        for status in ["400", "500", "503"] {
            assert!(responses.contains_key(status), "{name}: no {status}");
        }
        let is_public = operation.get("security") == Some(&json!([]));
        for status in ["401", "403", "404"] {
            assert!(
                is_public || responses.contains_key(status),
                "{name}: no {status}"
            );
        }
    }
}

#[test]
fn each_reference_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members
                    .values()
                    .for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document = document(true);
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 500, "{}", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

/// An example that the server would refuse helps nobody.
#[test]
fn examples_of_bodies_pass_the_schemas_of_bodies() {
    for of in operations(true) {
        if let Some(body) = of.body {
            let example = body.example();
            let checked = body.check(&example);
            assert!(
                checked.is_ok(),
                "{} {}: {example}: {checked:?}",
                of.method,
                of.path
            );
        }
    }
}

#[test]
fn a_resource_is_shown_without_its_password_and_leads_to_what_can_be_done_with_it() {
    let document = document(true);
    let user = &document["components"]["schemas"]["User"]["properties"];
    assert!(
        user["default_project_id"].is_object() && user["id"].is_object(),
        "{user}"
    );
    assert!(user.get("password").is_none(), "{user}");
    let created = &document["paths"]["/v3/users"]["post"]["responses"]["201"];
    let links = created["links"].as_object().unwrap();
    let methods: Vec<&str> = links.keys().map(String::as_str).collect();
    assert_eq!(methods, ["get", "head", "patch", "delete"]);
    assert_eq!(
        links["patch"]["parameters"]["user_id"],
        "$response.body#/user/id"
    );
}

#[test]
fn json_home_names_nothing_that_is_not_described() {
    let home = crate::api::json_home::document("/v3");
    let document = document(true);
    let paths = document["paths"].as_object().unwrap();
    let bare = |path: &str| {
        let parts = path.split('/');
        let parts = parts.map(|part| if part.starts_with('{') { "{}" } else { part });
        parts.collect::<Vec<_>>().join("/")
    };
    let routed: HashSet<String> = paths.keys().map(|path| bare(path)).collect();
    for (relation, resource) in home["resources"].as_object().unwrap() {
        let href = resource
            .get("href")
            .or_else(|| resource.get("href-template"));
        let href = href.and_then(Value::as_str).unwrap();
        assert!(routed.contains(&bare(href)), "{relation}: {href}");
    }
}
