use std::sync::Arc;

use super::{
    Error, FederationProvider, GetIdentityProvider, IdentityProvider, ListEnabledServiceProviders,
    store,
};
use crate::actor::Serve;
use crate::epoch::Kind;

impl Serve<GetIdentityProvider> for FederationProvider {
    async fn serve(
        self,
        GetIdentityProvider { id }: GetIdentityProvider,
    ) -> Result<Arc<IdentityProvider>, Error> {
        let load = async || {
            let found = store::find_identity_provider(&self.db, &id).await?;
            let found = found.ok_or_else(|| Error::IdentityProviderNotFound(id.clone()))?;
            let epochs = self.identity_providers.epochs();
            Ok((
                Arc::new(found),
                epochs.dependencies([(Kind::IdentityProvider, id.as_str())]),
            ))
        };
        self.identity_providers.get_or_load(&id, load).await
    }
}

impl Serve<ListEnabledServiceProviders> for FederationProvider {
    async fn serve(
        self,
        ListEnabledServiceProviders: ListEnabledServiceProviders,
    ) -> Result<Arc<[serde_json::Value]>, Error> {
        let load = async || {
            let list = store::enabled_service_providers(&self.db).await?;
            // No ID: the list as a whole.
            let epochs = self.service_providers.epochs();
            Ok((list, epochs.dependencies([(Kind::IdentityProvider, "")])))
        };
        self.service_providers.get_or_load(&(), load).await
    }
}
