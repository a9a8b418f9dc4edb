//! The same requests to Python Keystone and to this server, over equal data: every answer has to
//! be the same, but for what `differences.txt` accepts, each with its reason. A reason excuses what
//! it names and nothing else, ours is never a 500, and what is accepted and has gone is told, too.
//! What is sent, and how to write more of it: [`script`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use awc::http::Method;
use futures_util::future::join_all;
use serde_json::Value;

mod answer;
mod script;

use answer::Gist;
use script::{Reason, Step, bytes, fill};

use crate::support::cloud::Builder;
use crate::support::login::PASSWORD;
use crate::support::{Answer, Api, python};
use crate::testdb::{Backend, TestDb, run};

/// Where Python Keystone fails (500, or no answer), ours must not.
const FAILS: &str = "fails";

/// Where Python Keystone lists a thing twice, once is enough; the rest has to be the same. Whether
/// it does depends on the order in which it reads rows, so on chance.
const TWICE: &str = "twice";

/// Where MariaDB's collation, which heeds no case, gives another answer than SQLite's, on which
/// Python Keystone runs here.
const CASE: &str = "case";

/// One of the servers, and what it calls things.
struct Side {
    api: Api,
    values: BTreeMap<String, String>,
}

impl Side {
    fn new(api: &Api) -> Self {
        let values = [("password", PASSWORD), ("broken", "gAAAAABbroken")];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            api: api.clone(),
            values: values.into(),
        }
    }

    async fn send(&self, step: &Step, method: Method, path: &str) -> Option<Answer> {
        let mut request = self.api.request(method, path);
        if step.caller != "nobody" {
            let token = self.values.get(&step.caller);
            request = request.token(token.map_or("nothing", String::as_str));
        }
        for (name, value) in &step.headers {
            request = request.header(name, &fill(value, &self.values));
        }
        if let Some(body) = &step.body {
            let typed = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-type");
            if !step.headers.iter().any(typed) {
                request = request.header("Content-Type", "application/json");
            }
            request = request.body(bytes(&fill(body, &self.values)));
        }
        request.try_send().await.ok()
    }

    /// Sends it, and keeps what it says to keep.
    async fn ask(&mut self, step: &Step) -> Gist {
        let path = fill(&step.path, &self.values);
        if step.method == "WALK" {
            return self.walk(step, path).await;
        }
        let method = Method::from_bytes(step.method.as_bytes()).unwrap();
        let Some(answer) = self.send(step, method, &path).await else {
            return Gist::none();
        };
        for (name, place) in &step.keep {
            if let Some(value) = kept(&answer, place) {
                self.values.insert(name.clone(), value);
            }
        }
        Gist::of(&answer, self.api.base(), &self.values)
    }

    async fn walk(&self, step: &Step, mut path: String) -> Gist {
        let mut pages = Vec::new();
        // A list that leads back to itself ends here, and differs by its length.
        while pages.len() < 12 {
            let Some(answer) = self.send(step, Method::GET, &path).await else {
                return Gist::none();
            };
            pages.push(Gist::of(&answer, self.api.base(), &self.values));
            let next = kept(&answer, "/links/next");
            let Some(next) =
                next.and_then(|url| Some(url.strip_prefix(self.api.base())?.to_owned()))
            else {
                break;
            };
            path = next;
        }
        Gist::of_pages(pages)
    }
}

fn kept(answer: &Answer, place: &str) -> Option<String> {
    if place == "token" {
        return answer.header("X-Subject-Token").map(str::to_owned);
    }
    let body: Value = serde_json::from_slice(answer.bytes()).ok()?;
    body.pointer(place)?.as_str().map(str::to_owned)
}

type Reasons = BTreeMap<String, Reason>;

/// What is wrong with these two answers to a step, if anything.
fn complaint(
    step: &Step,
    reasons: &Reasons,
    backend: Backend,
    pythons: &Gist,
    ours: &Gist,
) -> Option<&'static str> {
    if !(200..500).contains(&ours.status) {
        return Some("is answered by ours with 500, or not at all");
    }
    let name = step.differs.as_deref();
    let is_same = pythons.differences(ours).is_empty();
    match name {
        Some(FAILS) if pythons.status == 0 || pythons.status >= 500 => return None,
        Some(FAILS) => return Some("does not fail with Python Keystone: the reason is stale"),
        Some(TWICE) if pythons.once().differences(&ours.once()).is_empty() => return None,
        Some(TWICE) => return Some("differs by more than what is there twice"),
        Some(CASE) if backend != Backend::Mariadb => return (!is_same).then_some("differs"),
        None => return (!is_same).then_some("differs"),
        Some(_) if is_same => return Some("does not differ: the reason is stale"),
        Some(_) => {}
    }
    let Some(reason) = name.and_then(|name| reasons.get(name)) else {
        return Some("differs for a reason that differences.txt has not");
    };
    let excused = |place: &str| reason.excuses(ours.status, place);
    let places = pythons.differences(ours);
    let all = places
        .iter()
        .all(|difference| excused(difference.split_once(": ").map_or("", |parts| parts.0)));
    (!all).then_some("differs by more than the reason excuses")
}

/// The same with the request and the places that differ, for a person.
fn judge(
    step: &Step,
    reasons: &Reasons,
    backend: Backend,
    pythons: &Gist,
    ours: &Gist,
) -> Option<String> {
    let complaint = complaint(step, reasons, backend, pythons, ours)?;
    let at = &step.at;
    let (caller, method, path) = (&step.caller, &step.method, &step.path);
    let body = step.body.as_deref().unwrap_or_default();
    let body: String = body.chars().take(200).collect();
    let reason = step.differs.as_deref().unwrap_or("none");
    let both = format!("status: {} | {}", pythons.status, ours.status);
    let differences = pythons.differences(ours);
    Some(format!(
        "{at}: {caller} {method} {path} {body} [{reason}] {complaint}\n    {both}\n    {}",
        differences.join("\n    ")
    ))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/replay")
}

/// The world, and what a part of the requests does to it.
fn steps(part: &str) -> Vec<Step> {
    let requests = folder().join("requests");
    [script::read(&requests), script::read(&requests.join(part))].concat()
}

fn reasons() -> Reasons {
    script::reasons(&folder().join("differences.txt"))
}

async fn replay(steps: &[Step], pythons: &Api, ours: &[(Backend, Api)]) {
    let reasons = reasons();
    let mut sides = vec![Side::new(pythons)];
    sides.extend(ours.iter().map(|(_, api)| Side::new(api)));
    let mut complaints = Vec::new();
    for step in steps {
        let answers = join_all(sides.iter_mut().map(|side| side.ask(step))).await;
        let Some((first, others)) = answers.split_first() else {
            return;
        };
        for ((backend, _), answer) in ours.iter().zip(others) {
            if let Some(complaint) = judge(step, &reasons, *backend, first, answer) {
                complaints.push(format!("[{backend:?}] {complaint}"));
            }
        }
        // What comes later can't be asked without it.
        for (name, place) in &step.keep {
            let known = sides.iter().all(|side| side.values.contains_key(name));
            let said = complaints.join("\n");
            assert!(
                known,
                "{}: no {place} in the answers: {answers:#?}\n{said}",
                step.at
            );
        }
    }
    assert!(
        complaints.is_empty(),
        "{} of {} answers differ (Python Keystone's | ours):\n{}",
        complaints.len(),
        steps.len(),
        complaints.join("\n")
    );
}

/// Asks Python Keystone, and ours on each of the three databases.
fn compare(part: &str) {
    if python::is_left_out() {
        return;
    }
    let steps = steps(part);
    assert!(steps.len() > 400, "only {} requests", steps.len());
    run(Backend::Sqlite, async |db: TestDb| {
        // Its middleware validates the token of every request, which takes long without a cache;
        // and it writes a traceback for every refusal.
        let pythons = Builder::new(&db)
            .python()
            .set("DEFAULT", "default_log_levels", "keystone=CRITICAL")
            .set("cache", "enabled", true)
            .set("cache", "backend", "dogpile.cache.memory_pickle");
        let pythons = pythons.start().await;
        let mut databases = Vec::new();
        for backend in [Backend::Sqlite, Backend::Postgres, Backend::Mariadb] {
            databases.extend(TestDb::create(backend).await);
        }
        let mut clouds = Vec::new();
        for database in &databases {
            clouds.push((database.backend(), Builder::new(database).start().await));
        }
        let ours = clouds
            .iter()
            .map(|(backend, cloud)| (*backend, cloud.api().clone()));
        let ours: Vec<_> = ours.collect();
        replay(&steps, pythons.api(), &ours).await;
    });
}

#[test]
fn people_and_what_they_may_are_answered_as_by_python_keystone() {
    compare("people");
}

#[test]
fn things_and_delegations_are_answered_as_by_python_keystone() {
    compare("things");
}

#[test]
fn whoever_asks_for_whatever_is_answered_as_by_python_keystone() {
    compare("odd");
}

#[test]
fn each_accepted_difference_has_a_reason_and_is_needed() {
    let steps = [steps("people"), steps("things"), steps("odd")].concat();
    let named: BTreeSet<String> = steps.into_iter().filter_map(|step| step.differs).collect();
    let accepted: BTreeSet<String> = reasons().into_keys().collect();
    assert_eq!(named, accepted);
}

/// What is said of a request with these two answers, each a status and a message, for this reason.
fn said_of(
    differs: &str,
    pythons: (u16, &str),
    ours: (u16, &str),
    backend: Backend,
) -> Option<&'static str> {
    let gist = |(status, message): (u16, &str)| Gist {
        status,
        body: serde_json::json!({"error": {"message": message}}),
        ..Gist::none()
    };
    let (caller, method, path) = ("admin".to_owned(), "GET".to_owned(), "/v3".to_owned());
    let step = Step {
        at: "here:1".to_owned(),
        caller,
        method,
        path,
        headers: Vec::new(),
        body: None,
        keep: Vec::new(),
        differs: (!differs.is_empty()).then(|| differs.to_owned()),
    };
    complaint(&step, &reasons(), backend, &gist(pythons), &gist(ours))
}

#[test]
fn a_reason_excuses_what_it_names_and_nothing_else() {
    let (a, b) = ("a", "b");
    for (differs, pythons, ours, is_fine) in [
        ("", (200, a), (200, a), true),
        ("", (200, a), (200, b), false),
        ("", (500, a), (500, a), false),
        ("words", (400, a), (400, b), true),
        ("words", (400, a), (403, b), false),
        ("words", (400, a), (500, b), false),
        ("words", (400, a), (0, b), false),
        ("words", (400, a), (400, a), false),
        ("own", (403, a), (200, b), true),
        ("own", (403, a), (401, b), false),
        ("own", (403, a), (500, b), false),
        ("fails", (500, a), (400, b), true),
        ("fails", (0, a), (200, b), true),
        ("fails", (500, a), (500, b), false),
        ("fails", (400, a), (400, a), false),
        ("twice", (200, a), (200, a), true),
        ("twice", (200, a), (200, b), false),
        ("case", (200, a), (200, b), false),
        ("no reason", (200, a), (200, b), false),
    ] {
        let said = said_of(differs, pythons, ours, Backend::Sqlite);
        assert_eq!(
            said.is_none(),
            is_fine,
            "{differs} {pythons:?} {ours:?}: {said:?}"
        );
    }
    assert_eq!(said_of("case", (200, a), (200, b), Backend::Mariadb), None);
    assert!(said_of("case", (200, a), (200, a), Backend::Mariadb).is_some());
}
