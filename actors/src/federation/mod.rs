//! Federation: which identity providers are trusted, by which protocols and with which mappings,
//! and to which service providers this Keystone vouches for its users. Providers of both kinds are
//! read for tokens and changed rarely, so they are cached; protocols and mappings are not.

mod handlers;
mod messages;
mod model;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use messages::*;
pub use model::{
    IdentityProvider, IdentityProviderPatch, Mapping, MappingDraft, NewIdentityProvider,
    NewProtocol, NewServiceProvider, Protocol, ProtocolPatch, ServiceProvider,
    ServiceProviderPatch,
};
pub(crate) use store::delete_providers_of_domain;

use crate::actor::{Provider, Unavailable};
use crate::cache::Cache;
use crate::db::Db;
use crate::ids::{DomainId, IdentityProviderId, MappingId, ProtocolId, ServiceProviderId};
use crate::revocation::Invalidations;

/// The federation provider.
#[derive(Clone)]
pub struct FederationProvider {
    db: Db,
    caches: FederationCaches,
    invalidations: Invalidations,
    /// `[saml] relay_state_prefix`: what service providers have that are given none.
    relay_state_prefix: Arc<str>,
}

/// What the federation provider remembers; one set for all replicas.
#[derive(Clone)]
pub struct FederationCaches {
    /// Identity providers by ID.
    pub identity_providers: Cache<IdentityProviderId, Arc<IdentityProvider>>,
    /// The list of service providers that tokens show, as one entry.
    pub service_providers: Cache<(), Arc<[serde_json::Value]>>,
}

impl Provider for FederationProvider {
    const NAME: &'static str = "federation";
}

impl FederationProvider {
    /// The provider on its pool, with what `RelayState` begins with where nothing else is said.
    pub fn new(
        db: Db,
        caches: FederationCaches,
        invalidations: Invalidations,
        relay_state_prefix: Arc<str>,
    ) -> Self {
        Self {
            db,
            caches,
            invalidations,
            relay_state_prefix,
        }
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such identity provider.
    #[error("Could not find Identity Provider: {0}.")]
    IdentityProviderNotFound(IdentityProviderId),
    /// The identity provider has no such protocol.
    #[error("Could not find federated protocol {id} for Identity Provider: {idp}.")]
    ProtocolNotFound {
        /// The identity provider, which may not exist either.
        idp: IdentityProviderId,
        /// The protocol.
        id: ProtocolId,
    },
    /// There is no such mapping.
    #[error("Could not find mapping: {0}.")]
    MappingNotFound(MappingId),
    /// There is no such service provider.
    #[error("Could not find Service Provider: {0}.")]
    ServiceProviderNotFound(ServiceProviderId),
    /// There is no such domain.
    #[error("Could not find domain: {0}.")]
    DomainNotFound(DomainId),
    /// A protocol names a mapping that there is not. A malformed request, to Keystone.
    #[error("Invalid mapping id: {0}")]
    UnknownMapping(MappingId),
    /// There is an identity provider of this ID.
    #[error("Conflict occurred attempting to store identity_provider - Duplicate entry: {0}.")]
    IdentityProviderExists(IdentityProviderId),
    /// Another identity provider calls itself so.
    #[error("Conflict occurred attempting to store identity_provider - Duplicate remote ID: {0}.")]
    RemoteIdTaken(String),
    /// The identity provider has a protocol of this ID.
    #[error(
        "Conflict occurred attempting to store federation_protocol - Duplicate entry found with \
         ID {0}."
    )]
    ProtocolExists(ProtocolId),
    /// There is a mapping of this ID, which Keystone's text doesn't repeat.
    #[error("Conflict occurred attempting to store mapping - Duplicate entry.")]
    MappingExists(MappingId),
    /// There is a service provider of this ID.
    #[error(
        "Conflict occurred attempting to store service_provider - Duplicate entry found with ID \
         {0}."
    )]
    ServiceProviderExists(ServiceProviderId),
    /// A text does not fit into its column.
    #[error(
        "String length exceeded. The length of string '{value}' exceeds the limit of column \
         {column}(CHAR({most}))."
    )]
    TooLong {
        /// The column.
        column: &'static str,
        /// Characters that it takes.
        most: usize,
        /// The text.
        value: String,
    },
    /// A text without such a limit does not fit either.
    #[error("Too long to be stored: {0}.")]
    TooLarge(&'static str),
    /// Trying again may help.
    #[error("the federation provider is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("federation storage failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);
