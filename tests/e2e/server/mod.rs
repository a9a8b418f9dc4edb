//! The server's outer skin: what it bounds, whom it believes, how it reloads, drains, logs, counts
//! and traces. What of it no database changes is tested on SQLite alone.

mod cors;
mod drain;
mod limits;
mod logging;
pub(crate) mod metrics;
mod proxies;
mod reload;
mod start;
mod systemd;
pub(crate) mod tls;
mod traces;

/// Makes a test of each function, on SQLite.
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
use on_sqlite;
