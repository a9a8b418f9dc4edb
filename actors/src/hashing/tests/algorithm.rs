//! What is read and written, compared with Python Keystone 30.

use serde_json::Value;

use crate::hashing::stored::{Recipe, Stored};
use crate::hashing::{Algorithm, HashError, HashPolicy};

const ALL: [Algorithm; 4] = [
    Algorithm::Bcrypt,
    Algorithm::BcryptSha256,
    Algorithm::Scrypt,
    Algorithm::Pbkdf2Sha512,
];

/// A policy of little work.
fn cheap(algorithm: Algorithm) -> HashPolicy {
    HashPolicy {
        algorithm,
        rounds: Some(4),
        scrypt_block_size: Some(2),
        ..HashPolicy::default()
    }
}

fn fits(password: &[u8], stored: &str) -> bool {
    HashPolicy::default().verify(password, stored).unwrap()
}

#[test]
fn hashes_that_python_keystone_wrote_verify() {
    let vectors: Value = serde_json::from_str(include_str!(
        "../../../../tests/support/vectors/tokens.json"
    ))
    .unwrap();
    let hashes = vectors["password_hashes"].as_array().unwrap();
    assert_eq!(hashes.len(), 16);

    for vector in hashes {
        let password = vector["password"].as_str().unwrap();
        let hash = vector["hash"].as_str().unwrap();
        let first_72 = &password[..password.floor_char_boundary(72)];
        let other = format!("{password}x");

        assert!(fits(password.as_bytes(), hash), "{vector}");
        // Of the bcrypt_sha256 samples Python accepts none: it can't read rounds of one digit.
        let expect = |key: &str, own: bool| match vector["algorithm"].as_str().unwrap() {
            "bcrypt_sha256" => own,
            _ => vector["accepts"][key].as_bool().unwrap(),
        };
        assert_eq!(
            fits(first_72.as_bytes(), hash),
            expect("first_72_bytes", first_72 == password),
            "{vector}"
        );
        assert_eq!(
            fits(other.as_bytes(), hash),
            expect("other", false),
            "{vector}"
        );
    }
}

#[test]
fn bcrypt_sha256_of_two_digit_rounds_verifies() {
    for (password, hash) in [
        (
            "correct horse battery staple",
            "$bcrypt-sha256$v=2,t=2b,r=12$9HkwxgBlTnUKHBnJbQ89mu$NZRJv3WgBv1xTONILq7rMLLL1GIY3.u",
        ),
        (
            "correct horse battery staple",
            "$bcrypt-sha256$v=2,t=2b,r=10$5jCkALtBUXeRdNFtPcIVKO$vhY7RfkE.iHSjbOwaFFYu10TD.Hrpg6",
        ),
        (
            "pässwörd-密码",
            "$bcrypt-sha256$v=2,t=2b,r=12$61lvGWI0N0Uw.rfWpqIQTO$7KTm18Q7SnpC7EYoRr7NGZKq5NjXLBC",
        ),
        (
            &"x".repeat(100),
            "$bcrypt-sha256$v=2,t=2b,r=12$kTuJJapu/VONHXcDdhPWyu$WogFLeFaQliR7bxeapE3fAV7UY.u9K.",
        ),
    ] {
        assert!(fits(password.as_bytes(), hash), "{hash}");
    }
}

/// All written by Keystone 30.0.0.
#[test]
fn an_empty_password_and_a_nul_inside_one_are_ordinary() {
    for (right, wrong, hash) in [
        (
            "",
            "x",
            "$2b$04$n.45iefETozBpMy1Ff39G.KC3PHtZftgj2sTmeKg2cdOLYcCkyF2m",
        ),
        (
            "",
            "x",
            "$bcrypt-sha256$v=2,t=2b,r=10$wEkYICLO/DJgg3YmxzJVO.$pMRlht1euYvJsERZgDmUAhLa7FSnmie",
        ),
        (
            "",
            "x",
            "$scrypt$ln=16,r=2,p=2$DtYyjqGtooI$bm/Xm2DCphG/Nmwl7JI4beOmIqF/ZwsQ2/nnrBpWix4",
        ),
        (
            "",
            "x",
            "$pbkdf2-sha512$10$ocks1H5mD6uhg6QgNWN2Kw$+44hYtNWHbszU6smrQ+WrMK+9a6cQtWEMpiv7rZlNDbH5okTkuHDPdjj6y6CbbjAj2wFWF1ty+htBuWozqftjA",
        ),
        (
            "pass\0word",
            "pass",
            "$2b$04$qysi0k6uPpbXeXIddQzsHeSDkLTBJ1hIijGjHea8XQzkRvQaTATl2",
        ),
        (
            "password\0",
            "password",
            "$2b$04$zInJlH26WUkxCHp9cIusS.pbehKG7YDZwVSxxrO049CVtUqZMOAx2",
        ),
        (
            "pass\0word",
            "pass",
            "$bcrypt-sha256$v=2,t=2b,r=10$.2nuwig8g16S29r1W7DMM.$WLojUO3ls0o/kv/2F8the4hFNOQFjly",
        ),
        (
            "pass\0word",
            "pass",
            "$pbkdf2-sha512$10$0+U+fd9YvouSVfJTjR/r3g$rRMItLUW/d0CQS26jRG5aZTKryW2dNpHuGsvG41SNtmuQ0542pF44oG3wBi94IYBUrM0vOIpH6JpUfVbj3JGmg",
        ),
    ] {
        assert!(fits(right.as_bytes(), hash), "{hash}");
        assert!(!fits(wrong.as_bytes(), hash), "{hash}");
    }
}

/// All written by Keystone 30.0.0, which cuts to 72 bytes for bcrypt and to 4096 for the others.
#[test]
fn what_python_cut_when_it_wrote_is_cut_when_it_is_verified() {
    let bcrypt_73 = "$2b$04$HLHVZQxTBo2cftJtNKcs9eWOOh/6FYpL7iPMp4VJMcHL8WE2X2pFS";
    let bcrypt_border = "$2b$04$cmIf2FWXlGNbF6n8wL2FMOQxo4a7b/L2/.Dn5d3HUCH6.bIGz2gTe";
    let sha256_4097 =
        "$bcrypt-sha256$v=2,t=2b,r=10$QUUCYQSxF4XC7fRq18qhqO$ocw9WiMkFVBgjx9SWmff68WFxcRODPq";
    let pbkdf2_73 = "$pbkdf2-sha512$10$idixjucVbik7sTtSHXfImw$QI0rqsqcTX5DdFDpBGjVs1789hceRVWFwilr+xrX9HJqF/MIm/+IJ1sJIESYCE21Gpld4PxnRcXQzi6PM0LVtQ";

    assert!(fits(&[b'a'; 73], bcrypt_73));
    assert!(fits(&[b'a'; 72], bcrypt_73));
    assert!(fits(&[b'a'; 128], bcrypt_73));
    assert!(!fits(&[b'a'; 71], bcrypt_73));

    // The 72nd byte is the first half of a character.
    let border = format!("{}éb", "a".repeat(71));
    assert!(fits(border.as_bytes(), bcrypt_border));
    assert!(fits(&border.as_bytes()[..72], bcrypt_border));
    assert!(!fits(&border.as_bytes()[..71], bcrypt_border));

    assert!(fits(&[b'b'; 4097], sha256_4097));
    assert!(fits(&[b'b'; 4096], sha256_4097));
    assert!(!fits(&[b'b'; 4095], sha256_4097));

    assert!(fits(&[b'a'; 73], pbkdf2_73));
    assert!(!fits(&[b'a'; 72], pbkdf2_73));
}

#[test]
fn other_spellings_of_a_form_verify() {
    // Keystone 30.0.0 with `salt_bytesize = 96`, and its second name for scrypt.
    let salted = "$scrypt$ln=16,r=2,p=2$QfcUFvyKk0+2K2xFWEqjZtHUwAIIetGDfFW+lYHfnAkXsPA/MG+22okyNW6FCoG+ozYMhyk2mNHb027Ohm7TL2ikIAL1q9WzGqD/iaxUoz38ohcqiAuPrCMowCixF0dE$wUMNl/9rRVLadtcLBfHgZH0wJAqzWorz0986YjxeGM0";
    assert!(fits(b"pass\0word", salted));
    assert!(fits(b"pass\0word", &salted.replace("$scrypt$", "$7$")));

    // passlib's alphabet has a dot for the plus sign.
    let pbkdf2 = "$pbkdf2-sha512$10$0+U+fd9YvouSVfJTjR/r3g$rRMItLUW/d0CQS26jRG5aZTKryW2dNpHuGsvG41SNtmuQ0542pF44oG3wBi94IYBUrM0vOIpH6JpUfVbj3JGmg";
    assert!(fits(b"pass\0word", &pbkdf2.replace('+', ".")));

    for version in ["2a", "2b", "2x", "2y"] {
        let hash = format!("${version}$04$abcdefghijklmnopqrstuuRYHuwq6VOVEg5t5gHn6M9LpGL5NoXYi");
        assert!(fits("sésame".as_bytes(), &hash), "{hash}");
        assert!(!fits(b"sesame", &hash), "{hash}");
    }
}

#[test]
fn each_algorithm_writes_its_own_form_and_reads_it_back() {
    let forms = [
        "$2b$04$",
        "$bcrypt-sha256$v=2,t=2b,r=10$",
        "$scrypt$ln=16,r=2,p=1$",
        "$pbkdf2-sha512$4$",
    ];
    for (algorithm, form) in ALL.into_iter().zip(forms) {
        let policy = cheap(algorithm);
        let password = "pässwörd-密码".as_bytes();

        let hash = policy.hash(password).unwrap();

        assert!(hash.starts_with(form), "{hash}");
        assert!(policy.verify(password, &hash).unwrap(), "{hash}");
        assert!(!policy.verify(b"another", &hash).unwrap(), "{hash}");
        assert_ne!(policy.hash(password).unwrap(), hash, "a salt came twice");
        assert!(hash.len() <= 255, "the column has no room for {hash}");
    }
}

#[test]
fn no_password_is_cut_when_it_is_set() {
    for algorithm in ALL {
        let policy = cheap(algorithm);
        for length in [0, 1, 71, 72, 73, 128, 4096] {
            let password = vec![b'p'; length];
            let hash = policy.hash(&password).unwrap();
            assert!(policy.verify(&password, &hash).unwrap());

            // Each byte counts, the last as much as the first.
            let mut other = password.clone();
            if let Some(last) = other.last_mut() {
                *last = b'q';
                assert!(
                    !policy.verify(&other, &hash).unwrap(),
                    "{algorithm} of {length} bytes ignores the last"
                );
            }
            let longer = [&password[..], b"p"].concat();
            if longer.len() <= 4096 {
                assert!(
                    !policy.verify(&longer, &hash).unwrap(),
                    "{algorithm} of {length} bytes takes more"
                );
            }
        }
        assert_eq!(
            policy.hash(&[b'p'; 4097]),
            Err(HashError::PasswordTooLong { limit: 4096 }),
            "{algorithm}"
        );
    }
}

#[test]
fn bcrypt_gives_what_it_cannot_hold_to_bcrypt_sha256_or_refuses_it() {
    let lenient = cheap(Algorithm::Bcrypt);
    let strict = HashPolicy {
        strict: true,
        ..lenient.clone()
    };
    // 73 bytes, though 72 characters.
    let border = format!("{}é", "a".repeat(71));

    for policy in [&lenient, &strict] {
        assert!(policy.hash(&[b'a'; 71]).unwrap().starts_with("$2b$"));
        assert!(
            policy
                .hash(&[b'a'; 72])
                .unwrap()
                .starts_with("$bcrypt-sha256$")
        );
    }
    for long in [&[b'a'; 73][..], &[b'a'; 4096], border.as_bytes()] {
        assert!(lenient.hash(long).unwrap().starts_with("$bcrypt-sha256$"));
        assert_eq!(
            strict.hash(long),
            Err(HashError::PasswordTooLong { limit: 72 })
        );
    }
}

#[test]
fn a_shorter_max_password_length_holds_for_every_algorithm() {
    for algorithm in ALL {
        let policy = HashPolicy {
            max_password_length: 20,
            ..cheap(algorithm)
        };
        let hash = policy.hash(&[b'a'; 20]).unwrap();
        assert_eq!(
            policy.hash(&[b'a'; 21]),
            Err(HashError::PasswordTooLong { limit: 20 })
        );
        assert!(policy.verify(&[b'a'; 21], &hash).unwrap());
        assert!(!policy.verify(&[b'a'; 19], &hash).unwrap());
    }
}

#[test]
fn a_decoy_costs_what_a_hash_costs_and_fits_no_password() {
    fn unsalted(hash: &str) -> Recipe {
        let mut recipe = Stored::parse(hash).unwrap().recipe;
        match &mut recipe {
            Recipe::Bcrypt { salt, .. } => *salt = [0; 16],
            Recipe::BcryptSha256 {
                salt, salt_text, ..
            } => {
                *salt = [0; 16];
                salt_text.clear();
            }
            Recipe::Scrypt { salt, .. } | Recipe::Pbkdf2Sha512 { salt, .. } => salt.fill(0),
        }
        recipe
    }
    for algorithm in ALL {
        let policy = cheap(algorithm);
        let decoy = policy.decoy().unwrap();
        assert_eq!(unsalted(&decoy), unsalted(&policy.hash(b"").unwrap()));
        assert!(!policy.verify(b"", &decoy).unwrap());
    }
}
