//! Whether a check holds.

use std::borrow::Cow;

use super::check::{Attribute, Check, Literal, Pattern, Piece};
use super::subject::{Lookup, Subject};
use super::target::Target;
use super::value::Value;
use super::{Enforcer, Loaded};

/// The check can't be answered; the decision as a whole is no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// What a decision is about.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) subject: &'a dyn Subject,
    pub(super) target: &'a Target<'a>,
}

impl Enforcer {
    /// Left to right, stopping where the answer is known, like oslo.policy: so a broken check matters only where it
    /// is reached.
    pub(super) fn holds(&self, check: &Check, scene: Scene<'_>) -> Result<bool, Broken> {
        match check {
            Check::Not(inner) => self.holds(inner, scene).map(|held| !held),
            Check::All(parts) => {
                for part in parts {
                    if !self.holds(part, scene)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Check::Any(parts) => {
                for part in parts {
                    if self.holds(part, scene)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Check::Rule(reference) => match reference.index.and_then(|at| self.rules.get(at)) {
                Some(Loaded { check, .. }) => self.holds(check, scene),
                None => Ok(false),
            },
            leaf => scene.holds(leaf),
        }
    }
}

impl Scene<'_> {
    /// Whether a check that refers to nothing else holds.
    pub(super) fn holds(self, leaf: &Check) -> Result<bool, Broken> {
        match leaf {
            Check::Always => Ok(true),
            Check::Role(pattern) => Ok(self.has_role(pattern)),
            Check::Literal(literal, pattern) => Ok(self.is_literal(literal, pattern)),
            Check::Attribute(attribute, pattern) => self.has(attribute, pattern),
            _ => Ok(false),
        }
    }

    fn has_role(self, pattern: &Pattern) -> bool {
        match pattern {
            Pattern::Text(name) => self.subject.has_role(name),
            _ => self
                .fill(pattern)
                .is_some_and(|name| self.subject.has_role(&name.text().to_lowercase())),
        }
    }

    fn is_literal(self, literal: &Literal, pattern: &Pattern) -> bool {
        self.fill(pattern)
            .is_some_and(|wanted| wanted.as_value().reads(&literal.text))
    }

    /// An attribute that the target lacks makes the check false before the caller is looked at.
    fn has(self, attribute: &Attribute, pattern: &Pattern) -> Result<bool, Broken> {
        let Some(wanted) = self.fill(pattern) else {
            return Ok(false);
        };
        let wanted = wanted.text();
        let subject = self.subject;
        let is = |value: Option<&str>| Ok(Value::from(value).reads(&wanted));
        match attribute {
            Attribute::UserId => is(subject.user_id()),
            Attribute::UserDomainId => is(subject.user_domain_id()),
            Attribute::ProjectId => is(subject.project_id()),
            Attribute::ProjectDomainId => is(subject.project_domain_id()),
            // Keystone hands an empty domain on as null, and the system's older name only where it is set.
            Attribute::DomainId => is(subject.domain_id().filter(|id| !id.is_empty())),
            Attribute::SystemScope => is(subject.system_scope()),
            Attribute::System => Ok(subject
                .system_scope()
                .is_some_and(|scope| !scope.is_empty() && scope == wanted)),
            Attribute::Roles => Ok(subject.any_role(&mut |role| role == wanted)),
            // Absent unless it is given, for Keystone has no such attribute; 1 is what its rules ask for.
            Attribute::IsAdmin => Ok(subject.is_admin() && wanted == "1"),
            Attribute::IsAdminProject => Ok(Value::Bool(subject.is_admin_project()).reads(&wanted)),
            Attribute::Token(path) => {
                match subject.token_attribute(path, &mut |value| value.reads(&wanted)) {
                    Lookup::Matched => Ok(true),
                    Lookup::Unmatched => Ok(false),
                    Lookup::NoSuchPart => Err(Broken),
                }
            }
        }
    }

    /// The right side with the target's attributes filled in; `None` where the target lacks one of them.
    fn fill<'p>(&'p self, pattern: &'p Pattern) -> Option<Filled<'p>> {
        match pattern {
            Pattern::Text(text) => Some(Filled::Value(Value::Text(text))),
            Pattern::Target(key) => self.target.get(key).map(Filled::Value),
            Pattern::Mixed(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(plain) => text.push_str(plain),
                        Piece::Target(key) => text.push_str(&self.target.get(key)?.text()),
                    }
                }
                Some(Filled::Text(text))
            }
        }
    }
}

enum Filled<'a> {
    Value(Value<'a>),
    Text(String),
}

impl Filled<'_> {
    fn as_value(&self) -> Value<'_> {
        match self {
            Self::Value(value) => *value,
            Self::Text(text) => Value::Text(text),
        }
    }

    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Value(value) => value.text(),
            Self::Text(text) => Cow::Borrowed(text),
        }
    }
}
