use std::sync::Arc;

use super::{Catalog, CatalogProvider, Error, GetCatalog, store};
use crate::actor::Serve;
use crate::epoch::Kind;

impl Serve<GetCatalog> for CatalogProvider {
    async fn serve(self, GetCatalog: GetCatalog) -> Result<Arc<Catalog>, Error> {
        let load = async || {
            let catalog = store::load(&self.db, self.public_endpoint.as_deref()).await?;
            let on = self.catalog.epochs().dependencies([(Kind::Catalog, "")]);
            Ok((Arc::new(catalog), on))
        };
        self.catalog.get_or_load(&(), load).await
    }
}
