//! Keystone-NG, an OpenStack Identity server: everything that faces the outside. The providers
//! are in the crate `keystone-actors`; `docs/ARCHITECTURE.md` says how it all hangs together.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

pub mod api;
pub mod auth;
pub mod bootstrap;
pub mod cli;
pub mod config;
pub mod node;
pub mod notify;
pub mod outbound;
pub mod passkeys;
pub mod policy;
pub mod quickstart;
pub mod server;
pub mod telemetry;
pub mod web;
