//! End to end: the real binary, real databases, real clients, and nothing but the wire between.
//!
//! One test binary, so one link: a new subject is a new module here. `tests/run` starts the
//! database servers and the other programs that these tests talk to, and runs them all.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in a test, a panic is the answer"
)]

mod application_credentials;
mod auth;
mod catalog;
mod credentials;
mod deployment;
mod domain_config;
mod faults;
mod limits;
mod nodes;
mod notifications;
mod policies;
mod real_client;
mod roles;
mod rotation;
mod security;
mod support;
#[path = "../support/testdb.rs"]
mod testdb;
mod token_life;
mod totp;
mod trusts;
mod users;
