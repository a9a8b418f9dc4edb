//! A rule as a tree of checks.

use std::fmt;

use super::target::Key;

/// A node of a rule. What `Display` writes is in the rule language again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// `@`, or the empty rule.
    Always,
    /// `!`
    Never,
    Not(Box<Check>),
    All(Vec<Check>),
    Any(Vec<Check>),
    /// `rule:NAME`
    Rule(Reference),
    /// `role:NAME`; the text of the pattern is in lower case.
    Role(Pattern),
    /// `'literal':PATTERN`
    Literal(Literal, Pattern),
    /// `attribute:PATTERN`
    Attribute(Attribute, Pattern),
}

/// A reference to another rule, resolved once all rules are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) name: String,
    /// Its place among the rules; `None` where there is no such rule, and then the check is false.
    pub(super) index: Option<usize>,
}

/// The left side of a check that compares a constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Literal {
    /// As written: `'member'`, `None`, `1`.
    pub(super) source: String,
    /// As compared: `member`, `None`, `1`.
    pub(super) text: String,
}

/// The right side of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// A constant.
    Text(String),
    /// Exactly `%(name)s`.
    Target(Key),
    /// Text and attributes mixed.
    Mixed(Vec<Piece>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Target(Key),
}

/// The attributes of the caller that a rule may name: those that Keystone hands to oslo.policy, and `is_admin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    UserId,
    UserDomainId,
    ProjectId,
    ProjectDomainId,
    DomainId,
    SystemScope,
    /// The older name of `system_scope`, there only where it is set.
    System,
    Roles,
    IsAdmin,
    IsAdminProject,
    /// `token.<path>`
    Token(Box<str>),
}

impl Attribute {
    const PLAIN: [(&'static str, Self); 10] = [
        ("user_id", Self::UserId),
        ("user_domain_id", Self::UserDomainId),
        ("project_id", Self::ProjectId),
        ("project_domain_id", Self::ProjectDomainId),
        ("domain_id", Self::DomainId),
        ("system_scope", Self::SystemScope),
        ("system", Self::System),
        ("roles", Self::Roles),
        ("is_admin", Self::IsAdmin),
        ("is_admin_project", Self::IsAdminProject),
    ];

    /// The attribute of this name, unless it is below `token.`.
    pub(super) fn plain(name: &str) -> Option<Self> {
        let mut known = Self::PLAIN.into_iter();
        known.find_map(|(own, attribute)| (own == name).then_some(attribute))
    }
}

impl Check {
    /// The checks right below this one.
    pub(super) fn children(&self) -> &[Check] {
        match self {
            Self::Not(inner) => std::slice::from_ref(inner),
            Self::All(parts) | Self::Any(parts) => parts,
            _ => &[],
        }
    }

    fn children_mut(&mut self) -> &mut [Check] {
        match self {
            Self::Not(inner) => std::slice::from_mut(inner),
            Self::All(parts) | Self::Any(parts) => parts,
            _ => &mut [],
        }
    }

    /// Calls `visit` for this check and all below it, with whether it stands under an odd number of `not`.
    pub(super) fn walk<'a>(&'a self, negated: bool, visit: &mut dyn FnMut(&'a Check, bool)) {
        visit(self, negated);
        let below = negated ^ matches!(self, Self::Not(_));
        for child in self.children() {
            child.walk(below, visit);
        }
    }

    /// Calls `visit` for each reference to another rule.
    pub(super) fn references_mut(&mut self, visit: &mut dyn FnMut(&mut Reference)) {
        if let Self::Rule(reference) = self {
            visit(reference);
        }
        for child in self.children_mut() {
            child.references_mut(visit);
        }
    }
}

impl Pattern {
    /// The names of the target's attributes it needs.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        let (one, many) = match self {
            Self::Text(_) => (None, &[][..]),
            Self::Target(key) => (Some(key), &[][..]),
            Self::Mixed(pieces) => (None, pieces.as_slice()),
        };
        one.into_iter()
            .chain(many.iter().filter_map(|piece| match piece {
                Piece::Target(key) => Some(key),
                Piece::Text(_) => None,
            }))
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("@"),
            Self::Never => f.write_str("!"),
            Self::Not(inner) => write!(f, "not {inner}"),
            Self::All(parts) => joined(f, parts, " and "),
            Self::Any(parts) => joined(f, parts, " or "),
            Self::Rule(reference) => write!(f, "rule:{}", reference.name),
            Self::Role(pattern) => write!(f, "role:{pattern}"),
            Self::Literal(literal, pattern) => write!(f, "{}:{pattern}", literal.source),
            Self::Attribute(attribute, pattern) => write!(f, "{attribute}:{pattern}"),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Check], word: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        let before = if index == 0 { "(" } else { word };
        write!(f, "{before}{part}")?;
    }
    f.write_str(")")
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&text.replace('%', "%%")),
            Self::Target(key) => write!(f, "%({})s", key.name()),
            Self::Mixed(pieces) => pieces.iter().try_for_each(|piece| match piece {
                Piece::Text(text) => f.write_str(&text.replace('%', "%%")),
                Piece::Target(key) => write!(f, "%({})s", key.name()),
            }),
        }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Token(path) = self {
            return write!(f, "token.{path}");
        }
        let name = Self::PLAIN.iter().find(|(_, own)| own == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}
