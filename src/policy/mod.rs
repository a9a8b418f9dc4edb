//! oslo.policy: the rule language, Keystone's default rules, and enforcement.
//!
//! A policy is compiled once into an [`Enforcer`], which never changes. A reload makes a new one and swaps it in; if
//! the new one is refused the old stays. Handlers name a rule by [`Rule`], so that a misspelt one doesn't compile:
//!
//! ```ignore
//! let target = Target::new().with("target.user.id", &user.id).with("target.user.domain_id", &user.domain_id);
//! match enforcer.check(Rule::GetUser, &caller, &target) {
//!     Decision::Allowed => {}
//!     Decision::Denied(denial) => return Err(ApiError::forbidden(denial.rule)),
//! }
//! ```
//!
//! Decisions are those of oslo.policy 6 under Keystone 30, which a test holds against recorded ones. Where Python
//! takes a rule it can't make sense of for one that denies (or, for a null in YAML, allows), or fails each time it is
//! checked, the policy is refused at load; [`Problem`] lists what is refused beyond that.

mod check;
mod compile;
mod credentials;
mod defaults;
mod error;
mod evaluate;
mod explain;
mod overrides;
mod parse;
mod report;
mod rule;
mod sample;
mod subject;
mod target;
#[cfg(test)]
mod tests;
mod value;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::check::Check;
use self::evaluate::{Broken, Scene};

pub use self::credentials::{Credentials, json_attribute};
pub use self::error::{PolicyError, Problem, Warning};
pub use self::explain::{Explanation, Outcome, Step};
pub use self::overrides::Overrides;
pub use self::report::{EffectiveRule, Report, validate};
pub use self::rule::Rule;
pub use self::sample::sample;
pub use self::subject::{Lookup, ScopeType, Subject};
pub use self::target::Target;
pub use self::value::{Value, python_repr};

/// The part of `[oslo_policy]` that changes decisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether a rule's scope types bind. oslo.policy 6 has no such option any more: there they always do.
    pub enforce_scope: bool,
    /// Whether the defaults of today alone count. If not, a rule that the operator hasn't overridden also holds where
    /// the default of old held.
    pub enforce_new_defaults: bool,
    /// The rule that stands in for one that doesn't exist, if it exists itself (`policy_default_rule`).
    pub default_rule: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enforce_scope: true,
            enforce_new_defaults: true,
            default_rule: Some("default".to_owned()),
        }
    }
}

/// A policy in force. Immutable and `Sync`; a check allocates nothing as long as rules compare texts.
pub struct Enforcer {
    rules: Box<[Loaded]>,
    by_name: HashMap<Box<str>, usize>,
    fallback: Option<usize>,
    enforce_scope: bool,
}

/// A rule in force.
#[derive(Clone)]
struct Loaded {
    name: Cow<'static, str>,
    check: Check,
    text: Cow<'static, str>,
    scopes: Scopes,
    source: Source,
}

/// Where a rule in force comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The server's default.
    Default,
    /// The server's default or the one before it, whichever holds (`enforce_new_defaults = false`).
    DefaultOrDeprecated,
    /// A file of the operator.
    File(Arc<Path>),
}

/// A decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    /// The caller may.
    Allowed,
    /// The caller may not. The client is told the rule's name and nothing else.
    Denied(Denial),
}

impl Decision {
    /// Whether the caller may.
    pub fn is_allowed(self) -> bool {
        self == Self::Allowed
    }
}

/// A refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The name of the rule that was asked for; empty where the server has no rule of that name.
    pub rule: &'static str,
    /// Why. For logs and `explain`, not for clients.
    pub cause: Cause,
}

/// Why a caller was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The rule doesn't hold.
    Check,
    /// The rule doesn't admit tokens of this scope.
    Scope(ScopeType),
    /// The rule looks for a part of something in the token that has no parts.
    Broken,
    /// There is no such rule.
    UnknownRule,
}

impl Enforcer {
    /// Puts the default rules and `overrides` together.
    ///
    /// # Errors
    /// [`PolicyError::Rules`] with every circle, negated reference to nowhere and excess found.
    pub fn new(
        settings: &Settings,
        overrides: Overrides,
    ) -> Result<(Self, Vec<Warning>), PolicyError> {
        let compiled = compile::compile(settings, overrides);
        if !compiled.problems.is_empty() {
            return Err(PolicyError::Rules(compiled.problems));
        }
        let fallback = settings.default_rule.as_deref();
        let enforcer = Self {
            fallback: fallback.and_then(|name| compiled.by_name.get(name).copied()),
            rules: compiled.rules.into_boxed_slice(),
            by_name: compiled.by_name,
            enforce_scope: settings.enforce_scope,
        };
        Ok((enforcer, compiled.warnings))
    }

    /// Whether `subject` may do to `target` what `rule` guards.
    pub fn check(&self, rule: Rule, subject: &dyn Subject, target: &Target<'_>) -> Decision {
        let loaded = self.rules.get(rule as usize);
        self.decide(rule.name(), loaded, Scene { subject, target })
    }

    /// The same by name: for rules that only a file has, and for the command line. A name that nothing has is
    /// decided by the default rule, and denied where there is none.
    pub fn check_named(&self, name: &str, subject: &dyn Subject, target: &Target<'_>) -> Decision {
        let known = Rule::named(name).map_or("", Rule::name);
        self.decide(known, self.find(name), Scene { subject, target })
    }

    fn find(&self, name: &str) -> Option<&Loaded> {
        let at = self.by_name.get(name).copied().or(self.fallback)?;
        self.rules.get(at)
    }

    fn decide(&self, rule: &'static str, loaded: Option<&Loaded>, scene: Scene<'_>) -> Decision {
        let denied = |cause| Decision::Denied(Denial { rule, cause });
        let Some(loaded) = loaded else {
            return denied(Cause::UnknownRule);
        };
        let scope = scene.subject.scope();
        if self.enforce_scope && !loaded.scopes.admit(scope) {
            return denied(Cause::Scope(scope));
        }
        match self.holds(&loaded.check, scene) {
            Ok(true) => Decision::Allowed,
            Ok(false) => denied(Cause::Check),
            Err(Broken) => denied(Cause::Broken),
        }
    }
}

/// What an operation such as `GET /v3/users` does, in the words of its rule.
pub fn described(operation: &str) -> Option<&'static str> {
    let asks = |rule: &&defaults::DefaultRule| {
        let mut operations = rule.operations.iter();
        operations.any(|one| one.split('?').next() == Some(operation))
    };
    defaults::all().find(asks).map(|rule| rule.description)
}

/// The operations that ask for a rule, such as `GET /v3/users`; none for one that others are made of.
pub fn operations(rule: Rule) -> &'static [&'static str] {
    let found = defaults::all().find(|default| default.rule == rule);
    found.map_or(&[], |default| default.operations)
}

/// Whether anything that is routed may ask for a rule, itself or by another one.
pub fn is_routed(rule: Rule) -> bool {
    defaults::not_routed().all(|default| default.rule != rule)
}

/// A set of scope types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Scopes(u8);

impl Scopes {
    /// A rule without scope types admits every token.
    const ANY: Self = Self(0b111);

    const fn bit(scope: ScopeType) -> u8 {
        match scope {
            ScopeType::System => 0b001,
            ScopeType::Domain => 0b010,
            ScopeType::Project => 0b100,
        }
    }

    fn of(types: &[ScopeType]) -> Self {
        if types.is_empty() {
            return Self::ANY;
        }
        Self(types.iter().fold(0, |set, &scope| set | Self::bit(scope)))
    }

    const fn admit(self, scope: ScopeType) -> bool {
        self.0 & Self::bit(scope) != 0
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let types = [ScopeType::System, ScopeType::Domain, ScopeType::Project];
        let mut separator = "";
        for scope in types.into_iter().filter(|&scope| self.admit(scope)) {
            write!(f, "{separator}{scope}")?;
            separator = ", ";
        }
        Ok(())
    }
}

/// Reads `data` as a rule, as a YAML and as a JSON policy, and puts each that can be read into force. For a fuzzer:
/// whatever the bytes, it returns.
pub fn fuzz_policy(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(check) = parse::rule(text) {
        // What is written of a rule reads as the same rule, unless its parentheses exceed the bounds.
        let again = parse::rule(&check.to_string());
        debug_assert!(again.is_err() || again.as_ref() == Ok(&check));
    }
    for name in ["policy.yaml", "policy.json"] {
        let mut overrides = Overrides::default();
        if overrides.add(&PathBuf::from(name), text).is_ok()
            && let Ok((enforcer, _)) = Enforcer::new(&Settings::default(), overrides)
        {
            let nobody = Credentials::default();
            for rule in enforcer.list() {
                let explained = enforcer.explain(rule.name, &nobody, &Target::new());
                debug_assert!(!explained.to_string().is_empty());
            }
        }
    }
}
