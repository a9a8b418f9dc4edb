//! Method `application_credential`.

use keystone_actors::application_credential::{
    AuthenticateApplicationCredential, Authentication, Lookup,
};
use keystone_actors::ids::{ApplicationCredentialId, UserId};
use keystone_actors::token::PayloadScope;
use serde_json::json;
use tracing::info;

use super::password::find_user;
use super::request::{ApplicationCredential, ApplicationCredentialRef};
use super::{Proof, refused};
use crate::api::error::ApiError;
use crate::node::Node;

/// Proves the credential's owner, whoever the request names (A1), and prescribes its project.
pub(super) async fn prove(
    node: &Node,
    proof: &mut Proof,
    method: &ApplicationCredential,
    now: i64,
) -> Result<(), ApiError> {
    let (lookup, named) = match &method.lookup {
        ApplicationCredentialRef::Id(id, user) => {
            let named = match user {
                Some(user) => Some(find_user(node, user).await?.map(|user| user.id.clone())),
                None => None,
            };
            let id = ApplicationCredentialId::from(id.as_str());
            (Lookup::ById(id), named)
        }
        ApplicationCredentialRef::Name(name, user) => {
            let lookup = Lookup::ByName {
                name: name.clone(),
                // A user that does not exist has no credentials; finding that costs the same.
                user_id: find_user(node, user)
                    .await?
                    .map_or_else(|| UserId::from(""), |user| user.id.clone()),
            };
            (lookup, None)
        }
    };
    let authenticate = AuthenticateApplicationCredential {
        lookup,
        secret: method.secret.clone(),
        now,
    };
    let credential = match node
        .providers
        .application_credential
        .send(authenticate)
        .await?
    {
        Authentication::Accepted(credential) => credential,
        Authentication::Refused(reason) => {
            info!(?reason, "login by application credential refused");
            return Err(refused(node, &format_args!("{reason:?}")));
        }
    };
    if named.is_some_and(|named| named.as_ref() != Some(&credential.user_id)) {
        return Err(ApiError::unauthenticated());
    }
    // The owner, and the owner's domain, must be enabled: seen when the token is put together.
    proof.is(&credential.user_id)?;
    proof.methods.insert("application_credential");
    proof.ends(credential.expires_at);
    proof.scope = Some(match &credential.project_id {
        Some(project) => PayloadScope::Project(project.to_string()),
        None => PayloadScope::Unscoped,
    });
    proof.application_credential = Some(credential.id.to_string());
    Ok(())
}

/// What is answered when a credential comes with a scope.
pub(super) fn scope_refused() -> ApiError {
    ApiError::unauthenticated_as(
        "Error authenticating with application credential: \
         Application credentials cannot request a scope.",
    )
    .with_identity(json!({}))
}
