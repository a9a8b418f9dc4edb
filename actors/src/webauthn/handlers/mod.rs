//! The answers.

mod devices;
mod invitations;
mod login;
mod passkeys;
mod recovery;
mod registration;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_lc_rs::hmac;
use tokio::sync::{Mutex, OnceCell};

use super::{Descriptor, Error, WebauthnProvider, limits, store};
use crate::db::Db;

/// Seconds between two looks at what is over.
const PRUNE_EVERY: i64 = 60;

/// What all replicas of the provider share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// See [`store::secret`].
    secret: OnceCell<hmac::Key>,
    /// When to look next at what is over, in seconds since 1970.
    next_prune: AtomicI64,
    /// How far the look at users who are gone has come. Whoever has it removes, and nobody else does.
    pub(super) swept: Arc<Mutex<store::Swept>>,
}

impl WebauthnProvider {
    /// The deployment's own secret.
    async fn secret(&self) -> Result<&hmac::Key, Error> {
        let load = async || {
            let secret = store::secret(&self.db).await?;
            Ok(hmac::Key::new(hmac::HMAC_SHA256, &secret))
        };
        self.shared.secret.get_or_try_init(load).await
    }

    /// Begins to remove what is over, and what users have left who are gone, now and then: when something
    /// is written. Nobody waits for it, as it may take long, and what was written is written; and it goes on
    /// when the one who began it has gone. Of one node only one does so at a time.
    fn prune(&self, now: i64) {
        if now < self.shared.next_prune.load(Ordering::Relaxed) {
            return;
        }
        let Ok(mut swept) = Arc::clone(&self.shared.swept).try_lock_owned() else {
            return;
        };
        let next = now.saturating_add(PRUNE_EVERY);
        self.shared.next_prune.store(next, Ordering::Relaxed);
        let db = self.db.clone();
        actix_rt::spawn(async move { prune(&db, now, &mut swept).await });
    }
}

/// Removes what is over, and goes on with what users have left who are gone. What fails is for the next
/// time.
async fn prune(db: &Db, now: i64, swept: &mut store::Swept) {
    if let Err(error) = store::prune(db, now).await {
        tracing::warn!(%error, "what is over of passkeys was not removed");
    }
    if let Err(error) = store::sweep(db, swept).await {
        tracing::warn!(%error, "what users had of passkeys who are gone was not removed");
    }
}

/// The transports that are kept: words as WebAuthn has them, of which there may be new ones.
pub(super) fn transports(told: &[String]) -> Vec<String> {
    let is_word = |text: &str| {
        (1..=limits::TRANSPORT).contains(&text.len())
            && text
                .bytes()
                .all(|one| one.is_ascii_lowercase() || one == b'-')
    };
    let words = told.iter().filter(|text| is_word(text.as_str()));
    words.take(limits::TRANSPORTS).cloned().collect()
}

/// What browsers are told of passkeys.
fn descriptors(rows: &[store::Row]) -> Vec<Descriptor> {
    rows.iter()
        .map(|row| Descriptor {
            id: row.credential_id.clone(),
            transports: row.transports(),
        })
        .collect()
}

/// As [`Arc`]s of passkeys.
fn shown(rows: Vec<store::Row>) -> Arc<[Arc<super::Passkey>]> {
    rows.into_iter().map(|row| Arc::new(row.into())).collect()
}

/// A name that a user gave: not too long, and no NUL, which PostgreSQL takes in no text.
fn checked(description: Option<&str>) -> Result<(), Error> {
    match description {
        Some(text) if text.chars().count() > limits::DESCRIPTION || text.contains('\0') => {
            Err(Error::Ceremony(super::Reason::Malformed("description")))
        }
        _ => Ok(()),
    }
}
