//! The providers of Keystone-NG: each is an actix actor that owns its cache and its database
//! pool, answers typed messages, and is restarted by the supervisor when it fails.
//!
//! Where to begin: [`actor`] (what a provider is, and how it is called), then one room, say
//! [`role`], which has the same few files as every other.

// In tests a failed expectation should end the test, and an index out of bounds is one.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

pub mod actor;
pub mod application_credential;
pub mod assignment;
pub mod attributes;
pub mod bootstrap;
pub mod cache;
pub mod catalog;
pub mod checkup;
pub mod credential;
pub mod db;
pub mod domain_config;
pub mod epoch;
pub mod federation;
pub mod hashing;
pub mod identity;
pub mod ids;
pub mod limit;
pub mod listing;
pub mod oauth1;
pub mod policy_store;
pub mod providers;
pub mod resource;
pub mod revocation;
pub mod role;
pub mod token;
pub mod trust;
pub mod webauthn;

#[cfg(test)]
#[path = "../../tests/support/testdb.rs"]
mod testdb;
#[cfg(test)]
mod testing;
