//! What an answer says, without what has to differ from server to server: IDs that a server has
//! made up, times, hosts, tokens, the order of lists.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use crate::support::Answer;

/// Headers that clients read.
const HEADERS: [&str; 5] = [
    "content-type",
    "location",
    "vary",
    "www-authenticate",
    "allow",
];

static TIME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?").unwrap());
static ID: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[0-9a-f]{32,64}\b").unwrap());
static MARKER: LazyLock<Regex> = LazyLock::new(|| Regex::new("marker=[^&]*").unwrap());
static DIGIT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\d").unwrap());

/// Status, headers and body, comparable.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Gist {
    pub status: u16,
    pub headers: BTreeMap<&'static str, String>,
    pub body: Value,
}

impl Gist {
    /// No answer at all.
    pub(super) fn none() -> Self {
        Self {
            status: 0,
            headers: BTreeMap::new(),
            body: json!("no answer"),
        }
    }

    /// Of an answer of the server at `base`, which knows things by these IDs.
    pub(super) fn of(answer: &Answer, base: &str, ids: &BTreeMap<String, String>) -> Self {
        let text = |text: &str| neutral(text, base, ids);
        let mut headers = BTreeMap::new();
        for name in HEADERS {
            if let Some(value) = answer.header(name) {
                headers.insert(name, sorted_words(name, &text(value)));
            }
        }
        if answer.header("x-subject-token").is_some() {
            headers.insert("x-subject-token", "a token".to_owned());
        }
        let raw = text(&String::from_utf8_lossy(answer.bytes()));
        let mut body = serde_json::from_str(&raw).unwrap_or(Value::String(raw));
        settle(&mut body);
        Self {
            status: answer.status(),
            headers,
            body,
        }
    }

    /// Of several pages, as if they were one: how many items each has, all of them, and the first
    /// link to the next.
    pub(super) fn of_pages(pages: Vec<Self>) -> Self {
        let mut counts = Vec::new();
        let mut items = Vec::new();
        let mut all = Self::none();
        let next = pages
            .first()
            .and_then(|page| page.body.pointer("/links/next")?.as_str());
        let next = next.map(|url| MARKER.replace(url, "marker=<marker>").into_owned());
        for page in pages {
            let list = page.body.as_object().into_iter().flatten();
            let list = list.filter_map(|(_, value)| value.as_array()).next();
            counts.push(list.map_or(0, Vec::len));
            items.extend(list.into_iter().flatten().cloned());
            all = page;
        }
        all.body = json!({"pages": counts, "items": items, "next": next});
        settle(&mut all.body);
        all
    }

    /// The same, with whatever a list repeats in it once.
    pub(super) fn once(&self) -> Self {
        let mut once = self.clone();
        for list in once.body.as_object_mut().into_iter().flatten() {
            if let Value::Array(items) = list.1 {
                items.dedup();
            }
        }
        once
    }

    /// Where two differ: a place, and what either says there.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if self.status != other.status {
            found.push(format!("status: {} | {}", self.status, other.status));
        }
        let empty = String::new();
        for name in HEADERS.iter().chain(&["x-subject-token"]) {
            let (one, two) = (self.headers.get(name), other.headers.get(name));
            if one != two {
                found.push(format!(
                    "{name}: {} | {}",
                    one.unwrap_or(&empty),
                    two.unwrap_or(&empty)
                ));
            }
        }
        compare(&self.body, &other.body, "", &mut found);
        found
    }
}

fn sorted_words(name: &str, value: &str) -> String {
    if name != "allow" {
        return value.to_owned();
    }
    let mut words: Vec<_> = value.split(',').map(str::trim).collect();
    words.sort_unstable();
    words.join(", ")
}

fn neutral(text: &str, base: &str, ids: &BTreeMap<String, String>) -> String {
    let mut text = text.replace(base, "<host>");
    for (name, id) in ids {
        // Shorter ones are chosen by the script, and the same everywhere.
        if id.len() >= 20 {
            text = text.replace(id.as_str(), &format!("<{name}>"));
        }
    }
    let text = TIME.replace_all(&text, |time: &regex::Captures<'_>| {
        DIGIT.replace_all(&time[0], "0").into_owned()
    });
    ID.replace_all(&text, "<id>").into_owned()
}

/// Takes away what no two servers have the same: audit IDs, and the order of lists.
fn settle(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(settle);
            items.sort_by_cached_key(canonical);
        }
        Value::Object(object) => {
            object.iter_mut().for_each(|(_, value)| settle(value));
            if let Some(Value::Array(ids)) = object.get_mut("audit_ids") {
                ids.iter_mut().for_each(|id| *id = json!("<audit>"));
            }
            // What Python's schema adds is about its schema; who reads it is a person.
            if let Some(Value::String(message)) = object.get_mut("message") {
                *message = message.lines().next().unwrap_or_default().to_owned();
            }
        }
        _ => {}
    }
}

/// A text that is the same for equal values: members by name.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let sorted: BTreeMap<_, _> = object
                .iter()
                .map(|(name, v)| (name, canonical(v)))
                .collect();
            format!("{sorted:?}")
        }
        Value::Array(items) => format!("{:?}", items.iter().map(canonical).collect::<Vec<_>>()),
        other => other.to_string(),
    }
}

fn compare(one: &Value, two: &Value, at: &str, found: &mut Vec<String>) {
    match (one, two) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, value) in a {
                let place = format!("{at}/{name}");
                match b.get(name) {
                    Some(other) => compare(value, other, &place, found),
                    None => found.push(format!("{place}: {value} | absent")),
                }
            }
            for (name, value) in b {
                if !a.contains_key(name) {
                    found.push(format!("{at}/{name}: absent | {value}"));
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (value, other)) in a.iter().zip(b).enumerate() {
                compare(value, other, &format!("{at}/{index}"), found);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            let only = |these: &[Value], those: &[Value]| {
                let these = these.iter().filter(|item| !those.contains(item));
                these.map(Value::to_string).collect::<Vec<_>>().join(", ")
            };
            found.push(format!(
                "{at}: {} items, [{}] | {} items, [{}]",
                a.len(),
                only(a, b),
                b.len(),
                only(b, a)
            ));
        }
        _ if one != two => found.push(format!("{at}: {one} | {two}")),
        _ => {}
    }
}
