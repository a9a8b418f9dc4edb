//! Who is signed in to the pages: a token in a cookie that no script reads and no other site sends.
//! And that a request comes from the pages themselves.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keystone_actors::ids::UserId;
use keystone_actors::token::{Token, ValidateToken, Verdict};
use url::{Url, form_urlencoded};

use crate::api::caller::{Caller, token_in};
use crate::api::context::called_url;
use crate::api::error::ApiError;
use crate::node::Node;

/// `__Host-`: browsers take it over HTTPS only, for the whole of this host and no other.
const COOKIE: &str = "__Host-keystone-ng";
/// What may follow the name in a cookie; browsers keep 4096 bytes of both.
const LONGEST: usize = 4000;
/// What the proof in forms is for.
const PURPOSE: &[u8] = b"keystone-ng pages";
/// The fields of a form, at most.
const FIELDS: usize = 16;

/// Somebody who is signed in.
pub struct Visitor {
    /// Who.
    pub caller: Caller,
    text: Arc<str>,
}

impl Visitor {
    /// Who sends this request, if somebody who is signed in.
    ///
    /// What was handed on (application credentials, trusts) signs nobody in here: these pages lead
    /// to tokens and passkeys that are good for more.
    ///
    /// # Errors
    /// 503.
    pub async fn of(
        node: &Node,
        request: &HttpRequest,
        now: i64,
    ) -> Result<Option<Self>, ApiError> {
        let Some(text) = cookie(request.headers(), COOKIE) else {
            return Ok(None);
        };
        let validate = ValidateToken {
            text: Arc::clone(&text),
            now,
            allow_expired: false,
        };
        let Verdict::Valid(token) = node.providers.token.read(validate).await? else {
            return Ok(None);
        };
        if is_handed_on(&token) {
            return Ok(None);
        }
        let caller = Caller::of(token);
        caller.note();
        Ok(Some(Self { caller, text }))
    }

    /// The same where it has to be somebody, and the request one of our own pages.
    ///
    /// # Errors
    /// 401, 403, 503.
    pub async fn who_may_act(
        node: &Node,
        request: &HttpRequest,
        proof: Option<&str>,
        now: i64,
    ) -> Result<Self, ApiError> {
        require_own_page(request)?;
        let visitor = Self::of(node, request, now).await?;
        let visitor = visitor.ok_or_else(|| {
            ApiError::unauthenticated_as("You are not signed in any more. Sign in again.")
        })?;
        visitor.check(proof.unwrap_or_default())?;
        Ok(visitor)
    }

    /// The same, with the proof in the header that the script sends.
    ///
    /// # Errors
    /// As above.
    pub async fn who_asks(node: &Node, request: &HttpRequest, now: i64) -> Result<Self, ApiError> {
        let proof = token_in(request.headers(), "X-CSRF-Token");
        Self::who_may_act(node, request, proof.as_deref(), now).await
    }

    /// The user.
    pub fn user(&self) -> &UserId {
        &self.caller.token.acting_user
    }

    /// The token.
    pub fn token(&self) -> &Token {
        &self.caller.token
    }

    /// The token's text. A secret.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What forms carry, so that only a page of this session can send them. Good for as long as the
    /// token, which nobody learns from it.
    pub fn csrf(&self) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.key(), PURPOSE))
    }

    /// Compares in constant time.
    fn check(&self, given: &str) -> Result<(), ApiError> {
        let tag = URL_SAFE_NO_PAD.decode(given).unwrap_or_default();
        hmac::verify(&self.key(), PURPOSE, &tag).map_err(|_| not_ours())
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.text.as_bytes())
    }
}

/// Whether it acts for somebody who did not sign in.
fn is_handed_on(token: &Token) -> bool {
    token.is_delegated() || token.methods.contains("ec2credential")
}

/// The cookie that signs in with this token.
///
/// # Errors
/// 500 if browsers would not keep it.
pub fn signed_in(text: &str) -> Result<HeaderValue, ApiError> {
    kept(COOKIE, text, None)
}

/// The cookie that signs out.
pub fn signed_out() -> HeaderValue {
    HeaderValue::from_static(
        "__Host-keystone-ng=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0",
    )
}

/// A cookie for this host over TLS that no script reads, until the browser ends or for so long.
///
/// # Errors
/// 500 if browsers would not keep it.
pub fn kept(name: &str, text: &str, age: Option<Duration>) -> Result<HeaderValue, ApiError> {
    let age = age.map_or_else(String::new, |age| format!("; Max-Age={}", age.as_secs()));
    let cookie = format!("{name}={text}; Path=/; Secure; HttpOnly; SameSite=Strict{age}");
    let value = HeaderValue::try_from(cookie).map_err(|error| ApiError::internal(&error));
    if text.len() > LONGEST || text.contains([';', ',', ' ', '"']) {
        tracing::error!(
            cookie = name,
            length = text.len(),
            "this does not fit into a cookie"
        );
        return Err(ApiError::defect());
    }
    let mut value = value?;
    value.set_sensitive(true);
    Ok(value)
}

/// What a cookie of this name has.
pub fn cookie(headers: &HeaderMap, wanted: &str) -> Option<Arc<str>> {
    let lists = headers.get_all(header::COOKIE);
    let pairs = lists.filter_map(|list| list.to_str().ok());
    let mut pairs = pairs.flat_map(|list| list.split(';'));
    let text = pairs.find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == wanted).then_some(value)
    })?;
    (!text.is_empty() && text.len() <= LONGEST).then(|| text.into())
}

/// Fails unless a page of this server sent it: `Sec-Fetch-Site` where the browser tells (all that
/// know passkeys do), else `Origin`.
///
/// # Errors
/// 403.
pub fn require_own_page(request: &HttpRequest) -> Result<(), ApiError> {
    let header = |name: &str| request.headers().get(name).map(HeaderValue::to_str);
    let is_ours = match header("sec-fetch-site") {
        Some(site) => matches!(site, Ok("same-origin")),
        None => match header(header::ORIGIN.as_str()) {
            Some(Ok(origin)) => {
                let own = Url::parse(&called_url(request)).ok();
                own.is_some_and(|own| own.origin().ascii_serialization() == origin)
            }
            _ => false,
        },
    };
    if is_ours { Ok(()) } else { Err(not_ours()) }
}

fn not_ours() -> ApiError {
    ApiError::forbidden_as(
        "This did not come from a page of this server, or the page was old. Open it again.",
    )
}

/// What a form or a query says.
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads it; what is beyond any form of ours is dropped.
    pub fn read(text: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(text).into_owned();
        Self(pairs.take(FIELDS).collect())
    }

    /// Those of the query.
    pub fn of_query(request: &HttpRequest) -> Self {
        Self::read(request.query_string().as_bytes())
    }

    /// A field that is there and not empty, without blanks around it.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.exactly(name)?.trim();
        (!found.is_empty()).then_some(found)
    }

    /// A field as it was typed.
    pub fn exactly(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|pair| pair.0 == name);
        found.map(|pair| pair.1.as_str())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn is_ours(headers: &[(&'static str, &'static str)]) -> bool {
        let mut request = TestRequest::post().insert_header(("Host", "cloud.example:5000"));
        for header in headers {
            request = request.insert_header(*header);
        }
        require_own_page(&request.to_http_request()).is_ok()
    }

    #[test]
    fn only_our_own_pages_may_send_forms() {
        assert!(is_ours(&[("Sec-Fetch-Site", "same-origin")]));
        assert!(is_ours(&[("Origin", "http://cloud.example:5000")]));
        for site in ["same-site", "cross-site", "none", ""] {
            // Where a browser tells, nothing else counts.
            let origin = ("Origin", "http://cloud.example:5000");
            assert!(!is_ours(&[("Sec-Fetch-Site", site), origin]), "{site}");
        }
        for origin in ["null", "http://cloud.example", "https://evil.example"] {
            assert!(!is_ours(&[("Origin", origin)]), "{origin}");
        }
        assert!(!is_ours(&[]));
    }

    #[test]
    fn the_cookie_is_found_among_others_and_is_bounded() {
        let of = |text: String| {
            let request = TestRequest::get().insert_header(("Cookie", text));
            cookie(request.to_http_request().headers(), COOKIE)
        };
        let found = of("a=b; __Host-keystone-ng-more=x; __Host-keystone-ng=gAAAA-_x=".to_owned());
        assert_eq!(found.as_deref(), Some("gAAAA-_x="));
        assert!(of("keystone-ng=x".to_owned()).is_none());
        assert!(of(format!("{COOKIE}={}", "x".repeat(LONGEST + 1))).is_none());
    }

    #[test]
    fn a_cookie_is_for_this_host_over_tls_and_no_script() {
        let cookie = signed_in("gAAAA").unwrap();
        assert_eq!(
            cookie.to_str().unwrap(),
            "__Host-keystone-ng=gAAAA; Path=/; Secure; HttpOnly; SameSite=Strict"
        );
        let short = kept("a", "b", Some(Duration::from_secs(9))).unwrap();
        assert!(
            short
                .to_str()
                .unwrap()
                .ends_with("; SameSite=Strict; Max-Age=9")
        );
        assert!(signed_in("a; Domain=evil.example").is_err());
    }

    #[test]
    fn a_form_is_bounded() {
        let many = "a=b&".repeat(100);
        assert_eq!(Fields::read(many.as_bytes()).0.len(), FIELDS);
        let fields = Fields::read(b"user=+alice+&password=+x+&none=");
        assert_eq!(fields.get("user"), Some("alice"));
        assert_eq!(fields.exactly("password"), Some(" x "));
        assert_eq!(fields.get("none"), None);
    }
}
