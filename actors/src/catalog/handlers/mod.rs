mod entries;
mod filters;

use std::sync::Arc;

use super::{Catalog, CatalogProvider, Error, GetCatalog, GetInventory, Inventory, store};
use crate::actor::Serve;
use crate::epoch::Kind;

impl CatalogProvider {
    async fn inventory(&self) -> Result<Arc<Inventory>, Error> {
        let cache = &self.caches.inventory;
        let load = async || {
            let public_endpoint = self.settings.public_endpoint.as_deref();
            let inventory = store::load(&self.db, public_endpoint).await?;
            let on = cache.epochs().dependencies([(Kind::Catalog, "")]);
            Ok((Arc::new(inventory), on))
        };
        cache.get_or_load(&(), load).await
    }
}

impl Serve<GetInventory> for CatalogProvider {
    async fn serve(self, GetInventory: GetInventory) -> Result<Arc<Inventory>, Error> {
        self.inventory().await
    }
}

impl Serve<GetCatalog> for CatalogProvider {
    async fn serve(self, GetCatalog { project }: GetCatalog) -> Result<Arc<Catalog>, Error> {
        let filter = match project {
            Some(project) => Some(self.filter(project).await?),
            None => None,
        };
        let inventory = self.inventory().await?;
        Ok(inventory.catalog(filter.as_deref(), self.settings.all_without_filter))
    }
}
