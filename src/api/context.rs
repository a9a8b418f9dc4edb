//! What surrounds each request: its ID, its deadline, its line in the log, its count in metrics,
//! and the headers of every answer, whatever became of it.

use std::any::Any;
use std::cell::{Cell, OnceCell};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};
use futures_util::FutureExt;
use keystone_actors::actor::Unavailable;
use tracing::field::Empty;
use tracing::{Instrument, Span, error, error_span, info, record_all, warn};

use super::body;
use super::cors::{Asked, Cors};
use super::error::{ApiError, Challenge};
pub use super::forwarded::{base_url, called_url, client_address};
use crate::config::Config;
use crate::node::Node;
use crate::telemetry::trace;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-openstack-request-id");

/// The ID of a request, as logs and the header `x-openstack-request-id` have it: `req-<uuid>`.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

/// Rules that hold for every request.
#[derive(Debug)]
pub struct Rules {
    /// How long a request may take, the reading of its body included.
    deadline: Duration,
    /// The largest body, in bytes.
    body_limit: usize,
    cors: Cors,
}

impl Rules {
    /// Those of this configuration.
    pub fn new(config: &Config) -> Self {
        Self {
            deadline: config.api_server.request_timeout,
            body_limit: config.oslo_middleware.max_request_body_size,
            cors: Cors::new(&config.cors),
        }
    }
}

/// How far a request has come, for who has to tell what became of it. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Progress(Rc<Reached>);

#[derive(Debug, Default)]
struct Reached {
    is_body_awaited: Cell<bool>,
    route: OnceCell<Rc<str>>,
}

impl Progress {
    /// Notes that its body is waited for, or no longer is.
    pub fn await_body(&self, awaited: bool) {
        self.0.is_body_awaited.set(awaited);
    }

    /// For which path of the API it is, as that is routed.
    pub fn route(&self) -> Option<&str> {
        self.0.route.get().map(|route| &**route)
    }

    /// Notes for which path of the API it is.
    pub fn set_route(&self, pattern: &Rc<str>) {
        // A request has one.
        let _ = self.0.route.set(Rc::clone(pattern));
    }
}

/// Surrounds every request.
///
/// # Errors
/// None that is left to others to answer: an error's answer is complete.
pub async fn surround<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse, Error> {
    let Some(rules) = request.app_data::<web::Data<Rules>>().cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let exchange = Exchange::begin(&mut request, rules);

    if exchange.is_too_large(request.headers()) {
        let answer = body::too_large();
        return Ok(exchange.complete(request.into_response(answer)));
    }
    let call = AssertUnwindSafe(next.call(request).instrument(exchange.span.clone()));
    let failure = match tokio::time::timeout(exchange.rules.deadline, call.catch_unwind()).await {
        Ok(Ok(Ok(response))) => return Ok(exchange.complete(response.map_into_boxed_body())),
        Ok(Ok(Err(error))) => error,
        Ok(Err(payload)) => exchange.panicked(payload),
        Err(_) => exchange.took_too_long(),
    };
    Err(exchange.fail(failure))
}

/// A request under way.
struct Exchange {
    began: Instant,
    id: Arc<str>,
    progress: Progress,
    span: Span,
    method: Method,
    client: Option<std::net::IpAddr>,
    asked: Asked,
    rules: web::Data<Rules>,
    node: Option<web::Data<Node>>,
}

impl Exchange {
    fn begin(request: &mut ServiceRequest, rules: web::Data<Rules>) -> Self {
        let began = Instant::now();
        let id: Arc<str> = format!("req-{}", uuid::Uuid::new_v4()).into();
        let progress = Progress::default();
        {
            let mut extensions = request.extensions_mut();
            extensions.insert(RequestId(Arc::clone(&id)));
            extensions.insert(progress.clone());
        }
        let traced = trace::is_on();
        // Of the highest level, so that what is logged of a request names it at each level of the log.
        let span = error_span!(
            "request",
            request.id = %id,
            request.global_id = Empty,
            user.id = Empty,
            project.id = Empty,
            trace.parent = traced.then(|| trace_parent(request.headers())).flatten(),
            http.method = Empty,
            http.route = Empty,
            http.status = Empty,
            client = Empty,
        );
        if let Some(global) = global_id(request.headers()) {
            span.record("request.global_id", global);
        }
        Self {
            began,
            id,
            progress,
            span,
            method: request.method().clone(),
            client: client_address(request.request()),
            asked: rules.cors.ask(request.method(), request.headers()),
            rules,
            node: request.app_data::<web::Data<Node>>().cloned(),
        }
    }

    /// Told by its head: nothing of it need be read.
    fn is_too_large(&self, headers: &HeaderMap) -> bool {
        let length = headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        length.is_some_and(|length| {
            usize::try_from(length).unwrap_or(usize::MAX) > self.rules.body_limit
        })
    }

    /// The answer to who lets us wait is 408; to who waits for us, 503.
    fn took_too_long(&self) -> Error {
        let _entered = self.span.enter();
        let error = if self.progress.0.is_body_awaited.get() {
            info!(method = %self.method, "the body of a request did not arrive in time");
            ApiError::body_too_slow()
        } else {
            warn!(method = %self.method, "a request took too long");
            ApiError::unavailable(Unavailable::TimedOut)
        };
        close_after(error.into())
    }

    /// The panic itself is logged where it happens.
    fn panicked(&self, payload: Box<dyn Any + Send>) -> Error {
        // Its destructor might panic in turn.
        std::mem::forget(payload);
        let _entered = self.span.enter();
        error!(method = %self.method, "a request ended in a panic");
        close_after(ApiError::defect().into())
    }

    fn complete(&self, mut response: ServiceResponse) -> ServiceResponse {
        if self.asked.overrules(response.status()) {
            let (request, _) = response.into_parts();
            response = ServiceResponse::new(request, HttpResponse::Ok().finish());
        }
        let challenged = response
            .response()
            .extensions()
            .get::<Challenge>()
            .is_some();
        if challenged {
            let uri = format!("Keystone uri=\"{}/v3\"", base_url(response.request()));
            let challenge =
                HeaderValue::try_from(uri).unwrap_or(HeaderValue::from_static("Keystone"));
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        self.add_headers(response.headers_mut());
        self.tell(response.status());
        response
    }

    /// Completes the answer that an error will become.
    fn fail(self, mut error: Error) -> Error {
        self.tell(error.error_response().status());
        error.add_response_mapper(move |mut response| {
            self.add_headers(response.headers_mut());
            response
        });
        error
    }

    fn add_headers(&self, headers: &mut HeaderMap) {
        if let Ok(id) = HeaderValue::try_from(&*self.id) {
            headers.insert(REQUEST_ID, id);
        }
        // A handler that varies by more says so itself.
        if !headers.contains_key(header::VARY) {
            headers.insert(header::VARY, HeaderValue::from_static("X-Auth-Token"));
        }
        self.rules.cors.answer(&self.asked, headers);
    }

    /// Counts the request, and logs its line.
    fn tell(&self, status: StatusCode) {
        let elapsed = self.began.elapsed();
        let Some(node) = &self.node else { return };
        let route = self.progress.0.route.get().map_or("none", |route| route);
        node.metrics.request(&self.method, route, status, elapsed);
        let _entered = self.span.enter();
        // Of whole microseconds: what is beyond is noise, and long to read.
        let micros = u32::try_from(elapsed.as_micros()).unwrap_or(u32::MAX);
        let duration_ms = f64::from(micros) / 1000.0;
        let method = &self.method;
        let status = status.as_u16();
        let client = self.client.map(tracing::field::display);
        if elapsed > node.config.observability.slow_request || status >= 500 {
            warn!(%method, route, status, duration_ms, client, "answered");
        } else {
            info!(%method, route, status, duration_ms, client, "answered");
        }
        // After the line, which has them already.
        if trace::is_on() {
            self.span.record("http.method", method.as_str());
            self.span.record("http.route", route);
            self.span.record("http.status", status);
            self.span.record("client", client);
        }
    }
}

/// Nothing more is to be expected on this connection.
fn close_after(mut error: Error) -> Error {
    error.add_response_mapper(|mut response| {
        response
            .head_mut()
            .set_connection_type(ConnectionType::Close);
        response
    });
    error
}

/// The caller's span, where it is well-formed.
fn trace_parent(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    trace::Parent::parse(text).map(|_| text)
}

/// The ID that a chain of services gives a request (oslo's `global_request_id`).
pub fn global_id(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let uuid = id.strip_prefix("req-")?;
    let well_formed = uuid.len() == 36
        && uuid.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        });
    well_formed.then_some(id)
}

/// Who a request turned out to be from, for its lines in the log.
pub fn note_caller(user: &str, project: Option<&str>) {
    record_all!(Span::current(), user.id = user, project.id = project);
}

/// The answer to a path that has no route, or to a method that its route does not have.
pub fn not_found_page() -> HttpResponse {
    HttpResponse::build(StatusCode::NOT_FOUND)
        .content_type("text/html; charset=utf-8")
        .body(concat!(
            "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n",
            "<p>The requested URL was not found on the server. If you entered the URL manually ",
            "please check your spelling and try again.</p>\n"
        ))
}

#[cfg(test)]
mod tests {
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, init_service, try_call_service};
    use actix_web::{App, rt};

    use super::*;

    /// The answer of a handler that does this.
    async fn answer_of(path: &str, request: TestRequest) -> HttpResponse {
        let mut config = Config::default();
        config.api_server.request_timeout = Duration::from_millis(20);
        config.cors.allowed_origin = vec!["https://dashboard.example".to_owned()];
        let routes = web::scope("")
            .wrap(from_fn(surround))
            .route("/panic", web::get().to(panics))
            .route("/hang", web::get().to(hangs));
        let app = init_service(
            App::new()
                .app_data(web::Data::new(Rules::new(&config)))
                .service(routes),
        )
        .await;
        let request = request
            .uri(path)
            .insert_header(("Origin", "https://dashboard.example"));
        match try_call_service(&app, request.to_request()).await {
            Ok(answer) => answer.into_parts().1,
            Err(error) => error.error_response(),
        }
    }

    async fn panics() -> HttpResponse {
        panic!("as a defect would")
    }

    async fn hangs() -> HttpResponse {
        std::future::pending().await
    }

    fn assert_is_complete(answer: &HttpResponse) {
        let header = |name: &str| answer.headers().get(name).map(|v| v.to_str().unwrap());
        assert!(header("x-openstack-request-id").is_some_and(|id| id.starts_with("req-")));
        assert_eq!(header("vary"), Some("X-Auth-Token,Origin"));
        assert_eq!(
            header("access-control-allow-origin"),
            Some("https://dashboard.example")
        );
        assert!(answer.head().connection_type() == ConnectionType::Close);
    }

    #[test]
    fn a_panic_is_a_complete_500() {
        rt::System::new().block_on(async {
            let answer = answer_of("/panic", TestRequest::get()).await;

            assert_eq!(answer.status(), 500);
            assert_is_complete(&answer);
        });
    }

    #[test]
    fn what_takes_too_long_is_a_complete_503() {
        rt::System::new().block_on(async {
            let answer = answer_of("/hang", TestRequest::get()).await;

            assert_eq!(answer.status(), 503);
            assert!(answer.headers().contains_key("retry-after"));
            assert_is_complete(&answer);
        });
    }

    #[test]
    fn only_a_well_formed_global_id_is_taken_into_the_log() {
        let of = |id: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_static(id));
            global_id(&headers).is_some()
        };
        assert!(of("req-0a1b2c3d-0000-4000-8000-0123456789ab"));
        assert!(!of("req-0A1b2c3d-0000-4000-8000-0123456789ab"));
        assert!(!of("req-0a1b2c3d-0000-4000-8000-0123456789ab1"));
        assert!(!of("0a1b2c3d-0000-4000-8000-0123456789ab"));
        assert!(!of("req-0a1b2c3d00000-4000-8000-0123456789ab"));
    }
}
