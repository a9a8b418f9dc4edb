//! Where the database is: SQLAlchemy's URLs, as `[database] connection` holds them, turned into
//! what our own drivers need.
//!
//! The text is taken apart exactly as SQLAlchemy takes it apart, so that a file shared with Python
//! Keystone means the same to both. A parameter that we would have to ignore although it changes
//! what the connection does (a different character set, a file of further options, a client-side
//! certificate list …) is refused with the reason, never dropped in silence.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

mod grammar;
mod translate;

use grammar::Parts;

/// The longest URL that is looked at, in bytes.
const MAX_URL: usize = 4096;

const POSTGRES: [&str; 5] = [
    "postgresql",
    "postgres",
    "postgresql+psycopg2",
    "postgresql+psycopg",
    "postgresql+psycopg2cffi",
];
const MYSQL: [&str; 6] = [
    "mysql",
    "mysql+pymysql",
    "mysql+mysqldb",
    "mariadb",
    "mariadb+pymysql",
    "mariadb+mysqldb",
];
const SQLITE: [&str; 2] = ["sqlite", "sqlite+pysqlite"];

/// Why a database URL was refused, and what to write instead. Never contains a password, nor any
/// part of the URL that might be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlError(String);

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UrlError {}

fn refuse<T>(why: impl Into<String>) -> Result<T, UrlError> {
    Err(UrlError(why.into()))
}

/// How far the server's identity is checked: libpq's `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// In the clear.
    Disable,
    /// Encrypted if the server can, unverified; in the clear otherwise. PostgreSQL's default.
    Prefer,
    /// Encrypted, the server unverified.
    Require,
    /// Encrypted, and the certificate is signed by the authority; the host name is not compared.
    VerifyCa,
    /// Encrypted, the certificate is signed by the authority and names the host.
    VerifyFull,
}

/// TLS towards a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DbTls {
    /// What is demanded of the server.
    pub mode: TlsMode,
    /// PEM file of the authorities trusted; `None`: those of the operating system.
    pub ca: Option<PathBuf>,
    /// PEM file of the certificate that we show.
    pub cert: Option<PathBuf>,
    /// PEM file of the key to `cert`.
    pub key: Option<PathBuf>,
}

impl DbTls {
    fn new(mode: TlsMode) -> Self {
        Self {
            mode,
            ca: None,
            cert: None,
            key: None,
        }
    }
}

/// A database, and how to reach it. `Debug` and `Display` leave the password out.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// A file of this process.
    Sqlite {
        /// The file; a relative one is relative to the working directory.
        path: PathBuf,
    },
    /// PostgreSQL.
    Postgres {
        /// Name or address. Also the name that a certificate has to carry.
        host: String,
        /// TCP port, and the number in the name of a Unix socket.
        port: u16,
        /// Role to log in as.
        user: String,
        /// Its password; `None` where the URL has none.
        password: Option<SecretString>,
        /// Database on that server.
        database: String,
        /// TLS; `Disable` on a Unix socket.
        tls: DbTls,
        /// Directory of the Unix socket, where one is used instead of TCP.
        socket: Option<PathBuf>,
        /// What `pg_stat_activity` shows; `None` leaves the choice to the caller.
        application_name: Option<String>,
        /// How long connecting may take; `None` leaves the choice to the caller.
        connect_timeout: Option<Duration>,
    },
    /// MySQL or MariaDB.
    Mysql {
        /// Name or address. Also the name that a certificate has to carry.
        host: String,
        /// TCP port.
        port: u16,
        /// Account to log in as.
        user: String,
        /// Its password; `None` where the URL has none.
        password: Option<SecretString>,
        /// Schema on that server.
        database: String,
        /// TLS; `Disable` on a Unix socket.
        tls: DbTls,
        /// Path of the Unix socket, where one is used instead of TCP.
        socket: Option<PathBuf>,
        /// How long connecting may take; `None` leaves the choice to the caller.
        connect_timeout: Option<Duration>,
    },
}

impl DatabaseUrl {
    /// Reads a URL in SQLAlchemy's notation.
    ///
    /// # Errors
    /// [`UrlError`], which says what is wrong and what to write instead.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        Self::with_parameters(text, "")
    }

    /// Like [`DatabaseUrl::parse`], with further parameters (`a=b&c=d`) after those of the URL:
    /// oslo.db's `connection_parameters`.
    ///
    /// # Errors
    /// [`UrlError`], which says what is wrong and what to write instead.
    pub fn with_parameters(text: &str, parameters: &str) -> Result<Self, UrlError> {
        if text.len() > MAX_URL || parameters.len() > MAX_URL {
            return refuse(format!("a database URL may have {MAX_URL} bytes at most"));
        }
        let mut parts = Parts::split(text)?;
        parts.add_query(parameters);
        if SQLITE.contains(&parts.scheme) {
            parts.sqlite()
        } else if POSTGRES.contains(&parts.scheme) {
            parts.postgres()
        } else if MYSQL.contains(&parts.scheme) {
            parts.mysql()
        } else {
            refuse(format!(
                "driver {:?} is not supported; write postgresql://, mysql+pymysql:// or sqlite:///",
                parts.scheme.chars().take(40).collect::<String>()
            ))
        }
    }
}

impl fmt::Display for DatabaseUrl {
    /// The URL without password and parameters, fit for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { path } => write!(f, "sqlite:///{}", path.display()),
            Self::Postgres {
                host,
                port,
                user,
                database,
                socket,
                ..
            } => write_server(f, "postgresql", user, host, *port, database, socket),
            Self::Mysql {
                host,
                port,
                user,
                database,
                socket,
                ..
            } => write_server(f, "mysql", user, host, *port, database, socket),
        }
    }
}

fn write_server(
    f: &mut fmt::Formatter<'_>,
    scheme: &str,
    user: &str,
    host: &str,
    port: u16,
    database: &str,
    socket: &Option<PathBuf>,
) -> fmt::Result {
    match socket {
        Some(path) => write!(f, "{scheme}://{user}@{}/{database}", path.display()),
        None if host.contains(':') => write!(f, "{scheme}://{user}@[{host}]:{port}/{database}"),
        None => write!(f, "{scheme}://{user}@{host}:{port}/{database}"),
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

impl PartialEq for DatabaseUrl {
    fn eq(&self, other: &Self) -> bool {
        self.fields() == other.fields()
    }
}

type Fields<'a> = (
    Vec<&'a str>,
    Option<(u16, &'a DbTls)>,
    Vec<Option<&'a std::path::Path>>,
    Option<Duration>,
);

impl DatabaseUrl {
    /// Everything that tells two of them apart.
    fn fields(&self) -> Fields<'_> {
        match self {
            Self::Sqlite { path } => (vec!["sqlite"], None, vec![Some(path)], None),
            Self::Postgres {
                host,
                port,
                user,
                password,
                database,
                tls,
                socket,
                application_name,
                connect_timeout,
            } => (
                vec![
                    "postgresql",
                    host,
                    user,
                    exposed(password),
                    database,
                    application_name.as_deref().unwrap_or_default(),
                ],
                Some((*port, tls)),
                vec![socket.as_deref()],
                *connect_timeout,
            ),
            Self::Mysql {
                host,
                port,
                user,
                password,
                database,
                tls,
                socket,
                connect_timeout,
            } => (
                vec!["mysql", host, user, exposed(password), database],
                Some((*port, tls)),
                vec![socket.as_deref()],
                *connect_timeout,
            ),
        }
    }
}

fn exposed(password: &Option<SecretString>) -> &str {
    password
        .as_ref()
        .map(ExposeSecret::expose_secret)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
