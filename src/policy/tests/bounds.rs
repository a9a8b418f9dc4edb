//! What a policy may not do: go in circles, cost without bound, panic.

use super::super::parse;
use super::super::{Enforcer, PolicyError, Problem, Settings, Target, fuzz_policy};
use super::{build, member};

fn problems(yaml: &str) -> Vec<Problem> {
    match build(yaml, &Settings::default()) {
        Err(PolicyError::Rules(problems)) => problems,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("accepted"),
    }
}

#[test]
fn a_circle_is_named() {
    let [Problem::Cycle(names)] = &problems("a: 'rule:b'\nb: '@ or not rule:c'\nc: 'rule:a'")[..]
    else {
        panic!("no circle found");
    };
    assert_eq!(names.join(" "), "a b c a");
    let error = build(
        "admin_required: 'rule:identity:get_user'",
        &Settings::default(),
    )
    .err()
    .unwrap();
    assert!(
        error
            .to_string()
            .contains("admin_required -> identity:get_user -> admin_required"),
        "{error}"
    );
}

#[test]
fn a_circle_through_the_default_rule_is_found() {
    assert!(matches!(
        problems("default: 'rule:gone'")[..],
        [Problem::Cycle(_)]
    ));
}

#[test]
fn rules_that_share_a_part_are_no_circle() {
    build(
        "a: 'rule:b or rule:c'\nb: 'rule:c'\nc: '@'",
        &Settings::default(),
    )
    .unwrap();
}

#[test]
fn references_lead_a_limited_way() {
    let chain = |length: usize| -> String {
        let links: Vec<String> = (0..length)
            .map(|at| format!("n{at}: 'rule:n{}'\n", at + 1))
            .collect();
        links.concat() + &format!("n{length}: '@'")
    };
    let (enforcer, _) = build(&chain(32), &Settings::default()).unwrap();
    assert!(
        enforcer
            .check_named("n0", &member(), &Target::new())
            .is_allowed()
    );
    assert!(matches!(
        problems(&chain(33))[..],
        [Problem::TooDeep { .. }]
    ));
    assert!(matches!(
        problems(&chain(3000))[..],
        [Problem::TooDeep { .. }]
    ));
}

#[test]
fn rules_that_multiply_are_refused() {
    let doubling: String = (0..20)
        .map(|at| format!("n{at}: 'rule:n{0} or rule:n{0}'\n", at + 1))
        .collect();
    assert!(matches!(
        problems(&(doubling + "n20: '!'"))[..],
        [Problem::TooCostly { .. }]
    ));
}

#[test]
fn too_many_rules_are_refused() {
    let many: String = (0..4096).map(|at| format!("n{at}: '@'\n")).collect();
    assert!(matches!(problems(&many)[..], [Problem::TooManyRules(4096)]));
}

#[test]
fn nesting_and_length_are_bounded() {
    let nested = |depth: usize| format!("{}@{}", "(".repeat(depth), ")".repeat(depth));
    parse::rule(&nested(31)).unwrap();
    assert!(
        parse::rule(&nested(32))
            .unwrap_err()
            .contains("nested deeper")
    );
    assert!(
        parse::rule(&nested(7000))
            .unwrap_err()
            .contains("nested deeper")
    );
    assert!(
        parse::rule(&("not ".repeat(32) + "@"))
            .unwrap_err()
            .contains("nested deeper")
    );
    let long = "@ or ".repeat(4000) + "@";
    assert!(parse::rule(&long).unwrap_err().contains("longer than"));
    assert!(
        parse::list_rule(&vec![vec!["role:a".into()]; 4000])
            .unwrap_err()
            .contains("longer than")
    );
}

#[test]
fn a_missing_rule_under_not_is_refused_for_it_would_let_everybody_in() {
    for yaml in [
        "a: 'not rule:gone'",
        "a: 'role:x and not (role:y or rule:gone)'",
        "a: 'not rule:b'\nb: 'role:x or rule:gone'",
        "a: 'not rule:b'\nb: 'rule:c'\nc: 'role:x or rule:gone'",
    ] {
        assert!(
            matches!(problems(yaml)[..], [Problem::NegatesMissing { .. }]),
            "{yaml}"
        );
    }
    build("a: 'not not rule:gone'", &Settings::default()).unwrap();
}

/// A generator of numbers that look random and are the same each time.
struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

#[test]
fn no_input_makes_it_panic() {
    let words = [
        "role:admin",
        "rule:a",
        "rule:owner",
        "not ",
        " and ",
        " or ",
        "(",
        ")",
        "@",
        "!",
        "'x'",
        ":",
        "%(",
        ")s",
        "%",
        "%(user_id)s",
        "token.",
        "user_id",
        ".",
        "\n",
        "a: ",
        "\"",
        "'",
        "[",
        "]",
        "{",
        "}",
        ",",
        "- ",
        "&x ",
        "*x",
        "#",
        "|",
        ">",
        "\\",
        "\u{e4}",
        "\u{1c}",
        "identity:get_user: ",
        "default: ",
        "null",
        "1.5",
        "-1",
        "\0",
        "\u{feff}",
        "<<: ",
        "? ",
        "!!str ",
    ];
    let mut random = Xorshift(0x5eed);
    for _ in 0..4000 {
        let mut input = Vec::new();
        for _ in 0..random.below(14) {
            input.extend_from_slice(words[random.below(words.len())].as_bytes());
            if random.below(40) == 0 {
                input.push(random.below(256) as u8);
            }
        }
        fuzz_policy(&input);
    }
}

#[test]
fn the_error_of_a_reload_leaves_the_old_policy_alone() {
    let (old, _) = build("mine: 'role:member'", &Settings::default()).unwrap();
    let new: Result<(Enforcer, _), _> = build("mine: 'rule:mine'", &Settings::default());
    let in_force = new.map_or(old, |(enforcer, _)| enforcer);
    assert!(
        in_force
            .check_named("mine", &member(), &Target::new())
            .is_allowed()
    );
}
