//! The machine: who runs this, what it can listen on, its limits, its speed.

use std::net::TcpListener;
use std::time::Instant;

use rustix::process::{Resource, geteuid, getrlimit};

use super::findings::Findings;
use crate::config::Config;
use crate::config::sections::PasswordHashAlgorithm;
use crate::node::{hash_policy, hash_threads};
use crate::server::check_certificate;
use crate::server::tls::loose_mode;

/// Open files that no server should be without: connections of clients, mostly.
const FILES: u64 = 4096;
/// A hash that takes so long, in milliseconds, is worth a thought.
const SLOW: u128 = 1000;
/// Fewer rounds of bcrypt are guessed too fast.
const BCRYPT_ROUNDS: u32 = 10;

pub(super) fn look(findings: &mut Findings, config: &Config) {
    if geteuid().is_root() {
        findings.odd(
            "user",
            "this runs as root, who can read everything",
            "run it as the user of the server: `sudo -u keystone keystone-ng doctor`",
        );
    }
    for address in &config.api_server.listen {
        match TcpListener::bind(address) {
            Ok(_) => findings.good("listen", format_args!("{address} is free")),
            Err(error) => findings.odd(
                "listen",
                format_args!("{address}: {error}"),
                "nothing, if the server runs; else see who has it: `ss -ltnp`",
            ),
        }
    }
    match check_certificate(config) {
        Ok(false) => {}
        Ok(true) => findings.good("certificate", "with its key"),
        Err(error) => findings.bad(
            "certificate",
            error,
            "look at [api_server] tls_certificate and tls_key",
        ),
    }
    let key = config.api_server.tls_key.as_deref();
    if let Some((key, mode)) = key.and_then(|key| Some((key, loose_mode(key)?))) {
        findings.odd(
            "certificate",
            format_args!(
                "{} has mode {mode:o}: others can read the key",
                key.display()
            ),
            "chmod 600 it, or 640 for a group that only the server is in",
        );
    }
    files(findings, config);
    hashing(findings, config);
}

fn files(findings: &mut Findings, config: &Config) {
    const CHECK: &str = "open files";
    let needed = u64::try_from(config.storage.connections).unwrap_or(u64::MAX);
    let Some(limit) = getrlimit(Resource::Nofile).current else {
        return findings.good(CHECK, "unlimited");
    };
    if limit < needed.saturating_add(FILES) {
        findings.odd(
            CHECK,
            format_args!("limited to {limit}: so many connections at most"),
            "raise it: LimitNOFILE= in the unit (ours has 65536), or `ulimit -n`",
        );
    } else {
        findings.good(CHECK, format_args!("up to {limit}"));
    }
}

fn hashing(findings: &mut Findings, config: &Config) {
    const CHECK: &str = "password hashing";
    let policy = hash_policy(config);
    let began = Instant::now();
    if let Err(error) = policy.hash(b"correct horse battery staple") {
        return findings.bad(
            CHECK,
            error,
            "look at [identity] password_hash_algorithm and its options",
        );
    }
    let took = began.elapsed().as_millis();
    let bcrypt = matches!(
        config.identity.password_hash_algorithm,
        PasswordHashAlgorithm::Bcrypt | PasswordHashAlgorithm::BcryptSha256
    );
    let few = policy
        .rounds
        .filter(|rounds| bcrypt && (1..BCRYPT_ROUNDS).contains(rounds));
    if let Some(rounds) = few {
        findings.odd(
            CHECK,
            format_args!("{rounds} rounds: who steals the hashes guesses fast"),
            "raise [identity] password_hash_rounds, or leave it at its default",
        );
    }
    let threads = hash_threads(config).threads;
    let said = format!(
        "{} takes {took} ms, on {threads} threads",
        config.identity.password_hash_algorithm
    );
    match took {
        SLOW.. => findings.odd(
            CHECK,
            said,
            "a login is as slow: lower [identity] password_hash_rounds",
        ),
        _ => findings.good(CHECK, said),
    }
}
