//! The Identity API, version 3.

pub mod access_rules;
pub mod application_credentials;
pub mod auth_scopes;
pub mod auth_tokens;
pub mod credentials;
mod delegation;
pub mod ec2_credentials;
pub mod ec2tokens;
pub mod groups;
pub mod revoke_events;
pub mod roles;
pub mod trusts;
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
    application_credentials::routes(api);
    access_rules::routes(api);
    credentials::routes(api);
    ec2_credentials::routes(api);
    ec2tokens::routes(api);
    trusts::routes(api);
}
