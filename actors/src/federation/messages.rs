//! What the federation provider answers.

use std::sync::Arc;

use actix::Message;

use super::{
    Error, IdentityProvider, IdentityProviderPatch, Mapping, MappingDraft, NewIdentityProvider,
    NewProtocol, NewServiceProvider, Protocol, ProtocolPatch, ServiceProvider,
    ServiceProviderPatch,
};
use crate::actor::Idempotent;
use crate::ids::{IdentityProviderId, MappingId, ProtocolId, ServiceProviderId};

/// One identity provider, enabled or not. `IdentityProviderNotFound` if none has this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<IdentityProvider>, Error>")]
pub struct GetIdentityProvider {
    /// Its ID.
    pub id: IdentityProviderId,
}
impl Idempotent for GetIdentityProvider {}

/// All identity providers, in the order of their IDs.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<IdentityProvider>, Error>")]
pub struct ListIdentityProviders;
impl Idempotent for ListIdentityProviders {}

/// Creates an identity provider, and the domain of its users where none is named.
/// `DomainNotFound`, `IdentityProviderExists` or `RemoteIdTaken`.
#[derive(Debug, Message)]
#[rtype(result = "Result<Arc<IdentityProvider>, Error>")]
pub struct CreateIdentityProvider {
    /// Its ID.
    pub id: IdentityProviderId,
    /// The provider to be.
    pub provider: NewIdentityProvider,
}

/// Changes what `patch` names, keeps the rest. `RemoteIdTaken`.
#[derive(Debug, Message)]
#[rtype(result = "Result<Arc<IdentityProvider>, Error>")]
pub struct UpdateIdentityProvider {
    /// Which provider.
    pub id: IdentityProviderId,
    /// What changes.
    pub patch: IdentityProviderPatch,
}

/// Deletes an identity provider with its protocols, the identities that users have of it, and those
/// users who have no other, with all that is theirs. Its tokens are good no longer.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteIdentityProvider {
    /// Which provider.
    pub id: IdentityProviderId,
    /// Seconds since 1970.
    pub now: i64,
}

/// One protocol of an identity provider. `ProtocolNotFound`, also where there is no such provider.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Protocol, Error>")]
pub struct GetProtocol {
    /// Whose protocol.
    pub idp: IdentityProviderId,
    /// Its ID.
    pub id: ProtocolId,
}
impl Idempotent for GetProtocol {}

/// The protocols of an identity provider, in the order of their IDs; none where there is no such
/// provider (Keystone's rule).
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<Protocol>, Error>")]
pub struct ListProtocols {
    /// Whose protocols.
    pub idp: IdentityProviderId,
}
impl Idempotent for ListProtocols {}

/// Creates a protocol. `UnknownMapping`, `IdentityProviderNotFound` or `ProtocolExists`.
#[derive(Debug, Message)]
#[rtype(result = "Result<Protocol, Error>")]
pub struct CreateProtocol {
    /// Whose protocol.
    pub idp: IdentityProviderId,
    /// Its ID.
    pub id: ProtocolId,
    /// The protocol to be.
    pub protocol: NewProtocol,
}

/// Changes a protocol. `UnknownMapping` or `ProtocolNotFound`.
#[derive(Debug, Message)]
#[rtype(result = "Result<Protocol, Error>")]
pub struct UpdateProtocol {
    /// Whose protocol.
    pub idp: IdentityProviderId,
    /// Its ID.
    pub id: ProtocolId,
    /// What changes.
    pub patch: ProtocolPatch,
}

/// Deletes a protocol with the identities that users have by it, and those users who have no other.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteProtocol {
    /// Whose protocol.
    pub idp: IdentityProviderId,
    /// Its ID.
    pub id: ProtocolId,
    /// Seconds since 1970.
    pub now: i64,
}

/// One mapping. `MappingNotFound` if none has this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Mapping, Error>")]
pub struct GetMapping {
    /// Its ID.
    pub id: MappingId,
}
impl Idempotent for GetMapping {}

/// All mappings, in the order of their IDs.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<Mapping>, Error>")]
pub struct ListMappings;
impl Idempotent for ListMappings {}

/// Creates a mapping. `MappingExists`.
#[derive(Debug, Message)]
#[rtype(result = "Result<Mapping, Error>")]
pub struct CreateMapping {
    /// Its ID.
    pub id: MappingId,
    /// The mapping to be.
    pub mapping: MappingDraft,
}

/// Changes a mapping: all of it.
#[derive(Debug, Message)]
#[rtype(result = "Result<Mapping, Error>")]
pub struct UpdateMapping {
    /// Which mapping.
    pub id: MappingId,
    /// What it is to be.
    pub mapping: MappingDraft,
}

/// Deletes a mapping. Protocols may go on naming it (Keystone's rule).
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteMapping {
    /// Which mapping.
    pub id: MappingId,
}

/// One service provider, enabled or not. `ServiceProviderNotFound` if none has this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<ServiceProvider, Error>")]
pub struct GetServiceProvider {
    /// Its ID.
    pub id: ServiceProviderId,
}
impl Idempotent for GetServiceProvider {}

/// All service providers, in the order of their IDs.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<ServiceProvider>, Error>")]
pub struct ListServiceProviders;
impl Idempotent for ListServiceProviders {}

/// The enabled service providers as the bodies of tokens show them: objects of `id`, `auth_url`
/// and `sp_url`, in the order of their IDs.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<[serde_json::Value]>, Error>")]
pub struct ListEnabledServiceProviders;
impl Idempotent for ListEnabledServiceProviders {}

/// Creates a service provider. `ServiceProviderExists`.
#[derive(Debug, Message)]
#[rtype(result = "Result<ServiceProvider, Error>")]
pub struct CreateServiceProvider {
    /// Its ID.
    pub id: ServiceProviderId,
    /// The provider to be.
    pub provider: NewServiceProvider,
}

/// Changes what `patch` names, keeps the rest.
#[derive(Debug, Message)]
#[rtype(result = "Result<ServiceProvider, Error>")]
pub struct UpdateServiceProvider {
    /// Which provider.
    pub id: ServiceProviderId,
    /// What changes.
    pub patch: ServiceProviderPatch,
}

/// Deletes a service provider.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteServiceProvider {
    /// Which provider.
    pub id: ServiceProviderId,
}
