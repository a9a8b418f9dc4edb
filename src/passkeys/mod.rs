//! Passkeys, as the API and the pages offer them: who may do what with whose, and what auditors
//! are told of it. The ceremonies themselves are the provider's.

pub mod authenticators;
mod device;
mod enrolment;
mod login;
mod manage;
pub mod spelling;

use std::sync::Arc;

use actix_web::HttpRequest;
use keystone_actors::identity::{self, GetUser, User};
use keystone_actors::ids::UserId;
use keystone_actors::webauthn::{Passkey, limits};
use serde_json::{Value, json};

use crate::api::call::initiator;
use crate::api::caller::Caller;
use crate::api::error::ApiError;
use crate::node::Node;
use crate::notify::{Event, Initiator, Kind, Operation, Outcome, Reason, Subject};
use crate::policy::{Rule, Subject as _, Target};

pub use crate::auth::request::{DomainRef, UserRef as UserNamed};
pub use device::{Poll, poll_device, start_device};
pub use enrolment::{
    begin_invited, begin_registration, finish_invited, finish_registration, invitation_url, invite,
};
pub use keystone_actors::webauthn::passkey_id as id_of;
pub use login::{LoginWanted, begin_login, finish_login};
pub use manage::{
    Change, get, list, new_recovery_codes, recovery_code_helps, recovery_codes_left, remove, reset,
    update,
};

/// What a passkey may be called, in characters.
pub const MAX_DESCRIPTION: usize = limits::DESCRIPTION;

/// Fails unless policy lets the caller do this with the user's passkeys. Who may not learns nothing
/// of whether there is such a user; only then is 404 told.
async fn allow(
    node: &Node,
    caller: &Caller,
    rule: Rule,
    user: &UserId,
) -> Result<Arc<User>, ApiError> {
    let found = match node
        .providers
        .identity
        .read(GetUser { id: user.clone() })
        .await
    {
        Err(error @ identity::Error::UserNotFound(_)) => Err(error),
        found => Ok(found?),
    };
    let target = Target::new().with("target.user.id", user.as_str());
    let domain = found.as_ref().ok().map(|user| user.domain_id.as_str());
    let target = target.with_some("target.user.domain_id", domain);
    caller
        .known_for(node, rule)
        .await?
        .enforce(node, rule, &target)?;
    Ok(found?)
}

/// Fails for a token that was handed on: a passkey outlives and outranks what such a token was made
/// from.
fn refuse_delegated(caller: &Caller) -> Result<(), ApiError> {
    match caller.token.is_delegated() {
        true => Err(ApiError::forbidden_action(
            "Passkeys are changed by people who have signed in themselves, not with delegated \
             tokens (application credentials, trusts, OAuth). Sign in and try again",
        )),
        false => Ok(()),
    }
}

/// Fails unless the user has signed in just now: a token that was stolen is not to become a passkey
/// that nobody takes away.
fn require_fresh(node: &Node, caller: &Caller, now: i64) -> Result<(), ApiError> {
    match node.step_up.is_fresh(&caller.token, now) {
        true => Ok(()),
        false => Err(ApiError::forbidden_action(&format!(
            "This needs a login of the last {} seconds. Sign in again",
            node.step_up.max_age()
        ))),
    }
}

fn is_own(caller: &Caller, user: &UserId) -> bool {
    caller.user_id() == Some(user.as_str())
}

/// Tells auditors of a change of a passkey.
fn tell(node: &Node, http: &HttpRequest, caller: &Caller, operation: Operation, id: &str) {
    send(node, acting(http, caller), operation, id, None);
}

/// Who acts, as auditors are told.
fn acting(http: &HttpRequest, caller: &Caller) -> Initiator {
    Initiator {
        user_id: caller.user_id().map(str::to_owned),
        project_id: caller.project_id().map(str::to_owned),
        domain_id: caller.domain_id().map(str::to_owned),
        ..initiator(http)
    }
}

/// Tells auditors that a user was invited to register a passkey: a change of what concerns the user.
fn invited(node: &Node, http: &HttpRequest, caller: &Caller, user: &UserId) {
    let id = format!("invitation of {user}");
    tell(node, http, caller, Operation::Created, &id);
}

/// The origin of the pages.
pub fn page_origin(node: &Node) -> &str {
    let origin = node.config.webauthn.own_origins().next();
    origin.map_or("", |origin| origin.as_str().trim_end_matches('/'))
}

/// Tells auditors what became of a passkey, or why nothing did.
fn send(
    node: &Node,
    initiator: Initiator,
    operation: Operation,
    id: &str,
    failure: Option<Reason>,
) {
    node.notifier.send(Event {
        subject: Subject::Resource {
            kind: Kind::Passkey,
            operation,
            id: id.to_owned(),
            actor: None,
        },
        initiator,
        outcome: match failure {
            None => Outcome::Success,
            Some(_) => Outcome::Failure,
        },
        reason: failure,
    });
}

/// A passkey as clients see it.
pub fn shown(passkey: &Passkey) -> Value {
    json!({
        "id": passkey.id,
        "credential_id": spelling::base64url(&passkey.credential_id),
        "description": passkey.description,
        "created_at": time(passkey.created_at),
        "created_by": passkey.created_by,
        "last_used_at": passkey.last_used_at.map(time),
        "transports": passkey.transports,
        "aaguid": passkey.aaguid,
        "authenticator_name": passkey.aaguid.and_then(authenticators::name),
        "backup_eligible": passkey.backup_eligible,
        "backup_state": passkey.backup_state,
        "discoverable": passkey.discoverable,
        "state": passkey.state.as_str(),
    })
}

/// Microseconds since 1970 as Keystone writes times.
fn time(microseconds: i64) -> String {
    let time = chrono::DateTime::from_timestamp_micros(microseconds).unwrap_or_default();
    time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// Seconds since 1970 as Keystone writes times.
pub fn time_of(seconds: i64) -> String {
    time(seconds.saturating_mul(1_000_000))
}

/// Fails where a description is longer than may be.
fn check_description(description: Option<&str>) -> Result<(), ApiError> {
    let fits = |text: &str| text.chars().count() <= MAX_DESCRIPTION;
    match description.is_none_or(fits) {
        true => Ok(()),
        false => Err(ApiError::bad_request(format!(
            "Invalid input for field 'description': it may have {MAX_DESCRIPTION} characters at most."
        ))),
    }
}
