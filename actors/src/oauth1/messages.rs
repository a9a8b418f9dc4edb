//! What the OAuth 1 provider answers.

use std::sync::Arc;
use std::time::Duration;

use actix::Message;
use secrecy::SecretString;

use super::{
    AccessToken, Consumer, ConsumerDraft, Error, NewToken, RequestToken, SignedWith, SigningSecrets,
};
use crate::actor::Idempotent;
use crate::ids::{ConsumerId, ProjectId, RoleId, UserId};

/// What a consumer signs a request with. `None` without such a consumer, or such a token of that
/// consumer.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Option<SigningSecrets>, Error>")]
pub struct FindSigningSecrets {
    /// Which consumer.
    pub consumer: ConsumerId,
    /// Which token.
    pub with: SignedWith,
}
impl Idempotent for FindSigningSecrets {}

/// Creates a request token, which nobody has authorised yet. `ConsumerNotFound` if the
/// consumer is gone.
///
/// For the API: that the request is signed by the consumer, and that there is such a project.
#[derive(Debug, Message)]
#[rtype(result = "Result<NewToken, Error>")]
pub struct CreateRequestToken {
    /// Who asks.
    pub consumer: ConsumerId,
    /// What for.
    pub project: ProjectId,
    /// How long it can be authorised and used; zero: for ever.
    pub lifetime: Duration,
    /// Seconds since 1970.
    pub now: i64,
}

/// One request token, expired or not. `RequestTokenNotFound` if none has this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<RequestToken, Error>")]
pub struct GetRequestToken {
    /// Its ID.
    pub id: String,
}
impl Idempotent for GetRequestToken {}

/// Notes who authorises a request token, and to what; gives the verifier that the consumer has to
/// show. Who authorised it before no longer does. `RequestTokenNotFound`, `RequestTokenExpired`;
/// `TooManyRoles` for more than the table takes.
///
/// For the API: that the user has the roles on the project.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<SecretString, Error>")]
pub struct AuthorizeRequestToken {
    /// Which.
    pub id: String,
    /// Who authorises it.
    pub user: UserId,
    /// What to do in that user's name.
    pub roles: Vec<RoleId>,
    /// Seconds since 1970.
    pub now: i64,
}

/// Makes an access token of an authorised request token, which is gone then: of two who ask at once
/// one gets it. `RequestTokenNotFound` if it is not this consumer's, `RequestTokenExpired`,
/// `NotAuthorized` if nobody has authorised it, or another verifier was given out.
///
/// For the API: that the request is signed with both secrets.
#[derive(Debug, Message)]
#[rtype(result = "Result<NewToken, Error>")]
pub struct ExchangeRequestToken {
    /// Which.
    pub id: String,
    /// Whose.
    pub consumer: ConsumerId,
    /// What the user has been told.
    pub verifier: SecretString,
    /// How long the access token can be used; zero: for ever.
    pub lifetime: Duration,
    /// Seconds since 1970.
    pub now: i64,
}

/// The access tokens that a user has authorised, in the order of their IDs: expired ones too.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<AccessToken>, Error>")]
pub struct ListAccessTokens {
    /// Which user.
    pub user: UserId,
}
impl Idempotent for ListAccessTokens {}

/// Deletes an access token. Tokens made from it are good no longer. `AccessTokenNotFound`;
/// `NotTheirs` for that of another user.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteAccessToken {
    /// Which.
    pub id: String,
    /// Who authorised it.
    pub user: UserId,
}

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
    /// Seconds since 1970.
    pub now: i64,
}
