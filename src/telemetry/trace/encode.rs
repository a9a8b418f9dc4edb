//! Spans in the notation of OTLP's JSON encoding: IDs in hexadecimal, 64-bit numbers as text.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::collect::{Content, Finished};

const INTERNAL: u8 = 1;
const SERVER: u8 = 2;
const ERROR: u8 = 2;

/// The body of one request to the collector.
pub(super) fn request(service: &str, spans: &[Finished]) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    json!({"resourceSpans": [{
        "resource": {"attributes": [
            text("service.name", service),
            text("service.version", version),
        ]},
        "scopeSpans": [{
            "scope": {"name": "keystone-ng", "version": version},
            "spans": spans.iter().map(span).collect::<Vec<_>>(),
        }],
    }]})
}

fn span(finished: &Finished) -> Value {
    let mut span = json!({
        "traceId": format!("{:032x}", finished.trace),
        "spanId": format!("{:016x}", finished.span),
        "name": name(finished),
        "kind": if finished.is_root { SERVER } else { INTERNAL },
        "startTimeUnixNano": nanos(finished.began),
        "endTimeUnixNano": nanos(finished.ended),
        "attributes": finished.attributes.iter().map(attribute).collect::<Vec<_>>(),
        "status": if finished.failed() { json!({"code": ERROR}) } else { json!({}) },
    });
    if let (Some(parent), Some(members)) = (finished.parent, span.as_object_mut()) {
        members.insert("parentSpanId".to_owned(), format!("{parent:016x}").into());
    }
    span
}

/// Few names, whatever clients ask for: `GET /v3/users/{user_id}`, `role GetRole`.
fn name(finished: &Finished) -> String {
    let (first, second) = match finished.is_root {
        true => ("http.request.method", "http.route"),
        false => ("keystone.provider", "keystone.message"),
    };
    let part = |key| finished.text(key).unwrap_or("?");
    format!("{} {}", part(first), part(second))
}

fn attribute((key, content): &(&'static str, Content)) -> Value {
    match content {
        Content::Text(value) => text(key, value),
        Content::Number(value) => json!({"key": key, "value": {"intValue": value.to_string()}}),
    }
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

fn nanos(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().to_string()
}
