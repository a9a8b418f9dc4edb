//! What the end to end tests stand on: real servers, and a client that speaks only the wire.

use std::time::{Duration, Instant};

pub(crate) mod api;
pub(crate) mod cloud;
pub(crate) mod delegation;
pub(crate) mod haproxy;
pub(crate) mod inside;
pub(crate) mod load;
pub(crate) mod login;
pub(crate) mod oauth1;
pub(crate) mod passkey;
pub(crate) mod port;
pub(crate) mod python;
pub(crate) mod raw;
pub(crate) mod seed;
pub(crate) mod wire;

pub(crate) use api::{Answer, Api, Session};
pub(crate) use cloud::{Cloud, Options};
pub(crate) use login::{Scope, password, scoped, token};

/// Waits until something holds, and says how long that took. Whoever waits for two minutes gives up.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) -> Duration {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(120) {
        if holds().await {
            return began.elapsed();
        }
        actix_rt::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("not seen: {what}");
}

/// Makes four tests of each function: ours on the three databases (`NAME::sqlite`,
/// `NAME::postgres`, `NAME::mariadb`), and Python Keystone (`NAME::python`). Where the last
/// passes, the rule is really Keystone's, and not what we believe it to be.
///
/// The function gets a builder, so that it can set options and choose what is in the database
/// before it starts the server.
macro_rules! each_keystone {
    ($( $(#[$attribute:meta])* async fn $rule:ident($builder:ident: Builder) $body:block )+) => {$(
        $(#[$attribute])*
        async fn $rule($builder: $crate::support::cloud::Builder<'_>) $body

        mod $rule {
            use $crate::support::cloud::Builder;
            use $crate::support::python;
            use $crate::testdb::{Backend, TestDb, run};

            async fn ours(db: TestDb) {
                super::$rule(Builder::new(&db)).await;
            }

            #[test]
            fn sqlite() {
                run(Backend::Sqlite, ours);
            }

            #[test]
            fn postgres() {
                run(Backend::Postgres, ours);
            }

            #[test]
            fn mariadb() {
                run(Backend::Mariadb, ours);
            }

            #[test]
            fn python() {
                if !python::is_left_out() {
                    run(Backend::Sqlite, async |db: TestDb| super::$rule(Builder::new(&db).python()).await);
                }
            }
        }
    )+};
}
pub(crate) use each_keystone;
