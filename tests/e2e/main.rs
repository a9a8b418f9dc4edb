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

/// Makes a test of each function, on SQLite: rules that no database has a part in.
macro_rules! on_sqlite {
    ($( $(#[$attribute:meta])* async fn $rule:ident($db:ident: TestDb) $body:block )+) => {$(
        #[test]
        $(#[$attribute])*
        fn $rule() {
            async fn rule($db: $crate::testdb::TestDb) $body
            $crate::testdb::run($crate::testdb::Backend::Sqlite, rule);
        }
    )+};
}

/// What the fuzz targets of `tests/fuzz` call: here each becomes a function, `run`.
#[macro_export]
macro_rules! fuzz_target {
    (|$data:ident: &[u8]| $call:expr) => {
        pub(crate) fn run($data: &[u8]) {
            $call;
        }
    };
}
extern crate self as libfuzzer_sys;

mod access_rules;
mod application_credentials;
mod auth;
mod bad_input;
mod beside;
mod catalog;
mod commands;
mod credentials;
mod database_tls;
mod deployment;
mod description;
mod discovery;
mod doctor;
mod domain_config;
mod effects;
mod faults;
mod federation;
mod fuzz;
mod grants;
mod jws;
mod limits;
mod multi_factor;
mod nodes;
mod notifications;
mod oauth1;
mod passkeys;
mod password_rules;
mod paths;
mod policies;
mod policy_commands;
mod projects;
mod quickstart;
mod real_client;
mod replay;
mod roles;
mod rotation;
mod scale;
mod schema;
mod security;
mod server;
mod support;
#[path = "../support/testdb.rs"]
mod testdb;
mod token_life;
mod token_options;
mod told;
mod totp;
mod trusts;
mod users;
