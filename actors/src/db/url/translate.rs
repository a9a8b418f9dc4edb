//! What the parts of a URL mean to each database: libpq's parameters, and those of PyMySQL and
//! mysqlclient.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::grammar::Parts;
use super::{DatabaseUrl, DbTls, TlsMode, UrlError, refuse};

/// The longest `connect_timeout` that is taken, in seconds: a day.
const MAX_TIMEOUT: u64 = 86_400;

impl Parts<'_> {
    pub(super) fn sqlite(self) -> Result<DatabaseUrl, UrlError> {
        if self.user.is_some() || self.host.is_some() || self.port.is_some() {
            return refuse(
                "a SQLite URL names no server: three slashes before a relative path \
                 (sqlite:///keystone.db), four before an absolute one (sqlite:////var/lib/…)",
            );
        }
        for (name, _) in &self.query {
            match name.as_str() {
                "check_same_thread" | "timeout" | "cached_statements" => {}
                _ => return refuse_parameter(name, "SQLite"),
            }
        }
        match self.database.as_deref() {
            None | Some("" | ":memory:") => refuse(
                "a database in memory is lost with the process and can't be shared by its \
                 connections; name a file: sqlite:////var/lib/keystone/keystone.db",
            ),
            Some(path) if path.starts_with("file:") => {
                refuse("SQLite's own file: URIs are not supported; write sqlite:////path/to/file")
            }
            Some(path) => Ok(DatabaseUrl::Sqlite { path: path.into() }),
        }
    }

    pub(super) fn postgres(self) -> Result<DatabaseUrl, UrlError> {
        let mut mode = None;
        let mut tls = DbTls::new(TlsMode::Prefer);
        let mut system_roots = false;
        let mut host = self.host;
        let mut port = self.port;
        let mut socket = None;
        let mut application_name = None;
        let mut connect_timeout = None;
        for (name, value) in self.query {
            match (name.as_str(), value.as_str()) {
                ("sslmode", "disable") => mode = Some(TlsMode::Disable),
                // libpq tries TLS second here, we try it first: never less than was asked for.
                ("sslmode", "allow" | "prefer") => mode = Some(TlsMode::Prefer),
                ("sslmode", "require") => mode = Some(TlsMode::Require),
                ("sslmode", "verify-ca") => mode = Some(TlsMode::VerifyCa),
                ("sslmode", "verify-full") => mode = Some(TlsMode::VerifyFull),
                ("sslmode", _) => {
                    return refuse(
                        "sslmode has to be disable, prefer, require, verify-ca or verify-full",
                    );
                }
                ("sslrootcert", "system") => system_roots = true,
                ("sslrootcert", _) => tls.ca = Some(path("sslrootcert", &value)?),
                ("sslcert", _) => tls.cert = Some(path("sslcert", &value)?),
                ("sslkey", _) => tls.key = Some(path("sslkey", &value)?),
                ("host", _) if value.starts_with('/') => socket = Some(path("host", &value)?),
                ("host", _) => host = Some(value),
                ("port", _) => match value.parse() {
                    Ok(number) if number > 0 => port = Some(number),
                    _ => return refuse("the port has to be a number from 1 to 65535"),
                },
                ("connect_timeout", _) => connect_timeout = timeout(&value)?,
                ("application_name", _) => {
                    application_name = Some(plain("application_name", value)?)
                }
                ("options", _) => {
                    return refuse(
                        "options for the session are not supported; set them on the role: \
                         ALTER ROLE keystone SET name = value",
                    );
                }
                ("client_encoding", encoding) if is_utf8(encoding) => {}
                ("gssencmode" | "channel_binding", "disable" | "prefer") => {}
                ("target_session_attrs", "any") => {}
                (
                    "keepalives"
                    | "keepalives_idle"
                    | "keepalives_interval"
                    | "keepalives_count"
                    | "tcp_user_timeout"
                    | "fallback_application_name"
                    | "sslcompression",
                    _,
                ) => {}
                ("plugin", "dbcounter") => {}
                _ => return refuse_parameter(&name, "PostgreSQL"),
            }
        }
        // libpq without a host uses the Unix socket of the machine.
        if host.is_none() && socket.is_none() {
            socket = Some(PathBuf::from("/var/run/postgresql"));
        }
        tls.mode = match (mode, &socket) {
            (_, Some(_)) => TlsMode::Disable,
            // libpq: whoever names an authority means it, even with `require`.
            (Some(TlsMode::Require), None) if tls.ca.is_some() => TlsMode::VerifyCa,
            (None | Some(TlsMode::VerifyFull), None) if system_roots => TlsMode::VerifyFull,
            (Some(_), None) if system_roots => {
                return refuse("sslrootcert=system needs sslmode=verify-full");
            }
            (mode, None) => mode.unwrap_or(TlsMode::Prefer),
        };
        check_key_pair(&tls, "sslcert", "sslkey")?;
        Ok(DatabaseUrl::Postgres {
            host: checked_host(host)?,
            port: port.unwrap_or(5432),
            user: required("user", self.user)?,
            password: self.password.map(SecretString::from),
            database: required("database", self.database)?,
            tls,
            socket,
            application_name,
            connect_timeout,
        })
    }

    pub(super) fn mysql(self) -> Result<DatabaseUrl, UrlError> {
        let mut mode = None;
        let mut tls = DbTls::new(TlsMode::Disable);
        let mut disabled = false;
        let mut verify_cert = None;
        let mut verify_name = None;
        let mut socket = None;
        let mut connect_timeout = None;
        for (name, value) in self.query {
            match (name.as_str(), value.as_str()) {
                ("ssl_ca", _) => tls.ca = Some(path("ssl_ca", &value)?),
                ("ssl_cert", _) => tls.cert = Some(path("ssl_cert", &value)?),
                ("ssl_key", _) => tls.key = Some(path("ssl_key", &value)?),
                ("ssl_verify_cert", _) => verify_cert = Some(boolean(&name, &value)?),
                ("ssl_verify_identity" | "ssl_check_hostname", _) => {
                    verify_name = Some(boolean(&name, &value)?);
                }
                ("ssl_disabled", _) => disabled = boolean(&name, &value)?,
                ("ssl_mode", _) => {
                    mode = Some(match value.to_ascii_uppercase().as_str() {
                        "DISABLED" => TlsMode::Disable,
                        "PREFERRED" => TlsMode::Prefer,
                        "REQUIRED" => TlsMode::Require,
                        "VERIFY_CA" => TlsMode::VerifyCa,
                        "VERIFY_IDENTITY" => TlsMode::VerifyFull,
                        _ => {
                            return refuse(
                                "ssl_mode has to be DISABLED, PREFERRED, REQUIRED, VERIFY_CA or \
                                 VERIFY_IDENTITY",
                            );
                        }
                    });
                }
                ("ssl", _) => {
                    return refuse("write ssl_mode=REQUIRED or ssl_ca=/path instead of ssl");
                }
                ("unix_socket", _) => socket = Some(path("unix_socket", &value)?),
                ("connect_timeout", _) => connect_timeout = timeout(&value)?,
                ("charset", charset) if is_utf8(charset) => {}
                ("charset", _) => {
                    return refuse("the character set has to be utf8mb4, utf8mb3 or utf8");
                }
                // Theirs alone: how Python shows strings, local files that we never load, bounds
                // for which we have our own.
                (
                    "use_unicode" | "binary_prefix" | "local_infile" | "compress" | "read_timeout"
                    | "write_timeout" | "program_name",
                    _,
                ) => {}
                ("plugin", "dbcounter") => {}
                _ => return refuse_parameter(&name, "MySQL"),
            }
        }
        let named = tls.ca.is_some() || tls.cert.is_some() || tls.key.is_some();
        tls.mode = match mode {
            _ if disabled || socket.is_some() => TlsMode::Disable,
            Some(mode) => mode,
            // PyMySQL: an authority given is used, and the name compared, unless told otherwise.
            None => match (verify_cert, verify_name) {
                (Some(false), None | Some(false)) => TlsMode::Require,
                (_, Some(true)) => TlsMode::VerifyFull,
                (Some(true), _) => TlsMode::VerifyCa,
                (_, Some(false)) if tls.ca.is_some() => TlsMode::VerifyCa,
                (_, None) if tls.ca.is_some() => TlsMode::VerifyFull,
                _ if named => TlsMode::Require,
                _ => TlsMode::Disable,
            },
        };
        check_key_pair(&tls, "ssl_cert", "ssl_key")?;
        Ok(DatabaseUrl::Mysql {
            host: checked_host(self.host)?,
            port: self.port.unwrap_or(3306),
            user: required("user", self.user)?,
            password: self.password.map(SecretString::from),
            database: required("database", self.database)?,
            tls,
            socket,
            connect_timeout,
        })
    }
}

fn required(what: &str, value: Option<String>) -> Result<String, UrlError> {
    match value {
        Some(value) if !value.is_empty() => Ok(value),
        _ => refuse(format!(
            "the URL names no {what}; write scheme://user:password@host/database"
        )),
    }
}

fn checked_host(host: Option<String>) -> Result<String, UrlError> {
    match host {
        None => Ok("localhost".to_owned()),
        // The host itself is not shown: what stands before the `@` belongs to the password.
        Some(host) if host.contains('@') => {
            refuse("the host contains an @, so the password probably does; write it there as %40")
        }
        Some(host) if host.contains(',') => {
            refuse("several hosts are not supported; name one, or a proxy before them")
        }
        Some(host)
            if host.len() <= 255
                && host
                    .chars()
                    .all(|c| c.is_alphanumeric() || "-._:%".contains(c)) =>
        {
            Ok(host)
        }
        Some(_) => refuse("the host is neither a name nor an address"),
    }
}

fn path(name: &str, value: &str) -> Result<PathBuf, UrlError> {
    if value.contains('\0') {
        return refuse(format!("parameter {name} has to be a path"));
    }
    Ok(PathBuf::from(value))
}

fn plain(name: &str, value: String) -> Result<String, UrlError> {
    if value.contains('\0') {
        return refuse(format!("parameter {name} contains a NUL byte"));
    }
    Ok(value)
}

/// Whole seconds; 0 means no bound of its own, as in libpq.
fn timeout(value: &str) -> Result<Option<Duration>, UrlError> {
    match value.parse::<u64>() {
        Ok(0) => Ok(None),
        Ok(seconds) if seconds <= MAX_TIMEOUT => Ok(Some(Duration::from_secs(seconds))),
        _ => refuse(format!(
            "connect_timeout has to be a number of seconds up to {MAX_TIMEOUT}"
        )),
    }
}

fn boolean(name: &str, value: &str) -> Result<bool, UrlError> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" | "y" | "t" => Ok(true),
        "false" | "0" | "no" | "off" | "n" | "f" => Ok(false),
        _ => refuse(format!("parameter {name} has to be true or false")),
    }
}

fn is_utf8(name: &str) -> bool {
    matches!(
        name.to_ascii_lowercase().as_str(),
        "utf8" | "utf-8" | "utf8mb3" | "utf8mb4" | "unicode"
    )
}

fn check_key_pair(tls: &DbTls, cert: &str, key: &str) -> Result<(), UrlError> {
    if tls.cert.is_some() != tls.key.is_some() {
        return refuse(format!(
            "{cert} and {key} go together; give both or neither"
        ));
    }
    Ok(())
}

fn refuse_parameter<T>(name: &str, database: &str) -> Result<T, UrlError> {
    refuse(format!(
        "parameter {:?} is not supported for {database}; it would change what the connection \
         does, so it is not ignored: remove it",
        name.chars().take(40).collect::<String>()
    ))
}
