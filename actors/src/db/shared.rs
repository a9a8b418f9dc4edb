//! Locks that several may have at a time.

use diesel::mysql::Mysql;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sqlite::Sqlite;

/// A query that keeps the rows that it finds from being changed or deleted until the end of the
/// transaction. It sees them as they were committed last, whatever the transaction has read before.
///
/// diesel's own `for_share` is no SQL of MariaDB.
#[derive(QueryId)]
pub(crate) struct Shared<Q>(pub(crate) Q);

impl<Q: Query> Query for Shared<Q> {
    type SqlType = Q::SqlType;
}

macro_rules! locks {
    ($($(#[$why:meta])* $backend:ty => $lock:literal;)+) => {$(
        $(#[$why])*
        impl<Q: QueryFragment<$backend>> QueryFragment<$backend> for Shared<Q> {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, $backend>) -> QueryResult<()> {
                self.0.walk_ast(out.reborrow())?;
                out.push_sql($lock);
                Ok(())
            }
        }
    )+};
}

locks! {
    /// Who writes has the whole database, from the beginning of the transaction.
    Sqlite => "";
    /// Not `FOR KEY SHARE`, which bars only a deletion, and not who is about to delete.
    Pg => " FOR SHARE";
    /// MariaDB has no `FOR SHARE`.
    Mysql => " LOCK IN SHARE MODE";
}
