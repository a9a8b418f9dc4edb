//! `[webauthn]`, as the provider of passkeys takes it.

use keystone_actors::webauthn::{Attestation, CounterRegression, Requirement, Settings};
use url::Url;

use super::seconds;
use crate::config::{Config, sections};

/// The settings; where passkeys are not enabled, those by which there are none.
pub fn settings(config: &Config) -> Settings {
    let webauthn = &config.webauthn;
    let Some(id) = webauthn
        .relying_party_id
        .as_ref()
        .filter(|_| webauthn.enabled)
    else {
        return Settings::default();
    };
    let origins = webauthn.own_origins().chain(&webauthn.related_origins);
    Settings {
        rp_id: id.clone(),
        rp_name: webauthn.relying_party_name.as_ref().unwrap_or(id).clone(),
        origins: origins
            .filter_map(|origin| Url::parse(origin.as_str()).ok())
            .collect(),
        challenge_ttl: seconds(webauthn.challenge_ttl),
        timeout_ms: webauthn.timeout_ms,
        algorithms: webauthn.algorithms.clone(),
        user_verification: requirement(webauthn.user_verification),
        resident_key: requirement(webauthn.resident_key),
        attestation: match webauthn.attestation {
            sections::Attestation::None => Attestation::None,
            sections::Attestation::Any => Attestation::Any,
            sections::Attestation::Listed => Attestation::Listed,
        },
        aaguid_allow: webauthn.aaguid_allow.clone(),
        aaguid_deny: webauthn.aaguid_deny.clone(),
        max_per_user: webauthn.max_credentials_per_user,
        on_counter_regression: match webauthn.on_counter_regression {
            sections::CounterRegression::Refuse => CounterRegression::Refuse,
            sections::CounterRegression::Disable => CounterRegression::Disable,
        },
        invitation_ttl: seconds(webauthn.invitation_ttl),
        device_ttl: seconds(webauthn.device_ttl),
        hardware_bound_only: webauthn.hardware_bound_only,
    }
}

fn requirement(wanted: sections::Requirement) -> Requirement {
    match wanted {
        sections::Requirement::Required => Requirement::Required,
        sections::Requirement::Preferred => Requirement::Preferred,
        sections::Requirement::Discouraged => Requirement::Discouraged,
    }
}
