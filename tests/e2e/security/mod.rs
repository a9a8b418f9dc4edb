//! What must hold of security, a test for each rule; their names begin with the rule's number in
//! `SECURITY.md`.

/// Rules that do not depend on the database, on one of them.
macro_rules! on_sqlite {
    ($( $(#[$attribute:meta])* async fn $rule:ident($db:ident: TestDb) $body:block )+) => {$(
        #[test]
        $(#[$attribute])*
        fn $rule() {
            $crate::testdb::run($crate::testdb::Backend::Sqlite, async |$db: $crate::testdb::TestDb| $body);
        }
    )+};
}

mod authority;
mod delegation;
mod jwt;
mod keys;
mod logins_and_load;
mod outside;
mod secrets;
mod source;
mod tokens;
