//! From the defaults and the operator's rules to what is in force.

use std::borrow::Cow;
use std::collections::HashMap;

use super::check::{Attribute, Check, Pattern};
use super::defaults::{self, DefaultRule};
use super::error::{Problem, Warning};
use super::overrides::Overrides;
use super::parse;
use super::subject::ScopeType;
use super::{Loaded, Rule, Scopes, Settings, Source};

/// Most rules of a policy.
const MAX_RULES: usize = 4096;
/// How far references may lead from rule to rule.
const MAX_CHAIN: usize = 32;
/// Most checks a decision may take, those of the rules referred to included, each as often as it is referred to.
const MAX_CHECKS: usize = 10_000;

/// Rules in force, or nearly.
pub(super) struct Compiled {
    /// First those of [`Rule`] in its order, then those that only the operator's files have.
    pub(super) rules: Vec<Loaded>,
    pub(super) by_name: HashMap<Box<str>, usize>,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Warning>,
}

pub(super) fn compile(settings: &Settings, overrides: Overrides) -> Compiled {
    let mut compiled = Compiled {
        rules: Vec::new(),
        by_name: HashMap::new(),
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    compiled.gather(settings, overrides);
    if compiled.rules.len() > MAX_RULES {
        compiled.problems.push(Problem::TooManyRules(MAX_RULES));
        return compiled;
    }
    let missing = compiled.resolve(settings);
    compiled.report_missing(&missing);
    compiled.bound();
    compiled
}

impl Compiled {
    fn gather(&mut self, settings: &Settings, mut overrides: Overrides) {
        let defaults: HashMap<Rule, &DefaultRule> = defaults::all()
            .map(|default| (default.rule, default))
            .collect();
        for &rule in Rule::ALL {
            let loaded = match (defaults.get(&rule), overrides.rules.remove(rule.name())) {
                (Some(default), over) => {
                    let own = self.of_default(settings, default);
                    match over {
                        None => own,
                        Some(over) => {
                            let loaded = Loaded {
                                check: over.check,
                                text: over.text.into(),
                                source: Source::File(over.file),
                                ..own.clone()
                            };
                            self.compare(settings, &own, &loaded);
                            loaded
                        }
                    }
                }
                (None, _) => {
                    self.wrong_default(rule, "is missing".into());
                    Loaded::denied(rule)
                }
            };
            self.push(loaded);
        }
        for (name, over) in overrides.rules {
            self.push(Loaded {
                name: name.into(),
                check: over.check,
                text: over.text.into(),
                scopes: Scopes::ANY,
                source: Source::File(over.file),
            });
        }
    }

    fn push(&mut self, loaded: Loaded) {
        let name = loaded.name.as_ref().into();
        if self.by_name.insert(name, self.rules.len()).is_some() {
            let rule = loaded.name.to_string();
            let message = "is there twice".to_owned();
            self.problems.push(Problem::Default { rule, message });
        }
        self.rules.push(loaded);
    }

    fn wrong_default(&mut self, rule: Rule, message: String) {
        self.problems.push(Problem::Default {
            rule: rule.name().to_owned(),
            message,
        });
    }

    /// As oslo.policy: without `enforce_new_defaults` a rule that nobody has overridden holds, too, where its
    /// predecessor did.
    fn of_default(&mut self, settings: &Settings, default: &DefaultRule) -> Loaded {
        let mut loaded = Loaded {
            check: Check::Never,
            text: Cow::Borrowed(default.check),
            scopes: Scopes::of(default.scopes),
            ..Loaded::denied(default.rule)
        };
        match parse::rule(default.check) {
            Ok(check) => loaded.check = check,
            Err(message) => self.wrong_default(default.rule, message),
        }
        if let Some(old) = &default.deprecated
            && !settings.enforce_new_defaults
        {
            match parse::rule(old.check) {
                Ok(check) => {
                    let new = std::mem::replace(&mut loaded.check, Check::Never);
                    loaded.check = Check::Any(vec![new, check]);
                    loaded.text = format!("({}) or ({})", default.check, old.check).into();
                    loaded.source = Source::DefaultOrDeprecated;
                }
                Err(message) => self.wrong_default(default.rule, message),
            }
        }
        loaded
    }

    /// What there is to say about a rule that replaces a default.
    fn compare(&mut self, settings: &Settings, own: &Loaded, over: &Loaded) {
        let Source::File(path) = &over.source else {
            return;
        };
        let rule = over.name.to_string();
        let file = path.to_path_buf();
        if over.check == own.check {
            self.warnings.push(Warning::Redundant { rule, file });
        } else if over.check == Check::Always {
            self.warnings.push(Warning::Open { rule, file });
        } else if settings.enforce_scope {
            over.check.walk(false, &mut |check, negated| {
                if !negated && needs(check).is_some_and(|scope| !over.scopes.admit(scope)) {
                    self.warnings.push(Warning::NeverInScope {
                        rule: rule.clone(),
                        file: file.clone(),
                        check: check.to_string(),
                        admits: over.scopes.to_string(),
                    });
                }
            });
        }
    }

    /// Gives each reference the place of its rule, or that of the default rule. Returns those that lead nowhere:
    /// the rule, the name, whether it stands under `not` within the rule.
    fn resolve(&mut self, settings: &Settings) -> Vec<(usize, String, bool)> {
        let fallback = settings.default_rule.as_deref();
        let fallback = fallback.and_then(|name| self.by_name.get(name).copied());
        let mut missing = Vec::new();
        for (at, rule) in self.rules.iter_mut().enumerate() {
            rule.check.references_mut(&mut |reference| {
                let found = self.by_name.get(reference.name.as_str()).copied();
                reference.index = found.or(fallback);
            });
            rule.check.walk(false, &mut |check, negated| {
                if let Check::Rule(reference) = check
                    && reference.index.is_none()
                {
                    missing.push((at, reference.name.clone(), negated));
                }
            });
        }
        missing
    }

    fn report_missing(&mut self, missing: &[(usize, String, bool)]) {
        let negated = self.negated();
        for (at, missing, under_not) in missing {
            let rule = self.name(*at);
            let missing = missing.clone();
            if *under_not || negated.get(*at) == Some(&true) {
                self.problems
                    .push(Problem::NegatesMissing { rule, missing });
            } else {
                let warning = Warning::MissingReference { rule, missing };
                self.warnings.push(warning);
            }
        }
        self.report_unknown();
    }

    /// For each rule whether another refers to it under `not`, however many rules lie between.
    fn negated(&self) -> Vec<bool> {
        let mut negated = vec![false; self.rules.len()];
        let mut queue: Vec<usize> = Vec::new();
        for rule in &self.rules {
            queue.extend(references(&rule.check).filter_map(|(to, not)| not.then_some(to)));
        }
        while let Some(at) = queue.pop() {
            if let (Some(seen), Some(rule)) = (negated.get_mut(at), self.rules.get(at))
                && !std::mem::replace(seen, true)
            {
                queue.extend(references(&rule.check).filter_map(|(to, not)| (!not).then_some(to)));
            }
        }
        negated
    }

    /// Rules of files that nothing asks for: most often a name misspelt.
    fn report_unknown(&mut self) {
        let mut wanted = vec![false; self.rules.len()];
        for rule in &self.rules {
            for (to, _) in references(&rule.check) {
                if let Some(wanted) = wanted.get_mut(to) {
                    *wanted = true;
                }
            }
        }
        for (rule, wanted) in self.rules.iter().zip(wanted).skip(Rule::ALL.len()) {
            if let (false, Source::File(file)) = (wanted, &rule.source) {
                self.warnings.push(Warning::Unknown {
                    rule: rule.name.to_string(),
                    file: file.to_path_buf(),
                });
            }
        }
    }

    /// Finds circles and bounds what a decision can cost.
    fn bound(&mut self) {
        let mut costs = Costs {
            rules: &self.rules,
            known: vec![None; self.rules.len()],
            path: Vec::new(),
            problems: Vec::new(),
        };
        for at in 0..self.rules.len() {
            if costs.of(at).is_none() {
                break; // one circle makes all rules that lead to it look bad
            }
        }
        self.problems.append(&mut costs.problems);
    }

    fn name(&self, at: usize) -> String {
        let rule = self.rules.get(at);
        rule.map(|rule| rule.name.to_string()).unwrap_or_default()
    }
}

/// The rules a check refers to, with whether under `not`.
fn references(check: &Check) -> impl Iterator<Item = (usize, bool)> {
    let mut found = Vec::new();
    check.walk(false, &mut |check, negated| {
        if let Check::Rule(reference) = check
            && let Some(index) = reference.index
        {
            found.push((index, negated));
        }
    });
    found.into_iter()
}

/// The scope without which a check can't hold.
fn needs(check: &Check) -> Option<ScopeType> {
    let Check::Attribute(attribute, pattern) = check else {
        return None;
    };
    if matches!(pattern, Pattern::Text(text) if text == "None") {
        return None;
    }
    match attribute {
        Attribute::SystemScope | Attribute::System => Some(ScopeType::System),
        Attribute::DomainId => Some(ScopeType::Domain),
        Attribute::Token(path) if path.starts_with("domain.") => Some(ScopeType::Domain),
        Attribute::ProjectId | Attribute::ProjectDomainId => Some(ScopeType::Project),
        Attribute::Token(path) if path.starts_with("project.") => Some(ScopeType::Project),
        _ => None,
    }
}

struct Costs<'a> {
    rules: &'a [Loaded],
    /// Levels of references below a rule, and checks it takes.
    known: Vec<Option<(usize, usize)>>,
    path: Vec<usize>,
    problems: Vec<Problem>,
}

impl Costs<'_> {
    fn of(&mut self, at: usize) -> Option<(usize, usize)> {
        if let Some(Some(known)) = self.known.get(at) {
            return Some(*known);
        }
        if let Some(start) = self.path.iter().position(|&on| on == at) {
            let circle = self.path.iter().skip(start).chain([&at]);
            let names = circle.filter_map(|&on| self.rules.get(on));
            let names = names.map(|rule| rule.name.to_string()).collect();
            self.problems.push(Problem::Cycle(names));
            return None;
        }
        let rule = self.rules.get(at)?;
        if self.path.len() > MAX_CHAIN {
            let first = self.path.first().and_then(|&on| self.rules.get(on));
            self.problems.push(Problem::TooDeep {
                rule: first.unwrap_or(rule).name.to_string(),
                limit: MAX_CHAIN,
            });
            return None;
        }
        self.path.push(at);
        let mut checks = 0_usize;
        rule.check.walk(false, &mut |_, _| checks += 1);
        let mut levels = 0;
        for (to, _) in references(&rule.check) {
            let (below, cost) = self.of(to)?;
            levels = levels.max(below + 1);
            checks = checks.saturating_add(cost);
        }
        self.path.pop();
        let problem = if levels > MAX_CHAIN {
            let limit = MAX_CHAIN;
            let rule = rule.name.to_string();
            Some(Problem::TooDeep { rule, limit })
        } else if checks > MAX_CHECKS {
            let limit = MAX_CHECKS;
            let rule = rule.name.to_string();
            Some(Problem::TooCostly { rule, limit })
        } else {
            None
        };
        if let Some(problem) = problem {
            self.problems.push(problem);
            return None;
        }
        if let Some(slot) = self.known.get_mut(at) {
            *slot = Some((levels, checks));
        }
        Some((levels, checks))
    }
}

impl Loaded {
    fn denied(rule: Rule) -> Self {
        Self {
            name: Cow::Borrowed(rule.name()),
            check: Check::Never,
            text: Cow::Borrowed("!"),
            scopes: Scopes::ANY,
            source: Source::Default,
        }
    }
}

/// Where a rule in force comes from, as shown to the operator.
impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::DefaultOrDeprecated => f.write_str("default, or its predecessor"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}
