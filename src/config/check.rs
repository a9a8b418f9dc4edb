//! Rules that tie options together.

mod passkeys;

use keystone_actors::db::is_sql_mode;
use keystone_actors::identity::PasswordRequirement;

use super::error::{Place, Warning};
use super::resolve::Reader;
use super::sections::{Config, PasswordHashAlgorithm};

/// Notes each rule that is broken as a problem.
pub(super) fn check(config: &Config, reader: &mut Reader<'_>) {
    let api = &config.api_server;
    if api.tls_certificate.is_some() != api.tls_key.is_some() {
        let missing = if api.tls_key.is_some() {
            "tls_certificate"
        } else {
            "tls_key"
        };
        reader.problem(
            place(reader, "api_server", "tls_certificate"),
            format!("[api_server] {missing} is missing: the two go together"),
        );
    }
    if api.listen.is_empty() {
        reader.problem(
            place(reader, "api_server", "listen"),
            "[api_server] listen is empty: name an address to listen on".to_owned(),
        );
    }
    if api
        .metrics_listen
        .is_some_and(|address| api.listen.contains(&address))
    {
        reader.problem(
            place(reader, "api_server", "metrics_listen"),
            "[api_server] metrics_listen has to differ from the addresses of listen".to_owned(),
        );
    }

    let identity = &config.identity;
    let bcrypt = matches!(
        identity.password_hash_algorithm,
        PasswordHashAlgorithm::Bcrypt | PasswordHashAlgorithm::BcryptSha256
    );
    // Python Keystone takes 0 as unset.
    if let Some(given) = identity.password_hash_rounds.filter(|given| *given != 0)
        && bcrypt
        && !(4..=31).contains(&given)
    {
        reader.problem(
            place(reader, "identity", "password_hash_rounds"),
            format!(
                "[identity] password_hash_rounds = {given}: for bcrypt it has to be from 4 to 31"
            ),
        );
    }

    let rules = &config.security_compliance;
    if let Some(pattern) = &rules.password_regex
        && let Err(error) = PasswordRequirement::new(pattern, None)
    {
        let place = place(reader, "security_compliance", "password_regex");
        reader.problem(place, error.to_string());
    }

    let mode = &config.database.mysql_sql_mode;
    if !is_sql_mode(mode) {
        reader.problem(
            place(reader, "database", "mysql_sql_mode"),
            format!("[database] mysql_sql_mode = {mode:?}: name modes, separated by commas"),
        );
    }

    if config.jwt_tokens.jws_accepted_algorithms.is_empty() {
        reader.problem(
            place(reader, "jwt_tokens", "jws_accepted_algorithms"),
            "[jwt_tokens] jws_accepted_algorithms is empty: no token could be accepted".to_owned(),
        );
    }

    let coherence = &config.cache_coherence;
    if coherence.trust_window < coherence.poll_interval {
        reader.problem(
            place(reader, "cache_coherence", "trust_window"),
            "[cache_coherence] trust_window has to be at least poll_interval, or no cached entry \
             would ever be used"
                .to_owned(),
        );
    }
    passkeys::check(config, reader);
}

/// What is odd about options together, though the program can run.
pub(super) fn notes(config: &Config, reader: &Reader<'_>) -> Vec<Warning> {
    let mut notes = Vec::new();
    let mut note = |section, name, message: &str| {
        notes.push(Warning::Note {
            place: place(reader, section, name),
            message: message.to_owned(),
        });
    };
    if config.oslo_middleware.enable_proxy_headers_parsing
        && config.api_server.trusted_proxies.is_empty()
    {
        note(
            "oslo_middleware",
            "enable_proxy_headers_parsing",
            "[oslo_middleware] enable_proxy_headers_parsing = true: X-Forwarded-* headers are \
             believed of nobody yet; name the proxies in [api_server] trusted_proxies",
        );
    }
    if config.webauthn.enabled && passkeys::is_never_old(config) {
        let own = ("webauthn", "enrolment_max_auth_age");
        let (section, name) = match reader.text(own.0, own.1) {
            Some(_) => own,
            None => ("token", "expiration"),
        };
        note(
            section,
            name,
            "[webauthn] enrolment_max_auth_age is no less than [token] expiration: no token counts as \
             one of a login too long ago, and one that lives longer (made by Python Keystone, or \
             before expiration was lowered) makes new ones for as long as it lives; set \
             enrolment_max_auth_age at least two seconds below expiration",
        );
    }
    notes
}

fn place(reader: &Reader<'_>, section: &str, name: &str) -> Place {
    reader
        .text(section, name)
        .map_or(Place::Default, |(_, place)| place)
}
