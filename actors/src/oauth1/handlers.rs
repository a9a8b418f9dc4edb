use std::sync::Arc;

use secrecy::SecretString;

use super::{
    AccessToken, AuthorizeRequestToken, Consumer, CreateConsumer, CreateRequestToken,
    DeleteAccessToken, DeleteConsumer, Error, ExchangeRequestToken, FindSigningSecrets,
    GetAccessToken, GetConsumer, GetRequestToken, ListAccessTokens, ListConsumers, NewToken,
    Oauth1Provider, RequestToken, SigningSecrets, UpdateConsumer, store,
};
use crate::actor::Serve;
use crate::epoch::Kind;
use crate::ids::random_id;

impl Serve<FindSigningSecrets> for Oauth1Provider {
    async fn serve(self, message: FindSigningSecrets) -> Result<Option<SigningSecrets>, Error> {
        store::find_secrets(&self.db, &message.consumer, &message.with).await
    }
}

impl Serve<CreateRequestToken> for Oauth1Provider {
    async fn serve(self, message: CreateRequestToken) -> Result<NewToken, Error> {
        let token = NewToken::random(message.lifetime, message.now);
        // Nothing to invalidate, here and below: request tokens are not cached, new IDs are not.
        store::insert_request_token(&self.db, &token, &message.consumer, &message.project).await?;
        Ok(token)
    }
}

impl Serve<GetRequestToken> for Oauth1Provider {
    async fn serve(self, GetRequestToken { id }: GetRequestToken) -> Result<RequestToken, Error> {
        let found = store::find_request_token(&self.db, &id).await?;
        found.ok_or(Error::RequestTokenNotFound)
    }
}

impl Serve<AuthorizeRequestToken> for Oauth1Provider {
    async fn serve(self, message: AuthorizeRequestToken) -> Result<SecretString, Error> {
        let verifier = super::model::verifier();
        store::authorize(&self.db, &message, &verifier).await?;
        Ok(verifier)
    }
}

impl Serve<ExchangeRequestToken> for Oauth1Provider {
    async fn serve(self, message: ExchangeRequestToken) -> Result<NewToken, Error> {
        let token = NewToken::random(message.lifetime, message.now);
        store::exchange(&self.db, &message, &token).await?;
        Ok(token)
    }
}

impl Serve<ListAccessTokens> for Oauth1Provider {
    async fn serve(
        self,
        ListAccessTokens { user }: ListAccessTokens,
    ) -> Result<Vec<AccessToken>, Error> {
        store::list_access_tokens(&self.db, &user).await
    }
}

impl Serve<DeleteAccessToken> for Oauth1Provider {
    async fn serve(self, message: DeleteAccessToken) -> Result<(), Error> {
        let DeleteAccessToken { id, user } = message;
        let node = self.invalidations.node();
        let change = store::delete_access_token(&self.db, node, &id, &user).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<GetAccessToken> for Oauth1Provider {
    async fn serve(self, GetAccessToken { id }: GetAccessToken) -> Result<Arc<AccessToken>, Error> {
        let load = async || {
            let found = store::find_access_token(&self.db, &id).await?;
            let found = found.ok_or_else(|| Error::AccessTokenNotFound(id.clone()))?;
            // It goes with its consumer.
            let on = self.access_tokens.epochs().dependencies([
                (Kind::AccessToken, found.id.as_str()),
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
    async fn serve(self, DeleteConsumer { id, now }: DeleteConsumer) -> Result<(), Error> {
        let change = store::delete_consumer(&self.db, self.invalidations.node(), &id, now).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}
