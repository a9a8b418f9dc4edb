//! Decisions of oslo.policy, recorded by `tests/support/policy_differential.py` or made by it now,
//! decided again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value as Json, json};

use super::super::defaults::{self, DefaultRule};
use super::super::{Credentials, Enforcer, Overrides, PolicyError, Problem, Settings, Target};

const CORPUS: &str = include_str!("../../../tests/support/policy_corpus.json");

struct Corpus {
    json: Json,
    callers: Vec<Credentials>,
}

impl Corpus {
    fn read() -> Self {
        Self::parse(CORPUS)
    }

    /// Of rules of another seed, decided by Python's oslo.policy now.
    fn made_now() -> Self {
        let python = std::env::var("TEST_PYTHON_KEYSTONE");
        let python = python.expect("TEST_PYTHON_KEYSTONE is not set: run the tests by tests/run");
        let made = Command::new(Path::new(&python).join("bin/python"))
            .arg(support().join("policy_differential.py"))
            .args(["31", "150"])
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{complaint}");
        Self::parse(&String::from_utf8(made.stdout).unwrap())
    }

    fn parse(text: &str) -> Self {
        let json: Json = serde_json::from_str(text).unwrap();
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

fn support() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support")
}

/// The settings of a part of the corpus.
fn settings(part: &str) -> Settings {
    Settings {
        enforce_scope: part != "unscoped",
        enforce_new_defaults: part == "today",
        ..Settings::default()
    }
}

#[test]
fn keystones_defaults_are_decided_as_by_oslo_policy() {
    let corpus = Corpus::read();
    let mut cases = 0;
    for part in ["today", "lenient", "unscoped"] {
        let (enforcer, _) = Enforcer::new(&settings(part), Overrides::default()).unwrap();
        let rules = corpus.json["defaults"][part].as_object().unwrap();
        assert_eq!(rules.len(), 204);
        for (name, bits) in rules {
            cases += corpus.compare(&enforcer, name, name, bits);
        }
    }
    assert!(cases > 60_000);
}

/// What the files leave alone is decided as by the defaults.
#[test]
fn policies_with_operators_files_are_decided_as_by_oslo_policy() {
    let corpus = Corpus::read();
    let (mut cases, mut changed) = (0, 0);
    for (folder, parts) in corpus.json["operators"].as_object().unwrap() {
        let folder = support().join("policies").join(folder);
        let files = ["policy.yaml", "policy.json"].map(|name| folder.join(name));
        let file = files.iter().find(|file| file.exists()).unwrap();
        for (part, changes) in parts.as_object().unwrap() {
            let overrides =
                Overrides::load(Some(file.as_path()), &[folder.join("policy.d")]).unwrap();
            let (enforcer, _) = Enforcer::new(&settings(part), overrides).unwrap();
            let by_default = corpus.json["defaults"][part].as_object().unwrap();
            let changes = changes.as_object().unwrap();
            let unchanged = by_default
                .iter()
                .filter(|(name, _)| !changes.contains_key(*name));
            changed += changes.len();
            for (name, bits) in changes.iter().chain(unchanged) {
                let rule = format!("{name} in {}", folder.display());
                cases += corpus.compare(&enforcer, name, &rule, bits);
            }
        }
    }
    assert!(cases > 100_000 && changed > 400, "{cases}, {changed}");
}

/// Keystone's own rules, and ours for the same: checks, scope types, operations, predecessors.
#[test]
fn the_defaults_are_keystones_and_rules_made_now_are_decided_as_by_oslo_policy() {
    let corpus = Corpus::made_now();
    let own: BTreeMap<&str, &DefaultRule> = defaults::all()
        .map(|rule| (rule.rule.name(), rule))
        .collect();
    let theirs = corpus.json["rules"].as_object().unwrap();
    assert_eq!(theirs.len(), 204);
    for (name, rule) in theirs {
        let own = own[name.as_str()];
        let mut operations = own.operations.to_vec();
        operations.sort_unstable();
        let mut scopes: Vec<&str> = own.scopes.iter().map(|scope| scope.name()).collect();
        scopes.sort_unstable();
        let mut asked = rule["scopes"].as_array().unwrap().clone();
        asked.sort_unstable_by_key(Json::to_string);
        assert_eq!(rule["check"], own.check, "{name}");
        assert_eq!(json!(asked), json!(scopes), "{name}");
        assert_eq!(rule["operations"], json!(operations), "{name}");
        let older = own.deprecated.as_ref().map(|older| older.check);
        assert_eq!(rule["older"], json!(older), "{name}");
    }
    assert!(compare_language(&corpus) > 10_000);
    compare_mutants(&corpus);
}

/// Returns the number of cases.
fn compare_language(corpus: &Corpus) -> usize {
    let mut cases = 0;
    for (rule, bits) in corpus.pairs("language") {
        let enforcer = corpus
            .with_aliases(rule)
            .unwrap_or_else(|error| panic!("{rule}: {error}"));
        cases += corpus.compare(&enforcer, "tried", &rule.to_string(), bits);
    }
    cases
}

fn compare_mutants(corpus: &Corpus) {
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
fn rules_of_the_language_are_decided_as_by_oslo_policy() {
    assert!(compare_language(&Corpus::read()) > 30_000);
}

#[test]
fn a_changed_rule_is_refused_or_decided_as_by_oslo_policy() {
    compare_mutants(&Corpus::read());
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
