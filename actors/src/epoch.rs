//! Epochs: how a cache knows, without being told entry by entry, that an entry is out of date.
//!
//! One clock counts invalidations. Each [`Entity`] maps to one of a fixed number of slots, and a
//! slot holds the clock's value at the last invalidation of anything that maps to it. A cached
//! entry remembers the clock's value from before it was read, and the slots that it depends on;
//! it is current as long as none of them has moved past that value. Invalidation is O(1), memory
//! is constant, and two entities that share a slot cost a needless read at worst.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A power of two: 512 KiB of slots, so that among a hundred entities invalidated in the life of
/// an entry with twenty dependencies, one in forty is missed for nothing.
const SLOTS: usize = 1 << 16;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// What kind of thing an invalidation is about. The names are those in the outbox table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            #[cfg(test)]
            const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The name in the outbox; at most 16 characters.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$kind),)*
                    _ => None,
                }
            }
        }
    };
}

// Each with the name that it has in the outbox.
kinds! {
    /// A user: its attributes, its password, its enabled flag.
    User = "user",
    /// Group memberships of one user.
    Membership = "membership",
    /// Role assignments of one actor (user or group); with an empty ID, of any.
    Assignments = "assignments",
    /// A group's attributes.
    Group = "group",
    /// A project or domain: attributes, enabled flag, place in the tree.
    Project = "project",
    /// All roles and the rules by which they imply each other; the ID is empty.
    Roles = "roles",
    /// Services, endpoints, regions and groups of endpoints, with an empty ID; or what of them a
    /// project is shown, with the project's ID.
    Catalog = "catalog",
    /// Registered limits, with an empty ID; or the limits of a project or domain, with its ID.
    Limits = "limits",
    /// The configuration of a domain.
    DomainConfig = "domain_config",
    /// A token, by audit ID.
    Audit = "audit",
    /// A chain of tokens, by the audit ID of its root.
    AuditChain = "audit_chain",
    /// A trust.
    Trust = "trust",
    /// An application credential.
    ApplicationCredential = "app_cred",
    /// A credential.
    Credential = "credential",
    /// An identity provider, its protocols and mappings.
    IdentityProvider = "idp",
    /// An OAuth1 consumer.
    Consumer = "consumer",
    /// An OAuth1 access token.
    AccessToken = "access_token",
    /// Revocation events that name a role or another field that no single entry depends on.
    Anything = "anything",
}

/// Something that cached entries depend on, and that can change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entity {
    /// What it is.
    pub kind: Kind,
    /// Which one; empty for kinds of which there is one.
    pub id: String,
}

impl Entity {
    /// The entity of this kind and ID.
    pub fn new(kind: Kind, id: impl Into<String>) -> Self {
        Self {
            kind,
            id: id.into(),
        }
    }

    /// What the outbox says. A kind that a newer version wrote counts as [`Kind::Anything`]: what
    /// depends on it here is not known.
    pub fn from_outbox(kind: &str, id: String) -> Self {
        match Kind::from_name(kind) {
            Some(kind) => Self { kind, id },
            None => Self::new(Kind::Anything, ""),
        }
    }

    /// All roles and their implications.
    pub fn roles() -> Self {
        Self::new(Kind::Roles, "")
    }

    /// The whole catalog.
    pub fn catalog() -> Self {
        Self::new(Kind::Catalog, "")
    }
}

/// The slots of the entities that an entry depends on.
#[derive(Clone, Debug, Default)]
pub struct Dependencies(Vec<u32>);

/// The clock's value at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(pub(crate) u64);

/// The epochs of everything that is cached in this process. One for all providers.
pub struct Epochs {
    clock: AtomicU64,
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
    /// Orders invalidations: a slot is always set before the clock shows it.
    order: Mutex<()>,
    start: Instant,
    /// Nanoseconds since `start` until which caches may be trusted; [`ALWAYS`] without a follower.
    trusted_until: AtomicU64,
    /// Nanoseconds since `start` of the last look at what others changed.
    followed_at: AtomicU64,
}

const ALWAYS: u64 = u64::MAX;

impl Default for Epochs {
    fn default() -> Self {
        Self {
            clock: AtomicU64::new(1),
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
            order: Mutex::new(()),
            start: Instant::now(),
            trusted_until: AtomicU64::new(ALWAYS),
            followed_at: AtomicU64::new(0),
        }
    }
}

impl Epochs {
    /// The stamp to take before reading what will be cached.
    pub fn now(&self) -> Stamp {
        Stamp(self.clock.load(Ordering::Acquire))
    }

    /// The dependencies on these entities.
    pub fn dependencies<'a>(&self, on: impl IntoIterator<Item = (Kind, &'a str)>) -> Dependencies {
        let mut slots: Vec<u32> = on
            .into_iter()
            .chain([(Kind::Anything, "")])
            .map(|(kind, id)| self.slot(kind, id))
            .collect();
        slots.sort_unstable();
        slots.dedup();
        Dependencies(slots)
    }

    /// Makes a miss of every entry that depends on one of these entities.
    pub fn invalidate<'a>(&self, entities: impl IntoIterator<Item = &'a Entity>) {
        // The guarded value is (), so a poisoned lock has nothing wrong in it.
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let next = self.clock.load(Ordering::Relaxed) + 1;
        let set = |kind, id: &str| {
            if let Some(slot) = self.slots.get(self.slot(kind, id) as usize) {
                slot.store(next, Ordering::Relaxed);
            }
        };
        for entity in entities {
            set(entity.kind, &entity.id);
            // What was found by a target or a role has rows of anybody.
            if entity.kind == Kind::Assignments {
                set(Kind::Assignments, "");
            }
        }
        self.clock.store(next, Ordering::Release);
    }

    /// Makes a miss of everything: after a gap in what was followed.
    pub fn invalidate_all(&self) {
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let next = self.clock.load(Ordering::Relaxed) + 1;
        for slot in &self.slots {
            slot.store(next, Ordering::Relaxed);
        }
        self.clock.store(next, Ordering::Release);
    }

    /// From now on caches are trusted only while [`Self::trust_for`] keeps being called.
    pub fn require_follower(&self) {
        self.trusted_until.store(0, Ordering::Release);
    }

    /// Invalidations were followed up to `since`: caches may be trusted for `window` from then.
    pub fn trust_for(&self, since: Instant, window: Duration) {
        let since = since.saturating_duration_since(self.start);
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(ALWAYS - 1);
        let until = nanos(since + window);
        self.followed_at.fetch_max(nanos(since), Ordering::AcqRel);
        self.trusted_until.fetch_max(until, Ordering::AcqRel);
    }

    /// How far behind the others this node is at `now`: the time since it last looked at what they
    /// changed, or since its start.
    pub fn lag(&self, now: Instant) -> Duration {
        let followed_at = Duration::from_nanos(self.followed_at.load(Ordering::Acquire));
        now.saturating_duration_since(self.start)
            .saturating_sub(followed_at)
    }

    /// Whether cached entries may be used at `now` at all.
    pub fn trusted(&self, now: Instant) -> bool {
        let until = self.trusted_until.load(Ordering::Acquire);
        until == ALWAYS || now.saturating_duration_since(self.start).as_nanos() < u128::from(until)
    }

    /// Whether none of `on` has changed since `stamp`; if so, the stamp up to which that is known.
    pub(crate) fn current(&self, stamp: Stamp, on: &Dependencies) -> Option<Stamp> {
        let now = self.now();
        if now == stamp {
            return Some(now);
        }
        let unmoved = on.0.iter().all(|slot| {
            self.slots
                .get(*slot as usize)
                .is_some_and(|moved| moved.load(Ordering::Relaxed) <= stamp.0)
        });
        unmoved.then_some(now)
    }

    fn slot(&self, kind: Kind, id: &str) -> u32 {
        (self.hasher.hash_one((kind, id)) as usize & (SLOTS - 1)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_current_until_something_it_depends_on_changes() {
        let epochs = Epochs::default();
        let deps = epochs.dependencies([(Kind::User, "alice")]);
        let stamp = epochs.now();

        epochs.invalidate(&[Entity::new(Kind::User, "somebody else entirely")]);
        let later = epochs.current(stamp, &deps);
        epochs.invalidate(&[Entity::new(Kind::User, "alice")]);

        assert!(later.is_some_and(|known| known > stamp));
        assert_eq!(epochs.current(stamp, &deps), None);
        assert_eq!(epochs.current(later.unwrap_or(stamp), &deps), None);
    }

    #[test]
    fn a_gap_invalidates_everything() {
        let epochs = Epochs::default();
        let (stamp, deps) = (epochs.now(), epochs.dependencies([(Kind::Project, "p")]));
        epochs.invalidate_all();
        assert_eq!(epochs.current(stamp, &deps), None);
    }

    #[test]
    fn caches_are_trusted_only_as_long_as_a_required_follower_follows() {
        let epochs = Epochs::default();
        let now = Instant::now();
        assert!(epochs.trusted(now));

        epochs.require_follower();
        assert!(!epochs.trusted(now));
        epochs.trust_for(now, Duration::from_secs(1));

        assert!(epochs.trusted(now + Duration::from_millis(900)));
        assert!(!epochs.trusted(now + Duration::from_millis(1100)));
        assert_eq!(
            epochs.lag(now + Duration::from_millis(900)),
            Duration::from_millis(900)
        );
    }

    #[test]
    fn every_kind_has_a_name_of_its_own_that_fits_the_outbox() {
        for &kind in Kind::ALL {
            assert!(kind.as_str().len() <= 16);
            assert_eq!(Kind::from_name(kind.as_str()), Some(kind));
        }
    }

    #[test]
    fn a_kind_of_a_newer_version_makes_a_miss_of_everything() {
        let epochs = Epochs::default();
        let (read, user) = (epochs.now(), epochs.dependencies([(Kind::User, "u")]));
        assert!(epochs.current(read, &user).is_some());

        epochs.invalidate(&[Entity::from_outbox("from the future", "x".to_owned())]);

        assert!(epochs.current(read, &user).is_none());
    }
}
