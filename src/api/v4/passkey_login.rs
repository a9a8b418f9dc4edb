//! `/v4/auth/passkey`: logging in by a passkey.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use serde_json::{Value, json};

use super::shapes;
use crate::api::body::JsonBody;
use crate::api::call::answer;
use crate::api::error::ApiError;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::v3::auth_tokens::answer_outcome;
use crate::api::v3::shapes::{refusal, token};
use crate::node::Node;
use crate::passkeys::{LoginWanted, UserNamed, begin_login, finish_login, spelling};

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v4/auth/passkey/start")
        .post(start)
        .does("Begin to log in by a passkey: of a user who is named, or of whoever has one.")
        .public()
        .takes(&shapes::START)
        .answers(answers::json(shapes::options).with_status(201))
        .answers(answers::error(429))
        .register(api);
    Routes::at("/v4/auth/passkey/finish")
        .post(finish)
        .does("Log in by a passkey, and get a token. Name user and scope as at the begin.")
        .public()
        .takes(&shapes::FINISH)
        .header("OpenStack-Auth-Receipt", "The receipt of a first step.")
        .heeds("nocatalog", "Leave the catalog out.")
        .tells("X-Subject-Token", "The token.")
        .answers(answers::json(token).with_status(201))
        .answers(answers::json(refusal).with_status(401))
        .answers(answers::error(429))
        .register(api);
}

/// Who and what for; `of` is where a user is named.
fn wanted(of: &Value, body: &Value) -> Result<LoginWanted, ApiError> {
    let user = match (of.get("user_id"), of.get("user")) {
        (Some(Value::String(id)), _) => Some(UserNamed::Id(id.replace('\0', "\u{fffd}"))),
        (_, Some(user @ Value::Object(_))) => Some(UserNamed::parse(user)?),
        _ => None,
    };
    let scope = body.get("scope").filter(|scope| !scope.is_null()).cloned();
    Ok(LoginWanted {
        user,
        scope,
        ..LoginWanted::default()
    })
}

/// Begins: `POST /v4/auth/passkey/start`.
async fn start(
    node: web::Data<Node>,
    request: HttpRequest,
    JsonBody(body): JsonBody,
) -> Result<HttpResponse, ApiError> {
    shapes::START.check(&body)?;
    let wanted = wanted(body.get("passkey").unwrap_or(&Value::Null), &body)?;
    let options = begin_login(&node, &request, wanted, Utc::now().timestamp()).await?;
    answer(
        StatusCode::CREATED,
        &json!({
            "public_key": spelling::legacy_request(&options),
            "publicKey": spelling::w3c_request(&options),
        }),
    )
}

/// Ends: `POST /v4/auth/passkey/finish`.
async fn finish(
    node: web::Data<Node>,
    request: HttpRequest,
    JsonBody(body): JsonBody,
) -> Result<HttpResponse, ApiError> {
    shapes::FINISH.check(&body)?;
    let wanted = wanted(&body, &body)?;
    let credential = spelling::asserted(&body)?;
    let now = Utc::now().timestamp();
    let outcome = finish_login(&node, &request, wanted, credential, now).await?;
    Ok(answer_outcome(&request, outcome))
}
