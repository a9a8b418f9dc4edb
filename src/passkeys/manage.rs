//! Looking at passkeys, changing and deleting them.

use std::sync::Arc;

use actix_web::HttpRequest;
use keystone_actors::ids::UserId;
use keystone_actors::token::Token;
use keystone_actors::webauthn::{
    CountRecoveryCodes, DeletePasskey, DeletePasskeys, GetPasskey, ListPasskeys, NewRecoveryCodes,
    Passkey, State, UpdatePasskey,
};
use secrecy::SecretString;
use tracing::info;

use super::{allow, check_description, enrolment, is_own, refuse_delegated, require_fresh, tell};
use crate::api::caller::Caller;
use crate::api::error::ApiError;
use crate::api::step_up::Standing;
use crate::node::Node;
use crate::notify::Operation;
use crate::policy::Rule;

/// What is to change of a passkey.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// `None` keeps it, `Some(None)` takes it away.
    pub description: Option<Option<String>>,
    /// `None` keeps it.
    pub state: Option<State>,
}

/// The passkeys of a user, oldest first.
///
/// # Errors
/// 403 for who may not see them; 404 without such a user.
pub async fn list(
    node: &Node,
    caller: &Caller,
    user: &UserId,
) -> Result<Arc<[Arc<Passkey>]>, ApiError> {
    allow(node, caller, Rule::V4PasskeyList, user).await?;
    let list = ListPasskeys { user: user.clone() };
    Ok(node.providers.webauthn.read(list).await?)
}

/// One of them, by its ID or its credential's.
///
/// # Errors
/// As of [`list`]; 404 where the user has none of this ID.
pub async fn get(
    node: &Node,
    caller: &Caller,
    user: &UserId,
    id: &str,
) -> Result<Arc<Passkey>, ApiError> {
    allow(node, caller, Rule::V4PasskeyGet, user).await?;
    find(node, user, id).await
}

async fn find(node: &Node, user: &UserId, id: &str) -> Result<Arc<Passkey>, ApiError> {
    let get = GetPasskey {
        user: user.clone(),
        id: id.to_owned(),
    };
    Ok(node.providers.webauthn.read(get).await?)
}

/// Changes a passkey. Who enables or disables an own one has to have signed in just now.
///
/// # Errors
/// As of [`get`]; 403 for delegated tokens, 400 for a description that is too long.
pub async fn update(
    node: &Node,
    caller: &Caller,
    http: &HttpRequest,
    user: &UserId,
    id: &str,
    change: Change,
    now: i64,
) -> Result<Arc<Passkey>, ApiError> {
    allow(node, caller, Rule::V4PasskeyUpdate, user).await?;
    refuse_delegated(caller)?;
    if change.state.is_some() && is_own(caller, user) {
        require_fresh(node, caller, now)?;
    }
    check_description(change.description.as_ref().and_then(Option::as_deref))?;
    let update = UpdatePasskey {
        user: user.clone(),
        id: id.to_owned(),
        description: change.description,
        state: change.state,
        now,
    };
    let passkey = node.providers.webauthn.read(update).await?;
    let operation = match change.state {
        Some(State::Disabled) => Operation::Disabled,
        _ => Operation::Updated,
    };
    tell(node, http, caller, operation, &passkey.id);
    Ok(passkey)
}

/// Deletes a passkey, and with `revoke_tokens` the tokens that were made with it. Who deletes an own
/// one has to have signed in just now.
///
/// # Errors
/// As of [`get`]; 403 for delegated tokens.
pub async fn remove(
    node: &Node,
    caller: &Caller,
    http: &HttpRequest,
    user: &UserId,
    id: &str,
    revoke_tokens: bool,
    now: i64,
) -> Result<(), ApiError> {
    allow(node, caller, Rule::V4PasskeyDelete, user).await?;
    refuse_delegated(caller)?;
    if is_own(caller, user) {
        require_fresh(node, caller, now)?;
    }
    let passkey = find(node, user, id).await?;
    let delete = DeletePasskey {
        user: user.clone(),
        id: passkey.id.clone(),
        revoke_tokens,
        now,
    };
    node.providers.webauthn.send(delete).await?;
    info!(user.id = %user, passkey.id = passkey.id, "deleted a passkey");
    tell(node, http, caller, Operation::Deleted, &passkey.id);
    Ok(())
}

/// Deletes all passkeys of a user who has lost them, with recovery codes and invitations, and
/// revokes the tokens that were made with them. Who deletes the own ones has to have signed in as for
/// deleting one.
///
/// # Errors
/// 403 for who may not, and for delegated tokens; 404 without such a user.
pub async fn reset(
    node: &Node,
    caller: &Caller,
    http: &HttpRequest,
    user: &UserId,
    now: i64,
) -> Result<(), ApiError> {
    allow(node, caller, Rule::V4PasskeyReset, user).await?;
    refuse_delegated(caller)?;
    if is_own(caller, user) {
        // Or it would be a way around what that asks for.
        allow(node, caller, Rule::V4PasskeyDelete, user).await?;
        require_fresh(node, caller, now)?;
    }
    let list = ListPasskeys { user: user.clone() };
    let passkeys = node.providers.webauthn.read(list).await?;
    let reset = DeletePasskeys {
        user: user.clone(),
        now,
    };
    let deleted = node.providers.webauthn.read(reset).await?;
    info!(user.id = %user, deleted, "deleted all passkeys of a user");
    for passkey in passkeys.iter() {
        tell(node, http, caller, Operation::Deleted, &passkey.id);
    }
    Ok(())
}

/// How many recovery codes a user has left.
///
/// # Errors
/// As of [`list`].
pub async fn recovery_codes_left(
    node: &Node,
    caller: &Caller,
    user: &UserId,
) -> Result<usize, ApiError> {
    allow(node, caller, Rule::V4PasskeyGet, user).await?;
    let count = CountRecoveryCodes { user: user.clone() };
    Ok(node.providers.webauthn.read(count).await?)
}

/// Whether a recovery code makes the login that a token is of good for more: for what asks for a login
/// of just now by passkey, where the user has codes.
///
/// # Errors
/// 503.
pub async fn recovery_code_helps(node: &Node, token: &Token, now: i64) -> Result<bool, ApiError> {
    if node.step_up.standing(node, token, now).await? != Standing::WithoutPasskey {
        return Ok(false);
    }
    let user = token.acting_user.clone();
    let count = CountRecoveryCodes { user };
    Ok(node.providers.webauthn.read(count).await? > 0)
}

/// Makes new recovery codes of the caller; older ones are good no longer.
///
/// # Errors
/// As of [`super::begin_registration`].
pub async fn new_recovery_codes(
    node: &Node,
    caller: &Caller,
    http: &HttpRequest,
    user: &UserId,
    now: i64,
) -> Result<Vec<SecretString>, ApiError> {
    enrolment::own(node, caller, Rule::V4PasskeyRegister, user, now).await?;
    let make = NewRecoveryCodes {
        user: user.clone(),
        now,
    };
    let codes = node.providers.webauthn.send(make).await?;
    info!(user.id = %user, "made recovery codes");
    tell(
        node,
        http,
        caller,
        Operation::Created,
        &format!("recovery codes of {user}"),
    );
    Ok(codes)
}
