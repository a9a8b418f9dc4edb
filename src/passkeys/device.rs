//! A login on a command line that goes on in a browser (RFC 8628).

use actix_web::HttpRequest;
use keystone_actors::webauthn::{Device, DevicePoll, PollDevice, StartDevice};
use secrecy::SecretString;
use serde_json::Value;
use tracing::info;

use super::page_origin;
use crate::api::error::ApiError;
use crate::auth::request::ScopeRequest;
use crate::auth::webauthn::log_in_as_granted;
use crate::auth::{Outcome, count, limits, tell};
use crate::node::Node;
use crate::telemetry::logins::Ceremony;

/// How a login stands.
pub enum Poll {
    /// The user has let it in.
    Done(Outcome),
    /// Not, or not yet: RFC 8628's word for it, and what it means.
    Not(&'static str, &'static str),
}

/// Begins such a login. Gives it, and the page where the user goes on.
///
/// # Errors
/// 429, 503.
pub async fn start_device(
    node: &Node,
    http: &HttpRequest,
    client: &str,
    now: i64,
) -> Result<(Device, String), ApiError> {
    limits::device(node, http, now)?;
    let start = StartDevice {
        client: client.to_owned(),
        now,
    };
    let device = node.providers.webauthn.send(start).await?;
    Ok((device, format!("{}/passkeys/device", page_origin(node))))
}

/// Asks how it stands. A code that is unknown counts as a step of a login; whoever has a good one is
/// never put off.
///
/// # Errors
/// 401 where the user may not log in, 400 for a scope that is none, 429 for unknown codes, 503.
pub async fn poll_device(
    node: &Node,
    http: &HttpRequest,
    device_code: SecretString,
    scope: Option<&Value>,
    now: i64,
) -> Result<Poll, ApiError> {
    let scope = match scope {
        Some(scope) => ScopeRequest::parse(scope)?,
        None => ScopeRequest::Unscoped,
    };
    let refused = |reason| node.metrics.logins.refused(Ceremony::Device, reason);
    let poll = PollDevice { device_code, now };
    let stands = node.providers.webauthn.send(poll).await?;
    if stands == DevicePoll::Unknown {
        limits::step(node, http, None, now)?;
    }
    Ok(match stands {
        DevicePoll::Pending => Poll::Not(
            "authorization_pending",
            "the user has not answered yet; ask again after the interval.",
        ),
        DevicePoll::SlowDown => Poll::Not(
            "slow_down",
            "it was asked too soon; wait five seconds more between two questions.",
        ),
        DevicePoll::Denied => {
            refused("Denied");
            Poll::Not("access_denied", "the user has refused.")
        }
        DevicePoll::Expired | DevicePoll::Unknown => {
            refused("Expired");
            Poll::Not(
                "expired_token",
                "this login is over, or was never begun; begin again.",
            )
        }
        DevicePoll::Granted {
            user,
            passkey: Some(passkey),
        } => {
            let outcome = log_in_as_granted(node, &user, passkey, &scope, now).await;
            count(node, Ceremony::Device, &outcome);
            tell(node, http, &outcome, Some(&user));
            Poll::Done(outcome?)
        }
        DevicePoll::Granted {
            user,
            passkey: None,
        } => {
            info!(user.id = %user, "a login without a passkey is not handed on");
            refused("NoPasskey");
            Poll::Not(
                "access_denied",
                "the user has not signed in with a passkey.",
            )
        }
    })
}
