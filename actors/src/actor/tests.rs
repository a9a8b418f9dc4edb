use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix::Message;
use tokio::sync::Semaphore;

use super::supervisor::{Placement, Supervision};
use super::{Control, Idempotent, Limits, Provider, Serve, Unavailable};

#[derive(Clone, Default)]
struct Counter {
    asked: Arc<AtomicU32>,
}

impl Provider for Counter {
    const NAME: &'static str = "counter";
}

#[derive(Clone, Message)]
#[rtype(result = "Result<u32, Unavailable>")]
struct Next;
impl Idempotent for Next {}

impl Serve<Next> for Counter {
    async fn serve(self, _: Next) -> Result<u32, Unavailable> {
        Ok(self.asked.fetch_add(1, Ordering::SeqCst))
    }
}

/// Waits for a permit that the test may give.
#[derive(Clone, Message)]
#[rtype(result = "Result<(), Unavailable>")]
struct Wait(Arc<Semaphore>);

impl Serve<Wait> for Counter {
    async fn serve(self, Wait(gate): Wait) -> Result<(), Unavailable> {
        let _permit = gate.acquire().await.map_err(|_| Unavailable::TimedOut)?;
        Ok(())
    }
}

/// Panics while it is answered.
#[derive(Clone, Message)]
#[rtype(result = "Result<(), Unavailable>")]
struct Burst;
impl Idempotent for Burst {}

impl Serve<Burst> for Counter {
    async fn serve(self, _: Burst) -> Result<(), Unavailable> {
        panic!("a defect")
    }
}

/// Finds its connection broken, the first time.
#[derive(Clone, Message)]
#[rtype(result = "Result<u32, Unavailable>")]
struct Query(Unavailable);
impl Idempotent for Query {}

impl Serve<Query> for Counter {
    async fn serve(self, Query(trouble): Query) -> Result<u32, Unavailable> {
        match self.asked.fetch_add(1, Ordering::SeqCst) {
            0 => Err(trouble),
            asked => Ok(asked),
        }
    }
}

fn limits() -> Limits {
    Limits {
        under_way: 3,
        restart_limit: 3,
        ..Limits::default()
    }
}

#[actix::test]
async fn a_read_is_answered_over_a_panic_and_over_a_stop() {
    let supervision = Supervision::start(0, limits());
    let counter = supervision.supervise(Placement::Single, Counter::default);
    for control in [Control::Panic, Control::Stop] {
        assert!(counter.read(Next).await.is_ok());
        counter.control(control);
        assert!(counter.read(Next).await.is_ok());
    }
    assert_eq!(counter.stats().restarts, 2);
}

#[actix::test]
async fn a_read_is_asked_again_where_a_connection_broke_and_not_where_there_is_none() {
    let supervision = Supervision::start(0, limits());
    for (trouble, answer) in [
        (Unavailable::Disconnected, Ok(1)),
        (Unavailable::Database, Err(Unavailable::Database)),
        (Unavailable::TimedOut, Err(Unavailable::TimedOut)),
    ] {
        let counter = Counter::default();
        let counter = supervision.supervise(Placement::Single, move || counter.clone());
        assert_eq!(counter.read(Query(trouble)).await, answer);
    }
    let counter = Counter::default();
    let counter = supervision.supervise(Placement::Single, move || counter.clone());
    let change = counter.send(Query(Unavailable::Disconnected)).await;
    assert_eq!(change, Err(Unavailable::Disconnected));
}

#[actix::test]
async fn a_panicking_answer_ends_alone() {
    let supervision = Supervision::start(0, limits());
    let counter = supervision.supervise(Placement::Single, Counter::default);
    assert_eq!(counter.read(Burst).await, Err(Unavailable::Restarting));
    assert!(counter.send(Next).await.is_ok());
    assert_eq!(counter.stats().restarts, 0);
    assert_eq!(counter.stats().under_way, 0);
}

#[actix::test]
async fn one_message_too_many_is_refused_and_the_places_come_back() {
    let supervision = Supervision::start(0, limits());
    let counter = supervision.supervise(Placement::Single, Counter::default);
    let gate = Arc::new(Semaphore::new(0));
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let (counter, gate) = (counter.clone(), Arc::clone(&gate));
            actix_rt::spawn(async move { counter.send(Wait(gate)).await })
        })
        .collect();
    while counter.stats().under_way < 3 {
        tokio::task::yield_now().await;
    }

    assert_eq!(counter.send(Next).await, Err(Unavailable::Overloaded));
    gate.add_permits(3);

    for one in waiting {
        assert_eq!(one.await.unwrap(), Ok(()));
    }
    assert!(counter.send(Next).await.is_ok());
}

#[actix::test]
async fn a_hung_answer_times_out() {
    let limits = Limits {
        deadline: Duration::from_millis(20),
        ..limits()
    };
    let supervision = Supervision::start(0, limits);
    let counter = supervision.supervise(Placement::Single, Counter::default);
    let never = Wait(Arc::new(Semaphore::new(0)));
    assert_eq!(counter.send(never).await, Err(Unavailable::TimedOut));
}

#[actix::test]
async fn a_provider_over_its_restart_limit_is_down_and_the_others_go_on() {
    let supervision = Supervision::start(0, limits());
    let broken = supervision.supervise(Placement::Single, Counter::default);
    let sound = supervision.supervise(Placement::Single, Counter::default);
    for _ in 0..4 {
        assert!(broken.read(Next).await.is_ok());
        broken.control(Control::Panic);
    }
    while !broken.stats().failed {
        tokio::task::yield_now().await;
    }

    assert_eq!(broken.read(Next).await, Err(Unavailable::Restarting));
    assert!(sound.read(Next).await.is_ok());
    assert_eq!(
        supervision.stats().iter().filter(|one| one.failed).count(),
        1
    );
}

#[actix::test]
async fn a_workers_own_replica_is_used_and_another_stands_in_for_it() {
    let supervision = Supervision::start(1, limits());
    let counter = supervision.supervise(Placement::PerWorker, Counter::default);
    supervision.attach_worker();
    while counter.stats().replicas < 2 {
        tokio::task::yield_now().await;
    }
    // Breaks this thread's own; the other answers meanwhile.
    counter.control(Control::Panic);
    assert!(counter.read(Next).await.is_ok());
    while counter.stats().restarts < 1 || counter.stats().replicas < 2 {
        tokio::task::yield_now().await;
    }
}
