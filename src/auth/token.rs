//! Method `token`: a token for another token, of the same user and no longer life.

use keystone_actors::token::{Refusal, Scope, Token, ValidateToken, Verdict};
use secrecy::{ExposeSecret, SecretString};

use super::request::ScopeRequest;
use super::{Proof, webauthn};
use crate::api::error::{ApiError, FORBIDDEN};
use crate::config::sections::Requirement;
use crate::node::Node;

/// Proves the user by a token.
pub(super) async fn prove(
    node: &Node,
    proof: &mut Proof,
    text: &SecretString,
    scope: &ScopeRequest,
    now: i64,
) -> Result<(), ApiError> {
    let validate = ValidateToken {
        text: text.expose_secret().into(),
        now,
        allow_expired: false,
    };
    let token = match node.providers.token.read(validate).await? {
        Verdict::Valid(token) => token,
        Verdict::Refused(Refusal::BrokenTrust) => return Err(ApiError::forbidden()),
        // Keystone answers a bad token here as it does a bad subject.
        Verdict::Refused(refusal) => return Err(ApiError::not_found(refusal.to_string())),
    };
    // Nobody enforces its access rules here: Keystone answers as to a service that does not heed them.
    if token
        .application_credential
        .as_ref()
        .is_some_and(|it| !it.access_rules.is_empty())
    {
        return Err(ApiError::not_found(Refusal::Invalid.to_string()));
    }
    may_make_another(node, &token, scope)?;
    proof.is(&token.user.id)?;
    let passkey = webauthn::is_by_passkey(node, &token).await?;
    for method in token.methods.iter() {
        let meant = webauthn::meant(node, method);
        match meant == webauthn::METHOD && !passkey {
            false => proof.methods.insert(meant),
            // Others made it: it stays what it is to them, and is nothing where they call it as we do.
            true => {
                proof.names_no_passkey = true;
                if method != webauthn::METHOD {
                    proof.methods.insert(method);
                }
            }
        }
    }
    // Whoever has it has passed the rules already, by what a passkey was good for then.
    let always = node.config.webauthn.user_verification == Requirement::Required;
    proof.user_verified |= passkey
        && (always
            || token
                .methods
                .iter()
                .all(|it| matches!(webauthn::meant(node, it), webauthn::METHOD | "token")));
    proof.methods.insert("token");
    proof.ends(Some(match node.config.webauthn.enabled {
        true => node.step_up.end_of_made_from(&token, now),
        false => token.expires_at,
    }));
    proof.audit_ids = Some(token.audit_ids.rescoped());
    proof.federation = token.federation.clone();
    proof.from_token = true;
    Ok(())
}

/// Keystone's rules for what a token may be made into.
fn may_make_another(node: &Node, token: &Token, scope: &ScopeRequest) -> Result<(), ApiError> {
    let refuse = |why: &str| {
        let text = FORBIDDEN.trim_end_matches('.');
        Err(ApiError::forbidden_as(format!("{text}: {why}.")))
    };
    if token.access_token.is_some() {
        return refuse(
            "Using OAuth-scoped token to create another token. Create a new OAuth-scoped token instead",
        );
    }
    if token.trust.is_some() {
        return refuse(
            "Using trust-scoped token to create another token. Create a new trust-scoped token instead",
        );
    }
    if token.is_delegated() {
        return refuse("Using a delegated token to create another token is not allowed.");
    }
    let elsewhere = matches!(scope, ScopeRequest::Project(_) | ScopeRequest::Domain(_));
    if matches!(token.scope, Scope::System) && elsewhere {
        return refuse(
            "Using a system-scoped token to create a project-scoped or domain-scoped token is not allowed.",
        );
    }
    let scoped = !matches!(token.scope, Scope::Unscoped);
    if scoped && !node.config.token.allow_rescope_scoped_token {
        return refuse("rescope a scoped token");
    }
    Ok(())
}
