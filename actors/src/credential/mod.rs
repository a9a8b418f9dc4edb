//! Credentials: so far, only whether their keys may be rotated.

mod store;
#[cfg(test)]
mod tests;

#[cfg_attr(
    not(test),
    expect(unused_imports, reason = "for the deletion of projects")
)]
pub(crate) use store::{delete_of_project, delete_of_users, delete_where};

use crate::actor::Unavailable;
use crate::db::Db;

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

/// How many credentials are encrypted with another key than the one of this hash. Before keys are
/// rotated there must be none, or those whose key goes can't be read any more.
///
/// # Errors
/// When the database does not tell.
pub async fn count_under_other_keys(db: &Db, primary_hash: &str) -> Result<i64, Error> {
    store::count_under_other_keys(db, primary_hash).await
}
