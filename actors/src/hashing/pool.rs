//! The pool: a bounded way to the hashing threads, which outlives them.
//!
//! actix's `SyncArbiter` takes any number of messages, so the bound is kept here: a semaphore with
//! a permit for each job that may run or wait. Who gets none is told so at once.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use actix::{Addr, Handler, Message, SyncArbiter, System};
use arc_swap::ArcSwap;
use secrecy::SecretString;
use tokio::sync::Semaphore;

use super::hasher::{Counters, Hash, Hasher, Scheme, Ticket, Verify, Work};
use super::{HashError, HashPolicy, Verdict};

/// How many passwords are worked on at once, and how many may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSize {
    /// At least one is started.
    pub threads: usize,
    /// Jobs that may wait while every thread is busy.
    pub queue: usize,
    /// By how much the threads are nicer than the rest of the process, at most 19; on Linux only.
    pub nice: u8,
}

impl Default for PoolSize {
    /// One thread a core, and 16 jobs waiting for each: with the default algorithm the last of
    /// them waits some four seconds, about as long as a client has patience.
    fn default() -> Self {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        Self {
            threads,
            queue: threads.saturating_mul(16),
            nice: 10,
        }
    }
}

/// The state of a pool. Each figure is right by itself; together they may be a moment apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashStats {
    /// Threads of the pool.
    pub threads: usize,
    /// Jobs that may wait.
    pub queue_capacity: usize,
    /// Jobs that wait now.
    pub waiting: usize,
    /// Jobs that are computed now.
    pub running: usize,
    /// Jobs computed since the start, failed ones included.
    pub done_total: u64,
    /// Jobs refused as [`HashError::Busy`].
    pub rejected_total: u64,
    /// Jobs skipped because nobody waited for the answer any more.
    pub abandoned_total: u64,
    /// Jobs that panicked. Anything but zero is a defect of ours.
    pub panicked_total: u64,
    /// Times that the threads had to be started anew.
    pub restarts_total: u64,
    /// Time spent on the jobs done, in microseconds, summed over the threads.
    pub busy_micros_total: u64,
    /// Time that jobs waited for a thread, in microseconds, summed over the jobs.
    pub waited_micros_total: u64,
}

/// Hashes and verifies passwords on threads of its own. Clones are handles to the same pool; the
/// threads end with the last of them.
#[derive(Clone)]
pub struct HashPool {
    inner: Arc<Inner>,
}

struct Inner {
    size: PoolSize,
    work: Arc<Work>,
    counters: Arc<Counters>,
    permits: Arc<Semaphore>,
    current: ArcSwap<Addr<Hasher>>,
    restarting: Mutex<()>,
}

impl HashPool {
    /// Starts the threads, named `hash-0` onwards. To be called within an actix `System`.
    ///
    /// # Errors
    /// [`HashError::Policy`] for an option that makes no sense; [`HashError::Unavailable`]
    /// outside a `System`, or where the operating system gives no more threads.
    pub fn start(policy: HashPolicy, size: PoolSize) -> Result<Self, HashError> {
        policy.check()?;
        Self::start_with(Box::new(policy), size)
    }

    pub(super) fn start_with(scheme: Box<dyn Scheme>, size: PoolSize) -> Result<Self, HashError> {
        let size = PoolSize {
            threads: size.threads.max(1),
            ..size
        };
        let permits = size
            .threads
            .saturating_add(size.queue)
            .min(Semaphore::MAX_PERMITS);
        let work = Arc::new(Work::new(scheme));
        let addr = start_threads(size, &work)?;
        Ok(Self {
            inner: Arc::new(Inner {
                size,
                work,
                counters: Arc::default(),
                permits: Arc::new(Semaphore::new(permits)),
                current: ArcSwap::from_pointee(addr),
                restarting: Mutex::new(()),
            }),
        })
    }

    /// Compares a password with a stored hash. With no hash, for want of a user, it does the work
    /// of a comparison at the configured cost and answers [`Verdict::Wrong`].
    ///
    /// Dropping the future gives up: a job that hasn't begun is skipped.
    ///
    /// # Errors
    /// [`HashError::Busy`] at once if the queue is full; [`HashError::Unavailable`] or
    /// [`HashError::Failed`] if nothing could be computed. A wrong password is no error, and an
    /// unreadable hash is none either.
    pub async fn verify(
        &self,
        password: SecretString,
        hash: Option<Arc<str>>,
    ) -> Result<Verdict, HashError> {
        self.send(|ticket| Verify {
            password: password.clone(),
            hash: hash.clone(),
            ticket,
        })
        .await
    }

    /// Hashes a password that is to be set, with the configured algorithm and a fresh salt.
    ///
    /// # Errors
    /// [`HashError::PasswordTooLong`], and those of [`HashPool::verify`].
    pub async fn hash(&self, password: SecretString) -> Result<String, HashError> {
        self.send(|ticket| Hash {
            password: password.clone(),
            ticket,
        })
        .await
    }

    /// The pool's figures, for metrics and for readiness.
    #[must_use]
    pub fn stats(&self) -> HashStats {
        let counters = &self.inner.counters;
        HashStats {
            threads: self.inner.size.threads,
            queue_capacity: self.inner.size.queue,
            waiting: counters.waiting.load(Relaxed),
            running: counters.running.load(Relaxed),
            done_total: counters.done.load(Relaxed),
            rejected_total: counters.rejected.load(Relaxed),
            abandoned_total: counters.abandoned.load(Relaxed),
            panicked_total: counters.panicked.load(Relaxed),
            restarts_total: counters.restarts.load(Relaxed),
            busy_micros_total: counters.busy_micros.load(Relaxed),
            waited_micros_total: counters.waited_micros.load(Relaxed),
        }
    }

    async fn send<M, T>(&self, message: impl Fn(Ticket) -> M) -> Result<T, HashError>
    where
        M: Message<Result = Result<T, HashError>> + Send + 'static,
        T: Send + 'static,
        Hasher: Handler<M>,
    {
        // A second time if the threads were lost with the job: asking again changes nothing.
        for _ in 0..2 {
            let addr = self.address()?;
            let ticket = self.ticket()?;
            if let Ok(result) = addr.send(message(ticket)).await {
                return result;
            }
        }
        Err(HashError::Unavailable)
    }

    fn ticket(&self) -> Result<Ticket, HashError> {
        let counters = &self.inner.counters;
        match Arc::clone(&self.inner.permits).try_acquire_owned() {
            Ok(permit) => Ok(Ticket::new(Arc::clone(counters), permit)),
            Err(_) => {
                counters.rejected.fetch_add(1, Relaxed);
                Err(HashError::Busy {
                    retry_after_seconds: retry_after(&self.stats()),
                })
            }
        }
    }

    /// The address of the threads; starts new ones if it is closed.
    fn address(&self) -> Result<Arc<Addr<Hasher>>, HashError> {
        let inner = &self.inner;
        let addr = inner.current.load_full();
        if addr.connected() {
            return Ok(addr);
        }
        let _one_at_a_time = inner
            .restarting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let addr = inner.current.load_full();
        if addr.connected() {
            return Ok(addr);
        }
        let addr = Arc::new(start_threads(inner.size, &inner.work)?);
        inner.current.store(Arc::clone(&addr));
        inner.counters.restarts.fetch_add(1, Relaxed);
        tracing::warn!(
            provider = "hashing",
            threads = inner.size.threads,
            "the hashing threads were gone and have been started anew"
        );
        Ok(addr)
    }
}

fn start_threads(size: PoolSize, work: &Arc<Work>) -> Result<Addr<Hasher>, HashError> {
    // actix would panic without one.
    if System::try_current().is_none() {
        return Err(HashError::Unavailable);
    }
    let mut number = 0_usize..;
    let builder = move || {
        let name = number.next().unwrap_or_default();
        thread::Builder::new().name(format!("hash-{name}"))
    };
    let work = Arc::clone(work);
    let hasher = move || Hasher {
        work: Arc::clone(&work),
        nice: size.nice,
    };
    // actix panics where the operating system refuses a thread; those already started then end.
    panic::catch_unwind(AssertUnwindSafe(|| {
        SyncArbiter::start_with_thread_builder(size.threads, builder, hasher)
    }))
    .map_err(|_| HashError::Unavailable)
}

/// When the queue should be worked off, in seconds: as long as the jobs in it take on average.
pub(super) fn retry_after(stats: &HashStats) -> u32 {
    let in_flight = u64::try_from(stats.waiting.saturating_add(stats.running)).unwrap_or(u64::MAX);
    let threads = u64::try_from(stats.threads).unwrap_or(u64::MAX).max(1);
    let average = stats.busy_micros_total / stats.done_total.max(1);
    let seconds = (average.saturating_mul(in_flight) / threads).div_ceil(1_000_000);
    u32::try_from(seconds.clamp(1, 30)).unwrap_or(30)
}
