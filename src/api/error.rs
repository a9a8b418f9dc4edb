//! Errors as Keystone answers them: `{"error": {"code", "message", "title"}}`.
//!
//! The one place where what went wrong inside becomes a status. What a client may not know is
//! logged here, once, and answered as 500 without a reason.

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use keystone_actors::actor::Unavailable;
use keystone_actors::db::refuses_text;
use keystone_actors::ids::UserId;
use serde_json::{Value, json};
use tracing::error;

/// What Keystone adds to complaints about what the client sent.
pub const MALFORMED: &str = "The server could not comply with the request since it is either \
malformed or otherwise incorrect. The client is assumed to be in error.";

/// The text of every refused authentication: it never says why.
pub const UNAUTHENTICATED: &str = "The request you have made requires authentication.";

/// The text of refusals that give no reason.
pub const FORBIDDEN: &str = "You are not authorized to perform the requested action.";

/// An answer that is an error.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    message: Cow<'static, str>,
    /// Whether the answer tells where to authenticate (`WWW-Authenticate`).
    challenge: bool,
    /// Seconds after which to try again.
    retry_after: Option<u64>,
    /// What few errors have.
    more: Option<Box<More>>,
}

/// What few errors have.
#[derive(Debug, Default)]
struct More {
    /// What errors of authentication carry besides.
    identity: Option<Value>,
    /// What auditors are told in the message's place.
    class: Option<&'static str>,
    /// Who it was, for auditors.
    user: Option<UserId>,
    /// What stands in the place of the status's name.
    title: Option<&'static str>,
}

/// Marks an answer to which `WWW-Authenticate` is due: its text needs the request.
#[derive(Clone, Copy, Debug)]
pub struct Challenge;

impl ApiError {
    fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            message: message.into(),
            challenge: false,
            retry_after: None,
            more: None,
        }
    }

    /// 400: the client's mistake, said as it is.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 400: `attribute` is missing in `place`.
    pub fn expecting(attribute: &str, place: &str) -> Self {
        Self::bad_request(format!(
            "Expecting to find {attribute} in {place}. {MALFORMED}"
        ))
    }

    /// 400: a value is longer than the `limit` characters of its column.
    pub fn too_long(value: &str, column: &str, limit: usize) -> Self {
        Self::bad_request(format!(
            "String length exceeded. The length of string '{value}' exceeds the limit of column \
             {column}(CHAR({limit}))."
        ))
    }

    /// 401, without a reason.
    pub fn unauthenticated() -> Self {
        Self::unauthenticated_as(UNAUTHENTICATED)
    }

    /// 401 with one of the texts that may be told.
    pub fn unauthenticated_as(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            challenge: true,
            ..Self::new(StatusCode::UNAUTHORIZED, message)
        }
    }

    /// 403, without a reason.
    pub fn forbidden() -> Self {
        Self::forbidden_as(FORBIDDEN)
    }

    /// 403 with a text that may be told.
    pub fn forbidden_as(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// 403: this action is not for the caller.
    pub fn forbidden_action(action: &str) -> Self {
        Self::forbidden_as(format!(
            "You are not authorized to perform the requested action: {action}."
        ))
    }

    /// 404: there is no such thing.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 409: it is there already.
    pub fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// 410: there was such a thing once.
    pub fn gone() -> Self {
        Self::gone_as("The service you have requested is no longer available on this server.")
    }

    /// 410, in other words.
    pub fn gone_as(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::GONE, message)
    }

    /// 408: the client did not send what it announced.
    pub fn body_too_slow() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "The body of the request did not arrive in time.",
        )
    }

    /// 429: too often; `seconds` says when to try again.
    pub fn too_many(message: impl Into<Cow<'static, str>>, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, message)
        }
    }

    /// 503: try again.
    pub fn unavailable(why: Unavailable) -> Self {
        Self {
            retry_after: Some(why.retry_after().as_secs()),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "The service is temporarily unable to answer. Please try again later.",
            )
        }
    }

    /// 503: the operator has not allowed for it.
    pub fn not_configured(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// 500: our defect. Its cause is logged, the client learns nothing.
    ///
    /// A text that the database can't take is the client's: 400.
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        if refuses_text(cause) {
            return Self::bad_request(format!(
                "The request contains a character that cannot be stored. {MALFORMED}"
            ));
        }
        error!(error = %Chain(cause), "a request failed for a defect");
        Self::defect()
    }

    /// 500: our defect, of which the log has been told.
    pub fn defect() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "An unexpected error prevented the server from fulfilling your request.",
        )
    }

    /// The same error with the member `identity`, as errors of authentication have it.
    pub fn with_identity(mut self, identity: Value) -> Self {
        self.more.get_or_insert_default().identity = Some(identity);
        self
    }

    /// The same error, telling the client why authentication failed: `insecure_debug`.
    pub fn with_reason(self, reason: &dyn fmt::Display) -> Self {
        Self {
            message: format!("{reason} (Disable insecure_debug mode to suppress these details.)")
                .into(),
            ..self
        }
    }

    /// The same error, of which auditors are told this class of reasons.
    pub fn audited(mut self, class: &'static str) -> Self {
        self.more.get_or_insert_default().class = Some(class);
        self
    }

    /// The same error, of which auditors are told whom it was about, if that is known.
    pub fn about(mut self, user: Option<&UserId>) -> Self {
        if let Some(user) = user {
            self.more.get_or_insert_default().user = Some(user.clone());
        }
        self
    }

    /// The same error by another name than its status has.
    pub fn titled(mut self, title: &'static str) -> Self {
        self.more.get_or_insert_default().title = Some(title);
        self
    }

    /// What auditors are told: a class of reasons, or else what the client is told.
    pub fn reason_class(&self) -> &str {
        self.class().unwrap_or(&self.message)
    }

    /// The class of reasons, where one is said.
    pub fn class(&self) -> Option<&'static str> {
        self.more.as_ref().and_then(|more| more.class)
    }

    /// Whom it was about, where that is said.
    pub fn user(&self) -> Option<&UserId> {
        self.more.as_ref().and_then(|more| more.user.as_ref())
    }

    /// Seconds after which to try again.
    pub fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }

    /// What the client is told.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

/// An error and its causes, in one line.
struct Chain<'a>(&'a (dyn std::error::Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.message)
    }
}

impl std::error::Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut error = json!({ "code": self.status.as_u16() });
        let more = self.more.as_deref();
        let identity = more.and_then(|more| more.identity.as_ref());
        if let (Some(identity), Some(members)) = (identity, error.as_object_mut()) {
            members.insert("identity".to_owned(), identity.clone());
        }
        if let Some(members) = error.as_object_mut() {
            members.insert("message".to_owned(), self.message.as_ref().into());
            let title = more.and_then(|more| more.title);
            let title = title.or(self.status.canonical_reason()).unwrap_or_default();
            members.insert("title".to_owned(), title.into());
        }
        let mut response = HttpResponse::build(self.status)
            .content_type("application/json")
            .body(format!("{}\n", json!({ "error": error })));
        if let Some(seconds) = self.retry_after {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.challenge {
            response.extensions_mut().insert(Challenge);
        }
        response
    }
}

impl From<Unavailable> for ApiError {
    fn from(why: Unavailable) -> Self {
        Self::unavailable(why)
    }
}

mod providers;
