use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    ConfigPlace, DeleteDomainConfig, DomainConfigProvider, DomainSettings, Error, GetDefaultConfig,
    GetDomainConfig, GetDomainSettings, SetDomainConfig, UpdateDomainConfig, store,
};
use crate::actor::Serve;
use crate::epoch::Kind;
use crate::ids::DomainId;

impl DomainConfigProvider {
    async fn settings(&self, domain: &DomainId) -> Result<Arc<DomainSettings>, Error> {
        let load = async || {
            let settings = store::load(&self.db, domain).await?;
            let on = [(Kind::DomainConfig, domain.as_str())];
            Ok((Arc::new(settings), self.cache.epochs().dependencies(on)))
        };
        self.cache.get_or_load(domain, load).await
    }
}

/// All that may be shown of what a domain has.
fn shown(settings: &DomainSettings) -> Value {
    let all = settings.shown_at(&ConfigPlace::default());
    all.unwrap_or_else(|| Value::Object(Map::new()))
}

impl Serve<GetDomainConfig> for DomainConfigProvider {
    async fn serve(
        self,
        GetDomainConfig { domain, place }: GetDomainConfig,
    ) -> Result<Value, Error> {
        self.options.check_place(&place)?;
        let settings = self.settings(&domain).await?;
        let shown = settings.shown_at(&place);
        shown.ok_or(Error::NotFound { place, domain })
    }
}

impl Serve<GetDomainSettings> for DomainConfigProvider {
    async fn serve(self, message: GetDomainSettings) -> Result<Arc<DomainSettings>, Error> {
        self.settings(&message.domain).await
    }
}

impl Serve<SetDomainConfig> for DomainConfigProvider {
    async fn serve(self, message: SetDomainConfig) -> Result<(Value, bool), Error> {
        let SetDomainConfig { domain, config } = message;
        self.options.check(&config)?;
        let settings = store::of_config(config, &self.options);
        let node = self.invalidations.node();
        let (is_new, change) = store::replace(&self.db, node, &domain, &settings).await?;
        self.invalidations.publish(&change);
        Ok((shown(&settings), is_new))
    }
}

impl Serve<UpdateDomainConfig> for DomainConfigProvider {
    async fn serve(self, message: UpdateDomainConfig) -> Result<Value, Error> {
        let UpdateDomainConfig {
            domain,
            place,
            mut config,
        } = message;
        if let (Some(group), Some(_)) = (&place.group, &place.option) {
            let options = std::mem::take(&mut config);
            config.insert(group.clone(), Value::Object(options));
        }
        self.options.check_update(&config, &place)?;
        let patch = store::of_config(config, &self.options);
        let node = self.invalidations.node();
        let (settings, change) = store::update(&self.db, node, &domain, &place, patch).await?;
        self.invalidations.publish(&change);
        Ok(shown(&settings))
    }
}

impl Serve<DeleteDomainConfig> for DomainConfigProvider {
    async fn serve(self, message: DeleteDomainConfig) -> Result<(), Error> {
        let DeleteDomainConfig { domain, place } = message;
        self.options.check_place(&place)?;
        let change = store::delete(&self.db, self.invalidations.node(), &domain, &place).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<GetDefaultConfig> for DomainConfigProvider {
    async fn serve(self, GetDefaultConfig { place }: GetDefaultConfig) -> Result<Value, Error> {
        self.options.default_config(&place)
    }
}
