//! What the OAuth 1 provider answers.

use std::sync::Arc;

use actix::Message;
use secrecy::SecretString;

use super::{AccessToken, Consumer, ConsumerDraft, Error};
use crate::actor::Idempotent;
use crate::ids::ConsumerId;

/// One access token, expired or not: Keystone asks for its expiry when somebody authenticates
/// with it, not of the tokens made from it. `AccessTokenNotFound` if none has this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<AccessToken>, Error>")]
pub struct GetAccessToken {
    /// Its ID.
    pub id: String,
}
impl Idempotent for GetAccessToken {}

/// One consumer. `ConsumerNotFound` if none has this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Consumer, Error>")]
pub struct GetConsumer {
    /// Its ID.
    pub id: ConsumerId,
}
impl Idempotent for GetConsumer {}

/// All consumers, in the order of their IDs.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<Consumer>, Error>")]
pub struct ListConsumers;
impl Idempotent for ListConsumers {}

/// Creates a consumer. Its secret is told in this answer alone.
#[derive(Debug, Message)]
#[rtype(result = "Result<(Consumer, SecretString), Error>")]
pub struct CreateConsumer {
    /// The consumer to be.
    pub consumer: ConsumerDraft,
}

/// Changes what `patch` names, keeps the rest.
#[derive(Debug, Message)]
#[rtype(result = "Result<Consumer, Error>")]
pub struct UpdateConsumer {
    /// Which consumer.
    pub id: ConsumerId,
    /// What changes.
    pub patch: ConsumerDraft,
}

/// Deletes a consumer with what users have authorised it to do. Tokens made from that are good no
/// longer.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteConsumer {
    /// Which consumer.
    pub id: ConsumerId,
}
