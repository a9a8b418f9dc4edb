use std::sync::Arc;

use super::super::url::UrlTemplate;
use super::super::{
    CatalogProvider, CreateEndpoint, CreateRegion, CreateService, DeleteEndpoint, DeleteRegion,
    DeleteService, Endpoint, Error, PlacedEndpoint, Region, Service, UpdateEndpoint, UpdateRegion,
    UpdateService, store,
};
use crate::actor::Serve;

impl Serve<CreateRegion> for CatalogProvider {
    async fn serve(self, CreateRegion { region }: CreateRegion) -> Result<Arc<Region>, Error> {
        let region = Region::from(region);
        let change = store::insert_region(&self.db, self.invalidations.node(), &region).await?;
        self.invalidations.publish(&change);
        Ok(Arc::new(region))
    }
}

impl Serve<UpdateRegion> for CatalogProvider {
    async fn serve(self, UpdateRegion { id, patch }: UpdateRegion) -> Result<Arc<Region>, Error> {
        let (region, change) =
            store::update_region(&self.db, self.invalidations.node(), &id, patch).await?;
        self.invalidations.publish(&change);
        Ok(Arc::new(region))
    }
}

impl Serve<DeleteRegion> for CatalogProvider {
    async fn serve(self, DeleteRegion { id }: DeleteRegion) -> Result<(), Error> {
        let change = store::delete_region(&self.db, self.invalidations.node(), &id).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<CreateService> for CatalogProvider {
    async fn serve(self, CreateService { service }: CreateService) -> Result<Arc<Service>, Error> {
        let service = Service::from(service);
        let change = store::insert_service(&self.db, self.invalidations.node(), &service).await?;
        self.invalidations.publish(&change);
        Ok(Arc::new(service))
    }
}

impl Serve<UpdateService> for CatalogProvider {
    async fn serve(
        self,
        UpdateService { id, patch }: UpdateService,
    ) -> Result<Arc<Service>, Error> {
        let (service, change) =
            store::update_service(&self.db, self.invalidations.node(), &id, patch).await?;
        self.invalidations.publish(&change);
        Ok(Arc::new(service))
    }
}

impl Serve<DeleteService> for CatalogProvider {
    async fn serve(self, DeleteService { id }: DeleteService) -> Result<(), Error> {
        let change = store::delete_service(&self.db, self.invalidations.node(), &id).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<CreateEndpoint> for CatalogProvider {
    async fn serve(self, message: CreateEndpoint) -> Result<PlacedEndpoint, Error> {
        let CreateEndpoint { mut endpoint } = message;
        if !UrlTemplate::is_acceptable(&endpoint.url) {
            return Err(Error::InvalidUrl(endpoint.url));
        }
        let region = endpoint.settle_region();
        let endpoint = Endpoint::from(endpoint);
        let (placed, change) =
            store::insert_endpoint(&self.db, self.invalidations.node(), &endpoint, region).await?;
        self.invalidations.publish(&change);
        Ok(placed)
    }
}

impl Serve<UpdateEndpoint> for CatalogProvider {
    async fn serve(self, message: UpdateEndpoint) -> Result<PlacedEndpoint, Error> {
        let UpdateEndpoint { id, mut patch } = message;
        let region = patch.settle_region();
        let (placed, change) =
            store::update_endpoint(&self.db, self.invalidations.node(), &id, patch, region).await?;
        self.invalidations.publish(&change);
        Ok(placed)
    }
}

impl Serve<DeleteEndpoint> for CatalogProvider {
    async fn serve(self, DeleteEndpoint { id }: DeleteEndpoint) -> Result<(), Error> {
        let change = store::delete_endpoint(&self.db, self.invalidations.node(), &id).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}
