use std::sync::Arc;

use super::*;
use crate::actor::Serve;
use crate::epoch::Kind;

impl Serve<GetIdentityProvider> for FederationProvider {
    async fn serve(
        self,
        GetIdentityProvider { id }: GetIdentityProvider,
    ) -> Result<Arc<IdentityProvider>, Error> {
        let cache = &self.caches.identity_providers;
        let load = async || {
            let found = store::find_provider(&self.db, &id).await?;
            let found = found.ok_or_else(|| Error::IdentityProviderNotFound(id.clone()))?;
            let on = cache.epochs();
            let on = on.dependencies([(Kind::IdentityProvider, id.as_str())]);
            Ok((Arc::new(found), on))
        };
        cache.get_or_load(&id, load).await
    }
}

impl Serve<ListIdentityProviders> for FederationProvider {
    async fn serve(self, _: ListIdentityProviders) -> Result<Vec<IdentityProvider>, Error> {
        store::list_providers(&self.db).await
    }
}

impl Serve<CreateIdentityProvider> for FederationProvider {
    async fn serve(self, message: CreateIdentityProvider) -> Result<Arc<IdentityProvider>, Error> {
        let CreateIdentityProvider { id, provider } = message;
        let (provider, makes_domain) = provider.into_provider(id)?;
        let change =
            store::insert_provider(&self.db, self.invalidations.node(), &provider, makes_domain)
                .await?;
        self.invalidations.publish(&change);
        Ok(Arc::new(provider))
    }
}

impl Serve<UpdateIdentityProvider> for FederationProvider {
    async fn serve(self, message: UpdateIdentityProvider) -> Result<Arc<IdentityProvider>, Error> {
        let UpdateIdentityProvider { id, patch } = message;
        let (provider, change) =
            store::update_provider(&self.db, self.invalidations.node(), &id, patch).await?;
        self.invalidations.publish(&change);
        Ok(Arc::new(provider))
    }
}

impl Serve<DeleteIdentityProvider> for FederationProvider {
    async fn serve(self, message: DeleteIdentityProvider) -> Result<(), Error> {
        let DeleteIdentityProvider { id, now } = message;
        let change = store::delete_provider(&self.db, self.invalidations.node(), &id, now).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<GetProtocol> for FederationProvider {
    async fn serve(self, GetProtocol { idp, id }: GetProtocol) -> Result<Protocol, Error> {
        let found = store::find_protocol(&self.db, &idp, &id).await?;
        found.ok_or(Error::ProtocolNotFound { idp, id })
    }
}

impl Serve<ListProtocols> for FederationProvider {
    async fn serve(self, ListProtocols { idp }: ListProtocols) -> Result<Vec<Protocol>, Error> {
        store::list_protocols(&self.db, &idp).await
    }
}

impl Serve<CreateProtocol> for FederationProvider {
    async fn serve(self, message: CreateProtocol) -> Result<Protocol, Error> {
        let CreateProtocol { idp, id, protocol } = message;
        let protocol = protocol.into_protocol(idp, id)?;
        store::insert_protocol(&self.db, &protocol).await?;
        Ok(protocol)
    }
}

impl Serve<UpdateProtocol> for FederationProvider {
    async fn serve(self, message: UpdateProtocol) -> Result<Protocol, Error> {
        let UpdateProtocol { idp, id, patch } = message;
        store::update_protocol(&self.db, &idp, &id, patch).await
    }
}

impl Serve<DeleteProtocol> for FederationProvider {
    async fn serve(self, message: DeleteProtocol) -> Result<(), Error> {
        let DeleteProtocol { idp, id, now } = message;
        let change =
            store::delete_protocol(&self.db, self.invalidations.node(), &idp, &id, now).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<GetMapping> for FederationProvider {
    async fn serve(self, GetMapping { id }: GetMapping) -> Result<Mapping, Error> {
        let found = store::find_mapping(&self.db, &id).await?;
        found.ok_or(Error::MappingNotFound(id))
    }
}

impl Serve<ListMappings> for FederationProvider {
    async fn serve(self, ListMappings: ListMappings) -> Result<Vec<Mapping>, Error> {
        store::list_mappings(&self.db).await
    }
}

impl Serve<CreateMapping> for FederationProvider {
    async fn serve(self, CreateMapping { id, mapping }: CreateMapping) -> Result<Mapping, Error> {
        let mapping = mapping.into_mapping(id)?;
        store::insert_mapping(&self.db, &mapping).await?;
        Ok(mapping)
    }
}

impl Serve<UpdateMapping> for FederationProvider {
    async fn serve(self, UpdateMapping { id, mapping }: UpdateMapping) -> Result<Mapping, Error> {
        let mapping = mapping.into_mapping(id)?;
        store::update_mapping(&self.db, &mapping).await?;
        Ok(mapping)
    }
}

impl Serve<DeleteMapping> for FederationProvider {
    async fn serve(self, DeleteMapping { id }: DeleteMapping) -> Result<(), Error> {
        store::delete_mapping(&self.db, &id).await
    }
}

impl Serve<GetServiceProvider> for FederationProvider {
    async fn serve(
        self,
        GetServiceProvider { id }: GetServiceProvider,
    ) -> Result<ServiceProvider, Error> {
        let found = store::find_service_provider(&self.db, &id).await?;
        found.ok_or(Error::ServiceProviderNotFound(id))
    }
}

impl Serve<ListServiceProviders> for FederationProvider {
    async fn serve(self, _: ListServiceProviders) -> Result<Vec<ServiceProvider>, Error> {
        store::list_service_providers(&self.db).await
    }
}

impl Serve<ListEnabledServiceProviders> for FederationProvider {
    async fn serve(
        self,
        ListEnabledServiceProviders: ListEnabledServiceProviders,
    ) -> Result<Arc<[serde_json::Value]>, Error> {
        let cache = &self.caches.service_providers;
        let load = async || {
            let list = store::enabled_service_providers(&self.db).await?;
            // No ID: the list as a whole.
            let on = cache.epochs().dependencies([(Kind::IdentityProvider, "")]);
            Ok((list, on))
        };
        cache.get_or_load(&(), load).await
    }
}

impl Serve<CreateServiceProvider> for FederationProvider {
    async fn serve(self, message: CreateServiceProvider) -> Result<ServiceProvider, Error> {
        let CreateServiceProvider { id, provider } = message;
        let provider = provider.into_provider(id, &self.relay_state_prefix)?;
        let change =
            store::insert_service_provider(&self.db, self.invalidations.node(), &provider).await?;
        self.invalidations.publish(&change);
        Ok(provider)
    }
}

impl Serve<UpdateServiceProvider> for FederationProvider {
    async fn serve(self, message: UpdateServiceProvider) -> Result<ServiceProvider, Error> {
        let UpdateServiceProvider { id, patch } = message;
        let prefix = &self.relay_state_prefix;
        let (provider, change) =
            store::update_service_provider(&self.db, self.invalidations.node(), &id, patch, prefix)
                .await?;
        self.invalidations.publish(&change);
        Ok(provider)
    }
}

impl Serve<DeleteServiceProvider> for FederationProvider {
    async fn serve(self, message: DeleteServiceProvider) -> Result<(), Error> {
        let id = &message.id;
        let change =
            store::delete_service_provider(&self.db, self.invalidations.node(), id).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}
