//! What is sent, read from `requests/`. One line is one request:
//!
//! ```text
//! CALLER METHOD /path [Header: value] BODY > name=/pointer other=token
//! ```
//!
//! - `CALLER` is the name of a token that an earlier answer gave, or `nobody`, who has none; several
//!   with commas between them ask one after the other.
//! - `METHOD` is HTTP's; `WALK` is GET that follows `links.next` to the end.
//! - Headers and body may be absent. A body is sent as it stands, as `application/json` unless a
//!   header says otherwise; `''` is an empty one, `\xFF` in it a byte.
//! - `> name=/pointer` keeps a value of the answer, `name=token` its `X-Subject-Token`, for
//!   `$name` or `${name}` anywhere later. `${text*300}` is a text repeated.
//! - `login NAME USER SCOPE` is a login by password: `USER` an ID; `SCOPE` one of `project:ID`,
//!   `domain:ID`, `system`, `unscoped`; a `NAME` of `-` keeps nothing.
//! - `differs NAME` before a request: the answers differ, for the reason that `differences.txt` has
//!   by that name.
//! - `#` begins a comment; a line that begins with spaces continues the one before.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// One request, with the names in it not replaced yet.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// `file:line`.
    pub at: String,
    pub caller: String,
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<String>,
    /// Name, and where its value is in the answer.
    pub keep: Vec<(String, String)>,
    /// Why answers differ, if they do.
    pub differs: Option<String>,
}

/// All requests of a folder, its files in the order of their names.
pub(super) fn read(folder: &Path) -> Vec<Step> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    let mut steps = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        let mut differs = None;
        for (number, line) in lines(&text) {
            let at = format!("{name}:{number}");
            if let Some(key) = line.strip_prefix("differs ") {
                differs = Some(key.trim().to_owned());
                continue;
            }
            let differs = differs.take();
            let (callers, rest) = line.split_once(' ').unwrap_or((&line, ""));
            steps.extend(callers.split(',').map(|caller| Step {
                differs: differs.clone(),
                ..step(at.clone(), &format!("{caller} {rest}"))
            }));
        }
        assert_eq!(differs, None, "{name} ends with it");
    }
    steps
}

/// What a reason lets differ.
#[derive(Clone, Debug, Default)]
pub(super) struct Reason {
    /// Where answers may differ: names of headers, and JSON pointers with all that is below them.
    places: Vec<String>,
    /// With one of these as the status of our answer, it may be another altogether.
    statuses: Vec<u16>,
}

impl Reason {
    /// Whether our answer, of this status, may differ at this place.
    pub(super) fn excuses(&self, status: u16, place: &str) -> bool {
        let within = |named: &String| match place.strip_prefix(named.as_str()) {
            Some(below) => below.is_empty() || below.starts_with('/'),
            // `body` is all of it, also where one of the two is no JSON.
            None => named == "body" && (place.is_empty() || place.starts_with('/')),
        };
        self.statuses.contains(&status) || self.places.iter().any(within)
    }
}

/// Why answers may differ, by the name that `differs` has for it: lines `NAME [WHAT WHAT]: REASON`,
/// where `WHAT` is a header, a JSON pointer, `body`, or a status (see [`Reason`]).
pub(super) fn reasons(file: &Path) -> BTreeMap<String, Reason> {
    let text = fs::read_to_string(file).unwrap();
    let reason = |(number, line): (usize, String)| {
        let parts = line
            .split_once("]: ")
            .and_then(|(head, why)| (!why.is_empty()).then(|| head.split_once(" [")));
        let parts = parts.flatten();
        let (name, what) = parts.unwrap_or_else(|| panic!("line {number}: {line}"));
        let mut reason = Reason::default();
        for word in what.split_whitespace() {
            match word.parse() {
                Ok(status) => reason.statuses.push(status),
                Err(_) => reason.places.push(word.to_owned()),
            }
        }
        (name.to_owned(), reason)
    };
    lines(&text).into_iter().map(reason).collect()
}

/// Lines with what continues them, and their numbers; no comments.
fn lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        match lines.last_mut() {
            Some((_, last)) if line.starts_with(' ') => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => lines.push((number + 1, line.trim_end().to_owned())),
        }
    }
    lines
}

fn step(at: String, line: &str) -> Step {
    let (line, kept) = match line.rsplit_once(" > ") {
        Some((line, kept)) if !kept.contains('"') => (line, kept),
        _ => (line, ""),
    };
    let keep = kept.split_whitespace().map(|pair| {
        let (name, place) = pair
            .split_once('=')
            .unwrap_or_else(|| panic!("{at}: {pair}"));
        (name.to_owned(), place.to_owned())
    });
    let mut keep: Vec<_> = keep.collect();
    let mut word = line.splitn(4, ' ');
    let mut next = || word.next().unwrap_or_else(|| panic!("{at}: {line}"));
    let (caller, method, path) = (next(), next(), next());
    if caller == "login" {
        if method != "-" {
            keep.push((method.to_owned(), "token".to_owned()));
        }
        let body = login(path, word.next().unwrap_or("unscoped"));
        return Step {
            at,
            caller: "nobody".to_owned(),
            method: "POST".to_owned(),
            path: "/v3/auth/tokens".to_owned(),
            headers: Vec::new(),
            body: Some(body),
            keep,
            differs: None,
        };
    }
    let mut rest = word.next().unwrap_or("").trim();
    let mut headers = Vec::new();
    while let Some((header, after)) = header(rest) {
        headers.push(header);
        rest = after.trim_start();
    }
    let body = match rest {
        "" => None,
        "''" => Some(String::new()),
        _ => Some(rest.to_owned()),
    };
    Step {
        at,
        caller: caller.to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        headers,
        body,
        keep,
        differs: None,
    }
}

/// `[Name: value]` at the beginning, and what is behind it.
fn header(text: &str) -> Option<((String, String), &str)> {
    let (inside, after) = text.strip_prefix('[')?.split_once(']')?;
    let (name, value) = inside.split_once(": ")?;
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    is_name.then(|| ((name.to_owned(), value.to_owned()), after))
}

fn login(user: &str, scope: &str) -> String {
    let scope = match scope.split_once(':') {
        Some((kind, id)) => format!(r#"{{"{kind}": {{"id": "{id}"}}}}"#),
        None if scope == "system" => r#"{"system": {"all": true}}"#.to_owned(),
        None => r#"{"unscoped": {}}"#.to_owned(),
    };
    format!(
        r#"{{"auth": {{"identity": {{"methods": ["password"],
            "password": {{"user": {{"id": "{user}", "password": "$password"}}}}}}, "scope": {scope}}}}}"#
    )
}

/// The text with its names replaced; what has no value stays as it is.
pub(super) fn fill(text: &str, values: &BTreeMap<String, String>) -> String {
    let pattern = regex::Regex::new(r"\$\{(.*?)\*(\d+)\}|\$\{(\w+)\}|\$(\w+)").unwrap();
    let filled = pattern.replace_all(text, |found: &regex::Captures<'_>| {
        if let (Some(text), Some(times)) = (found.get(1), found.get(2)) {
            return text.as_str().repeat(times.as_str().parse().unwrap());
        }
        let name = found.get(3).or(found.get(4)).unwrap().as_str();
        values
            .get(name)
            .cloned()
            .unwrap_or_else(|| found[0].to_owned())
    });
    filled.into_owned()
}

/// The bytes of a body, `\xFF` among them.
pub(super) fn bytes(body: &str) -> Vec<u8> {
    let mut parts = body.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    bytes
}
