//! What an [`Enforcer`] decides: scope types, overrides, deprecated defaults, bodies and queries.

use serde_json::json;

use super::super::Lookup;
use super::super::{
    Cause, Credentials, Decision, Denial, Enforcer, Rule, ScopeType, Settings, Subject, Target,
    Value,
};
use super::{admin, build, enforcer, holds, in_domain, member};

#[test]
fn a_rule_without_file_is_the_default() {
    let enforcer = enforcer("");
    let own = Target::new()
        .with("target.user.id", "u1")
        .with("target.user.domain_id", "d1");
    let other = Target::new()
        .with("target.user.id", "u9")
        .with("target.user.domain_id", "d1");
    assert!(enforcer.check(Rule::GetUser, &member(), &own).is_allowed());
    assert!(
        !enforcer
            .check(Rule::GetUser, &member(), &other)
            .is_allowed()
    );
    assert!(
        enforcer
            .check(Rule::GetUser, &in_domain("reader"), &other)
            .is_allowed()
    );
}

#[test]
fn a_file_replaces_a_default_wholly() {
    let enforcer = enforcer("'identity:list_regions': '!'\n'admin_required': 'role:boss'");
    let boss = Credentials {
        roles: vec!["boss".into()],
        ..member()
    };
    assert!(
        !enforcer
            .check(Rule::ListRegions, &admin(), &Target::new())
            .is_allowed()
    );
    assert!(
        !enforcer
            .check(Rule::CreateRegion, &admin(), &Target::new())
            .is_allowed()
    );
    assert!(
        enforcer
            .check(Rule::CreateRegion, &boss, &Target::new())
            .is_allowed()
    );
}

#[test]
fn a_token_of_another_scope_is_refused_whatever_its_roles() {
    let enforcer = enforcer("'identity:create_region': ''");
    let decision = enforcer.check(Rule::CreateRegion, &in_domain("admin"), &Target::new());
    let cause = Cause::Scope(ScopeType::Domain);
    assert_eq!(
        decision,
        Decision::Denied(Denial {
            rule: "identity:create_region",
            cause
        })
    );
    assert!(
        enforcer
            .check(Rule::CreateRegion, &member(), &Target::new())
            .is_allowed()
    );
}

#[test]
fn scope_types_bind_the_rule_asked_for_and_not_those_it_refers_to() {
    let enforcer = enforcer("mine: 'rule:identity:create_region'");
    assert!(
        enforcer
            .check_named("mine", &in_domain("admin"), &Target::new())
            .is_allowed()
    );
}

#[test]
fn scope_types_can_be_left_unenforced() {
    let settings = Settings {
        enforce_scope: false,
        ..Settings::default()
    };
    let (enforcer, _) = build("", &settings).unwrap();
    assert!(
        enforcer
            .check(Rule::CreateRegion, &in_domain("admin"), &Target::new())
            .is_allowed()
    );
}

#[test]
fn an_unscoped_token_counts_as_a_projects() {
    assert_eq!(Credentials::default().scope(), ScopeType::Project);
    assert_eq!(member().scope(), ScopeType::Project);
    assert_eq!(in_domain("x").scope(), ScopeType::Domain);
}

#[test]
fn a_project_that_acts_as_a_domain_is_no_domain() {
    let caller = Credentials::from_token(&json!({
        "user": {"id": "u1", "domain": {"id": "d1"}},
        "project": {"id": "d1", "domain": {"id": null}},
        "is_domain": true,
        "roles": [{"name": "manager"}, {"name": "reader"}],
    }));
    let target = Target::new()
        .with("target.group.domain_id", "d1")
        .with("target.user.domain_id", "d1");
    for rule in [
        Rule::CreateGroup,
        Rule::GetGroup,
        Rule::AddUserToGroup,
        Rule::CreateUser,
        Rule::GetUser,
    ] {
        assert!(
            !enforcer("").check(rule, &caller, &target).is_allowed(),
            "{rule:?}"
        );
    }
}

#[test]
fn old_defaults_hold_beside_new_ones_until_they_are_given_up() {
    let owner = Target::new()
        .with("user_id", "u1")
        .with("target.credential.user_id", "u1");
    // Of old the owner, now a member.
    let reader = Credentials {
        roles: vec!["reader".into()],
        ..member()
    };
    let lenient = Settings {
        enforce_new_defaults: false,
        ..Settings::default()
    };
    let check = |yaml: &str, settings: &Settings| {
        let (enforcer, _) = build(yaml, settings).unwrap();
        enforcer
            .check(Rule::Ec2CreateCredential, &reader, &owner)
            .is_allowed()
    };
    assert!(!check("", &Settings::default()));
    assert!(check("", &lenient));
    // An override is taken at its word.
    assert!(!check(
        "'identity:ec2_create_credential': 'role:member'",
        &lenient
    ));
}

#[test]
fn a_missing_rule_denies() {
    let enforcer = enforcer("mine: 'rule:nowhere'\neither: 'rule:nowhere or role:member'");
    let target = Target::new();
    assert!(!enforcer.check_named("mine", &admin(), &target).is_allowed());
    assert!(
        enforcer
            .check_named("either", &member(), &target)
            .is_allowed()
    );
    let unknown = Denial {
        rule: "",
        cause: Cause::UnknownRule,
    };
    assert_eq!(
        enforcer.check_named("nowhere", &admin(), &target),
        Decision::Denied(unknown)
    );
}

#[test]
fn the_default_rule_stands_in_for_missing_ones_where_it_exists() {
    let yaml = "default: 'role:member'\nmine: 'rule:nowhere'";
    let enforcer = enforcer(yaml);
    assert!(
        enforcer
            .check_named("nowhere", &member(), &Target::new())
            .is_allowed()
    );
    assert!(
        enforcer
            .check_named("mine", &member(), &Target::new())
            .is_allowed()
    );
    assert!(
        !enforcer
            .check_named("mine", &in_domain("x"), &Target::new())
            .is_allowed()
    );
    let (without, _) = build(
        yaml,
        &Settings {
            default_rule: None,
            ..Settings::default()
        },
    )
    .unwrap();
    assert!(
        !without
            .check_named("mine", &member(), &Target::new())
            .is_allowed()
    );
}

#[test]
fn a_body_never_speaks_for_the_server() {
    let body = json!({"user_id": "u1", "target": {"user": {"id": "u1"}}, "target.user.id": "u1",
        "request_body": {"user_id": "u1"}, "": {"user_id": "u1"}});
    let target = Target::new()
        .with("user_id", "u9")
        .with_body(&body)
        .with_query("user_id", "u1")
        .with_query("target.user.id", "u1")
        .with_query("", "u1");
    for rule in [
        "user_id:%(user_id)s",
        "user_id:%(target.user.id)s",
        "user_id:%()s",
    ] {
        assert!(!holds(rule, &member(), &target), "{rule}");
    }
    assert!(holds(
        "user_id:%(request_body.user_id)s",
        &member(),
        &target
    ));
    assert!(holds("user_id:%(filter_attr.user_id)s", &member(), &target));
}

#[test]
fn the_server_never_speaks_for_a_body() {
    let target = Target::new()
        .with("request_body.user_id", "u1")
        .with("filter_attr.x", "u1");
    assert!(!holds(
        "user_id:%(request_body.user_id)s",
        &member(),
        &target
    ));
    assert!(!holds("user_id:%(filter_attr.x)s", &member(), &target));
}

#[test]
fn a_body_is_flattened_as_keystone_does() {
    let body = json!({"a": {"b": "first"}, "a.b": "second", "c": {}, "d": ["x"], "e": {"": "u1"}});
    let target = Target::new().with_body(&body);
    assert!(holds("'second':%(request_body.a.b)s", &member(), &target));
    assert!(!holds(
        "not @ or '{}':%(request_body.c)s",
        &member(),
        &target
    ));
    assert!(holds("user_id:%(request_body.e.)s", &member(), &target));
    assert!(!holds("'x':%(request_body.d)s", &member(), &target));
    assert!(!holds("user_id:%(request_body)s", &member(), &target));
}

#[test]
fn of_two_values_for_a_name_the_later_counts_however_many_there_are() {
    let names: Vec<String> = (0..40).map(|index| format!("n{index}")).collect();
    let two = Target::new().with("n0", "first").with("n0", "n0");
    assert!(holds("'n0':%(n0)s", &member(), &two));
    let mut target = Target::new();
    for name in &names {
        target = target.with(name, "first");
    }
    for name in &names {
        target = target.with(name, name.as_str());
    }
    for name in &names {
        assert!(
            holds(&format!("'{name}':%({name})s"), &member(), &target),
            "{name}"
        );
    }
}

#[test]
fn an_entity_is_seen_through_its_dotted_path() {
    let user = json!({"id": "u1", "domain_id": "d1", "options": {"lock": true}});
    let target = Target::new().with("target.user", &user);
    assert!(holds("user_id:%(target.user.id)s", &member(), &target));
    assert!(holds(
        "True:%(target.user.options.lock)s",
        &member(),
        &target
    ));
    assert!(!holds("user_id:%(target.user)s", &member(), &target));
    assert!(!holds("user_id:%(target.userid)s", &member(), &target));
}

#[test]
fn is_admin_is_given_to_the_bootstrap_alone() {
    let bootstrap = Credentials {
        is_admin: true,
        ..Credentials::default()
    };
    assert!(
        enforcer("")
            .check(Rule::CreateRole, &bootstrap, &Target::new())
            .is_allowed()
    );
    assert!(holds(
        "not is_admin:0 and not is_admin:False and not is_admin:None",
        &member(),
        &Target::new()
    ));
}

#[test]
fn a_caller_without_token_is_refused_what_looks_into_it() {
    let certificate = Credentials {
        token: None,
        ..member()
    };
    let target = Target::new()
        .with("target.user.domain_id", "d1")
        .with("target.user.id", "u9");
    let reader = Credentials {
        roles: vec!["reader".into()],
        ..certificate
    };
    let decision = enforcer("").check(Rule::GetUser, &reader, &target);
    assert_eq!(
        decision,
        Decision::Denied(Denial {
            rule: "identity:get_user",
            cause: Cause::Broken
        })
    );
}

/// What the server's cached token does: roles in lower case at hand, nothing copied.
struct Cached;

impl Subject for Cached {
    fn user_id(&self) -> Option<&str> {
        Some("u1")
    }
    fn user_domain_id(&self) -> Option<&str> {
        Some("d1")
    }
    fn project_id(&self) -> Option<&str> {
        None
    }
    fn project_domain_id(&self) -> Option<&str> {
        None
    }
    fn domain_id(&self) -> Option<&str> {
        Some("d1")
    }
    fn system_scope(&self) -> Option<&str> {
        None
    }
    fn any_role(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        ["manager", "reader"].into_iter().any(test)
    }
    fn token_attribute(&self, path: &str, test: &mut dyn FnMut(Value<'_>) -> bool) -> Lookup {
        match path {
            "domain.id" => test(Value::Text("d1")).into(),
            _ => Lookup::Unmatched,
        }
    }
}

#[test]
fn any_type_can_be_a_subject() {
    let enforcer = enforcer("");
    let target = Target::new().with("target.user.domain_id", "d1");
    assert!(
        enforcer
            .check(Rule::UpdateUser, &Cached, &target)
            .is_allowed()
    );
    assert!(
        !enforcer
            .check(Rule::CreateRole, &Cached, &target)
            .is_allowed()
    );
}

#[test]
fn an_enforcer_is_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Enforcer>();
}
