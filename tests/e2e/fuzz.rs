//! E2: the fuzz targets of `tests/fuzz`, compiled here as they are, so that they keep compiling. Each gets its corpus, so
//! that what once broke a parser never does again, and then what random changes make of it: a short run, the same each
//! time, of what `cargo fuzz run` does at length.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

#[path = "../fuzz/fuzz_targets/auth_request.rs"]
mod auth_request;
#[path = "../fuzz/fuzz_targets/ini.rs"]
mod ini;
#[path = "../fuzz/fuzz_targets/passkey.rs"]
mod passkey;
#[path = "../fuzz/fuzz_targets/policy.rs"]
mod policy;
#[path = "../fuzz/fuzz_targets/token.rs"]
mod token;
#[path = "../fuzz/fuzz_targets/webauthn.rs"]
mod webauthn;

const TARGETS: [&str; 6] = [
    "auth_request",
    "ini",
    "passkey",
    "policy",
    "token",
    "webauthn",
];

/// Longer inputs find nothing that shorter ones do not.
const LONGEST: usize = 8 * 1024;

/// What parsers stumble over.
const STUMBLING: [&[u8]; 22] = [
    b"\0",
    b"\xff\xfe",
    b"\xc2",
    b"\"",
    b"\\ud800",
    b"\\u0000",
    b"\n ",
    b"\r",
    b"null",
    b"-1",
    b"1e999",
    b"99999999999999999999",
    b"[[[[[[[[",
    b"((((((((not ",
    b"%(target)s",
    b"${a}",
    b"=",
    b"&a *a",
    b"\x81\x81\x81\x81\x81\x81\x81\x81",
    b"\xbf\x9f\x5f",
    b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x3b\xff\xff\xff\xff\xff\xff\xff\xff",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz")
        .join(name)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.draw() % limit.max(1) as u64).unwrap()
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..start + self.below((length - start).min(64) + 1)
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// One of these, changed in a few places.
    fn changed(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.one(corpus).clone();
        for _ in 0..=self.below(4) {
            match serde_json::from_slice::<Value>(&input) {
                // Most of what is no JSON is refused at the door.
                Ok(mut value) if self.below(4) > 0 => {
                    self.change_json(&mut value);
                    input = value.to_string().into_bytes();
                }
                _ => self.change_bytes(&mut input, corpus),
            }
        }
        input.truncate(LONGEST);
        input
    }

    fn change_bytes(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.range(input.len());
        match self.below(6) {
            0 if !input.is_empty() => {
                let index = self.below(input.len());
                input[index] ^= 1 << self.below(8);
            }
            1 => drop(input.drain(at)),
            2 => input.truncate(at.start),
            3 => {
                let part = input[at.clone()].repeat(1 + self.below(16));
                input.splice(at.start..at.start, part);
            }
            4 => {
                let other = self.one(corpus);
                let part = other[self.range(other.len())].to_vec();
                input.splice(at, part);
            }
            _ => {
                let part = self.one(&STUMBLING).to_vec();
                input.splice(at, part);
            }
        }
    }

    /// Puts something else in the place of a member, or takes it away.
    fn change_json(&mut self, value: &mut Value) {
        let deeper = self.below(5) > 0;
        match value {
            Value::Object(members) if deeper && !members.is_empty() => {
                let index = self.below(members.len());
                let name = members.keys().nth(index).unwrap().clone();
                match self.below(8) {
                    0 => drop(members.remove(&name)),
                    1 => {
                        let moved = members.remove(&name).unwrap();
                        let names = ["id", "name", "domain", "user", "unscoped", ""];
                        members.insert((*self.one(&names)).to_owned(), moved);
                    }
                    _ => self.change_json(&mut members[&name]),
                }
            }
            Value::Array(items) if deeper && !items.is_empty() => {
                let index = self.below(items.len());
                match self.below(8) {
                    0 => drop(items.remove(index)),
                    1 => items.push(items[index].clone()),
                    _ => self.change_json(&mut items[index]),
                }
            }
            _ => *value = self.odd(),
        }
    }

    fn odd(&mut self) -> Value {
        match self.below(12) {
            0 => Value::Null,
            1 => json!(true),
            2 => json!(-1),
            3 => json!(1e300),
            4 => json!(""),
            5 => json!("\0"),
            6 => json!("é".repeat(300)),
            7 => json!([]),
            8 => json!({}),
            9 => json!({"id": null, "name": 1}),
            10 => json!(["password", "token", "totp", "oauth1", "webauthn"]),
            _ => (0..self.below(200)).fold(json!(0), |inner, _| json!([inner])),
        }
    }
}

/// Runs a target on its corpus, then on so many changes of it.
fn feed(name: &str, run: impl Fn(&[u8]), rounds: usize) {
    let mut corpus: Vec<Vec<u8>> = Vec::new();
    let mut files: Vec<_> = fs::read_dir(folder("corpus").join(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        let input = fs::read(file).unwrap();
        run(&input);
        corpus.push(input);
    }
    assert!(!corpus.is_empty(), "no corpus for {name}");
    let mut random = Random(0);
    for round in 0..rounds {
        let input = random.changed(&corpus);
        let outcome = catch_unwind(AssertUnwindSafe(|| run(&input)));
        assert!(
            outcome.is_ok(),
            "{name} breaks in round {round}; put this into its corpus: b\"{}\"",
            input.escape_ascii()
        );
    }
}

#[test]
fn e2_each_fuzz_target_is_built_here_and_has_a_corpus() {
    assert_eq!(names(&folder("fuzz_targets")), TARGETS);
    assert_eq!(names(&folder("corpus")), TARGETS);
    let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
    for name in TARGETS {
        let path = format!("path = \"fuzz_targets/{name}.rs\"");
        assert!(manifest.contains(&path), "{path} in tests/fuzz/Cargo.toml");
    }
}

#[test]
fn e2_no_token_of_the_corpus_breaks_the_decoder() {
    feed("token", token::run, 20_000);
}

#[test]
fn e2_no_configuration_of_the_corpus_breaks_the_parser() {
    feed("ini", ini::run, 4_000);
}

#[test]
fn e2_no_policy_of_the_corpus_breaks_the_parser() {
    feed("policy", policy::run, 1_000);
}

#[test]
fn e2_no_request_of_the_corpus_breaks_the_pipeline() {
    feed("auth_request", auth_request::run, 20_000);
}

#[test]
fn e2_no_answer_of_the_corpus_breaks_a_ceremony() {
    feed("webauthn", webauthn::run, 6_000);
}

#[test]
fn e2_no_spelling_of_an_answer_in_the_corpus_breaks_its_reader() {
    feed("passkey", passkey::run, 3_000);
}
