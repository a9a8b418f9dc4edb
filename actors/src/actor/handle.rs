//! How a provider is reached, wherever its actor runs now.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use actix::{Addr, MailboxError, Message};
use arc_swap::ArcSwapOption;
use tokio::sync::Notify;
use tokio::time::timeout;
use tracing::{Span, debug_span};

use super::room::{Call, Room};
use super::{Control, Idempotent, Limits, Provider, Serve, Transient, Unavailable};

/// How long a caller waits for an actor to come back before it gives up.
const RESTART_PATIENCE: Duration = Duration::from_secs(1);

thread_local! {
    /// Which replica is this thread's own: 0 is the one on the supervisor's arbiter.
    static REPLICA: Cell<usize> = const { Cell::new(0) };
}

/// Makes replica `index` of each provider this thread's own.
pub(super) fn prefer_replica(index: usize) {
    REPLICA.set(index);
}

/// Reaches a provider. Cheap to clone; all clones are one.
pub struct Handle<P: Provider>(pub(super) Arc<Shared<P>>);

impl<P: Provider> Clone for Handle<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// What handles and supervisor share of one provider.
pub(super) struct Shared<P: Provider> {
    /// Where its replicas are: the first on the supervisor's arbiter, then one a worker.
    pub replicas: Box<[ArcSwapOption<Addr<Room<P>>>]>,
    pub limits: Limits,
    pub gate: Arc<Gate>,
    /// Wakes those who wait for a fresh replica.
    pub changed: Notify,
    /// Wakes the supervisor.
    pub poke: Arc<Notify>,
    pub restarts: AtomicU64,
    pub failed: AtomicBool,
}

/// Counts the messages under way.
pub(super) struct Gate {
    limit: usize,
    under_way: AtomicUsize,
    answered: AtomicU64,
    refused: AtomicU64,
}

/// One message's place; given back when dropped, whatever became of the message.
pub(super) struct Permit(Arc<Gate>);

impl Gate {
    fn enter(self: &Arc<Self>) -> Result<Permit, Unavailable> {
        if self.under_way.fetch_add(1, Ordering::AcqRel) >= self.limit {
            self.under_way.fetch_sub(1, Ordering::AcqRel);
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(Unavailable::Overloaded);
        }
        Ok(Permit(Arc::clone(self)))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::AcqRel);
        self.0.answered.fetch_add(1, Ordering::Relaxed);
    }
}

/// What a provider's handles saw since the start, for metrics and readiness.
#[derive(Clone, Copy, Debug)]
pub struct ProviderStats {
    /// [`Provider::NAME`].
    pub name: &'static str,
    /// Replicas that answer now.
    pub replicas: usize,
    /// Messages under way: the depth of the mailbox and what is being answered.
    pub under_way: usize,
    /// Messages done with, answered or given up.
    pub answered: u64,
    /// Messages refused because too many were under way.
    pub refused: u64,
    /// Actors started again after they ended.
    pub restarts: u64,
    /// Whether the provider is over its restart limit: down until its window has passed.
    pub failed: bool,
}

impl<P: Provider> Shared<P> {
    pub fn new(replicas: usize, limits: Limits, poke: Arc<Notify>) -> Self {
        Self {
            replicas: (0..replicas.max(1))
                .map(|_| ArcSwapOption::empty())
                .collect(),
            limits,
            gate: Arc::new(Gate {
                limit: limits.under_way,
                under_way: AtomicUsize::new(0),
                answered: AtomicU64::new(0),
                refused: AtomicU64::new(0),
            }),
            changed: Notify::new(),
            poke,
            restarts: AtomicU64::new(0),
            failed: AtomicBool::new(false),
        }
    }

    /// This thread's own replica, or any that lives.
    fn replica(&self) -> Option<Arc<Addr<Room<P>>>> {
        let connected = |slot: &ArcSwapOption<Addr<Room<P>>>| {
            slot.load_full().filter(|address| address.connected())
        };
        let own = self.replicas.get(REPLICA.get());
        own.and_then(connected)
            .or_else(|| self.replicas.iter().find_map(connected))
    }

    pub fn stats(&self) -> ProviderStats {
        let living = |slot: &&ArcSwapOption<Addr<Room<P>>>| {
            slot.load()
                .as_ref()
                .is_some_and(|address| address.connected())
        };
        ProviderStats {
            name: P::NAME,
            replicas: self.replicas.iter().filter(living).count(),
            under_way: self.gate.under_way.load(Ordering::Relaxed),
            answered: self.gate.answered.load(Ordering::Relaxed),
            refused: self.gate.refused.load(Ordering::Relaxed),
            restarts: self.restarts.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }
}

impl<P: Provider> Handle<P> {
    /// Sends a message and waits for its answer. What happened to it is unknown when the error
    /// comes from [`Unavailable::Restarting`] or [`Unavailable::TimedOut`].
    pub async fn send<M, T, E>(&self, message: M) -> Result<T, E>
    where
        P: Serve<M>,
        M: Message<Result = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<Unavailable> + Send + 'static,
    {
        match self.ask(message).await {
            Ok(answer) => answer,
            Err(unavailable) => Err(unavailable.into()),
        }
    }

    /// Like [`Self::send`], but asks once more when the actor ended before it answered, or its
    /// connection to the database broke: the next is a fresh one.
    pub async fn read<M, T, E>(&self, message: M) -> Result<T, E>
    where
        P: Serve<M>,
        M: Idempotent + Message<Result = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Transient + Send + 'static,
    {
        let again = message.clone();
        match self.ask(message).await {
            Ok(Err(error)) if error.unavailable() == Some(Unavailable::Disconnected) => {
                self.send(again).await
            }
            Ok(answer) => answer,
            Err(Unavailable::Restarting) => self.send(again).await,
            Err(unavailable) => Err(unavailable.into()),
        }
    }

    /// Stops or breaks this thread's replica, for tests of what happens then.
    pub fn control(&self, control: Control) {
        if let Some(address) = self.0.replica() {
            address.do_send(control);
        }
    }

    /// The same to the replica of this number: 0 is the supervisor's, then one a worker.
    pub fn control_replica(&self, replica: usize, control: Control) {
        let slot = self.0.replicas.get(replica);
        if let Some(address) = slot.and_then(ArcSwapOption::load_full) {
            address.do_send(control);
        }
    }

    /// What this provider's handles saw since the start.
    pub fn stats(&self) -> ProviderStats {
        self.0.stats()
    }

    async fn ask<M>(&self, message: M) -> Result<M::Result, Unavailable>
    where
        P: Serve<M>,
        M: Message + Send + 'static,
        M::Result: Send + 'static,
    {
        let permit = self.0.gate.enter()?;
        let call = Call {
            message,
            permit,
            span: span_of::<P, M>(),
        };
        let address = match self.0.replica() {
            Some(address) => address,
            None => self.wait_for_replica().await?,
        };
        match timeout(self.0.limits.deadline, address.send(call)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(MailboxError::Closed)) => {
                self.0.poke.notify_one();
                Err(Unavailable::Restarting)
            }
            Ok(Err(MailboxError::Timeout)) | Err(_) => Err(Unavailable::TimedOut),
        }
    }

    async fn wait_for_replica(&self) -> Result<Arc<Addr<Room<P>>>, Unavailable> {
        self.0.poke.notify_one();
        let wait = async {
            loop {
                let changed = self.0.changed.notified();
                tokio::pin!(changed);
                // Registered before the look, so that a start in between is not missed.
                changed.as_mut().enable();
                if let Some(address) = self.0.replica() {
                    return Some(address);
                }
                if self.0.failed.load(Ordering::Relaxed) {
                    return None; // Not to be waited for: it takes a whole window.
                }
                changed.await;
            }
        };
        match timeout(RESTART_PATIENCE, wait).await {
            Ok(Some(address)) => Ok(address),
            Ok(None) | Err(_) => Err(Unavailable::Restarting),
        }
    }
}

/// The span of a message, from its sending to its answer: where none is wanted, that of the
/// request that it belongs to.
fn span_of<P: Provider, M>() -> Span {
    let span = debug_span!("message", provider = P::NAME, message = name_of::<M>());
    if span.is_disabled() {
        Span::current()
    } else {
        span
    }
}

/// A type's name without its path.
fn name_of<M>() -> &'static str {
    let name = std::any::type_name::<M>();
    name.rsplit("::").next().unwrap_or(name)
}
