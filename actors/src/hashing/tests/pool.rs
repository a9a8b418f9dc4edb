//! The pool: its bound, its decoys, and what it survives.

use std::sync::mpsc as blocking;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use actix::System;
use futures_util::poll;
use secrecy::SecretString;
use tokio::sync::mpsc;

use crate::hashing::hasher::Scheme;
use crate::hashing::pool::retry_after;
use crate::hashing::{Algorithm, HashError, HashPolicy, HashPool, HashStats, PoolSize, Verdict};

const ONE_AND_ONE: PoolSize = PoolSize {
    threads: 1,
    queue: 1,
    nice: 3,
};

fn cheap() -> HashPolicy {
    HashPolicy {
        rounds: Some(4),
        ..HashPolicy::default()
    }
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

fn stored(text: &str) -> Option<Arc<str>> {
    Some(Arc::from(text))
}

/// Work that tells when it begins and ends when it is let go.
struct Gate {
    begun: mpsc::UnboundedSender<String>,
    go: Mutex<blocking::Receiver<()>>,
}

impl Scheme for Gate {
    fn verify(&self, _: &[u8], stored: &str) -> Result<bool, HashError> {
        self.begun.send(stored.to_owned()).unwrap();
        self.go.lock().unwrap().recv().unwrap();
        Ok(true)
    }

    fn hash(&self, _: &[u8]) -> Result<String, HashError> {
        Ok(String::new())
    }

    fn decoy(&self) -> Result<String, HashError> {
        Ok("decoy".to_owned())
    }
}

fn gated(
    size: PoolSize,
) -> (
    HashPool,
    mpsc::UnboundedReceiver<String>,
    blocking::Sender<()>,
) {
    let (begun, begins) = mpsc::unbounded_channel();
    let (go, gate) = blocking::channel();
    let scheme = Gate {
        begun,
        go: Mutex::new(gate),
    };
    let pool = HashPool::start_with(Box::new(scheme), size).unwrap();
    (pool, begins, go)
}

/// The real work at little cost, with a record of each comparison.
struct Recorded {
    policy: HashPolicy,
    compared: Arc<Mutex<Vec<String>>>,
    decoys: Arc<Mutex<Vec<String>>>,
}

impl Scheme for Recorded {
    fn verify(&self, password: &[u8], stored: &str) -> Result<bool, HashError> {
        self.compared.lock().unwrap().push(stored.to_owned());
        self.policy.verify(password, stored)
    }

    fn hash(&self, password: &[u8]) -> Result<String, HashError> {
        self.policy.hash(password)
    }

    fn decoy(&self) -> Result<String, HashError> {
        let decoy = self.policy.decoy()?;
        self.decoys.lock().unwrap().push(decoy.clone());
        Ok(decoy)
    }
}

/// Panics for one stored hash; for the others tells who did the work.
struct Fragile {
    workers: mpsc::UnboundedSender<(String, i32)>,
}

impl Scheme for Fragile {
    fn verify(&self, _: &[u8], stored: &str) -> Result<bool, HashError> {
        assert_ne!(stored, "poison");
        let name = std::thread::current().name().unwrap().to_owned();
        let nice = rustix::process::getpriority_process(None).unwrap();
        self.workers.send((name, nice)).unwrap();
        Ok(true)
    }

    fn hash(&self, _: &[u8]) -> Result<String, HashError> {
        panic!("broken");
    }

    fn decoy(&self) -> Result<String, HashError> {
        panic!("broken");
    }
}

#[actix::test]
async fn a_password_set_through_the_pool_is_right_and_another_wrong() {
    let pool = HashPool::start(cheap(), PoolSize::default()).unwrap();
    let hash: Arc<str> = pool.hash(secret("hunter2")).await.unwrap().into();

    let right = pool
        .verify(secret("hunter2"), Some(Arc::clone(&hash)))
        .await;
    let wrong = pool.verify(secret("hunter3"), Some(hash)).await;
    let nobody = pool.verify(secret("hunter2"), None).await;
    let unreadable = pool.verify(secret("hunter2"), stored("hunter2")).await;
    let too_long = pool.hash(secret(&"p".repeat(4097))).await;

    assert_eq!(right, Ok(Verdict::Right));
    assert_eq!(wrong, Ok(Verdict::Wrong));
    assert_eq!(nobody, Ok(Verdict::Wrong));
    assert_eq!(unreadable, Ok(Verdict::Unreadable(HashError::Unrecognised)));
    assert_eq!(too_long, Err(HashError::PasswordTooLong { limit: 4096 }));
    assert_eq!(pool.stats().done_total, 6);
}

#[actix::test]
async fn without_a_hash_the_work_of_a_comparison_is_done() {
    let compared = Arc::new(Mutex::new(Vec::new()));
    let decoys = Arc::new(Mutex::new(Vec::new()));
    let scheme = Recorded {
        policy: cheap(),
        compared: Arc::clone(&compared),
        decoys: Arc::clone(&decoys),
    };
    let pool = HashPool::start_with(Box::new(scheme), ONE_AND_ONE).unwrap();

    for _ in 0..2 {
        let verdict = pool.verify(secret("hunter2"), None).await;
        assert_eq!(verdict, Ok(Verdict::Wrong));
    }
    let decoys = decoys.lock().unwrap().clone();
    let [decoy] = decoys.as_slice() else {
        panic!("a decoy is made once: {decoys:?}");
    };
    assert!(decoy.starts_with("$2b$04$"), "{decoy}");
    assert_eq!(*compared.lock().unwrap(), [decoy.clone(), decoy.clone()]);

    // A hash that is refused unread costs as much as one that is read.
    compared.lock().unwrap().clear();
    let costly = "$2b$31$bOgPmDHv8HuLVkXqPnPDVuLzK1Qh2K6Ac/9CY7KMiZGWVWBFQUQZK";
    let verdict = pool.verify(secret("hunter2"), stored(costly)).await;
    assert_eq!(verdict, Ok(Verdict::Unreadable(HashError::TooCostly)));
    assert_eq!(
        *compared.lock().unwrap(),
        [costly.to_owned(), decoy.clone()]
    );
}

#[actix::test]
async fn beyond_the_bound_the_answer_is_busy_at_once() {
    let (pool, mut begins, go) = gated(ONE_AND_ONE);
    let mut first = Box::pin(pool.verify(secret("a"), stored("first")));
    let mut second = Box::pin(pool.verify(secret("b"), stored("second")));
    assert!(poll!(&mut first).is_pending());
    assert_eq!(begins.recv().await.unwrap(), "first");
    assert!(poll!(&mut second).is_pending());

    let mut third = Box::pin(pool.verify(secret("c"), stored("third")));
    let mut fourth = Box::pin(pool.hash(secret("d")));
    let busy = HashError::Busy {
        retry_after_seconds: 1,
    };

    // Ready at the first poll: nothing is waited for.
    assert_eq!(poll!(&mut third), Poll::Ready(Err(busy.clone())));
    assert_eq!(poll!(&mut fourth), Poll::Ready(Err(busy)));
    let stats = pool.stats();
    assert_eq!((stats.running, stats.waiting), (1, 1));
    assert_eq!(stats.rejected_total, 2);

    // Once there is room, it is as before.
    go.send(()).unwrap();
    assert_eq!(first.await, Ok(Verdict::Right));
    let mut fifth = Box::pin(pool.verify(secret("e"), stored("fifth")));
    assert!(poll!(&mut fifth).is_pending());
    go.send(()).unwrap();
    go.send(()).unwrap();
    assert_eq!(second.await, Ok(Verdict::Right));
    assert_eq!(fifth.await, Ok(Verdict::Right));
    let stats = pool.stats();
    assert_eq!((stats.running, stats.waiting, stats.done_total), (0, 0, 3));
}

#[actix::test]
async fn a_job_that_nobody_waits_for_is_skipped_and_gives_its_place_back() {
    let (pool, mut begins, go) = gated(ONE_AND_ONE);
    let mut first = Box::pin(pool.verify(secret("a"), stored("first")));
    assert!(poll!(&mut first).is_pending());
    assert_eq!(begins.recv().await.unwrap(), "first");
    let mut second = Box::pin(pool.verify(secret("b"), stored("second")));
    assert!(poll!(&mut second).is_pending());

    drop(second);
    go.send(()).unwrap();
    first.await.unwrap();
    // Its place is free once the thread has come to it.
    let third = loop {
        let mut third = Box::pin(pool.verify(secret("c"), stored("third")));
        match poll!(&mut third) {
            Poll::Pending => break third,
            Poll::Ready(refused) => assert!(matches!(refused, Err(HashError::Busy { .. }))),
        }
        tokio::task::yield_now().await;
    };
    go.send(()).unwrap();
    assert_eq!(third.await, Ok(Verdict::Right));

    assert_eq!(begins.recv().await.unwrap(), "third");
    let stats = pool.stats();
    assert_eq!((stats.done_total, stats.abandoned_total), (2, 1));
    assert_eq!((stats.running, stats.waiting), (0, 0));
}

#[actix::test]
async fn a_place_is_kept_while_its_job_runs_though_the_caller_has_gone() {
    let (pool, mut begins, go) = gated(PoolSize {
        threads: 1,
        queue: 0,
        nice: 0,
    });
    let mut first = Box::pin(pool.verify(secret("a"), stored("first")));
    assert!(poll!(&mut first).is_pending());
    assert_eq!(begins.recv().await.unwrap(), "first");

    drop(first);

    let refused = pool.verify(secret("b"), stored("second")).await;
    assert!(matches!(refused, Err(HashError::Busy { .. })));
    go.send(()).unwrap();
}

#[actix::test]
async fn a_panic_fails_its_job_and_costs_no_thread() {
    let (workers, mut worked) = mpsc::unbounded_channel();
    let pool = HashPool::start_with(Box::new(Fragile { workers }), ONE_AND_ONE).unwrap();

    let poisoned = pool.verify(secret("a"), stored("poison")).await;
    let unhashed = pool.hash(secret("b")).await;
    let no_decoy = pool.verify(secret("c"), None).await;
    let after = pool.verify(secret("d"), stored("sound")).await;

    assert_eq!(poisoned, Err(HashError::Failed));
    assert_eq!(unhashed, Err(HashError::Failed));
    assert_eq!(no_decoy, Err(HashError::Failed));
    assert_eq!(after, Ok(Verdict::Right));
    let stats = pool.stats();
    assert_eq!(
        (stats.panicked_total, stats.done_total, stats.restarts_total),
        (3, 4, 0)
    );
    // The same thread: a second would have another number.
    assert_eq!(worked.recv().await.unwrap().0, "hash-0");
}

#[cfg(target_os = "linux")]
#[actix::test]
async fn hashing_threads_are_nicer_than_the_others_by_as_much_as_configured() {
    let nice = rustix::process::getpriority_process(None).unwrap();
    let (workers, mut worked) = mpsc::unbounded_channel();
    let pool = HashPool::start_with(Box::new(Fragile { workers }), ONE_AND_ONE).unwrap();

    pool.verify(secret("a"), stored("sound")).await.unwrap();

    assert_eq!(worked.recv().await.unwrap().1, (nice + 3).min(19));
    assert_eq!(rustix::process::getpriority_process(None).unwrap(), nice);
}

#[test]
fn threads_that_are_gone_are_started_anew() {
    // The address closes with the system that its threads were started in.
    let first = System::new();
    let pool = first
        .block_on(async { HashPool::start(cheap(), ONE_AND_ONE) })
        .unwrap();
    drop(first);

    let hash = System::new()
        .block_on(pool.hash(secret("hunter2")))
        .unwrap();

    assert!(cheap().verify(b"hunter2", &hash).unwrap());
    assert_eq!(pool.stats().restarts_total, 1);
}

#[test]
fn a_pool_needs_a_system_and_a_sound_policy() {
    // A thread of its own, where no system is.
    let outside = std::thread::spawn(|| HashPool::start(cheap(), ONE_AND_ONE).err());
    assert_eq!(outside.join().unwrap(), Some(HashError::Unavailable));

    let senseless = HashPolicy {
        algorithm: Algorithm::Bcrypt,
        rounds: Some(3),
        ..HashPolicy::default()
    };
    let started = System::new().block_on(async { HashPool::start(senseless, ONE_AND_ONE) });
    assert!(matches!(started.err(), Some(HashError::Policy { .. })));
}

#[test]
fn the_time_to_retry_is_that_of_the_queue() {
    let stats = |threads, in_flight, done_total, busy_micros_total| HashStats {
        threads,
        queue_capacity: 100,
        waiting: in_flight,
        running: 0,
        done_total,
        rejected_total: 0,
        abandoned_total: 0,
        panicked_total: 0,
        restarts_total: 0,
        busy_micros_total,
        waited_micros_total: 0,
    };
    // 40 jobs of 250 ms on 2 threads: 5 s.
    assert_eq!(retry_after(&stats(2, 40, 10, 2_500_000)), 5);
    assert_eq!(retry_after(&stats(2, 41, 10, 2_500_000)), 6);
    // Nothing known yet, and the ends of the range.
    assert_eq!(retry_after(&stats(2, 40, 0, 0)), 1);
    assert_eq!(retry_after(&stats(1, 1000, 1, 2_500_000)), 30);
    assert_eq!(retry_after(&stats(0, usize::MAX, 1, u64::MAX)), 30);
}
