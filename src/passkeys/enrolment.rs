//! Registering a passkey: by the user, or by who was sent an invitation.

use std::sync::Arc;

use actix_web::HttpRequest;
use keystone_actors::identity::{GetUser, User};
use keystone_actors::ids::UserId;
use keystone_actors::webauthn::{
    Attested, CreateInvitation, CreationOptions, Error, FinishRegistration, Invitation,
    LookInvitation, Passkey, StartRegistration,
};
use secrecy::{ExposeSecret, SecretString};
use tracing::info;

use super::{
    acting, allow, check_description, id_of, is_own, refuse_delegated, require_fresh, send,
};
use crate::api::call::initiator;
use crate::api::caller::Caller;
use crate::api::error::ApiError;
use crate::auth::limits;
use crate::node::Node;
use crate::notify::{self, Initiator, Operation};
use crate::policy::{Rule, Subject as _};
use crate::telemetry::logins::Ceremony;

/// The user, if the caller is that user, has signed in just now, and policy has nothing against it.
/// Who asks for another one learns nothing of whether there is that one.
pub(super) async fn own(
    node: &Node,
    caller: &Caller,
    rule: Rule,
    user: &UserId,
    now: i64,
) -> Result<Arc<User>, ApiError> {
    if !is_own(caller, user) {
        return Err(ApiError::forbidden_action(
            "Users register their passkeys themselves. Send this one an invitation (POST \
             /v4/users/{user_id}/passkeys/invitation)",
        ));
    }
    let found = allow(node, caller, rule, user).await?;
    refuse_delegated(caller)?;
    require_fresh(node, caller, now)?;
    Ok(found)
}

/// Begins to register a passkey of the caller.
///
/// # Errors
/// 403 for another user's, for a delegated token, and for one of a login that is not fresh.
pub async fn begin_registration(
    node: &Node,
    caller: &Caller,
    user: &UserId,
    now: i64,
) -> Result<CreationOptions, ApiError> {
    let found = own(node, caller, Rule::V4PasskeyRegister, user, now).await?;
    begin(node, &found, now).await
}

async fn begin(node: &Node, user: &User, now: i64) -> Result<CreationOptions, ApiError> {
    let start = StartRegistration {
        user: user.id.clone(),
        user_name: user.name.clone(),
        now,
    };
    Ok(node.providers.webauthn.read(start).await?)
}

/// Registers the passkey.
///
/// # Errors
/// As of [`begin_registration`]; 400 where the authenticator's answer is not good, 409 where it is
/// registered already.
pub async fn finish_registration(
    node: &Node,
    caller: &Caller,
    http: &HttpRequest,
    user: &UserId,
    credential: Attested,
    description: Option<String>,
    now: i64,
) -> Result<Arc<Passkey>, ApiError> {
    own(node, caller, Rule::V4PasskeyRegister, user, now).await?;
    check_description(description.as_deref())?;
    let finish = FinishRegistration {
        user: user.clone(),
        created_by: caller.user_id().map(str::to_owned),
        credential,
        description,
        invitation: None,
        now,
    };
    let passkey = register(node, acting(http, caller), finish).await?;
    info!(user.id = %user, passkey.id = passkey.id, "registered a passkey");
    Ok(passkey)
}

/// Registers it, and tells auditors how that ended.
async fn register(
    node: &Node,
    initiator: Initiator,
    finish: FinishRegistration,
) -> Result<Arc<Passkey>, ApiError> {
    let id = id_of(&finish.credential.raw_id);
    let made = node.providers.webauthn.send(finish).await;
    let reason = match &made {
        Ok(_) => {
            node.metrics.logins.accepted(Ceremony::Registration);
            send(node, initiator, Operation::Created, &id, None);
            return Ok(made?);
        }
        Err(Error::Ceremony(reason)) => Some(reason.class()),
        Err(Error::AlreadyRegistered) => Some("AlreadyRegistered"),
        Err(Error::TooMany(_)) => Some("TooMany"),
        Err(Error::Invitation) => Some("BadInvitation"),
        // Not a matter of what was shown.
        Err(_) => None,
    };
    let made = made.map_err(ApiError::from);
    if let (Err(error), Some(reason)) = (&made, reason) {
        refused(node, initiator, &id, error, reason);
    }
    made
}

/// Notes a registration that was refused, and tells auditors why. Nothing of what was shown.
fn refused(node: &Node, initiator: Initiator, id: &str, error: &ApiError, reason: &'static str) {
    info!(passkey.id = id, reason, "registration of a passkey refused");
    let logins = &node.metrics.logins;
    logins.refused(Ceremony::Registration, reason);
    let failure = notify::Reason {
        code: error.status().as_u16(),
        text: reason.to_owned(),
    };
    send(node, initiator, Operation::Created, id, Some(failure));
}

/// Makes an invitation for the user to register a passkey. Who invites oneself has to have signed in as
/// for registering one.
///
/// # Errors
/// 403 for who may not, and for delegated tokens.
pub async fn invite(
    node: &Node,
    caller: &Caller,
    http: &HttpRequest,
    user: &UserId,
    now: i64,
) -> Result<Invitation, ApiError> {
    allow(node, caller, Rule::V4PasskeyInvite, user).await?;
    refuse_delegated(caller)?;
    if is_own(caller, user) {
        // Or it would be a way around what that asks for.
        allow(node, caller, Rule::V4PasskeyRegister, user).await?;
        require_fresh(node, caller, now)?;
    }
    let create = CreateInvitation {
        user: user.clone(),
        created_by: caller.token.acting_user.to_string(),
        now,
    };
    let invitation = node.providers.webauthn.send(create).await?;
    info!(user.id = %user, "made an invitation to register a passkey");
    super::invited(node, http, caller, user);
    Ok(invitation)
}

/// The link that is sent to the user. Behind the `#`, so that no server and no proxy logs it.
pub fn invitation_url(node: &Node, invitation: &Invitation) -> String {
    let secret = invitation.secret.expose_secret();
    format!("{}/passkeys/invitation#{secret}", super::page_origin(node))
}

/// Begins to register a passkey by an invitation.
///
/// # Errors
/// 401 where the invitation is not good, 429.
pub async fn begin_invited(
    node: &Node,
    http: &HttpRequest,
    secret: &SecretString,
    now: i64,
) -> Result<CreationOptions, ApiError> {
    let user = invited_user(node, http, secret, now).await?;
    begin(node, &user, now).await
}

/// Registers the passkey, and uses up the invitation.
///
/// # Errors
/// As of [`begin_invited`] and [`finish_registration`].
pub async fn finish_invited(
    node: &Node,
    http: &HttpRequest,
    secret: &SecretString,
    credential: Attested,
    description: Option<String>,
    now: i64,
) -> Result<Arc<Passkey>, ApiError> {
    let user = invited_user(node, http, secret, now).await?;
    check_description(description.as_deref())?;
    let finish = FinishRegistration {
        user: user.id.clone(),
        created_by: Some(user.id.to_string()),
        credential,
        description,
        invitation: Some(secret.clone()),
        now,
    };
    let passkey = register(node, of_user(http, &user.id), finish).await?;
    info!(user.id = %user.id, passkey.id = passkey.id, "registered a passkey by invitation");
    Ok(passkey)
}

fn of_user(http: &HttpRequest, user: &UserId) -> Initiator {
    Initiator {
        user_id: Some(user.to_string()),
        ..initiator(http)
    }
}

/// Whom an invitation is for. Auditors are told of one that is not good: no passkey has a name yet.
async fn invited_user(
    node: &Node,
    http: &HttpRequest,
    secret: &SecretString,
    now: i64,
) -> Result<Arc<User>, ApiError> {
    limits::step(node, http, None, now)?;
    let look = LookInvitation {
        secret: secret.clone(),
        now,
    };
    let bad = |initiator, reason| {
        let error = ApiError::from(Error::Invitation);
        refused(node, initiator, "invitation", &error, reason);
        error
    };
    let Some(id) = node.providers.webauthn.read(look).await? else {
        return Err(bad(initiator(http), "BadInvitation"));
    };
    let user = node.providers.identity.read(GetUser { id }).await?;
    match user.is_enabled(now) {
        true => Ok(user),
        false => Err(bad(of_user(http, &user.id), "UserDisabled")),
    }
}
