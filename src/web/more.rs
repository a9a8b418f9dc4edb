//! `/passkeys/sign-in/more`: what a user's multi-factor rules ask for beside what was shown first,
//! whichever came first. In between a receipt stands for it, in a cookie that no script reads and no
//! other site sends.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{self, Page, Tone, base_path, lead};
use super::html::Html;
use super::session::{Fields, cookie, kept, require_own_page, signed_in};
use super::sign_in::{ask, safe_next, way_to, with};
use crate::api::body::JsonBody;
use crate::api::error::ApiError;
use crate::auth::request::ScopeRequest;
use crate::auth::webauthn::{METHOD, Shown, Webauthn, log_in};
use crate::auth::{self, Outcome, ReceiptDue};
use crate::node::Node;
use crate::passkeys::{self, LoginWanted, UserNamed, spelling};
use crate::telemetry::logins::Ceremony;

/// As that of who is signed in.
const COOKIE: &str = "__Host-keystone-ng-more";
/// Takes it away.
const OVER: &str = "__Host-keystone-ng-more=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0";
/// Where the next step is.
const PATH: &str = "/passkeys/sign-in/more";
/// The steps that there are pages for, by method.
const STEPS: [&str; 3] = [METHOD, "password", "totp"];

const REFUSED: &str = "That was not right. Check it and try again, or begin again.";
const LATE: &str = "That took too long. Begin again.";
const NO_WAY: &str =
    "This account asks for a proof that cannot be given here. Ask your administrator.";

/// A login that has begun.
#[derive(Serialize, Deserialize)]
struct Begun {
    /// Stands for what was shown. A secret.
    receipt: String,
    /// The user's ID.
    user: String,
    /// The user's name.
    name: String,
    /// The methods of which one is shown next.
    steps: Vec<String>,
    /// Where signing in leads to.
    next: String,
}

impl Begun {
    fn of(node: &Node, due: &ReceiptDue, next: &str) -> Self {
        let config = &node.config;
        let text = |place| {
            let text = due.body.pointer(place).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        Self {
            receipt: due.text.clone(),
            user: text("/receipt/user/id"),
            name: text("/receipt/user/name"),
            steps: steps(&due.body, config.webauthn.method(&config.auth).as_str()),
            next: next.to_owned(),
        }
    }

    fn read(headers: &HeaderMap) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(&*cookie(headers, COOKIE)?).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    fn cookie(&self, node: &Node) -> Result<HeaderValue, ApiError> {
        let text = serde_json::to_vec(self).map_err(|error| ApiError::internal(&error))?;
        kept(
            COOKIE,
            &URL_SAFE_NO_PAD.encode(text),
            Some(node.config.receipt.expiration),
        )
    }

    fn wanted(&self) -> LoginWanted {
        LoginWanted {
            user: Some(UserNamed::Id(self.user.clone())),
            ..LoginWanted::default()
        }
    }

    /// By what was typed.
    async fn by_form(
        &self,
        node: &Node,
        request: &HttpRequest,
        typed: &Fields,
    ) -> Result<Outcome, ApiError> {
        let proofs = [
            ("password", "password", typed.exactly("password")),
            ("totp", "passcode", typed.get("passcode")),
            (METHOD, "recovery_code", typed.get("recovery_code")),
        ];
        let mut shown = proofs.into_iter();
        let shown = shown.find_map(|(method, name, proof)| Some((method, name, proof?)));
        let Some((method, name, proof)) = shown else {
            return Err(ApiError::bad_request(
                "This form is not known here. Begin again.",
            ));
        };
        let user = with(&json!({"id": self.user}), name, proof);
        let identity = json!({"methods": [method], (method): {"user": user}});
        ask(node, request, &identity, Some(&self.receipt)).await
    }

    /// By a passkey.
    async fn by_passkey(
        &self,
        node: &Node,
        request: &HttpRequest,
        body: &Value,
    ) -> Result<Outcome, ApiError> {
        let method = Webauthn {
            user: self.wanted().user,
            shown: Shown::Passkey(Box::new(spelling::asserted(body)?), vec![None]),
        };
        let (scope, now) = (ScopeRequest::Unscoped, Utc::now().timestamp());
        let receipt = Some(self.receipt.as_str());
        let outcome = log_in(node, request, &method, &scope, receipt, now).await;
        auth::count(node, Ceremony::StepUp, &outcome);
        auth::tell(node, request, &outcome, Some(&self.user.as_str().into()));
        outcome
    }
}

/// Which methods lead on: those of the rules that the first one was for, without what is proven.
/// `sealed` is what receipts call a passkey.
fn steps(due: &Value, sealed: &str) -> Vec<String> {
    let words = |list: Option<&Value>| {
        let words = list.and_then(Value::as_array).into_iter().flatten();
        let words = words.filter_map(Value::as_str);
        let meant = words.map(|word| match word == sealed {
            true => METHOD.to_owned(),
            false => word.to_owned(),
        });
        meant.collect::<Vec<_>>()
    };
    let proven = words(due.pointer("/receipt/methods"));
    let rules = due.get("required_auth_methods").and_then(Value::as_array);
    let asked: Vec<_> = rules
        .into_iter()
        .flatten()
        .flat_map(|rule| words(Some(rule)))
        .collect();
    let is_due = |step: &&str| {
        let is = |it: &String| it == *step;
        asked.iter().any(is) && !proven.iter().any(is)
    };
    STEPS
        .into_iter()
        .filter(is_due)
        .map(str::to_owned)
        .collect()
}

/// Where a login goes on, and the cookies that go with it: signed in, or one more step.
///
/// # Errors
/// 403 where no step is left that there is a page for; 500 if browsers would not keep a cookie.
pub fn settle(
    node: &Node,
    outcome: Outcome,
    next: &str,
) -> Result<(String, Vec<HeaderValue>), ApiError> {
    match outcome {
        Outcome::Issued(issued) => {
            let cookies = vec![signed_in(&issued.text)?, HeaderValue::from_static(OVER)];
            Ok((next.to_owned(), cookies))
        }
        Outcome::ReceiptDue(due) => {
            let begun = Begun::of(node, &due, next);
            if begun.steps.is_empty() {
                return Err(ApiError::forbidden_as(NO_WAY));
            }
            Ok((PATH.to_owned(), vec![begun.cookie(node)?]))
        }
    }
}

/// The same as an answer to a form.
///
/// # Errors
/// As above.
pub fn settled(
    node: &Node,
    request: &HttpRequest,
    outcome: Outcome,
    next: &str,
) -> Result<HttpResponse, ApiError> {
    let (path, cookies) = settle(node, outcome, next)?;
    Ok(baked(lead(request, &path), cookies))
}

/// The same as an answer to the script.
pub fn told(settled: Result<(String, Vec<HeaderValue>), ApiError>) -> HttpResponse {
    match settled {
        Ok((path, cookies)) => baked(answer::json(Ok(json!({ "next": path }))), cookies),
        Err(error) => answer::json(Err(error)),
    }
}

fn baked(mut response: HttpResponse, cookies: Vec<HeaderValue>) -> HttpResponse {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// `GET /passkeys/sign-in/more`.
pub async fn show(node: web::Data<Node>, request: HttpRequest) -> HttpResponse {
    match Begun::read(request.headers()) {
        Some(begun) => page(&node, &request, &begun, StatusCode::OK, None),
        None => lead(&request, "/passkeys/sign-in?done=late"),
    }
}

fn page(
    node: &Node,
    request: &HttpRequest,
    begun: &Begun,
    status: StatusCode,
    message: Option<&str>,
) -> HttpResponse {
    let base = base_path(request);
    let shared = [("base", (&base).into()), ("user", (&begun.name).into())];
    let forms = begun.steps.iter().map(|step| match step.as_str() {
        METHOD => Html::fill(include_str!("assets/more-passkey.html"), &shared),
        "password" => Html::fill(include_str!("assets/more-password.html"), &shared),
        "totp" => Html::fill(include_str!("assets/more-passcode.html"), &shared),
        _ => Html::default(),
    });
    let stands_in = begun.steps.iter().any(|step| step == METHOD);
    let recovery =
        stands_in.then(|| Html::fill(include_str!("assets/more-recovery.html"), &shared));
    let forms = Html::join(forms.chain(recovery));
    let next = safe_next(Some(&begun.next));
    let again = way_to(&next);
    let [base, user] = shared;
    let content = Html::fill(
        include_str!("assets/more.html"),
        &[
            base,
            user,
            ("forms", (&forms).into()),
            ("again", (&again).into()),
        ],
    );
    let page = Page {
        title: "One more step",
        content,
        message: message.map(|text| (Tone::Bad, text)),
        next: &next,
        ..Page::default()
    };
    page.answer(node, request, status)
}

/// `POST /passkeys/sign-in/more`: the forms.
pub async fn by_form(
    node: web::Data<Node>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let Some(begun) = Begun::read(request.headers()) else {
        return lead(&request, "/passkeys/sign-in?done=late");
    };
    let typed = Fields::read(&body);
    let proven = async {
        require_own_page(&request)?;
        let outcome = begun.by_form(&node, &request, &typed).await?;
        settled(&node, &request, outcome, &safe_next(Some(&begun.next)))
    };
    match proven.await {
        Ok(response) => response,
        Err(error) => {
            let text = match error.status() {
                StatusCode::UNAUTHORIZED => REFUSED,
                _ => error.message(),
            };
            let response = page(&node, &request, &begun, error.status(), Some(text));
            answer::later(response, &error)
        }
    }
}

fn begun(request: &HttpRequest) -> Result<Begun, ApiError> {
    require_own_page(request)?;
    Begun::read(request.headers()).ok_or_else(|| ApiError::unauthenticated_as(LATE))
}

/// `POST /passkeys/sign-in/more/begin`.
pub async fn begin(
    node: web::Data<Node>,
    request: HttpRequest,
    JsonBody(_): JsonBody,
) -> HttpResponse {
    let options = async {
        let wanted = begun(&request)?.wanted();
        let now = Utc::now().timestamp();
        let options = passkeys::begin_login(&node, &request, wanted, now).await?;
        Ok(json!({"publicKey": spelling::w3c_request(&options)}))
    };
    answer::json(options.await)
}

/// `POST /passkeys/sign-in/more/finish`.
pub async fn finish(
    node: web::Data<Node>,
    request: HttpRequest,
    JsonBody(body): JsonBody,
) -> HttpResponse {
    let finished = async {
        let begun = begun(&request)?;
        let outcome = begun.by_passkey(&node, &request, &body).await;
        let outcome = outcome.map_err(|error| match error.status() {
            StatusCode::UNAUTHORIZED => ApiError::unauthenticated_as(REFUSED),
            _ => error,
        });
        settle(&node, outcome?, &safe_next(Some(&begun.next)))
    };
    told(finished.await)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(proven: &[&str], rules: &[&[&str]]) -> Value {
        json!({"receipt": {"methods": proven}, "required_auth_methods": rules})
    }

    #[test]
    fn the_next_step_is_what_the_rules_ask_for_and_is_not_proven() {
        let rules: &[&[&str]] = &[&["password", "totp"], &["password", "webauthn"]];
        assert_eq!(
            steps(&due(&["password"], rules), "webauthn"),
            ["webauthn", "totp"]
        );
        assert_eq!(
            steps(&due(&["webauthn"], &rules[1..]), "webauthn"),
            ["password"]
        );
        // What no page asks for leads nowhere.
        let other: &[&[&str]] = &[&["password", "mapped"]];
        assert!(steps(&due(&["password"], other), "webauthn").is_empty());
        assert!(steps(&json!({}), "webauthn").is_empty());
    }

    #[test]
    fn a_passkey_is_one_whatever_receipts_and_rules_call_it() {
        let rules: &[&[&str]] = &[&["password", "webauthn"], &["password", "x509"]];
        assert_eq!(steps(&due(&["password"], rules), "x509"), ["webauthn"]);
        assert_eq!(steps(&due(&["x509"], rules), "x509"), ["password"]);
    }
}
