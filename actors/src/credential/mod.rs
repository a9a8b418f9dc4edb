//! Credentials: so far, only whether their keys may be rotated.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::actor::Unavailable;
use crate::db::Db;
use crate::db::schema::credential;
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

/// How many credentials are encrypted with another key than the one of this hash. Before keys are
/// rotated there must be none, or those whose key goes can't be read any more.
///
/// # Errors
/// When the database does not tell.
pub async fn count_under_other_keys(db: &Db, primary_hash: &str) -> Result<i64, Error> {
    with_conn!(db, |conn| {
        let others = credential::table.filter(credential::key_hash.ne(primary_hash));
        let count: i64 = others.count().get_result(conn).await?;
        Ok(count)
    })
}
