//! The errors that an operation may answer with.

use serde_json::{Map, Value, json};

use crate::api::routes::Operation;
use crate::api::schema::{Schema, integer, object, text};

/// Status, name, and when it comes.
const ERRORS: [(u16, &str, &str); 12] = [
    (
        400,
        "BadRequest",
        "The request is not as it has to be; the message says what is wrong.",
    ),
    (
        401,
        "Unauthorized",
        "There is no good token, or what was to prove somebody's identity does not.",
    ),
    (
        403,
        "Forbidden",
        "Policy does not let the caller do this, or what it concerns does not allow it.",
    ),
    (
        404,
        "NotFound",
        "Something that the request names does not exist, or not for the caller.",
    ),
    (
        405,
        "MethodNotAllowed",
        "The path has no such method; `Allow` names those that it has.",
    ),
    (408, "RequestTimeout", "The body did not arrive in time."),
    (409, "Conflict", "There is one of this name or ID already."),
    (410, "Gone", "No Keystone has this any more."),
    (
        413,
        "TooLarge",
        "The body is larger than the operator allows.",
    ),
    (
        429,
        "TooManyRequests",
        "There were too many logins from the client's address, or of this user from it; \
         `Retry-After` says when to try again.",
    ),
    (
        500,
        "InternalServerError",
        "A defect of the server; the log has more.",
    ),
    (
        503,
        "ServiceUnavailable",
        "The server can't answer now; `Retry-After` says when to try again.",
    ),
];

/// Those that an operation may answer with, whatever its registration says besides.
pub(super) fn possible(of: &Operation) -> Vec<u16> {
    let mut possible = vec![400, 408, 413, 500, 503];
    let changes = matches!(of.method, "POST" | "PUT" | "PATCH");
    if !of.is_public || changes {
        possible.extend([401, 403, 404]);
    }
    if changes && !of.is_public {
        possible.push(409);
    }
    possible.sort_unstable();
    possible
}

/// When this one comes.
pub(super) fn describe(status: u16) -> Option<&'static str> {
    let known = ERRORS.iter().find(|(own, ..)| *own == status)?;
    Some(known.2)
}

/// The response; that to HEAD has no body.
pub(super) fn response(method: &str, status: u16) -> Value {
    match (method, ERRORS.iter().find(|(own, ..)| *own == status)) {
        (_, None) => json!({"description": ""}),
        ("HEAD", Some((.., about))) => json!({ "description": about }),
        (_, Some((_, name, _))) => json!({"$ref": format!("#/components/responses/{name}")}),
    }
}

/// All of them, for the components.
pub(super) fn responses() -> Map<String, Value> {
    let described = ERRORS.iter().map(|(status, name, about)| {
        let mut response = json!({"description": about, "content": content(*status)});
        let header = match *status {
            401 => Some(("WWW-Authenticate", "Where to authenticate.")),
            405 => Some(("Allow", "The methods that there are.")),
            429 | 503 => Some(("Retry-After", "Seconds.")),
            _ => None,
        };
        if let (Some((name, about)), Value::Object(members)) = (header, &mut response) {
            let header = json!({"description": about, "schema": {"type": "string"}});
            members.insert("headers".to_owned(), json!({ name: header }));
        }
        ((*name).to_owned(), response)
    });
    described.collect()
}

fn content(status: u16) -> Value {
    match status {
        413 => json!({"text/plain": {"schema": {"type": "string"}}}),
        405 => json!({"application/json": {"schema": {
            "type": "object", "properties": {"message": {"type": "string"}},
        }}}),
        _ => json!({"application/json": {
            "schema": {"$ref": "#/components/schemas/Error"},
            "example": {"error": {
                "code": status,
                "message": describe(status),
                "title": title(status),
            }},
        }}),
    }
}

fn title(status: u16) -> &'static str {
    let status = actix_web::http::StatusCode::from_u16(status).ok();
    let reason = status.and_then(|status| status.canonical_reason());
    reason.unwrap_or_default()
}

/// How errors are told.
pub(super) fn schema() -> Schema {
    let error = object()
        .required("code", integer())
        .required("message", text())
        .required("title", text());
    object().required("error", error)
}
