use std::sync::Arc;

use super::{Error, GetTrust, GetTrustOfToken, Trust, TrustProvider, store};
use crate::actor::Serve;
use crate::epoch::Kind;
use crate::ids::TrustId;

impl TrustProvider {
    /// A trust that is neither deleted nor expired, and of a good chain.
    async fn live(&self, id: &TrustId, now: i64) -> Result<Arc<Trust>, Error> {
        let load = async || {
            let chain = store::chain(&self.db, id, self.max_redelegation_count).await?;
            let on: Vec<_> = chain
                .iter()
                .map(|link| (Kind::Trust, link.id.as_str()))
                .collect();
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
