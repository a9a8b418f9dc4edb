//! Recovery codes, each good once in a passkey's place, beside another proof.

use keystone_actors::ids::UserId;
use keystone_actors::token::Issued;
use keystone_actors::webauthn::UseRecoveryCode;
use secrecy::SecretString;
use tracing::info;

use super::password::find_user;
use super::request::UserRef;
use super::webauthn::{admit, chain, is_same};
use super::{Proof, mfa, refused};
use crate::api::error::ApiError;
use crate::node::Node;

/// Takes the code for later: it is used up by a login that needs it, and does not fail for anything
/// else.
pub(super) async fn prove(
    node: &Node,
    proof: &mut Proof,
    user: Option<&UserRef>,
    code: &SecretString,
    receipt: Option<&str>,
    now: i64,
) -> Result<(), ApiError> {
    // The others, or a receipt, have proven who it is: nobody tries another's codes, nor learns by the
    // time that it takes whether there is such a user.
    let proven = match &proof.user {
        Some(user) => user.clone(),
        None => match mfa::open(node, receipt, now) {
            Ok(Some(opened)) => {
                let user = UserId::from(opened.receipt.user_id.as_str());
                proof.receipt = Some(opened);
                user
            }
            Ok(None) | Err(_) => return Err(no_such_code(node, None)),
        },
    };
    let known = match user {
        Some(user) => find_user(node, user).await?.map(|user| user.id.clone()),
        None => None,
    };
    if known.as_ref() != Some(&proven) {
        return Err(no_such_code(node, known.as_ref()));
    }
    admit(node, &proven, now).await?;
    is_same(proof, &proven)?;
    proof.recovery_code = Some(code.clone());
    Ok(())
}

/// Uses up a code for this token, which is to be given for it, and counts from now on as made with a
/// passkey.
pub(super) async fn use_up(
    node: &Node,
    user: &UserId,
    code: SecretString,
    issued: &Issued,
    now: i64,
) -> Result<(), ApiError> {
    let code = UseRecoveryCode {
        user: user.clone(),
        code,
        audit_id: chain(&issued.token.audit_ids),
        expires_at: issued.token.expires_at,
        now,
    };
    match node.providers.webauthn.send(code).await? {
        true => {
            info!(user.id = %user, "a recovery code was used");
            Ok(())
        }
        false => Err(no_such_code(node, Some(user))),
    }
}

fn no_such_code(node: &Node, user: Option<&UserId>) -> ApiError {
    let reason = "no such recovery code";
    info!(reason, "login by recovery code refused");
    let error = refused(node, &reason).audited("BadRecoveryCode");
    error.about(user)
}
