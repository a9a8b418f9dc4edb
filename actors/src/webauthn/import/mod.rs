//! What `keystone-ng passkeys import` does: takes over the passkeys that another implementation keeps
//! in its table `webauthn_credential`. That table is read, never written; no server need run.

mod foreign;

use super::{Error, Reason, Settings, store};
use crate::db::Db;

/// So often a batch is tried while somebody registers the very passkeys that are in it.
const TRIES: u32 = 3;

/// Where passkeys come from, where they go, and how.
#[derive(Clone, Copy)]
pub struct Import<'a> {
    /// The database that has the other implementation's table.
    pub from: &'a Db,
    /// The database of this deployment; may be the same.
    pub to: &'a Db,
    /// What passkeys have to be like here. [`Settings::rp_id`] has to be what they were made for:
    /// the table does not say it.
    pub settings: &'a Settings,
    /// Whether to look only, and write nothing.
    pub dry_run: bool,
}

/// How many passkeys there were, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that were read.
    pub read: usize,
    /// Those that are new here.
    pub imported: usize,
    /// Those that were here already, with the same user. They stay as they are.
    pub known: usize,
    /// Those of users who do not exist any more.
    pub gone: usize,
    /// Those that can't be used here; each was told with its reason.
    pub refused: usize,
}

/// What is told on the way.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// A passkey can't be used.
    Refused {
        /// As the other implementation has it: base64url.
        credential_id: &'a str,
        /// Whose it is there.
        user_id: &'a str,
        /// Why.
        why: &'a ImportRefusal,
    },
    /// So many were looked at; where they were to be written, they are.
    Batch(&'a Counts),
}

/// Why a passkey is not taken over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportRefusal {
    /// What is kept of it can't be read; names the part.
    #[error("its {0} can't be read")]
    Malformed(&'static str),
    /// Its signatures can't be verified here.
    #[error(
        "its algorithm is {0}, of which signatures can't be verified here (ES256 and RS256 can)"
    )]
    Algorithm(String),
    /// The key is none, or not one of its algorithm.
    #[error("its public key is not good")]
    Key,
    /// It could not have been registered here.
    #[error("{0}")]
    NotAllowed(Reason),
    /// The authenticator knows its user by the bytes of a UUID, and the ID of this one is none.
    #[error("the ID of its user is no UUID")]
    NoUuid,
    /// It is another's here.
    #[error("it is registered here for another user, {0}")]
    OtherUser(String),
    /// Another user is known to authenticators by the same bytes.
    #[error("authenticators know another user by the same handle, {0}")]
    OtherHandle(String),
    /// Somebody else had this ID when it was registered.
    #[error(
        "it is older than the account of its user, so it may be that of another of the same ID"
    )]
    OlderThanUser,
}

/// What became of one passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Imported,
    Known,
    Gone,
    Refused(ImportRefusal),
}

/// Takes over all passkeys, in batches of one transaction each, and tells of each step. What is here
/// already stays as it is, so it can be repeated, and go on where it was interrupted.
///
/// # Errors
/// When a database fails; the batches before are done.
pub async fn import(job: Import<'_>, mut tell: impl FnMut(Step<'_>)) -> Result<Counts, Error> {
    let mut counts = Counts::default();
    let mut after = String::new();
    loop {
        let batch = store::foreign_passkeys(job.from, &after).await?;
        let Some(last) = batch.last() else {
            return Ok(counts);
        };
        after.clone_from(&last.credential_id);
        let read: Vec<_> = batch
            .iter()
            .map(|one| foreign::read(one, job.settings))
            .collect();
        let good: Vec<store::Row> = read.iter().flatten().cloned().collect();
        let mut taken = take(job, &good).await?.into_iter();
        for (one, read) in batch.iter().zip(read) {
            counts.read += 1;
            let outcome = match read {
                Ok(_) => taken.next().unwrap_or(Outcome::Gone),
                Err(why) => Outcome::Refused(why),
            };
            match &outcome {
                Outcome::Imported => counts.imported += 1,
                Outcome::Known => counts.known += 1,
                Outcome::Gone => counts.gone += 1,
                Outcome::Refused(why) => {
                    counts.refused += 1;
                    tell(Step::Refused {
                        credential_id: &one.credential_id,
                        user_id: &one.user_id,
                        why,
                    });
                }
            }
        }
        tell(Step::Batch(&counts));
    }
}

/// Writes a batch, and tells what became of each of it.
async fn take(job: Import<'_>, rows: &[store::Row]) -> Result<Vec<Outcome>, Error> {
    let mut tries = 1;
    loop {
        match store::take_over(job.to, rows, job.dry_run).await {
            Err(Error::AlreadyRegistered) if tries < TRIES => tries += 1,
            done => return done,
        }
    }
}
