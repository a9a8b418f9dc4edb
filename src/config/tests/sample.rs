use std::path::Path;

use super::super::{Place, all_sections, options, sample};
use super::{file, load};

/// Every line that is an option and not prose, with its mark removed.
fn uncommented() -> String {
    sample()
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(option) if !option.starts_with(' ') && !option.is_empty() => option,
            _ => line,
        })
        .fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn the_sample_in_the_repository_is_the_one_that_the_definitions_make() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/keystone.conf.sample");
    if std::env::var_os("UPDATE_SAMPLE").is_some() {
        std::fs::write(&path, sample()).unwrap();
    }

    let stored = std::fs::read_to_string(&path).unwrap();
    assert!(
        stored == sample(),
        "run the test again with UPDATE_SAMPLE=1"
    );
}

#[test]
fn the_sample_sets_nothing() {
    let loaded = file(&sample());

    assert!(loaded.warnings.is_empty() && loaded.without_effect.is_empty());
    assert!(
        loaded
            .settings
            .iter()
            .all(|setting| setting.place == Place::Default)
    );
}

#[test]
fn the_sample_uncommented_is_right_and_changes_nothing() {
    let defaults = file("");

    let loaded = load(&[&uncommented()], &[], &[("DEFAULT", "admin_token", "")]).unwrap();

    assert_eq!(loaded.warnings, []);
    // Of the options that only domains are shown, empty and unset are the same.
    let shown =
        |config: &crate::config::Config| format!("{config:?}").replace("String(\"\")", "Null");
    assert_eq!(shown(&loaded.config), shown(&defaults.config));
    for setting in &loaded.settings {
        assert_ne!(setting.place, Place::Default, "{}", setting.meta.title());
    }
    assert_eq!(
        loaded.without_effect.len(),
        options().filter(|meta| meta.inert).count()
    );
}

#[test]
fn sections_of_ours_are_marked() {
    for section in all_sections() {
        let text = sample();
        let (_, rest) = text.split_once(&format!("\n[{}]\n", section.name)).unwrap();
        let own = rest.split("\n[").next().unwrap();
        assert_eq!(
            own.contains("Keystone-NG's own section"),
            section.ours,
            "{}",
            section.name
        );
    }
}
