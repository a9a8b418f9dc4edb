//! `/passkeys/sign-in`: by passkey, or by password; and out again.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use keystone_actors::revocation::RevokeToken;
use serde_json::{Value, json};

use super::answer::{self, Page, Tone, base_path, lead, service};
use super::html::Html;
use super::session::{Fields, Visitor, require_own_page, signed_in, signed_out};
use crate::api::body::JsonBody;
use crate::api::error::ApiError;
use crate::auth::request::AuthRequest;
use crate::auth::{self, Outcome, authenticate};
use crate::node::Node;
use crate::passkeys::{self, DomainRef, LoginWanted, UserNamed, spelling};

/// What everybody is told who is not let in, whatever the reason.
const REFUSED: &str =
    "You were not signed in. Check what you typed, or try another passkey or your password.";
/// What is told after a password that is good, and not enough.
const NOW_THE_PASSKEY: &str = "This account needs one more proof. Go on with your passkey, or type \
                               your password again with a one-time or recovery code.";
/// What is told after a passkey that is good, and not enough.
const PASSWORD_FIRST: &str =
    "This account needs one more proof. Sign in with your password first, then with your passkey.";

/// `GET /passkeys/sign-in`.
pub async fn show(node: web::Data<Node>, request: HttpRequest) -> HttpResponse {
    let query = Fields::of_query(&request);
    let added = query
        .get("done")
        .map(|_| (Tone::Good, "The passkey was added. Now sign in with it."));
    form(&node, &request, &query, StatusCode::OK, added, None)
}

/// The page; `receipt` is of the password that was good.
fn form(
    node: &Node,
    request: &HttpRequest,
    typed: &Fields,
    status: StatusCode,
    message: Option<(Tone, &str)>,
    receipt: Option<&str>,
) -> HttpResponse {
    let base = base_path(request);
    let next = safe_next(typed.get("next"));
    let default = &node.config.identity.default_domain_id;
    let content = Html::fill(
        include_str!("assets/sign-in.html"),
        &[
            ("base", (&base).into()),
            ("service", service(node).into()),
            ("next", (&next).into()),
            ("receipt", receipt.unwrap_or_default().into()),
            ("user", typed.get("user").unwrap_or_default().into()),
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
        Err(error) if error.status() == StatusCode::UNAUTHORIZED => {
            let status = StatusCode::UNAUTHORIZED;
            form(
                &node,
                &request,
                &typed,
                status,
                Some((Tone::Bad, REFUSED)),
                None,
            )
        }
        // A full queue of passwords, say, or an expired password: in the words of the API.
        Err(error) => form(
            &node,
            &request,
            &typed,
            error.status(),
            Some((Tone::Bad, error.message())),
            None,
        ),
    }
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
    let mut methods = vec!["password"];
    let mut identity = json!({"password": {"user": with(&named, "password", password)}});
    for (field, method) in [("passcode", "totp"), ("recovery_code", "webauthn")] {
        if let (Some(code), Some(proofs)) = (typed.get(field), identity.as_object_mut()) {
            methods.push(method);
            let user = with(&named, field, code);
            proofs.insert(method.to_owned(), json!({ "user": user }));
        }
    }
    if let Some(proofs) = identity.as_object_mut() {
        proofs.insert("methods".to_owned(), json!(methods));
    }
    let body = json!({"auth": {"identity": identity, "scope": "unscoped"}});
    let parsed = AuthRequest::parse(&body)?;
    let now = Utc::now().timestamp();
    let outcome = authenticate(node, parsed, request, None, now).await;
    auth::tell(node, request, &outcome, None);
    match outcome? {
        Outcome::Issued(issued) => {
            let mut response = lead(request, &safe_next(typed.get("next")));
            let cookie = signed_in(&issued.text)?;
            response.headers_mut().insert(header::SET_COOKIE, cookie);
            Ok(response)
        }
        Outcome::ReceiptDue(due) => {
            let status = StatusCode::UNAUTHORIZED;
            let (message, receipt) = (Some((Tone::Bad, NOW_THE_PASSKEY)), Some(due.text.as_str()));
            Ok(form(node, request, typed, status, message, receipt))
        }
    }
}

/// A user as requests name one, with a proof.
fn with(named: &Value, name: &str, proof: &str) -> Value {
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
    LoginWanted { user, scope: None }
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
        let options = passkeys::begin_login(&node, wanted(&node, &body), now).await?;
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
        let outcome = passkeys::finish_login(&node, &request, wanted, credential, now).await?;
        match outcome {
            Outcome::Issued(issued) => signed_in(&issued.text),
            Outcome::ReceiptDue(_) => Err(ApiError::unauthenticated_as(PASSWORD_FIRST)),
        }
    };
    match finished.await {
        Ok(cookie) => {
            let mut response = answer::json(Ok(json!({ "next": next })));
            response.headers_mut().insert(header::SET_COOKIE, cookie);
            response
        }
        Err(error) if error.status() == StatusCode::UNAUTHORIZED => {
            let is_good = error.message() == PASSWORD_FIRST;
            let text = if is_good { PASSWORD_FIRST } else { REFUSED };
            answer::json(Err(ApiError::unauthenticated_as(text)))
        }
        Err(error) => answer::json(Err(error)),
    }
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
    let mut response = lead(&request, "/passkeys/sign-in");
    let headers = response.headers_mut();
    headers.insert(header::SET_COOKIE, signed_out());
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
