//! Changes of regions, services and endpoints. Once one is answered, no provider of this node
//! serves what was before.

use std::sync::Arc;

use actix::Message;

use super::super::{
    EndpointPatch, Error, NewEndpoint, NewRegion, NewService, PlacedEndpoint, Region, RegionPatch,
    Service, ServicePatch,
};
use crate::ids::{EndpointId, RegionId, ServiceId};

/// Creates a region. `RegionExists` if there is one of its ID, `RegionNotFound` if its parent
/// is missing.
#[derive(Debug, Message)]
#[rtype(result = "Result<Arc<Region>, Error>")]
pub struct CreateRegion {
    /// The region to be.
    pub region: NewRegion,
}

/// Changes what `patch` names, keeps the rest. `CircularRegions` if the region would be above
/// itself, `RegionNotFound` if it or its parent is missing.
#[derive(Debug, Message)]
#[rtype(result = "Result<Arc<Region>, Error>")]
pub struct UpdateRegion {
    /// Which region.
    pub id: RegionId,
    /// What changes.
    pub patch: RegionPatch,
}

/// Deletes a region and all below it. `RegionInUse` while one of them has endpoints.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteRegion {
    /// Which region.
    pub id: RegionId,
}

/// Creates a service.
#[derive(Debug, Message)]
#[rtype(result = "Result<Arc<Service>, Error>")]
pub struct CreateService {
    /// The service to be.
    pub service: NewService,
}

/// Changes what `patch` names, keeps the rest.
#[derive(Debug, Message)]
#[rtype(result = "Result<Arc<Service>, Error>")]
pub struct UpdateService {
    /// Which service.
    pub id: ServiceId,
    /// What changes.
    pub patch: ServicePatch,
}

/// Deletes a service with its endpoints, and what hangs on them.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteService {
    /// Which service.
    pub id: ServiceId,
}

/// Creates an endpoint, and the region that it names in the way of old if that is missing.
/// `InvalidUrl`, `UnknownRegion`, `UnknownService`.
#[derive(Debug, Message)]
#[rtype(result = "Result<PlacedEndpoint, Error>")]
pub struct CreateEndpoint {
    /// The endpoint to be.
    pub endpoint: NewEndpoint,
}

/// Changes what `patch` names, keeps the rest; makes a region as [`CreateEndpoint`]. The URL is
/// taken as it is, as Keystone does.
#[derive(Debug, Message)]
#[rtype(result = "Result<PlacedEndpoint, Error>")]
pub struct UpdateEndpoint {
    /// Which endpoint.
    pub id: EndpointId,
    /// What changes.
    pub patch: EndpointPatch,
}

/// Deletes an endpoint, and what hangs on it.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteEndpoint {
    /// Which endpoint.
    pub id: EndpointId,
}
