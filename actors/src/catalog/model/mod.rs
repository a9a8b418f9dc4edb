//! What the catalog is made of, and the rules for changing it.

mod endpoint;
mod group;
mod inventory;
mod region;
mod rendered;
mod service;

pub use endpoint::{Endpoint, EndpointPatch, NewEndpoint, PlacedEndpoint};
pub use group::{EndpointGroup, EndpointGroupPatch, NewEndpointGroup};
pub use inventory::{Inventory, ProjectFilter};
pub(super) use region::RegionTree;
pub use region::{NewRegion, Region, RegionPatch};
pub use rendered::{Catalog, CatalogEndpoint, CatalogService, Rendered};
pub use service::{NewService, Service, ServicePatch};
