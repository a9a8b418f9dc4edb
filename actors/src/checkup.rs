//! What `doctor` asks a database before a server runs on it. Like `bootstrap`, it looks at tables
//! whose rooms do not run yet.

mod tables;

pub use tables::{Altered, Flaw, altered_tables};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};
use diesel_async::RunQueryDsl;

use crate::actor::Unavailable;
use crate::db::schema::{endpoint, federation_protocol, local_user, project, service, user};
use crate::db::{Db, DbKind, micros_since_epoch};
use crate::with_conn;

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Trying again may help.
    #[error("the database is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// The database refused.
    #[error("the database refuses: {0}")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);

/// Which database server it is, and which version: `PostgreSQL 15.8`.
///
/// # Errors
/// When the database does not tell.
pub async fn server_version(db: &Db) -> Result<String, Error> {
    let asked = match db.kind() {
        DbKind::Sqlite => "'SQLite ' || sqlite_version()",
        DbKind::Postgres => "'PostgreSQL ' || current_setting('server_version')",
        // MariaDB names itself in it.
        DbKind::Mysql => "IF(VERSION() LIKE '%Maria%', VERSION(), CONCAT('MySQL ', VERSION()))",
    };
    with_conn!(db, |conn| {
        let version = diesel::select(sql::<Text>(asked)).get_result(conn).await;
        version.map_err(Error::from)
    })
}

/// By how many seconds the database's clock is ahead of ours; `None` for SQLite, which has none of
/// its own. What the question itself takes is not counted against either.
///
/// # Errors
/// When the database does not tell.
pub async fn clock_ahead(db: &Db) -> Result<Option<f64>, Error> {
    let now = match db.kind() {
        DbKind::Sqlite => return Ok(None),
        DbKind::Postgres => "EXTRACT(EPOCH FROM clock_timestamp())::float8",
        DbKind::Mysql => "CAST(UNIX_TIMESTAMP(SYSDATE(6)) AS DOUBLE)",
    };
    let seconds = || micros_since_epoch() as f64 / 1e6;
    // The first has to connect; only the second is quick.
    let mut ahead = 0.0;
    for _ in 0..2 {
        let before = seconds();
        let theirs: f64 = with_conn!(db, |conn| {
            let asked = diesel::select(sql::<Double>(now)).get_result(conn).await;
            asked.map_err(Error::from)
        })?;
        ahead = theirs - (before + seconds()) / 2.0;
    }
    Ok(Some(ahead))
}

/// How many connections the database server takes from all its clients together; `None` for SQLite.
///
/// # Errors
/// When the database does not tell.
pub async fn connections_allowed(db: &Db) -> Result<Option<i64>, Error> {
    let allowed = match db.kind() {
        DbKind::Sqlite => return Ok(None),
        DbKind::Postgres => {
            "current_setting('max_connections')::bigint \
             - current_setting('superuser_reserved_connections')::bigint"
        }
        DbKind::Mysql => "CAST(@@max_connections AS SIGNED)",
    };
    let allowed = with_conn!(db, |conn| {
        let asked = diesel::select(sql::<BigInt>(allowed))
            .get_result(conn)
            .await;
        asked.map_err(Error::from)
    })?;
    Ok(Some(allowed))
}

/// Whether there is a domain of this ID: what bootstrap makes first.
///
/// # Errors
/// When the database does not tell.
pub async fn has_domain(db: &Db, id: &str) -> Result<bool, Error> {
    with_conn!(db, |conn| {
        let domains = project::table.find(id).filter(project::is_domain.eq(true));
        let count: i64 = domains.count().get_result(conn).await?;
        Ok(count > 0)
    })
}

/// Whether an identity provider has a federation protocol of this ID: Python Keystone makes tokens with
/// a method of that name.
///
/// # Errors
/// When the database does not tell.
pub async fn has_protocol(db: &Db, id: &str) -> Result<bool, Error> {
    with_conn!(db, |conn| {
        let protocols = federation_protocol::table.filter(federation_protocol::id.eq(id));
        let count: i64 = protocols.count().get_result(conn).await?;
        Ok(count > 0)
    })
}

/// The URLs that the catalog has for this service, for clients in general.
///
/// # Errors
/// When the database does not tell.
pub async fn public_identity_urls(db: &Db) -> Result<Vec<String>, Error> {
    with_conn!(db, |conn| {
        let found = endpoint::table
            .inner_join(service::table)
            .filter(service::kind.eq("identity"))
            .filter(endpoint::interface.eq("public"))
            .filter(endpoint::enabled.eq(true))
            .filter(service::enabled.eq(true))
            .select(endpoint::url)
            .order(endpoint::url)
            .load(conn);
        Ok(found.await?)
    })
}

/// A user who could log in: enabled, in an enabled domain, with a name of its own here. `None` where
/// there is none yet.
///
/// # Errors
/// When the database does not tell.
pub async fn some_user(db: &Db) -> Result<Option<String>, Error> {
    with_conn!(db, |conn| {
        let domains = project::table
            .filter(project::is_domain.eq(true))
            .filter(project::enabled.eq(true))
            .select(project::id);
        let found = user::table
            .inner_join(local_user::table)
            .filter(user::enabled.eq(true))
            .filter(user::domain_id.eq_any(domains))
            .select(user::id)
            .order(user::id)
            .first::<String>(conn)
            .await;
        Ok(found.optional()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testdb::each_database;
    use crate::testing::Bench;

    each_database! {
        async fn a_fresh_database_has_a_clock_and_a_bound_and_nothing_else(db: TestDb) {
            let bench = Bench::new(&db).await;
            let pool = bench.pool("checkup");
            let is_server = bench.databases.kind() != DbKind::Sqlite;

            let ahead = clock_ahead(&pool).await.unwrap();
            let allowed = connections_allowed(&pool).await.unwrap();
            assert_eq!(some_user(&pool).await.unwrap(), None);
            let version = server_version(&pool).await.unwrap();
            assert!(version.contains(|one: char| one.is_ascii_digit()), "{version}");

            assert_eq!(ahead.is_some(), is_server);
            assert!(ahead.unwrap_or_default().abs() < 60.0, "{ahead:?}");
            assert_eq!(allowed.is_some(), is_server);
            assert!(allowed.unwrap_or(1) > 0, "{allowed:?}");
            assert!(!has_domain(&pool, "default").await.unwrap());
            assert!(!has_protocol(&pool, "x509").await.unwrap());
            assert!(public_identity_urls(&pool).await.unwrap().is_empty());
        }
    }
}
