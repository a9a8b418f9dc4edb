//! The Identity API, version 3.

pub mod access_rules;
pub mod application_credentials;
pub mod auth_scopes;
pub mod auth_tokens;
pub mod credentials;
mod delegation;
pub mod domain_config;
pub mod domains;
pub mod ec2_credentials;
pub mod ec2tokens;
pub mod endpoint_filter;
pub mod endpoint_policy;
pub mod endpoints;
pub mod federation;
mod fitting;
pub mod grants;
pub mod groups;
pub mod limits;
pub mod oauth1;
mod perhaps;
pub mod policies;
mod project_tree;
pub mod projects;
pub mod regions;
pub mod registered_limits;
pub mod revoke_events;
pub mod role_assignments;
pub mod roles;
pub mod services;
pub mod shapes;
pub mod simple_cert;
pub mod tags;
pub mod trusts;
pub mod users;

use crate::api::router::Router;

/// Routes the API.
pub fn routes(api: &mut Router) {
    auth_tokens::routes(api);
    auth_scopes::routes(api);
    revoke_events::routes(api);
    simple_cert::routes(api);
    roles::routes(api);
    users::routes(api);
    groups::routes(api);
    application_credentials::routes(api);
    access_rules::routes(api);
    credentials::routes(api);
    ec2_credentials::routes(api);
    ec2tokens::routes(api);
    trusts::routes(api);
    domain_config::routes(api);
    services::routes(api);
    endpoints::routes(api);
    regions::routes(api);
    endpoint_filter::routes(api);
    registered_limits::routes(api);
    limits::routes(api);
    policies::routes(api);
    endpoint_policy::routes(api);
    domains::routes(api);
    projects::routes(api);
    tags::routes(api);
    grants::routes(api);
    role_assignments::routes(api);
    federation::routes(api);
    oauth1::routes(api);
}
