//! C5, E1 and E4: what is true of the sources.

use std::fs;
use std::path::{Path, PathBuf};

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every Rust file below these folders.
fn sources(folders: &[&str]) -> Vec<(PathBuf, String)> {
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| top().join(folder)).collect();
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = read(&path);
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 100, "{}", found.len());
    found
}

#[test]
fn c5_chance_comes_from_the_cryptographic_library_or_the_system_alone() {
    // aws-lc-rs, and uuid by the operating system: no other generator is there to be used.
    for manifest in ["Cargo.toml", "actors/Cargo.toml"] {
        for line in read(&top().join(manifest)).lines() {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            assert!(!name.contains("rand"), "{manifest}: {line}");
        }
    }
}

#[test]
fn e1_neither_crate_may_be_unsafe() {
    let workspace = read(&top().join("Cargo.toml"));
    assert!(workspace.contains("unsafe_code = \"forbid\""));
    for manifest in ["Cargo.toml", "actors/Cargo.toml"] {
        let text = read(&top().join(manifest));
        assert!(text.contains("[lints]\nworkspace = true"), "{manifest}");
    }
    for (path, text) in sources(&["src", "actors/src"]) {
        assert!(!text.contains("allow(unsafe_code"), "{}", path.display());
    }
}

#[test]
fn e1_dependencies_are_judged_by_advisory_licence_source_and_version() {
    let rules = read(&top().join("deny.toml"));
    for rule in [
        "unmaintained = \"all\"",
        "yanked = \"deny\"",
        "unknown-registry = \"deny\"",
        "unknown-git = \"deny\"",
        "multiple-versions = \"deny\"",
        "wildcards = \"deny\"",
    ] {
        assert!(rules.contains(rule), "{rule}");
    }
    // What is let through says why.
    for line in rules
        .lines()
        .filter(|line| line.trim_start().starts_with("{ "))
    {
        assert!(line.contains("reason = \""), "{line}");
    }
}

#[test]
fn e4_every_test_that_the_security_page_names_is_there() {
    let page = read(&top().join("SECURITY.md"));
    let is_test = |name: &&str| {
        name.matches('_').count() > 2
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let named: Vec<&str> = page.split('`').skip(1).step_by(2).filter(is_test).collect();
    assert!(named.len() > 80, "{}", named.len());
    let sources = sources(&["src", "actors/src", "tests/e2e"]);

    for name in named {
        let (function, module) = (format!("fn {name}("), format!("mod {name} {{"));
        let is_there = |text: &str| text.contains(&function) || text.contains(&module);
        assert!(sources.iter().any(|(_, text)| is_there(text)), "{name}");
    }
}
