//! What a rule sees as the target: flat, dotted attributes, as oslo.policy has them after flattening.
//!
//! Three worlds are kept apart. What the server loaded and what the route's path says has plain names
//! (`target.user.domain_id`, `user_id`). The request's body is reached below `request_body.` only, and its query
//! below `filter_attr.` only. Neither can stand in for the other, so no client decides what a rule compares it with.

use serde_json::{Map, Value as Json};

use super::value::Value;

/// Who put an attribute there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    Server,
    Body,
    Query,
}

const BODY: &str = "request_body";
const QUERY: &str = "filter_attr";

/// The name of a target attribute as a rule has it in `%(name)s`, sorted by its world once, at load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    name: Box<str>,
    space: Space,
    path_at: usize,
}

impl Key {
    pub(super) fn new(name: &str) -> Self {
        let below = |prefix: &str| {
            let rest = name.strip_prefix(prefix)?;
            match rest.strip_prefix('.') {
                Some(path) => Some(name.len() - path.len()),
                None => rest.is_empty().then_some(name.len()),
            }
        };
        let (space, path_at) = below(BODY)
            .map(|at| (Space::Body, at))
            .or_else(|| below(QUERY).map(|at| (Space::Query, at)))
            .unwrap_or((Space::Server, 0));
        Self {
            name: name.into(),
            space,
            path_at,
        }
    }

    /// As the rule writes it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether its value comes from a client, and may therefore hold a password.
    pub(super) fn is_from_client(&self) -> bool {
        self.space != Space::Server
    }

    fn path(&self) -> &str {
        self.name.get(self.path_at..).unwrap_or_default()
    }
}

#[derive(Clone, Copy)]
struct Entry<'a> {
    space: Space,
    key: &'a str,
    value: Value<'a>,
}

/// So many attributes need no allocation; Keystone's own rules get by with fewer.
const INLINE: usize = 8;

/// The target of one decision. Borrows everything; made on the stack beside the check.
///
/// ```ignore
/// let target = Target::new()
///     .with("user_id", path.user_id)                  // from the route
///     .with("target.user.id", user.id)
///     .with("target.user.domain_id", user.domain_id)  // an Option: None is null, not absent
///     .with_body(&body);
/// ```
///
/// An attribute set to `None` is null and reads as `None`; one that was never set is absent, and every check that
/// needs it is false. Of two values for one name the later counts.
pub struct Target<'a> {
    inline: [Entry<'a>; INLINE],
    len: usize,
    more: Vec<Entry<'a>>,
}

impl Default for Target<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Target<'a> {
    /// A target with no attribute.
    pub fn new() -> Self {
        let unused = Entry {
            space: Space::Server,
            key: "",
            value: Value::Null,
        };
        Self {
            inline: [unused; INLINE],
            len: 0,
            more: Vec::new(),
        }
    }

    /// Adds what the **server** knows: an entity it loaded, or a parameter of the route's path. Never a value taken
    /// from a body or a query. A JSON object is seen through its dotted paths: `with("target.user", &user)` answers
    /// `target.user.domain_id`. Names below `request_body` and `filter_attr` can't be set this way.
    pub fn with(self, key: &'a str, value: impl Into<Value<'a>>) -> Self {
        self.put(Space::Server, key, value.into())
    }

    /// Adds what the server knows, as [`Self::with`] does, where there is any.
    pub fn with_some(self, key: &'a str, value: Option<impl Into<Value<'a>>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Adds the request's body, which rules reach as `request_body.…` and in no other way (CVE-2026-42999).
    /// An empty body (`{}`, `[]`, `null`) adds nothing, as in Keystone.
    pub fn with_body(self, body: &'a Json) -> Self {
        let empty = match body {
            Json::Null => true,
            Json::Object(map) => map.is_empty(),
            Json::Array(items) => items.is_empty(),
            _ => false,
        };
        if empty {
            self
        } else {
            self.put(Space::Body, "", body.into())
        }
    }

    /// Adds a parameter of the request's query, which rules reach as `filter_attr.<name>` and in no other way.
    pub fn with_query(self, name: &'a str, value: &'a str) -> Self {
        self.put(Space::Query, name, value.into())
    }

    fn put(mut self, space: Space, key: &'a str, value: Value<'a>) -> Self {
        let entry = Entry { space, key, value };
        match self.inline.get_mut(self.len) {
            Some(slot) => {
                *slot = entry;
                self.len += 1;
            }
            None => self.more.push(entry),
        }
        self
    }

    pub(super) fn get(&self, key: &Key) -> Option<Value<'a>> {
        let path = key.path();
        let inline = self.inline.iter().take(self.len);
        self.more
            .iter()
            .rev()
            .chain(inline.rev())
            .filter(|entry| entry.space == key.space)
            .find_map(|entry| entry.at(path))
    }
}

impl<'a> Entry<'a> {
    fn at(&self, path: &str) -> Option<Value<'a>> {
        let Some(object) = self.value.object() else {
            return (self.key == path).then_some(self.value);
        };
        if self.key.is_empty() {
            return flat(object, path);
        }
        flat(object, path.strip_prefix(self.key)?.strip_prefix('.')?)
    }
}

/// What a flattened `object` holds under `path`. A key may itself contain dots, and of two ways to the same path the
/// later one in the object counts: that is what flattening into a dictionary gives. Each node is seen once at most.
fn flat<'a>(object: &'a Map<String, Json>, path: &str) -> Option<Value<'a>> {
    object.iter().rev().find_map(|(key, value)| {
        let rest = path.strip_prefix(key.as_str())?;
        match (value, rest.strip_prefix('.')) {
            (Json::Object(inner), Some(rest)) => flat(inner, rest),
            (Json::Object(_), None) => None,
            (leaf, _) => rest.is_empty().then(|| leaf.into()),
        }
    })
}
