//! What the federation provider answers.

use std::sync::Arc;

use actix::Message;

use super::{Error, IdentityProvider};
use crate::actor::Idempotent;

/// One identity provider, enabled or not. `IdentityProviderNotFound` if none has this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<IdentityProvider>, Error>")]
pub struct GetIdentityProvider {
    /// Its ID.
    pub id: String,
}
impl Idempotent for GetIdentityProvider {}

/// The enabled service providers as the bodies of tokens show them: objects of `id`, `auth_url`
/// and `sp_url`, in the order of their IDs.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<[serde_json::Value]>, Error>")]
pub struct ListEnabledServiceProviders;
impl Idempotent for ListEnabledServiceProviders {}
