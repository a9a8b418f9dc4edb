//! Starts every provider, notices when an actor is gone, and starts it again.
//!
//! actix's own `Supervisor` restarts an actor that stops, but not one that panics: after a panic
//! its address is closed for good, while the thread lives on. So this one watches addresses. An
//! ended actor wakes it (by its destructor, which runs when unwinding too), the fresh one is
//! published in the provider's [`Handle`], and a provider that ends too often within its window
//! is left down and reported as failed, until the window has passed and it is tried again.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix::{
    Actor, ActorFutureExt, Addr, Arbiter, ArbiterHandle, AsyncContext, Context, Handler, Message,
    WrapFuture,
};
use tokio::sync::Notify;
use tracing::{error, info, warn};

use super::handle::{Shared, prefer_replica};
use super::{Control, Handle, Limits, Provider, ProviderStats, Room};

/// A look at every child without being woken: for what no destructor tells, such as a thread
/// that is gone with all its actors.
const PATROL: Duration = Duration::from_millis(100);
/// The pause before the second restart in a row; it doubles with each further one.
const FIRST_BACKOFF: Duration = Duration::from_millis(10);
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);

/// The pause before a background task that ended is begun again.
const TASK_PAUSE: Duration = Duration::from_millis(100);

/// Where the replicas of a provider run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// One actor, on the supervisor's own arbiter.
    Single,
    /// One there, and one more on the thread of each HTTP worker, so that a message to it
    /// crosses no thread. For what many requests need.
    PerWorker,
}

/// Supervises the providers of a process. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Supervision {
    supervisor: Addr<Supervisor>,
    poke: Arc<Notify>,
    workers: usize,
    next_worker: Arc<AtomicUsize>,
    retiring: Arc<AtomicBool>,
    limits: Limits,
    watched: Arc<std::sync::RwLock<Vec<Arc<dyn Watched>>>>,
}

impl Supervision {
    /// Starts the supervisor, on an arbiter of its own, for a process with this many HTTP workers.
    pub fn start(workers: usize, limits: Limits) -> Self {
        let poke = Arc::new(Notify::new());
        let arbiter = Arbiter::new();
        let home = arbiter.handle();
        let woken = Arc::clone(&poke);
        let retiring = Arc::new(AtomicBool::new(false));
        let retired = Arc::clone(&retiring);
        let supervisor = Supervisor::start_in_arbiter(&home.clone(), move |_| Supervisor {
            home,
            _arbiter: arbiter,
            workers: vec![None; workers],
            children: Vec::new(),
            poke: woken,
            retiring: retired,
        });
        Self {
            supervisor,
            poke,
            workers,
            next_worker: Arc::default(),
            retiring,
            limits,
            watched: Arc::default(),
        }
    }

    /// Starts a provider and keeps it running. `make` makes the state of each fresh actor; what
    /// replicas share (pool, cache), it clones.
    pub fn supervise<P: Provider>(
        &self,
        placement: Placement,
        make: impl Fn() -> P + Send + Sync + 'static,
    ) -> Handle<P> {
        let replicas = match placement {
            Placement::Single => 1,
            Placement::PerWorker => 1 + self.workers,
        };
        let shared = Arc::new(Shared::new(replicas, self.limits, Arc::clone(&self.poke)));
        let watched: Arc<dyn Watched> = Arc::clone(&shared) as _;
        if let Ok(mut all) = self.watched.write() {
            all.push(watched);
        }
        self.supervisor.do_send(Adopt(Box::new(Child {
            shared: Arc::clone(&shared),
            make: Box::new(make),
            replicas: (0..replicas).map(|_| Replica::default()).collect(),
            ended: VecDeque::new(),
            failed_until: None,
        })));
        Handle(shared)
    }

    /// Runs a task on the supervisor's thread for as long as the process lives: should it end or
    /// panic, it is begun again.
    pub fn spawn<F>(&self, task: impl Fn() -> F + Send + 'static)
    where
        F: Future<Output = ()> + 'static,
    {
        self.supervisor
            .do_send(Spawn(Box::new(move || Box::pin(task()))));
    }

    /// The process is about to end: replicas that end with their workers are not started again.
    pub fn retire(&self) {
        self.retiring.store(true, Ordering::Relaxed);
    }

    /// Called on the thread of an HTTP worker: gives it replicas of its own.
    pub fn attach_worker(&self) {
        if self.workers == 0 {
            return;
        }
        let index = self.next_worker.fetch_add(1, Ordering::Relaxed) % self.workers;
        prefer_replica(index + 1);
        if let Some(arbiter) = Arbiter::try_current() {
            self.supervisor.do_send(Attach { index, arbiter });
        }
    }

    /// How each provider does.
    pub fn stats(&self) -> Vec<ProviderStats> {
        self.watched
            .read()
            .map(|all| all.iter().map(|one| one.stats()).collect())
            .unwrap_or_default()
    }
}

/// A provider, whatever its type, to look at.
trait Watched: Send + Sync {
    fn stats(&self) -> ProviderStats;
}

impl<P: Provider> Watched for Shared<P> {
    fn stats(&self) -> ProviderStats {
        Shared::stats(self)
    }
}

struct Supervisor {
    home: ArbiterHandle,
    /// Dropping it would end the thread.
    _arbiter: Arbiter,
    workers: Vec<Option<ArbiterHandle>>,
    children: Vec<Box<dyn Supervised>>,
    poke: Arc<Notify>,
    retiring: Arc<AtomicBool>,
}

impl Supervisor {
    fn tend(&mut self, ctx: &mut Context<Self>) {
        let now = Instant::now();
        let threads = Threads {
            retiring: self.retiring.load(Ordering::Relaxed),
            home: &self.home,
            workers: &self.workers,
        };
        let next = self
            .children
            .iter_mut()
            .filter_map(|child| child.tend(&threads, now))
            .min();
        if let Some(next) = next {
            ctx.run_later(next.saturating_duration_since(now), Self::tend);
        }
    }

    /// Waits to be woken, tends, and waits again.
    fn listen(&mut self, ctx: &mut Context<Self>) {
        let poke = Arc::clone(&self.poke);
        let woken = async move { poke.notified().await }.into_actor(self);
        ctx.spawn(woken.map(|(), supervisor: &mut Self, ctx| {
            supervisor.tend(ctx);
            supervisor.listen(ctx);
        }));
    }
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.listen(ctx);
        ctx.run_interval(PATROL, Self::tend);
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Adopt(Box<dyn Supervised>);

impl Handler<Adopt> for Supervisor {
    type Result = ();

    fn handle(&mut self, Adopt(child): Adopt, ctx: &mut Self::Context) {
        self.children.push(child);
        self.tend(ctx);
    }
}

type Task = Box<dyn Fn() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

#[derive(Message)]
#[rtype(result = "()")]
struct Spawn(Task);

impl Handler<Spawn> for Supervisor {
    type Result = ();

    fn handle(&mut self, Spawn(task): Spawn, _: &mut Self::Context) {
        actix_rt::spawn(async move {
            loop {
                // In a task of its own, so that a panic in it ends only that.
                if actix_rt::spawn(task()).await.is_err() {
                    error!("a background task failed and is begun again");
                }
                actix_rt::time::sleep(TASK_PAUSE).await;
            }
        });
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Attach {
    index: usize,
    arbiter: ArbiterHandle,
}

impl Handler<Attach> for Supervisor {
    type Result = ();

    fn handle(&mut self, Attach { index, arbiter }: Attach, ctx: &mut Self::Context) {
        if let Some(worker) = self.workers.get_mut(index) {
            *worker = Some(arbiter);
        }
        for child in &mut self.children {
            child.moved(index + 1);
        }
        self.tend(ctx);
    }
}

struct Threads<'a> {
    /// The workers are ending: what ends with them is not started again.
    retiring: bool,
    home: &'a ArbiterHandle,
    workers: &'a [Option<ArbiterHandle>],
}

impl Threads<'_> {
    fn of_replica(&self, index: usize) -> Option<&ArbiterHandle> {
        match index.checked_sub(1) {
            None => Some(self.home),
            Some(_) if self.retiring => None,
            Some(worker) => self.workers.get(worker).and_then(Option::as_ref),
        }
    }
}

/// A provider, whatever its type, to keep alive.
trait Supervised: Send {
    /// Starts what is not running and due; returns when to look again.
    fn tend(&mut self, threads: &Threads<'_>, now: Instant) -> Option<Instant>;
    /// The thread of this replica is another now.
    fn moved(&mut self, replica: usize);
}

struct Child<P: Provider> {
    shared: Arc<Shared<P>>,
    make: Box<dyn Fn() -> P + Send + Sync>,
    replicas: Vec<Replica>,
    /// When replicas ended, within the window.
    ended: VecDeque<Instant>,
    failed_until: Option<Instant>,
}

#[derive(Default)]
struct Replica {
    started: bool,
    /// Not to be started before.
    due: Option<Instant>,
}

impl<P: Provider> Supervised for Child<P> {
    fn tend(&mut self, threads: &Threads<'_>, now: Instant) -> Option<Instant> {
        let limits = self.shared.limits;
        while self
            .ended
            .front()
            .is_some_and(|at| now.duration_since(*at) > limits.restart_window)
        {
            self.ended.pop_front();
        }
        if let Some(until) = self.failed_until {
            if now < until {
                return Some(until);
            }
            info!(provider = P::NAME, "trying a failed provider again");
            self.failed_until = None;
            self.ended.clear();
        }
        let mut next = None;
        for (index, replica) in self.replicas.iter_mut().enumerate() {
            let (Some(slot), Some(thread)) =
                (self.shared.replicas.get(index), threads.of_replica(index))
            else {
                continue;
            };
            if slot
                .load()
                .as_ref()
                .is_some_and(|address| address.connected())
            {
                continue;
            }
            if replica.started {
                replica.started = false;
                slot.store(None);
                self.ended.push_back(now);
                let ended = u32::try_from(self.ended.len()).unwrap_or(u32::MAX);
                if ended > limits.restart_limit {
                    error!(
                        provider = P::NAME,
                        ended, "a provider ends too often and is left down"
                    );
                    self.failed_until = Some(now + limits.restart_window);
                    self.shared.failed.store(true, Ordering::Relaxed);
                    for (slot, replica) in self.shared.replicas.iter().zip(&mut self.replicas) {
                        if let Some(address) = slot.swap(None) {
                            address.do_send(Control::Stop);
                        }
                        *replica = Replica::default();
                    }
                    // Who waits for a fresh one need not.
                    self.shared.changed.notify_waiters();
                    return self.failed_until;
                }
                // The first goes unpunished: it is the rule, and callers are waiting.
                let pause = match ended.checked_sub(2) {
                    None => Duration::ZERO,
                    Some(power) => {
                        (FIRST_BACKOFF * 2_u32.saturating_pow(power)).min(LONGEST_BACKOFF)
                    }
                };
                warn!(
                    provider = P::NAME,
                    replica = index,
                    ended,
                    "an actor ended and is started again"
                );
                self.shared.restarts.fetch_add(1, Ordering::Relaxed);
                replica.due = Some(now + pause);
            }
            if let Some(due) = replica.due.filter(|due| *due > now) {
                next = Some(next.map_or(due, |next: Instant| next.min(due)));
                continue;
            }
            let provider = (self.make)();
            let (mailbox, ended) = (limits.under_way, Arc::clone(&self.shared.poke));
            let address =
                Room::start_in_arbiter(thread, move |_| Room::new(provider, mailbox, ended));
            slot.store(Some(Arc::new(address)));
            *replica = Replica {
                started: true,
                due: None,
            };
            self.shared.failed.store(false, Ordering::Relaxed);
            self.shared.changed.notify_waiters();
        }
        next
    }

    fn moved(&mut self, replica: usize) {
        if let Some(slot) = self.shared.replicas.get(replica) {
            slot.store(None);
        }
        if let Some(replica) = self.replicas.get_mut(replica) {
            *replica = Replica::default();
        }
    }
}
