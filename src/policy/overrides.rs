//! The operator's rules: a file, and directories of files, in YAML or JSON.
//!
//! A file maps names to rules. A rule is a text in the rule language, or the older list of lists. Of a name given
//! twice the later file counts: first `policy_file`, then each of `policy_dirs` in the order given, their files sorted by name.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::check::Check;
use super::error::PolicyError;
use super::parse;

/// Largest policy file, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// The rules of the operator's files, read and parsed.
#[derive(Default)]
pub struct Overrides {
    pub(super) rules: BTreeMap<String, Override>,
}

/// A rule of a file.
pub(super) struct Override {
    pub(super) check: Check,
    /// As the file has it; the list form in JSON.
    pub(super) text: String,
    pub(super) file: Arc<Path>,
}

impl Overrides {
    /// Reads `file`, then the files of `dirs`: those whose name doesn't begin with a dot, not those of directories
    /// within. As in oslo.policy a directory that doesn't exist is passed over. A `file` that doesn't exist is an
    /// error, for a policy that has gone missing must not silently become the default; pass `None` where the operator
    /// has none.
    ///
    /// # Errors
    /// The first thing that can't be read or understood, with its file and line.
    pub fn load(file: Option<&Path>, dirs: &[PathBuf]) -> Result<Self, PolicyError> {
        let mut overrides = Self::default();
        if let Some(path) = file {
            overrides.add_file(path)?;
        }
        for dir in dirs {
            for path in files_of(dir)? {
                overrides.add_file(&path)?;
            }
        }
        Ok(overrides)
    }

    /// Adds the rules of `text`, as if it were the content of the file `path`. It is YAML; in a file whose name ends
    /// in `.json` it may be JSON as well, which is nearly the same.
    ///
    /// # Errors
    /// The text isn't a map of names to rules.
    pub fn add(&mut self, path: &Path, text: &str) -> Result<(), PolicyError> {
        let parsed = if path.extension().is_some_and(|end| end == "json") {
            json(text).or_else(|wrong| yaml(text).map_err(|_| wrong))
        } else {
            yaml(text)
        };
        let rules = parsed.map_err(|(line, message)| PolicyError::Syntax {
            path: path.to_owned(),
            line,
            message,
        })?;
        let file: Arc<Path> = path.into();
        for (name, RuleText { check, text }) in rules {
            let file = Arc::clone(&file);
            self.rules.insert(name, Override { check, text, file });
        }
        Ok(())
    }

    fn add_file(&mut self, path: &Path) -> Result<(), PolicyError> {
        let unreadable = |source| PolicyError::Read {
            path: path.to_owned(),
            source,
        };
        let mut text = String::new();
        let file = File::open(path).map_err(unreadable)?;
        let mut bounded = file.take(MAX_FILE + 1);
        let size = bounded.read_to_string(&mut text).map_err(unreadable)?;
        if size as u64 > MAX_FILE {
            return Err(PolicyError::TooLarge {
                path: path.to_owned(),
                limit: MAX_FILE,
            });
        }
        self.add(path, &text)
    }
}

fn files_of(dir: &Path) -> Result<Vec<PathBuf>, PolicyError> {
    let unreadable = |source| PolicyError::Read {
        path: dir.to_owned(),
        source,
    };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && !entry.path().is_dir() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

type Rules = Vec<(String, RuleText)>;

fn yaml(text: &str) -> Result<Rules, (usize, String)> {
    let parsed: Result<Option<Document>, _> = serde_yaml_ng::from_str(text);
    match parsed {
        Ok(rules) => Ok(rules.unwrap_or_default().0),
        Err(error) => {
            let line = error.location().map_or(0, |place| place.line());
            Err((line, without_place(&error.to_string())))
        }
    }
}

fn json(text: &str) -> Result<Rules, (usize, String)> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let parsed: Result<Document, _> = serde_json::from_str(text);
    parsed
        .map(|rules| rules.0)
        .map_err(|error| (error.line(), without_place(&error.to_string())))
}

/// A parser's message; the line is told already.
fn without_place(message: &str) -> String {
    let place = message.rsplit_once(" at line ");
    place.map_or(message, |(message, _)| message).to_owned()
}

/// A policy file. Two rules of one name in it are refused: only one of them could count.
#[derive(Default)]
struct Document(Rules);

/// A rule, parsed where it is read, so that a mistake in it is reported with its line.
struct RuleText {
    check: Check,
    text: String,
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DocumentVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of rule names to rules")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut rules = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            if rules.contains_key(&name) {
                return Err(A::Error::custom(format!("rule {name} is given twice")));
            }
            let rule: RuleText = map.next_value()?;
            rules.insert(name, rule);
        }
        Ok(Document(rules.into_iter().collect()))
    }
}

impl<'de> Deserialize<'de> for RuleText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RuleVisitor)
    }
}

struct RuleVisitor;

impl<'de> Visitor<'de> for RuleVisitor {
    type Value = RuleText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a rule: a text (\"\" lets everybody in, \"!\" nobody), or a list of lists of checks",
        )
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<RuleText, E> {
        Ok(RuleText {
            check: parse::rule(text).map_err(E::custom)?,
            text: text.to_owned(),
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<RuleText, A::Error> {
        let mut outer = Vec::new();
        while let Some(Inner(inner)) = seq.next_element()? {
            outer.push(inner);
        }
        Ok(RuleText {
            check: parse::list_rule(&outer).map_err(A::Error::custom)?,
            text: serde_json::json!(outer).to_string(),
        })
    }
}

/// An element of the list form: a list of checks, or a check alone.
struct Inner(Vec<String>);

impl<'de> Deserialize<'de> for Inner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InnerVisitor)
    }
}

struct InnerVisitor;

impl<'de> Visitor<'de> for InnerVisitor {
    type Value = Inner;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a check, or a list of checks")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Inner, E> {
        // Python takes an empty text for an empty list here.
        let one = (!text.is_empty()).then(|| text.to_owned());
        Ok(Inner(one.into_iter().collect()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Inner, A::Error> {
        let mut checks = Vec::new();
        while let Some(check) = seq.next_element()? {
            checks.push(check);
        }
        Ok(Inner(checks))
    }
}
