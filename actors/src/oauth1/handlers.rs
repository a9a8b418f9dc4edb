use std::sync::Arc;

use super::{AccessToken, Error, GetAccessToken, Oauth1Provider, store};
use crate::actor::Serve;
use crate::epoch::Kind;

impl Serve<GetAccessToken> for Oauth1Provider {
    async fn serve(self, GetAccessToken { id }: GetAccessToken) -> Result<Arc<AccessToken>, Error> {
        let load = async || {
            let found = store::find_access_token(&self.db, &id).await?;
            let found = found.ok_or_else(|| Error::AccessTokenNotFound(id.clone()))?;
            // It goes with its consumer.
            let on = self.access_tokens.epochs().dependencies([
                (Kind::AccessToken, id.as_str()),
                (Kind::Consumer, found.consumer_id.as_str()),
            ]);
            Ok((Arc::new(found), on))
        };
        self.access_tokens.get_or_load(&id, load).await
    }
}
