//! What is refused: unknown forms, costs beyond the bounds, senseless options.

use crate::hashing::{Algorithm, HashError, HashPolicy};

const BCRYPT: &str = "$2b$04$bOgPmDHv8HuLVkXqPnPDVuLzK1Qh2K6Ac/9CY7KMiZGWVWBFQUQZK";
const BCRYPT_SHA256: &str =
    "$bcrypt-sha256$v=2,t=2b,r=5$82bv5N0tjoueuW01mMPEoO$Bs6OwbkD738CCoyvkSMtEwDrdMg0nLy";
const SCRYPT: &str =
    "$scrypt$ln=16,r=8,p=1$uZmqoAl/Vt1JX9gxVZBm9w$UPIMQ34ZrNq7uvvCsqvxWvL2cAoEEjPspKuhJCaoUwk";
const PBKDF2: &str = "$pbkdf2-sha512$1000$gUYsCIiP9n0T07LZxGC4LQ$DIaUOzGPFmuhnfmiS71MJ+WsMydyxt1pT7Djjfnak7sr4LrPZqaaDUfRyXzTRDlHv9P52nBz+YsrMYUiLlI0SA";

fn verify(stored: &str) -> Result<bool, HashError> {
    HashPolicy::default().verify(b"correct horse battery staple", stored)
}

#[test]
fn an_unknown_form_is_an_error_and_not_just_a_wrong_password() {
    let edited = |hash: &str, from: &str, to: &str| {
        assert!(hash.contains(from), "{from} isn't in {hash}");
        hash.replacen(from, to, 1)
    };
    for stored in [
        "",
        "$",
        "$$$$",
        "correct horse battery staple",
        "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/",
        "$6$rounds=5000$saltsalt$abc",
        "$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D",
        "$bcrypt-sha256$2b,12$n79VH.0Q2TMWmt3Oqt9uku$Kq4Noyk3094Y2QlB8NdRT8SvGiI4ft2",
        "$2b$04$密密密密密密密密密密密密密密密密密aa",
        &edited(BCRYPT, "$2b$", "$2$"),
        &edited(BCRYPT, "$04$", "$4$"),
        &edited(BCRYPT, "$04$", "$03$"),
        &edited(BCRYPT, "$04$", "$32$"),
        &edited(BCRYPT, "$04$", "$+4$"),
        &edited(BCRYPT_SHA256, "v=2", "v=1"),
        &edited(BCRYPT_SHA256, "t=2b", "t=2c"),
        &edited(BCRYPT_SHA256, "r=5", "r=5,r=5"),
        &edited(BCRYPT_SHA256, ",r=5", ""),
        &edited(SCRYPT, "ln=16", "ln=0"),
        &edited(SCRYPT, "ln=16", "ln=64"),
        &edited(SCRYPT, "r=8", "r=0"),
        &edited(SCRYPT, "p=1", "p=0"),
        &edited(SCRYPT, "p=1", "q=1"),
        &edited(SCRYPT, "r=8", "r=4294967296"),
        &edited(PBKDF2, "$1000$", "$0$"),
        &edited(PBKDF2, "$1000$", "$-1$"),
        &edited(PBKDF2, "$1000$", "$$"),
        &format!("{PBKDF2}$"),
        &format!("{PBKDF2} "),
        &format!("$pbkdf2-sha512$1${}$", "A".repeat(100_000)),
    ] {
        assert_eq!(verify(stored), Err(HashError::Unrecognised), "{stored}");
    }
}

#[test]
fn a_hash_cut_short_anywhere_is_unrecognised() {
    for hash in [BCRYPT, BCRYPT_SHA256, SCRYPT, PBKDF2] {
        for end in 0..hash.len() {
            let short = &hash[..end];
            assert_eq!(verify(short), Err(HashError::Unrecognised), "{short}");
        }
    }
}

#[test]
fn an_error_does_not_repeat_what_was_stored() {
    let error = verify("hunter2").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn a_stored_hash_cannot_ask_for_hours_or_for_all_memory() {
    for stored in [
        BCRYPT.replace("$04$", "$19$"),
        BCRYPT.replace("$04$", "$31$"),
        BCRYPT_SHA256.replace("r=5", "r=31"),
        PBKDF2.replace("$1000$", "$10000001$"),
        PBKDF2.replace("$1000$", "$4294967295$"),
        SCRYPT.replace("ln=16", "ln=19"),
        SCRYPT.replace("ln=16", "ln=31"),
        SCRYPT.replace("r=8", "r=33"),
        SCRYPT.replace("p=1", "p=65"),
        SCRYPT.replace("ln=16,r=8,p=1", "ln=1,r=8,p=2000000"),
        SCRYPT.replace("ln=16,r=8,p=1", "ln=31,r=4294967295,p=4294967295"),
    ] {
        assert_eq!(verify(&stored), Err(HashError::TooCostly), "{stored}");
    }
}

#[test]
fn the_bounds_leave_room_above_the_defaults_and_follow_the_options() {
    let default = HashPolicy::default();
    assert!(default.allows_bcrypt(18) && !default.allows_bcrypt(19));
    assert!(default.allows_pbkdf2(10_000_000) && !default.allows_pbkdf2(10_000_001));
    assert!(default.allows_scrypt(17, 8, 4) && !default.allows_scrypt(18, 8, 1));
    assert!(default.allows_scrypt(16, 8, 63) && !default.allows_scrypt(16, 8, 64));

    let with = |algorithm, rounds| HashPolicy {
        algorithm,
        rounds: Some(rounds),
        ..HashPolicy::default()
    };
    assert!(with(Algorithm::Bcrypt, 20).allows_bcrypt(20));
    assert!(with(Algorithm::BcryptSha256, 20).allows_bcrypt(20));
    assert!(!with(Algorithm::Pbkdf2Sha512, 20).allows_bcrypt(20));
    assert!(with(Algorithm::Pbkdf2Sha512, 20_000_000).allows_pbkdf2(20_000_000));
    let scrypt = HashPolicy {
        algorithm: Algorithm::Scrypt,
        scrypt_block_size: Some(64),
        ..HashPolicy::default()
    };
    assert!(scrypt.allows_scrypt(16, 64, 1) && !scrypt.allows_scrypt(16, 65, 1));
}

#[test]
fn zero_is_unset() {
    let zeros = HashPolicy {
        rounds: Some(0),
        scrypt_block_size: Some(0),
        scrypt_parallelism: Some(0),
        salt_bytesize: Some(0),
        ..HashPolicy::default()
    };
    let default = HashPolicy::default();
    zeros.check().unwrap();
    assert_eq!(zeros.bcrypt_cost(), 12);
    assert_eq!(zeros.pbkdf2_rounds(), 25_000);
    assert_eq!(zeros.block_size(), default.block_size());
    assert_eq!(zeros.parallelism(), default.parallelism());
    assert_eq!(zeros.salt_length(), 16);
}

#[test]
fn an_option_that_no_hash_can_be_made_with_is_named() {
    type Change = fn(&mut HashPolicy);
    let wrong: [(Change, &str); 11] = [
        (|p| p.rounds = Some(3), "password_hash_rounds"),
        (|p| p.rounds = Some(32), "password_hash_rounds"),
        (
            |p| {
                p.algorithm = Algorithm::BcryptSha256;
                p.rounds = Some(1000);
            },
            "password_hash_rounds",
        ),
        (|p| p.scrypt_block_size = Some(1), "scrypt_block_size"),
        (|p| p.scrypt_block_size = Some(129), "scrypt_block_size"),
        (|p| p.scrypt_parallelism = Some(65), "scrypt_parallelism"),
        (
            |p| p.scrypt_parallelism = Some(u32::MAX),
            "scrypt_parallelism",
        ),
        (|p| p.salt_bytesize = Some(97), "salt_bytesize"),
        (|p| p.salt_bytesize = Some(u32::MAX), "salt_bytesize"),
        (|p| p.max_password_length = 0, "max_password_length"),
        (|p| p.max_password_length = 4097, "max_password_length"),
    ];
    for (change, option) in wrong {
        let mut policy = HashPolicy::default();
        change(&mut policy);
        let error = policy.check().unwrap_err().to_string();
        assert!(error.contains(option), "{error}");
    }

    HashPolicy::default().check().unwrap();
    for algorithm in [Algorithm::Pbkdf2Sha512, Algorithm::Scrypt] {
        let policy = HashPolicy {
            algorithm,
            rounds: Some(1000),
            ..HashPolicy::default()
        };
        policy.check().unwrap();
    }
}

#[test]
fn an_algorithm_is_known_by_its_option() {
    for name in ["bcrypt", "bcrypt_sha256", "scrypt", "pbkdf2_sha512"] {
        assert_eq!(name.parse::<Algorithm>().unwrap().to_string(), name);
    }
    for name in ["", "Bcrypt", "sha512_crypt", "argon2"] {
        assert!(name.parse::<Algorithm>().is_err(), "{name}");
    }
}
