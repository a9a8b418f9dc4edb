//! OAuth 1.0a: consumers, what users let them do, and how they get it.

mod access_tokens;
mod consumers;
mod tokens;

use actix_web::web;

/// Routes them.
pub fn routes(api: &mut web::ServiceConfig) {
    consumers::routes(api);
    tokens::routes(api);
    access_tokens::routes(api);
}
