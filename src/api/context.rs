//! What surrounds each request: its ID, its line in the log, the headers of every answer, and the
//! URL under which the client knows this server.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, web};
use keystone_actors::actor::Unavailable;
use tracing::{Instrument, info, info_span, warn};

use super::error::{ApiError, Challenge};
use crate::node::Node;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-openstack-request-id");
const FORWARDED_PROTO: &str = "x-forwarded-proto";
const FORWARDED_HOST: &str = "x-forwarded-host";
const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PREFIX: &str = "x-forwarded-prefix";

/// The ID of a request, as logs and the header `x-openstack-request-id` have it: `req-<uuid>`.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

/// How long a request may take, the reading of its body included: `[api_server] request_timeout`.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(pub Duration);

/// Surrounds every request.
pub async fn surround<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let began = Instant::now();
    let id: Arc<str> = format!("req-{}", uuid::Uuid::new_v4()).into();
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));
    let node = request.app_data::<web::Data<Node>>().cloned();
    let span = info_span!("request", request.id = %id);
    let method = request.method().clone();
    let deadline = request
        .app_data::<Deadline>()
        .map_or(Duration::MAX, |deadline| deadline.0);
    let answer = tokio::time::timeout(deadline, next.call(request).instrument(span.clone()));
    let mut response = match answer.await {
        Ok(answer) => answer?,
        Err(_) => {
            warn!(request.id = %id, %method, "a request took too long");
            return Err(ApiError::unavailable(Unavailable::TimedOut).into());
        }
    };

    let challenged = response
        .response()
        .extensions()
        .get::<Challenge>()
        .is_some();
    let challenge = challenged.then(|| {
        let uri = format!("Keystone uri=\"{}/v3\"", base_url(response.request()));
        HeaderValue::try_from(uri).unwrap_or(HeaderValue::from_static("Keystone"))
    });
    let status = response.status();
    let headers = response.headers_mut();
    if let Some(challenge) = challenge {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let Ok(id) = HeaderValue::try_from(&*id) {
        headers.insert(REQUEST_ID, id);
    }
    // A handler that varies by more says so itself.
    if !headers.contains_key(header::VARY) {
        headers.insert(header::VARY, HeaderValue::from_static("X-Auth-Token"));
    }
    let elapsed = began.elapsed();
    let Some(node) = node else {
        return Ok(response);
    };
    let route = response.request().match_pattern();
    let route = route.as_deref().unwrap_or("none");
    node.metrics.request(&method, route, status, elapsed);
    let _entered = span.enter();
    let duration_ms = elapsed.as_secs_f64() * 1000.0;
    if elapsed > node.config.observability.slow_request || status.is_server_error() {
        warn!(%method, route, status = status.as_u16(), duration_ms, "answered");
    } else if tracing::enabled!(tracing::Level::INFO) {
        let client = client_address(response.request());
        info!(%method, route, status = status.as_u16(), duration_ms, client, "answered");
    }
    Ok(response)
}

/// The URL under which the client reached this server, without a trailing slash and without
/// `/v3`: `[DEFAULT] public_endpoint` where it is set.
pub fn base_url(request: &HttpRequest) -> String {
    let node = request.app_data::<web::Data<Node>>();
    if let Some(url) = node.and_then(|node| node.config.default.public_endpoint.as_ref()) {
        return url.as_str().trim_end_matches('/').to_owned();
    }
    let headers = request.headers();
    let trusted = is_behind_trusted_proxy(request);
    let from_proxy = |name| if trusted { single(headers, name) } else { None };
    let scheme = match from_proxy(FORWARDED_PROTO) {
        Some("https") => "https",
        Some(_) => "http",
        None if request.app_config().secure() => "https",
        None => "http",
    };
    let host = from_proxy(FORWARDED_HOST)
        .or_else(|| single(headers, header::HOST.as_str()))
        .filter(|host| is_host(host))
        .unwrap_or("localhost");
    let host = match scheme {
        "https" => host.strip_suffix(":443"),
        _ => host.strip_suffix(":80"),
    }
    .unwrap_or(host);
    let prefix = from_proxy(FORWARDED_PREFIX)
        .filter(|prefix| is_prefix(prefix))
        .unwrap_or("");
    format!("{scheme}://{host}{}", prefix.trim_end_matches('/'))
}

/// Who asks: the peer, or whom a trusted proxy names.
pub fn client_address(request: &HttpRequest) -> String {
    let named = single(request.headers(), FORWARDED_FOR)
        .filter(|_| is_behind_trusted_proxy(request))
        .and_then(|list| list.rsplit(',').next())
        .and_then(|last| last.trim().parse::<IpAddr>().ok());
    match named.or_else(|| request.peer_addr().map(|peer| peer.ip())) {
        Some(address) => address.to_string(),
        None => "unknown".to_owned(),
    }
}

/// Headers about forwarding count only from `[api_server] trusted_proxies`.
fn is_behind_trusted_proxy(request: &HttpRequest) -> bool {
    let (Some(peer), Some(node)) = (request.peer_addr(), request.app_data::<web::Data<Node>>())
    else {
        return false;
    };
    let trusted = &node.config.api_server.trusted_proxies;
    trusted.iter().any(|network| network.contains(peer.ip()))
}

/// A header's value, if it is there once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// A host and perhaps a port, and nothing that could break out of a link or a header.
fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 261
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

fn is_prefix(prefix: &str) -> bool {
    prefix.starts_with('/')
        && prefix.len() <= 255
        && prefix
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/.-_~".contains(&byte))
}

/// The answer to a path that has no route, or to a method that its route does not have.
pub fn not_found_page() -> actix_web::HttpResponse {
    actix_web::HttpResponse::build(StatusCode::NOT_FOUND)
        .content_type("text/html; charset=utf-8")
        .body(concat!(
            "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n",
            "<p>The requested URL was not found on the server. If you entered the URL manually ",
            "please check your spelling and try again.</p>\n"
        ))
}
