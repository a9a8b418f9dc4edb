//! One thread of the pool: takes a password at a time, and lives through whatever it meets.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use actix::{Actor, Handler, Message, SyncContext};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::OwnedSemaphorePermit;

use super::{HashError, HashPolicy, Verdict};

/// The slow operations, so that the pool's rules can be tested with work that is counted, held up
/// or broken.
pub(super) trait Scheme: Send + Sync + 'static {
    fn verify(&self, password: &[u8], stored: &str) -> Result<bool, HashError>;
    fn hash(&self, password: &[u8]) -> Result<String, HashError>;
    fn decoy(&self) -> Result<String, HashError>;
}

impl Scheme for HashPolicy {
    fn verify(&self, password: &[u8], stored: &str) -> Result<bool, HashError> {
        Self::verify(self, password, stored)
    }

    fn hash(&self, password: &[u8]) -> Result<String, HashError> {
        Self::hash(self, password)
    }

    fn decoy(&self) -> Result<String, HashError> {
        Self::decoy(self)
    }
}

/// What the threads of a pool share.
pub(super) struct Work {
    scheme: Box<dyn Scheme>,
    decoy: OnceLock<String>,
}

impl Work {
    pub(super) fn new(scheme: Box<dyn Scheme>) -> Self {
        Self {
            scheme,
            decoy: OnceLock::new(),
        }
    }

    fn judge(&self, password: &[u8], stored: Option<&str>) -> Result<Verdict, HashError> {
        let Some(stored) = stored else {
            self.verify_decoy(password)?;
            return Ok(Verdict::Wrong);
        };
        match self.scheme.verify(password, stored) {
            Ok(true) => Ok(Verdict::Right),
            Ok(false) => Ok(Verdict::Wrong),
            Err(unreadable @ (HashError::Unrecognised | HashError::TooCostly)) => {
                // Refused at a glance; answered at once, it would tell that this user exists.
                self.verify_decoy(password)?;
                Ok(Verdict::Unreadable(unreadable))
            }
            Err(error) => Err(error),
        }
    }

    /// The work of a login for which there is nothing to compare with; its outcome doesn't matter.
    fn verify_decoy(&self, password: &[u8]) -> Result<(), HashError> {
        let decoy = match self.decoy.get() {
            Some(decoy) => decoy,
            None => {
                let decoy = self.scheme.decoy()?;
                self.decoy.get_or_init(|| decoy)
            }
        };
        self.scheme.verify(password, decoy).map(|_| ())
    }
}

/// Counts that the pool publishes.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) waiting: AtomicUsize,
    pub(super) running: AtomicUsize,
    pub(super) done: AtomicU64,
    pub(super) abandoned: AtomicU64,
    pub(super) panicked: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) restarts: AtomicU64,
    /// Time spent on the jobs done, in microseconds.
    pub(super) busy_micros: AtomicU64,
    /// Time that jobs waited for a thread, in microseconds.
    pub(super) waited_micros: AtomicU64,
}

/// A place in the queue. It travels with the job and is given back when the job is dropped, done
/// or not, wherever that happens.
pub(super) struct Ticket {
    counters: Arc<Counters>,
    queued: Instant,
    begun: Option<Instant>,
    _permit: OwnedSemaphorePermit,
}

impl Ticket {
    pub(super) fn new(counters: Arc<Counters>, permit: OwnedSemaphorePermit) -> Self {
        counters.waiting.fetch_add(1, Relaxed);
        Self {
            counters,
            queued: Instant::now(),
            begun: None,
            _permit: permit,
        }
    }

    fn begin(&mut self) {
        self.counters.running.fetch_add(1, Relaxed);
        self.counters.waiting.fetch_sub(1, Relaxed);
        let waited = u64::try_from(self.queued.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.counters.waited_micros.fetch_add(waited, Relaxed);
        self.begun = Some(Instant::now());
    }

    /// Does the job. A panic ends with the job, not with the thread.
    fn run<T>(mut self, job: impl FnOnce() -> Result<T, HashError>) -> Result<T, HashError> {
        self.begin();
        // Nothing is left half-changed: what the threads share is set once or counted.
        panic::catch_unwind(AssertUnwindSafe(job)).unwrap_or_else(|payload| {
            // Its destructor might panic in turn, and this thread would be lost after all.
            std::mem::forget(payload);
            self.counters.panicked.fetch_add(1, Relaxed);
            tracing::error!(
                provider = "hashing",
                "hashing a password panicked; its thread goes on"
            );
            Err(HashError::Failed)
        })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some(begun) = self.begun else {
            self.counters.waiting.fetch_sub(1, Relaxed);
            self.counters.abandoned.fetch_add(1, Relaxed);
            return;
        };
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.counters.busy_micros.fetch_add(micros, Relaxed);
        self.counters.running.fetch_sub(1, Relaxed);
        self.counters.done.fetch_add(1, Relaxed);
    }
}

/// The actor that each thread of the pool runs.
pub(super) struct Hasher {
    pub(super) work: Arc<Work>,
    /// Steps by which its thread is nicer than the one that started it.
    pub(super) nice: u8,
}

impl Actor for Hasher {
    type Context = SyncContext<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        lower_priority(self.nice);
    }
}

/// Compares a password with a stored hash; with none, does the same work and answers
/// [`Verdict::Wrong`].
#[derive(Message)]
#[rtype(result = "Result<Verdict, HashError>")]
pub(super) struct Verify {
    pub(super) password: SecretString,
    pub(super) hash: Option<Arc<str>>,
    pub(super) ticket: Ticket,
}

/// Hashes a password that is to be set.
#[derive(Message)]
#[rtype(result = "Result<String, HashError>")]
pub(super) struct Hash {
    pub(super) password: SecretString,
    pub(super) ticket: Ticket,
}

// actix hands over no message whose sender has given up waiting: it drops it, and its ticket.

impl Handler<Verify> for Hasher {
    type Result = Result<Verdict, HashError>;

    fn handle(&mut self, job: Verify, _: &mut Self::Context) -> Self::Result {
        let Verify {
            password,
            hash,
            ticket,
        } = job;
        ticket.run(|| {
            self.work
                .judge(password.expose_secret().as_bytes(), hash.as_deref())
        })
    }
}

impl Handler<Hash> for Hasher {
    type Result = Result<String, HashError>;

    fn handle(&mut self, job: Hash, _: &mut Self::Context) -> Self::Result {
        let Hash { password, ticket } = job;
        ticket.run(|| self.work.scheme.hash(password.expose_secret().as_bytes()))
    }
}

/// `steps` nicer than before: who validates tokens goes first.
#[cfg(target_os = "linux")]
fn lower_priority(steps: u8) {
    use std::sync::Once;

    use rustix::process::{getpriority_process, setpriority_process};

    static TOLD: Once = Once::new();
    // On Linux the calling thread's alone, though POSIX says the process's.
    let lowered = getpriority_process(None)
        .and_then(|nice| setpriority_process(None, (nice + i32::from(steps)).min(19)));
    if let Err(error) = lowered {
        TOLD.call_once(|| {
            tracing::debug!(
                provider = "hashing",
                %error,
                "the priority of the hashing threads stays as it is"
            );
        });
    }
}

/// Elsewhere a thread has no priority of its own to lower without unsafe code.
#[cfg(not(target_os = "linux"))]
fn lower_priority(_: u8) {}
