//! Everything that the catalog is made of, and what of it is shown to whom.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::super::Error;
use super::super::url::UrlTemplate;
use super::region::RegionTree;
use super::{Catalog, CatalogEndpoint, CatalogService, Endpoint, EndpointGroup, Region, Service};
use crate::ids::{EndpointGroupId, EndpointId, RegionId, ServiceId};

/// All regions, services, endpoints and groups of endpoints, each in the order of their IDs.
#[derive(Debug, Default)]
pub struct Inventory {
    regions: BTreeMap<RegionId, Arc<Region>>,
    services: BTreeMap<ServiceId, Arc<Service>>,
    endpoints: BTreeMap<EndpointId, Arc<Endpoint>>,
    groups: BTreeMap<EndpointGroupId, Arc<EndpointGroup>>,
    tree: RegionTree,
    catalog: Arc<Catalog>,
}

/// Which endpoints a project is shown, where it is not shown all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectFilter {
    /// These by themselves.
    pub endpoints: Vec<EndpointId>,
    /// Those of these groups.
    pub groups: Vec<EndpointGroupId>,
}

impl Inventory {
    pub(in super::super) fn new(
        regions: impl IntoIterator<Item = Region>,
        services: impl IntoIterator<Item = Service>,
        endpoints: impl IntoIterator<Item = Endpoint>,
        groups: impl IntoIterator<Item = EndpointGroup>,
        public_endpoint: Option<&str>,
    ) -> Self {
        let regions = by_id(regions, |region| region.id.clone());
        let mut inventory = Self {
            tree: regions
                .values()
                .map(|region| (region.id.clone(), region.parent_region_id.clone()))
                .collect(),
            regions,
            services: by_id(services, |service| service.id.clone()),
            endpoints: by_id(endpoints, |endpoint| endpoint.id.clone()),
            groups: by_id(groups, |group| group.id.clone()),
            catalog: Arc::default(),
        };
        inventory.catalog = Arc::new(inventory.whole_catalog(public_endpoint));
        inventory
    }

    /// The enabled services with their enabled endpoints. One whose URL is malformed is left out.
    fn whole_catalog(&self, public_endpoint: Option<&str>) -> Catalog {
        let services = self.services.values().filter(|service| service.enabled);
        let mut services: BTreeMap<&ServiceId, CatalogService> = services
            .map(|service| {
                let shown = CatalogService {
                    id: service.id.to_string(),
                    kind: service.kind.clone(),
                    name: service.name().to_owned(),
                    endpoints: Vec::new(),
                };
                (&service.id, shown)
            })
            .collect();
        for endpoint in self.endpoints.values().filter(|endpoint| endpoint.enabled) {
            let Some(service) = services.get_mut(&endpoint.service_id) else {
                continue;
            };
            match UrlTemplate::compile(&endpoint.url, public_endpoint) {
                Some(url) => service.endpoints.push(Arc::new(CatalogEndpoint {
                    extra: endpoint.extra.clone(),
                    id: endpoint.id.clone(),
                    interface: endpoint.interface.clone(),
                    region_id: endpoint.region_id.as_ref().map(RegionId::to_string),
                    url,
                })),
                None => tracing::warn!(
                    endpoint.id = %endpoint.id,
                    "endpoint left out of the catalog: its URL is malformed"
                ),
            }
        }
        Catalog {
            services: services.into_values().collect(),
        }
    }

    /// All regions.
    pub fn regions(&self) -> impl Iterator<Item = &Arc<Region>> {
        self.regions.values()
    }

    /// All services.
    pub fn services(&self) -> impl Iterator<Item = &Arc<Service>> {
        self.services.values()
    }

    /// All endpoints.
    pub fn endpoints(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.endpoints.values()
    }

    /// All groups of endpoints.
    pub fn groups(&self) -> impl Iterator<Item = &Arc<EndpointGroup>> {
        self.groups.values()
    }

    /// The region of this ID.
    ///
    /// # Errors
    /// `RegionNotFound` if there is none.
    pub fn region(&self, id: &RegionId) -> Result<&Arc<Region>, Error> {
        let region = self.regions.get(id);
        region.ok_or_else(|| Error::RegionNotFound(id.clone()))
    }

    /// The service of this ID.
    ///
    /// # Errors
    /// `ServiceNotFound` if there is none.
    pub fn service(&self, id: &ServiceId) -> Result<&Arc<Service>, Error> {
        let service = self.services.get(id);
        service.ok_or_else(|| Error::ServiceNotFound(id.clone()))
    }

    /// The endpoint of this ID.
    ///
    /// # Errors
    /// `EndpointNotFound` if there is none.
    pub fn endpoint(&self, id: &EndpointId) -> Result<&Arc<Endpoint>, Error> {
        let endpoint = self.endpoints.get(id);
        endpoint.ok_or_else(|| Error::EndpointNotFound(id.clone()))
    }

    /// The group of endpoints of this ID.
    ///
    /// # Errors
    /// `GroupNotFound` if there is none.
    pub fn group(&self, id: &EndpointGroupId) -> Result<&Arc<EndpointGroup>, Error> {
        let group = self.groups.get(id);
        group.ok_or_else(|| Error::GroupNotFound(id.clone()))
    }

    /// A region and all above it, the nearest first.
    pub fn region_and_above(&self, id: &RegionId) -> Vec<RegionId> {
        self.tree.upwards(id)
    }

    /// A region and all below it.
    pub fn region_and_below(&self, id: &RegionId) -> HashSet<RegionId> {
        self.tree.downwards(id)
    }

    /// The endpoints in a group.
    pub fn endpoints_of(&self, group: &EndpointGroup) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.endpoints().filter(|endpoint| group.contains(endpoint))
    }

    /// The endpoints that a filter lets through, each once: first those that it names, then those
    /// of its groups. What is gone by now is left out.
    pub fn endpoints_shown(&self, filter: &ProjectFilter) -> Vec<&Arc<Endpoint>> {
        let named = filter.endpoints.iter();
        let named = named.filter_map(|id| self.endpoints.get(id));
        let groups = filter.groups.iter().filter_map(|id| self.groups.get(id));
        let of_groups = groups.flat_map(|group| self.endpoints_of(group));
        let mut seen = HashSet::new();
        let shown = named.chain(of_groups);
        shown.filter(|endpoint| seen.insert(&endpoint.id)).collect()
    }

    /// The catalog of a project with this filter, or of a domain or the system (`None`).
    ///
    /// A filter that lets no endpoint through is none. Where there is none, all is shown, or
    /// nothing: `all_without_filter`, as `[endpoint_filter] return_all_endpoints_if_no_filter`.
    pub(in super::super) fn catalog(
        &self,
        filter: Option<&ProjectFilter>,
        all_without_filter: bool,
    ) -> Arc<Catalog> {
        let shown = filter.map(|filter| self.endpoints_shown(filter));
        match shown.filter(|shown| !shown.is_empty()) {
            Some(shown) => {
                let ids = shown.into_iter().map(|endpoint| &endpoint.id).collect();
                Arc::new(self.catalog.only(&ids))
            }
            None if all_without_filter => Arc::clone(&self.catalog),
            None => Arc::default(),
        }
    }
}

fn by_id<I: Ord, T>(things: impl IntoIterator<Item = T>, id: fn(&T) -> I) -> BTreeMap<I, Arc<T>> {
    let things = things.into_iter();
    things.map(|thing| (id(&thing), Arc::new(thing))).collect()
}
