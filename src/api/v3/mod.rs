//! The Identity API, version 3.

pub mod auth_scopes;
pub mod auth_tokens;
pub mod groups;
pub mod revoke_events;
pub mod roles;
pub mod users;

use actix_web::web;

/// Routes the API.
pub fn routes(api: &mut web::ServiceConfig) {
    auth_tokens::routes(api);
    auth_scopes::routes(api);
    revoke_events::routes(api);
    roles::routes(api);
    users::routes(api);
    groups::routes(api);
}
