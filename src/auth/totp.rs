//! Method `totp`: a one-time password of an authenticator whose secret is a credential of the user.

use keystone_actors::credential::{TotpVerdict, VerifyPasscode};
use keystone_actors::ids::UserId;
use secrecy::SecretString;
use tracing::info;

use super::password::find_user;
use super::request::Totp;
use super::{Proof, refused};
use crate::api::error::ApiError;
use crate::node::Node;

/// Proves the user by a passcode, which is good for one time (B8). Whoever is refused learns
/// nothing, whatever the reason.
pub(super) async fn prove(
    node: &Node,
    proof: &mut Proof,
    method: &Totp,
    now: i64,
) -> Result<(), ApiError> {
    let user = find_user(node, &method.user).await?;
    // The owner's domain must be enabled, too: seen when the token is put together.
    let enabled = user.filter(|user| user.is_enabled(now));
    let verify = VerifyPasscode {
        // Nobody has no secrets; finding that costs the same.
        user: enabled
            .as_ref()
            .map_or_else(|| UserId::from(""), |user| user.id.clone()),
        passcode: method
            .passcode
            .clone()
            .unwrap_or_else(|| SecretString::from("")),
        now,
    };
    let verdict = node.providers.credential.send(verify).await?;
    match (enabled, verdict) {
        (Some(user), TotpVerdict::Accepted) => {
            proof.is(&user.id)?;
            proof.methods.insert("totp");
            Ok(())
        }
        (user, verdict) => {
            let reason = match verdict {
                _ if user.is_none() => "unknown or disabled user",
                TotpVerdict::Used => "the passcode has been used",
                TotpVerdict::Wrong | TotpVerdict::Accepted => "wrong passcode",
            };
            info!(reason, "login by one-time password refused");
            Err(refused(node, &reason))
        }
    }
}
