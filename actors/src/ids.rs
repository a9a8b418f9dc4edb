//! Identifiers, a type each, so that a user's can't be passed where a role's is due.
//!
//! New ones are 32 lower-case hexadecimal digits (a random UUID), as Keystone makes them; an
//! existing one is any text up to 64 characters and is never validated, only looked up.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! identifier {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// A new random identifier: 32 lower-case hexadecimal digits.
            pub fn random() -> Self {
                Self(random_id().into())
            }

            /// The identifier's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    )*};
}

/// 32 lower-case hexadecimal digits of a random (version 4) UUID.
pub fn random_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

identifier! {
    /// A user, local or federated.
    UserId,
    /// A group of users.
    GroupId,
    /// A project; a domain's ID is one too, as a domain is a project that acts as domain.
    ProjectId,
    /// A domain.
    DomainId,
    /// A role.
    RoleId,
    /// A service of the catalog.
    ServiceId,
    /// An endpoint of the catalog.
    EndpointId,
    /// A region: chosen by its creator, up to 255 characters.
    RegionId,
    /// A group of endpoints, chosen by a filter.
    EndpointGroupId,
    /// A policy that is kept for a service.
    PolicyId,
    /// A registered limit.
    RegisteredLimitId,
    /// A limit of one project or domain.
    LimitId,
    /// A trust.
    TrustId,
    /// An application credential.
    ApplicationCredentialId,
    /// A credential; of EC2 the SHA-256 of its access key, 64 hexadecimal digits.
    CredentialId,
    /// An identity provider: chosen by its creator, up to 64 characters; as with those below.
    IdentityProviderId,
    /// A protocol of an identity provider, unique with it alone.
    ProtocolId,
    /// A mapping.
    MappingId,
    /// A service provider.
    ServiceProviderId,
    /// An OAuth 1 consumer.
    ConsumerId,
}

impl From<&DomainId> for ProjectId {
    fn from(domain: &DomainId) -> Self {
        Self(domain.0.clone())
    }
}

impl From<&ProjectId> for DomainId {
    fn from(project: &ProjectId) -> Self {
        Self(project.0.clone())
    }
}
