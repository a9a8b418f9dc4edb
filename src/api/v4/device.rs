//! `/v4/auth/passkey/device`: a login on a command line that goes on in a browser (RFC 8628).

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use secrecy::ExposeSecret;
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
use crate::passkeys::{Poll, poll_device, start_device};

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v4/auth/passkey/device")
        .post(start)
        .does("Begin a login that goes on in a browser (RFC 8628).")
        .public()
        .takes(&shapes::DEVICE)
        .answers(answers::json(shapes::device).with_status(201))
        .answers(answers::error(429))
        .register(api);
    Routes::at("/v4/auth/passkey/device/token")
        .post(poll)
        .does(
            "Get the token of such a login. Until then 400, with RFC 8628's word in the error's \
             title.",
        )
        .public()
        .takes(&shapes::DEVICE_TOKEN)
        .tells("X-Subject-Token", "The token.")
        .answers(answers::json(token).with_status(201))
        .answers(answers::json(refusal).with_status(401))
        .answers(answers::error(429))
        .register(api);
}

/// Begins: `POST /v4/auth/passkey/device`.
async fn start(
    node: web::Data<Node>,
    request: HttpRequest,
    JsonBody(body): JsonBody,
) -> Result<HttpResponse, ApiError> {
    shapes::DEVICE.check(&body)?;
    let agent = request.headers().get(header::USER_AGENT);
    let agent = agent.and_then(|agent| agent.to_str().ok());
    let client = body.get("client").and_then(Value::as_str).or(agent);
    let now = Utc::now().timestamp();
    let client = client.unwrap_or("a command line");
    let (device, page) = start_device(&node, &request, client, now).await?;
    answer(
        StatusCode::CREATED,
        &json!({
            "device_code": device.device_code.expose_secret(),
            "user_code": device.user_code,
            "verification_uri": page,
            "verification_uri_complete": format!("{page}?code={}", device.user_code),
            "expires_in": device.expires_at - now,
            "interval": device.interval,
        }),
    )
}

/// Asks for the token: `POST /v4/auth/passkey/device/token`.
async fn poll(
    node: web::Data<Node>,
    request: HttpRequest,
    JsonBody(body): JsonBody,
) -> Result<HttpResponse, ApiError> {
    shapes::DEVICE_TOKEN.check(&body)?;
    let code = body.get("device_code").and_then(Value::as_str);
    let code = code.unwrap_or_default().into();
    let now = Utc::now().timestamp();
    let scope = body.get("scope").filter(|scope| !scope.is_null());
    match poll_device(&node, &request, code, scope, now).await? {
        Poll::Done(outcome) => Ok(answer_outcome(&request, outcome)),
        Poll::Not(word, why) => Err(ApiError::bad_request(format!("{word}: {why}")).titled(word)),
    }
}
