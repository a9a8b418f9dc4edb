//! SQLAlchemy's grammar of URLs, nothing judged yet.

use url::form_urlencoded;

use super::{UrlError, refuse};

/// A URL taken apart, nothing judged yet.
pub(super) struct Parts<'a> {
    pub(super) scheme: &'a str,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) database: Option<String>,
    pub(super) query: Vec<(String, String)>,
}

impl<'a> Parts<'a> {
    /// SQLAlchemy's grammar (its `_parse_url`): the user ends at the first `:`, or at the last `@`
    /// of what stands before a `:` or `/`; the password ends at the first `@`.
    pub(super) fn split(text: &'a str) -> Result<Self, UrlError> {
        let Some((scheme, rest)) = text.split_once("://").filter(|(scheme, _)| {
            scheme
                .chars()
                .all(|c| c.is_alphanumeric() || "_+".contains(c))
        }) else {
            return refuse(
                "it is not a URL; write for instance postgresql://user:password@host/keystone",
            );
        };
        let (user, password, rest) = split_credentials(rest);
        let (host, rest) = split_host(rest)?;
        let (port, rest) = match rest.strip_prefix(':') {
            Some(rest) => {
                let (port, rest) = split_before(rest, &['/', '?']);
                match port.parse::<u16>() {
                    Ok(number) if number > 0 => (Some(number), rest),
                    _ => return refuse("the port has to be a number from 1 to 65535"),
                }
            }
            None => (None, rest),
        };
        let (database, rest) = match rest.strip_prefix('/') {
            Some(rest) => {
                let (database, rest) = split_before(rest, &['?']);
                (Some(database), rest)
            }
            None => (None, rest),
        };
        let mut parts = Self {
            scheme,
            user: decode("user", user)?,
            password: decode("password", password)?,
            host: host.map(str::to_owned),
            port,
            database: decode("database", database)?,
            query: Vec::new(),
        };
        parts.add_query(rest.strip_prefix('?').unwrap_or_default());
        Ok(parts)
    }

    /// Parameters as Python's `parse_qsl` reads them: those without a value are dropped.
    pub(super) fn add_query(&mut self, query: &str) {
        self.query.extend(
            form_urlencoded::parse(query.as_bytes())
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name.into_owned(), value.into_owned())),
        );
    }
}

/// User, password, and the rest behind their `@`.
fn split_credentials(text: &str) -> (Option<&str>, Option<&str>, &str) {
    let (head, tail) = split_before(text, &[':', '/']);
    if let Some(after) = tail.strip_prefix(':')
        && let Some((password, rest)) = after.split_once('@')
    {
        return (Some(head), Some(password), rest);
    }
    match head.rfind('@') {
        Some(at) => (head.get(..at), None, text.get(at + 1..).unwrap_or_default()),
        None => (None, None, text),
    }
}

/// The host, its brackets removed, and what follows.
fn split_host(text: &str) -> Result<(Option<&str>, &str), UrlError> {
    if let Some(inside) = text.strip_prefix('[') {
        return match inside.split_once(']') {
            Some((host, rest)) if !host.is_empty() => Ok((Some(host), rest)),
            _ => refuse("an IPv6 address is written in brackets: [::1]"),
        };
    }
    let (host, rest) = split_before(text, &['/', ':', '?']);
    Ok(((!host.is_empty()).then_some(host), rest))
}

/// Splits before the first of `ends`, which stays with the second half.
fn split_before<'a>(text: &'a str, ends: &[char]) -> (&'a str, &'a str) {
    match text.find(ends) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    }
}

/// Percent-decoding as Python's `unquote`: `+` stays a plus sign, a lone `%` stays itself.
fn decode(what: &str, text: Option<&str>) -> Result<Option<String>, UrlError> {
    let Some(text) = text else { return Ok(None) };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = match (first, after) {
            (b'%', [high, low, tail @ ..]) => hex(*high).zip(hex(*low)).map(|pair| (pair, tail)),
            _ => None,
        };
        match digits {
            Some(((high, low), tail)) => {
                bytes.push(high << 4 | low);
                rest = tail;
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(Some(text)),
        _ => refuse(format!(
            "the {what} is not UTF-8 text after percent-decoding; write % itself as %25"
        )),
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}
