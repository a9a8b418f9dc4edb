use std::sync::Arc;

use secrecy::SecretString;

use super::{
    AccessToken, Consumer, CreateConsumer, DeleteConsumer, Error, GetAccessToken, GetConsumer,
    ListConsumers, Oauth1Provider, UpdateConsumer, store,
};
use crate::actor::Serve;
use crate::epoch::Kind;
use crate::ids::random_id;

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

impl Serve<GetConsumer> for Oauth1Provider {
    async fn serve(self, GetConsumer { id }: GetConsumer) -> Result<Consumer, Error> {
        let found = store::find_consumer(&self.db, &id).await?;
        found.ok_or(Error::ConsumerNotFound(id))
    }
}

impl Serve<ListConsumers> for Oauth1Provider {
    async fn serve(self, ListConsumers: ListConsumers) -> Result<Vec<Consumer>, Error> {
        store::list_consumers(&self.db).await
    }
}

impl Serve<CreateConsumer> for Oauth1Provider {
    async fn serve(self, message: CreateConsumer) -> Result<(Consumer, SecretString), Error> {
        let consumer = message.consumer.into_consumer()?;
        let secret = SecretString::from(random_id());
        store::insert_consumer(&self.db, &consumer, &secret).await?;
        Ok((consumer, secret))
    }
}

impl Serve<UpdateConsumer> for Oauth1Provider {
    async fn serve(self, message: UpdateConsumer) -> Result<Consumer, Error> {
        let UpdateConsumer { id, patch } = message;
        store::update_consumer(&self.db, &id, patch).await
    }
}

impl Serve<DeleteConsumer> for Oauth1Provider {
    async fn serve(self, DeleteConsumer { id }: DeleteConsumer) -> Result<(), Error> {
        let change = store::delete_consumer(&self.db, self.invalidations.node(), &id).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}
