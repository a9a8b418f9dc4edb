//! What a password has to look like: `[security_compliance] password_regex`.

use regex::{Regex, RegexBuilder};
use secrecy::{ExposeSecret, SecretString};

use super::super::Error;

/// A compiled pattern may take this much memory, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// A pattern that passwords have to match from their beginning, as with Python's `re.match`.
///
/// It is matched in time linear in the password's length, whatever the pattern. Such a matcher
/// knows no look-around; but the patterns in use begin with look-aheads, as Keystone's own example
/// `^(?=.*\d)(?=.*[a-zA-Z]).{7,}$`. Those at the beginning are conditions of their own on the same
/// text, and are matched one by one.
#[derive(Clone, Debug)]
pub struct PasswordRequirement {
    /// Each with whether it has to match, or must not.
    conditions: Vec<(Regex, bool)>,
    /// What clients are told: `password_regex_description`.
    description: Option<String>,
}

/// A pattern that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("[security_compliance] password_regex: {0}")]
pub struct InvalidPattern(String);

impl PasswordRequirement {
    /// The requirement of this pattern, and what clients are told of it.
    ///
    /// # Errors
    /// A pattern that is none, is too large, or has look-around elsewhere than at its beginning,
    /// or back-references.
    pub fn new(pattern: &str, description: Option<String>) -> Result<Self, InvalidPattern> {
        let mut conditions = Vec::new();
        let mut rest = pattern.strip_prefix('^').unwrap_or(pattern);
        loop {
            let (wanted, after) = if let Some(after) = rest.strip_prefix("(?=") {
                (true, after)
            } else if let Some(after) = rest.strip_prefix("(?!") {
                (false, after)
            } else {
                break;
            };
            let end = closing(after)
                .ok_or_else(|| InvalidPattern("a look-ahead is not closed".to_owned()))?;
            let (inner, after) = after.split_at(end);
            conditions.push((anchored(inner)?, wanted));
            rest = after.strip_prefix(')').unwrap_or(after);
        }
        // `(?=a)b|c` is `c` too, which no condition on all of it could say.
        if !conditions.is_empty() && has_alternatives(rest) {
            let reason = "alternatives behind a look-ahead have to be in parentheses";
            return Err(InvalidPattern(reason.to_owned()));
        }
        conditions.push((anchored(rest)?, true));
        Ok(Self {
            conditions,
            description,
        })
    }

    /// Whether a password is as it has to be.
    pub(in super::super) fn check(&self, password: &SecretString) -> Result<(), Error> {
        let password = password.expose_secret();
        let met = self
            .conditions
            .iter()
            .all(|(pattern, wanted)| pattern.is_match(password) == *wanted);
        match met {
            true => Ok(()),
            false => Err(Error::PasswordRequirements(
                // Keystone's word for no description is Python's.
                self.description
                    .clone()
                    .unwrap_or_else(|| "None".to_owned()),
            )),
        }
    }
}

fn anchored(pattern: &str) -> Result<Regex, InvalidPattern> {
    // A group, so that `a|b` is anchored as a whole.
    RegexBuilder::new(&format!("^(?:{pattern})"))
        .size_limit(SIZE_LIMIT)
        .build()
        .map_err(|error| InvalidPattern(error.to_string()))
}

/// Where the parenthesis closes that is open at the beginning.
fn closing(pattern: &str) -> Option<usize> {
    let mut depth = 1_usize;
    operators(pattern).into_iter().find_map(|(at, operator)| {
        match operator {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(at)
    })
}

/// Whether there is a `|` in no parentheses.
fn has_alternatives(pattern: &str) -> bool {
    let mut depth = 0_usize;
    operators(pattern).into_iter().any(|(_, operator)| {
        match operator {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && operator == '|'
    })
}

/// The parentheses and bars of a pattern that don't stand for themselves, and where they are.
fn operators(pattern: &str) -> Vec<(usize, char)> {
    let mut found = Vec::new();
    let mut in_class = false;
    let mut characters = pattern.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '[' if !in_class => {
                in_class = true;
                // A bracket that comes first in a class stands for itself.
                characters.next_if(|(_, next)| *next == '^');
                characters.next_if(|(_, next)| *next == ']');
            }
            ']' => in_class = false,
            '(' | ')' | '|' if !in_class => found.push((at, character)),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(pattern: &str, password: &str) -> bool {
        let requirement = PasswordRequirement::new(pattern, None).unwrap();
        requirement.check(&password.into()).is_ok()
    }

    #[test]
    fn keystones_own_example_works() {
        let pattern = r"^(?=.*\d)(?=.*[a-zA-Z]).{7,}$";
        assert!(allows(pattern, "abcdef7"));
        assert!(!allows(pattern, "abcdefg"), "no digit");
        assert!(!allows(pattern, "1234567"), "no letter");
        assert!(!allows(pattern, "abcde7"), "too short");
    }

    #[test]
    fn a_pattern_is_anchored_at_its_beginning_only() {
        assert!(allows("abc", "abcdef"));
        assert!(!allows("abc", "xabc"));
        assert!(allows("x|abc", "abc"));
        assert!(!allows("x|abc", "yabc"));
    }

    #[test]
    fn look_aheads_may_deny_and_contain_anything() {
        let pattern = r"(?!.*(pass|word))(?=.*[)\]])(?=.*[^]\w]).+";
        assert!(allows(pattern, "p)q"));
        assert!(!allows(pattern, "my)word"));
        assert!(!allows(pattern, "pq"));
    }

    #[test]
    fn what_is_no_pattern_is_refused_at_the_start() {
        for pattern in [
            "(",
            "(?=a",
            r"(a)\1",
            "a(?=b)",
            "(?<=a)b",
            "(?=a)b|c",
            "a{1000}{1000}{1000}",
        ] {
            let refused = PasswordRequirement::new(pattern, None).unwrap_err();
            assert!(
                refused
                    .to_string()
                    .starts_with("[security_compliance] password_regex: "),
                "{pattern}"
            );
        }
    }

    #[test]
    fn a_pathological_pattern_takes_no_longer_than_another() {
        // Of exponential cost where a matcher tries all ways.
        let pattern = "^(a+)+$";
        assert!(!allows(pattern, &format!("{}b", "a".repeat(4095))));
    }

    #[test]
    fn clients_are_told_what_the_operator_wrote() {
        let refuse = |description: Option<&str>| {
            let requirement =
                PasswordRequirement::new("a", description.map(str::to_owned)).unwrap();
            requirement.check(&"b".into()).unwrap_err().to_string()
        };
        assert_eq!(
            refuse(Some("begin with a")),
            "The password does not match the requirements: begin with a."
        );
        assert_eq!(
            refuse(None),
            "The password does not match the requirements: None."
        );
    }
}
