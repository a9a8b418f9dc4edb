//! `[database]`: oslo.db's options.

use std::path::PathBuf;
use std::time::Duration;

use keystone_actors::db::url::DatabaseUrl;

use super::super::options::section;
use super::super::values::Limit;

section! {
    /// Where the data are. How many connections there are is set in [storage].
    pub struct Database in "database", ours = false {
        /// The database, as a URL of SQLAlchemy: postgresql://user:password@host/keystone,
        /// mysql+pymysql://user:password@host/keystone?ssl_ca=/path, or sqlite:////path/to/file.
        /// In user and password, write @ as %40, / as %2F and % as %25.
        pub connection: DatabaseUrl = DatabaseUrl::Sqlite { path: PathBuf::from("keystone.db") };
        /// A replica for reading. What is read here has to be what was written before, so all is
        /// read from the database itself; so does Python Keystone, unless synchronous_reader is off.
        pub slave_connection: Option<DatabaseUrl> = None, inert = true;
        /// Further parameters of both URLs, as name=value&name=value.
        pub connection_parameters: String = String::new();
        /// Seconds after which an idle connection is replaced; -1: never.
        pub connection_recycle_time: Limit = Limit::at(3600);
        /// How often db sync and bootstrap try again to reach the database; -1: for ever. The server
        /// itself waits for it as long as it takes.
        pub max_retries: Limit = Limit::at(10);
        /// Time between two such tries, in seconds.
        pub retry_interval: Duration = Duration::from_secs(10), max = Some(86_400.0);
        /// SQL mode of MySQL sessions; empty: the server's own.
        pub mysql_sql_mode: String = "TRADITIONAL".to_owned();
        /// What a Galera node waits for before it answers, so that a read sees the writes of other
        /// nodes: a sum of 1 (reads), 2 (updates), 4 (inserts), 8 (SHOW). Unset: the server's own.
        pub mysql_wsrep_sync_wait: Option<u32> = None, max = Some(15.0);
        /// Let SQLite wait for the disk, so that a power cut leaves the file whole.
        pub sqlite_synchronous: bool = true;
        /// Connections of one process of Python Keystone. Here [storage] connections counts for all
        /// workers together.
        pub max_pool_size: Option<u32> = Some(5), inert = true,
            instead = Some("[storage] connections");
        /// Connections above max_pool_size in Python Keystone.
        pub max_overflow: Limit = Limit::at(50), inert = true,
            instead = Some("[storage] connections");
        /// How long Python Keystone waits for a connection.
        pub pool_timeout: Option<Duration> = None, inert = true,
            instead = Some("[storage] acquire_timeout");
    }
}
