//! What a decision costs: `cargo bench --bench policy`.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use keystone_ng::policy::{Credentials, Enforcer, Overrides, Rule, Settings, Target};
use serde_json::json;

/// Decisions of a round; the best of five rounds counts, as the others were disturbed.
const DECISIONS: u32 = 200_000;

fn main() -> Result<(), Box<dyn Error>> {
    let (enforcer, _) = Enforcer::new(&Settings::default(), Overrides::default())?;
    let role = |name: &str| json!({"id": name, "name": name});
    let of = |roles: &[&str], scope: serde_json::Value| {
        let mut token = json!({
            "user": {"id": "u1", "name": "u1", "domain": {"id": "d1", "name": "d1"}},
            "roles": roles.iter().map(|name| role(name)).collect::<Vec<_>>(),
        });
        if let (Some(token), Some(scope)) = (token.as_object_mut(), scope.as_object()) {
            token.extend(scope.clone());
        }
        Credentials::from_token(&token)
    };
    let callers = [
        (
            "system admin",
            of(&["admin"], json!({"system": {"all": true}})),
        ),
        (
            "domain reader",
            of(&["manager", "reader"], json!({"domain": {"id": "d1"}})),
        ),
        (
            "project member",
            of(
                &["member", "reader"],
                json!({"project": {"id": "p1", "domain": {"id": "d1"}}}),
            ),
        ),
    ];
    let user = json!({"id": "u2", "name": "u2", "domain_id": "d2", "enabled": true});
    println!(
        "{:<28}{:>16}{:>16}{:>16}",
        "ns for each", callers[0].0, callers[1].0, callers[2].0
    );
    let mut slowest = (0.0_f64, "");
    for &rule in Rule::ALL {
        let costs = callers.each_ref().map(|(_, caller)| {
            let rounds = (0..5).map(|_| {
                let began = Instant::now();
                for _ in 0..DECISIONS {
                    let target = Target::new()
                        .with("user_id", "u2")
                        .with("target.user", &user);
                    black_box(enforcer.check(black_box(rule), caller, &target)).is_allowed();
                }
                began.elapsed().as_secs_f64() * 1e9 / f64::from(DECISIONS)
            });
            rounds.fold(f64::INFINITY, f64::min)
        });
        let most = costs.into_iter().fold(0.0, f64::max);
        if most > slowest.0 {
            slowest = (most, rule.name());
        }
        if matches!(
            rule,
            Rule::GetUser | Rule::ListUsers | Rule::ValidateToken | Rule::CreateGrant
        ) {
            let [a, b, c] = costs;
            println!("{:<28}{a:>16.1}{b:>16.1}{c:>16.1}", rule.name());
        }
    }
    println!("slowest: {} with {:.1} ns", slowest.1, slowest.0);
    Ok(())
}
