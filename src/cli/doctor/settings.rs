//! What can be seen in the configuration and the policy alone.

use std::path::Path;

use keystone_actors::token::MethodTable;

use super::findings::Findings;
use crate::config::{Config, Loaded};
use crate::node::load_policy;

pub(super) fn look(findings: &mut Findings, loaded: &Loaded) {
    const CHECK: &str = "configuration";
    let config = &loaded.config;
    if loaded.warnings.is_empty() {
        findings.good(CHECK, "read");
    }
    for warning in &loaded.warnings {
        let text = warning.to_string();
        let (message, advice) = text
            .split_once("; ")
            .unwrap_or((&text, "mend it, or take it out"));
        findings.odd(CHECK, message, advice);
    }
    if config.default.insecure_debug {
        findings.odd(
            CHECK,
            "clients are told why a login failed",
            "set [DEFAULT] insecure_debug = false in production",
        );
    }
    if config.default.debug {
        findings.odd(
            CHECK,
            "the log has details",
            "set [DEFAULT] debug = false in production",
        );
    }
    passwords(findings, config);
    tokens(findings, config);
}

fn passwords(findings: &mut Findings, config: &Config) {
    const CHECK: &str = "password rules";
    let rules = &config.security_compliance;
    let age = rules.minimum_password_age;
    if let Some(end) = rules.password_expires_days
        && age >= end
    {
        findings.odd(
            CHECK,
            format_args!("passwords expire after {end} days, and can be changed after {age}"),
            "make minimum_password_age less than password_expires_days",
        );
    }
    if rules.password_regex.is_some() && rules.password_regex_description.is_none() {
        findings.odd(
            CHECK,
            "a user whose new password is refused is not told why",
            "say the rule of password_regex in words, in password_regex_description",
        );
    }
}

fn tokens(findings: &mut Findings, config: &Config) {
    const CHECK: &str = "tokens";
    let token = &config.token;
    findings.good(
        CHECK,
        format_args!(
            "{}, for {} s, told to services for {} s more",
            token.provider,
            token.expiration.as_secs(),
            token.allow_expired_window.as_secs()
        ),
    );
    match MethodTable::new(config.auth.methods.as_slice()) {
        Ok(methods) => findings.good(
            "[auth] methods",
            format_args!(
                "{} (beside Python Keystone the same, in the same order)",
                methods.names().collect::<Vec<_>>().join(",")
            ),
        ),
        Err(error) => findings.bad("[auth] methods", error, "correct the list"),
    }
}

pub(super) fn look_at_policy(findings: &mut Findings, config: &Config, base: &Path) {
    const CHECK: &str = "policy";
    match load_policy(config, base) {
        Ok((_, warnings)) if warnings.is_empty() => {
            let file = base.join(&config.oslo_policy.policy_file);
            findings.good(
                CHECK,
                match file.exists() {
                    true => format!("the defaults, and {}", file.display()),
                    false => format!("the defaults; there is no {}", file.display()),
                },
            );
        }
        Ok((_, warnings)) => {
            for warning in warnings {
                findings.odd(
                    CHECK,
                    warning,
                    "`keystone-ng policy list` shows what is in force",
                );
            }
        }
        Err(error) => findings.bad(
            CHECK,
            error,
            "correct the file; `keystone-ng policy validate` looks again",
        ),
    }
}
