//! OAuth 1: consumers, and what users have authorised them to do in their name. An access token is
//! read for each token made from it, and never changes until it is deleted: it is cached until then.

mod handlers;
mod messages;
mod model;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use messages::{
    AuthorizeRequestToken, CreateConsumer, CreateRequestToken, DeleteAccessToken, DeleteConsumer,
    ExchangeRequestToken, FindSigningSecrets, GetAccessToken, GetConsumer, GetRequestToken,
    ListAccessTokens, ListConsumers, UpdateConsumer,
};
pub use model::{
    AccessToken, Consumer, ConsumerDraft, NewToken, RequestToken, SignedWith, SigningSecrets,
    VERIFIER, has_expired,
};
pub(crate) use store::{delete_of_projects, delete_of_users};

use crate::actor::{Provider, Unavailable};
use crate::cache::Cache;
use crate::db::Db;
use crate::ids::ConsumerId;
use crate::revocation::Invalidations;

/// The OAuth 1 provider.
#[derive(Clone)]
pub struct Oauth1Provider {
    db: Db,
    /// By ID. One for all replicas.
    access_tokens: Cache<String, Arc<AccessToken>>,
    invalidations: Invalidations,
}

impl Provider for Oauth1Provider {
    const NAME: &'static str = "oauth1";
}

impl Oauth1Provider {
    /// The provider on its pool.
    pub fn new(
        db: Db,
        access_tokens: Cache<String, Arc<AccessToken>>,
        invalidations: Invalidations,
    ) -> Self {
        Self {
            db,
            access_tokens,
            invalidations,
        }
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no consumer of this ID, which Keystone's text doesn't repeat.
    #[error("Consumer not found")]
    ConsumerNotFound(ConsumerId),
    /// There is no access token of this ID, which Keystone's text doesn't repeat.
    #[error("Access token not found")]
    AccessTokenNotFound(String),
    /// There is no request token of this ID, or it has been used.
    #[error("Request token not found")]
    RequestTokenNotFound,
    /// The description does not fit into its column.
    #[error(
        "String length exceeded. The length of string '{0}' exceeds the limit of column \
         description(CHAR(64))."
    )]
    DescriptionTooLong(String),
    /// The other attributes don't.
    #[error("Too long to be stored: the attributes of the consumer.")]
    ExtraTooLarge,
    /// It has to be asked for anew.
    #[error("Request token is expired")]
    RequestTokenExpired,
    /// Nobody has consented, or the verifier is another.
    #[error("Provided verifier does not match stored verifier")]
    NotAuthorized,
    /// The access token is that of another user than it is looked for at.
    #[error("User IDs do not match")]
    NotTheirs,
    /// Their IDs don't fit into their column.
    #[error("Too long to be stored: the roles of the token.")]
    TooManyRoles,
    /// Trying again may help.
    #[error("the oauth1 provider is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("oauth1 storage failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);
