//! `/v3/OS-FEDERATION`: who is trusted to vouch for users, and to whom this Keystone vouches for its
//! own.

mod identity_providers;
mod mapping_rules;
mod mappings;
mod protocols;
mod service_providers;

use actix_web::web;

/// Routes them.
pub fn routes(api: &mut web::ServiceConfig) {
    identity_providers::routes(api);
    protocols::routes(api);
    mappings::routes(api);
    service_providers::routes(api);
}
