//! `/passkeys/device`: lets a command line sign in, as RFC 8628 has it. Its short code is typed, or
//! came in the link; either way it is shown and confirmed.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use keystone_actors::token::Issued;
use keystone_actors::webauthn::{AnswerDevice, LookDevice, State};
use serde_json::{Value, json};

use super::answer::{self, Note, Page, Tone, base_path, or_page};
use super::html::Html;
use super::manage::visitor_or_way;
use super::session::{Fields, Visitor};
use crate::api::body::JsonBody;
use crate::api::error::ApiError;
use crate::auth::{Outcome, limits};
use crate::node::Node;
use crate::passkeys::{self, LoginWanted, UserNamed, spelling};

const UNKNOWN: &str =
    "Nothing waits for this code. Check it; codes last only minutes and are good once.";
const MORE: &str = "This account asks for more than a passkey, and a command line is let in by a passkey \
                    alone. Sign in there with your password.";
const REFUSED: &str = "The command line was not let in. Try again, with a passkey of this account.";

/// `GET /passkeys/device[?code=…]`.
pub async fn show(node: web::Data<Node>, request: HttpRequest) -> HttpResponse {
    let shown = async {
        let visitor = match visitor_or_way(&node, &request).await? {
            Ok(visitor) => visitor,
            Err(way) => return Ok(way),
        };
        let query = Fields::of_query(&request);
        if query.get("done").is_some() {
            return Ok(done(&node, &request, &visitor, true));
        }
        let Some(code) = query.get("code").map(tidy) else {
            return Ok(ask(&node, &request, &visitor, "", None));
        };
        let now = Utc::now().timestamp();
        limits::step(&node, &request, Some(&named(&visitor)), now)?;
        let look = LookDevice {
            user_code: code.clone(),
            now,
        };
        let Some(waiting) = node.providers.webauthn.read(look).await? else {
            return Ok(ask(&node, &request, &visitor, &code, Some(UNKNOWN)));
        };
        let passkeys = passkeys::list(&node, &visitor.caller, visitor.user()).await?;
        if !passkeys
            .iter()
            .any(|passkey| passkey.state != State::Disabled)
        {
            return Ok(needs_a_passkey(&node, &request, &visitor, &code));
        }
        let (base, csrf) = (base_path(&request), visitor.csrf());
        let until = Html::time(waiting.expires_at.saturating_mul(1_000_000));
        let content = Html::fill(
            include_str!("assets/device-confirm.html"),
            &[
                ("base", (&base).into()),
                ("csrf", (&csrf).into()),
                ("user", (&*visitor.token().user.name).into()),
                ("code", (&code).into()),
                ("client", (&waiting.client).into()),
                ("until", (&until).into()),
            ],
        );
        let page = Page {
            title: "Allow this command line?",
            content,
            visitor: Some(&visitor),
            ..Page::default()
        };
        Ok(page.answer(&node, &request, StatusCode::OK))
    };
    or_page(&node, &request, shown.await)
}

/// Leads who has none to adding one, and back here.
fn needs_a_passkey(
    node: &Node,
    request: &HttpRequest,
    visitor: &Visitor,
    code: &str,
) -> HttpResponse {
    let path = format!("/passkeys/add?next=/passkeys/device?code={code}");
    let note = Note {
        title: "First, a passkey",
        words: "Command lines are signed in with a passkey, and you have none yet.",
        path: &path,
        link: "Add a passkey",
        visitor: Some(visitor),
    };
    note.answer(node, request, StatusCode::OK)
}

/// Asks for the code.
fn ask(
    node: &Node,
    request: &HttpRequest,
    visitor: &Visitor,
    code: &str,
    message: Option<&str>,
) -> HttpResponse {
    let base = base_path(request);
    let content = Html::fill(
        include_str!("assets/device.html"),
        &[("base", (&base).into()), ("code", code.into())],
    );
    let page = Page {
        title: "Connect a command line",
        content,
        message: message.map(|text| (Tone::Bad, text)),
        visitor: Some(visitor),
        ..Page::default()
    };
    page.answer(node, request, StatusCode::OK)
}

/// `POST /passkeys/device`: no.
pub async fn deny(node: web::Data<Node>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let fields = Fields::read(&body);
    let now = Utc::now().timestamp();
    let denied = async {
        let visitor = Visitor::who_may_act(&node, &request, fields.get("csrf"), now).await?;
        let code = tidy(fields.get("code").unwrap_or_default());
        limits::step(&node, &request, Some(&named(&visitor)), now)?;
        let answer = AnswerDevice {
            user_code: code.clone(),
            user: visitor.user().clone(),
            passkey: None,
            allow: false,
            now,
        };
        if !node.providers.webauthn.send(answer).await? {
            return Ok(ask(&node, &request, &visitor, &code, Some(UNKNOWN)));
        }
        Ok(done(&node, &request, &visitor, false))
    };
    or_page(&node, &request, denied.await)
}

/// `POST /passkeys/device/begin`: letting in takes a passkey of who is signed in, there and then. A
/// session that was stolen, or is old, lets nobody in.
pub async fn begin(
    node: web::Data<Node>,
    request: HttpRequest,
    JsonBody(_): JsonBody,
) -> HttpResponse {
    let now = Utc::now().timestamp();
    let begun = async {
        let visitor = Visitor::who_asks(&node, &request, now).await?;
        let options = passkeys::begin_login(&node, &request, wanted(&visitor), now).await?;
        Ok(json!({"publicKey": spelling::w3c_request(&options)}))
    };
    answer::json(begun.await)
}

/// `POST /passkeys/device/allow`: yes.
pub async fn allow(
    node: web::Data<Node>,
    request: HttpRequest,
    JsonBody(body): JsonBody,
) -> HttpResponse {
    let now = Utc::now().timestamp();
    let allowed = async {
        let visitor = Visitor::who_asks(&node, &request, now).await?;
        let user_code = tidy(body.get("code").and_then(Value::as_str).unwrap_or_default());
        let credential = spelling::asserted(&body)?;
        let passkey = passkeys::id_of(&credential.raw_id);
        let wanted = wanted(&visitor);
        // All that a login asks for: the user's rules, too.
        let outcome = passkeys::finish_login(&node, &request, wanted, credential, now).await?;
        let is_same = |issued: &Issued| issued.token.acting_user == *visitor.user();
        match &outcome {
            Outcome::Issued(issued) if is_same(issued) => {}
            Outcome::Issued(_) => return Err(ApiError::unauthenticated()),
            Outcome::ReceiptDue(_) => return Err(ApiError::bad_request(MORE)),
        }
        let answer = AnswerDevice {
            user_code,
            user: visitor.user().clone(),
            passkey: Some(passkey),
            allow: true,
            now,
        };
        match node.providers.webauthn.send(answer).await? {
            true => Ok(json!({"next": "/passkeys/device?done=allowed"})),
            false => Err(ApiError::not_found(UNKNOWN)),
        }
    };
    answer::json(
        allowed
            .await
            .map_err(|error: ApiError| match error.status() {
                StatusCode::UNAUTHORIZED => ApiError::unauthenticated_as(REFUSED),
                _ => error,
            }),
    )
}

fn wanted(visitor: &Visitor) -> LoginWanted {
    LoginWanted {
        user: Some(named(visitor)),
        signed_in: true,
        ..LoginWanted::default()
    }
}

fn named(visitor: &Visitor) -> UserNamed {
    UserNamed::Id(visitor.user().to_string())
}

/// How it ended.
fn done(node: &Node, request: &HttpRequest, visitor: &Visitor, allowed: bool) -> HttpResponse {
    let (title, words) = match allowed {
        true => (
            "Done",
            "The command line is signed in. You can close this page.",
        ),
        false => (
            "Denied",
            "The command line was not signed in. You can close this page.",
        ),
    };
    let note = Note {
        title,
        words,
        path: "/passkeys",
        link: "Your passkeys",
        visitor: Some(visitor),
    };
    note.answer(node, request, StatusCode::OK)
}

/// A code as it is shown, however it was typed: `bcdf ghjk` is `BCDF-GHJK`.
fn tidy(typed: &str) -> String {
    let letters = typed.chars().filter(char::is_ascii_alphanumeric).take(16);
    let letters: Vec<char> = letters.map(|letter| letter.to_ascii_uppercase()).collect();
    let parts = letters
        .chunks(4)
        .map(|part| part.iter().collect::<String>());
    parts.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_may_be_typed_as_one_likes() {
        for typed in ["BCDF-GHJK", "bcdfghjk", " bcdf ghjk ", "b-c-d-f-g-h-j-k"] {
            assert_eq!(tidy(typed), "BCDF-GHJK");
        }
        assert_eq!(tidy(&"x".repeat(1000)).len(), 19);
        assert_eq!(tidy("<script>"), "SCRI-PT");
    }
}
