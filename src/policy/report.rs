//! For the operator: the rules in force, and what is wrong with a policy.

use std::fmt;

use serde_json::Value as Json;

use super::compile::compile;
use super::error::{Problem, Warning};
use super::overrides::Overrides;
use super::{Enforcer, Rule, Settings, Source, is_routed};

/// A rule in force, as `policy list` shows it.
pub struct EffectiveRule<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it says, as its author wrote it.
    pub text: &'a str,
    /// The scope types it admits, separated by commas.
    pub scopes: String,
    /// Where it comes from.
    pub source: &'a Source,
    /// Whether anything asks for it; a rule that only the operator's files have counts as asked for by
    /// the others.
    pub is_routed: bool,
}

/// A line of a policy file in YAML, with a comment.
impl fmt::Display for EffectiveRule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", Json::from(self.name))?;
        // The list form is JSON already, and no text form begins so.
        match self.text.starts_with('[') {
            true => f.write_str(self.text)?,
            false => write!(f, "{}", Json::from(self.text))?,
        }
        write!(f, "  # {}; {}", self.scopes, self.source)?;
        match self.is_routed {
            true => Ok(()),
            false => f.write_str("; not routed yet"),
        }
    }
}

impl Enforcer {
    /// All rules in force, sorted by name.
    pub fn list(&self) -> Vec<EffectiveRule<'_>> {
        let mut rules: Vec<EffectiveRule<'_>> = self
            .rules
            .iter()
            .map(|rule| EffectiveRule {
                name: &rule.name,
                text: &rule.text,
                scopes: rule.scopes.to_string(),
                source: &rule.source,
                is_routed: Rule::named(&rule.name).is_none_or(is_routed),
            })
            .collect();
        rules.sort_by_key(|rule| rule.name);
        rules
    }
}

/// What is to be said about a policy.
pub struct Report {
    /// What keeps it from being put into force.
    pub problems: Vec<Problem>,
    /// What is likely not meant.
    pub warnings: Vec<Warning>,
}

/// Says what is wrong with a policy without putting it into force. Files that can't be read or parsed are reported by
/// [`Overrides::load`] already.
pub fn validate(settings: &Settings, overrides: Overrides) -> Report {
    let compiled = compile(settings, overrides);
    Report {
        problems: compiled.problems,
        warnings: compiled.warnings,
    }
}
