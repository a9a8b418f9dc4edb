//! An operation, as the description has it.

use serde_json::{Map, Value, json};

use super::answers::{Answer, Content, NOTHING, Pages};
use super::components::{Components, reference};
use super::errors;
use crate::api::routes::{Operation, Place};
use crate::policy;

/// One operation. Of several with the same handler each has its path in its ID.
pub(super) fn operation(of: &Operation, components: &Components<'_>) -> Value {
    let mut described = json!({
        "operationId": components.id_of(of),
        "tags": [module(of)],
        "summary": summary(of),
        "responses": responses(of, components),
    });
    let Value::Object(members) = &mut described else {
        return described;
    };
    let parameters = parameters(of);
    if !parameters.is_empty() {
        members.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(body) = of.body {
        let content = json!({"schema": body.to_json(), "example": body.example()});
        members.insert(
            "requestBody".to_owned(),
            json!({"required": true, "content": {"application/json": content}}),
        );
    }
    if of.is_public {
        members.insert("security".to_owned(), json!([]));
    }
    described
}

/// The module of a handler: what its operations are about.
pub(super) fn module(of: &Operation) -> &str {
    of.handler.rsplit("::").nth(1).unwrap_or_default()
}

/// In the words of the registration, or of the rule that is asked; HEAD asks as GET does.
fn summary(of: &Operation) -> Option<&'static str> {
    let rule = |method: &str| policy::described(&format!("{method} {}", of.path));
    let same = || (of.method == "HEAD").then(|| rule("GET")).flatten();
    of.summary.or_else(|| rule(of.method)).or_else(same)
}

fn parameters(of: &Operation) -> Vec<Value> {
    let in_path = of.path.split('{').skip(1);
    let in_path = in_path.filter_map(|rest| Some(rest.split_once('}')?.0));
    let mut parameters: Vec<Value> = in_path
        .map(|name| {
            json!({
                "name": name, "in": "path", "required": true,
                "schema": {"type": "string", "minLength": 1},
                "example": crate::api::schema::example_of_text(name),
            })
        })
        .collect();
    let mut query = Vec::new();
    if let Some(schema) = of.query {
        for (name, schema) in schema.members() {
            query.push(*name);
            parameters.push(json!({"name": name, "in": "query", "schema": schema.to_json()}));
        }
    }
    for parameter in &of.parameters {
        let (place, required) = match parameter.place {
            Place::Query => ("query", false),
            Place::Header => ("header", false),
            Place::NeededHeader => ("header", true),
        };
        parameters.push(json!({
            "name": parameter.name, "in": place, "required": required,
            "description": parameter.about, "schema": {"type": "string"},
        }));
    }
    let pages = |answer: &Answer| matches!(answer.content, Content::List(_, Pages::Asked));
    if of.answers.iter().any(pages) {
        let known = [
            (
                "limit",
                "How many to list at most.",
                json!({"type": "integer", "minimum": 0}),
            ),
            (
                "marker",
                "The ID of the last one of the page before.",
                json!({"type": "string"}),
            ),
        ];
        for (name, about, schema) in known {
            if !query.contains(&name) {
                parameters.push(
                    json!({"name": name, "in": "query", "description": about, "schema": schema}),
                );
            }
        }
    }
    parameters
}

fn responses(of: &Operation, components: &Components<'_>) -> Value {
    /// Of what changes something and tells nothing of it.
    const DONE: &[Answer] = &[NOTHING];
    let own = match of.answers.as_slice() {
        [] if matches!(of.method, "PUT" | "DELETE") => DONE,
        own => own,
    };
    let mut responses = Map::new();
    for answer in own.iter().filter(|answer| answer.is_good()) {
        responses.insert(answer.status.to_string(), response(of, answer, components));
    }
    for status in errors::possible(of) {
        responses.insert(status.to_string(), errors::response(of.method, status));
    }
    for answer in own.iter().filter(|answer| !answer.is_good()) {
        let told = match answer.content {
            Content::Nothing => errors::response(of.method, answer.status),
            _ => response(of, answer, components),
        };
        responses.insert(answer.status.to_string(), told);
    }
    responses.into()
}

fn response(of: &Operation, answer: &Answer, components: &Components<'_>) -> Value {
    let said = match answer.status {
        201 => "It was created.",
        204 => "Done; there is nothing to tell.",
        300 => "There is a choice.",
        status => errors::describe(status).unwrap_or("This is it."),
    };
    let mut response = json!({"description": said});
    let Value::Object(members) = &mut response else {
        return response;
    };
    if of.method != "HEAD"
        && let Some((media_type, content)) = content(answer, components)
    {
        members.insert("content".to_owned(), json!({ media_type: content }));
    }
    if let Some((name, about)) = of.tells.filter(|_| answer.is_good()) {
        let header = json!({"description": about, "schema": {"type": "string"}});
        members.insert("headers".to_owned(), json!({ name: header }));
    }
    if let (201, Content::One(collection)) = (answer.status, answer.content) {
        let links = components.links_of(collection);
        if !links.is_empty() {
            members.insert("links".to_owned(), links.into());
        }
    }
    response
}

/// Media type and schema, with an example.
fn content(answer: &Answer, components: &Components<'_>) -> Option<(&'static str, Value)> {
    const JSON: &str = "application/json";
    let media_type = match answer.content {
        Content::Nothing => return None,
        Content::Other(media_type) => return Some((media_type, json!({}))),
        _ => JSON,
    };
    let (name, schema, example) = match answer.content {
        Content::Json(schema) => {
            let schema = schema();
            let content = json!({"schema": schema.to_json(), "example": schema.example()});
            return Some((media_type, content));
        }
        Content::One(of) => (of.member, reference(of), components.example_of(of)),
        Content::List(of, _) | Content::Several(of) => (
            of.list,
            json!({"type": "array", "items": reference(of)}),
            json!([components.example_of(of)]),
        ),
        Content::Nothing | Content::Other(_) => return None,
    };
    let mut schema = json!({
        "type": "object", "properties": {name: schema}, "required": [name],
    });
    let mut example = json!({ name: example });
    if let Content::List(of, _) = answer.content {
        schema = json!({"allOf": [schema, {"$ref": "#/components/schemas/List"}]});
        if let Value::Object(members) = &mut example {
            let url = format!("https://identity.example.com/v3/{}", of.path);
            let links = json!({"next": null, "self": url, "previous": null});
            members.insert("links".to_owned(), links);
        }
    }
    Some((media_type, json!({"schema": schema, "example": example})))
}
