//! Decisions of oslo.policy, recorded by `tests/support/policy_differential.py`, decided again.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::super::{Credentials, Enforcer, Overrides, PolicyError, Problem, Settings, Target};

const CORPUS: &str = include_str!("../../../tests/support/policy_corpus.json");

struct Corpus {
    json: Json,
    callers: Vec<Credentials>,
}

impl Corpus {
    fn read() -> Self {
        let json: Json = serde_json::from_str(CORPUS).unwrap();
        let callers = json["callers"]
            .as_array()
            .unwrap()
            .iter()
            .map(Credentials::from_token)
            .collect();
        Self { json, callers }
    }

    /// As the server builds it: the body and the query apart from the rest.
    fn targets(&self) -> Vec<Target<'_>> {
        fn of(object: &Json) -> serde_json::map::Iter<'_> {
            object.as_object().unwrap().iter()
        }
        let targets = self.json["targets"].as_array().unwrap().iter();
        let build = |target| {
            of(target).fold(Target::new(), |built, (key, value)| match key.as_str() {
                "request_body" => built.with_body(value),
                "filter_attr" => of(value).fold(built, |built, (name, value)| {
                    built.with_query(name, value.as_str().unwrap())
                }),
                _ => built.with(key, value),
            })
        };
        targets.map(build).collect()
    }

    /// Asserts that `enforcer` decides `name` as recorded in `bits`. Returns the number of cases.
    fn compare(&self, enforcer: &Enforcer, name: &str, rule: &str, bits: &Json) -> usize {
        let targets = self.targets();
        let cases = self.callers.len() * targets.len();
        let bits: String = bits
            .as_str()
            .unwrap()
            .chars()
            .map(|c| format!("{:04b}", c.to_digit(16).unwrap()))
            .collect();
        let recorded = bits[bits.len() - cases..].bytes().map(|bit| bit == b'1');
        let pairs = (0..self.callers.len())
            .flat_map(|caller| (0..targets.len()).map(move |target| (caller, target)));
        for ((caller, target), expected) in pairs.zip(recorded) {
            let explanation = enforcer.explain(name, &self.callers[caller], &targets[target]);
            let decided = enforcer.check_named(name, &self.callers[caller], &targets[target]);
            assert_eq!(
                decided.is_allowed(),
                expected,
                "{rule}, caller {caller}, target {target}\n{explanation}"
            );
            assert_eq!(explanation.decision, decided);
        }
        cases
    }

    fn pairs(&self, part: &str) -> impl Iterator<Item = (&Json, &Json)> {
        self.json[part]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (&pair[0], &pair[1]))
    }

    fn with_aliases(&self, rule: &Json) -> Result<Enforcer, PolicyError> {
        let mut rules: BTreeMap<String, Json> =
            serde_json::from_value(self.json["aliases"].clone()).unwrap();
        rules.insert("tried".into(), rule.clone());
        let mut overrides = Overrides::default();
        overrides.add(Path::new("corpus.json"), &json!(rules).to_string())?;
        Ok(Enforcer::new(&Settings::default(), overrides)?.0)
    }
}

#[test]
fn keystones_defaults_are_decided_as_by_oslo_policy() {
    let corpus = Corpus::read();
    let mut cases = 0;
    for (part, enforce_new_defaults, enforce_scope) in [
        ("today", true, true),
        ("lenient", false, true),
        ("unscoped", false, false),
    ] {
        let settings = Settings {
            enforce_scope,
            enforce_new_defaults,
            ..Settings::default()
        };
        let (enforcer, _) = Enforcer::new(&settings, Overrides::default()).unwrap();
        let rules = corpus.json["defaults"][part].as_object().unwrap();
        assert_eq!(rules.len(), 204);
        for (name, bits) in rules {
            cases += corpus.compare(&enforcer, name, name, bits);
        }
    }
    assert!(cases > 60_000);
}

#[test]
fn rules_of_the_language_are_decided_as_by_oslo_policy() {
    let corpus = Corpus::read();
    let mut cases = 0;
    for (rule, bits) in corpus.pairs("language") {
        let enforcer = corpus
            .with_aliases(rule)
            .unwrap_or_else(|error| panic!("{rule}: {error}"));
        cases += corpus.compare(&enforcer, "tried", &rule.to_string(), bits);
    }
    assert!(cases > 30_000);
}

#[test]
fn a_changed_rule_is_refused_or_decided_as_by_oslo_policy() {
    let corpus = Corpus::read();
    let (mut accepted, mut refused) = (0, 0);
    for (rule, bits) in corpus.pairs("mutants") {
        match corpus.with_aliases(rule) {
            Ok(enforcer) => {
                corpus.compare(&enforcer, "tried", &rule.to_string(), bits);
                accepted += 1;
            }
            Err(PolicyError::Syntax { .. }) => refused += 1,
            Err(PolicyError::Rules(problems)) => {
                assert!(
                    matches!(problems[..], [Problem::NegatesMissing { .. }]),
                    "{rule}: {problems:?}"
                );
                refused += 1;
            }
            Err(other) => panic!("{rule}: {other}"),
        }
    }
    assert!(accepted > refused, "{accepted} accepted, {refused} refused");
}

#[test]
fn what_oslo_policy_cannot_make_sense_of_is_refused() {
    let corpus = Corpus::read();
    for rule in corpus.json["refused"].as_array().unwrap() {
        let refused = corpus.with_aliases(rule);
        assert!(
            matches!(refused, Err(PolicyError::Syntax { .. })),
            "{rule} was accepted"
        );
    }
}
