//! Request bodies: bounded, and JSON.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError, web};
use serde_json::Value;

use super::context::Progress;
use super::error::ApiError;

/// A request's body as JSON. An empty one is an empty object, as Keystone takes it.
#[derive(Debug)]
pub struct JsonBody(pub Value);

/// Why there is no body.
#[derive(Debug)]
pub enum BodyError {
    /// Over `[oslo_middleware] max_request_body_size`.
    TooLarge,
    /// Not what it should be.
    Bad(ApiError),
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("the body is too large"),
            Self::Bad(error) => error.fmt(f),
        }
    }
}

impl ResponseError for BodyError {
    fn status_code(&self) -> actix_web::http::StatusCode {
        match self {
            Self::TooLarge => actix_web::http::StatusCode::PAYLOAD_TOO_LARGE,
            Self::Bad(error) => error.status_code(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::TooLarge => too_large(),
            Self::Bad(error) => error.error_response(),
        }
    }
}

/// The answer to a body over the limit.
pub fn too_large() -> HttpResponse {
    HttpResponse::PayloadTooLarge()
        .content_type("text/plain; charset=utf-8")
        .body("Request is too large.\n")
}

impl FromRequest for JsonBody {
    type Error = BodyError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, BodyError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = web::Bytes::from_request(request, payload);
        let content_type = request.headers().get(header::CONTENT_TYPE).cloned();
        let progress = request.extensions().get::<Progress>().cloned();
        Box::pin(async move {
            let progress = progress.unwrap_or_default();
            progress.await_body(true);
            let bytes = bytes.await;
            progress.await_body(false);
            let bytes = bytes.map_err(|error| match error.as_error::<PayloadError>() {
                Some(PayloadError::Overflow) => BodyError::TooLarge,
                _ => BodyError::Bad(ApiError::expecting("valid JSON", "request body")),
            })?;
            let content_type = content_type
                .as_ref()
                .map(|value| value.to_str().unwrap_or("not readable"));
            parse(content_type, &bytes)
                .map(Self)
                .map_err(BodyError::Bad)
        })
    }
}

/// The JSON object in a body; its nesting is bounded (serde_json stops at 128).
pub fn parse(content_type: Option<&str>, bytes: &[u8]) -> Result<Value, ApiError> {
    // A byte order mark is tolerated, as Python does.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    // An empty one says as much as none.
    if content_type.is_some_and(|kind| !kind.is_empty() && !is_json(kind)) {
        return Err(ApiError::expecting(
            "application/json",
            "Content-Type header",
        ));
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(Value::Object(object)),
        _ => Err(ApiError::expecting("valid JSON", "request body")),
    }
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or("").trim();
    kind.eq_ignore_ascii_case("application/json")
        || (kind.to_ascii_lowercase().starts_with("application/")
            && kind.to_ascii_lowercase().ends_with("+json"))
}
