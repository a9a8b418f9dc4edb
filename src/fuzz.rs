//! E2: replays the fuzzers' corpora, so that what once broke a parser never does again.

use std::fs;
use std::path::Path;

fn replay(target: &str, parse: impl Fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        parse(&fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs > 0, "no corpus for {target}");
}

#[test]
fn e2_no_token_of_the_corpus_breaks_the_decoder() {
    replay("token", keystone_actors::token::fuzz_token);
}

#[test]
fn e2_no_configuration_of_the_corpus_breaks_the_parser() {
    replay("ini", crate::config::fuzz_ini);
}

#[test]
fn e2_no_policy_of_the_corpus_breaks_the_parser() {
    replay("policy", crate::policy::fuzz_policy);
}

#[test]
fn e2_no_request_of_the_corpus_breaks_the_pipeline() {
    replay("auth_request", crate::auth::request::fuzz_auth_request);
}
