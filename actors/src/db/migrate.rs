//! Brings a database to the tables that this version needs.
//!
//! Two sets of tables live in it. Python Keystone's (`keystone/`) are made here where they are
//! absent, and left alone where Python Keystone's `db_sync` has made them. Ours (`ng/`) are made
//! in either case, and never alter Python's. `ng_migration` records what was applied from here.
//!
//! Any number of nodes may do this at once: a lock lets one in at a time, and each looks again
//! once it has the lock. On SQLite and PostgreSQL a migration is one transaction. MySQL and
//! MariaDB commit each DDL statement by itself; there a migration is recorded as begun first, and
//! its statements may be repeated, so that the next run completes one that was interrupted.

use std::future::Future;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::Bool;
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};

use super::schema::{alembic_version, ng_migration};
use super::{
    Db, DbKind, Fault, MysqlConn, PostgresConn, SqliteConn, Trouble, micros_since_epoch, trouble,
};
use crate::actor::{Transient, Unavailable};
use crate::with_conn;

/// What `alembic_version` holds under Python Keystone 30: the heads of its contract and expand
/// branches.
pub const KEYSTONE_HEADS: [&str; 2] = ["742c857f1dfb", "c88cdce8f248"];

/// The table that records what was applied from here.
const BOOKKEEPING: &str = "CREATE TABLE ng_migration (\
     name VARCHAR(255) NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)";

/// What is in `applied_at` of a migration that was begun and has not ended.
const BEGUN: i64 = 0;

/// A migration, in the words of each database.
struct Migration {
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
    mysql: &'static str,
}

macro_rules! migration {
    ($name:literal) => {
        Migration {
            name: $name,
            sqlite: include_str!(concat!("../../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../../migrations/postgres/", $name, ".sql")),
            mysql: include_str!(concat!("../../../migrations/mysql/", $name, ".sql")),
        }
    };
}

/// In the order in which they are applied. To be appended to, never changed.
static MIGRATIONS: [Migration; 5] = [
    migration!("keystone/0001_keystone_30"),
    migration!("ng/0001_invalidation_outbox"),
    migration!("ng/0002_totp_use"),
    migration!("ng/0003_webauthn"),
    migration!("ng/0004_webauthn_given"),
];

impl Migration {
    /// Whether these are tables that Python Keystone may have made itself.
    fn is_pythons(&self) -> bool {
        self.name.starts_with("keystone/")
    }

    /// Its statements for this database.
    fn sql(&self, kind: DbKind) -> &'static str {
        match kind {
            DbKind::Sqlite => self.sqlite,
            DbKind::Postgres => self.postgres,
            DbKind::Mysql => self.mysql,
        }
    }

    /// The error for a statement of it that the database did not take.
    fn refused(&self, error: Error) -> MigrateError {
        match trouble(&error) {
            Some(_) => error.into(),
            None => MigrateError::Failed {
                name: self.name,
                source: error,
            },
        }
    }
}

/// What there is of Python Keystone's tables, whoever made them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeystoneSchema {
    /// None (no `project` table).
    Absent,
    /// Those of Python Keystone 30.
    Current,
    /// Those of another release, or half of them.
    Other {
        /// What `alembic_version` holds, sorted; empty where there is no such table.
        found: Vec<String>,
    },
}

impl KeystoneSchema {
    fn of_heads(mut found: Vec<String>) -> Self {
        found.sort();
        if found == KEYSTONE_HEADS {
            Self::Current
        } else {
            Self::Other { found }
        }
    }
}

/// How far a migration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationState {
    /// Not applied; [`sync`] will.
    Pending,
    /// Interrupted half-way (MySQL and MariaDB only); [`sync`] completes it.
    Begun,
    /// Applied from here.
    Applied {
        /// When, in microseconds since 1970, UTC.
        at: i64,
    },
    /// Not needed: Python Keystone has made these tables, of whichever release (see
    /// [`KeystoneSchema`]).
    LeftToPython,
    /// Recorded in this database, not known here: a newer version was at work.
    Unknown {
        /// When, in microseconds since 1970, UTC.
        at: i64,
    },
}

/// One migration, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Its file's path under `migrations/<database>/`, without `.sql`.
    pub name: String,
    /// How far it is.
    pub state: MigrationState,
}

/// What [`sync`] did and found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The migrations that this run applied, in order; empty when there was nothing to do.
    pub applied: Vec<&'static str>,
    /// Python Keystone's tables, as they are now. Whoever gets `Other` should refuse to serve.
    pub keystone: KeystoneSchema,
}

/// Why the schema could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Another node held the lock all the while. Trying again helps.
    #[error("another process is changing this database's schema; try again when it is done")]
    Busy,
    /// No connection, or no answer in time.
    #[error("the database is unavailable")]
    Unavailable(#[from] Unavailable),
    /// The database refused a migration.
    #[error("migration {name} failed")]
    Failed {
        /// Which.
        name: &'static str,
        /// What the database said.
        #[source]
        source: Error,
    },
    /// The database refused something else.
    #[error("reading or recording migrations failed")]
    Storage(#[source] Error),
}

impl From<Error> for MigrateError {
    fn from(error: Error) -> Self {
        match trouble(&error) {
            Some(Trouble::Connection) => Self::Unavailable(Unavailable::Database),
            Some(Trouble::Contention | Trouble::Lock) => Self::Busy,
            None => Self::Storage(error),
        }
    }
}

impl Transient for MigrateError {
    fn unavailable(&self) -> Option<Unavailable> {
        match self {
            Self::Unavailable(why) => Some(*why),
            Self::Busy | Self::Failed { .. } | Self::Storage(_) => None,
        }
    }
}

impl Fault for MigrateError {
    fn connection_is_suspect(&self) -> bool {
        true
    }
}

/// What became of a migration.
enum Outcome {
    Applied,
    AlreadyApplied,
    LeftToPython,
}

/// Whether there is a table of this name.
macro_rules! exists {
    ($conn:expr, $table:expr) => {{
        let found = sql::<Bool>(&$conn.finds_table($table));
        diesel::select(found).get_result::<bool>($conn).await
    }};
}

/// The statements that make all tables, Python Keystone's and ours, in the words of this database.
pub(crate) fn statements(kind: DbKind) -> impl Iterator<Item = &'static str> {
    MIGRATIONS.iter().map(move |migration| migration.sql(kind))
}

/// What there is of Python Keystone's tables.
macro_rules! look {
    ($conn:expr) => {{
        let heads = alembic_version::table.select(alembic_version::version_num);
        if !exists!($conn, "project")? {
            Ok(KeystoneSchema::Absent)
        } else if !exists!($conn, "alembic_version")? {
            Ok(KeystoneSchema::Other { found: Vec::new() })
        } else {
            let found: Result<Vec<String>, Error> = heads.load($conn).await;
            found
                .map(KeystoneSchema::of_heads)
                .map_err(MigrateError::from)
        }
    }};
}

/// Applies a migration, if it still has to be; to be run under the lock. Returns from the
/// closure or block that it stands in.
macro_rules! step {
    ($conn:expr, $migration:expr, $sql:expr) => {{
        if !exists!($conn, "ng_migration")? {
            $conn.batch_execute(BOOKKEEPING).await?;
        }
        let recorded = ng_migration::table
            .find($migration.name)
            .select(ng_migration::applied_at);
        match recorded.first::<i64>($conn).await.optional()? {
            Some(BEGUN) => {}
            Some(_) => return Ok(Outcome::AlreadyApplied),
            None if $migration.is_pythons() && look!($conn)? != KeystoneSchema::Absent => {
                return Ok(Outcome::LeftToPython);
            }
            None => {
                let begun = (
                    ng_migration::name.eq($migration.name),
                    ng_migration::applied_at.eq(BEGUN),
                );
                diesel::insert_into(ng_migration::table)
                    .values(begun)
                    .execute($conn)
                    .await?;
            }
        }
        $conn
            .batch_execute($sql)
            .await
            .map_err(|error| $migration.refused(error))?;
        diesel::update(ng_migration::table.find($migration.name))
            .set(ng_migration::applied_at.eq(micros_since_epoch()))
            .execute($conn)
            .await?;
        Ok(Outcome::Applied)
    }};
}

/// What the three databases do each in its own way.
trait Schema {
    /// SQL that is true if there is a table of this name.
    fn finds_table(&self, table: &'static str) -> String;

    /// Applies a migration while no other node can, if it still has to be.
    fn apply(
        &mut self,
        migration: &'static Migration,
    ) -> impl Future<Output = Result<Outcome, MigrateError>> + Send;
}

impl Schema for SqliteConn {
    fn finds_table(&self, table: &'static str) -> String {
        format!("EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '{table}')")
    }

    async fn apply(&mut self, migration: &'static Migration) -> Result<Outcome, MigrateError> {
        // Immediate: the write lock comes first, as long as busy_timeout waits for it.
        self.immediate_transaction(async |conn| step!(conn, migration, migration.sqlite))
            .await
    }
}

impl Schema for PostgresConn {
    fn finds_table(&self, table: &'static str) -> String {
        format!("to_regclass('{table}') IS NOT NULL")
    }

    async fn apply(&mut self, migration: &'static Migration) -> Result<Outcome, MigrateError> {
        self.transaction(async |conn| {
            // The lock ends with the transaction. Its number is any that nobody else uses, here
            // the bytes of "ng_migra".
            conn.batch_execute(
                "SET LOCAL lock_timeout = '5s'; SELECT pg_advisory_xact_lock(7955432190297731681)",
            )
            .await
            .map_err(|error| match error {
                Error::DatabaseError(DatabaseErrorKind::Unknown, _)
                    if trouble(&error).is_none() =>
                {
                    MigrateError::Busy
                }
                error => error.into(),
            })?;
            step!(conn, migration, migration.postgres)
        })
        .await
    }
}

/// A lock that holds for a whole server, hence the database in its name (64 characters at most).
/// It belongs to the connection: it ends where that is lost.
macro_rules! mysql_lock {
    () => {
        "CONCAT('keystone-ng ', LEFT(DATABASE(), 50))"
    };
}

impl Schema for MysqlConn {
    fn finds_table(&self, table: &'static str) -> String {
        format!(
            "EXISTS (SELECT 1 FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_name = '{table}')"
        )
    }

    async fn apply(&mut self, migration: &'static Migration) -> Result<Outcome, MigrateError> {
        let lock = sql::<Bool>(concat!("COALESCE(GET_LOCK(", mysql_lock!(), ", 5), 0) = 1"));
        if !diesel::select(lock).get_result::<bool>(self).await? {
            return Err(MigrateError::Busy);
        }
        let done = async { step!(self, migration, migration.mysql) }.await;
        let released = self
            .batch_execute(concat!("DO RELEASE_LOCK(", mysql_lock!(), ")"))
            .await;
        // The first error says more: where the connection broke, the lock is gone as well.
        done.and_then(|outcome| released.map(|()| outcome).map_err(MigrateError::from))
    }
}

/// Whether there is a table of this name.
///
/// # Errors
/// When the database can't be read.
pub async fn has_table(db: &Db, name: &'static str) -> Result<bool, MigrateError> {
    with_conn!(db, |conn| exists!(conn, name).map_err(MigrateError::from))
}

/// Reads what there is of Python Keystone's tables.
///
/// # Errors
/// When the database can't be read.
pub async fn keystone_schema(db: &Db) -> Result<KeystoneSchema, MigrateError> {
    with_conn!(db, |conn| look!(conn))
}

/// Reads how far each migration is: those known here in order, then those unknown by name.
///
/// # Errors
/// When the database can't be read.
pub async fn status(db: &Db) -> Result<Vec<MigrationStatus>, MigrateError> {
    let keystone = keystone_schema(db).await?;
    let recorded: Vec<(String, i64)> = with_conn!(db, |conn| {
        if exists!(conn, "ng_migration")? {
            let all = ng_migration::table.order(ng_migration::name);
            all.load(conn).await.map_err(MigrateError::from)
        } else {
            Ok(Vec::new())
        }
    })?;
    let at = |name: &str| recorded.iter().find(|(n, _)| n == name).map(|(_, at)| *at);
    let known = MIGRATIONS.iter().map(|migration| MigrationStatus {
        name: migration.name.to_owned(),
        state: match at(migration.name) {
            Some(BEGUN) => MigrationState::Begun,
            Some(at) => MigrationState::Applied { at },
            None if migration.is_pythons() && keystone != KeystoneSchema::Absent => {
                MigrationState::LeftToPython
            }
            None => MigrationState::Pending,
        },
    });
    let unknown = recorded
        .iter()
        .filter(|(name, _)| MIGRATIONS.iter().all(|m| m.name != name));
    let unknown = unknown.map(|(name, at)| MigrationStatus {
        name: name.clone(),
        state: MigrationState::Unknown { at: *at },
    });
    Ok(known.chain(unknown).collect())
}

/// Applies what is pending, and tells `progress` what became of each migration, in a line.
///
/// A database that is as it should be isn't written to. Each migration has the pool's deadline
/// for a statement; a pool for this purpose had better have a generous one.
///
/// # Errors
/// When the database can't be reached or refuses; what was applied before stays applied, and the
/// next run goes on from there.
pub async fn sync(db: &Db, mut progress: impl FnMut(&str)) -> Result<Report, MigrateError> {
    let mut applied = Vec::new();
    for migration in &MIGRATIONS {
        let name = migration.name;
        match with_conn!(db, |conn| conn.apply(migration).await)? {
            Outcome::Applied => {
                applied.push(name);
                progress(&format!("{name}: applied"));
            }
            Outcome::AlreadyApplied => progress(&format!("{name}: was applied before")),
            Outcome::LeftToPython => {
                progress(&format!(
                    "{name}: not needed, Python Keystone has made these tables"
                ));
            }
        }
    }
    let keystone = keystone_schema(db).await?;
    Ok(Report { applied, keystone })
}

#[cfg(test)]
#[path = "migrate_tests.rs"]
mod tests;
