//! A policy file to start from.

use std::fmt::Write as _;

use super::Scopes;
use super::defaults::{self, DefaultRule};

const WIDTH: usize = 78;

/// A policy file in YAML in which every default rule stands commented out, with what it guards, the scope types it
/// admits and the operations that ask for it. As it is, it changes nothing.
pub fn sample() -> String {
    let mut out = String::from(
        "# Policy rules. Each is shown with its default; remove the leading # to change one.\n\
         # \"\" lets everybody in who has a token, \"!\" nobody.\n\n",
    );
    for rule in defaults::all() {
        describe(&mut out, rule);
    }
    out
}

fn describe(out: &mut String, rule: &DefaultRule) {
    comment(out, rule.description);
    if !super::is_routed(rule.rule) {
        comment(
            out,
            "Not routed yet: no operation of this server asks for this rule.",
        );
    }
    for operation in rule.operations {
        // Whole, to be searched for.
        let _infallible = writeln!(out, "# {operation}");
    }
    if !rule.scopes.is_empty() {
        comment(out, &format!("Scope types: {}", Scopes::of(rule.scopes)));
    }
    // A name or a rule of ours holds no `"` and no `\`, so quotes make it YAML; a test reads it back.
    let _infallible = writeln!(out, "#\"{}\": \"{}\"", rule.rule.name(), rule.check);
    if let Some(old) = &rule.deprecated {
        comment(
            out,
            &format!(
                "Before {}: \"{}\". {} The old rule holds as well where enforce_new_defaults is off.",
                old.since, old.check, old.reason
            ),
        );
    }
    out.push('\n');
}

fn comment(out: &mut String, text: &str) {
    let mut column = 0;
    for word in text.split_whitespace() {
        if column > 0 && column + 1 + word.len() > WIDTH {
            out.push('\n');
            column = 0;
        }
        if column == 0 {
            out.push('#');
            column = 1;
        }
        out.push(' ');
        out.push_str(word);
        column += 1 + word.len();
    }
    out.push('\n');
}
