//! Following what other nodes, and Python Keystone, commit.

use std::collections::{BTreeSet, VecDeque};
use std::pin::pin;
use std::time::{Duration, Instant};

use chrono::Utc;
use diesel_async::SimpleAsyncConnection;
use futures_util::future::{LocalBoxFuture, OptionFuture};
use futures_util::{FutureExt, StreamExt};
use tracing::{debug, info, warn};

use super::{Error, Event, RevocationProvider, store};
use crate::db::outbox::CHANNEL;
use crate::db::{Databases, PostgresConn};

/// Rows read at a time.
const BATCH: i64 = 10_000;
/// Numbers remembered: what a cluster at its busiest writes while one transaction lasts.
const MOST_SEEN: usize = 50_000;
/// The pause between two prunings.
const PRUNE_INTERVAL: Duration = Duration::from_secs(60);
/// The pause before another try to listen, where PostgreSQL announces.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);
/// By how much the clocks of two nodes may differ.
const CLOCKS_DIFFER: Duration = Duration::from_secs(300);
/// How long such a try may take.
const LISTEN_PATIENCE: Duration = Duration::from_secs(10);

/// Where the reading of a table with ascending numbers stands.
///
/// A row's number is drawn before its transaction commits, so a row may show up after rows with
/// higher numbers. Hence each look begins where the last one stood as long ago as a transaction
/// may last, and passes over what it has seen.
struct Cursor {
    lag: Duration,
    /// All numbers up to here are done with.
    floor: i64,
    seen: BTreeSet<i64>,
    /// The highest number seen at each look, oldest first.
    marks: VecDeque<(Instant, i64)>,
}

impl Cursor {
    fn new(floor: i64, lag: Duration) -> Self {
        Self {
            lag,
            floor,
            seen: BTreeSet::new(),
            marks: VecDeque::new(),
        }
    }

    /// Whether this number is news.
    fn take(&mut self, id: i64) -> bool {
        let news = id > self.floor && self.seen.insert(id);
        if self.seen.len() > MOST_SEEN {
            // So many numbers are not drawn while one transaction lasts.
            self.floor = self.seen.pop_first().unwrap_or(self.floor);
        }
        news
    }

    /// A look that began at `at` has seen everything there was.
    fn looked(&mut self, at: Instant) {
        let highest = self.seen.last().copied().unwrap_or(self.floor);
        if self.marks.back().is_none_or(|(_, mark)| *mark < highest) {
            self.marks.push_back((at, highest));
        }
        while let Some((since, mark)) = self.marks.front().copied() {
            if at.saturating_duration_since(since) < self.lag {
                break;
            }
            self.marks.pop_front();
            self.floor = self.floor.max(mark);
            self.seen = self.seen.split_off(&(self.floor + 1));
        }
    }
}

struct Follower {
    revocation: RevocationProvider,
    outbox: Option<Cursor>,
    events: Cursor,
    followed_at: Option<Instant>,
    prune_at: Instant,
}

pub(super) async fn run(revocation: RevocationProvider, databases: Databases) {
    let settings = revocation.settings;
    revocation.invalidations.epochs.require_follower();
    let mut follower = Follower::new(revocation);
    let mut listener = Listener::new(databases);
    loop {
        match follower.look().await {
            Ok(()) => {}
            Err(error) => {
                if follower
                    .followed_at
                    .is_some_and(|at| at.elapsed() < settings.trust_window)
                {
                    debug!(%error, "could not follow invalidations");
                } else {
                    warn!(%error, "cannot follow invalidations; caches are not trusted meanwhile");
                }
            }
        }
        listener.wait(settings.poll_interval).await;
    }
}

impl Follower {
    fn new(revocation: RevocationProvider) -> Self {
        Self {
            events: Cursor::new(i64::MIN, revocation.settings.longest_transaction),
            outbox: None,
            revocation,
            followed_at: None,
            // Not at once: the start has better things to do.
            prune_at: Instant::now() + PRUNE_INTERVAL / 4,
        }
    }

    /// Takes in all that was committed before now, and extends the trust in the caches.
    async fn look(&mut self) -> Result<(), Error> {
        let began = Instant::now();
        let settings = self.revocation.settings;
        let db = &self.revocation.db;
        let mut outbox = match self.outbox.take() {
            Some(cursor) => cursor,
            // What is older has been committed or given up by now, whoever's clock it is by.
            None => {
                let age = settings.longest_transaction + CLOCKS_DIFFER;
                let end = store::outbox_end(db, age).await?;
                Cursor::new(end, settings.longest_transaction)
            }
        };
        let news = read_outbox(&mut outbox, &self.revocation).await;
        self.outbox = Some(outbox);
        news?;
        self.read_events().await?;
        let epochs = self.revocation.invalidations.epochs();
        if self.followed_at.is_none() {
            // What was cached before the first look was cached by a node that nobody told of changes.
            epochs.invalidate_all();
        }
        if let Some(last) = self.followed_at
            && last.elapsed() > settings.trust_window
        {
            info!(
                gap_ms = last.elapsed().as_millis(),
                "following invalidations again"
            );
            if last.elapsed() > settings.outbox_retention / 2 {
                epochs.invalidate_all();
            }
        }
        epochs.trust_for(began, settings.trust_window);
        self.followed_at = Some(began);
        if began >= self.prune_at {
            self.prune_at = began + PRUNE_INTERVAL;
            self.prune().await?;
        }
        Ok(())
    }

    async fn read_events(&mut self) -> Result<(), Error> {
        let began = Instant::now();
        let invalidations = &self.revocation.invalidations;
        let loading = !invalidations.index.complete();
        let mut after = i32::try_from(self.events.floor).unwrap_or(0).max(0);
        loop {
            let rows = store::events_after(&self.revocation.db, after, BATCH).await?;
            let full = i64::try_from(rows.len()).is_ok_and(|read| read >= BATCH);
            let mut news = Vec::new();
            for row in rows {
                after = row.id;
                if self.events.take(i64::from(row.id)) {
                    let event = Event::from(row);
                    if invalidations.index.insert(&event) && !loading {
                        news.push(event.entity());
                    }
                }
            }
            invalidations.epochs.invalidate(&news);
            if !full {
                break;
            }
        }
        self.events.looked(began);
        if loading {
            invalidations.index.set_complete();
            // Entries cached meanwhile were checked against the database itself.
            debug!(
                duration_ms = began.elapsed().as_millis(),
                "revocation events are loaded"
            );
        }
        Ok(())
    }

    async fn prune(&self) -> Result<(), Error> {
        let settings = self.revocation.settings;
        let retention = i64::try_from(settings.event_retention.as_secs()).unwrap_or(i64::MAX);
        let oldest = Utc::now().timestamp().saturating_sub(retention);
        let outbox = settings.outbox_retention.as_secs();
        let removed = store::prune(&self.revocation.db, outbox, oldest).await?;
        self.revocation.invalidations.index.prune(oldest);
        debug!(removed, "pruned what no token needs any more");
        Ok(())
    }
}

async fn read_outbox(cursor: &mut Cursor, revocation: &RevocationProvider) -> Result<(), Error> {
    let began = Instant::now();
    let mut after = cursor.floor;
    loop {
        let rows = store::outbox_after(&revocation.db, after, BATCH).await?;
        let full = i64::try_from(rows.len()).is_ok_and(|read| read >= BATCH);
        let mut news = Vec::new();
        for row in rows {
            after = row.id;
            // Its own this node has published before it answered.
            if cursor.take(row.id) && row.node != *revocation.invalidations.node {
                news.push(row.entity);
            }
        }
        if !news.is_empty() {
            revocation.invalidations.epochs.invalidate(&news);
        }
        if !full {
            cursor.looked(began);
            return Ok(());
        }
    }
}

/// Waits for the next look: for an announcement on PostgreSQL, for the time to pass elsewhere.
struct Listener {
    databases: Databases,
    connection: Option<PostgresConn>,
    /// A try to get one. It goes on from wait to wait: looks do not wait for it.
    attempt: Option<LocalBoxFuture<'static, Option<PostgresConn>>>,
    try_at: Instant,
}

impl Listener {
    fn new(databases: Databases) -> Self {
        Self {
            databases,
            connection: None,
            attempt: None,
            try_at: Instant::now(),
        }
    }

    async fn wait(&mut self, longest: Duration) {
        let Some(connection) = &mut self.connection else {
            if self.attempt.is_none() && Instant::now() >= self.try_at {
                self.attempt = Some(listen(self.databases.clone()).boxed_local());
            }
            let attempt = OptionFuture::from(self.attempt.as_mut());
            let pause = tokio::time::sleep(longest);
            tokio::select! {
                Some(made) = attempt => {
                    self.attempt = None;
                    self.try_at = Instant::now() + LISTEN_AGAIN;
                    // With a connection the next look is at once: for what came before it.
                    match made {
                        Some(connection) => self.connection = Some(connection),
                        None => tokio::time::sleep(longest).await,
                    }
                }
                () = pause => {}
            }
            return;
        };
        let lost = {
            let mut announcements = pin!(connection.notifications_stream());
            // After the longest wait comes a look too, which keeps the trust alive.
            let announced = tokio::time::timeout(longest, announcements.next()).await;
            let mut announced = announced.ok();
            // One look is for all that have arrived.
            while let Some(Some(Ok(_))) = announced {
                announced = announcements.next().now_or_never();
            }
            matches!(announced, Some(Some(Err(_)) | None))
        };
        if lost {
            self.connection = None;
        }
    }
}

/// A connection that hears the announcements; `None` where there is none to be had.
async fn listen(databases: Databases) -> Option<PostgresConn> {
    let listening = async {
        let mut connection = match databases.listener().await? {
            Ok(connection) => connection,
            Err(error) => {
                debug!(%error, "no connection to listen on");
                return None;
            }
        };
        let listening = connection.batch_execute(&format!("LISTEN {CHANNEL}")).await;
        listening.ok().map(|()| connection)
    };
    let listening = tokio::time::timeout(LISTEN_PATIENCE, listening).await;
    listening.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::micros_since_epoch;
    use crate::epoch::{Epochs, Kind};
    use crate::revocation::FollowSettings;
    use crate::testdb::{TestDb, each_database};
    use crate::testing::Bench;

    fn follower(bench: &Bench) -> Follower {
        let settings = FollowSettings {
            poll_interval: Duration::from_secs(1),
            trust_window: Duration::from_secs(60),
            outbox_retention: Duration::from_secs(3600),
            longest_transaction: Duration::from_secs(10),
            event_retention: Duration::from_secs(3600),
        };
        bench.invalidations.epochs().require_follower();
        let pool = bench.pool("revocation");
        Follower::new(RevocationProvider::new(
            pool,
            bench.invalidations.clone(),
            settings,
        ))
    }

    /// What another node commits that changes alice.
    async fn change(db: &TestDb, number: i64) {
        let now = micros_since_epoch();
        db.execute(&format!(
            r#"INSERT INTO "ng_invalidation" ("id", "entity", "entity_id", "node", "created_at")
               VALUES ({number}, 'user', 'alice', 'another', {now})"#
        ))
        .await;
    }

    fn on_alice(epochs: &Epochs) -> crate::epoch::Dependencies {
        epochs.dependencies([(Kind::User, "alice")])
    }

    each_database! {
        async fn what_was_cached_before_a_node_follows_is_read_again(db: TestDb) {
            let bench = Bench::new(&db).await;
            let mut follower = follower(&bench);
            let (cache, epochs) = (bench.cache(), bench.invalidations.epochs());
            cache.insert("alice", "as she was", epochs.now(), on_alice(epochs));
            change(&db, 7).await;

            follower.look().await.unwrap();

            assert!(epochs.trusted(Instant::now()));
            assert_eq!(cache.get("alice"), None);
        }

        async fn a_change_that_commits_late_is_not_missed_by_a_node_that_has_just_started(db: TestDb) {
            let bench = Bench::new(&db).await;
            let mut follower = follower(&bench);
            let (cache, epochs) = (bench.cache(), bench.invalidations.epochs());
            change(&db, 7).await;
            follower.look().await.unwrap();
            cache.insert("alice", "as she was", epochs.now(), on_alice(epochs));
            follower.look().await.unwrap();
            assert_eq!(cache.get("alice"), Some("as she was"));

            // Its number was drawn before that of the one that the node has begun with.
            change(&db, 6).await;
            follower.look().await.unwrap();

            assert_eq!(cache.get("alice"), None);
        }
    }

    #[test]
    fn a_row_that_commits_after_one_with_a_higher_number_is_not_missed() {
        let lag = Duration::from_secs(10);
        let start = Instant::now();
        let mut cursor = Cursor::new(0, lag);
        assert!(cursor.take(7));
        cursor.looked(start);

        assert!(cursor.take(6), "the late one");
        assert!(!cursor.take(7), "seen before");
        cursor.looked(start + Duration::from_secs(9));
        assert_eq!(cursor.floor, 0);
        cursor.looked(start + Duration::from_secs(10));

        assert_eq!(cursor.floor, 7);
        assert!(cursor.seen.is_empty());
    }
}
