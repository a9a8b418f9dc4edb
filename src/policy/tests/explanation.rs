//! What `explain` tells the operator.

use serde_json::json;

use super::super::{Outcome, Step, Target};
use super::{enforcer, in_domain, member};

#[test]
fn it_shows_what_each_part_said_and_why() {
    let enforcer = enforcer(
        "mine: 'rule:helper and not role:guest'\nhelper: 'role:admin or user_id:%(target.user.id)s'",
    );
    let target = Target::new().with("target.user.id", "u9");
    let explanation = enforcer.explain("mine", &member(), &target);
    assert_eq!(
        explanation.to_string(),
        "mine: denied: the rule does not hold\n\
         from: policy.yaml\n\
         scope types: system, domain, project\n\
         \x20 no  (rule:helper and not role:guest)\n\
         \x20   no  rule:helper\n\
         \x20     no  (role:admin or user_id:%(target.user.id)s)\n\
         \x20       no  role:admin    (the roles are Member, reader)\n\
         \x20       no  user_id:%(target.user.id)s    (user_id is \"u1\", target.user.id is \"u9\")\n\
         \x20   yes not role:guest\n\
         \x20     no  role:guest    (the roles are Member, reader)\n"
    );
}

#[test]
fn it_tells_a_wrong_scope_from_a_failed_check() {
    let text = enforcer("")
        .explain(
            "identity:create_region",
            &in_domain("admin"),
            &Target::new(),
        )
        .to_string();
    assert!(
        text.contains("scoped to a domain, the rule admits system, project only"),
        "{text}"
    );
    assert!(text.contains("yes rule:admin_required"), "{text}");
}

#[test]
fn it_names_what_is_missing() {
    let rules = "a: 'rule:gone or user_id:%(target.user.id)s or token.user.id.x:y'";
    let text = enforcer(rules)
        .explain("a", &member(), &Target::new())
        .to_string();
    assert!(text.contains("no  rule:gone    (does not exist)"), "{text}");
    assert!(text.contains("the target has no target.user.id"), "{text}");
    assert!(text.contains("??? token.user.id.x:y"), "{text}");
    assert!(
        text.starts_with("a: denied: the rule can't be answered"),
        "{text}"
    );
    let text = enforcer("")
        .explain("nowhere", &member(), &Target::new())
        .to_string();
    assert_eq!(text, "nowhere: denied: there is no such rule\n");
    let text = enforcer("default: '!'\na: 'rule:gone'")
        .explain("a", &member(), &Target::new())
        .to_string();
    assert!(
        text.contains("the default rule default stands in"),
        "{text}"
    );
}

#[test]
fn it_shows_nothing_that_a_client_sent() {
    let body = json!({"user": {"password": "hunter2"}});
    let target = Target::new().with_body(&body).with_query("q", "secret");
    let rules = "a: 'user_id:%(request_body.user.password)s or user_id:%(filter_attr.q)s'";
    let text = enforcer(rules).explain("a", &member(), &target).to_string();
    assert!(
        text.contains("request_body.user.password is not shown"),
        "{text}"
    );
    assert!(
        !text.contains("hunter2") && !text.contains("secret"),
        "{text}"
    );
}

#[test]
fn the_tree_agrees_with_the_decision() {
    fn top(step: &Step) -> bool {
        step.outcome == Outcome::Yes
    }
    for rule in [
        "@",
        "!",
        "not !",
        "not (@ and !)",
        "! or token.user.id.x:y or @",
        "@ or token.user.id.x:y",
        "rule:gone",
        "! or !",
    ] {
        let enforcer = enforcer(&json!({ "a": rule }).to_string());
        let explanation = enforcer.explain("a", &member(), &Target::new());
        assert_eq!(
            explanation.step.as_ref().is_some_and(top),
            explanation.decision.is_allowed(),
            "{rule}"
        );
        assert_eq!(
            explanation.decision,
            enforcer.check_named("a", &member(), &Target::new()),
            "{rule}"
        );
    }
}
