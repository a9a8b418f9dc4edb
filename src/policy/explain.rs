//! Which part of a rule said no: for `policy check` on the command line.

use std::fmt;

use super::check::{Attribute, Check};
use super::evaluate::{Broken, Scene};
use super::subject::Subject;
use super::target::Target;
use super::value::Value;
use super::{Cause, Decision, Enforcer, Loaded, Rule, Source};

/// A decision and how it came about. `Display` writes it as an indented tree.
pub struct Explanation {
    /// The name of the rule asked for.
    pub rule: String,
    /// The decision, the same as `check` makes.
    pub decision: Decision,
    /// Where the rule comes from; `None` if there is none.
    pub source: Option<Source>,
    /// The scope types that the rule admits, and whether they are enforced.
    pub scopes: (String, bool),
    /// What each part of the rule said, whether or not the answer needed it; `None` if there is no rule.
    pub step: Option<Step>,
}

/// What a check said.
pub struct Step {
    /// The check in the rule language.
    pub check: String,
    /// Its answer.
    pub outcome: Outcome,
    /// Where words help: the values compared, or what is missing.
    pub why: Option<String>,
    /// The checks it consists of, or the rule it refers to.
    pub parts: Vec<Step>,
}

/// The answer of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Yes,
    /// It doesn't.
    No,
    /// It can't be answered, which denies the whole.
    Broken,
}

impl From<Result<bool, Broken>> for Outcome {
    fn from(held: Result<bool, Broken>) -> Self {
        match held {
            Ok(true) => Self::Yes,
            Ok(false) => Self::No,
            Err(Broken) => Self::Broken,
        }
    }
}

impl Enforcer {
    /// The decision of [`Enforcer::check_named`], and what each part of the rule had to say. Slower, and shows what
    /// the target holds, except for values that come from a request's body or query; for operators only.
    pub fn explain(&self, name: &str, subject: &dyn Subject, target: &Target<'_>) -> Explanation {
        let found = self.find(name);
        let scene = Scene { subject, target };
        let known = Rule::named(name).map_or("", Rule::name);
        Explanation {
            rule: name.to_owned(),
            decision: self.decide(known, found, scene),
            source: found.map(|loaded| loaded.source.clone()),
            scopes: (
                found
                    .map(|loaded| loaded.scopes.to_string())
                    .unwrap_or_default(),
                self.enforce_scope,
            ),
            step: found.map(|loaded| self.step(&loaded.check, scene)),
        }
    }

    fn step(&self, check: &Check, scene: Scene<'_>) -> Step {
        let mut parts: Vec<Step> = Vec::new();
        let mut why = None;
        match check {
            Check::Rule(reference) => match reference.index.and_then(|at| self.rules.get(at)) {
                Some(Loaded { check, name, .. }) => {
                    parts.push(self.step(check, scene));
                    why = (*name != reference.name)
                        .then(|| format!("does not exist; the default rule {name} stands in"));
                }
                None => why = Some("does not exist".to_owned()),
            },
            Check::Not(_) | Check::All(_) | Check::Any(_) => {
                parts.extend(check.children().iter().map(|part| self.step(part, scene)));
            }
            leaf => why = scene.why(leaf),
        }
        Step {
            check: check.to_string(),
            outcome: outcome(check, &parts, scene),
            why,
            parts,
        }
    }
}

/// From left to right, as in a real decision: what follows the deciding part changes nothing.
fn outcome(check: &Check, parts: &[Step], scene: Scene<'_>) -> Outcome {
    let first_other_than = |usual| {
        let mut outcomes = parts.iter().map(|part| part.outcome);
        outcomes.find(|&outcome| outcome != usual).unwrap_or(usual)
    };
    match check {
        Check::All(_) => first_other_than(Outcome::Yes),
        Check::Any(_) | Check::Rule(_) => first_other_than(Outcome::No),
        Check::Not(_) => match first_other_than(Outcome::No) {
            Outcome::Yes => Outcome::No,
            Outcome::No => Outcome::Yes,
            Outcome::Broken => Outcome::Broken,
        },
        leaf => scene.holds(leaf).into(),
    }
}

impl Scene<'_> {
    /// The values that a check compared.
    fn why(self, leaf: &Check) -> Option<String> {
        let (own, pattern) = match leaf {
            Check::Role(pattern) => (format!("the roles are {}", self.roles()), pattern),
            Check::Attribute(attribute, pattern) => (self.own(attribute), pattern),
            Check::Literal(_, pattern) => (String::new(), pattern),
            _ => return None,
        };
        let mut said: Vec<String> = pattern.keys().map(|key| self.of_target(key)).collect();
        if !own.is_empty() {
            said.insert(0, own);
        }
        (!said.is_empty()).then(|| said.join(", "))
    }

    fn of_target(self, key: &super::target::Key) -> String {
        let name = key.name();
        match self.target.get(key) {
            None => format!("the target has no {name}"),
            Some(_) if key.is_from_client() => format!("{name} is not shown"),
            Some(value) => format!("{name} is {}", shown(value)),
        }
    }

    fn roles(self) -> String {
        let mut names = Vec::new();
        self.subject.any_role(&mut |role| {
            names.push(role.to_owned());
            false
        });
        if names.is_empty() {
            return "none".to_owned();
        }
        names.join(", ")
    }

    fn own(self, attribute: &Attribute) -> String {
        let subject = self.subject;
        let value: Value<'_> = match attribute {
            Attribute::UserId => subject.user_id().into(),
            Attribute::UserDomainId => subject.user_domain_id().into(),
            Attribute::ProjectId => subject.project_id().into(),
            Attribute::ProjectDomainId => subject.project_domain_id().into(),
            Attribute::DomainId => subject.domain_id().into(),
            Attribute::SystemScope | Attribute::System => subject.system_scope().into(),
            Attribute::IsAdmin => subject.is_admin().into(),
            Attribute::IsAdminProject => subject.is_admin_project().into(),
            Attribute::Roles => return format!("roles are {}", self.roles()),
            Attribute::Token(path) => {
                let mut values = Vec::new();
                subject.token_attribute(path, &mut |value| {
                    values.push(shown(value));
                    false
                });
                return if values.is_empty() {
                    format!("the token has no {path}")
                } else {
                    format!("token.{path} is {}", values.join(", "))
                };
            }
        };
        format!("{attribute} is {}", shown(value))
    }
}

fn shown(value: Value<'_>) -> String {
    match value {
        Value::Text(text) => format!("{text:?}"),
        other => other.text().into_owned(),
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.decision {
            Decision::Allowed => "allowed".to_owned(),
            Decision::Denied(denial) => match denial.cause {
                Cause::Check => "denied: the rule does not hold".to_owned(),
                Cause::Scope(scope) => format!(
                    "denied: the token counts as scoped to a {scope}, the rule admits {} only",
                    self.scopes.0
                ),
                Cause::Broken => "denied: the rule can't be answered".to_owned(),
                Cause::UnknownRule => "denied: there is no such rule".to_owned(),
            },
        };
        writeln!(f, "{}: {verdict}", self.rule)?;
        if let Some(source) = &self.source {
            writeln!(f, "from: {source}")?;
            let bound = if self.scopes.1 { "" } else { " (not enforced)" };
            writeln!(f, "scope types: {}{bound}", self.scopes.0)?;
        }
        self.step.iter().try_for_each(|step| step.write(f, 1))
    }
}

impl Step {
    fn write(&self, f: &mut fmt::Formatter<'_>, level: usize) -> fmt::Result {
        let outcome = match self.outcome {
            Outcome::Yes => "yes",
            Outcome::No => "no ",
            Outcome::Broken => "???",
        };
        write!(
            f,
            "{:indent$}{outcome} {}",
            "",
            self.check,
            indent = level * 2
        )?;
        match &self.why {
            Some(why) => writeln!(f, "    ({why})")?,
            None => writeln!(f)?,
        }
        self.parts
            .iter()
            .try_for_each(|part| part.write(f, level + 1))
    }
}
