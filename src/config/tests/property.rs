use proptest::prelude::*;

use super::super::ini::parse;
use super::super::{fuzz_ini, options};
use super::{file, load};

/// Bytes that look like a file often enough to reach beyond the first line.
fn almost_a_file() -> impl Strategy<Value = String> {
    let names: Vec<_> = options().map(|meta| (meta.section, meta.name)).collect();
    let value = prop_oneof![
        Just("true".to_owned()),
        "-?[0-9]{1,20}",
        "[$]\\{?[a-z_.]{0,12}\\}?",
        "(\\$\\{[a-z]{1,8}\\.[a-z_]{1,8}\\}|\\$\\$|\\\\\\$|[a-z,:'\" ]){0,12}",
        "(mysql|postgresql|sqlite|x)://[a-z@:/%0-9?&=\\[\\]]{0,40}",
        ".{0,30}",
    ];
    let line = prop_oneof![
        8 => (proptest::sample::select(names), value).prop_map(|((s, n), v)| format!("[{s}]\n{n} = {v}")),
        1 => "[ \t]{1,2}.{0,20}",
        1 => "[\\[\\]a-zA-Z=:#;'\" \r]{0,20}",
    ];
    proptest::collection::vec(line, 0..40).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(data in proptest::collection::vec(any::<u8>(), 0..2000)) {
        fuzz_ini(&data);
    }

    #[test]
    fn nothing_like_a_file_makes_it_panic(text in almost_a_file()) {
        fuzz_ini(text.as_bytes());
    }

    #[test]
    fn what_is_written_is_read(
        pairs in proptest::collection::vec(("[a-z_]{1,10}", "[!-~&&[^'\"]]([ -~]{0,20}[!-~&&[^'\"]])?"), 1..20)
    ) {
        let text = pairs.iter().fold("[s]\n".to_owned(), |text, (k, v)| format!("{text}{k} = {v}\n"));
        let document = parse(text.as_bytes());

        prop_assert_eq!(document.faults, []);
        let read: Vec<_> = document.assignments.into_iter().map(|a| (a.key, a.value)).collect();
        prop_assert_eq!(read, pairs);
    }

    #[test]
    fn an_escaped_value_stands_for_itself(value in "[!-~]([ -~]{0,30}[!-~])?") {
        let escaped = value.replace('$', "$$");
        // A backslash before a dollar sign is an escape of its own.
        prop_assume!(!value.contains("\\$"));
        let loaded = load(&[], &[], &[("identity", "default_domain_id", &escaped)]).unwrap();

        prop_assert_eq!(loaded.config.identity.default_domain_id, value);
    }

    #[test]
    fn the_last_of_several_values_wins(values in proptest::collection::vec(0u32..1_000_000, 1..10)) {
        let text = values.iter().fold("[token]\n".to_owned(), |text, v| format!("{text}expiration = {v}\n"));

        prop_assert_eq!(file(&text).config.token.expiration.as_secs(), u64::from(values[values.len() - 1]));
    }
}
