//! Databases: one pool a provider, one query for three databases.
//!
//! A [`Db`] is a provider's own pool. Queries are written once, with diesel, and expanded for
//! each database by [`with_conn!`](crate::with_conn) (one round trip, or several without a
//! transaction) or [`transaction!`](crate::transaction) (all or nothing), so that the compiler
//! checks them for all three.

use std::future::Future;

use diesel::QueryResult;
use futures_util::future::BoxFuture;

mod fault;
pub mod migrate;
pub mod outbox;
mod pool;
#[allow(
    missing_docs,
    reason = "the columns mean what Keystone's tables document"
)]
pub mod schema;
mod session;
mod shared;
mod time;
mod tls;
mod tries;
pub mod url;

pub use fault::{
    Fault, Trouble, is_unique_violation, on_unique, refuses_text, trouble, unavailable,
};
pub use pool::{
    ConnectError, Databases, Db, DbKind, DbStats, MysqlConn, NoConnection, Pools, PostgresConn,
    SqliteConn, StorageLimits,
};
pub use session::{Sessions, is_sql_mode};
pub(crate) use shared::Shared;
pub use time::{DbTime, micros_since_epoch};
pub use tries::Tries;

/// IDs in one statement: far below what SQLite and MySQL take.
pub(crate) const BATCH: usize = 1000;

/// Runs diesel queries on a connection of a provider's pool:
/// `with_conn!(db, |conn| role::table.find(id).first(conn).await.map_err(Error::from))`.
///
/// The body is expanded once per database and must be a `Result` whose error implements
/// [`Fault`] (see [`triage!`](crate::triage)). Waiting for a connection and the body each have a
/// deadline; a connection whose work did not end well is closed, not used again.
#[macro_export]
macro_rules! with_conn {
    ($db:expr, |$conn:ident| $body:expr) => {{
        let db: &$crate::db::Db = $db;
        match db.pools() {
            $crate::db::Pools::Sqlite(pool) => {
                db.run(pool, async |$conn: &mut $crate::db::SqliteConn| $body)
                    .await
            }
            $crate::db::Pools::Postgres(pool) => {
                db.run(pool, async |$conn: &mut $crate::db::PostgresConn| $body)
                    .await
            }
            $crate::db::Pools::Mysql(pool) => {
                db.run(pool, async |$conn: &mut $crate::db::MysqlConn| $body)
                    .await
            }
        }
    }};
}

/// Like [`with_conn!`](crate::with_conn), in a transaction: committed when the body is `Ok`,
/// rolled back when it is an error, or when the caller goes away.
///
/// On SQLite it takes the write lock at its beginning (`BEGIN IMMEDIATE`), so that it can't fail
/// half-way for another's write; elsewhere the body locks the rows that it decides by. Where another
/// transaction was in the way (a deadlock, Galera's certification), it begins again, a few times: the
/// body must do nothing that a roll-back does not undo.
#[macro_export]
macro_rules! transaction {
    ($db:expr, |$conn:ident| $body:expr) => {{
        let db: &$crate::db::Db = $db;
        let mut tries = $crate::db::Tries::default();
        loop {
            let done = match db.pools() {
                $crate::db::Pools::Sqlite(pool) => {
                    db.run(pool, async |conn: &mut $crate::db::SqliteConn| {
                        conn.immediate_transaction(async |$conn: &mut $crate::db::SqliteConn| $body)
                            .await
                    })
                    .await
                }
                $crate::db::Pools::Postgres(pool) => {
                    db.run(pool, async |conn: &mut $crate::db::PostgresConn| {
                        ::diesel_async::AsyncConnection::transaction(
                            conn,
                            async |$conn: &mut $crate::db::PostgresConn| $body,
                        )
                        .await
                    })
                    .await
                }
                $crate::db::Pools::Mysql(pool) => {
                    db.run(pool, async |conn: &mut $crate::db::MysqlConn| {
                        ::diesel_async::AsyncConnection::transaction(
                            conn,
                            async |$conn: &mut $crate::db::MysqlConn| $body,
                        )
                        .await
                    })
                    .await
                }
            };
            match done {
                Err(error) if tries.may_begin_again(&error).await => {}
                done => break done,
            }
        }
    }};
}

/// A connection to one of the three databases.
pub(crate) enum AnyConn<'a> {
    Sqlite(&'a mut SqliteConn),
    Postgres(&'a mut PostgresConn),
    Mysql(&'a mut MysqlConn),
}

/// What [`AnyConn`] is made of.
pub(crate) trait Conn {
    fn any(&mut self) -> AnyConn<'_>;
}

impl Conn for SqliteConn {
    fn any(&mut self) -> AnyConn<'_> {
        AnyConn::Sqlite(self)
    }
}

impl Conn for PostgresConn {
    fn any(&mut self) -> AnyConn<'_> {
        AnyConn::Postgres(self)
    }
}

impl Conn for MysqlConn {
    fn any(&mut self) -> AnyConn<'_> {
        AnyConn::Mysql(self)
    }
}

/// Some work on a connection, without its type.
pub(crate) fn boxed<'a, T>(
    work: impl Future<Output = QueryResult<T>> + Send + 'a,
) -> BoxFuture<'a, QueryResult<T>> {
    Box::pin(work)
}

/// Writes functions for the insides of transactions, which other rooms' transactions call as well:
///
/// ```ignore
/// on_connection! {
///     /// Forgets …
///     pub(crate) async fn delete_limits_of<'a>(conn, projects: &'a [String]) -> Vec<Entity> {
///         diesel::delete(…).execute(conn).await?;
///         Ok(…)
///     }
/// }
/// limit::delete_limits_of(conn, &projects).await?;
/// ```
///
/// The body is expanded once per database, and its result is a `QueryResult`. Unlike a macro, such a
/// function is compiled once, however many transactions call it.
macro_rules! on_connection {
    ($(
        $(#[$meta:meta])*
        $vis:vis async fn $name:ident<$life:lifetime>(
            $conn:ident $(, $arg:ident: $type:ty)* $(,)?
        ) -> $out:ty $body:block
    )+) => {$(
        $(#[$meta])*
        $vis fn $name<$life>(
            conn: &$life mut impl $crate::db::Conn
            $(, $arg: $type)*
        ) -> ::futures_util::future::BoxFuture<$life, ::diesel::QueryResult<$out>> {
            fn on<$life>(
                conn: $crate::db::AnyConn<$life>
                $(, $arg: $type)*
            ) -> ::futures_util::future::BoxFuture<$life, ::diesel::QueryResult<$out>> {
                use $crate::db::{AnyConn, boxed};
                match conn {
                    AnyConn::Sqlite($conn) => boxed(async move $body),
                    AnyConn::Postgres($conn) => boxed(async move $body),
                    AnyConn::Mysql($conn) => boxed(async move $body),
                }
            }
            on($crate::db::Conn::any(conn) $(, $arg)*)
        }
    )+};
}
pub(crate) use on_connection;

/// Locks the row of an ID for the rest of a transaction whose error is made of a diesel error:
/// `lock_by_id!(conn, service, id)`, with the table's name and an ID type. Changes nothing, and is
/// the same on all three databases: SQLite has no `FOR UPDATE`. Evaluates to whether there is such
/// a row.
///
/// Of two transactions that decide by one row, the second then sees what the first left. Whoever
/// needs several rows locks all of them before it reads: on MariaDB all that a transaction reads
/// is as it was at its first read.
#[macro_export]
macro_rules! lock_by_id {
    ($conn:expr, $table:ident, $id:expr) => {{
        use $crate::db::schema::$table as table;
        let row = ::diesel::QueryDsl::find(table::table, $id.as_str());
        // Not the ID as it was asked for, which may be spelt otherwise than the one that the
        // database takes for equal.
        let unchanged = ::diesel::ExpressionMethods::eq(table::id, table::id);
        let lock = ::diesel::update(row).set(unchanged);
        ::diesel_async::RunQueryDsl::execute(lock, $conn).await? > 0
    }};
}

/// The same, for who only needs the row to stay as it is: others may do so at the same time, and only
/// who locks the row by [`lock_by_id!`](crate::lock_by_id) or changes it waits, or is waited for.
/// Whoever has done this must not change the row: two who both mean to would wait for each other.
macro_rules! share_by_id {
    ($conn:expr, $table:ident, $id:expr) => {{
        use $crate::db::schema::$table as table;
        let row = ::diesel::QueryDsl::find(table::table, $id.as_str());
        let row = $crate::db::Shared(::diesel::QueryDsl::select(row, table::id));
        let found: ::diesel::QueryResult<String> =
            ::diesel_async::RunQueryDsl::get_result(row, $conn).await;
        ::diesel::OptionalExtension::optional(found)?.is_some()
    }};
}
pub(crate) use share_by_id;

/// Deletes the rows of a table that meet a condition, a closure that makes it, inside of
/// [`on_connection!`]: `delete_where!(conn, credential => Credential, || …)`. Evaluates to what they
/// were: an iterator of entities of this kind.
macro_rules! delete_where {
    ($conn:expr, $table:ident => $kind:ident, $theirs:expr) => {{
        use $crate::db::schema::$table as table;
        let theirs = $theirs;
        let ids: Vec<String> = table::table
            .filter(theirs())
            .select(table::id)
            .load($conn)
            .await?;
        diesel::delete(table::table.filter(theirs()))
            .execute($conn)
            .await?;
        ids.into_iter()
            .map(|id| $crate::epoch::Entity::new($crate::epoch::Kind::$kind, id))
    }};
}
pub(crate) use delete_where;

/// A name or an ID that is looked for. PostgreSQL refuses a text with a NUL in it, where the others
/// find nothing: nothing is called so, and nothing has an empty name either.
pub(crate) fn sought(text: &str) -> &str {
    if text.contains('\0') { "" } else { text }
}

/// Rows in one statement: far below the parameters that PostgreSQL and MySQL take (65,535).
#[doc(hidden)]
pub const ROWS: usize = 1000;

/// Rows that can be inserted many at a time; see [`insert_rows!`](crate::insert_rows).
pub trait InsertRows<R> {
    /// Inserts these rows, if there are any: one statement a thousand, or one a row on SQLite,
    /// where that is no round trip and diesel knows no batch.
    fn insert_rows(&mut self, rows: Vec<R>) -> impl Future<Output = QueryResult<()>> + Send;
}

/// Makes rows of a type insertable many at a time: `insert_rows!(OptionRow => role_option);`, and
/// then `conn.insert_rows(rows).await?`.
#[macro_export]
macro_rules! insert_rows {
    ($($row:ty => $table:path),+ $(,)?) => {$(
        impl $crate::db::InsertRows<$row> for $crate::db::SqliteConn {
            async fn insert_rows(&mut self, rows: Vec<$row>) -> ::diesel::QueryResult<()> {
                use $table as table;
                for row in rows {
                    let insert = ::diesel::insert_into(table::table).values(row);
                    ::diesel_async::RunQueryDsl::execute(insert, self).await?;
                }
                Ok(())
            }
        }
        $crate::insert_rows!(@batch $crate::db::PostgresConn, $row => $table);
        $crate::insert_rows!(@batch $crate::db::MysqlConn, $row => $table);
    )+};
    (@batch $conn:ty, $row:ty => $table:path) => {
        impl $crate::db::InsertRows<$row> for $conn {
            async fn insert_rows(&mut self, mut rows: Vec<$row>) -> ::diesel::QueryResult<()> {
                use $table as table;
                while !rows.is_empty() {
                    let rest = rows.split_off(rows.len().min($crate::db::ROWS));
                    let insert = ::diesel::insert_into(table::table).values(rows);
                    ::diesel_async::RunQueryDsl::execute(insert, self).await?;
                    rows = rest;
                }
                Ok(())
            }
        }
    };
}

/// Implements what [`with_conn!`](crate::with_conn) needs of a provider's error, which has the
/// variants `Unavailable(Unavailable)` and `Storage(diesel::result::Error)`.
#[macro_export]
macro_rules! triage {
    ($error:ty) => {
        impl From<::diesel::result::Error> for $error {
            fn from(error: ::diesel::result::Error) -> Self {
                match $crate::db::unavailable(&error) {
                    Some(why) => Self::Unavailable(why),
                    None => Self::Storage(error),
                }
            }
        }

        impl $crate::actor::Transient for $error {
            fn unavailable(&self) -> Option<$crate::actor::Unavailable> {
                match self {
                    Self::Unavailable(why) => Some(*why),
                    _ => None,
                }
            }
        }

        impl $crate::db::Fault for $error {
            fn connection_is_suspect(&self) -> bool {
                match self {
                    Self::Unavailable(why) => why.connection_is_suspect(),
                    error => matches!(error, Self::Storage(_)),
                }
            }
        }
    };
}
