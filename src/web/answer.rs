//! What the pages have in common: their frame, their headers, their errors.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use serde_json::Value;
use url::Url;

use super::assets;
use super::html::Html;
use super::session::Visitor;
use crate::api::context::base_url;
use crate::api::error::ApiError;
use crate::config::Uri;
use crate::node::Node;

/// Nothing from elsewhere, nothing inline, in no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'; connect-src 'self'";

const HEADERS: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    (header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    (header::VARY, "Cookie"),
    (
        header::PERMISSIONS_POLICY,
        "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), \
         geolocation=(), microphone=()",
    ),
];

/// How a message looks, and how it is said.
#[derive(Clone, Copy, Debug)]
pub enum Tone {
    /// It did not work.
    Bad,
    /// It did.
    Good,
}

/// A page.
#[derive(Default)]
pub struct Page<'a> {
    /// What stands above it and in the browser's tab.
    pub title: &'a str,
    /// What stands in it.
    pub content: Html,
    /// What is said before all else.
    pub message: Option<(Tone, &'a str)>,
    /// More cards.
    pub below: Html,
    /// Whether it has room for a list.
    pub is_wide: bool,
    /// Who is signed in.
    pub visitor: Option<&'a Visitor>,
    /// Where signing in leads to.
    pub next: &'a str,
}

impl Page<'_> {
    /// As an answer.
    pub fn answer(self, node: &Node, request: &HttpRequest, status: StatusCode) -> HttpResponse {
        let base = base_path(request);
        let csrf = self.visitor.map(Visitor::csrf).unwrap_or_default();
        let shared = [("base", (&base).into()), ("csrf", (&csrf).into())];
        let account = match self.visitor {
            Some(_) => Html::fill(include_str!("assets/account.html"), &shared),
            None => Html::default(),
        };
        let message = match self.message {
            Some((tone, text)) => Html::fill(
                match tone {
                    Tone::Bad => {
                        r#"<p class="message bad" role="alert" tabindex="-1">{{text}}</p>"#
                    }
                    Tone::Good => r#"<p class="message good" role="status">{{text}}</p>"#,
                },
                &[("text", text.into())],
            ),
            None => Html::default(),
        };
        let width = if self.is_wide { "" } else { "narrow" };
        let [base, csrf] = shared;
        let html = Html::fill(
            include_str!("assets/page.html"),
            &[
                base,
                csrf,
                ("title", self.title.into()),
                ("service", service(node).into()),
                ("icon", (&assets::ICON.path).into()),
                ("style", (&assets::STYLE.path).into()),
                ("script", (&assets::SCRIPT.path).into()),
                ("next", self.next.into()),
                ("origins", (&origins(node)).into()),
                ("account", (&account).into()),
                ("width", width.into()),
                ("message", (&message).into()),
                ("content", (&self.content).into()),
                ("below", (&self.below).into()),
            ],
        );
        let response = HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .body(html.into_string());
        guarded(response)
    }
}

/// What people know this cloud as: `[webauthn] relying_party_name`.
pub fn service(node: &Node) -> &str {
    let named = &node.config.webauthn;
    let named = named.relying_party_name.as_deref();
    let named = named.or(node.config.webauthn.relying_party_id.as_deref());
    named.unwrap_or("Keystone-NG")
}

/// Where browsers may use passkeys: so that whoever came by another address is shown the right one.
fn origins(node: &Node) -> String {
    let webauthn = &node.config.webauthn;
    let all = webauthn.own_origins().chain(&webauthn.related_origins);
    spelled(all.map(Uri::as_str))
}

/// Origins as browsers spell them.
fn spelled<'a>(origins: impl Iterator<Item = &'a str>) -> String {
    let urls = origins.filter_map(|origin| Url::parse(origin).ok());
    let all: Vec<_> = urls.map(|url| url.origin().ascii_serialization()).collect();
    all.join(" ")
}

/// What stands before the paths of this server where a proxy puts it below another one.
pub fn base_path(request: &HttpRequest) -> String {
    let url = Url::parse(&base_url(request)).ok();
    let path = url.map(|url| url.path().trim_end_matches('/').to_owned());
    path.unwrap_or_default()
}

/// The same answer with the headers that all of ours have.
pub fn guarded(mut response: HttpResponse) -> HttpResponse {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Leads to another of the pages.
pub fn lead(request: &HttpRequest, path: &str) -> HttpResponse {
    let place = format!("{}{path}", base_path(request));
    let response = HttpResponse::SeeOther()
        .insert_header((header::LOCATION, place))
        .finish();
    guarded(response)
}

/// What the script is told.
pub fn json(told: Result<Value, ApiError>) -> HttpResponse {
    let response = match told {
        Ok(value) => HttpResponse::Ok().json(value),
        Err(error) => error.error_response(),
    };
    guarded(response)
}

/// An answer, or a page that says why not.
pub fn or_page(
    node: &Node,
    request: &HttpRequest,
    answer: Result<HttpResponse, ApiError>,
) -> HttpResponse {
    let error = match answer {
        Ok(response) => return response,
        Err(error) => error,
    };
    let again = matches!(
        error.status(),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
    );
    let (path, link) = match again {
        true => ("/passkeys/sign-in", "Sign in again"),
        false => ("/passkeys", "Back to your passkeys"),
    };
    let note = Note {
        title: "That did not work",
        words: plain(error.message()),
        path,
        link,
        visitor: None,
    };
    later(note.answer(node, request, error.status()), &error)
}

/// A message without what is said to programs before it.
fn plain(message: &str) -> &str {
    let action = "You are not authorized to perform the requested action: ";
    message.strip_prefix(action).unwrap_or(message)
}

/// The same answer, with when to try again where the error says so.
pub fn later(mut response: HttpResponse, error: &ApiError) -> HttpResponse {
    if let Some(seconds) = error.retry_after() {
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// `GET /passkeys/{name}`, where there is no such page.
pub async fn missing(node: web::Data<Node>, request: HttpRequest) -> HttpResponse {
    let note = Note {
        title: "There is no such page",
        words: "Check the address.",
        path: "/passkeys",
        link: "Your passkeys",
        visitor: None,
    };
    note.answer(&node, &request, StatusCode::NOT_FOUND)
}

/// `GET` of what only forms are sent to, as when its answer is opened from the history.
pub async fn home(request: HttpRequest) -> HttpResponse {
    lead(&request, "/passkeys")
}

/// A page that says one thing, and leads on.
pub struct Note<'a> {
    /// As of a [`Page`].
    pub title: &'a str,
    /// What it says.
    pub words: &'a str,
    /// Where its link leads to.
    pub path: &'a str,
    /// What the link is called.
    pub link: &'a str,
    /// As of a [`Page`].
    pub visitor: Option<&'a Visitor>,
}

impl Note<'_> {
    /// As an answer.
    pub fn answer(self, node: &Node, request: &HttpRequest, status: StatusCode) -> HttpResponse {
        let base = base_path(request);
        let content = Html::fill(
            include_str!("assets/done.html"),
            &[
                ("base", (&base).into()),
                ("words", self.words.into()),
                ("path", self.path.into()),
                ("link", self.link.into()),
            ],
        );
        let page = Page {
            title: self.title,
            content,
            visitor: self.visitor,
            ..Page::default()
        };
        page.answer(node, request, status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_told_as_browsers_spell_them() {
        let written = [
            "https://ID.Cloud.example:443",
            "https://other.example:8443/",
            "http://localhost:80",
        ];
        assert_eq!(
            spelled(written.into_iter()),
            "https://id.cloud.example https://other.example:8443 http://localhost"
        );
    }
}
