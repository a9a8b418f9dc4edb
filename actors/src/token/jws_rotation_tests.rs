#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use super::*;
use crate::token::JwsTokens;
use crate::token::format::fixtures::{NOW, TempDir, expected, vectors};
use crate::token::payload::Payload;

const NOBODY: Owner = (None, None);

fn repository(directory: &TempDir, algorithm: JwsAlgorithm) -> JwsRepository {
    JwsRepository {
        private_keys: directory.join("keys/private"),
        public_keys: directory.join("keys/public"),
        algorithm,
        accepted: JwsAlgorithm::ALL.to_vec(),
    }
}

fn payload() -> Payload {
    expected(&vectors()["jws"]["tokens"][0]["decoded"])
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[test]
fn a_set_up_repository_signs_and_verifies_with_each_algorithm() {
    for algorithm in JwsAlgorithm::ALL {
        let directory = TempDir::new();
        let repository = repository(&directory, algorithm);

        let made = repository.setup(NOBODY).unwrap();

        assert_eq!(made.public_keys.len(), 2, "one signs, one waits");
        assert_eq!(mode(&repository.private_keys), 0o700);
        for name in [PRIVATE, NEXT] {
            assert_eq!(mode(&repository.private_keys.join(name)), 0o600);
        }
        assert!(made.public_keys.iter().all(|path| mode(path) == 0o640));
        assert_eq!(repository.mode_warnings().unwrap(), []);
        assert!(repository.own_key_is_public().unwrap());
        let tokens = JwsTokens::new(repository, 300).unwrap();
        let token = tokens.seal(&payload(), NOW).unwrap();
        assert_eq!(tokens.open(&token, NOW).unwrap().payload, payload());
    }
}

#[test]
fn what_is_there_is_kept_and_only_what_is_missing_is_made() {
    let directory = TempDir::new();
    let repository = repository(&directory, JwsAlgorithm::Es256);
    let made = repository.setup(NOBODY).unwrap();
    let signing = fs::read(repository.private_keys.join(PRIVATE)).unwrap();

    assert_eq!(repository.setup(NOBODY).unwrap(), JwsSetup::default());

    // A public key under a name of somebody's own is known for what it is.
    fs::rename(&made.public_keys[0], repository.public_keys.join("mine")).unwrap();
    assert_eq!(repository.setup(NOBODY).unwrap(), JwsSetup::default());
    fs::remove_file(repository.public_keys.join("mine")).unwrap();
    assert!(!repository.own_key_is_public().unwrap());
    let restored = repository.setup(NOBODY).unwrap();
    assert_eq!(restored.public_keys, [made.public_keys[0].clone()]);
    let kept = fs::read(repository.private_keys.join(PRIVATE)).unwrap();
    assert_eq!(kept, signing);
}

#[test]
fn a_token_outlives_two_rotations_and_ends_when_its_public_key_goes() {
    let directory = TempDir::new();
    let repository = repository(&directory, JwsAlgorithm::Es256);
    repository.setup(NOBODY).unwrap();
    let tokens = JwsTokens::new(repository.clone(), 300).unwrap();
    let first = tokens.seal(&payload(), NOW).unwrap();
    let elsewhere = JwsTokens::new(repository.clone(), 300).unwrap();

    let rotated = repository.rotate(NOBODY).unwrap();
    assert!(rotated.promoted && tokens.refresh().unwrap());
    let second = tokens.seal(&payload(), NOW).unwrap();
    // A node that has the public keys of before the rotation takes what is signed after it.
    assert!(elsewhere.open(&second, NOW).is_ok());
    assert!(repository.rotate(NOBODY).unwrap().promoted && tokens.refresh().unwrap());
    assert!(tokens.open(&first, NOW).is_ok() && tokens.open(&second, NOW).is_ok());

    fs::remove_file(rotated.retired.unwrap()).unwrap();
    assert!(tokens.refresh().unwrap());
    assert!(tokens.open(&first, NOW).is_err() && tokens.open(&second, NOW).is_ok());
}

#[test]
fn a_key_that_nobody_has_seen_does_not_sign() {
    let directory = TempDir::new();
    let mut repository = repository(&directory, JwsAlgorithm::Es256);
    repository.setup(NOBODY).unwrap();
    let signing = || fs::read(directory.join("keys/private").join(PRIVATE)).unwrap();
    let before = signing();
    fs::remove_file(repository.private_keys.join(NEXT)).unwrap();

    let staged = repository.rotate(NOBODY).unwrap();
    assert_eq!((staged.promoted, staged.retired), (false, None));
    assert_eq!(signing(), before);

    // The same when another algorithm is configured: the waiting key is none of it.
    repository.algorithm = JwsAlgorithm::EdDsa;
    assert!(!repository.rotate(NOBODY).unwrap().promoted);
    assert_eq!(signing(), before);
    assert!(repository.rotate(NOBODY).unwrap().promoted);
    assert!(repository.load().is_ok());
}

#[test]
fn c3_looser_modes_of_jws_keys_are_reported() {
    let directory = TempDir::new();
    let repository = repository(&directory, JwsAlgorithm::Es256);
    let public = repository.setup(NOBODY).unwrap().public_keys[0].clone();
    let private = repository.private_keys.join(PRIVATE);
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };

    set(&private, 0o640);
    set(&public, 0o664);

    let warnings = repository.mode_warnings().unwrap();
    let found: Vec<_> = warnings.iter().map(|one| (&*one.path, one.due)).collect();
    assert_eq!(found, [(&*private, 0o600), (&*public, 0o644)]);
}

#[test]
fn rotating_what_was_never_set_up_says_what_to_do() {
    let directory = TempDir::new();
    let error = repository(&directory, JwsAlgorithm::Es256).rotate(NOBODY);

    let text = error.unwrap_err().to_string();
    assert!(text.ends_with("run `keystone-ng jws setup`"), "{text}");
}
