//! Key repositories: that they are there, work, and are out of others' reach.

use std::io;
use std::path::Path;
use std::time::Duration;

use keystone_actors::credential::count_under_other_keys;
use keystone_actors::db::micros_since_epoch;
use keystone_actors::token::{KeyError, KeyRepository, KeySet, ModeWarning};

use super::super::{block_on, pool};
use super::findings::Findings;
use super::rotation;
use crate::config::Config;
use crate::config::sections::TokenProvider;
use crate::node::{jws_repository, repository};

pub(super) fn look(findings: &mut Findings, config: &Config) {
    let (tokens, receipts) = (&config.fernet_tokens, &config.fernet_receipts);
    if config.token.provider == TokenProvider::Fernet {
        let repository = repository(&tokens.key_repository, tokens.max_active_keys);
        let lifetime = config.token.expiration + config.token.allow_expired_window;
        fernet(findings, "token keys", &repository, Some(lifetime));
    } else {
        jws(findings, config);
    }
    let shared = tokens.key_repository == receipts.key_repository;
    if !shared || config.token.provider != TokenProvider::Fernet {
        let repository = repository(&receipts.key_repository, receipts.max_active_keys);
        let lifetime = config.receipt.expiration;
        fernet(findings, "receipt keys", &repository, Some(lifetime));
    }
    credentials(findings, config);
}

/// The keys, if they work. What they seal can be used for `lifetime`.
fn fernet(
    findings: &mut Findings,
    check: &'static str,
    at: &KeyRepository,
    lifetime: Option<Duration>,
) -> Option<KeySet> {
    let keys = match at.load() {
        Ok(keys) => keys,
        Err(KeyError::Io { path, source }) if source.kind() == io::ErrorKind::PermissionDenied => {
            let path = path.display();
            findings.bad(
                check,
                format_args!("{path}: {source}"),
                format_args!(
                    "chown it to the server's user, with all of {}, and set up and rotate with \
                     --keystone-user; if that is the case, run doctor as that user",
                    at.path.display()
                ),
            );
            return None;
        }
        Err(error) => {
            findings.error(check, error);
            return None;
        }
    };
    let place = at.path.display();
    findings.good(check, format_args!("{} in {place}", keys.count()));
    if !at.path.join("0").exists() {
        findings.odd(
            check,
            format_args!("no key is staged in {place}"),
            "rotate; it stages one, and the primary stays",
        );
    }
    modes(findings, check, at.mode_warnings().unwrap_or_default());
    let now = micros_since_epoch() / 1_000_000;
    rotation::look(findings, check, at, lifetime, now);
    Some(keys)
}

fn credentials(findings: &mut Findings, config: &Config) {
    const CHECK: &str = "credential keys";
    let path = &config.credential.key_repository;
    let others = [
        &config.fernet_tokens.key_repository,
        &config.fernet_receipts.key_repository,
    ];
    if others.iter().any(|other| same(other, path)) {
        findings.bad(
            CHECK,
            format_args!("{} is the repository of token keys too", path.display()),
            "give [credential] key_repository a directory of its own: token keys are dropped in \
             time, and every credential would be lost with them",
        );
    }
    if config.credential_ng.insecure_allow_null_key {
        findings.odd(
            CHECK,
            "[credential_ng] insecure_allow_null_key is on: what is encrypted with a key that everybody \
             knows is taken for good",
            "run `keystone-ng credential migrate`, and take the option out",
        );
    }
    if !path.exists() {
        return findings.odd(
            CHECK,
            format_args!("none at {}", path.display()),
            "run `keystone-ng credential setup`",
        );
    }
    let Some(keys) = fernet(findings, CHECK, &repository(path, 3), None) else {
        return;
    };
    let older = block_on(async {
        let db = pool(config).ok()?;
        // Where the database does not answer, that is told elsewhere.
        count_under_other_keys(&db, keys.primary_hash()).await.ok()
    });
    if let Some(count) = older.filter(|count| *count > 0) {
        findings.odd(
            CHECK,
            format_args!("{count} credentials are encrypted with older keys"),
            "run `keystone-ng credential migrate`, before the next rotation",
        );
    }
}

fn jws(findings: &mut Findings, config: &Config) {
    const CHECK: &str = "token keys";
    let repository = jws_repository(config);
    if let Err(error) = repository.load() {
        return findings.error(CHECK, error);
    }
    findings.good(
        CHECK,
        format_args!(
            "one in {} signs ({}), those in {} verify",
            repository.private_keys.display(),
            repository.algorithm.name(),
            repository.public_keys.display()
        ),
    );
    match repository.own_key_is_public() {
        Ok(true) => {}
        Ok(false) => findings.bad(
            CHECK,
            "the public half of the key that signs is not among the public keys, so no token of \
             this node is good",
            "run `keystone-ng jws setup`, and copy the public keys to every node",
        ),
        Err(error) => findings.error(CHECK, error),
    }
    if !repository.accepted.contains(&repository.algorithm) {
        findings.bad(
            CHECK,
            format_args!(
                "{} is not accepted, so no token of this node is good",
                repository.algorithm.name()
            ),
            "add [jwt_tokens] jws_algorithm to jws_accepted_algorithms",
        );
    }
    if !repository.private_keys.join("next.pem").exists() {
        findings.odd(
            CHECK,
            "no key waits for the next rotation",
            "run `keystone-ng jws setup`, and copy the public keys to every node",
        );
    }
    modes(
        findings,
        CHECK,
        repository.mode_warnings().unwrap_or_default(),
    );
}

fn modes(findings: &mut Findings, check: &'static str, warnings: Vec<ModeWarning>) {
    for warning in warnings {
        let text = warning.to_string();
        let (message, advice) = text.split_once("; ").unwrap_or((&text, ""));
        findings.odd(check, message, advice);
    }
}

/// Whether both are one directory, however they are written.
fn same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    real(one) == real(other)
}
