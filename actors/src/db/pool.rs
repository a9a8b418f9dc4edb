//! Connection pools: one a provider, sized from one total.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{PoolError as Failure, TimeoutType};
use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel::{ConnectionError, SqliteConnection};
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolError, PoolableConnection, RecyclingMethod,
};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{
    AsyncConnection, AsyncMysqlConnection, AsyncPgConnection, SimpleAsyncConnection,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::timeout;
use tracing::warn;

use super::fault::{Fault, Trouble, trouble};
use super::session::Sessions;
use super::tls;
use super::url::DatabaseUrl;
use crate::actor::Unavailable;

/// Tries to switch a SQLite file to its write-ahead log, and the pause between two: a second.
const WAL_TRIES: u32 = 100;
const WAL_PAUSE: Duration = Duration::from_millis(10);

/// A connection to SQLite: its queries run on tokio's blocking threads.
pub type SqliteConn = SyncConnectionWrapper<SqliteConnection>;
/// A connection to PostgreSQL.
pub type PostgresConn = AsyncPgConnection;
/// A connection to MySQL or MariaDB.
pub type MysqlConn = AsyncMysqlConnection;

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DbKind {
    /// SQLite: one file, for one node.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL or MariaDB, Galera clusters included.
    Mysql,
}

/// Bounds of what the providers do with the database.
#[derive(Clone, Copy, Debug)]
pub struct StorageLimits {
    /// Connections of all providers together.
    pub connections: usize,
    /// How long a query waits for a free connection.
    pub acquire: Duration,
    /// How long making a connection may take.
    pub connect: Duration,
    /// How long the work on a connection may take, a transaction included.
    pub statement: Duration,
    /// Age at which an idle connection is replaced; `None`: never.
    pub lifetime: Option<Duration>,
}

impl Default for StorageLimits {
    fn default() -> Self {
        Self {
            connections: 40,
            acquire: Duration::from_secs(5),
            connect: Duration::from_secs(5),
            statement: Duration::from_secs(10),
            lifetime: Some(Duration::from_secs(3600)),
        }
    }
}

/// Why there is no connection, for whoever set the database up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoConnection {
    /// In the words of the driver, which may name host and user, never the password.
    pub why: String,
    /// The server is not there (yet), so trying again may help: a wrong password is another matter.
    pub may_pass: bool,
}

/// The database could not be connected to.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A file that TLS to the database needs can't be read, or is not what it should be.
    #[error("TLS to the database: {0}")]
    Tls(String),
    /// The pool could not be made.
    #[error("connection pool: {0}")]
    Pool(String),
}

/// The database of this process, from which each provider gets a pool of its own.
#[derive(Clone)]
pub struct Databases {
    url: Arc<DatabaseUrl>,
    limits: StorageLimits,
    connect: Connect,
}

/// How a connection is made. Prepared once, as TLS needs files to be read. For SQLite: the path, and
/// the statements that set the session.
#[derive(Clone)]
enum Connect {
    Sqlite(Arc<str>, Arc<str>),
    Postgres(Arc<tls::Postgres>),
    Mysql(mysql_async::Opts),
}

/// A provider's own pool of connections. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    name: &'static str,
    pools: Pools,
    limits: StorageLimits,
    statements: Statements,
    broken: AtomicU64,
    timed_out: AtomicU64,
}

/// Counts the statements of a pool's connections. Nothing else of them is looked at: they have secrets in
/// them.
#[derive(Clone, Default)]
struct Statements(Arc<AtomicU64>);

impl Instrumentation for Statements {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { .. } = event {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The pool, by the kind of database.
pub enum Pools {
    /// SQLite.
    Sqlite(Pool<SqliteConn>),
    /// PostgreSQL.
    Postgres(Pool<PostgresConn>),
    /// MySQL or MariaDB.
    Mysql(Pool<MysqlConn>),
}

/// A pool's use, for metrics.
#[derive(Clone, Copy, Debug)]
pub struct DbStats {
    /// Whose pool it is.
    pub name: &'static str,
    /// Connections that it may have.
    pub limit: usize,
    /// Connections that it has.
    pub size: usize,
    /// Connections not in use.
    pub idle: usize,
    /// Queries waiting for a connection.
    pub waiting: usize,
    /// Statements that it sent, those that begin and end transactions included; not those that set a
    /// new connection up.
    pub statements: u64,
    /// Connections closed because their work did not end well.
    pub broken: u64,
    /// Work given up at its deadline.
    pub timed_out: u64,
}

impl Databases {
    /// Prepares connections to this database; makes none yet.
    ///
    /// # Errors
    /// When files that TLS needs are unusable.
    pub fn new(url: DatabaseUrl, limits: StorageLimits) -> Result<Self, ConnectError> {
        Self::with_sessions(url, limits, &Sessions::default())
    }

    /// The same, with sessions that are set as an operator wants them.
    ///
    /// # Errors
    /// When files that TLS needs are unusable.
    pub fn with_sessions(
        url: DatabaseUrl,
        limits: StorageLimits,
        sessions: &Sessions,
    ) -> Result<Self, ConnectError> {
        let connect = match &url {
            DatabaseUrl::Sqlite { path } => {
                Connect::Sqlite(path.to_string_lossy().into(), sessions.sqlite().into())
            }
            DatabaseUrl::Postgres { .. } => {
                Connect::Postgres(Arc::new(tls::postgres(&url, limits.connect)?))
            }
            DatabaseUrl::Mysql { .. } => Connect::Mysql(tls::mysql(&url, sessions)?),
        };
        Ok(Self {
            url: Arc::new(url),
            limits,
            connect,
        })
    }

    /// The kind of database.
    pub fn kind(&self) -> DbKind {
        match *self.url {
            DatabaseUrl::Sqlite { .. } => DbKind::Sqlite,
            DatabaseUrl::Postgres { .. } => DbKind::Postgres,
            DatabaseUrl::Mysql { .. } => DbKind::Mysql,
        }
    }

    /// A pool for the provider `name`, of `share` percent of all connections, two at least.
    ///
    /// # Errors
    /// When the pool can't be made.
    pub fn pool(&self, name: &'static str, share: usize) -> Result<Db, ConnectError> {
        self.pool_of(name, (self.limits.connections * share / 100).max(2))
    }

    /// All connections that the pools together may have.
    pub fn connections(&self) -> usize {
        self.limits.connections
    }

    /// A pool for the provider `name`, of `size` connections.
    ///
    /// # Errors
    /// When the pool can't be made.
    pub fn pool_of(&self, name: &'static str, size: usize) -> Result<Db, ConnectError> {
        let statements = Statements::default();
        let counter = statements.clone();
        let pools = match &self.connect {
            Connect::Sqlite(path, set) => {
                let (path, set) = (Arc::clone(path), Arc::clone(set));
                Pools::Sqlite(self.build(size, counter, move || {
                    open_sqlite(Arc::clone(&path), Arc::clone(&set)).boxed()
                })?)
            }
            Connect::Postgres(how) => {
                let how = Arc::clone(how);
                Pools::Postgres(self.build(size, counter, move || {
                    let how = Arc::clone(&how);
                    async move { how.connect().await }.boxed()
                })?)
            }
            Connect::Mysql(options) => {
                let options = options.clone();
                Pools::Mysql(
                    self.build(size, counter, move || open_mysql(options.clone()).boxed())?,
                )
            }
        };
        Ok(Db(Arc::new(Inner {
            name,
            pools,
            limits: self.limits,
            statements,
            broken: AtomicU64::new(0),
            timed_out: AtomicU64::new(0),
        })))
    }

    /// A PostgreSQL connection outside of any pool, to listen on; `None` for other databases.
    ///
    /// # Errors
    /// When it can't be made in time.
    pub async fn listener(&self) -> Option<Result<PostgresConn, ConnectError>> {
        let Connect::Postgres(how) = &self.connect else {
            return None;
        };
        Some(match timeout(self.limits.connect, how.connect()).await {
            Ok(made) => made.map_err(|error| ConnectError::Pool(error.to_string())),
            Err(_) => Err(ConnectError::Pool("no connection in time".to_owned())),
        })
    }

    fn build<C>(
        &self,
        size: usize,
        statements: Statements,
        open: impl Fn() -> BoxFuture<'static, Result<C, ConnectionError>> + Send + Sync + 'static,
    ) -> Result<Pool<C>, ConnectError>
    where
        C: PoolableConnection + AsyncConnection + Send + 'static,
        AsyncDieselConnectionManager<C>: deadpool::managed::Manager<Type = C, Error = diesel_async::pooled_connection::PoolError>,
    {
        let mut config = ManagerConfig::<C>::default();
        // No query before each query: a dead connection shows itself and is replaced (`run`).
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |_| {
            let (opening, statements) = (open(), statements.clone());
            async move {
                let mut connection = opening.await?;
                connection.set_instrumentation(statements);
                Ok(connection)
            }
            .boxed()
        });
        let lifetime = self.limits.lifetime;
        Pool::builder(AsyncDieselConnectionManager::new_with_config("", config))
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(self.limits.acquire))
            .create_timeout(Some(self.limits.connect))
            .recycle_timeout(Some(self.limits.connect))
            .pre_recycle(deadpool::managed::Hook::sync_fn(move |_, metrics| {
                if lifetime.is_some_and(|lifetime| metrics.age() > lifetime) {
                    return Err(deadpool::managed::HookError::message("old enough"));
                }
                Ok(())
            }))
            .build()
            .map_err(|error| ConnectError::Pool(error.to_string()))
    }
}

impl Db {
    /// The pool, for [`with_conn!`](crate::with_conn).
    pub fn pools(&self) -> &Pools {
        &self.0.pools
    }

    /// The kind of database.
    pub fn kind(&self) -> DbKind {
        match self.0.pools {
            Pools::Sqlite(_) => DbKind::Sqlite,
            Pools::Postgres(_) => DbKind::Postgres,
            Pools::Mysql(_) => DbKind::Mysql,
        }
    }

    /// How the pool is used.
    pub fn stats(&self) -> DbStats {
        let status = match &self.0.pools {
            Pools::Sqlite(pool) => pool.status(),
            Pools::Postgres(pool) => pool.status(),
            Pools::Mysql(pool) => pool.status(),
        };
        DbStats {
            name: self.0.name,
            limit: status.max_size,
            size: status.size,
            idle: status.available,
            waiting: status.waiting,
            statements: self.0.statements.0.load(Ordering::Relaxed),
            broken: self.0.broken.load(Ordering::Relaxed),
            timed_out: self.0.timed_out.load(Ordering::Relaxed),
        }
    }

    /// Whether the database answers a trivial question in time.
    pub async fn answers(&self) -> bool {
        let asked: Result<i32, Unavailable> = crate::with_conn!(self, |conn| {
            let one = diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>("1"));
            diesel_async::RunQueryDsl::get_result(one, conn)
                .await
                .map_err(|_| Unavailable::Database)
        });
        asked.is_ok()
    }

    /// Makes a connection, or says why there is none: [`Db::answers`] for people.
    ///
    /// # Errors
    /// [`NoConnection`].
    pub async fn connects(&self) -> Result<(), NoConnection> {
        let refused = match self.pools() {
            Pools::Sqlite(pool) => pool.get().await.err(),
            Pools::Postgres(pool) => pool.get().await.err(),
            Pools::Mysql(pool) => pool.get().await.err(),
        };
        let why = match refused {
            None => return Ok(()),
            Some(Failure::Backend(PoolError::ConnectionError(error))) => error.to_string(),
            Some(Failure::Timeout(_)) => "no answer in time".to_owned(),
            Some(error) => error.to_string(),
        };
        // What the drivers say of it is text alone.
        const PASSING: [&str; 6] = [
            "os error",
            "no answer in time",
            "failed to lookup address",
            "starting up",
            "shutting down",
            "oo many c", // Too many connections, too many clients
        ];
        let may_pass = PASSING.iter().any(|sign| why.contains(sign));
        Err(NoConnection { why, may_pass })
    }

    /// Runs `work` on a connection; see [`with_conn!`](crate::with_conn).
    pub async fn run<C, T, E>(
        &self,
        pool: &Pool<C>,
        work: impl AsyncFnOnce(&mut C) -> Result<T, E>,
    ) -> Result<T, E>
    where
        C: PoolableConnection + AsyncConnection + Send + 'static,
        AsyncDieselConnectionManager<C>: deadpool::managed::Manager<Type = C, Error = diesel_async::pooled_connection::PoolError>,
        E: Fault,
    {
        let object = match pool.get().await {
            Ok(object) => object,
            Err(Failure::Timeout(TimeoutType::Wait)) => {
                warn!(pool = self.0.name, "no free database connection in time");
                return Err(Unavailable::Overloaded.into());
            }
            Err(error) => {
                warn!(pool = self.0.name, error = %error, "no database connection");
                return Err(match error {
                    // The server was there: what cut this one off need not meet the next.
                    Failure::Backend(PoolError::ConnectionError(
                        ConnectionError::CouldntSetupConfiguration(_),
                    )) => Unavailable::Disconnected,
                    _ => Unavailable::Database,
                }
                .into());
            }
        };
        let mut checkout = Checkout {
            object: Some(object),
            inner: &self.0,
        };
        let Some(connection) = checkout.object.as_mut() else {
            return Err(Unavailable::Database.into());
        };
        match timeout(self.0.limits.statement, work(connection)).await {
            Ok(done) => {
                let suspect = matches!(&done, Err(error) if error.connection_is_suspect());
                if suspect {
                    // Its fellows were made at the same time and lost at the same time.
                    pool.retain(|_, _| false);
                } else {
                    checkout.give_back();
                }
                done
            }
            Err(_) => {
                warn!(pool = self.0.name, "the database did not answer in time");
                self.0.timed_out.fetch_add(1, Ordering::Relaxed);
                // If the way to the server is lost, it is for its idle fellows too: better one
                // such wait than one for each of them.
                pool.retain(|_, _| false);
                Err(Unavailable::TimedOut.into())
            }
        }
    }
}

/// A connection in use. Unless given back it is closed: whoever was dropped half-way leaves an
/// unfinished query or transaction behind, which only the server's roll-back clears.
struct Checkout<'a, C>
where
    C: PoolableConnection + AsyncConnection + Send + 'static,
    AsyncDieselConnectionManager<C>: deadpool::managed::Manager<Type = C>,
{
    object: Option<Object<C>>,
    inner: &'a Inner,
}

impl<C> Checkout<'_, C>
where
    C: PoolableConnection + AsyncConnection + Send + 'static,
    AsyncDieselConnectionManager<C>: deadpool::managed::Manager<Type = C>,
{
    fn give_back(&mut self) {
        self.object = None;
    }
}

impl<C> Drop for Checkout<'_, C>
where
    C: PoolableConnection + AsyncConnection + Send + 'static,
    AsyncDieselConnectionManager<C>: deadpool::managed::Manager<Type = C>,
{
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            self.inner.broken.fetch_add(1, Ordering::Relaxed);
            drop(Object::take(object));
        }
    }
}

async fn open_sqlite(path: Arc<str>, set: Arc<str>) -> Result<SqliteConn, ConnectionError> {
    let mut connection = SqliteConn::establish(&path).await?;
    let refused = ConnectionError::CouldntSetupConfiguration;
    connection.batch_execute(&set).await.map_err(refused)?;
    // Write-ahead log: readers and the writer don't wait for each other. Switching a fresh file to
    // it does not heed the busy time-out: of several who do so at once, some are told it is locked.
    let mut tries = 0;
    while let Err(error) = connection.batch_execute("PRAGMA journal_mode = WAL").await {
        tries += 1;
        if trouble(&error) != Some(Trouble::Lock) || tries > WAL_TRIES {
            return Err(refused(error));
        }
        tokio::time::sleep(WAL_PAUSE).await;
    }
    Ok(connection)
}

async fn open_mysql(options: mysql_async::Opts) -> Result<MysqlConn, ConnectionError> {
    let connection = mysql_async::Conn::new(options)
        .await
        .map_err(|error| ConnectionError::BadConnection(error.to_string()))?;
    MysqlConn::try_from(connection).await
}
