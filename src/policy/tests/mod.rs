//! Tests of the policy engine, by subject.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod bounds;
mod default_rules;
mod differential;
mod enforcement;
mod explanation;
mod files;
mod language;

use std::path::Path;

use serde_json::json;

use super::{Credentials, Enforcer, Overrides, PolicyError, Settings, Target, Warning};

/// Rules as if from the file `policy.yaml`.
fn overrides(yaml: &str) -> Overrides {
    let mut overrides = Overrides::default();
    overrides
        .add(Path::new("policy.yaml"), yaml)
        .unwrap_or_else(|error| panic!("{error}"));
    overrides
}

fn enforcer(yaml: &str) -> Enforcer {
    build(yaml, &Settings::default()).unwrap().0
}

fn build(yaml: &str, settings: &Settings) -> Result<(Enforcer, Vec<Warning>), PolicyError> {
    Enforcer::new(settings, overrides(yaml))
}

/// Whether `rule` holds for `caller` and `target`.
fn holds(rule: &str, caller: &Credentials, target: &Target<'_>) -> bool {
    let enforcer = enforcer(&json!({ "tried": rule }).to_string());
    enforcer.check_named("tried", caller, target).is_allowed()
}

/// A caller with a token for project `p1` of domain `d1`.
fn member() -> Credentials {
    Credentials::from_token(&json!({"token": {
        "methods": ["password"],
        "user": {"id": "u1", "domain": {"id": "d1"}},
        "project": {"id": "p1", "domain": {"id": "d1"}},
        "roles": [{"id": "r1", "name": "Member"}, {"id": "r2", "name": "reader"}],
    }}))
}

/// A caller with the given role and a token for domain `d1`.
fn in_domain(role: &str) -> Credentials {
    Credentials::from_token(&json!({
        "user": {"id": "u2", "domain": {"id": "d1"}},
        "domain": {"id": "d1"},
        "roles": [{"name": role}],
    }))
}

fn admin() -> Credentials {
    Credentials {
        roles: vec!["admin".into()],
        ..member()
    }
}
