//! A bounded table of rates. Each key has one number, the time at which it is free again (the
//! generic cell rate algorithm of ITU-T I.371: a leaky bucket without a bucket).
//!
//! All room is taken at the start, in sets of a few places, so that no client makes it grow and the
//! search is as long as a set. Where a set is full, who is freest is forgotten: who is at the limit
//! stays there whatever others send, as long as a set is not full of such.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Places of a set.
const PLACES: usize = 8;
/// Sets: a MiB altogether.
const SETS: usize = 8192;

const MICROSECONDS: i64 = 1_000_000;

/// So many at once, and as many in each such time.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Time for one, in microseconds.
    interval: i64,
    /// Time for all, in microseconds.
    span: i64,
}

impl Rate {
    /// `None` where 0 are allowed: no limit.
    pub fn new(allowed: u32, window: std::time::Duration) -> Option<Self> {
        let window = i64::try_from(window.as_micros()).unwrap_or(i64::MAX);
        let allowed = i64::from(allowed);
        let interval = window.checked_div(allowed)?.max(1);
        Some(Self {
            interval,
            span: interval.saturating_mul(allowed),
        })
    }

    /// When it is free as things are: where the clock was set back nobody waits longer than for all.
    fn bound(self, free: i64, now: i64) -> i64 {
        free.clamp(now, now.saturating_add(self.span))
    }

    /// When it is free after one more, or how long to wait for that, in microseconds.
    fn after(self, free: i64, now: i64) -> Result<i64, i64> {
        let next = free + self.interval;
        match next - now - self.span {
            wait if wait > 0 => Err(wait),
            _ => Ok(next),
        }
    }
}

/// There were too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// How long to wait, in seconds; 1 at least.
    pub seconds: u64,
}

impl TooMany {
    fn waiting(microseconds: i64) -> Self {
        let seconds = u64::try_from(microseconds).unwrap_or(0);
        Self {
            seconds: seconds.div_ceil(MICROSECONDS.unsigned_abs()).max(1),
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Place {
    /// The key's hash: what clients name takes no room.
    key: u64,
    /// When it is free, in microseconds since 1970.
    free: i64,
}

/// See the module.
pub struct Table {
    /// With a secret of this process: nobody finds names that share a place.
    hasher: RandomState,
    sets: Box<[Mutex<[Place; PLACES]>]>,
    /// The latest of all times: before it nobody has to be looked for.
    latest: AtomicI64,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            sets: (0..SETS).map(|_| Mutex::default()).collect(),
            latest: AtomicI64::new(0),
        }
    }
}

impl Table {
    /// Counts one. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// When there were too many; then it does not count.
    pub fn count(&self, key: &impl Hash, rate: Rate, now: i64) -> Result<(), TooMany> {
        let now = now.saturating_mul(MICROSECONDS);
        let key = self.hasher.hash_one(key);
        let Some(mut set) = self.set(key) else {
            return Ok(());
        };
        let known = set.iter().position(|place| place.key == key);
        let place = match known {
            Some(known) => set.get_mut(known),
            None => set.iter_mut().min_by_key(|place| place.free),
        };
        let Some(place) = place else { return Ok(()) };
        if known.is_none() {
            *place = Place { key, free: now };
        }
        place.free = rate.bound(place.free, now);
        place.free = rate.after(place.free, now).map_err(TooMany::waiting)?;
        self.latest.fetch_max(place.free, Ordering::Relaxed);
        Ok(())
    }

    /// Whether one more would be let in, without counting one.
    ///
    /// # Errors
    /// When there were too many.
    pub fn look(&self, key: &impl Hash, rate: Rate, now: i64) -> Result<(), TooMany> {
        let now = now.saturating_mul(MICROSECONDS);
        if self.latest.load(Ordering::Relaxed) <= now {
            return Ok(());
        }
        let key = self.hasher.hash_one(key);
        let Some(mut set) = self.set(key) else {
            return Ok(());
        };
        let Some(place) = set.iter_mut().find(|place| place.key == key) else {
            return Ok(());
        };
        place.free = rate.bound(place.free, now);
        rate.after(place.free, now).map_err(TooMany::waiting)?;
        Ok(())
    }

    /// Where a key is, or would be. There always is one.
    fn set(&self, key: u64) -> Option<MutexGuard<'_, [Place; PLACES]>> {
        let at = key.checked_rem(u64::try_from(self.sets.len()).ok()?)?;
        let set = self.sets.get(usize::try_from(at).ok()?)?;
        Some(set.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn rate(allowed: u32, seconds: u64) -> Rate {
        Rate::new(allowed, Duration::from_secs(seconds)).unwrap()
    }

    /// How many of these are let in.
    fn let_in(table: &Table, key: &str, rate: Rate, now: i64, tries: usize) -> usize {
        (0..tries)
            .filter(|_| table.count(&key, rate, now).is_ok())
            .count()
    }

    #[test]
    fn so_many_are_let_in_at_once_and_then_as_many_in_each_time() {
        let (table, rate) = (Table::default(), rate(3, 60));
        assert_eq!(let_in(&table, "a", rate, NOW, 10), 3);
        assert_eq!(let_in(&table, "a", rate, NOW + 19, 10), 0);
        assert_eq!(let_in(&table, "a", rate, NOW + 20, 10), 1);
        assert_eq!(let_in(&table, "a", rate, NOW + 60, 10), 2);
        assert_eq!(let_in(&table, "a", rate, NOW + 600, 10), 3);
    }

    #[test]
    fn who_is_refused_is_told_when_to_come_and_is_let_in_then() {
        let (table, rate) = (Table::default(), rate(3, 100));
        assert_eq!(let_in(&table, "a", rate, NOW, 3), 3);
        // 33.3 s, in whole seconds.
        assert_eq!(table.count(&"a", rate, NOW), Err(TooMany { seconds: 34 }));
        assert_eq!(
            table.count(&"a", rate, NOW + 33),
            Err(TooMany { seconds: 1 })
        );
        assert_eq!(table.count(&"a", rate, NOW + 34), Ok(()));
    }

    #[test]
    fn one_key_takes_nothing_from_another() {
        let (table, rate) = (Table::default(), rate(3, 60));
        assert_eq!(let_in(&table, "a", rate, NOW, 100), 3);
        assert_eq!(let_in(&table, "b", rate, NOW, 100), 3);
    }

    #[test]
    fn looking_counts_nothing_and_says_what_counting_would() {
        let (table, rate) = (Table::default(), rate(2, 60));
        for _ in 0..10 {
            assert_eq!(table.look(&"a", rate, NOW), Ok(()));
        }
        assert_eq!(let_in(&table, "a", rate, NOW, 2), 2);
        assert_eq!(table.look(&"a", rate, NOW), table.count(&"a", rate, NOW));
        assert_eq!(table.look(&"a", rate, NOW), Err(TooMany { seconds: 30 }));
        assert_eq!(table.look(&"b", rate, NOW), Ok(()));
        assert_eq!(table.look(&"a", rate, NOW + 30), Ok(()));
        assert_eq!(table.look(&"a", rate, NOW + 61), Ok(()));
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out_for_longer_than_one_time() {
        let (table, rate) = (Table::default(), rate(3, 60));
        assert_eq!(let_in(&table, "a", rate, NOW, 3), 3);
        let back = NOW - 1_000_000;
        assert_eq!(table.look(&"a", rate, back), Err(TooMany { seconds: 20 }));
        assert_eq!(table.count(&"a", rate, back + 20), Ok(()));
    }

    #[test]
    fn a_flood_of_keys_takes_no_more_room_and_frees_nobody_who_is_at_the_limit() {
        let (table, rate) = (Table::default(), rate(100, 60));
        assert_eq!(let_in(&table, "a", rate, NOW, 200), 100);
        for n in 0..4 * SETS * PLACES {
            let _ = table.count(&n, rate, NOW);
        }
        assert_eq!(let_in(&table, "a", rate, NOW, 10), 0);
        assert_eq!(table.sets.len(), SETS);
    }

    #[test]
    fn the_smallest_and_the_largest_numbers_are_rates() {
        assert!(Rate::new(0, Duration::from_secs(60)).is_none());
        let table = Table::default();
        assert_eq!(let_in(&table, "a", rate(1, 1), NOW, 3), 1);
        assert_eq!(let_in(&table, "b", rate(1, 86_400), NOW, 3), 1);
        assert_eq!(let_in(&table, "c", rate(1_000_000, 1), NOW, 2_000), 2_000);
    }
}
