//! The table of defaults.

use std::collections::HashMap;

use serde_json::json;

use super::super::defaults;
use super::super::{Credentials, Rule, Settings, Target};
use super::{build, enforcer, in_domain, member};

#[test]
fn each_rule_has_one_default_and_the_names_are_found() {
    let mut seen: HashMap<Rule, usize> = HashMap::new();
    for default in defaults::all() {
        *seen.entry(default.rule).or_default() += 1;
    }
    for &rule in Rule::ALL {
        assert_eq!(seen.get(&rule), Some(&1), "{rule:?}");
        assert_eq!(Rule::named(rule.name()), Some(rule));
    }
    assert_eq!(Rule::named("identity:nothing"), None);
}

#[test]
fn the_defaults_raise_no_warning() {
    for enforce_new_defaults in [true, false] {
        let settings = Settings {
            enforce_new_defaults,
            ..Settings::default()
        };
        assert_eq!(build("", &settings).unwrap().1, []);
    }
}

#[test]
fn each_default_says_what_it_allows_and_can_be_written_in_quotes() {
    for default in defaults::all() {
        let name = default.rule.name();
        assert!(default.description.ends_with('.'), "{name}");
        assert_eq!(name.contains(':'), !default.operations.is_empty(), "{name}");
        for operation in default.operations {
            assert!(
                operation
                    .split_once(' ')
                    .is_some_and(|(_, path)| path.starts_with("/v")),
                "{name}: {operation}"
            );
        }
        let texts = [
            default.check,
            default.deprecated.as_ref().map_or("", |old| old.check),
        ];
        assert!(!texts.concat().contains(['"', '\\', '\n']), "{name}");
        assert!(
            default
                .deprecated
                .as_ref()
                .is_none_or(|old| old.check != default.check),
            "{name}"
        );
    }
}

#[test]
fn a_manager_without_domain_gets_nothing_of_objects_without_domain() {
    let rules = Rule::ALL
        .iter()
        .filter(|rule| rule.name().contains(":v4_") && !rule.name().contains(":v4_list_"));
    let nulls = json!({"domain_id": null, "user_id": null, "id": null});
    let manager = Credentials {
        roles: vec!["manager".into()],
        ..member()
    };
    let kinds = [
        "identity_provider",
        "mapping",
        "restriction",
        "api_key",
        "scim_realm",
        "oauth2_client",
        "instance",
        "user",
    ];
    let keys: Vec<String> = kinds.iter().map(|kind| format!("target.{kind}")).collect();
    let target = keys
        .iter()
        .fold(Target::new(), |target, key| target.with(key, &nulls));
    for rule in rules {
        assert!(
            !enforcer("").check(*rule, &manager, &target).is_allowed(),
            "{rule:?}"
        );
    }
}

#[test]
fn a_manager_rules_over_what_is_in_the_own_domain() {
    let own = Target::new().with("target.identity_provider.domain_id", "d1");
    let other = Target::new().with("target.identity_provider.domain_id", "d2");
    let enforcer = enforcer("");
    for rule in [
        Rule::V4CreateIdentityProvider,
        Rule::V4UpdateIdentityProvider,
        Rule::V4DeleteIdentityProvider,
    ] {
        assert!(
            enforcer
                .check(rule, &in_domain("manager"), &own)
                .is_allowed()
        );
        assert!(
            !enforcer
                .check(rule, &in_domain("manager"), &other)
                .is_allowed()
        );
        assert!(
            !enforcer
                .check(rule, &in_domain("member"), &own)
                .is_allowed()
        );
    }
}
