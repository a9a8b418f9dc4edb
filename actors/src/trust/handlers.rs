use std::sync::Arc;

use super::{
    ConsumeTrustUse, CreateTrust, DeleteTrust, Error, GetTrust, GetTrustOfToken, ListTrusts, Trust,
    TrustProvider, TrustTerms, store,
};
use crate::actor::Serve;
use crate::epoch::Kind;
use crate::ids::TrustId;

impl TrustProvider {
    /// A trust that is neither deleted nor expired, and of a good chain.
    async fn live(&self, id: &TrustId, now: i64) -> Result<Arc<Trust>, Error> {
        let load = async || {
            let chain = store::chain(&self.db, id, self.max_redelegation_count).await?;
            let links: Vec<TrustId> = chain.iter().map(|link| link.id.clone()).collect();
            let on = links.iter().map(|id| (Kind::Trust, id.as_str()));
            let on = self.cache.epochs().dependencies(on);
            let trust = Trust::of_chain(chain, self.max_redelegation_count)?;
            let trust = trust.ok_or_else(|| Error::NotFound(id.clone()))?;
            Ok::<_, Error>((Arc::new(trust), on))
        };
        let trust = self.cache.get_or_load(id, load).await?;
        if trust.has_expired(now) {
            return Err(Error::NotFound(id.clone()));
        }
        Ok(trust)
    }
}

impl Serve<GetTrust> for TrustProvider {
    async fn serve(self, GetTrust { id, now }: GetTrust) -> Result<Arc<Trust>, Error> {
        let trust = self.live(&id, now).await?;
        if trust.is_used_up() {
            return Err(Error::NotFound(id));
        }
        Ok(trust)
    }
}

impl Serve<GetTrustOfToken> for TrustProvider {
    async fn serve(
        self,
        GetTrustOfToken { id, now }: GetTrustOfToken,
    ) -> Result<Arc<Trust>, Error> {
        self.live(&id, now).await
    }
}

impl Serve<ListTrusts> for TrustProvider {
    async fn serve(self, ListTrusts { of }: ListTrusts) -> Result<Vec<TrustTerms>, Error> {
        store::list(&self.db, &of).await
    }
}

impl Serve<CreateTrust> for TrustProvider {
    async fn serve(self, message: CreateTrust) -> Result<Arc<Trust>, Error> {
        let CreateTrust { trust, source, now } = message;
        // Nothing to invalidate: nobody can have cached what has a new ID.
        let max = self.max_redelegation_count;
        let trust = store::insert(&self.db, trust, source.as_ref(), max, now).await?;
        Ok(Arc::new(trust))
    }
}

impl Serve<ConsumeTrustUse> for TrustProvider {
    async fn serve(self, ConsumeTrustUse { id }: ConsumeTrustUse) -> Result<(), Error> {
        // Whether uses are counted never changes, so most trusts need no look at the database.
        if self
            .cache
            .get(&id)
            .is_some_and(|trust| trust.remaining_uses.is_none())
        {
            return Ok(());
        }
        if let Some(change) = store::consume(&self.db, self.invalidations.node(), &id).await? {
            self.invalidations.publish(&change);
        }
        Ok(())
    }
}

impl Serve<DeleteTrust> for TrustProvider {
    async fn serve(self, DeleteTrust { id, now }: DeleteTrust) -> Result<Vec<TrustId>, Error> {
        let (along, change) = store::delete(&self.db, self.invalidations.node(), &id, now).await?;
        self.invalidations.publish(&change);
        Ok(along)
    }
}
