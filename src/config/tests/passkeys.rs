//! `[webauthn]`, where it is enabled.

use super::super::sections::TokenMethod;
use super::{file, mistakes};
use crate::policy::Rule;

/// Everything that is needed, and these lines.
fn enabled(lines: &str) -> String {
    format!(
        "[auth]\nmethods = password,token,webauthn\n[webauthn]\nenabled = true\n\
         relying_party_id = cloud.example\n{lines}\n"
    )
}

#[test]
fn a_right_one_is_taken_with_origins_of_and_below_its_domain() {
    let origins = "origins = https://cloud.example, https://id.cloud.example:8443\n\
                   relying_party_origin = https://login.cloud.example";
    let config = file(&enabled(origins)).config;
    let origins: Vec<&str> = config
        .webauthn
        .own_origins()
        .map(|it| it.as_str())
        .collect();
    assert_eq!(
        origins,
        [
            "https://login.cloud.example",
            "https://cloud.example",
            "https://id.cloud.example:8443"
        ],
        "the first is the one of links"
    );
    assert_eq!(config.webauthn.method(&config.auth), TokenMethod::Webauthn);
    file("[webauthn]\nenabled = false\norigins = http://elsewhere.example");
}

#[test]
fn origins_on_which_browsers_use_no_such_passkey_are_mistakes() {
    for (line, why) in [
        ("origins = http://cloud.example", "https alone"),
        ("origins = https://example", "nor below it"),
        ("origins = https://notcloud.example", "nor below it"),
        ("origins = https://10.0.0.1", "on addresses"),
        ("origins = https://cloud.example/v3", "and nothing else"),
        ("origins = https://u@cloud.example", "and nothing else"),
        ("", "origins is empty"),
        (
            "origins = https://cloud.example\nrelated_origins = http://other.example",
            "related_origins = http://other.example: browsers use passkeys on https alone",
        ),
    ] {
        let found = mistakes(&enabled(line));
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        assert!(found[0].contains(why), "{line}: {found:?}");
    }
}

#[test]
fn options_that_contradict_each_other_are_mistakes() {
    for (line, why) in [
        ("relying_party_id = https://cloud.example", "without scheme"),
        ("relying_party_id = 10.0.0.1", "without scheme"),
        ("algorithms = -7,-8", "names -8"),
        ("algorithms =", "algorithms is empty"),
        ("attestation = listed", "aaguid_allow is empty"),
        ("attestation = listed", "attestation_roots is empty"),
        (
            "attestation_roots = /etc/keystone/makers",
            "without attestation = any or listed",
        ),
        (
            "step_up_policies = identity:delete_usr",
            "\"identity:delete_usr\" is no rule",
        ),
        (
            "step_up_policies = admin_required",
            "is no rule of an operation",
        ),
        (
            "aaguid_allow = fbfc3007-154e-4ecc-8c0b-6e020557d7bd",
            "without attestation = listed",
        ),
        ("aaguid_deny = Yubikey", "\"Yubikey\" is no UUID"),
        ("token_method = password", "one of webauthn, x509"),
        (
            "token_method = x509",
            "add x509 at the end of [auth] methods",
        ),
    ] {
        let found = mistakes(&enabled(&format!(
            "origins = https://cloud.example\n{line}"
        )));
        assert!(found.iter().any(|it| it.contains(why)), "{line}: {found:?}");
    }
}

#[test]
fn models_are_listed_with_the_certificates_that_attest_them() {
    let config = file(&enabled(
        "origins = https://cloud.example\nattestation = listed\n\
         aaguid_allow = fbfc3007-154e-4ecc-8c0b-6e020557d7bd\n\
         attestation_roots = makers, /etc/keystone/one.pem\nstep_up_policies = identity:delete_user",
    ));
    let webauthn = &config.config.webauthn;
    assert_eq!(webauthn.attestation_roots.len(), 2);
    assert_eq!(webauthn.step_up_policies, [Rule::DeleteUser]);
}

#[test]
fn a_login_that_counts_as_one_of_just_now_as_long_as_its_token_lives_is_warned_of() {
    let warnings = |age: u32, life: u32| -> Vec<String> {
        let lines = format!(
            "origins = https://cloud.example\nenrolment_max_auth_age = {age}\n[token]\n\
             expiration = {life}"
        );
        let warnings = file(&enabled(&lines)).warnings;
        warnings.iter().map(ToString::to_string).collect()
    };
    assert_eq!(warnings(600, 602), [""; 0]);
    for life in [300, 600, 601] {
        let told = warnings(600, life);
        assert_eq!(told.len(), 1, "{life}: {told:?}");
        let at = "a.conf:7: [webauthn] enrolment_max_auth_age is no less than [token] expiration";
        assert!(told[0].starts_with(at), "{life}: {told:?}");
    }

    let unset = "origins = https://cloud.example\n[token]\nexpiration = 600";
    let told = file(&enabled(unset)).warnings[0].to_string();
    assert!(told.starts_with("a.conf:8: "), "where the other is: {told}");
    let off = file("[token]\nexpiration = 600\n[webauthn]\nenabled = false");
    assert_eq!(off.warnings, []);
}

#[test]
fn localhost_needs_no_tls() {
    file(
        "[auth]\nmethods = password,x509\n[webauthn]\nenabled = true\n\
         relying_party_id = localhost\norigins = http://localhost:5000\n",
    );
}
