//! `/v4/users/{user_id}/passkeys`: registering, looking at, changing and deleting them.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use keystone_actors::ids::UserId;
use keystone_actors::webauthn::{CreationOptions, Passkey, State};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::shapes;
use crate::api::body::JsonBody;
use crate::api::call::{Body, Call, answer, no_content};
use crate::api::error::ApiError;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::node::Node;
use crate::passkeys::{self, Change, spelling};

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v4/users/{user_id}/passkeys")
        .get(list)
        .answers(answers::json(shapes::list))
        .delete(reset)
        .register(api);
    Routes::at("/v4/users/{user_id}/passkeys/register_start")
        .post(register_start)
        .takes(&shapes::REGISTER)
        .answers(answers::json(shapes::options).with_status(201))
        .register(api);
    Routes::at("/v4/users/{user_id}/passkeys/register_finish")
        .post(register_finish)
        .takes(&shapes::REGISTERED)
        .answers(answers::json(shapes::one).with_status(201))
        .register(api);
    Routes::at("/v4/users/{user_id}/passkeys/invitation")
        .post(invite)
        .takes(&shapes::NOTHING)
        .answers(answers::json(shapes::invitation).with_status(201))
        .register(api);
    Routes::at("/v4/users/{user_id}/passkeys/recovery_codes")
        .get(codes_left)
        .does("How many recovery codes a user has left.")
        .answers(answers::json(shapes::codes_left))
        .post(new_codes)
        .does("Make ten recovery codes; older ones are good no longer.")
        .takes(&shapes::NOTHING)
        .answers(answers::json(shapes::codes).with_status(201))
        .register(api);
    Routes::at("/v4/users/{user_id}/passkeys/{id}")
        .get(show)
        .answers(answers::json(shapes::one))
        .patch(update)
        .takes(&shapes::CHANGE)
        .answers(answers::json(shapes::one))
        .delete(remove)
        .heeds(
            "revoke_tokens",
            "`false`: spare the tokens that were made with it.",
        )
        .register(api);
    Routes::at("/v4/auth/passkey/invitation/start")
        .post(invited_start)
        .does("Begin to register a passkey by an invitation.")
        .public()
        .takes(&shapes::INVITED)
        .answers(answers::json(shapes::options).with_status(201))
        .answers(answers::error(429))
        .register(api);
    Routes::at("/v4/auth/passkey/invitation/finish")
        .post(invited_finish)
        .does("Register a passkey by an invitation, which is used up.")
        .public()
        .takes(&shapes::INVITED)
        .answers(answers::json(shapes::one).with_status(201))
        .answers(answers::error(429))
        .register(api);
}

/// The options for an authenticator, in both spellings.
fn options(options: &CreationOptions) -> Result<HttpResponse, ApiError> {
    answer(
        StatusCode::CREATED,
        &json!({
            "public_key": spelling::legacy_creation(options),
            "publicKey": spelling::w3c_creation(options),
        }),
    )
}

/// A new passkey. As ever here, a description that there is not is left out.
fn registered(passkey: &Passkey) -> Result<HttpResponse, ApiError> {
    let mut shown = passkeys::shown(passkey);
    if let (None, Value::Object(members)) = (&passkey.description, &mut shown) {
        members.shift_remove("description");
    }
    answer(StatusCode::CREATED, &json!({ "passkey": shown }))
}

/// The description in a body, which is said at the begin, too, where nothing is stored yet.
fn description(of: Option<&Value>) -> Option<String> {
    of?.get("description")?.as_str().map(str::to_owned)
}

/// What `register_start` is sent: nothing that matters.
struct Begin;

impl Body for Begin {
    fn read(json: &Value) -> Result<Self, ApiError> {
        shapes::REGISTER.check(json)?;
        Ok(Self)
    }
}

/// Begins to register a passkey: `POST /v4/users/{user_id}/passkeys/register_start`.
async fn register_start(
    call: Call<Begin>,
    user: web::Path<UserId>,
) -> Result<HttpResponse, ApiError> {
    let now = Utc::now().timestamp();
    let begun = passkeys::begin_registration(call.node(), &call.caller, &user, now).await?;
    options(&begun)
}

/// What an authenticator has made.
struct Made {
    credential: keystone_actors::webauthn::Attested,
    description: Option<String>,
}

impl Body for Made {
    fn read(json: &Value) -> Result<Self, ApiError> {
        shapes::REGISTERED.check(json)?;
        Ok(Self {
            credential: spelling::attested(json)?,
            description: description(Some(json)),
        })
    }
}

/// Registers a passkey: `POST /v4/users/{user_id}/passkeys/register_finish`.
async fn register_finish(
    call: Call<Made>,
    user: web::Path<UserId>,
) -> Result<HttpResponse, ApiError> {
    let Made {
        credential,
        description,
    } = &call.body;
    let passkey = passkeys::finish_registration(
        call.node(),
        &call.caller,
        call.request(),
        &user,
        credential.clone(),
        description.clone(),
        Utc::now().timestamp(),
    );
    let passkey = passkey.await?;
    registered(&passkey)
}

/// Lists a user's passkeys: `GET /v4/users/{user_id}/passkeys`.
async fn list(call: Call, user: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let found = passkeys::list(call.node(), &call.caller, &user).await?;
    let found = found.to_vec();
    let shown = found.into_iter().map(|one| passkeys::shown(&one));
    call.stream("passkeys", shown)
}

/// Shows a passkey: `GET /v4/users/{user_id}/passkeys/{id}`.
async fn show(call: Call, path: web::Path<(UserId, String)>) -> Result<HttpResponse, ApiError> {
    let (user, id) = path.into_inner();
    let found = passkeys::get(call.node(), &call.caller, &user, &id).await?;
    answer(StatusCode::OK, &json!({"passkey": passkeys::shown(&found)}))
}

impl Body for Change {
    fn read(json: &Value) -> Result<Self, ApiError> {
        shapes::CHANGE.check(json)?;
        let passkey = json.get("passkey").unwrap_or(&Value::Null);
        let state = passkey.get("state").and_then(Value::as_str);
        Ok(Self {
            description: passkey
                .get("description")
                .map(|it| it.as_str().map(str::to_owned)),
            state: state.and_then(State::from_name),
        })
    }
}

/// Changes a passkey: `PATCH /v4/users/{user_id}/passkeys/{id}`.
async fn update(
    call: Call<Change>,
    path: web::Path<(UserId, String)>,
) -> Result<HttpResponse, ApiError> {
    let (user, id) = path.into_inner();
    let changed = passkeys::update(
        call.node(),
        &call.caller,
        call.request(),
        &user,
        &id,
        call.body.clone(),
        Utc::now().timestamp(),
    );
    let changed = changed.await?;
    answer(
        StatusCode::OK,
        &json!({"passkey": passkeys::shown(&changed)}),
    )
}

/// Deletes a passkey: `DELETE /v4/users/{user_id}/passkeys/{id}`.
async fn remove(call: Call, path: web::Path<(UserId, String)>) -> Result<HttpResponse, ApiError> {
    let (user, id) = path.into_inner();
    let asked = call.query.first("revoke_tokens");
    let revoke_tokens = asked.is_none_or(|value| !value.eq_ignore_ascii_case("false"));
    let removed = passkeys::remove(
        call.node(),
        &call.caller,
        call.request(),
        &user,
        &id,
        revoke_tokens,
        Utc::now().timestamp(),
    );
    removed.await?;
    Ok(no_content())
}

/// Deletes all passkeys of a user: `DELETE /v4/users/{user_id}/passkeys`.
async fn reset(call: Call, user: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let now = Utc::now().timestamp();
    passkeys::reset(call.node(), &call.caller, call.request(), &user, now).await?;
    Ok(no_content())
}

/// Invites a user to register a passkey: `POST /v4/users/{user_id}/passkeys/invitation`.
async fn invite(call: Call, user: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let now = Utc::now().timestamp();
    let node = call.node();
    let made = passkeys::invite(node, &call.caller, call.request(), &user, now).await?;
    answer(
        StatusCode::CREATED,
        &json!({"invitation": {
            "url": passkeys::invitation_url(node, &made),
            "expires_at": passkeys::time_of(made.expires_at),
        }}),
    )
}

/// How many recovery codes are left: `GET /v4/users/{user_id}/passkeys/recovery_codes`.
async fn codes_left(call: Call, user: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let left = passkeys::recovery_codes_left(call.node(), &call.caller, &user).await?;
    answer(StatusCode::OK, &json!({"recovery_codes": {"left": left}}))
}

/// Makes new ones: `POST /v4/users/{user_id}/passkeys/recovery_codes`.
async fn new_codes(call: Call, user: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let now = Utc::now().timestamp();
    let codes =
        passkeys::new_recovery_codes(call.node(), &call.caller, call.request(), &user, now).await?;
    let codes: Vec<&str> = codes.iter().map(|code| code.expose_secret()).collect();
    answer(
        StatusCode::CREATED,
        &json!({"recovery_codes": {"codes": codes}}),
    )
}

/// The secret of an invitation.
fn secret(body: &Value) -> Result<SecretString, ApiError> {
    shapes::INVITED.check(body)?;
    let secret = body.pointer("/invitation/secret").and_then(Value::as_str);
    Ok(secret.unwrap_or_default().into())
}

/// Begins to register a passkey: `POST /v4/auth/passkey/invitation/start`.
async fn invited_start(
    node: web::Data<Node>,
    request: HttpRequest,
    JsonBody(body): JsonBody,
) -> Result<HttpResponse, ApiError> {
    let now = Utc::now().timestamp();
    let begun = passkeys::begin_invited(&node, &request, &secret(&body)?, now).await?;
    options(&begun)
}

/// Registers it: `POST /v4/auth/passkey/invitation/finish`.
async fn invited_finish(
    node: web::Data<Node>,
    request: HttpRequest,
    JsonBody(body): JsonBody,
) -> Result<HttpResponse, ApiError> {
    let now = Utc::now().timestamp();
    let (secret, credential) = (secret(&body)?, spelling::attested(&body)?);
    let description = description(Some(&body));
    let passkey =
        passkeys::finish_invited(&node, &request, &secret, credential, description, now).await?;
    registered(&passkey)
}
