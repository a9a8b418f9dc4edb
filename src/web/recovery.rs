//! `/passkeys/sign-in/recovery`: a recovery code in the place of the passkey that step-up asks for.
//! Who is signed in is known, so it is offered to who has one, on the page to sign in again.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use keystone_actors::token::Token;
use serde_json::json;

use super::answer::{self, Tone, base_path};
use super::html::Html;
use super::more::settled;
use super::session::{Fields, Visitor};
use super::sign_in::{again, ask, form, safe_next, with};
use crate::api::error::ApiError;
use crate::auth::webauthn::METHOD;
use crate::node::Node;
use crate::passkeys;

const REFUSED: &str = "That was not right. Check what you typed, or use another code.";
const TOO_OLD: &str = "Your login is too long ago by now: type your password, too.";
/// The method that stands for a login of just now, where it is configured.
const TOKEN: &str = "token";

/// The form for one, where it would help who is signed in; unfolded for who has typed into it.
pub async fn offer(node: &Node, request: &HttpRequest, next: &str, open: bool) -> Html {
    match offered(node, request, next, open, Utc::now().timestamp()).await {
        Ok(form) => form,
        // The page is of use without it.
        Err(error) => {
            tracing::warn!(%error, "no recovery code is offered");
            Html::default()
        }
    }
}

async fn offered(
    node: &Node,
    request: &HttpRequest,
    next: &str,
    open: bool,
    now: i64,
) -> Result<Html, ApiError> {
    if !node.step_up.is_on() {
        return Ok(Html::default());
    }
    let Some(visitor) = Visitor::of(node, request, now).await? else {
        return Ok(Html::default());
    };
    let token = visitor.token();
    if !passkeys::recovery_code_helps(node, token, now).await? {
        return Ok(Html::default());
    }
    // Good still when the code has been fetched and typed, and what it is for begun.
    let is_enough = is_enough(node, token, now + node.step_up.max_age() / 2);
    let (base, csrf) = (base_path(request), visitor.csrf());
    let user = &token.user.name;
    Ok(fields(&base, &csrf, user, next, !is_enough, open))
}

/// Whether the login stands beside a code, at the time `now`.
fn is_enough(node: &Node, token: &Token, now: i64) -> bool {
    let known = node.config.auth.methods.iter().any(|it| it == TOKEN);
    known && node.step_up.is_fresh(token, now)
}

/// `by_password`: the login was too long ago, and is repeated.
fn fields(base: &str, csrf: &str, user: &str, next: &str, by_password: bool, open: bool) -> Html {
    let details = match open {
        true => Html::of(r#"<details class="more" open>"#),
        false => Html::of(r#"<details class="more">"#),
    };
    let password = match by_password {
        true => Html::fill(
            include_str!("assets/sign-in-again.html"),
            &[("user", user.into())],
        ),
        false => Html::default(),
    };
    Html::fill(
        include_str!("assets/sign-in-recovery.html"),
        &[
            ("open", (&details).into()),
            ("base", base.into()),
            ("csrf", csrf.into()),
            ("user", user.into()),
            ("next", next.into()),
            ("password", (&password).into()),
        ],
    )
}

/// `POST /passkeys/sign-in/recovery`: beside the session, or the password where it is asked for.
pub async fn by_form(
    node: web::Data<Node>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let typed = Fields::read(&body);
    let now = Utc::now().timestamp();
    let visitor = Visitor::who_may_act(&node, &request, typed.get("csrf"), now).await;
    let visitor = match visitor {
        Ok(visitor) => visitor,
        Err(error) => return answer::or_page(&node, &request, Err(error)),
    };
    let user = json!({"id": visitor.user().as_str()});
    let (beside, proof) = match typed.exactly("password") {
        Some(password) => (
            "password",
            json!({"user": with(&user, "password", password)}),
        ),
        None if is_enough(&node, visitor.token(), now) => (TOKEN, json!({"id": visitor.text()})),
        // Nothing would come of it, and the code be lost.
        None => {
            let told = Some((Tone::Bad, TOO_OLD));
            return form(&node, &request, &typed, StatusCode::FORBIDDEN, told).await;
        }
    };
    let code = typed.get("recovery_code").unwrap_or_default();
    let user = with(&user, "recovery_code", code);
    let identity = json!({
        "methods": [beside, METHOD], (beside): proof, (METHOD): {"user": user},
    });
    let next = safe_next(typed.get("next"));
    let outcome = ask(&node, &request, &identity, None).await;
    match outcome.and_then(|outcome| settled(&node, &request, outcome, &next)) {
        Ok(response) => response,
        Err(error) => again(&node, &request, &typed, &error, REFUSED).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_asked_for_again_where_the_login_is_old() {
        let of = |old, open| fields("/b", "c", "<alice>", "/passkeys", old, open).into_string();
        let (old, fresh) = (of(true, false), of(false, true));
        assert!(
            old.contains("current-password") && !fresh.contains("password"),
            "{fresh}"
        );
        assert!(fresh.contains("<details class=\"more\" open>"), "{fresh}");
        assert!(old.contains("<details class=\"more\">"), "{old}");
        for form in [&old, &fresh] {
            assert!(form.contains("/b/passkeys/sign-in/recovery"), "{form}");
            assert!(
                form.contains("&lt;alice&gt;") && !form.contains("<alice>"),
                "{form}"
            );
        }
    }
}
