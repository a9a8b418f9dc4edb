//! What went wrong in the database, and whose fault it is.

use diesel::result::{DatabaseErrorKind, Error};

use tracing::warn;

use crate::actor::{Transient, Unavailable};

/// An error that a query body may end with.
pub trait Fault: Transient {
    /// Whether the connection may be to blame, and is better closed than used again. False for
    /// errors that are answers, such as "not found".
    fn connection_is_suspect(&self) -> bool;
}

impl Fault for Unavailable {
    fn connection_is_suspect(&self) -> bool {
        !matches!(self, Self::Contended | Self::Locked)
    }
}

/// Database errors that pass: another try may succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The connection broke, or the server is not ready to serve.
    Connection,
    /// Another transaction was in the way (deadlock, serialisation, Galera certification).
    /// Nothing was changed, and another try need not meet it.
    Contention,
    /// Another transaction held a lock for longer than the server waits. Nothing was changed.
    Lock,
}

/// What this error is to a caller, if it is passing trouble. Logged here, as the caller is not told
/// more than that.
pub fn unavailable(error: &Error) -> Option<Unavailable> {
    let trouble = trouble(error)?;
    warn!(%error, "the database did not do what it was asked");
    Some(match trouble {
        Trouble::Connection => Unavailable::Disconnected,
        Trouble::Contention => Unavailable::Contended,
        Trouble::Lock => Unavailable::Locked,
    })
}

/// What passing trouble this error is, if any.
pub fn trouble(error: &Error) -> Option<Trouble> {
    match error {
        Error::BrokenTransactionManager | Error::AlreadyInTransaction | Error::NotInTransaction => {
            Some(Trouble::Connection)
        }
        Error::RollbackErrorOnCommit { commit_error, .. } => {
            trouble(commit_error).or(Some(Trouble::Connection))
        }
        Error::DatabaseError(kind, info) => match kind {
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                Some(Trouble::Connection)
            }
            DatabaseErrorKind::SerializationFailure => Some(Trouble::Contention),
            DatabaseErrorKind::ReadOnlyTransaction => Some(Trouble::Connection),
            DatabaseErrorKind::Unknown => by_message(info.message()),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a database refused a text that it can't compare with what it has: a NUL in PostgreSQL, a
/// character beyond the basic plane where MySQL or MariaDB keep three bytes a character. That is the
/// fault of who sent it.
pub fn refuses_text(error: &(dyn std::error::Error + 'static)) -> bool {
    const SIGNS: [&str; 3] = [
        "invalid byte sequence for encoding",
        "Illegal mix of collations",
        "Incorrect string value",
    ];
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(Error::DatabaseError(_, info)) = error.downcast_ref::<Error>() {
            return SIGNS.iter().any(|sign| info.message().contains(sign));
        }
        cause = error.source();
    }
    false
}

/// diesel-async passes on no error number, so these go by the servers' fixed texts.
fn by_message(message: &str) -> Option<Trouble> {
    const CONNECTION: [&str; 8] = [
        // mysql_async's own, for anything that no server said
        "Input/output error",
        "Driver error",
        // Galera: WSREP not ready
        "WSREP",
        "Server shutdown in progress",
        "Connection was killed",
        "terminating connection",
        "the database system is",
        "unable to open database file",
    ];
    const CONTENTION: [&str; 3] = [
        "Deadlock found",
        "deadlock detected",
        // MariaDB from 11.6.2: what is locked is newer than what was read before
        "Record has changed since last read",
    ];
    const LOCK: [&str; 2] = ["Lock wait timeout", "database is locked"];
    if CONNECTION.iter().any(|known| message.starts_with(known)) {
        Some(Trouble::Connection)
    } else if CONTENTION.iter().any(|known| message.starts_with(known)) {
        Some(Trouble::Contention)
    } else if LOCK.iter().any(|known| message.starts_with(known)) {
        Some(Trouble::Lock)
    } else {
        None
    }
}

/// Whether a unique index refused the row.
pub fn is_unique_violation(error: &Error) -> bool {
    matches!(
        error,
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)
    )
}

/// `taken()` where a unique index refused the row, else the provider's error for `error`.
pub fn on_unique<E: From<Error>>(error: Error, taken: impl FnOnce() -> E) -> E {
    if is_unique_violation(&error) {
        taken()
    } else {
        error.into()
    }
}
