//! The fernet container: version 0x80, time, IV, AES-128-CBC ciphertext, HMAC-SHA256 over all of it
//! (<https://github.com/fernet/spec>). Tokens, receipts and credentials travel in it.

use std::fmt;

use aws_lc_rs::cipher::{
    AES_128, DecryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{
    GeneralPurpose, GeneralPurposeConfig, URL_SAFE, URL_SAFE_NO_PAD,
};
use zeroize::Zeroizing;

const VERSION: u8 = 0x80;
const IV_LEN: usize = 16;
const BLOCK: usize = 16;
const MAC_LEN: usize = 32;
const HEAD_LEN: usize = 1 + 8 + IV_LEN;

/// The longest text that is looked at, in characters. A federated token with some 600 groups fits;
/// HTTP servers seldom take a longer header.
pub const MAX_TEXT: usize = 16 * 1024;

/// Up to here the decoded container lives on the stack: nearly every token.
const ON_STACK: usize = 512;

/// The cryptographic library refused to work: no randomness, or a key of the wrong size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("encryption failed")]
pub struct CryptoError;

/// Why a text is not a fernet key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// Not 44 characters of base64.
    #[error("it is not 32 bytes in base64, 44 characters with the padding")]
    NotAKey,
    /// All zero: Keystone's well-known "null key", with which anybody can make tokens.
    #[error("it is the null key, which everybody knows")]
    Null,
    /// The library refused it.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// One key, its schedules computed. The library wipes them when it is dropped.
pub struct FernetKey {
    mac: hmac::Key,
    encrypt: PaddedBlockEncryptingKey,
    decrypt: PaddedBlockDecryptingKey,
    text_sha1: String,
}

impl FernetKey {
    /// A key from the content of its file: base64 of 32 bytes, the first 16 to sign, the last 16 to
    /// encrypt. Like Python's, it may stand in white space and use either alphabet of base64.
    ///
    /// # Errors
    /// [`InvalidKey`]; the null key is one unless `null_allowed`.
    pub fn from_text(text: &str, null_allowed: bool) -> Result<Self, InvalidKey> {
        // Python overlooks what the two spare bits of the last character hold.
        const ENGINE: GeneralPurpose = GeneralPurpose::new(
            &alphabet::URL_SAFE,
            GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
        );
        let mut ascii = Zeroizing::new(text.trim().as_bytes().to_vec());
        for byte in ascii.iter_mut() {
            *byte = match *byte {
                b'+' => b'-',
                b'/' => b'_',
                other => other,
            };
        }
        let mut key = Zeroizing::new([0; 33]); // what the decoder wants for 44 characters
        let n = ENGINE
            .decode_slice(ascii.as_slice(), key.as_mut_slice())
            .map_err(|_| InvalidKey::NotAKey)?;
        let key = match key.split_first_chunk::<32>() {
            Some((key, _)) if n == 32 => key,
            _ => return Err(InvalidKey::NotAKey),
        };
        if !null_allowed && aws_lc_rs::constant_time::verify_slices_are_equal(key, &[0; 32]).is_ok()
        {
            return Err(InvalidKey::Null);
        }
        let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
        let text_sha1 = sha1.as_ref().iter().map(|b| format!("{b:02x}")).collect();
        Ok(Self::new(key, text_sha1)?)
    }

    /// A fresh random key as the text of a key file: 44 characters, no newline.
    ///
    /// # Errors
    /// [`CryptoError`] if the system has no randomness.
    pub fn generate_text() -> Result<Zeroizing<String>, CryptoError> {
        let mut key = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(key.as_mut_slice()).map_err(|_| CryptoError)?;
        let mut text = Zeroizing::new(String::with_capacity(44)); // never moved, so no copy is left
        URL_SAFE.encode_string(key.as_slice(), &mut text);
        Ok(text)
    }

    fn new(key: &[u8; 32], text_sha1: String) -> Result<Self, CryptoError> {
        let (sign, encrypt) = key.split_at(16);
        let cipher = || UnboundCipherKey::new(&AES_128, encrypt).map_err(|_| CryptoError);
        Ok(Self {
            mac: hmac::Key::new(hmac::HMAC_SHA256, sign),
            encrypt: PaddedBlockEncryptingKey::cbc_pkcs7(cipher()?).map_err(|_| CryptoError)?,
            decrypt: PaddedBlockDecryptingKey::cbc_pkcs7(cipher()?).map_err(|_| CryptoError)?,
            text_sha1,
        })
    }
}

impl fmt::Debug for FernetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FernetKey(..)")
    }
}

/// The keys in force: the first seals, all open. Never empty.
#[derive(Debug)]
pub struct KeySet {
    primary: FernetKey,
    others: Vec<FernetKey>,
}

impl KeySet {
    /// Of `keys` the first is the primary one; the others are tried in their order. `None` if there
    /// is no key.
    pub fn new(keys: impl IntoIterator<Item = FernetKey>) -> Option<Self> {
        let mut keys = keys.into_iter();
        let primary = keys.next()?;
        Some(Self {
            primary,
            others: keys.collect(),
        })
    }

    /// How many keys there are.
    pub fn count(&self) -> usize {
        1 + self.others.len()
    }

    /// The hexadecimal SHA-1 of the primary key's text: what Keystone stores in
    /// `credential.key_hash` to know which credentials a rotation has not yet reached.
    pub fn primary_hash(&self) -> &str {
        &self.primary.text_sha1
    }

    /// The same of all keys, the primary first.
    pub fn hashes(&self) -> impl Iterator<Item = &str> {
        let keys = std::iter::once(&self.primary).chain(&self.others);
        keys.map(|key| key.text_sha1.as_str())
    }

    /// Keys of another purpose, named by its label, made of these keys: the primary one's first.
    /// They tell nothing of the keys, nor of those of another label.
    pub(crate) fn derived(&self, label: &str) -> Vec<hmac::Key> {
        let keys = std::iter::once(&self.primary).chain(&self.others);
        // No container begins as a label does, which is ASCII.
        keys.map(|key| {
            let derived = hmac::sign(&key.mac, label.as_bytes());
            hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref())
        })
        .collect()
    }

    /// Seals `plaintext` with the primary key as a container issued at `issued_at`, seconds since
    /// 1970. The buffer of the plaintext is used up.
    ///
    /// # Errors
    /// [`CryptoError`] for want of randomness, and for a time before 1970, which a container can't hold.
    pub fn seal(&self, mut plaintext: Vec<u8>, issued_at: i64) -> Result<Vec<u8>, CryptoError> {
        let issued_at = u64::try_from(issued_at).map_err(|_| CryptoError)?;
        let key = &self.primary;
        let context = key
            .encrypt
            .encrypt(&mut plaintext)
            .map_err(|_| CryptoError)?;
        let iv: &[u8] = (&context).try_into().map_err(|_| CryptoError)?;

        let mut container = Vec::with_capacity(HEAD_LEN + plaintext.len() + MAC_LEN);
        container.push(VERSION);
        container.extend_from_slice(&issued_at.to_be_bytes());
        container.extend_from_slice(iv);
        container.extend_from_slice(&plaintext);
        let mac = hmac::sign(&key.mac, &container);
        container.extend_from_slice(mac.as_ref());
        Ok(container)
    }

    /// Opens a container in place. Gives the time in it, in seconds since 1970, and the plaintext;
    /// `None` if no key made it, or a byte of it was changed.
    pub fn open<'c>(&self, container: &'c mut [u8]) -> Option<(i64, &'c [u8])> {
        let signed_len = container.len().checked_sub(MAC_LEN)?;
        let body_len = signed_len.checked_sub(HEAD_LEN)?;
        if body_len == 0 || !body_len.is_multiple_of(BLOCK) || container.first() != Some(&VERSION) {
            return None;
        }
        let (signed, mac) = container.split_at_mut_checked(signed_len)?;
        let key = std::iter::once(&self.primary)
            .chain(&self.others)
            .find(|key| hmac::verify(&key.mac, signed, mac).is_ok())?;

        let (_, rest) = signed.split_first_mut()?;
        let (time, rest) = rest.split_first_chunk_mut::<8>()?;
        let (iv, body) = rest.split_first_chunk_mut::<IV_LEN>()?;
        let issued_at = i64::try_from(u64::from_be_bytes(*time)).ok()?;
        let context = DecryptionContext::Iv128((&*iv).into());
        let plaintext = key.decrypt.decrypt(body, context).ok()?;
        Some((issued_at, plaintext))
    }

    /// [`KeySet::seal`] as the text of a token: URL-safe base64 without padding.
    ///
    /// # Errors
    /// As [`KeySet::seal`].
    pub fn seal_text(&self, plaintext: Vec<u8>, issued_at: i64) -> Result<String, CryptoError> {
        Ok(URL_SAFE_NO_PAD.encode(self.seal(plaintext, issued_at)?))
    }

    /// Opens the text of a token and hands time and plaintext to `read`. `None` if it is not
    /// exactly what [`KeySet::seal_text`] wrote with one of these keys.
    ///
    /// One spelling only (CVE-2015-7546): no padding, no other alphabet, no white space, spare bits
    /// zero, at most [`MAX_TEXT`] characters. Python Keystone accepts a good many spellings.
    pub fn open_text<R>(&self, text: &str, read: impl FnOnce(i64, &[u8]) -> R) -> Option<R> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let room = base64::decoded_len_estimate(text.len());
        let mut stack = [0; ON_STACK];
        let mut heap = Vec::new();
        let buffer = match stack.get_mut(..room) {
            Some(buffer) => buffer,
            None => {
                heap.resize(room, 0);
                heap.as_mut_slice()
            }
        };
        let n = URL_SAFE_NO_PAD.decode_slice(text, buffer).ok()?;
        let (issued_at, plaintext) = self.open(buffer.get_mut(..n)?)?;
        Some(read(issued_at, plaintext))
    }
}
