#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::os::unix::fs::MetadataExt as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;
use crate::token::format::fixtures::{NOW, TempDir, key_text};

fn filled(numbers: &[u32]) -> TempDir {
    let directory = TempDir::new();
    for number in numbers {
        directory.write(&number.to_string(), &*FernetKey::generate_text().unwrap());
    }
    directory
}

fn rotate(directory: &TempDir, max_active_keys: usize) -> RotationReport {
    KeyRepository::new(directory.to_path_buf(), max_active_keys)
        .rotate()
        .unwrap()
}

#[test]
fn c3_a_rotation_leaves_what_pythons_leaves_and_always_a_primary() {
    let cases: [(&[u32], usize, &[&str], RotationReport); 7] = [
        (&[0, 1], 3, &["0", "1", "2"], report(2, true, &[])),
        (&[0, 1, 2], 3, &["0", "2", "3"], report(3, true, &[1])),
        (
            &[0, 1, 2, 3, 4],
            3,
            &["0", "4", "5"],
            report(5, true, &[3, 2, 1]),
        ),
        (&[0, 3, 5, 9], 2, &["0", "10"], report(10, true, &[9, 5, 3])),
        (&[0], 3, &["0", "1"], report(1, true, &[])),
        // Python's leaves only 0, and no token made before can be opened.
        (&[0, 1], 1, &["0", "2"], report(2, true, &[1])),
        // Python's fails and leaves `0.tmp`.
        (&[1], 3, &["0", "1"], report(1, false, &[])),
    ];
    for (before, max, after, due) in cases {
        let directory = filled(before);
        assert_eq!(rotate(&directory, max), due, "{before:?}");
        assert_eq!(directory.names(), after, "{before:?}");
    }
}

fn report(primary: i64, promoted: bool, removed: &[i64]) -> RotationReport {
    RotationReport {
        primary,
        promoted,
        removed: removed.to_vec(),
    }
}

#[test]
fn servers_that_have_not_yet_seen_a_rotation_understand_those_that_have() {
    let directory = TempDir::new();
    let repository = KeyRepository::new(directory.to_path_buf(), 3);
    repository.setup().unwrap();
    let old = repository.load().unwrap();
    let sealed_before = old.seal_text(vec![1], NOW).unwrap();

    repository.rotate().unwrap();

    let new = repository.load().unwrap();
    let sealed_after = new.seal_text(vec![2], NOW).unwrap();
    assert_eq!(
        old.open_text(&sealed_after, |_, x| x.to_vec()),
        Some(vec![2])
    );
    assert_eq!(
        new.open_text(&sealed_before, |_, x| x.to_vec()),
        Some(vec![1])
    );
    repository.rotate().unwrap();
    let newest = repository.load().unwrap();
    assert_eq!(
        newest.open_text(&sealed_after, |_, x| x.to_vec()),
        Some(vec![2])
    );
    assert_eq!(newest.open_text(&sealed_before, |_, x| x.to_vec()), None);
}

#[test]
fn c3_there_are_working_keys_at_each_moment_of_many_rotations() {
    let directory = TempDir::new();
    let repository = KeyRepository::new(directory.to_path_buf(), 3);
    repository.setup().unwrap();
    let (loads, done) = (AtomicU64::new(0), AtomicBool::new(false));

    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Ends the loop below also when a load fails.
            let _finished = OnDrop(|| loads.store(u64::MAX, Ordering::Release));
            let mut last = repository.load().unwrap();
            while !done.load(Ordering::Acquire) {
                let keys = repository.load().unwrap();
                let text = keys.seal_text(vec![1], NOW).unwrap();
                // A server that has read the keys once since the last rotation knows this primary.
                assert!(last.open_text(&text, |_, _| ()).is_some());
                last = keys;
                loads.fetch_add(1, Ordering::Release);
            }
        });
        for _ in 0..200 {
            repository.rotate().unwrap();
            // The first load to end may have begun before the new key was staged, the second not.
            // The next rotation then begins in the midst of another load.
            let due = loads.load(Ordering::Acquire).saturating_add(2);
            while loads.load(Ordering::Acquire) < due {
                std::thread::yield_now();
            }
        }
        done.store(true, Ordering::Release);
    });

    assert_eq!(directory.names(), ["0", "200", "201"]);
}

struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn setup_makes_a_primary_and_a_staged_key_once() {
    let directory = TempDir::new();
    let repository = KeyRepository::new(directory.join("etc/fernet-keys"), 3);

    assert!(repository.setup().unwrap());

    let names = || std::fs::read_dir(&repository.path).unwrap().count();
    let content = || fs::read(repository.path.join("1")).unwrap();
    assert_eq!(names(), 2);
    assert_eq!(
        fs::metadata(&repository.path).unwrap().mode() & 0o7777,
        0o700
    );
    for name in ["0", "1"] {
        let meta = fs::metadata(repository.path.join(name)).unwrap();
        assert_eq!((meta.mode() & 0o7777, meta.size()), (0o600, 44));
    }
    assert_eq!(repository.mode_warnings().unwrap(), []);
    let first = content();
    assert_ne!(first, fs::read(repository.path.join("0")).unwrap());
    assert!(!repository.setup().unwrap());
    assert_eq!((names(), content()), (2, first));
}

#[test]
fn setup_stages_a_key_beside_a_primary_that_has_none() {
    let directory = filled(&[4]);
    assert!(
        KeyRepository::new(directory.to_path_buf(), 3)
            .setup()
            .unwrap()
    );
    assert_eq!(directory.names(), ["0", "4"]);
}

#[test]
fn a_rotation_with_an_unusable_key_changes_nothing() {
    let directory = filled(&[0, 1]);
    directory.write("2", "rubbish");
    let repository = KeyRepository::new(directory.to_path_buf(), 3);

    let failed = repository.rotate();

    assert!(matches!(failed, Err(KeyError::BadKey { .. })));
    assert_eq!(directory.names(), ["0", "1", "2"]);
}

#[test]
fn an_empty_staged_file_is_not_promoted() {
    let directory = filled(&[1, 2]);
    directory.write("0", "");

    let report = rotate(&directory, 3);

    assert_eq!(report, super::tests::report(2, false, &[]));
    assert_eq!(fs::metadata(directory.join("0")).unwrap().len(), 44);
}

#[test]
fn leavings_of_a_rotation_that_died_are_cleared_away() {
    let directory = filled(&[0, 1]);
    directory.write("0.tmp", "half");
    rotate(&directory, 3);
    assert_eq!(directory.names(), ["0", "1", "2"]);
}

#[test]
fn keys_spelt_otherwise_are_promoted_and_removed_all_the_same() {
    let directory = TempDir::new();
    directory.write("00", key_text("staged 0"));
    directory.write("07", key_text("secondary 2"));
    directory.write("08", key_text("primary 3"));

    let report = rotate(&directory, 3);

    assert_eq!(report, super::tests::report(9, true, &[7]));
    assert_eq!(directory.names(), ["0", "08", "9"]);
    let promoted = fs::read_to_string(directory.join("9")).unwrap();
    assert_eq!(promoted, key_text("staged 0"));
}

#[test]
fn two_rotations_at_once_are_refused() {
    let directory = filled(&[0, 1]);
    let repository = KeyRepository::new(directory.to_path_buf(), 3);
    let held = repository.lock().unwrap();

    assert!(matches!(repository.rotate(), Err(KeyError::Busy(_))));

    drop(held);
    assert!(repository.rotate().is_ok());
}

#[test]
fn keys_are_given_to_the_user_and_group_asked_for() {
    let directory = filled(&[0, 1]);
    let meta = fs::metadata(&*directory).unwrap();
    // To itself: any user may do that. To another, only root.
    let (user, group) = match meta.uid() {
        0 => (12, 34),
        own => (own, meta.gid()),
    };
    let repository = KeyRepository {
        owner: (Some(user), Some(group)),
        ..KeyRepository::new(directory.to_path_buf(), 3)
    };

    repository.rotate().unwrap();
    let owner = |name: &str| {
        let meta = fs::metadata(directory.join(name)).unwrap();
        (meta.uid(), meta.gid())
    };
    assert_eq!(owner("0"), (user, group));
    repository.chown(Some(user), Some(group)).unwrap();
    for name in [".", "0", "1", "2"] {
        assert_eq!(owner(name), (user, group), "{name}");
    }
}
