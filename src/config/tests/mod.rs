//! Expectations about the notation were read off oslo.config 10.7 itself.

mod inert;
mod ini;
mod load;
mod passkeys;
mod property;
mod sample;
mod values;

use std::path::PathBuf;
use std::sync::Arc;

use super::{ConfigError, Loaded, assemble};

/// Loads files given as text; the first is `a.conf`, the second `b.conf`, and so on.
fn load(
    files: &[&str],
    env: &[(&str, &str)],
    overrides: &[(&str, &str, &str)],
) -> Result<Loaded, ConfigError> {
    let files = ('a'..)
        .zip(files)
        .map(|(name, text)| {
            (
                Arc::new(PathBuf::from(format!("{name}.conf"))),
                text.as_bytes().to_vec(),
            )
        })
        .collect();
    let env: Vec<_> = env
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    let overrides: Vec<_> = overrides
        .iter()
        .map(|(s, n, v)| (((*s).to_owned(), (*n).to_owned()), (*v).to_owned()))
        .collect();
    assemble(files, &env, &overrides, Vec::new())
}

fn file(text: &str) -> Loaded {
    load(&[text], &[], &[]).unwrap_or_else(|e| panic!("{text}\n{e}"))
}

/// The mistakes of a file, a line each.
fn mistakes(text: &str) -> Vec<String> {
    match load(&[text], &[], &[]) {
        Ok(_) => panic!("accepted: {text}"),
        Err(e) => e.problems.iter().map(ToString::to_string).collect(),
    }
}
