//! Revocation events in memory: asked once for each token that is not cached, at a cost that
//! does not depend on how many events there are.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use super::model::{Attribute, Event, TokenFacts};

/// The events that may still matter.
///
/// Nearly all name one attribute: of those only the newest time is kept, under a 64-bit keyed
/// hash of attribute and value, 16 bytes an event. Were two values ever to share a hash, a token
/// too many would be refused, never one too few.
#[derive(Default)]
pub(super) struct Index {
    hasher: RandomState,
    events: RwLock<Events>,
    complete: AtomicBool,
}

#[derive(Default)]
struct Events {
    simple: HashMap<u64, i64, Passthrough>,
    compound: Vec<Event>,
}

/// The keys are hashes already.
#[derive(Clone, Default)]
struct Passthrough;

#[derive(Default)]
struct PassthroughHasher(u64);

impl BuildHasher for Passthrough {
    type Hasher = PassthroughHasher;

    fn build_hasher(&self) -> PassthroughHasher {
        PassthroughHasher::default()
    }
}

impl std::hash::Hasher for PassthroughHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

impl Index {
    /// Adds an event. False if it told nothing new.
    pub fn insert(&self, event: &Event) -> bool {
        let mut events = self.events.write().unwrap_or_else(PoisonError::into_inner);
        let mut attributes = event.attributes();
        match (attributes.next(), attributes.next(), event.expires_at) {
            (Some((attribute, value)), None, None) => {
                let newest = events
                    .simple
                    .entry(self.key(attribute, value))
                    .or_insert(i64::MIN);
                let news = event.issued_before > *newest;
                *newest = event.issued_before.max(*newest);
                news
            }
            _ if events.compound.contains(event) => false,
            _ => {
                events.compound.push(event.clone());
                true
            }
        }
    }

    /// Whether an event revokes this token.
    pub fn revokes(&self, token: &TokenFacts) -> bool {
        let events = self.events.read().unwrap_or_else(PoisonError::into_inner);
        token.attributes().any(|(attribute, value)| {
            events
                .simple
                .get(&self.key(attribute, value))
                .is_some_and(|issued_before| token.issued_at <= *issued_before)
        }) || events.compound.iter().any(|event| event.revokes(token))
    }

    /// Forgets events of tokens issued before `oldest` (seconds since 1970): all have expired.
    pub fn prune(&self, oldest: i64) {
        let mut events = self.events.write().unwrap_or_else(PoisonError::into_inner);
        events
            .simple
            .retain(|_, issued_before| *issued_before >= oldest);
        events
            .compound
            .retain(|event| event.issued_before >= oldest);
    }

    /// Whether all events of the database are in here, as far as they are followed.
    pub fn complete(&self) -> bool {
        self.complete.load(Ordering::Acquire)
    }

    /// All events have been read once.
    pub fn set_complete(&self) {
        self.complete.store(true, Ordering::Release);
    }

    fn key(&self, attribute: Attribute, value: &str) -> u64 {
        self.hasher.hash_one((attribute, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> TokenFacts {
        TokenFacts {
            users: vec!["alice".into()],
            domains: vec!["default".into()],
            project: Some("demo".into()),
            audit: "own".into(),
            audit_chain: "root".into(),
            issued_at: 1000,
            expires_at: 2000,
            ..TokenFacts::default()
        }
    }

    #[test]
    fn a_token_issued_in_the_second_of_an_event_is_revoked_and_a_later_one_is_not() {
        for (issued_before, revoked) in [(999, false), (1000, true), (1001, true)] {
            let index = Index::default();
            assert!(index.insert(&Event::user("alice", issued_before)));
            assert_eq!(index.revokes(&token()), revoked, "{issued_before}");
        }
    }

    #[test]
    fn each_attribute_of_an_event_must_be_the_tokens() {
        let same = [
            Event::user("alice", 1000),
            Event::project("demo", 1000),
            Event::audit("own", 1000),
            Event::audit_chain("root", 1000),
            Event {
                user_id: Some("alice".to_owned()),
                expires_at: Some(2000),
                ..Event::project("demo", 1000)
            },
        ];
        let other = [
            Event::user("bob", 1000),
            Event::project("alice", 1000),
            Event::audit("root", 1000),
            Event::trust("own", 1000),
            Event {
                user_id: Some("bob".to_owned()),
                ..Event::project("demo", 1000)
            },
            Event {
                expires_at: Some(2001),
                ..Event::user("alice", 1000)
            },
        ];
        for (events, revoked) in [(same.to_vec(), true), (other.to_vec(), false)] {
            for event in events {
                let index = Index::default();
                index.insert(&event);
                assert_eq!(index.revokes(&token()), revoked, "{event:?}");
                assert_eq!(event.revokes(&token()), revoked, "{event:?}");
            }
        }
    }

    #[test]
    fn an_event_known_already_is_no_news_and_an_older_one_takes_nothing_back() {
        let index = Index::default();
        assert!(index.insert(&Event::user("alice", 1000)));
        assert!(!index.insert(&Event::user("alice", 1000)));
        assert!(!index.insert(&Event::user("alice", 10)));
        assert!(index.revokes(&token()));
        index.prune(1001);
        assert!(!index.revokes(&token()));
    }
}
