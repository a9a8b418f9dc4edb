//! Multi-factor authentication: a user's rules, and receipts for what was shown so far.

use chrono::DateTime;
use keystone_actors::identity::{GetUser, User};
use keystone_actors::ids::UserId;
use keystone_actors::resource::GetDomain;
use keystone_actors::token::{Methods, Receipt};
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

/// Adds what an earlier request has proven.
pub(super) fn add_receipt(
    node: &Node,
    proof: &mut Proof,
    user: &UserId,
    receipt: Option<&str>,
    now: i64,
) -> Result<(), ApiError> {
    let Some(text) = receipt.filter(|text| !text.is_empty()) else {
        return Ok(());
    };
    // Keystone repeats the receipt in its message; secrets are not repeated here.
    let bad = || ApiError::unauthenticated_as("Could not find auth receipt.");
    let opened = node.receipts.open(text, now).map_err(|error| {
        info!(%error, "a receipt is refused");
        bad()
    })?;
    if opened.receipt.user_id != user.as_str() || now >= opened.receipt.expires_at {
        return Err(bad());
    }
    for method in opened.receipt.methods.iter() {
        proof.methods.insert(webauthn::meant(node, method));
    }
    Ok(())
}

/// A receipt, where the user's rules ask for more methods than were proven.
pub(super) async fn check(
    node: &Node,
    proof: &Proof,
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
    if proof.by_recovery_code {
        let stands_in = rules
            .iter()
            .flatten()
            .any(|it| meant(it) == webauthn::METHOD);
        let mut others = proof.methods.iter();
        let alone = !others.any(|it| !matches!(it, webauthn::METHOD | "token"));
        if alone || !stands_in {
            let why = "a recovery code where no rule asks for a passkey beside something else";
            info!(user.id = %user.id, why, "login by recovery code refused");
            return Err(refused(node, &why).audited("RecoveryCodeAlone"));
        }
    }
    let met = |rule: &Vec<String>| {
        let rule: Vec<String> = rule.iter().map(|method| meant(method)).collect();
        is_met(&rule, &proof.methods)
    };
    let enough = proof.user_verified && node.config.webauthn.mfa_equivalent;
    if rules.is_empty() || enough || rules.iter().any(met) {
        return Ok(None);
    }
    let expires_at = now + seconds(node.config.receipt.expiration);
    let receipt = Receipt {
        user_id: user.id.to_string(),
        methods: webauthn::sealed(node, &proof.methods),
        expires_at,
    };
    let sealed = node.receipts.seal(&receipt, now);
    let text = sealed.map_err(|error| ApiError::internal(&error))?;
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
        .filter(|rule| {
            rule.iter()
                .any(|method| proof.methods.contains(&meant(method)))
        })
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
