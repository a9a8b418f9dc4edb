//! What the catalog provider answers.

use std::sync::Arc;

use actix::Message;

use super::{Catalog, Error};
use crate::actor::Idempotent;

/// The enabled services with their enabled endpoints, to be rendered for a token.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Catalog>, Error>")]
pub struct GetCatalog;
impl Idempotent for GetCatalog {}
