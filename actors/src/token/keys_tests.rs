#![allow(clippy::unwrap_used, clippy::panic)]

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::token::format::fixtures::{NOW, TempDir, key, key_set, key_text};

fn repository(directory: &TempDir) -> KeyRepository {
    KeyRepository::new(directory.to_path_buf(), 3)
}

fn opens(keys: &KeySet, key_name: &str) -> bool {
    let sealed = KeySet::new([key(key_name)]).unwrap();
    let text = sealed.seal_text(b"x".to_vec(), NOW).unwrap();
    keys.open_text(&text, |_, _| ()).is_some()
}

fn primary_is(keys: &KeySet, key_name: &str) -> bool {
    let text = keys.seal_text(b"x".to_vec(), NOW).unwrap();
    let only = KeySet::new([key(key_name)]).unwrap();
    only.open_text(&text, |_, _| ()).is_some()
}

#[test]
fn the_highest_number_seals_and_all_open() {
    let directory = TempDir::new();
    directory.write("0", key_text("staged 0"));
    directory.write("9", key_text("secondary 2"));
    directory.write("10", key_text("primary 3"));

    let keys = repository(&directory).load().unwrap();

    assert_eq!(keys.count(), 3);
    assert!(primary_is(&keys, "primary 3"));
    assert!(opens(&keys, "secondary 2") && opens(&keys, "staged 0"));
    assert!(!opens(&keys, "rotated out 1"));
}

#[test]
fn names_are_numbers_where_python_takes_them_for_numbers() {
    for (name, due) in [
        ("0", Some(0)),
        ("07", Some(7)),
        ("+5", Some(5)),
        ("1_0", Some(10)),
        ("-1", Some(-1)),
        (" 3 ", Some(3)),
        ("0.tmp", None),
        (".1", None),
        ("readme", None),
        ("", None),
        ("+", None),
        ("1__0", None),
        ("_1", None),
        ("1_", None),
        ("+-1", None),
        ("0x1", None),
        ("99999999999999999999", None),
    ] {
        assert_eq!(number(OsStr::new(name)), due, "{name:?}");
    }
}

#[test]
fn what_python_ignores_is_ignored() {
    let directory = TempDir::new();
    directory.write("1", key_text("primary 3"));
    directory.write("2", "");
    directory.write("0.tmp", "half a key");
    directory.write("readme", "no key");
    std::fs::create_dir(directory.join("5")).unwrap();

    let keys = repository(&directory).load().unwrap();

    assert_eq!(keys.count(), 1);
    assert!(primary_is(&keys, "primary 3"));
}

#[test]
fn one_unusable_file_is_reported_by_name() {
    for content in [
        "not a key",
        "BAQE",
        "BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ",
        "\u{e9}",
    ] {
        let directory = TempDir::new();
        directory.write("0", key_text("staged 0"));
        directory.write("1", content);

        let error = repository(&directory).load().unwrap_err();

        assert!(matches!(&error, KeyError::BadKey { path, .. } if path.ends_with("1")));
        assert!(!error.to_string().contains(content), "{error}");
    }
    let directory = TempDir::new();
    directory.write("1", [0xff; 44]);
    assert!(matches!(
        repository(&directory).load(),
        Err(KeyError::BadKey { .. })
    ));
    directory.write("1", "A".repeat(1 << 20));
    assert!(matches!(
        repository(&directory).load(),
        Err(KeyError::BadKey { .. })
    ));
}

#[test]
fn a_key_may_stand_in_white_space_and_in_the_standard_alphabet() {
    let odd = "-_8DAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=";
    let url = FernetKey::from_text(odd, false).unwrap();
    let standard = format!(" {}\n", odd.replace('-', "+").replace('_', "/"));
    let standard = FernetKey::from_text(&standard, false).unwrap();

    let text = KeySet::new([url]).unwrap().seal_text(vec![1], NOW).unwrap();

    let keys = KeySet::new([standard]).unwrap();
    assert_eq!(
        keys.open_text(&text, |at, bytes| (at, bytes.to_vec())),
        Some((NOW, vec![1]))
    );
}

#[test]
fn c3_the_null_key_is_refused_for_tokens_and_a_last_resort_for_credentials() {
    let null = format!("{}=", "A".repeat(43));
    let directory = TempDir::new();
    directory.write("0", key_text("staged 0"));
    directory.write("1", &null);

    let error = repository(&directory).load().unwrap_err();

    assert!(error.to_string().contains("null key"), "{error}");

    directory.write("1", key_text("primary 3"));
    let credentials = KeyRepository {
        null_key_allowed: true,
        ..repository(&directory)
    };
    let keys = credentials.load().unwrap();
    assert_eq!(keys.count(), 3);
    assert!(primary_is(&keys, "primary 3"));
    let of_null = KeySet::new([FernetKey::from_text(&null, true).unwrap()]).unwrap();
    let text = of_null.seal_text(b"x".to_vec(), NOW).unwrap();
    assert!(keys.open_text(&text, |_, _| ()).is_some());
}

#[test]
fn two_names_of_one_number_are_refused() {
    let directory = TempDir::new();
    directory.write("7", key_text("primary 3"));
    directory.write("07", key_text("secondary 2"));
    assert!(matches!(
        repository(&directory).load(),
        Err(KeyError::SameNumber(..))
    ));
}

#[test]
fn an_absent_or_empty_repository_is_an_error_with_a_way_out() {
    let directory = TempDir::new();
    let empty = repository(&directory).load().unwrap_err();
    let absent = KeyRepository::new(directory.join("no"), 3)
        .load()
        .unwrap_err();

    assert!(matches!(empty, KeyError::Empty(_)));
    assert!(matches!(absent, KeyError::Missing(_)));
    for error in [empty, absent] {
        assert!(error.to_string().contains("keystone-ng fernet setup"));
    }
}

#[test]
fn c3_looser_modes_are_reported() {
    let directory = TempDir::new();
    directory.write("0", key_text("staged 0"));
    directory.write("1", key_text("primary 3"));
    let chmod = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    chmod(&directory, 0o700);
    chmod(&directory.join("0"), 0o400);
    chmod(&directory.join("1"), 0o600);
    assert_eq!(repository(&directory).mode_warnings().unwrap(), []);

    chmod(&directory, 0o750);
    chmod(&directory.join("1"), 0o644);

    let warnings = repository(&directory).mode_warnings().unwrap();
    let found: Vec<_> = warnings.iter().map(|w| (w.mode, w.due)).collect();
    assert_eq!(found, [(0o750, 0o700), (0o644, 0o600)]);
    let text = warnings.last().map(ToString::to_string).unwrap();
    assert!(
        text.contains("0644") && text.contains("chmod 0600"),
        "{text}"
    );
}

#[test]
fn changed_keys_are_loaded_and_broken_ones_leave_the_old_in_force() {
    let directory = TempDir::new();
    directory.write("1", key_text("secondary 2"));
    let live = LiveKeys::load(repository(&directory)).unwrap();
    assert!(!live.refresh().unwrap());

    directory.write("2", key_text("primary 3"));
    assert!(live.refresh().unwrap());
    assert!(primary_is(&live.current(), "primary 3"));
    assert!(!live.refresh().unwrap());

    directory.write("3", "rubbish");
    for _ in 0..2 {
        assert!(matches!(live.refresh(), Err(KeyError::BadKey { .. })));
        assert!(primary_is(&live.current(), "primary 3"));
    }

    std::fs::remove_file(directory.join("3")).unwrap();
    live.refresh().unwrap();
    std::fs::remove_file(directory.join("1")).unwrap();
    assert!(live.refresh().unwrap());
    assert!(!opens(&live.current(), "secondary 2"));
}

#[test]
fn c3_a_repository_that_is_being_copied_counts_once_it_has_settled() {
    let directory = TempDir::new();
    directory.write("0", key_text("primary 3"));
    directory.write("1", key_text("secondary 2"));
    let live = LiveKeys::load(repository(&directory)).unwrap();

    // A rotation made elsewhere arrives file by file: first the new staged key takes the place of
    // the old one, which is the primary from now on.
    directory.write("0", key_text("staged 0"));
    assert!(!live.refresh_settled().unwrap());
    directory.write("2", key_text("primary 3"));
    assert!(!live.refresh_settled().unwrap());
    assert!(opens(&live.current(), "primary 3"), "never without it");

    assert!(live.refresh_settled().unwrap());
    assert!(primary_is(&live.current(), "primary 3"));
    assert!(opens(&live.current(), "staged 0"));
    assert!(!live.refresh_settled().unwrap());

    // Who asks for it has it at once.
    directory.write("0", key_text("secondary 2"));
    assert!(live.refresh().unwrap());
}

#[test]
fn a_fingerprint_changes_with_a_key_and_with_nothing_else() {
    let directory = TempDir::new();
    directory.write("1", key_text("secondary 2"));
    let repository = repository(&directory);
    let before = repository.fingerprint().unwrap();

    directory.write("readme", "no key");
    assert_eq!(repository.fingerprint().unwrap(), before);

    // Of the same size, put in place as rotations do it.
    directory.write("1.new", key_text("primary 3"));
    std::fs::rename(directory.join("1.new"), directory.join("1")).unwrap();
    assert_ne!(repository.fingerprint().unwrap(), before);
}

#[test]
fn c4_no_key_shows_in_debug() {
    let shown = format!("{:?}", key_set());
    assert!(!shown.contains("BAQE") && !shown.contains('4'), "{shown}");
}

#[test]
fn the_hash_of_the_primary_key_is_that_of_its_file() {
    // `printf 'BAQE…BAQ=' | sha1sum`, of the 44 characters of the vectors' primary key.
    let keys = KeySet::new([key("primary 3"), key("staged 0")]).unwrap();
    assert_eq!(
        keys.primary_hash(),
        "720faa8924d73d65e94592e6b74182a81e47343b"
    );
}
