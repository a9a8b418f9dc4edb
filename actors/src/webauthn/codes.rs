//! Secrets that are given out, and the hashes of them that are kept.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::{Error, limits};
use crate::ids::UserId;
use crate::token::{CryptoError, KeySet};

const RECEIPT: &str = "receipt:";
const USER_CODE_LABEL: &str = "ng-webauthn user code";

/// Crockford's digits of base 32: no `I`, `L`, `O`, `U`.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// RFC 8628 section 6.1: no vowels, so no words.
const CONSONANTS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// No secret that is shown to us is longer.
const MAX_SHOWN: usize = 128;

/// Random bytes.
pub(super) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Error> {
    let mut bytes = Zeroizing::new([0; N]);
    rand::fill(bytes.as_mut_slice()).map_err(|_| CryptoError)?;
    Ok(bytes)
}

/// A secret of 256 bits, in base64url.
pub(super) fn secret() -> Result<SecretString, Error> {
    let bytes = random::<32>()?;
    Ok(URL_SAFE_NO_PAD.encode(bytes.as_slice()).into())
}

/// What is kept of such a secret: it can't be guessed, so a plain hash is enough.
pub(super) fn hash_of(secret: &SecretString) -> String {
    hash(secret.expose_secret().as_bytes())
}

/// What is kept of a receipt, where the audit IDs of tokens are kept: none has a colon.
pub(super) fn receipt_id(receipt: &SecretString) -> String {
    // 132 bits, for which there is room.
    let hash: String = hash_of(receipt).chars().take(22).collect();
    format!("{RECEIPT}{hash}")
}

/// Whether it is one.
pub(super) fn is_receipt_id(id: &str) -> bool {
    id.starts_with(RECEIPT)
}

/// The base64url of the SHA-256, without padding: 43 characters. Of a credential ID: the ID of its
/// passkey.
pub fn hash(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, bytes))
}

/// The ID of the passkey that a text names: the text itself, and that of the credential whose ID
/// it may be the base64url of.
pub(super) fn passkey_ids(text: &str) -> Vec<String> {
    // With padding.
    const LONGEST: usize = limits::CREDENTIAL_ID.div_ceil(3) * 4;
    if text.len() > LONGEST || text.contains('\0') {
        return Vec::new();
    }
    let raw = URL_SAFE_NO_PAD
        .decode(text)
        .or_else(|_| URL_SAFE.decode(text));
    let mut ids: Vec<String> = raw.iter().map(|raw| hash(raw)).collect();
    // Longer ones fit in no column.
    ids.extend((text.len() <= 64).then(|| text.to_owned()));
    ids
}

/// A recovery code of 60 bits: `XXXX-XXXX-XXXX`.
pub(super) fn recovery_code() -> Result<SecretString, Error> {
    let bytes = random::<12>()?;
    let digits = bytes.iter().map(|byte| usize::from(byte & 31));
    let digits = digits.filter_map(|digit| CROCKFORD.get(digit).copied());
    Ok(in_groups(digits).into())
}

/// What is kept of a recovery code, which has to be as it was made but for its case, hyphens and
/// the letters that look like digits. `None` if it can be none.
pub(super) fn recovery_hash(key: &hmac::Key, user: &UserId, code: &SecretString) -> Option<String> {
    let shown = code.expose_secret();
    if shown.len() > MAX_SHOWN {
        return None;
    }
    let mut digits = Zeroizing::new(String::with_capacity(MAX_SHOWN));
    for letter in shown.chars() {
        match letter.to_ascii_uppercase() {
            '-' | ' ' => {}
            'O' => digits.push('0'),
            'I' | 'L' => digits.push('1'),
            letter if letter.is_ascii_alphanumeric() => digits.push(letter),
            _ => return None,
        }
    }
    if digits.len() != 12 {
        return None;
    }
    let mut tag = hmac::Context::with_key(key);
    tag.update(b"recovery code\0");
    tag.update(user.as_str().as_bytes());
    tag.update(b"\0");
    tag.update(digits.as_bytes());
    Some(URL_SAFE_NO_PAD.encode(tag.sign()))
}

/// A user code: `BCDF-GHJK`. 34 bits, for minutes.
pub(super) fn user_code() -> Result<String, Error> {
    let mut letters = Vec::with_capacity(8);
    while letters.len() < 8 {
        let bytes = random::<16>()?;
        // Those above would make the first letters likelier than the others.
        let fair = bytes.iter().filter(|byte| **byte < 240);
        let fair = fair.filter_map(|byte| CONSONANTS.get(usize::from(byte % 20)).copied());
        letters.extend(fair.take(8 - letters.len()));
    }
    Ok(in_groups(letters.into_iter()))
}

/// What is kept of a user code, by each of the keys, the present one's first. It has to be as it
/// was made but for its case, spaces and hyphens. Empty if it can be none.
pub(super) fn user_code_hashes(keys: &KeySet, shown: &str) -> Vec<String> {
    if shown.len() > MAX_SHOWN {
        return Vec::new();
    }
    let letters = shown.bytes().map(|letter| letter.to_ascii_uppercase());
    let letters: Vec<u8> = letters
        .filter(|letter| !matches!(letter, b'-' | b' '))
        .collect();
    if letters.len() != 8 || !letters.iter().all(|letter| CONSONANTS.contains(letter)) {
        return Vec::new();
    }
    let keys = keys.derived(USER_CODE_LABEL);
    keys.iter()
        .map(|key| URL_SAFE_NO_PAD.encode(hmac::sign(key, &letters)))
        .collect()
}

fn in_groups(digits: impl Iterator<Item = u8>) -> String {
    let mut text = String::with_capacity(14);
    for (index, digit) in digits.enumerate() {
        if index > 0 && index % 4 == 0 {
            text.push('-');
        }
        text.push(char::from(digit));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_code_is_read_as_people_write_it_and_is_one_users() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"key");
        let (alice, bob) = (UserId::from("alice"), UserId::from("bob"));
        let of = |user, code: &str| recovery_hash(&key, user, &code.into());
        let due = of(&alice, "10AB-CDEF-GHJK");

        assert!(due.is_some());
        for same in ["10ab-cdef-ghjk", "IOABCDEFGHJK", " l0ab cdef ghjk "] {
            assert_eq!(of(&alice, same), due, "{same}");
        }
        assert_ne!(of(&bob, "10AB-CDEF-GHJK"), due);
        assert_ne!(of(&alice, "10AB-CDEF-GHJM"), due);
        for none in [
            "",
            "10AB-CDEF-GHJ",
            "10AB-CDEF-GHJKM",
            "10AB-CDEF-GHJ\u{e9}",
        ] {
            assert_eq!(of(&alice, none), None, "{none}");
        }
    }

    #[test]
    fn codes_have_their_form_and_are_not_repeated() {
        let mut seen = std::collections::HashSet::new();
        for _ in 0..100 {
            let code = recovery_code().unwrap();
            let code = code.expose_secret().to_owned();
            assert_eq!(code.len(), 14, "{code}");
            let fits = |byte: u8| CROCKFORD.contains(&byte) || byte == b'-';
            assert!(code.bytes().all(fits), "{code}");
            assert!(seen.insert(code));
            let code = user_code().unwrap();
            assert_eq!(code.len(), 9, "{code}");
            let fits = |byte: u8| CONSONANTS.contains(&byte) || byte == b'-';
            assert!(code.bytes().all(fits), "{code}");
            assert!(seen.insert(code));
        }
    }

    #[test]
    fn a_passkey_is_named_by_its_id_or_its_credential_id_in_base64url() {
        let raw = [0xfb, 0xff, 0xfe, 1];
        for text in ["-__-AQ", "-__-AQ=="] {
            assert_eq!(passkey_ids(text), [hash(&raw), text.to_owned()]);
        }
        assert_eq!(passkey_ids("no base64"), ["no base64"]);
        assert!(passkey_ids(&"A".repeat(1365)).is_empty());
        assert_eq!(passkey_ids(&"A".repeat(1364)).len(), 1);
    }
}
