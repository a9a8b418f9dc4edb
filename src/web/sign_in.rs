//! `/passkeys/sign-in`: by passkey, or by password; and out again.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use keystone_actors::revocation::RevokeToken;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::answer::{self, Page, Tone, base_path, lead, service};
use super::html::Html;
use super::more::{settle, settled, told};
use super::recovery;
use super::session::{Fields, Visitor, require_own_page, signed_out};
use crate::api::body::JsonBody;
use crate::api::error::ApiError;
use crate::auth::request::AuthRequest;
use crate::auth::{self, Outcome, authenticate, limits};
use crate::node::Node;
use crate::passkeys::{self, DomainRef, LoginWanted, UserNamed, spelling};

/// What everybody is told who is not let in, whatever the reason.
const REFUSED: &str =
    "You were not signed in. Check what you typed, or try another passkey or your password.";

/// `GET /passkeys/sign-in`.
pub async fn show(node: web::Data<Node>, request: HttpRequest) -> HttpResponse {
    let query = Fields::of_query(&request);
    let done = query.get("done").and_then(done_text);
    form(&node, &request, &query, StatusCode::OK, done).await
}

/// What is told of what led here.
fn done_text(done: &str) -> Option<(Tone, &'static str)> {
    Some(match done {
        "added" => (Tone::Good, "The passkey was added. Now sign in with it."),
        "out" => (Tone::Good, "You are signed out."),
        "remove" => (
            Tone::Good,
            "The passkey was removed. You had signed in with it, so you are signed out.",
        ),
        "late" => (Tone::Bad, "That took too long. Begin again."),
        _ => return None,
    })
}

/// The page.
pub async fn form(
    node: &Node,
    request: &HttpRequest,
    typed: &Fields,
    status: StatusCode,
    message: Option<(Tone, &str)>,
) -> HttpResponse {
    let base = base_path(request);
    let next = safe_next(typed.get("next"));
    let default = &node.config.identity.default_domain_id;
    // Another form's user is not this one's.
    let by_code = typed.get("recovery_code").is_some();
    let user = typed.get("user").filter(|_| !by_code);
    let recovery = recovery::offer(node, request, &next, by_code).await;
    let content = Html::fill(
        include_str!("assets/sign-in.html"),
        &[
            ("base", (&base).into()),
            ("service", service(node).into()),
            ("next", (&next).into()),
            ("recovery", (&recovery).into()),
            ("user", user.unwrap_or_default().into()),
            ("domain", typed.get("domain").unwrap_or(default).into()),
        ],
    );
    let page = Page {
        title: "Sign in",
        content,
        message,
        next: &next,
        ..Page::default()
    };
    page.answer(node, request, status)
}

/// The path of the page, and back to this one.
pub fn way_to(next: &str) -> String {
    let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    format!("/passkeys/sign-in?next={next}")
}

/// Where to go after signing in: one of these pages, never elsewhere.
pub fn safe_next(wanted: Option<&str>) -> String {
    const HOME: &str = "/passkeys";
    let is_good = |path: &&str| {
        let below = path.strip_prefix(HOME);
        path.len() <= 200
            && below.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
            && !path.starts_with("/passkeys/sign-")
            && !path.contains("//")
            && !path.contains("..")
            && path
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/?=&-_.".contains(&byte))
    };
    wanted.filter(is_good).unwrap_or(HOME).to_owned()
}

/// `POST /passkeys/sign-in`: the form.
pub async fn by_password(
    node: web::Data<Node>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let typed = Fields::read(&body);
    match try_password(&node, &request, &typed).await {
        Ok(response) => response,
        Err(error) => again(&node, &request, &typed, &error, REFUSED).await,
    }
}

/// The page once more, with what went wrong: `refused`, whatever the reason, where it is 401.
pub async fn again(
    node: &Node,
    request: &HttpRequest,
    typed: &Fields,
    error: &ApiError,
    refused: &str,
) -> HttpResponse {
    let text = match error.status() {
        StatusCode::UNAUTHORIZED => refused,
        // A full queue of passwords, say: in the words of the API.
        _ => error.message(),
    };
    let told = Some((Tone::Bad, text));
    let response = form(node, request, typed, error.status(), told).await;
    answer::later(response, error)
}

async fn try_password(
    node: &Node,
    request: &HttpRequest,
    typed: &Fields,
) -> Result<HttpResponse, ApiError> {
    require_own_page(request)?;
    let named = user_named(
        node,
        typed.get("user").unwrap_or_default(),
        typed.get("domain"),
    );
    let password = typed.exactly("password").unwrap_or_default();
    let user = with(&named, "password", password);
    let identity = json!({"methods": ["password"], "password": {"user": user}});
    let outcome = ask(node, request, &identity, None).await?;
    settled(node, request, outcome, &safe_next(typed.get("next")))
}

/// Logs in by what is shown here, and tells auditors how it ended.
///
/// # Errors
/// As `POST /v3/auth/tokens` has them.
pub async fn ask(
    node: &Node,
    request: &HttpRequest,
    identity: &Value,
    receipt: Option<&str>,
) -> Result<Outcome, ApiError> {
    let parsed = AuthRequest::parse(&json!({
        "auth": {"identity": identity, "scope": "unscoped"}
    }))?;
    let now = Utc::now().timestamp();
    limits::step_of(node, request, &parsed, now)?;
    let outcome = authenticate(node, parsed, request, receipt, now).await;
    auth::tell(node, request, &outcome, None);
    outcome
}

/// A user as requests name one, with a proof.
pub fn with(named: &Value, name: &str, proof: &str) -> Value {
    let mut user = named.clone();
    if let Some(members) = user.as_object_mut() {
        members.insert(name.to_owned(), proof.into());
    }
    user
}

/// Whom somebody means who types a user's name and a domain's, or the ID of the default domain.
fn user_named(node: &Node, user: &str, domain: Option<&str>) -> Value {
    let default = node.config.identity.default_domain_id.as_str();
    let domain = domain.unwrap_or(default);
    let domain = match domain == default {
        true => json!({ "id": domain }),
        false => json!({ "name": domain }),
    };
    json!({"name": user, "domain": domain})
}

/// What the script says of who signs in: a name and a domain, or nothing.
fn wanted(node: &Node, body: &Value) -> LoginWanted {
    let said = |name: &str| {
        let text = body.get(name).and_then(Value::as_str).map(str::trim);
        text.filter(|text| !text.is_empty() && text.len() <= 1024)
    };
    let default = node.config.identity.default_domain_id.as_str();
    let user = said("user").map(|name| {
        let domain = said("domain").unwrap_or(default).to_owned();
        let domain = match domain == default {
            true => DomainRef::Id(domain),
            false => DomainRef::Name(domain),
        };
        let name = name.to_owned();
        UserNamed::Name { name, domain }
    });
    LoginWanted {
        user,
        ..LoginWanted::default()
    }
}

/// `POST /passkeys/sign-in/begin`.
pub async fn begin(
    node: web::Data<Node>,
    request: HttpRequest,
    JsonBody(body): JsonBody,
) -> HttpResponse {
    let begun = async {
        require_own_page(&request)?;
        let now = Utc::now().timestamp();
        let options = passkeys::begin_login(&node, &request, wanted(&node, &body), now).await?;
        Ok(json!({"publicKey": spelling::w3c_request(&options)}))
    };
    answer::json(begun.await)
}

/// `POST /passkeys/sign-in/finish`.
pub async fn finish(
    node: web::Data<Node>,
    request: HttpRequest,
    JsonBody(body): JsonBody,
) -> HttpResponse {
    let next = safe_next(body.get("next").and_then(Value::as_str));
    let finished = async {
        require_own_page(&request)?;
        let now = Utc::now().timestamp();
        let credential = spelling::asserted(&body)?;
        let wanted = wanted(&node, &body);
        let outcome = passkeys::finish_login(&node, &request, wanted, credential, now).await;
        let outcome = outcome.map_err(|error| match error.status() {
            StatusCode::UNAUTHORIZED => ApiError::unauthenticated_as(REFUSED),
            _ => error,
        });
        settle(&node, outcome?, &next)
    };
    told(finished.await)
}

/// `POST /passkeys/sign-out`: the token is good no more.
pub async fn out(node: web::Data<Node>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let fields = Fields::read(&body);
    let now = Utc::now().timestamp();
    let ended = async {
        let visitor = Visitor::who_may_act(&node, &request, fields.get("csrf"), now).await?;
        let revoke = RevokeToken {
            audit_id: visitor.token().audit_ids.own.to_string(),
            cascade: false,
            now,
        };
        node.providers.revocation.read(revoke).await?;
        Ok::<_, ApiError>(())
    };
    match ended.await {
        Ok(()) => {}
        // Out already.
        Err(error) if error.status() == StatusCode::UNAUTHORIZED => {}
        Err(error) => return answer::or_page(&node, &request, Err(error)),
    }
    leave(&request, "/passkeys/sign-in?done=out")
}

/// Leads there, and forgets who was signed in.
pub fn leave(request: &HttpRequest, path: &str) -> HttpResponse {
    let mut response = lead(request, path);
    response
        .headers_mut()
        .insert(header::SET_COOKIE, signed_out());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_to_these_pages_alone() {
        for good in [
            "/passkeys",
            "/passkeys/add",
            "/passkeys/device?code=BCDF-GHJK",
        ] {
            assert_eq!(safe_next(Some(good)), good);
        }
        for bad in [
            "//evil.example",
            "https://evil.example",
            "/passkeys//evil.example",
            "/passkeysevil",
            "/passkeys/../v3",
            "/passkeys/\\evil",
            "/passkeys/sign-out",
            "/passkeys/sign-in",
            "",
        ] {
            assert_eq!(safe_next(Some(bad)), "/passkeys", "{bad}");
        }
        assert_eq!(safe_next(None), "/passkeys");
    }
}
