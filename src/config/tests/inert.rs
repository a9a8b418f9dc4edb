//! Options of Python Keystone that have no effect here, or a meaning of their own.

use super::{file, mistakes};

fn warnings(text: &str) -> Vec<String> {
    file(text)
        .warnings
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn bounds_of_oslo_that_ours_replace_are_named_with_what_to_set() {
    assert_eq!(
        warnings("[database]\nmax_pool_size = 20\nmax_overflow = 50\npool_timeout = 7\n"),
        [
            "a.conf:2: [database] max_pool_size has no effect here; set [storage] connections",
            "a.conf:4: [database] pool_timeout has no effect here; set [storage] acquire_timeout",
        ],
        "what is only the default is passed over"
    );
}

#[test]
fn a_pattern_or_mode_that_cannot_be_used_is_a_mistake() {
    let found = mistakes("[security_compliance]\npassword_regex = a(b\n");
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("a.conf:2: [security_compliance] password_regex: "),
        "{found:?}"
    );

    let found = mistakes("[database]\nmysql_sql_mode = ANSI'; DROP TABLE user\n");
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("a.conf:2: [database] mysql_sql_mode"),
        "{found:?}"
    );
}
