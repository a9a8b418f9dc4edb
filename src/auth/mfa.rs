//! Multi-factor authentication: a user's rules, and receipts for what was shown so far.

use chrono::DateTime;
use keystone_actors::identity::{GetUser, User};
use keystone_actors::ids::UserId;
use keystone_actors::resource::GetDomain;
use keystone_actors::token::{Methods, OpenedReceipt, Receipt};
use keystone_actors::webauthn::{HasPasskey, NoteReceipt, PasskeyOfReceipt};
use serde_json::{Value, json};
use tracing::info;

use super::{Proof, refused, webauthn};
use crate::api::error::ApiError;
use crate::node::Node;

/// A receipt, and what the client is told with it.
pub struct ReceiptDue {
    /// The receipt's text: header `Openstack-Auth-Receipt`. A secret.
    pub text: String,
    /// The body: what the receipt proves, and which methods would complete it.
    pub body: Value,
}

/// The receipt of an earlier request, if there is one, whosever it is.
///
/// # Errors
/// 401 where it is not good.
pub(super) fn open(
    node: &Node,
    receipt: Option<&str>,
    now: i64,
) -> Result<Option<OpenedReceipt>, ApiError> {
    let Some(text) = receipt.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let opened = node.receipts.open(text, now).map_err(|error| {
        info!(%error, "a receipt is refused");
        bad_receipt()
    })?;
    if now >= opened.receipt.expires_at {
        return Err(bad_receipt());
    }
    Ok(Some(opened))
}

/// Keystone repeats the receipt in its message; secrets are not repeated here.
fn bad_receipt() -> ApiError {
    ApiError::unauthenticated_as("Could not find auth receipt.")
}

/// Adds what an earlier request has proven.
pub(super) async fn add_receipt(
    node: &Node,
    proof: &mut Proof,
    user: &UserId,
    receipt: Option<&str>,
    now: i64,
) -> Result<(), ApiError> {
    let opened = match proof.receipt.take() {
        None => open(node, receipt, now)?,
        opened => opened,
    };
    let Some(opened) = opened else {
        return Ok(());
    };
    if opened.receipt.user_id != user.as_str() {
        return Err(bad_receipt());
    }
    let mut by_passkey = false;
    for method in opened.receipt.methods.iter() {
        let method = webauthn::meant(node, method);
        by_passkey |= method == webauthn::METHOD;
        proof.methods.insert(method);
    }
    if by_passkey && proof.passkey.is_none() {
        // It is as good as the passkey: gone with it, and so is the token that is made now.
        let look = PasskeyOfReceipt {
            receipt: receipt.unwrap_or_default().into(),
            now,
        };
        let Some(passkey) = node.providers.webauthn.read(look).await? else {
            info!(user.id = %user, "a receipt is refused: its passkey is gone");
            return Err(bad_receipt());
        };
        proof.passkey = Some(passkey);
    }
    Ok(())
}

/// A receipt, where the user's rules ask for more methods than were proven.
///
/// A recovery code counts only here, and only if nothing but a passkey is missing; it is left in
/// `proof` where it has to be used up.
pub(super) async fn check(
    node: &Node,
    proof: &mut Proof,
    user: &UserId,
    now: i64,
) -> Result<Option<ReceiptDue>, ApiError> {
    let user = node
        .providers
        .identity
        .read(GetUser { id: user.clone() })
        .await?;
    let rules = rules_of(&user);
    let meant = |method: &str| webauthn::meant(node, method).to_owned();
    let rules_meant: Vec<Vec<String>> = rules
        .iter()
        .map(|rule| rule.iter().map(|method| meant(method)).collect())
        .collect();
    let are_met = |proven: &Methods| rules_meant.iter().any(|rule| is_met(rule, proven));
    let enough = proof.user_verified && node.config.webauthn.mfa_equivalent;
    let done = rules.is_empty() || enough || are_met(&proof.methods);
    if proof.recovery_code.is_some() {
        let mut with = proof.methods.clone();
        with.insert(webauthn::METHOD);
        let is_due = match done {
            true => stands_for_a_login(node, proof, &user.id, now).await?,
            false => are_met(&with),
        };
        let mut named = rules_meant.iter().flatten();
        let leads_on = !done && named.any(|it| it == webauthn::METHOD);
        let is_other = |it: &str| !matches!(it, webauthn::METHOD | "token");
        let alone = !proof.methods.iter().any(is_other);
        if alone || !(is_due || leads_on) {
            let why = "a recovery code where nothing asks for a passkey beside something else";
            info!(user.id = %user.id, why, "login by recovery code refused");
            return Err(refused(node, &why).audited("RecoveryCodeAlone"));
        }
        if is_due {
            proof.methods = with;
            return Ok(None);
        }
        // Used up by what is no login yet it would be lost: it is shown with the last proof.
        proof.recovery_code = None;
    }
    if done {
        return Ok(None);
    }
    // A passkey that is not known could be deleted, and the receipt not noticed.
    let known = proof.passkey.is_some();
    let kept = proof.methods.iter();
    let kept: Methods = kept
        .filter(|method| known || *method != webauthn::METHOD)
        .collect();
    let expires_at = now + seconds(node.config.receipt.expiration);
    // It does not outlive the token or the application credential that is remembered in it.
    let expires_at = proof
        .not_after
        .map_or(expires_at, |end| end.min(expires_at));
    let receipt = Receipt {
        user_id: user.id.to_string(),
        methods: webauthn::sealed(node, &kept),
        expires_at,
    };
    let sealed = node.receipts.seal(&receipt, now);
    let text = sealed.map_err(|error| ApiError::internal(&error))?;
    if let Some(passkey) = &proof.passkey {
        let note = NoteReceipt {
            passkey: passkey.clone(),
            receipt: text.as_str().into(),
            expires_at,
        };
        webauthn::noted(node, node.providers.webauthn.read(note).await)?;
    }
    let domain = GetDomain {
        id: user.domain_id.clone(),
    };
    let domain = node.providers.resource.read(domain).await?;
    let configured = node.config.auth.methods.as_slice();
    // Only what can lead on: rules that share a method with what was proven, and can be met.
    let required: Vec<_> = rules
        .iter()
        .filter(|rule| {
            let known = |it: &String| configured.contains(it) || meant(it) == webauthn::METHOD;
            rule.iter().all(known)
        })
        .filter(|rule| rule.iter().any(|method| kept.contains(&meant(method))))
        .collect();
    info!(user.id = %user.id, "more authentication methods are due");
    let body = json!({
        "receipt": {
            "methods": receipt.methods,
            "user": {
                "domain": {"id": domain.id, "name": domain.name},
                "id": user.id,
                "name": user.name,
            },
            "expires_at": time(expires_at),
            "issued_at": time(now),
        },
        "required_auth_methods": required,
    });
    Ok(Some(ReceiptDue { text, body }))
}

/// Whether a recovery code, though no rule asks for it, makes a token that is good for more: for what
/// asks for a login by passkey of who has one ([`crate::api::step_up`]). A token that counts as old from
/// the start is good for none of it.
async fn stands_for_a_login(
    node: &Node,
    proof: &Proof,
    user: &UserId,
    now: i64,
) -> Result<bool, ApiError> {
    let step_up = &node.step_up;
    let is_of_use = step_up.is_on() && step_up.would_be_fresh(proof.not_after, now);
    if !is_of_use || proof.methods.contains(webauthn::METHOD) {
        return Ok(false);
    }
    let has = HasPasskey { user: user.clone() };
    Ok(node.providers.webauthn.read(has).await?)
}

/// The rules in force: none where the user has them switched off.
fn rules_of(user: &User) -> &[Vec<String>] {
    match (
        user.options.multi_factor_auth_enabled,
        &user.options.multi_factor_auth_rules,
    ) {
        (Some(false), _) | (_, None) => &[],
        (_, Some(rules)) => rules,
    }
}

/// A rule is met when all its methods are proven. One that names a method which nobody can prove
/// is never met (Python drops the method, and takes the rest for the rule).
fn is_met(rule: &[String], proven: &Methods) -> bool {
    !rule.is_empty() && rule.iter().all(|method| proven.contains(method))
}

fn seconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

fn time(seconds: i64) -> String {
    let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    time.format("%Y-%m-%dT%H:%M:%S.000000Z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn methods(names: &[&'static str]) -> Methods {
        names.iter().copied().collect()
    }

    #[test]
    fn a_rule_asks_for_all_its_methods_and_an_unknown_one_is_never_met() {
        let rule = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(is_met(
            &rule(&["password"]),
            &methods(&["password", "totp"])
        ));
        assert!(!is_met(
            &rule(&["password", "totp"]),
            &methods(&["password"])
        ));
        assert!(!is_met(
            &rule(&["password", "nosuch"]),
            &methods(&["password", "totp"])
        ));
        assert!(!is_met(&rule(&[]), &methods(&["password"])));
    }
}
