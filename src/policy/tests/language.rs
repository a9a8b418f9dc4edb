//! The rule language, and how values compare.

use serde_json::json;

use super::super::parse;
use super::super::{Credentials, Target};
use super::{holds, member};

fn refused(rule: &str) -> String {
    match parse::rule(rule) {
        Ok(check) => panic!("{rule} was read as {check}"),
        Err(reason) => reason,
    }
}

fn read(rule: &str) -> String {
    parse::rule(rule).unwrap().to_string()
}

#[test]
fn not_binds_stronger_than_and_and_and_than_or() {
    assert_eq!(read("@ or ! and not @ or !"), "(@ or (! and not @) or !)");
    assert_eq!(read("not @ and !"), "(not @ and !)");
    assert_eq!(read("not (@ and !)"), "not (@ and !)");
    assert_eq!(read("NOT not @"), "not not @");
    assert_eq!(read("((@) Or (! OR @))"), "(@ or (! or @))");
}

#[test]
fn an_empty_rule_allows_and_a_blank_one_is_refused() {
    assert!(holds("", &member(), &Target::new()));
    assert!(refused("  ").contains("expected at the end"));
}

#[test]
fn roles_are_compared_without_case() {
    assert!(holds("role:member", &member(), &Target::new()));
    assert!(holds("role:MEMBER", &member(), &Target::new()));
    assert!(!holds("role:members", &member(), &Target::new()));
    let target = Target::new().with("target.role.name", "READER");
    assert!(holds("role:%(target.role.name)s", &member(), &target));
    // The plain list of names is compared exactly.
    assert!(holds("roles:Member", &member(), &target));
    assert!(!holds("roles:member", &member(), &target));
}

#[test]
fn roles_beyond_ascii_are_compared_without_case() {
    let caller = Credentials {
        roles: vec!["ÄRZTE".into(), "ΟΔΟΣ".into()],
        ..member()
    };
    assert!(holds("role:Ärzte", &caller, &Target::new()));
    assert!(holds("role:οδος", &caller, &Target::new()));
}

#[test]
fn an_attribute_that_is_absent_never_matches_and_null_reads_as_none() {
    let rule = "domain_id:%(target.domain_id)s";
    assert!(!holds(rule, &member(), &Target::new()));
    assert!(holds(
        rule,
        &member(),
        &Target::new().with("target.domain_id", None::<&str>)
    ));
    assert!(holds(
        rule,
        &member(),
        &Target::new().with("target.domain_id", "None")
    ));
    assert!(holds("domain_id:None", &member(), &Target::new()));
    assert!(!holds(
        "None:%(target.domain_id)s",
        &member(),
        &Target::new()
    ));
    assert!(!holds("domain_id:", &member(), &Target::new()));
}

#[test]
fn values_compare_by_the_text_that_python_gives_them() {
    let body = json!({"yes": true, "int": 7, "float": 1.50, "whole": 2.0, "big": 1e16, "small": 0.00001,
        "list": ["it's", null, {"a": false}], "max": u64::MAX, "text": "7"});
    let target = Target::new().with("t", &body);
    let same = |left: &str, name: &str| {
        assert!(
            holds(&format!("{left}:%(t.{name})s"), &member(), &target),
            "{left} {name}"
        );
    };
    same("True", "yes");
    same("'True'", "yes");
    same("7", "int");
    same("7", "text");
    same("1.50", "float");
    same("'1.5'", "float");
    same("2.0", "whole");
    same("'1e+16'", "big");
    same("'1e-05'", "small");
    same("18446744073709551615", "max");
    assert!(holds("'x7y%':x%(t.int)sy%%", &member(), &target));
    let list = parse::list_rule(&[vec![r#""["it's"]":%(t)s"#.into()]]);
    assert!(list.is_err()); // quotes within quotes have no plain reading
}

#[test]
fn paths_lead_into_the_token_and_through_its_lists() {
    let none = Target::new();
    assert!(holds("token.project.domain.id:d1", &member(), &none));
    assert!(holds("token.roles.id:r2", &member(), &none));
    assert!(holds("token.methods:password", &member(), &none));
    assert!(!holds("token.methods:totp", &member(), &none));
    assert!(!holds("token.domain.id:d1", &member(), &none));
}

#[test]
fn a_path_through_a_plain_value_denies_even_under_not() {
    let none = Target::new();
    assert!(holds("not token.user.missing:x", &member(), &none));
    assert!(!holds("not token.user.id.part:x", &member(), &none));
    assert!(!holds("not token.methods.part:x", &member(), &none));
    // As in Python, only where the answer isn't known before.
    assert!(holds("@ or not token.user.id.part:x", &member(), &none));
    assert!(!holds("not token.user.id.part:x or @", &member(), &none));
}

#[test]
fn checks_that_ask_another_server_are_refused() {
    for rule in [
        "http://policy.example/%(x)s",
        "@ or https://policy.example/",
    ] {
        assert!(refused(rule).contains("another server"), "{rule}");
    }
}

#[test]
fn unknown_kinds_are_refused() {
    for rule in [
        "field:networks:shared=True",
        "tenant_id:%(tenant_id)s",
        "user_id.x:1",
        "token:x",
        ":x",
        "Role:x",
    ] {
        assert!(refused(rule).contains("neither a kind of check"), "{rule}");
    }
}

#[test]
fn what_cannot_be_understood_is_refused_with_a_reason() {
    for (rule, reason) in [
        ("role:a role:b", "`and` or `or` expected before `role:b`"),
        ("(role:a", "not closed"),
        ("role:a)", "a closing parenthesis too many"),
        ("(@ @)", "`)` expected before `@`"),
        ("role:a and", "expected at the end"),
        ("or role:a", "expected before `or`"),
        ("()", "expected before `)`"),
        ("admin", "no check"),
        ("'admin'", "is a text"),
        ("'a':'b'", "is a text"),
        ("'a:b", "not a plain quoted text"),
        ("'a\\n':b", "not a plain quoted text"),
        ("user_id:%s", "expected after `%`"),
        ("user_id:50%", "expected after `%`"),
        ("user_id:%(x)d", "expected after `%`"),
        ("user_id:%(x", "expected after `%`"),
        ("token.a..b:x", "not a path"),
        ("token.class:x", "not a path"),
        ("token.0.id:x", "not a path"),
    ] {
        let said = refused(rule);
        assert!(said.contains(reason), "{rule}: {said}");
    }
}

#[test]
fn numbers_are_written_as_python_writes_them() {
    for (written, read) in [
        ("-1", "-1"),
        ("00", "0"),
        ("1.50", "1.5"),
        ("3.", "3.0"),
        (".5", "0.5"),
        ("-0.0", "-0.0"),
    ] {
        let target = Target::new().with("t", read);
        assert!(
            holds(&format!("{written}:%(t)s"), &member(), &target),
            "{written}"
        );
    }
    refused("007:x");
    refused("--1:x");
    refused("1.2.3:x");
}

#[test]
fn the_list_form_is_any_of_all() {
    let list = |outer: &[&[&str]]| {
        let outer: Vec<Vec<String>> = outer
            .iter()
            .map(|inner| inner.iter().map(|check| (*check).to_owned()).collect())
            .collect();
        parse::list_rule(&outer).map(|check| check.to_string())
    };
    assert_eq!(list(&[]).unwrap(), "@");
    assert_eq!(list(&[&[]]).unwrap(), "!");
    assert_eq!(list(&[&["role:a"]]).unwrap(), "role:a");
    assert_eq!(
        list(&[&["role:a", "role:b"], &[], &["@"]]).unwrap(),
        "((role:a and role:b) or @)"
    );
    assert_eq!(list(&[&["role:site reader"]]).unwrap(), "role:site reader");
    assert!(list(&[&["@ or @"]]).is_err());
}

#[test]
fn a_rule_reads_the_same_when_it_is_written_out() {
    for rule in [
        "role:Admin or not ('x':%(a.b)s and token.user.id:a%(b)s%%)",
        "rule:x",
        "%",
        "user_id:%(a(b)c)s",
    ] {
        if let Ok(check) = parse::rule(rule) {
            assert_eq!(parse::rule(&check.to_string()).unwrap(), check);
        }
    }
}
