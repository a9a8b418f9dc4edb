//! `/passkeys/add` and `/passkeys/invitation`: making a passkey, as somebody who is signed in or who
//! was invited.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::answer::{self, Page, base_path, or_page};
use super::html::Html;
use super::manage::{short, visitor_or_way};
use super::session::{Fields, Visitor, require_own_page};
use super::sign_in::safe_next;
use crate::api::body::JsonBody;
use crate::api::error::ApiError;
use crate::node::Node;
use crate::passkeys::{self, spelling};

/// `GET /passkeys/add`.
pub async fn show(node: web::Data<Node>, request: HttpRequest) -> HttpResponse {
    let shown = async {
        let visitor = match visitor_or_way(&node, &request).await? {
            Ok(visitor) => visitor,
            Err(way) => return Ok(way),
        };
        let (base, next) = (base_path(&request), Fields::of_query(&request));
        let next = safe_next(next.get("next"));
        let back = Html::fill(
            include_str!("assets/back.html"),
            &[("base", (&base).into())],
        );
        let content = Html::fill(
            include_str!("assets/add.html"),
            &[
                ("user", (&*visitor.token().user.name).into()),
                ("back", (&back).into()),
            ],
        );
        let page = Page {
            title: "Add a passkey",
            content,
            visitor: Some(&visitor),
            next: &next,
            ..Page::default()
        };
        Ok(page.answer(&node, &request, StatusCode::OK))
    };
    or_page(&node, &request, shown.await)
}

/// `POST /passkeys/add/begin`.
pub async fn begin(
    node: web::Data<Node>,
    request: HttpRequest,
    JsonBody(_): JsonBody,
) -> HttpResponse {
    let now = Utc::now().timestamp();
    let begun = async {
        let visitor = Visitor::who_asks(&node, &request, now).await?;
        let (caller, user) = (&visitor.caller, visitor.user());
        let options = passkeys::begin_registration(&node, caller, user, now).await?;
        Ok(json!({"publicKey": spelling::w3c_creation(&options)}))
    };
    answer::json(begun.await)
}

/// `POST /passkeys/add/finish`.
pub async fn finish(
    node: web::Data<Node>,
    request: HttpRequest,
    JsonBody(body): JsonBody,
) -> HttpResponse {
    let now = Utc::now().timestamp();
    let finished = async {
        let visitor = Visitor::who_asks(&node, &request, now).await?;
        let (caller, user) = (&visitor.caller, visitor.user());
        let credential = spelling::attested(&body)?;
        let name = described(&body);
        passkeys::finish_registration(&node, caller, &request, user, credential, name, now).await?;
        let next = safe_next(body.get("next").and_then(Value::as_str));
        let next = match next.as_str() {
            "/passkeys" => "/passkeys?done=added",
            next => next,
        };
        Ok(json!({ "next": next }))
    };
    answer::json(finished.await)
}

/// `GET /passkeys/invitation`: the secret stands behind `#`, where only the script reads it.
pub async fn invited(node: web::Data<Node>, request: HttpRequest) -> HttpResponse {
    let page = Page {
        title: "You are invited",
        content: Html::of(include_str!("assets/invitation.html")),
        ..Page::default()
    };
    page.answer(&node, &request, StatusCode::OK)
}

/// `POST /passkeys/invitation/begin`.
pub async fn begin_invited(
    node: web::Data<Node>,
    request: HttpRequest,
    JsonBody(body): JsonBody,
) -> HttpResponse {
    let now = Utc::now().timestamp();
    let begun = async {
        require_own_page(&request)?;
        let options = passkeys::begin_invited(&node, &request, &secret(&body)?, now).await?;
        Ok(json!({"publicKey": spelling::w3c_creation(&options)}))
    };
    answer::json(begun.await)
}

/// `POST /passkeys/invitation/finish`.
pub async fn finish_invited(
    node: web::Data<Node>,
    request: HttpRequest,
    JsonBody(body): JsonBody,
) -> HttpResponse {
    let now = Utc::now().timestamp();
    let finished = async {
        require_own_page(&request)?;
        let credential = spelling::attested(&body)?;
        let (secret, name) = (secret(&body)?, described(&body));
        passkeys::finish_invited(&node, &request, &secret, credential, name, now).await?;
        Ok(json!({"next": "/passkeys/sign-in?done=added"}))
    };
    answer::json(finished.await)
}

fn described(body: &Value) -> Option<String> {
    let text = body.get("description").and_then(Value::as_str)?.trim();
    (!text.is_empty()).then(|| short(text))
}

fn secret(body: &Value) -> Result<SecretString, ApiError> {
    let text = body.get("secret").and_then(Value::as_str);
    let text = text.filter(|text| !text.is_empty() && text.len() <= 255);
    text.map(SecretString::from).ok_or_else(|| {
        ApiError::bad_request("This invitation is not whole. Open it again as you got it.")
    })
}
