//! What the OAuth 1 provider answers.

use std::sync::Arc;

use actix::Message;

use super::{AccessToken, Error};
use crate::actor::Idempotent;

/// One access token, expired or not: Keystone asks for its expiry when somebody authenticates
/// with it, not of the tokens made from it. `AccessTokenNotFound` if none has this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<AccessToken>, Error>")]
pub struct GetAccessToken {
    /// Its ID.
    pub id: String,
}
impl Idempotent for GetAccessToken {}
