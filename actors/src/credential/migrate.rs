//! What `keystone-ng credential rotate` and `migrate` do to the database: no server need run.

use std::sync::Arc;

use super::{CredentialKeys, Error, keys, store};
use crate::db::Db;
use crate::revocation::Invalidations;

/// How many credentials are encrypted with another key than the one of this hash. Before keys are
/// rotated there must be none, or those whose key goes can't be read any more.
///
/// # Errors
/// When the database does not tell.
pub async fn count_under_other_keys(db: &Db, primary_hash: &str) -> Result<i64, Error> {
    store::count_under_other_keys(db, primary_hash).await
}

/// Encrypts anew, with the primary key, all credentials that another key has encrypted; gives
/// their number. Servers may run: what one of them writes meanwhile stays as it writes it. `now`
/// in seconds since 1970.
///
/// # Errors
/// `Unopened` for one whose key is lost: it is named, and those before it are done.
pub async fn migrate(db: &Db, keys: &Arc<CredentialKeys>, now: i64) -> Result<u64, Error> {
    let keys = keys.current().await?;
    // Servers have to learn that what they remember is encrypted with a key that may go.
    let invalidations = Invalidations::default();
    let (mut count, mut after) = (0, None);
    loop {
        let batch = store::under_other_keys(db, keys.primary_hash(), after.as_ref()).await?;
        let Some(last) = batch.last() else {
            return Ok(count);
        };
        after = Some(last.id.clone());
        let mut renewed = Vec::with_capacity(batch.len());
        for old in batch {
            let text = keys::open(&keys, &old.sealed).map_err(|source| Error::Unopened {
                id: old.id.clone(),
                source,
            })?;
            let new = keys::seal(&keys, &text, now)?;
            renewed.push((old, new));
        }
        count += store::reseal(db, invalidations.node(), &renewed).await?;
    }
}
