//! A database of its own for each test: a fresh SQLite file, or a fresh database on the
//! PostgreSQL or MariaDB server that `tests/run` has started. It is dropped with the value.
//!
//! Both crates include this file, each as its module `testdb` at the root: the server's end to
//! end tests and the providers' own. Nothing in it knows a table.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `TEST_MYSQL_URL`, `TEST_POSTGRES_URL` | SQLAlchemy URL of an account that may create databases |
//! | `KEYSTONE_NG_TEST_SQLITE_ONLY=1` | the tests of the other two pass without doing anything |
//! | `KEYSTONE_NG_TEST_KEEP=1` | databases and folders stay, for a look afterwards |

#![allow(
    dead_code,
    reason = "two crates include this file; neither uses all of it"
)]
#![allow(unused_imports, reason = "as above: the macro may have no user yet")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test support: a failure here has to fail the test"
)]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use mysql_async::prelude::Queryable as _;

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// Lets SQLite wait for whoever has its lock, in milliseconds.
const PATIENT: &str = "PRAGMA busy_timeout = 30000;";

/// The three databases that everything has to work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// A file in a temporary folder.
    Sqlite,
    /// A database on the server of `TEST_POSTGRES_URL`.
    Postgres,
    /// A database on the server of `TEST_MYSQL_URL`.
    Mariadb,
}

/// A temporary folder that only its owner can read; removed when dropped.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// A new, empty folder whose name starts with `keystone-ng-`.
    pub(crate) fn new() -> Self {
        use std::os::unix::fs::DirBuilderExt as _;

        let path =
            std::env::temp_dir().join(format!("keystone-ng-{}", uuid::Uuid::new_v4().simple()));
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .unwrap_or_else(|e| panic!("cannot make {}: {e}", path.display()));
        Self(path)
    }

    /// Where it is, absolute.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if keep() {
            eprintln!("kept: {}", self.0.display());
        } else if let Err(e) = fs::remove_dir_all(&self.0) {
            eprintln!("cannot remove {}: {e}", self.0.display());
        }
    }
}

/// An empty database, without any table.
#[derive(Debug)]
pub(crate) struct TestDb {
    backend: Backend,
    url: String,
    /// The server's own URL and the database's name; `None` for SQLite.
    server: Option<(String, String)>,
    scratch: Scratch,
}

impl TestDb {
    /// Makes one; `None` where `KEYSTONE_NG_TEST_SQLITE_ONLY` says that this backend's tests are
    /// left out. Panics when the database server is missing or refuses.
    pub(crate) async fn create(backend: Backend) -> Option<Self> {
        let scratch = Scratch::new();
        let variable = match backend {
            Backend::Sqlite => {
                let url = format!("sqlite:///{}/keystone.sqlite", scratch.path().display());
                return Some(Self {
                    backend,
                    url,
                    server: None,
                    scratch,
                });
            }
            Backend::Postgres => "TEST_POSTGRES_URL",
            Backend::Mariadb => "TEST_MYSQL_URL",
        };
        if is_set("KEYSTONE_NG_TEST_SQLITE_ONLY") {
            eprintln!("left out: KEYSTONE_NG_TEST_SQLITE_ONLY is set");
            return None;
        }
        let server = std::env::var(variable).unwrap_or_else(|_| {
            panic!(
                "{variable} is not set, so there is no {backend:?} to test on. Run the tests by tests/run, \
                 which starts one; or leave such tests out with KEYSTONE_NG_TEST_SQLITE_ONLY=1"
            )
        });
        let name = format!("ng_{}", uuid::Uuid::new_v4().simple());
        // What Keystone databases of some age have; an index of our own must fit it as well.
        let charset = match backend {
            Backend::Mariadb => " CHARACTER SET utf8mb3",
            Backend::Postgres | Backend::Sqlite => "",
        };
        run_sql(
            backend,
            &server,
            &format!("CREATE DATABASE {name}{charset}"),
        )
        .await
        .unwrap_or_else(|e| panic!("cannot create a database on {variable}: {e}"));
        let url = with_database(&server, &name);
        Some(Self {
            backend,
            url,
            server: Some((server, name)),
            scratch,
        })
    }

    /// Which of the three it is on.
    pub(crate) fn backend(&self) -> Backend {
        self.backend
    }

    /// Its SQLAlchemy URL, as `[database] connection` of keystone.conf takes it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A folder that lives as long as the database.
    pub(crate) fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// Runs one statement, behind the back of whatever server uses this database. Names in
    /// double quotes, and `true` and `false`, mean the same on all three. Panics on an error.
    pub(crate) async fn execute(&self, sql: &str) {
        run_sql(self.backend, &self.url, sql)
            .await
            .unwrap_or_else(|e| panic!("{:?} refuses {sql:?}: {e}", self.backend));
    }
}

impl TestDb {
    /// Ends all connections that servers have to this database, as its administrator could. Gives
    /// how many there were. None on SQLite, which has no server.
    pub(crate) async fn kill_connections(&self) -> usize {
        let Some((_, name)) = &self.server else {
            return 0;
        };
        let killed = match self.backend {
            Backend::Sqlite => Ok(0),
            Backend::Postgres => kill_on_postgres(&self.url, name).await,
            Backend::Mariadb => kill_on_mariadb(&self.url, name).await,
        };
        killed.unwrap_or_else(|e| panic!("{:?} kills no connections: {e}", self.backend))
    }

    /// The number that a query gives.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let number = read_number(self.backend, &self.url, sql).await;
        number.unwrap_or_else(|e| panic!("{:?} refuses {sql:?}: {e}", self.backend))
    }

    /// How many transactions are open on this database and wait for their client. SQLite, which
    /// does not tell, counts as one where the write lock is taken.
    pub(crate) async fn open_transactions(&self) -> i64 {
        match (self.backend, &self.server) {
            (Backend::Postgres, Some((_, name))) => {
                let sql = format!(
                    "SELECT COUNT(*) FROM pg_stat_activity
                     WHERE datname = '{name}' AND state LIKE 'idle in transaction%'"
                );
                self.number(&sql).await
            }
            (Backend::Mariadb, Some((server, name))) => {
                let sql = format!(
                    "SELECT COUNT(*) FROM information_schema.INNODB_TRX t
                     JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id
                     WHERE p.DB = '{name}' AND p.COMMAND = 'Sleep'"
                );
                let number = read_number(self.backend, server, &sql).await;
                number.unwrap_or_else(|e| panic!("{sql:?}: {e}"))
            }
            _ => {
                let taken = run_sql(self.backend, &self.url, "BEGIN IMMEDIATE; ROLLBACK").await;
                i64::from(taken.is_err())
            }
        }
    }

    /// Holds the exclusive lock of the SQLite file until the value is dropped.
    pub(crate) fn lock_sqlite(&self) -> diesel::SqliteConnection {
        let file = self.url.strip_prefix("sqlite:///").unwrap_or(&self.url);
        let mut connection = diesel::SqliteConnection::establish(file).expect("the file");
        connection
            .batch_execute(&format!("{PATIENT} BEGIN EXCLUSIVE"))
            .expect("the lock");
        connection
    }
}

async fn read_number(
    backend: Backend,
    url: &str,
    sql: &str,
) -> Result<i64, Box<dyn Error + Send + Sync>> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        number: i64,
    }
    let sql = format!("SELECT CAST((\n{sql}\n) AS SIGNED) AS number");
    match backend {
        Backend::Sqlite => {
            use diesel::RunQueryDsl as _;

            let file = url.strip_prefix("sqlite:///").unwrap_or(url);
            let mut connection = diesel::SqliteConnection::establish(file)?;
            connection.batch_execute(PATIENT)?;
            let sql = sql.replace("SIGNED", "INTEGER");
            let row: Row = diesel::sql_query(sql).get_result(&mut connection)?;
            Ok(row.number)
        }
        Backend::Postgres => {
            let (client, connection) =
                tokio_postgres::connect(&native(url, "postgresql"), tokio_postgres::NoTls).await?;
            let connection = tokio::spawn(connection);
            let row = client
                .query_one(&sql.replace("SIGNED", "BIGINT"), &[])
                .await?;
            drop(client);
            connection.await??;
            Ok(row.try_get(0)?)
        }
        Backend::Mariadb => {
            let options = mysql_async::OptsBuilder::from_opts(mysql_async::Opts::from_url(
                &native(url, "mysql"),
            )?)
            .setup(vec!["SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')"]);
            let mut connection = mysql_async::Conn::new(options).await?;
            let number = connection.query_first(sql).await?;
            connection.disconnect().await?;
            Ok(number.ok_or("no row")?)
        }
    }
}

async fn kill_on_postgres(url: &str, name: &str) -> Result<usize, Box<dyn Error + Send + Sync>> {
    let (client, connection) =
        tokio_postgres::connect(&native(url, "postgresql"), tokio_postgres::NoTls).await?;
    let connection = tokio::spawn(connection);
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = $1 AND pid <> pg_backend_pid()";
    let killed = client.query(sql, &[&name]).await?.len();
    drop(client);
    connection.await??;
    Ok(killed)
}

async fn kill_on_mariadb(url: &str, name: &str) -> Result<usize, Box<dyn Error + Send + Sync>> {
    let options = mysql_async::Opts::from_url(&native(url, "mysql"))?;
    let mut connection = mysql_async::Conn::new(options).await?;
    let sql =
        "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = ? AND ID <> CONNECTION_ID()";
    let all: Vec<u64> = connection.exec(sql, (name,)).await?;
    for id in &all {
        // One that has ended meanwhile is no failure.
        let _ = connection.query_drop(format!("KILL {id}")).await;
    }
    connection.disconnect().await?;
    Ok(all.len())
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let Some((server, name)) = self.server.take() else {
            return;
        };
        if keep() {
            eprintln!("kept: {}", self.url);
            return;
        }
        let backend = self.backend;
        // A database in use can be dropped on MariaDB; PostgreSQL has to be told.
        let force = if backend == Backend::Postgres {
            " WITH (FORCE)"
        } else {
            ""
        };
        let sql = format!("DROP DATABASE IF EXISTS {name}{force}");
        // On a thread of its own: this may run inside a runtime, which cannot block on another.
        let dropped = std::thread::spawn(move || -> Outcome {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(run_sql(backend, &server, &sql))
        })
        .join();
        match dropped {
            Ok(Ok(())) => {}
            // Not a panic: this drop may be part of one.
            Ok(Err(e)) => eprintln!("{} is left behind: {e}", self.url),
            Err(_) => eprintln!("{} is left behind", self.url),
        }
    }
}

/// Runs `rule` on a fresh database, inside an actix system as the server has one.
pub(crate) fn run<F, Fut>(backend: Backend, rule: F)
where
    F: FnOnce(TestDb) -> Fut,
    Fut: Future<Output = ()>,
{
    actix_rt::System::new().block_on(async {
        if let Some(db) = TestDb::create(backend).await {
            rule(db).await;
        }
    });
}

/// Makes three tests of each function, `NAME::sqlite`, `NAME::postgres` and `NAME::mariadb`:
///
/// ```ignore
/// each_database! {
///     async fn a_renamed_role_is_never_read_under_its_old_name(db: TestDb) { … }
/// }
/// ```
macro_rules! each_database {
    ($( $(#[$attribute:meta])* async fn $rule:ident($db:ident: TestDb) $body:block )+) => {$(
        $(#[$attribute])*
        async fn $rule($db: $crate::testdb::TestDb) $body

        mod $rule {
            use $crate::testdb::{Backend, run};

            #[test]
            fn sqlite() {
                run(Backend::Sqlite, super::$rule);
            }

            #[test]
            fn postgres() {
                run(Backend::Postgres, super::$rule);
            }

            #[test]
            fn mariadb() {
                run(Backend::Mariadb, super::$rule);
            }
        }
    )+};
}
pub(crate) use each_database;

/// The same on the two databases that are reached over a network.
macro_rules! each_server {
    ($( $(#[$attribute:meta])* async fn $rule:ident($db:ident: TestDb) $body:block )+) => {$(
        $(#[$attribute])*
        async fn $rule($db: $crate::testdb::TestDb) $body

        mod $rule {
            use $crate::testdb::{Backend, run};

            #[test]
            fn postgres() {
                run(Backend::Postgres, super::$rule);
            }

            #[test]
            fn mariadb() {
                run(Backend::Mariadb, super::$rule);
            }
        }
    )+};
}
pub(crate) use each_server;

fn is_set(variable: &str) -> bool {
    std::env::var(variable).is_ok_and(|value| !value.is_empty() && value != "0")
}

fn keep() -> bool {
    is_set("KEYSTONE_NG_TEST_KEEP")
}

/// The URL of another database on the same server.
fn with_database(server: &str, name: &str) -> String {
    let mut url = url::Url::parse(server).unwrap_or_else(|e| panic!("not a URL ({e}): {server}"));
    url.set_path(&format!("/{name}"));
    url.into()
}

/// The form that the Rust clients parse: without SQLAlchemy's driver and options.
fn native(url: &str, scheme: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
    format!("{scheme}://{rest}")
}

async fn run_sql(backend: Backend, url: &str, sql: &str) -> Outcome {
    match backend {
        Backend::Sqlite => {
            let file = url.strip_prefix("sqlite:///").unwrap_or(url);
            let mut connection = diesel::SqliteConnection::establish(file)?;
            connection.batch_execute(PATIENT)?;
            connection.batch_execute(sql)?;
        }
        Backend::Postgres => {
            let (client, connection) =
                tokio_postgres::connect(&native(url, "postgresql"), tokio_postgres::NoTls).await?;
            let connection = tokio::spawn(connection);
            client.batch_execute(sql).await?;
            drop(client);
            connection.await??;
        }
        Backend::Mariadb => {
            let options = mysql_async::OptsBuilder::from_opts(mysql_async::Opts::from_url(
                &native(url, "mysql"),
            )?)
            .setup(vec!["SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')"])
            .conn_ttl(Duration::from_secs(30));
            let mut connection = mysql_async::Conn::new(options).await?;
            connection.query_drop(sql).await?;
            connection.disconnect().await?;
        }
    }
    Ok(())
}
