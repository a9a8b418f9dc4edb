//! The types that options have, and how oslo.config writes them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use keystone_actors::db::url::DatabaseUrl;
use secrecy::SecretString;

use super::ini::is_space;
use super::options::{Kind, OptionMeta, Refused, Value};

/// The longest time that an option can name, in seconds: a thousand years. Beyond it, dates that
/// are computed from it would leave the calendar.
pub const MAX_SECONDS: u64 = 1000 * 31_557_600;

/// A type whose values can stand in a comma-separated list.
pub(super) trait Item: Value {}

/// A number for which `-1` means "no limit".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(Option<u64>);

impl Limit {
    /// No limit: `-1`.
    pub const NONE: Self = Self(None);

    /// This many.
    pub const fn at(number: u64) -> Self {
        Self(Some(number))
    }

    /// The number, `None` if there is no limit.
    pub fn get(self) -> Option<u64> {
        self.0
    }

    /// Whether one more may be had by who has `count` already.
    pub fn admits_after(self, count: u64) -> bool {
        self.0.is_none_or(|limit| count < limit)
    }

    /// The number as seconds, `None` if there is no limit.
    pub fn seconds(self) -> Option<Duration> {
        self.0.map(Duration::from_secs)
    }
}

/// An option that is repeated to give several values (oslo's `MultiString`).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Multi(pub Vec<String>);

impl std::ops::Deref for Multi {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

/// An `http://` or `https://` URL, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri(String);

impl Uri {
    /// The text of the file.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for bool {
    const KIND: Kind = Kind::Boolean;

    fn read(text: &str, _: &OptionMeta) -> Result<Self, Refused> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "on" | "yes" => Ok(true),
            "false" | "0" | "off" | "no" => Ok(false),
            _ => Err(Refused::NotAllowed),
        }
    }

    fn render(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// A whole number as Python's `int` reads it: a sign, and single underscores between digits.
pub(super) fn integer(text: &str) -> Option<i128> {
    let text = text.trim_matches(is_space);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let groups_are_numbers = digits
        .split('_')
        .all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    if !groups_are_numbers {
        return None;
    }
    let number: i128 = digits.replace('_', "").parse().ok()?;
    Some(if negative { -number } else { number })
}

fn bounded<T: TryFrom<i128>>(text: &str, meta: &OptionMeta) -> Result<T, Refused> {
    integer(text)
        .filter(|number| meta.admits(*number as f64))
        .and_then(|number| T::try_from(number).ok())
        .ok_or(Refused::NotAllowed)
}

macro_rules! integers {
    ($($type:ty),+) => {$(
        impl Value for $type {
            const KIND: Kind = Kind::Integer;
            const MIN: Option<f64> = if <$type>::MIN == 0 { Some(0.0) } else { None };

            fn read(text: &str, meta: &OptionMeta) -> Result<Self, Refused> {
                bounded(text, meta)
            }

            fn render(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )+};
}

integers!(u8, u32, u64, usize, i64);

impl Value for Limit {
    const KIND: Kind = Kind::Limit;
    const MIN: Option<f64> = Some(0.0);

    fn read(text: &str, meta: &OptionMeta) -> Result<Self, Refused> {
        match integer(text) {
            Some(-1) => Ok(Self::NONE),
            _ => bounded(text, meta).map(Self::at),
        }
    }

    fn render(&self) -> Option<String> {
        Some(self.0.map_or("-1".to_owned(), |number| number.to_string()))
    }
}

impl Value for Duration {
    const KIND: Kind = Kind::Seconds;
    const MIN: Option<f64> = Some(0.0);

    fn read(text: &str, meta: &OptionMeta) -> Result<Self, Refused> {
        let seconds = match integer(text) {
            Some(number) => number as f64,
            // Python Keystone would refuse a fraction, and the file may be shared with it.
            None if meta.ours && plain_decimal(text) => {
                text.parse().map_err(|_| Refused::NotAllowed)?
            }
            None => return Err(Refused::NotAllowed),
        };
        if seconds > MAX_SECONDS as f64 && meta.admits(seconds) {
            return Err(Refused::Because(format!(
                "it has to be {MAX_SECONDS} seconds (a thousand years) or less"
            )));
        }
        if !meta.admits(seconds) {
            return Err(Refused::NotAllowed);
        }
        Self::try_from_secs_f64(seconds).map_err(|_| Refused::NotAllowed)
    }

    fn render(&self) -> Option<String> {
        Some(self.as_secs_f64().to_string())
    }
}

fn plain_decimal(text: &str) -> bool {
    text.len() <= 32
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

impl Value for f64 {
    const KIND: Kind = Kind::Float;

    fn read(text: &str, meta: &OptionMeta) -> Result<Self, Refused> {
        let number = plain_decimal(text).then(|| text.parse::<Self>().ok());
        number
            .flatten()
            .filter(|number| meta.admits(*number))
            .ok_or(Refused::NotAllowed)
    }

    fn render(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for String {
    const KIND: Kind = Kind::Text;

    fn read(text: &str, _: &OptionMeta) -> Result<Self, Refused> {
        Ok(text.to_owned())
    }

    fn render(&self) -> Option<String> {
        Some(self.clone())
    }
}

impl Value for SecretString {
    const KIND: Kind = Kind::Secret;
    const SECRET: bool = true;

    fn read(text: &str, _: &OptionMeta) -> Result<Self, Refused> {
        Ok(Self::from(text))
    }

    fn render(&self) -> Option<String> {
        Some("(secret)".to_owned())
    }
}

impl Value for PathBuf {
    const KIND: Kind = Kind::Path;

    fn read(text: &str, _: &OptionMeta) -> Result<Self, Refused> {
        if text.is_empty() || text.contains('\0') {
            return Err(Refused::NotAllowed);
        }
        Ok(Self::from(text))
    }

    fn render(&self) -> Option<String> {
        Some(self.display().to_string())
    }
}

impl Value for Uri {
    const KIND: Kind = Kind::Uri;

    fn read(text: &str, _: &OptionMeta) -> Result<Self, Refused> {
        match url::Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(Refused::NotAllowed),
        }
    }

    fn render(&self) -> Option<String> {
        Some(self.0.clone())
    }
}

impl Value for DatabaseUrl {
    const KIND: Kind = Kind::Database;
    const SECRET: bool = true;

    fn read(text: &str, _: &OptionMeta) -> Result<Self, Refused> {
        Self::parse(text).map_err(|error| Refused::Because(error.to_string()))
    }

    fn render(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for SocketAddr {
    const KIND: Kind = Kind::Address;

    fn read(text: &str, _: &OptionMeta) -> Result<Self, Refused> {
        text.parse().map_err(|_| {
            Refused::Because(
                "it has to be address:port, such as 127.0.0.1:5000 or [::]:5000".to_owned(),
            )
        })
    }

    fn render(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// Empty text is the same as no value.
impl<T: Value> Value for Option<T> {
    const KIND: Kind = T::KIND;
    const SECRET: bool = T::SECRET;
    const MIN: Option<f64> = T::MIN;
    const CHOICES: &'static [&'static str] = T::CHOICES;

    fn read(text: &str, meta: &OptionMeta) -> Result<Self, Refused> {
        if text.trim_matches(is_space).is_empty() {
            return Ok(None);
        }
        T::read(text, meta).map(Some)
    }

    fn render(&self) -> Option<String> {
        self.as_ref().and_then(T::render)
    }
}

impl Item for String {}
impl Item for SocketAddr {}
impl Item for i64 {}
impl Item for Uri {}

/// Commas separate, and white space around items goes; commas at the end go too. Quotes are
/// ordinary characters.
impl<T: Item> Value for Vec<T> {
    const KIND: Kind = Kind::List;
    const CHOICES: &'static [&'static str] = T::CHOICES;

    fn read(text: &str, meta: &OptionMeta) -> Result<Self, Refused> {
        let text = text.trim_matches(is_space).trim_end_matches(',');
        if text.is_empty() {
            return Ok(Self::new());
        }
        text.split(',')
            .map(|item| T::read(item.trim_matches(is_space), meta))
            .collect()
    }

    fn render(&self) -> Option<String> {
        let items: Vec<String> = self.iter().filter_map(T::render).collect();
        Some(items.join(","))
    }
}

impl Value for Multi {
    const KIND: Kind = Kind::Multi;

    fn read(text: &str, _: &OptionMeta) -> Result<Self, Refused> {
        Ok(Self(vec![text.to_owned()]))
    }

    fn read_all(texts: &[String], _: &OptionMeta) -> Result<Self, Refused> {
        Ok(Self(texts.to_vec()))
    }

    fn render(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join("\n"))
    }
}

/// `name:[item,item]` pairs, separated by commas. What is no pair yet is joined to the piece behind
/// the next comma, as in oslo.config.
impl Value for BTreeMap<String, Vec<String>> {
    const KIND: Kind = Kind::Dict;

    fn read(text: &str, meta: &OptionMeta) -> Result<Self, Refused> {
        let mut map = Self::new();
        let text = text.trim_matches(is_space);
        if text.is_empty() {
            return Ok(map);
        }
        let mut pending = String::new();
        let mut complete = true;
        for piece in text.split(',') {
            if !complete {
                pending.push(',');
            }
            complete = false;
            pending.push_str(piece);
            let Some((name, items)) = pair(&pending) else {
                continue;
            };
            let items = Vec::read(items, meta)?;
            if name.is_empty() || map.insert(name.to_owned(), items).is_some() {
                return Err(Refused::Because(
                    "each name has to be there, and only once".to_owned(),
                ));
            }
            pending.clear();
            complete = true;
        }
        if complete {
            Ok(map)
        } else {
            Err(Refused::NotAllowed)
        }
    }

    fn render(&self) -> Option<String> {
        let pairs: Vec<String> = self
            .iter()
            .map(|(name, items)| format!("{name}:[{}]", items.join(",")))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join(","))
    }
}

/// Name and items of a complete `name:[items]`.
fn pair(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once(':')?;
    let value = value.trim_matches(is_space).trim_end_matches(',');
    let items = value.strip_prefix('[')?.strip_suffix(']')?;
    Some((name.trim_matches(is_space), items))
}
