//! Which value wins, and what the `$` in it stands for.
//!
//! An explicit override beats the environment, that beats the files; of the files the later beats
//! the earlier, and within one file the last line wins, today's name before an old one. In a value,
//! `$name`, `${name}`, `$section.name` and `${section.name}` stand for that option's value (a bare
//! name is looked for in the same section, then in `[DEFAULT]`); `$$` and `\$` are a dollar sign.
//! All of it as in oslo.config.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use serde_json::{Map, Value as Json};

use super::Setting;
use super::error::{Place, Problem};
use super::ini::is_space;
use super::options::{Kind, OptionMeta, Refused, SectionMeta, Value};
use super::values::integer;

/// How deep values may refer to values.
const MAX_DEPTH: usize = 16;
/// How many references may be followed for one value, at all depths together.
const MAX_REFERENCES: usize = 256;
/// The longest value, in bytes, before and after references are filled in.
const MAX_VALUE: usize = 64 * 1024;
/// Characters of a bad value that are shown.
const SHOWN: usize = 60;

/// Every option that is known, by name.
pub(super) struct Catalogue {
    pub(super) all: Vec<&'static OptionMeta>,
    current: HashMap<(&'static str, &'static str), &'static OptionMeta>,
    former: HashMap<(&'static str, &'static str), &'static OptionMeta>,
    environment: HashMap<String, &'static OptionMeta>,
}

impl Catalogue {
    pub(super) fn new(sections: impl Iterator<Item = &'static SectionMeta>) -> Self {
        let all: Vec<_> = sections.flat_map(|section| section.options).collect();
        let variable = |meta: &OptionMeta| {
            format!(
                "OS_{}__{}",
                meta.section.to_uppercase(),
                meta.name.to_uppercase()
            )
        };
        Self {
            current: all
                .iter()
                .map(|meta| ((meta.section, meta.name), *meta))
                .collect(),
            former: all
                .iter()
                .flat_map(|meta| meta.deprecated_names.iter().map(|name| (*name, *meta)))
                .collect(),
            environment: all.iter().map(|meta| (variable(meta), *meta)).collect(),
            all,
        }
    }

    /// The option of today's name.
    pub(super) fn current(&self, section: &str, name: &str) -> Option<&'static OptionMeta> {
        self.current.get(&(section, name)).copied()
    }

    /// The option that once had this name.
    pub(super) fn former(&self, section: &str, name: &str) -> Option<&'static OptionMeta> {
        self.former.get(&(section, name)).copied()
    }

    /// The option that an environment variable `OS_<SECTION>__<OPTION>` sets.
    pub(super) fn of_variable(&self, variable: &str) -> Option<&'static OptionMeta> {
        self.environment.get(variable).copied()
    }
}

/// A value as somebody wrote it.
#[derive(Clone)]
pub(super) struct Written {
    pub(super) text: String,
    pub(super) place: Place,
    /// Which of the files it is in; the later wins.
    pub(super) rank: usize,
}

type Values = HashMap<(String, String), Vec<Written>>;

/// Everything written, from the weakest source to the strongest.
#[derive(Default)]
pub(super) struct Layers {
    pub(super) files: Values,
    pub(super) environment: Values,
    pub(super) overrides: Values,
}

impl Layers {
    /// What counts for an option: one value, or all of them where it collects; empty: unset.
    fn effective(&self, meta: &OptionMeta) -> Vec<&Written> {
        let multi = meta.kind == Kind::Multi;
        let key = |section: &str, name: &str| (section.to_owned(), name.to_owned());
        for layer in [&self.overrides, &self.environment] {
            if let Some(values) = layer.get(&key(meta.section, meta.name)) {
                let skipped = if multi {
                    0
                } else {
                    values.len().saturating_sub(1)
                };
                return values.iter().skip(skipped).collect();
            }
        }
        // Weakest name first; sorting keeps that order within a file.
        let mut found: Vec<&Written> = meta
            .deprecated_names
            .iter()
            .rev()
            .chain([&(meta.section, meta.name)])
            .filter_map(|(section, name)| self.files.get(&key(section, name)))
            .flatten()
            .collect();
        found.sort_by_key(|written| written.rank);
        if !multi {
            found.drain(..found.len().saturating_sub(1));
        }
        found
    }
}

/// The filling in of references, under way for one value.
struct Expansion {
    /// References that may still be followed.
    left: usize,
    /// A secret was among them.
    secret: bool,
}

/// What was learned of a value on the way.
struct Found {
    /// It is a secret, or was made of one.
    secret: bool,
    /// See [`Setting::differs`].
    digest: u64,
}

static DIGEST: OnceLock<RandomState> = OnceLock::new();

/// Hands each option its value, and notes what is wrong.
pub(super) struct Reader<'a> {
    catalogue: &'a Catalogue,
    layers: &'a Layers,
    pub(super) problems: Vec<Problem>,
    pub(super) settings: Vec<Setting>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(catalogue: &'a Catalogue, layers: &'a Layers) -> Self {
        Self {
            catalogue,
            layers,
            problems: Vec::new(),
            settings: Vec::new(),
        }
    }

    /// The value of an option; `default` where it is unset, or wrong (which is noted).
    pub(super) fn take<T: Value>(&mut self, meta: Option<&'static OptionMeta>, default: T) -> T {
        let Some(meta) = meta else { return default };
        let layers = self.layers;
        let written = layers.effective(meta);
        let place = written
            .last()
            .map_or(Place::Default, |one| one.place.clone());
        let mut found = Found {
            secret: meta.secret,
            digest: 0,
        };
        let value = if written.is_empty() || meta.inert {
            default
        } else {
            match self.read(meta, &written, &mut found) {
                Ok(value) => value,
                Err(reason) => {
                    let title = meta.title();
                    let message = match written.last() {
                        Some(one) if !meta.secret => {
                            let shown: String = one.text.chars().take(SHOWN).collect();
                            format!("{title} = {shown:?}: {reason}")
                        }
                        _ => format!("{title}: {reason}"),
                    };
                    self.problem(place.clone(), message);
                    default
                }
            }
        };
        self.settings.push(Setting {
            meta,
            value: if found.secret { None } else { value.render() },
            hidden: found.secret,
            place,
            digest: found.digest,
        });
        value
    }

    /// The text of an option with its references filled in, if it is set and right.
    pub(super) fn text(&self, section: &str, name: &str) -> Option<(String, Place)> {
        let meta = self.catalogue.current(section, name)?;
        let written = self.layers.effective(meta);
        let one = written.last()?;
        let text = self.expand(meta, one).ok()?;
        Some((text, one.place.clone()))
    }

    /// The values of a section's options that have no effect here, as Python Keystone would show
    /// them: numbers as numbers, `null` where unset. Secrets, and what refers to one, are left out.
    pub(super) fn inert_values(&self, section: &str) -> Map<String, Json> {
        let options = self.catalogue.all.iter();
        let options = options.filter(|meta| meta.section == section && meta.inert && !meta.secret);
        let mut values = Map::new();
        for meta in options {
            let mut expansion = Expansion::new();
            let text = match self.layers.effective(meta).last() {
                Some(one) => self.fill(meta.section, &one.text, 0, &mut expansion).ok(),
                None => meta.default(),
            };
            if !expansion.secret {
                let value = text.map_or(Json::Null, |text| as_json(meta, &text));
                values.insert(meta.name.to_owned(), value);
            }
        }
        values
    }

    pub(super) fn problem(&mut self, place: Place, message: String) {
        self.problems.push(Problem {
            place: Some(place),
            message,
        });
    }

    fn read<T: Value>(
        &self,
        meta: &OptionMeta,
        written: &[&Written],
        found: &mut Found,
    ) -> Result<T, String> {
        let mut texts = Vec::with_capacity(written.len());
        for one in written {
            let mut expansion = Expansion::new();
            texts.push(self.fill(meta.section, &one.text, 0, &mut expansion)?);
            found.secret |= expansion.secret;
        }
        found.digest = DIGEST.get_or_init(RandomState::new).hash_one(&texts);
        T::read_all(&texts, meta).map_err(|refused| match refused {
            Refused::NotAllowed => format!("it has to be {}", meta.allowed()),
            Refused::Because(reason) => reason,
        })
    }

    fn expand(&self, meta: &OptionMeta, one: &Written) -> Result<String, String> {
        self.fill(meta.section, &one.text, 0, &mut Expansion::new())
    }

    /// Fills in the references in `text`, which belongs to an option of `section`.
    fn fill(
        &self,
        section: &str,
        text: &str,
        depth: usize,
        expansion: &mut Expansion,
    ) -> Result<String, String> {
        let too_long = || format!("a value may have {MAX_VALUE} bytes at most");
        if text.len() > MAX_VALUE {
            return Err(too_long());
        }
        let text = text.replace(r"\$", "$$");
        let mut filled = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('$') {
            filled.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                filled.push('$');
                rest = after;
            } else if let Some((name, after)) = reference(after) {
                filled.push_str(&self.refer(section, name, depth, expansion)?);
                rest = after;
            } else {
                filled.push('$');
                rest = after;
            }
            if filled.len() > MAX_VALUE {
                return Err(too_long());
            }
        }
        filled.push_str(rest);
        if filled.len() > MAX_VALUE {
            return Err(too_long());
        }
        Ok(filled)
    }

    /// The value that `$name` stands for.
    fn refer(
        &self,
        section: &str,
        name: &str,
        depth: usize,
        expansion: &mut Expansion,
    ) -> Result<String, String> {
        let found = match name.split_once('.') {
            Some((section, name)) => self.catalogue.current(section, name),
            None => self
                .catalogue
                .current(section, name)
                .or_else(|| self.catalogue.current("DEFAULT", name)),
        };
        let Some(meta) = found else {
            return Err(format!(
                "${} refers to no option; write $$ for a dollar sign",
                name.chars().take(SHOWN).collect::<String>()
            ));
        };
        if depth >= MAX_DEPTH {
            return Err(format!(
                "${name} refers in a circle, or more than {MAX_DEPTH} deep"
            ));
        }
        expansion.left = expansion
            .left
            .checked_sub(1)
            .ok_or_else(|| format!("it refers to more than {MAX_REFERENCES} values"))?;
        expansion.secret |= meta.secret;
        let text = match self.layers.effective(meta).last() {
            Some(one) => self.fill(meta.section, &one.text, depth + 1, expansion)?,
            None => meta.default().unwrap_or_default(),
        };
        as_python_shows(meta, &text)
    }
}

impl Expansion {
    fn new() -> Self {
        Self {
            left: MAX_REFERENCES,
            secret: false,
        }
    }
}

/// A value in JSON; a text that is not of its kind stays one.
fn as_json(meta: &OptionMeta, text: &str) -> Json {
    let trimmed = text.trim_matches(is_space);
    let value = match meta.kind {
        Kind::Boolean => bool::read(trimmed, meta).ok().map(Json::from),
        Kind::Integer | Kind::Limit | Kind::Seconds => integer(text)
            .and_then(|number| i64::try_from(number).ok())
            .map(Json::from),
        Kind::Float => trimmed.parse::<f64>().ok().map(Json::from),
        Kind::List => {
            let items = trimmed.split(',').map(|item| item.trim_matches(is_space));
            Some(items.filter(|item| !item.is_empty()).collect())
        }
        _ => None,
    };
    value.unwrap_or_else(|| Json::from(text))
}

/// What Python's `str` makes of the referred option's value: oslo.config fills in that.
fn as_python_shows(meta: &OptionMeta, text: &str) -> Result<String, String> {
    let title = meta.title();
    let trimmed = text.trim_matches(is_space);
    let wrong = || format!("${}: its value has to be {}", title, meta.allowed());
    match meta.kind {
        Kind::Boolean => match bool::read(text, meta) {
            Ok(true) => Ok("True".to_owned()),
            Ok(false) => Ok("False".to_owned()),
            Err(_) => Err(wrong()),
        },
        Kind::Integer | Kind::Limit | Kind::Seconds | Kind::Float if trimmed.is_empty() => {
            Ok(String::new())
        }
        Kind::Integer | Kind::Limit => integer(text)
            .map(|number| number.to_string())
            .ok_or_else(wrong),
        Kind::Seconds | Kind::Float => match integer(text) {
            Some(number) if meta.kind == Kind::Seconds => Ok(number.to_string()),
            _ => trimmed
                .parse::<f64>()
                .map(|number| format!("{number:?}"))
                .map_err(|_| wrong()),
        },
        Kind::List | Kind::Multi | Kind::Dict => Err(format!(
            "it refers to {title}, which has more than one value"
        )),
        _ => Ok(text.to_owned()),
    }
}

/// The name right behind a `$`, in braces or bare, and the text after it.
fn reference(text: &str) -> Option<(&str, &str)> {
    match text.strip_prefix('{') {
        Some(inside) => {
            let (name, after) = name(inside)?;
            Some((name, after.strip_prefix('}')?))
        }
        None => name(text),
    }
}

/// A letter or `_`, then letters, digits, `_` and dots.
fn name(text: &str) -> Option<(&str, &str)> {
    if !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return None;
    }
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || "._".contains(c)))
        .unwrap_or(text.len());
    text.split_at_checked(end)
}
