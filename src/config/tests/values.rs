use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::super::options::{OptionMeta, Value};
use super::super::{Limit, Multi, Network, Uri};
use super::file;

const PLAIN: OptionMeta = OptionMeta::BASE;
const OURS: OptionMeta = OptionMeta {
    ours: true,
    ..OptionMeta::BASE
};

fn read<T: Value>(text: &str) -> Option<T> {
    T::read(text, &PLAIN).ok()
}

#[test]
fn booleans_have_eight_words_in_any_case() {
    for word in ["true", "1", "on", "yes", "True", "YES"] {
        assert_eq!(read::<bool>(word), Some(true), "{word}");
    }
    for word in ["false", "0", "off", "no", "oFF"] {
        assert_eq!(read::<bool>(word), Some(false), "{word}");
    }
    for word in ["", "t", "y", "2", "enabled", " true"] {
        assert_eq!(read::<bool>(word), None, "{word}");
    }
}

#[test]
fn whole_numbers_are_read_as_python_reads_them() {
    for (text, number) in [
        ("7", Some(7)),
        ("+7", Some(7)),
        ("-7", Some(-7)),
        ("1_000", Some(1000)),
        ("007", Some(7)),
        (" 7 ", Some(7)),
        ("-0", Some(0)),
    ] {
        assert_eq!(read::<i64>(text), number, "{text}");
    }
    for text in [
        "",
        "1.0",
        "--1",
        "_1",
        "1_",
        "1__0",
        "0x10",
        "1e3",
        "+-1",
        "99999999999999999999999999999999999999999999",
    ] {
        assert_eq!(read::<i64>(text), None, "{text}");
    }
    assert_eq!(read::<u32>("-1"), None);
    assert_eq!(read::<u32>("4294967296"), None);
}

#[test]
fn minus_one_is_no_limit_and_no_other_negative_number_is() {
    assert_eq!(read::<Limit>("-1"), Some(Limit::NONE));
    assert_eq!(read::<Limit>("0"), Some(Limit::at(0)));
    assert_eq!(read::<Limit>("-2"), None);
    assert!(
        Limit::NONE.admits_after(u64::MAX)
            && !Limit::at(2).admits_after(2)
            && Limit::at(2).admits_after(1)
    );
    assert_eq!(
        (Limit::NONE.get(), Limit::at(3).seconds()),
        (None, Some(Duration::from_secs(3)))
    );
}

#[test]
fn seconds_have_fractions_in_our_own_options_only() {
    assert_eq!(read::<Duration>("1.5"), None);
    assert_eq!(
        Duration::read("1.5", &OURS).ok(),
        Some(Duration::from_millis(1500))
    );
    for text in ["-1", "nan", "inf", "1e3", "", ".", "99999999999", "1.5.2"] {
        assert_eq!(Duration::read(text, &OURS).ok(), None, "{text}");
    }
    assert_eq!(
        file("[cache_coherence]\npoll_interval = 0.05\n")
            .config
            .cache_coherence
            .poll_interval,
        Duration::from_millis(50)
    );
}

#[test]
fn lists_are_split_at_commas_and_quotes_are_characters() {
    for (text, items) in [
        ("", vec![]),
        (",", vec![]),
        ("a, b ,c", vec!["a", "b", "c"]),
        (",a,,b,", vec!["", "a", "", "b"]),
        ("a, b,\"c,d\"", vec!["a", "b", "\"c", "d\""]),
        ("a\nb, c", vec!["a\nb", "c"]),
    ] {
        assert_eq!(read::<Vec<String>>(text).unwrap(), items, "{text}");
    }
}

#[test]
fn dictionaries_have_a_bracketed_list_for_each_name() {
    type Dict = BTreeMap<String, Vec<String>>;
    let of = |pairs: &[(&str, &[&str])]| -> Dict {
        pairs
            .iter()
            .map(|(name, items)| {
                (
                    (*name).to_owned(),
                    items.iter().map(|i| (*i).to_owned()).collect(),
                )
            })
            .collect()
    };
    assert_eq!(read(""), Some(of(&[])));
    assert_eq!(
        read("a:[1], b : [x, y:z]"),
        Some(of(&[("a", &["1"]), ("b", &["x", "y:z"])]))
    );
    assert_eq!(read("a:[]"), Some(of(&[("a", &[])])));
    assert_eq!(read("x,a:[b]"), Some(of(&[("x,a", &["b"])])));
    for text in [
        "a",
        "a:1",
        "a:[1],b",
        ":[1]",
        "a:[1],a:[2]",
        "a:[1",
        "a:[1],",
    ] {
        assert_eq!(read::<Dict>(text), None, "{text}");
    }
}

#[test]
fn empty_text_unsets_what_may_be_unset() {
    assert_eq!(read::<Option<u32>>(" "), Some(None));
    assert_eq!(read::<Option<String>>(""), Some(None));
    assert_eq!(read::<Option<u32>>("x"), None);
    assert_eq!(
        file("[security_compliance]\nlockout_duration =\n")
            .config
            .security_compliance
            .lockout_duration,
        None
    );
}

#[test]
fn urls_keep_their_text_and_have_to_be_http() {
    assert_eq!(
        read::<Uri>("https://h:5000/p").unwrap().as_str(),
        "https://h:5000/p"
    );
    for text in ["h:5000", "ftp://h", "/p", "http://", ""] {
        assert_eq!(read::<Uri>(text), None, "{text}");
    }
}

#[test]
fn a_network_contains_its_addresses() {
    let within = |network: &str, address: &str| {
        read::<Network>(network)
            .unwrap()
            .contains(address.parse::<IpAddr>().unwrap())
    };
    assert!(within("10.0.0.0/8", "10.255.0.1") && !within("10.0.0.0/8", "11.0.0.1"));
    assert!(within("10.1.2.3", "10.1.2.3") && !within("10.1.2.3", "10.1.2.4"));
    assert!(within("0.0.0.0/0", "255.1.1.1") && !within("0.0.0.0/0", "::1"));
    assert!(within("2001:db8::/32", "2001:db8::1") && !within("2001:db8::/32", "2001:db9::1"));
    assert!(within("::/0", "::1") && within("10.0.0.0/8", "::ffff:10.1.1.1"));
    for text in [
        "",
        "10.0.0.0/33",
        "::/129",
        "10.0.0.0/",
        "host",
        "10.0.0.0/-1",
    ] {
        assert_eq!(read::<Network>(text), None, "{text}");
    }
}

#[test]
fn the_bounds_of_an_option_hold() {
    let meta = OptionMeta {
        min: Some(1.0),
        max: Some(3.0),
        ..OptionMeta::BASE
    };
    let within: Vec<_> = (0..5)
        .filter(|n| u32::read(&n.to_string(), &meta).is_ok())
        .collect();

    assert_eq!(within, [1, 2, 3]);
}

#[test]
fn a_repeatable_option_keeps_every_text() {
    let texts = ["a,b".to_owned(), String::new()];

    assert_eq!(
        Multi::read_all(&texts, &PLAIN).ok(),
        Some(Multi(texts.to_vec()))
    );
}
