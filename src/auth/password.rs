//! Method `password`.

use std::sync::Arc;

use keystone_actors::identity::{
    self, AuthenticatePassword, Authenticated, FindUser, GetUser, Refusal, User, UserLookup,
};
use keystone_actors::ids::{DomainId, UserId};
use keystone_actors::resource::{self, Domain, FindDomain, GetDomain};
use secrecy::SecretString;
use tracing::info;

use super::request::{DomainRef, Password, UserRef};
use super::{Proof, refused};
use crate::api::error::ApiError;
use crate::node::Node;

/// Proves the user by password. Whoever is refused learns nothing, whatever the reason; only an
/// expired password is told, once it was right.
pub(super) async fn prove(
    node: &Node,
    proof: &mut Proof,
    method: &Password,
    now: i64,
) -> Result<(), ApiError> {
    let lookup = lookup(node, &method.user).await?;
    let authenticate = AuthenticatePassword {
        user: lookup,
        password: method
            .password
            .clone()
            .unwrap_or_else(|| SecretString::from("")),
        // A disabled domain's name was not resolved; one named by the user's ID shows when the
        // token is put together.
        domain_enabled: true,
        now,
    };
    match node.providers.identity.send(authenticate).await? {
        Authenticated::Accepted(user) => {
            proof.is(&user.id)?;
            proof.methods.insert("password");
            Ok(())
        }
        Authenticated::Refused(Refusal::PasswordExpired { user }) => {
            info!(user.id = %user.id, "login refused: the password has expired");
            Err(ApiError::unauthenticated_as(format!(
                "The password is expired and needs to be changed for user: {}.",
                user.id
            )))
        }
        Authenticated::Refused(refusal) => {
            let reason = match refusal {
                Refusal::UnknownUser => "unknown user",
                Refusal::Disabled => "user disabled",
                Refusal::Locked => "account locked",
                Refusal::WrongPassword | Refusal::PasswordExpired { .. } => "wrong password",
            };
            info!(reason, "login refused");
            Err(refused(node, &reason))
        }
    }
}

/// How the identity provider finds the user. A domain that does not exist has no users: looking
/// one up in it costs the same as anywhere else.
pub(super) async fn lookup(node: &Node, user: &UserRef) -> Result<UserLookup, ApiError> {
    Ok(match user {
        UserRef::Id(id) => UserLookup::ById(UserId::from(id.as_str())),
        UserRef::Name { name, domain } => UserLookup::ByName {
            name: name.clone(),
            domain_id: match domain_id(node, domain).await? {
                Some(id) => id,
                None => DomainId::from(""),
            },
        },
    })
}

/// The user, for methods that compare something else than a password.
pub(super) async fn find_user(node: &Node, user: &UserRef) -> Result<Option<Arc<User>>, ApiError> {
    let identity = &node.providers.identity;
    Ok(match lookup(node, user).await? {
        UserLookup::ById(id) => match identity.read(GetUser { id }).await {
            Err(identity::Error::UserNotFound(_)) => None,
            answer => Some(answer?),
        },
        UserLookup::ByName { name, domain_id } => {
            identity.read(FindUser { name, domain_id }).await?
        }
    })
}

/// The ID of an enabled domain.
pub(super) async fn domain_id(
    node: &Node,
    domain: &DomainRef,
) -> Result<Option<DomainId>, ApiError> {
    let found = find_domain(node, domain).await?;
    Ok(found
        .filter(|domain| domain.enabled)
        .map(|domain| domain.id.clone()))
}

/// The domain, enabled or not.
pub(super) async fn find_domain(
    node: &Node,
    domain: &DomainRef,
) -> Result<Option<Arc<Domain>>, ApiError> {
    let resource = &node.providers.resource;
    let found = match domain {
        DomainRef::Id(id) => {
            let id = DomainId::from(id.as_str());
            resource.read(GetDomain { id }).await
        }
        DomainRef::Name(name) => resource.read(FindDomain { name: name.clone() }).await,
    };
    match found {
        Ok(domain) => Ok(Some(domain)),
        Err(resource::Error::DomainNotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
