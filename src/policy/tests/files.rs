//! The operator's files.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::{
    Overrides, PolicyError, Problem, Rule, Settings, Target, Warning, defaults, sample, validate,
};
use super::{admin, build, enforcer, member, overrides};

/// A directory of its own, removed at the end.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("policy-{name}-{}", std::process::id()));
        let _absent = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _left = fs::remove_dir_all(&self.0);
    }
}

fn refused(name: &str, text: &str) -> (usize, String) {
    match Overrides::default().add(Path::new(name), text) {
        Err(PolicyError::Syntax {
            path,
            line,
            message,
        }) => {
            assert_eq!(path, Path::new(name));
            (line, message)
        }
        Err(other) => panic!("{other}"),
        Ok(()) => panic!("{text} was accepted"),
    }
}

#[test]
fn yaml_and_json_are_read() {
    let yaml = "---\n# A comment\n\"identity:list_users\": \"role:a or\n  role:b\"\nidentity:get_user: >\n  role:c\nmine: [[role:a, role:b], role:c]\n";
    let rules = enforcer(yaml);
    let text = |name: &str| {
        rules
            .list()
            .iter()
            .find(|rule| rule.name == name)
            .unwrap()
            .text
            .to_owned()
    };
    assert_eq!(text("identity:list_users"), "role:a or role:b");
    assert_eq!(text("identity:get_user"), "role:c\n");
    assert_eq!(text("mine"), r#"[["role:a","role:b"],["role:c"]]"#);
    let mut from_json = Overrides::default();
    from_json
        .add(
            Path::new("p.json"),
            "{\n\t\"identity:list_users\": \"!\", \"x\": [[\"@\"], \"!\"]\n}",
        )
        .unwrap();
    assert_eq!(from_json.rules.len(), 2);
}

#[test]
fn files_without_rules_change_nothing() {
    for text in ["", "\n", "# nothing\n", "---\n", "{}", "null"] {
        assert_eq!(overrides(text).rules.len(), 0, "{text:?}");
    }
    Overrides::default()
        .add(Path::new("p.json"), " \n")
        .unwrap();
}

#[test]
fn a_mistake_is_reported_with_its_file_and_line() {
    let (line, message) = refused("/etc/p.yaml", "a: '@'\n\nb: 'role:x or'\n");
    assert_eq!(line, 3, "{message}");
    assert!(message.contains("expected at the end"), "{message}");
    assert_eq!(refused("/etc/p.yaml", "a: '@'\nb: [\n").0, 3);
    let (line, message) = refused(
        "/etc/p.json",
        "{\n \"a\": \"@\",\n \"b\": \"role:x role:y\"\n}",
    );
    assert_eq!(line, 3, "{message}");
    let error = Overrides::default()
        .add(Path::new("/etc/p.yaml"), "a: (")
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("policy /etc/p.yaml, line 1: "),
        "{error}"
    );
}

#[test]
fn what_is_not_a_map_of_names_to_rules_is_refused() {
    for text in [
        "- a",
        "text",
        "a: null",
        "a:",
        "a: true",
        "a: 7",
        "a: {b: c}",
        "a: [[[b]]]",
        "a: [7]",
        "{a: '@'}\n---\n{b: '@'}",
    ] {
        refused("p.yaml", text);
    }
    for text in ["[]", "\"a\"", "{\"a\": null}", "{\"a\": \"@\"} x", "{\"a\""] {
        refused("p.json", text);
    }
}

/// YAML takes an exclamation mark without quotes for a tag, and PyYAML reads what is left as null: oslo.policy lets
/// everybody in where the author meant nobody.
#[test]
fn an_exclamation_mark_without_quotes_is_refused() {
    for text in ["a: !\n", "a: ! # nobody\nb: '@'", "{a: !, b: '@'}"] {
        refused("p.yaml", text);
    }
}

#[test]
fn a_rule_given_twice_in_a_file_is_refused() {
    assert!(
        refused("p.yaml", "a: '@'\na: '!'")
            .1
            .contains("given twice")
    );
    assert!(
        refused("p.json", "{\"a\": \"@\", \"a\": \"!\"}")
            .1
            .contains("given twice")
    );
}

#[test]
fn directories_are_read_after_the_file_and_sorted() {
    let dir = Dir::new("sorted");
    let file = dir.file(
        "policy.yaml",
        "'identity:list_users': 'role:file'\n'identity:get_user': 'role:file'",
    );
    dir.file("d/20-b.json", "{\"identity:list_users\": \"role:b\"}");
    dir.file(
        "d/10-a.yaml",
        "'identity:list_users': 'role:a'\n'identity:list_groups': 'role:a'",
    );
    dir.file("d/.hidden.yaml", "'identity:list_roles': '@'");
    dir.file("d/sub/90.yaml", "'identity:list_roles': '@'");
    dir.file("e/1", "'identity:list_groups': 'role:e'");
    let dirs = [dir.0.join("d"), dir.0.join("absent"), dir.0.join("e")];

    let overrides = Overrides::load(Some(&file), &dirs).unwrap();

    let text = |name: &str| overrides.rules[name].text.as_str();
    assert_eq!(text("identity:list_users"), "role:b");
    assert_eq!(text("identity:list_groups"), "role:e");
    assert_eq!(text("identity:get_user"), "role:file");
    assert!(!overrides.rules.contains_key("identity:list_roles"));
}

#[test]
fn a_file_that_is_not_there_or_too_large_is_an_error() {
    let dir = Dir::new("absent");
    let absent = Overrides::load(Some(&dir.0.join("no.yaml")), &[]);
    assert!(matches!(absent, Err(PolicyError::Read { .. })));
    let large = dir.file("large.yaml", &"# comment\n".repeat(200_000));
    let large = Overrides::load(Some(&large), &[]);
    assert!(matches!(large, Err(PolicyError::TooLarge { .. })));
    let binary = dir.0.join("binary.yaml");
    fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    assert!(matches!(
        Overrides::load(Some(&binary), &[]),
        Err(PolicyError::Read { .. })
    ));
    assert!(Overrides::load(None, &[]).unwrap().rules.is_empty());
}

fn warnings(yaml: &str) -> Vec<Warning> {
    build(yaml, &Settings::default()).unwrap().1
}

#[test]
fn an_unknown_name_is_kept_and_reported_unless_a_rule_refers_to_it() {
    let rules =
        "'identity:list_user': 'role:x'\nhelper: 'role:member'\n'identity:get_user': 'rule:helper'";
    let warnings = warnings(rules);
    assert_eq!(
        warnings,
        [Warning::Unknown {
            rule: "identity:list_user".into(),
            file: "policy.yaml".into()
        }]
    );
    assert!(
        enforcer(rules)
            .check(Rule::GetUser, &member(), &Target::new())
            .is_allowed()
    );
}

#[test]
fn a_reference_to_nowhere_is_reported() {
    let [Warning::MissingReference { rule, missing }] =
        &warnings("'identity:get_user': 'rule:gone or @'")[..]
    else {
        panic!("not reported");
    };
    assert_eq!(
        (rule.as_str(), missing.as_str()),
        ("identity:get_user", "gone")
    );
}

#[test]
fn an_override_like_the_default_is_redundant_unless_it_drops_the_old_default() {
    let same = "'identity:create_grant': '!'\n'identity:ec2_create_credential': '(rule:admin_required) or ((role:MEMBER) and user_id:%(target.credential.user_id)s)'";
    assert!(
        matches!(&warnings(same)[..], [Warning::Redundant { rule, .. }] if rule == "identity:ec2_create_credential")
    );
    let lenient = Settings {
        enforce_new_defaults: false,
        ..Settings::default()
    };
    assert!(build(same, &lenient).unwrap().1.is_empty());
}

#[test]
fn a_check_of_a_scope_that_the_rule_does_not_admit_is_reported() {
    let yaml = "'identity:create_trust': 'user_id:%(target.trust.trustor_user_id)s and not system_scope:all or system_scope:all'";
    assert!(
        matches!(&warnings(yaml)[..], [Warning::NeverInScope { check, admits, .. }] if check == "system_scope:all" && admits == "project")
    );
    assert!(warnings("'identity:create_region': 'role:admin and domain_id:None'").is_empty());
}

#[test]
fn a_rule_opened_to_everybody_is_reported() {
    assert!(matches!(
        &warnings("'identity:create_user': ''")[..],
        [Warning::Open { .. }]
    ));
    assert!(matches!(
        &warnings("'identity:list_regions': '@'")[..],
        [Warning::Redundant { .. }]
    ));
}

#[test]
fn validate_reports_all_that_is_wrong() {
    let report = validate(
        &Settings::default(),
        overrides("a: 'not rule:gone'\nb: 'not rule:gone'\nc: 'rule:c'\nunused: '@'"),
    );
    assert_eq!(report.problems.len(), 3, "{:?}", report.problems);
    assert!(
        report
            .problems
            .contains(&Problem::Cycle(vec!["c".into(), "c".into()]))
    );
    assert!(!report.warnings.is_empty());
}

#[test]
fn the_sample_changes_nothing_and_without_its_signs_gives_the_defaults() {
    let sample = sample();
    assert!(overrides(&sample).rules.is_empty());

    let rules: String = sample
        .lines()
        .filter_map(|line| line.strip_prefix("#\""))
        .map(|rule| format!("\"{rule}\n"))
        .collect();
    let (_, warnings) = build(&rules, &Settings::default()).unwrap();

    let redundant = warnings
        .iter()
        .filter(|warning| matches!(warning, Warning::Redundant { .. }));
    assert_eq!(redundant.count(), Rule::ALL.len());
    assert_eq!(warnings.len(), Rule::ALL.len());
    for operation in defaults::all().flat_map(|rule| rule.operations) {
        assert!(sample.contains(&format!("# {operation}\n")), "{operation}");
    }
    let told = sample.matches("# Not routed yet:").count();
    assert_eq!(told, defaults::not_routed().count());
    assert!(sample.contains("# Create an API key of a domain.\n# Not routed yet:"));
}

#[test]
fn the_list_is_a_policy_file_that_says_the_same() {
    let yaml = "a: [['role:x', 'role:y'], 'role:z']\nidentity:list_users: role:x or \"m\":%(target.role.name)s\n";
    let (enforcer, _) = build(yaml, &Settings::default()).unwrap();
    let lines: Vec<String> = enforcer.list().iter().map(ToString::to_string).collect();
    let (again, _) = build(&lines.join("\n"), &Settings::default()).unwrap();
    for (rule, same) in enforcer.list().iter().zip(again.list()) {
        assert_eq!((rule.name, rule.text), (same.name, same.text));
    }
    let line = lines.iter().find(|line| line.contains("create_trust"));
    assert!(
        line.is_some_and(|line| line.ends_with("  # project; default")),
        "{line:?}"
    );
    let line = lines.iter().find(|line| line.contains("v4_create_api_key"));
    assert!(
        line.is_some_and(|line| line.ends_with("; default; not routed yet")),
        "{line:?}"
    );
}

#[test]
fn a_json_file_may_be_yaml_as_it_may_in_python() {
    let mut overrides = Overrides::default();
    overrides
        .add(Path::new("policy.json"), "a: '@' # all\n")
        .unwrap();
    assert!(overrides.rules.contains_key("a"));
}

#[test]
fn the_list_shows_where_a_rule_comes_from() {
    let (enforcer, _) = build(
        "'identity:list_users': 'role:x'",
        &Settings {
            enforce_new_defaults: false,
            ..Settings::default()
        },
    )
    .unwrap();
    let list = enforcer.list();
    let of = |name: &str| list.iter().find(|rule| rule.name == name).unwrap();
    assert_eq!(of("identity:list_users").source.to_string(), "policy.yaml");
    assert_eq!(of("identity:list_regions").source.to_string(), "default");
    assert_eq!(
        of("identity:list_groups").source.to_string(),
        "default, or its predecessor"
    );
    assert!(
        of("identity:list_groups")
            .text
            .ends_with(") or (rule:admin_required)")
    );
    assert_eq!(of("identity:create_trust").scopes, "project");
    assert!(list.is_sorted_by_key(|rule| rule.name));
    assert!(
        !enforcer
            .check(Rule::ListUsers, &admin(), &Target::new())
            .is_allowed()
    );
}
