//! Revocation: which tokens are good no longer, and how every cache, here and on other nodes,
//! learns that something has changed.
//!
//! Three things hang together. [`Invalidations`] is what a provider publishes a committed change
//! to; it can't fail, and once it returns no provider of this process serves the old state. The
//! actor follows what others committed: the outbox of other nodes, and rows of
//! `revocation_event`, which Python Keystone writes too. And while it can't follow, the caches of
//! this node are not trusted (see [`crate::epoch`]): answers then come from the database.

mod follow;
mod handlers;
mod index;
mod messages;
mod model;
mod store;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use messages::{ListEvents, MatchEvents, RevokeEvents, RevokeToken};
pub use model::{Event, TokenFacts};
pub use store::{NewEventRow, rows};

use crate::actor::{Provider, Unavailable};
use crate::db::outbox::Change;
use crate::db::{Databases, Db};
use crate::epoch::Epochs;
use index::Index;

/// How this node follows the others.
#[derive(Clone, Copy, Debug)]
pub struct FollowSettings {
    /// The pause between two looks, where nothing announces a change.
    pub poll_interval: Duration,
    /// How long caches are trusted after the last successful look.
    pub trust_window: Duration,
    /// How long rows of the outbox are kept. A node cut off for longer drops all it has cached.
    pub outbox_retention: Duration,
    /// The longest that a transaction may take: rows may show up so much later than rows that
    /// have a higher number.
    pub longest_transaction: Duration,
    /// How long an event matters: the longest life of a token, and some more.
    pub event_retention: Duration,
}

/// Where committed changes are published. Cheap to clone; one for the whole process.
#[derive(Clone)]
pub struct Invalidations {
    epochs: Arc<Epochs>,
    index: Arc<Index>,
    node: Arc<str>,
}

impl Default for Invalidations {
    fn default() -> Self {
        Self {
            epochs: Arc::default(),
            index: Arc::default(),
            node: uuid::Uuid::new_v4().to_string().into(),
        }
    }
}

impl Invalidations {
    /// The epochs that caches go by.
    pub fn epochs(&self) -> &Arc<Epochs> {
        &self.epochs
    }

    /// This node's name in the outbox.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Makes a committed change known: from here on nothing in this process serves what was
    /// before it.
    pub fn publish(&self, change: &Change) {
        for event in &change.revocations {
            self.index.insert(event);
        }
        self.epochs.invalidate(&change.entities);
    }

    /// Whether an event revokes the token of these facts; `None` when this node does not follow
    /// the events at the moment, and the database has to be asked ([`MatchEvents`]).
    pub fn revokes(&self, facts: &TokenFacts) -> Option<bool> {
        let known = self.index.complete() && self.epochs.trusted(Instant::now());
        known.then(|| self.index.revokes(facts))
    }
}

/// The revocation provider.
#[derive(Clone)]
pub struct RevocationProvider {
    db: Db,
    invalidations: Invalidations,
    settings: FollowSettings,
}

impl Provider for RevocationProvider {
    const NAME: &'static str = "revocation";
}

impl RevocationProvider {
    /// The provider on its pool. Call [`Self::follow`] once beside it.
    pub fn new(db: Db, invalidations: Invalidations, settings: FollowSettings) -> Self {
        Self {
            db,
            invalidations,
            settings,
        }
    }

    /// Follows what other nodes and Python Keystone commit, until the process ends. Caches are
    /// trusted only while it succeeds.
    pub async fn follow(self, databases: Databases) {
        follow::run(self, databases).await;
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Trying again may help.
    #[error("the revocation provider is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("revocation storage failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);
