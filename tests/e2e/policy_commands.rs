//! `keystone-ng policy`, as an operator types it.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support::Cloud;
use crate::testdb::Scratch;

/// Exit code, standard output and standard error of a command with the configuration in this folder.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let config = folder.join("keystone.conf");
    if !config.exists() {
        fs::write(&config, "[oslo_policy]\npolicy_file = policy.yaml\n").unwrap();
    }
    let mut command = Cloud::command(&[&["policy"], arguments].concat());
    let output = command.arg("--config-file").arg(config).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn what_is_generated_changes_nothing_and_what_is_listed_is_a_policy_file() {
    let scratch = Scratch::new();
    let folder = scratch.path();
    let generated = Cloud::command(&["policy", "generate"]).output().unwrap();
    fs::write(folder.join("policy.yaml"), &generated.stdout).unwrap();
    let (code, _, said) = run(folder, &["validate"]);
    assert_eq!(code, Some(0), "{said}");

    let (code, listed, said) = run(folder, &["list"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(listed.contains("\"identity:create_trust\": "), "{listed}");
    fs::write(folder.join("policy.yaml"), &listed).unwrap();
    let (code, again, said) = run(folder, &["list"]);
    assert_eq!(code, Some(0), "{said}");
    let rules = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.split("  # ").next().unwrap());
        lines.map(str::to_owned).collect()
    };
    assert_eq!(rules(&listed), rules(&again));
}

#[test]
fn what_is_wrong_or_odd_is_told_with_an_exit_code_of_its_own() {
    let scratch = Scratch::new();
    let folder = scratch.path();
    for (policy, code, told) in [
        (
            "'identity:get_user': 'role:support'\n",
            0,
            "the policy is good",
        ),
        ("'identity:get_usr': '@'\n", 3, "no rule of this name"),
        (
            "a: '@'\nb: 'http://ask.example.com'\n",
            2,
            "line 2: b: `http:` asks another server",
        ),
        (
            "'identity:get_user': 'rule:x'\nx: 'rule:x'\n",
            2,
            "in a circle: x -> x",
        ),
    ] {
        fs::write(folder.join("policy.yaml"), policy).unwrap();
        let (exit, _, said) = run(folder, &["validate"]);
        assert_eq!(exit, Some(code), "{policy}: {said}");
        assert!(said.contains(told), "{policy}: {said}");
    }
    fs::write(
        folder.join("keystone.conf"),
        "[oslo_policy]\npolicy_file = other.yaml\n",
    )
    .unwrap();
    let (exit, _, said) = run(folder, &["validate"]);
    assert_eq!(exit, Some(3), "{said}");
    assert!(said.contains("other.yaml"), "{said}");
}

#[test]
fn a_check_says_which_part_of_the_rule_said_no() {
    let scratch = Scratch::new();
    let folder = scratch.path();
    let domain = json!({"id": "d1", "name": "d1"});
    let token = json!({"token": {
        "user": {"id": "u1", "name": "u1", "domain": domain},
        "roles": [{"id": "r", "name": "reader"}],
        "domain": domain,
    }});
    fs::write(folder.join("body.json"), token.to_string()).unwrap();
    fs::write(
        folder.join("policy.yaml"),
        "\"identity:list_users\": \"user_id:%(filter_attr.name)s and 'd1':%(request_body.user.domain_id)s\"\n",
    )
    .unwrap();
    let body = folder.join("body.json").display().to_string();
    let check = |rule: &str, targets: &[&str]| {
        let targets = targets.iter().flat_map(|target| ["--target", target]);
        let arguments = ["check", "--rule", rule, "--token-body", &body];
        run(
            folder,
            &arguments.into_iter().chain(targets).collect::<Vec<_>>(),
        )
    };

    let (code, out, said) = check("identity:get_user", &["target.user.domain_id=d1"]);
    assert_eq!(code, Some(0), "{out}{said}");
    assert!(out.starts_with("identity:get_user: allowed"), "{out}");

    let (code, out, said) = check("identity:get_user", &["target.user.domain_id=d2"]);
    assert_eq!(code, Some(3), "{out}{said}");
    assert!(out.contains("the rule does not hold"), "{out}");
    assert!(
        out.contains("no  token.domain.id:%(target.user.domain_id)s"),
        "{out}"
    );
    assert!(out.contains("target.user.domain_id is \"d2\""), "{out}");

    let (code, out, _) = check("identity:create_trust", &[]);
    assert_eq!(code, Some(3), "{out}");
    assert!(
        out.contains("counts as scoped to a domain, the rule admits project only"),
        "{out}"
    );

    let sent = ["filter_attr.name=u1", "request_body.user.domain_id=d1"];
    let (code, out, said) = check("identity:list_users", &sent);
    assert_eq!(code, Some(0), "{out}{said}");
}
