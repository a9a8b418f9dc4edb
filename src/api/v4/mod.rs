//! The Identity API, version 4: what Python Keystone does not have.

pub mod device;
pub mod discovery;
pub mod passkey_login;
pub mod passkeys;
mod shapes;
pub mod well_known;

use crate::api::router::Router;

/// Routes the API, where `[webauthn] enabled`.
pub fn routes(api: &mut Router) {
    discovery::routes(api);
    passkeys::routes(api);
    passkey_login::routes(api);
    device::routes(api);
    well_known::routes(api);
}
