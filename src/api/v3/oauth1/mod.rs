//! OAuth 1.0a: consumers, what users let them do, and how they get it.

mod access_tokens;
mod consumers;
mod tokens;

use crate::api::router::Router;

/// Routes them.
pub fn routes(api: &mut Router) {
    consumers::routes(api);
    tokens::routes(api);
    access_tokens::routes(api);
}
