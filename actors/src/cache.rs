//! The cache that every provider has: bounded, shared by its replicas, and never wrong (see
//! [`crate::epoch`]).

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use dashmap::DashMap;
use tokio::sync::Mutex;

use crate::epoch::{Dependencies, Epochs, Stamp};

/// Loads of different keys that may run at once; more would only queue for the pool.
const FLIGHTS: usize = 64;

/// A concurrent map from keys to values that are dropped when what they depend on changes.
///
/// Cloning is cheap, and clones share the entries.
pub struct Cache<K, V>(Arc<Inner<K, V>>);

impl<K, V> Clone for Cache<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Inner<K, V> {
    epochs: Arc<Epochs>,
    /// Entries live in two generations. A full young one becomes the old one, whose entries are
    /// kept by being used: nearly least-recently-used order, without a lock or a list.
    generations: ArcSwap<Generations<K, V>>,
    /// Entries that one generation may hold.
    capacity: usize,
    /// How long an entry may be used without a new read, where others write the same tables
    /// without telling; `None` where nobody does.
    max_age: Option<Duration>,
    flights: Box<[Mutex<()>]>,
    hasher: RandomState,
    hits: AtomicU64,
    misses: AtomicU64,
}

struct Generations<K, V> {
    young: Arc<Generation<K, V>>,
    old: Arc<Generation<K, V>>,
}

struct Generation<K, V> {
    entries: DashMap<K, Arc<Entry<V>>>,
    count: AtomicUsize,
}

struct Entry<V> {
    value: V,
    /// Known to be current up to here.
    stamp: AtomicU64,
    on: Dependencies,
    read_at: Instant,
}

/// Hits, misses and size of a cache since the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct CacheStats {
    /// Look-ups that were answered.
    pub hits: u64,
    /// Look-ups that went to the database.
    pub misses: u64,
    /// Entries held now, current or not.
    pub entries: usize,
}

impl<K, V> Cache<K, V>
where
    K: Clone + Eq + Hash,
    V: Clone,
{
    /// An empty cache of at most `capacity` entries, which lets none live longer than `max_age`.
    pub fn new(epochs: Arc<Epochs>, capacity: usize, max_age: Option<Duration>) -> Self {
        Self(Arc::new(Inner {
            epochs,
            generations: ArcSwap::from_pointee(Generations {
                young: Arc::default(),
                old: Arc::default(),
            }),
            capacity: (capacity / 2).max(1),
            max_age,
            flights: (0..FLIGHTS).map(|_| Mutex::new(())).collect(),
            hasher: RandomState::new(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }))
    }

    /// The epochs that decide about the entries.
    pub fn epochs(&self) -> &Epochs {
        &self.0.epochs
    }

    /// The value of `key`, if it is cached and current.
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let found = self.find(key);
        let counter = if found.is_some() {
            &self.0.hits
        } else {
            &self.0.misses
        };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    fn find<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let generations = self.0.generations.load();
        if let Some(entry) = generations.young.get(key) {
            return self.current(&entry).then(|| entry.value.clone());
        }
        let (key, entry) = generations
            .old
            .entries
            .get(key)
            .map(|e| (e.key().clone(), Arc::clone(e.value())))?;
        if !self.current(&entry) {
            return None;
        }
        let value = entry.value.clone();
        self.keep(key, entry);
        Some(value)
    }

    /// The value of `key`: cached, or loaded by `load` together with what it depends on.
    ///
    /// Of many that miss at once one loads, and the others take what it found.
    pub async fn get_or_load<E>(
        &self,
        key: &K,
        load: impl AsyncFnOnce() -> Result<(V, Dependencies), E>,
    ) -> Result<V, E> {
        if let Some(value) = self.get(key) {
            return Ok(value);
        }
        let flight = self.0.hasher.hash_one(key) as usize % FLIGHTS;
        let _flight = match self.0.flights.get(flight) {
            Some(flight) => Some(flight.lock().await),
            None => None,
        };
        if let Some(value) = self.find(key) {
            return Ok(value);
        }
        // Before the read: if a change commits meanwhile, what is inserted is already a miss.
        let stamp = self.0.epochs.now();
        let (value, on) = load().await?;
        self.insert(key.clone(), value.clone(), stamp, on);
        Ok(value)
    }

    /// Caches `value`, which was read after `stamp` was taken.
    pub fn insert(&self, key: K, value: V, stamp: Stamp, on: Dependencies) {
        let entry = Entry {
            value,
            stamp: AtomicU64::new(stamp.0),
            on,
            read_at: Instant::now(),
        };
        self.keep(key, Arc::new(entry));
    }

    /// What this cache did so far.
    pub fn stats(&self) -> CacheStats {
        let generations = self.0.generations.load();
        CacheStats {
            hits: self.0.hits.load(Ordering::Relaxed),
            misses: self.0.misses.load(Ordering::Relaxed),
            entries: generations.young.count.load(Ordering::Relaxed)
                + generations.old.count.load(Ordering::Relaxed),
        }
    }

    fn keep(&self, key: K, entry: Arc<Entry<V>>) {
        let generations = self.0.generations.load_full();
        let young = &generations.young;
        if young.entries.insert(key, entry).is_none()
            && young.count.fetch_add(1, Ordering::Relaxed) + 1 >= self.0.capacity
        {
            // Of several that see it full, one turns it over.
            let next = Arc::new(Generations {
                young: Arc::default(),
                old: Arc::clone(young),
            });
            self.0.generations.compare_and_swap(&generations, next);
        }
    }

    fn current(&self, entry: &Entry<V>) -> bool {
        let now = Instant::now();
        if self
            .0
            .max_age
            .is_some_and(|age| now.duration_since(entry.read_at) >= age)
            || !self.0.epochs.trusted(now)
        {
            return false;
        }
        let stamp = Stamp(entry.stamp.load(Ordering::Relaxed));
        match self.0.epochs.current(stamp, &entry.on) {
            Some(known) => {
                entry.stamp.store(known.0, Ordering::Relaxed);
                true
            }
            None => false,
        }
    }
}

impl<K: Eq + Hash, V> Generation<K, V> {
    fn get<Q>(&self, key: &Q) -> Option<Arc<Entry<V>>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.entries.get(key).map(|entry| Arc::clone(entry.value()))
    }
}

impl<K: Eq + Hash, V> Default for Generation<K, V> {
    fn default() -> Self {
        Self {
            entries: DashMap::new(),
            count: AtomicUsize::new(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::epoch::{Entity, Kind};

    fn cache(capacity: usize) -> (Arc<Epochs>, Cache<u32, u32>) {
        let epochs = Arc::new(Epochs::default());
        (Arc::clone(&epochs), Cache::new(epochs, capacity, None))
    }

    #[test]
    fn what_was_read_before_a_change_committed_is_never_served_after_it() {
        let (epochs, cache) = cache(10);
        let stamp = epochs.now();
        // The change lands between the stamp and the insertion.
        epochs.invalidate(&[Entity::new(Kind::User, "u")]);
        cache.insert(1, 1, stamp, epochs.dependencies([(Kind::User, "u")]));
        assert_eq!(cache.get(&1), None);
    }

    #[test]
    fn the_number_of_entries_is_bounded_and_used_ones_stay() {
        let (epochs, cache) = cache(100);
        for key in 0..1000 {
            cache.insert(key, key, epochs.now(), Dependencies::default());
            assert!(
                key < 1 || cache.get(&0).is_some(),
                "the used one went at {key}"
            );
        }
        assert!(cache.stats().entries <= 100);
        assert_eq!(cache.get(&1), None);
    }

    #[test]
    fn nothing_is_served_while_the_node_does_not_follow() {
        let (epochs, cache) = cache(10);
        cache.insert(1, 1, epochs.now(), Dependencies::default());
        epochs.require_follower();
        assert_eq!(cache.get(&1), None);
        epochs.trust_for(Instant::now(), Duration::from_secs(60));
        assert_eq!(cache.get(&1), Some(1));
    }

    #[tokio::test]
    async fn of_many_that_miss_at_once_one_loads() {
        let (_, cache) = cache(10);
        let loads = AtomicUsize::new(0);
        let load = || {
            cache.get_or_load(&7, async || {
                loads.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Ok::<_, ()>((49, Dependencies::default()))
            })
        };
        let all = futures_util::future::join_all((0..20).map(|_| load())).await;
        assert!(all.into_iter().all(|value| value == Ok(49)));
        assert_eq!(loads.into_inner(), 1);
    }
}
