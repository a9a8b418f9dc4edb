//! A steady load: clients that ask again and again on a thread of their own, and a record of every
//! answer. It goes on while the test breaks things; what may not happen meanwhile is checked once,
//! at the end.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use awc::http::Method;

use super::{Answer, Api, Scope, Session, password, scoped, token};

/// Between an answer and the same client's next question.
const PACE: Duration = Duration::from_millis(20);
/// How often, and how many times, [`Load::next`] looks: for two minutes, as a machine may be busy.
const PAUSE: Duration = Duration::from_millis(20);
const TRIES: u32 = 6000;

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// `GET /v3/auth/tokens`, from memory where memory is trusted.
    Validate,
    /// `GET /v3/auth/projects`.
    List,
    /// `GET /v3/OS-REVOKE/events`, from the database each time.
    Events,
    /// A token by a token.
    Rescope,
    /// A token by a password, whose hash comes from the database each time.
    Login,
    /// A fresh token, revoked: a write.
    Revoke,
}

impl Ask {
    /// Whether it can be asked twice: then a fault of one part has to remain unseen.
    pub(crate) fn is_idempotent(self) -> bool {
        matches!(self, Self::Validate | Self::List | Self::Events)
    }

    fn good(self) -> u16 {
        match self {
            Self::Validate | Self::List | Self::Events => 200,
            Self::Rescope | Self::Login => 201,
            Self::Revoke => 204,
        }
    }
}

/// A client's clients, each with a connection of its own.
pub(crate) const MIX: [(Ask, usize); 5] = [
    (Ask::Validate, 3),
    (Ask::List, 2),
    (Ask::Events, 1),
    (Ask::Rescope, 2),
    (Ask::Login, 2),
];

/// One question and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Which of the clients asked.
    client: usize,
    pub(crate) ask: Ask,
    pub(crate) began: Instant,
    pub(crate) took: Duration,
    /// The answer, or why there is none.
    pub(crate) outcome: Result<Answer, String>,
}

impl Seen {
    /// The status; 0 without an answer.
    pub(crate) fn status(&self) -> u16 {
        self.outcome.as_ref().map_or(0, Answer::status)
    }

    pub(crate) fn is_good(&self) -> bool {
        self.status() == self.ask.good()
    }

    /// A 503 that says when to come back.
    fn is_clean_refusal(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|answer| {
            let later = answer.header("Retry-After").map(str::parse::<u32>);
            answer.status() == 503 && later.is_some_and(|seconds| seconds.is_ok())
        })
    }
}

/// Clients at work. Ends them when dropped.
pub(crate) struct Load {
    shared: Arc<Shared>,
    kinds: Vec<Ask>,
    clients: usize,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    base: String,
    /// Who asks: an admin in its project.
    caller: String,
    user: String,
    patience: Duration,
    ending: AtomicBool,
    seen: Mutex<Vec<Seen>>,
}

impl Load {
    /// Starts these clients of a server. The caller is an admin; `user` has a role in the project
    /// `demo`. Who has no answer within `patience` gives up, which counts as a lost answer.
    pub(crate) fn start(
        caller: &Session,
        user: &str,
        clients: &[(Ask, usize)],
        patience: Duration,
    ) -> Self {
        let shared = Arc::new(Shared {
            base: caller.api().base().to_owned(),
            caller: caller.token().to_owned(),
            user: user.to_owned(),
            patience,
            ending: AtomicBool::new(false),
            seen: Mutex::default(),
        });
        let kinds = clients.iter().map(|(ask, _)| *ask).collect();
        let clients: Vec<Ask> = clients
            .iter()
            .flat_map(|(ask, count)| std::iter::repeat_n(*ask, *count))
            .collect();
        let count = clients.len();
        let theirs = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            actix_rt::System::new().block_on(async {
                let all: Vec<_> = clients
                    .into_iter()
                    .enumerate()
                    .map(|(number, ask)| actix_rt::spawn(client(Arc::clone(&theirs), number, ask)))
                    .collect();
                for one in all {
                    one.await.expect("a client of the load");
                }
            });
        });
        Self {
            shared,
            kinds,
            clients: count,
            thread: Some(thread),
        }
    }

    /// How many answers there are so far.
    pub(crate) fn count(&self) -> usize {
        self.shared.seen().len()
    }

    /// Waits until each kind of question was asked and answered so many times from now on, and each
    /// client once: so nothing is under way any more that was before. Gives what became of those, and
    /// of no earlier ones.
    pub(crate) async fn next(&self, answers: usize) -> Record {
        let now = Instant::now();
        let from = self.count();
        for _ in 0..TRIES {
            {
                let seen = self.shared.seen();
                let fresh = || seen.iter().skip(from).filter(|one| one.began >= now);
                let count = |ask| fresh().filter(|one| one.ask == ask).count();
                let answered: BTreeSet<usize> = fresh().map(|one| one.client).collect();
                let enough = self.kinds.iter().all(|ask| count(*ask) >= answers);
                if enough && answered.len() == self.clients {
                    return Record(fresh().cloned().collect());
                }
            }
            actix_rt::time::sleep(PAUSE).await;
        }
        panic!("the load gets no more answers:\n{}", self.record(0));
    }

    /// What was seen from this count on, so far.
    pub(crate) fn record(&self, from: usize) -> Record {
        Record(self.shared.seen().iter().skip(from).cloned().collect())
    }

    /// Ends the clients, after the answer that each waits for. Gives all that was seen.
    pub(crate) async fn end(mut self) -> Record {
        self.shared.ending.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("it runs until its end");
        actix_rt::task::spawn_blocking(|| thread.join().expect("the thread of the load"))
            .await
            .expect("its end");
        self.record(0)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn seen(&self) -> std::sync::MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn client(shared: Arc<Shared>, number: usize, ask: Ask) {
    let api = Api::within(&shared.base, shared.patience);
    let get = |path: &str| api.request(Method::GET, path).token(&shared.caller);
    let post = |identity| {
        let body = scoped(identity, Scope::Project("demo"));
        api.request(Method::POST, "/v3/auth/tokens").json(&body)
    };
    while !shared.ending.load(Ordering::Relaxed) {
        let request = match ask {
            Ask::Validate => get("/v3/auth/tokens").subject(&shared.caller),
            Ask::List => get("/v3/auth/projects"),
            Ask::Events => get("/v3/OS-REVOKE/events"),
            Ask::Rescope => post(token(&shared.caller)),
            Ask::Login => post(password(&shared.user)),
            Ask::Revoke => {
                let Ok(made) = post(token(&shared.caller)).try_send().await else {
                    actix_rt::time::sleep(PACE).await;
                    continue;
                };
                let Some(fresh) = made.header("X-Subject-Token") else {
                    actix_rt::time::sleep(PACE).await;
                    continue;
                };
                let revoke = api.request(Method::DELETE, "/v3/auth/tokens");
                revoke.token(&shared.caller).subject(fresh)
            }
        };
        let began = Instant::now();
        let outcome = request.try_send().await;
        shared.seen().push(Seen {
            client: number,
            ask,
            began,
            took: began.elapsed(),
            outcome,
        });
        actix_rt::time::sleep(PACE).await;
    }
}

/// What a load has seen.
pub(crate) struct Record(pub(crate) Vec<Seen>);

impl Record {
    /// Nothing is lost, nothing is an error of ours: each answer is the good one or a 503 that
    /// says when to come back.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        self.assert_each("a good answer or a clean 503", |one| {
            one.is_good() || one.is_clean_refusal()
        });
    }

    /// All answers are good.
    #[track_caller]
    pub(crate) fn assert_good(&self) {
        self.assert_each("a good answer", Seen::is_good);
    }

    /// All answers to what can be asked twice are good.
    #[track_caller]
    pub(crate) fn assert_reads_good(&self) {
        self.assert_each("a good answer, as it can be asked again", |one| {
            one.is_good() || !one.ask.is_idempotent()
        });
    }

    /// Whether all answers are good.
    pub(crate) fn is_good(&self) -> bool {
        self.0.iter().all(Seen::is_good)
    }

    /// Holds for each of these.
    #[track_caller]
    pub(crate) fn assert_each(&self, what: &str, holds: impl Fn(&Seen) -> bool) {
        if let Some(bad) = self.0.iter().find(|one| !holds(one)) {
            panic!("not {what}: {bad:?}\n{self}");
        }
    }

    /// Those of one kind.
    pub(crate) fn of(&self, ask: Ask) -> impl Iterator<Item = &Seen> {
        self.0.iter().filter(move |one| one.ask == ask)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            Ask::Validate,
            Ask::List,
            Ask::Events,
            Ask::Rescope,
            Ask::Login,
            Ask::Revoke,
        ];
        for ask in kinds {
            let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
            let mut slowest = Duration::ZERO;
            for one in self.of(ask) {
                *statuses.entry(one.status()).or_default() += 1;
                slowest = slowest.max(one.took);
            }
            if !statuses.is_empty() {
                writeln!(f, "{ask:?}: {statuses:?}, slowest {slowest:.0?}")?;
            }
        }
        Ok(())
    }
}
