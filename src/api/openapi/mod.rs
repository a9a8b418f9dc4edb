//! The description of the API: OpenAPI 3.1, made of what is routed. Paths and methods are those that
//! were registered, bodies and queries the schemas that requests are compared with, summaries those of
//! the policy rules: it can't say anything else than the server does.

use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::http::header::{self, ContentType};
use actix_web::{App, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::routes::{Operation, Routes, registered_by};
use crate::policy;

/// Routes it.
pub fn routes(api: &mut web::ServiceConfig) {
    Routes::at("/openapi.json").get(show).register(api);
    Routes::at("/docs").get(page).register(api);
    Routes::at("/docs/page.js").get(script).register(api);
    Routes::at("/docs/page.css").get(style).register(api);
}

/// `GET /openapi.json`.
async fn show() -> HttpResponse {
    static DOCUMENT: LazyLock<web::Bytes> = LazyLock::new(|| document().to_string().into());
    HttpResponse::Ok()
        .insert_header(ContentType::json())
        .body(DOCUMENT.clone())
}

/// `GET /docs`: the same for people.
async fn page() -> HttpResponse {
    file("text/html; charset=utf-8", include_str!("page.html"))
}

/// `GET /docs/page.js`.
async fn script() -> HttpResponse {
    file("text/javascript; charset=utf-8", include_str!("page.js"))
}

/// `GET /docs/page.css`.
async fn style() -> HttpResponse {
    file("text/css; charset=utf-8", include_str!("page.css"))
}

/// A file of the page, which loads nothing from elsewhere and stands in no frame.
fn file(kind: &'static str, content: &'static str) -> HttpResponse {
    const POLICY: &str = "default-src 'none'; connect-src 'self'; script-src 'self'; style-src \
                          'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .body(content)
}

/// The description of all that is routed.
pub fn document() -> Value {
    let operations = registered_by(|| {
        let _registered = App::new().configure(super::routes);
    });
    let mut handled: HashMap<(&str, &str), usize> = HashMap::new();
    for operation in &operations {
        *handled
            .entry((operation.handler, operation.method))
            .or_default() += 1;
    }
    let mut paths: Map<String, Value> = Map::new();
    for operation in &operations {
        let path = paths
            .entry(operation.path.clone())
            .or_insert_with(|| json!({}));
        if let Value::Object(methods) = path {
            let paths = handled.get(&(operation.handler, operation.method));
            let described = describe(operation, paths.is_some_and(|paths| *paths > 1));
            methods.insert(operation.method.to_lowercase(), described);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Keystone-NG",
            "description": "The OpenStack Identity API.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
            },
            "schemas": {"Error": error_schema()},
        },
        "security": [{"token": []}],
    })
}

/// Of an operation that is at several paths, each is one by itself, and has its path in its ID.
fn describe(operation: &Operation, at_several: bool) -> Value {
    let mut handler = operation.handler.rsplit("::");
    let name = handler.next().unwrap_or_default();
    let module = handler.next().unwrap_or_default();
    let method = operation.method.to_lowercase();
    let mut id = format!("{module}_{name}_{method}");
    if at_several {
        let words = operation.path.split(|c: char| !c.is_alphanumeric());
        for word in words.filter(|word| !word.is_empty()) {
            id.push('_');
            id.push_str(word);
        }
    }
    let mut described = json!({
        "operationId": id,
        "tags": [module],
        "responses": responses(operation.method),
    });
    let Value::Object(members) = &mut described else {
        return described;
    };
    let told = format!("{} {}", operation.method, operation.path);
    if let Some(summary) = policy::described(&told) {
        members.insert("summary".to_owned(), summary.into());
    }
    let mut parameters: Vec<Value> = operation
        .path
        .split('{')
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('}')?.0))
        .map(|name| {
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}})
        })
        .collect();
    if let Some(query) = operation.query {
        let schema = query.to_json();
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, schema) in properties.into_iter().flatten() {
            parameters.push(json!({"name": name, "in": "query", "schema": schema}));
        }
    }
    if !parameters.is_empty() {
        members.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(body) = operation.body {
        let content = json!({"application/json": {"schema": body.to_json()}});
        members.insert(
            "requestBody".to_owned(),
            json!({"required": true, "content": content}),
        );
    }
    described
}

fn responses(method: &str) -> Value {
    let good = match method {
        "POST" => ["200", "201", "204"].as_slice(),
        "PUT" => &["200", "201", "204"],
        "DELETE" => &["204"],
        _ => &["200", "204", "300"],
    };
    let mut responses: Map<String, Value> = good
        .iter()
        .map(|status| ((*status).to_owned(), json!({"description": "Done."})))
        .collect();
    let error = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}});
    for (status, description) in [
        ("4XX", "The request is at fault, or who sends it."),
        ("5XX", "The server is at fault; 503 says when to try again."),
    ] {
        let content = if method == "HEAD" {
            json!({})
        } else {
            error.clone()
        };
        responses.insert(
            status.to_owned(),
            json!({"description": description, "content": content}),
        );
    }
    responses.into()
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "properties": {"error": {
            "type": "object",
            "properties": {
                "code": {"type": "integer"},
                "message": {"type": "string"},
                "title": {"type": "string"},
            },
            "required": ["code", "message", "title"],
        }},
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn what_is_routed_is_described_each_operation_once() {
        let document = document();
        let paths = document["paths"].as_object().unwrap();
        assert!(paths.contains_key("/v3/users/{user_id}"), "{paths:?}");
        let create = &paths["/v3/users"]["post"];
        let schema = &create["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(schema["required"], json!(["user"]));
        assert_eq!(create["summary"], "Create a user.");
        let list = paths["/v3/users"]["get"]["parameters"].as_array().unwrap();
        assert!(list.iter().any(|one| one["name"] == "domain_id"));
        let ids: Vec<&str> = paths
            .values()
            .flat_map(|path| path.as_object().unwrap().values())
            .map(|operation| operation["operationId"].as_str().unwrap())
            .collect();
        let unique: HashSet<&&str> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "{ids:?}");
    }
}
