//! The text of a stored hash, taken apart and put together.
//!
//! Every form starts with its name between dollar signs. They come from passlib, which Keystone
//! used before it wrote the same forms itself.

use std::fmt;
use std::num::NonZeroU32;

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// The column holds 255 characters; nothing much longer is worth a look.
const LONGEST_TEXT: usize = 512;

/// Written without padding, as passlib does. Read with or without, and with stray bits in the last
/// character, as Python does.
const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_encode_padding(false)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
const BCRYPT: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, CONFIG);

/// How a digest is made from a password: all of a stored hash but the digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recipe {
    Bcrypt {
        /// Logarithm to base 2 of the rounds, 4 to 31.
        cost: u32,
        salt: [u8; 16],
    },
    BcryptSha256 {
        /// As for bcrypt.
        cost: u32,
        salt: [u8; 16],
        /// The salt as it is written: these 22 characters are the key of the HMAC.
        salt_text: String,
    },
    Scrypt {
        /// 1 to 31.
        log_n: u32,
        r: u32,
        p: u32,
        salt: Vec<u8>,
    },
    Pbkdf2Sha512 {
        rounds: NonZeroU32,
        salt: Vec<u8>,
    },
}

impl Recipe {
    /// passlib's form of bcrypt over an HMAC, whose key is the salt's text.
    pub(super) fn bcrypt_sha256(cost: u32, salt: [u8; 16]) -> Self {
        Self::BcryptSha256 {
            cost,
            salt,
            salt_text: BCRYPT.encode(salt),
        }
    }

    /// The length of the digest, in bytes.
    pub(super) const fn digest_length(&self) -> usize {
        match self {
            // bcrypt makes 24, and every implementation drops the last.
            Self::Bcrypt { .. } | Self::BcryptSha256 { .. } => 23,
            Self::Scrypt { .. } => 32,
            Self::Pbkdf2Sha512 { .. } => 64,
        }
    }
}

/// A hash as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) recipe: Recipe,
    pub(super) digest: Vec<u8>,
}

impl Stored {
    /// Takes the text apart; `None` if it is no known form, or a digest hasn't its full length
    /// (a digest of one byte would fit every 256th password).
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST_TEXT {
            return None;
        }
        let parts: Vec<&str> = text.split('$').collect();
        let (recipe, digest) = match parts.as_slice() {
            // $2a$, $2x$ and $2y$ stem from the repair of a defect that Python's bcrypt never
            // had: it computes the same for all four.
            ["", "2a" | "2b" | "2x" | "2y", cost, rest] if cost.len() == 2 => {
                let (salt, digest) = rest.split_at_checked(22)?;
                let (cost, salt) = (bcrypt_cost(cost)?, bcrypt_salt(salt)?);
                (Recipe::Bcrypt { cost, salt }, BCRYPT.decode(digest).ok()?)
            }
            ["", "bcrypt-sha256", parameters, salt, digest] => {
                let ["2", "2a" | "2b" | "2x" | "2y", cost] = named(parameters, ["v", "t", "r"])?
                else {
                    return None;
                };
                let recipe = Recipe::BcryptSha256 {
                    // One digit too: Python writes it, though it can't read it back.
                    cost: bcrypt_cost(cost)?,
                    salt: bcrypt_salt(salt)?,
                    salt_text: (*salt).to_owned(),
                };
                (recipe, BCRYPT.decode(digest).ok()?)
            }
            // $7$ is a second name for the first, to Keystone; not libsodium's form of that name.
            ["", "scrypt" | "7", parameters, salt, digest] => {
                let [log_n, r, p] = named(parameters, ["ln", "r", "p"])?;
                let recipe = Recipe::Scrypt {
                    log_n: decimal(log_n).filter(|log_n| (1..=31).contains(log_n))?,
                    r: decimal(r).filter(|r| *r != 0)?,
                    p: decimal(p).filter(|p| *p != 0)?,
                    salt: standard(salt)?,
                };
                (recipe, standard(digest)?)
            }
            ["", "pbkdf2-sha512", rounds, salt, digest] => {
                let recipe = Recipe::Pbkdf2Sha512 {
                    rounds: NonZeroU32::new(decimal(rounds)?)?,
                    salt: standard(salt)?,
                };
                (recipe, standard(digest)?)
            }
            _ => return None,
        };
        (digest.len() == recipe.digest_length()).then_some(Self { recipe, digest })
    }
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = &self.digest;
        match &self.recipe {
            Recipe::Bcrypt { cost, salt } => write!(
                f,
                "$2b${cost:02}${}{}",
                BCRYPT.encode(salt),
                BCRYPT.encode(digest)
            ),
            Recipe::BcryptSha256 {
                cost, salt_text, ..
            } => write!(
                f,
                "$bcrypt-sha256$v=2,t=2b,r={cost}${salt_text}${}",
                BCRYPT.encode(digest)
            ),
            Recipe::Scrypt { log_n, r, p, salt } => write!(
                f,
                "$scrypt$ln={log_n},r={r},p={p}${}${}",
                STANDARD.encode(salt),
                STANDARD.encode(digest)
            ),
            Recipe::Pbkdf2Sha512 { rounds, salt } => write!(
                f,
                "$pbkdf2-sha512${rounds}${}${}",
                STANDARD.encode(salt),
                STANDARD.encode(digest)
            ),
        }
    }
}

/// The values of `a=1,b=2` in the order of `names`: each of them once, and no other.
fn named<'a, const N: usize>(text: &'a str, names: [&str; N]) -> Option<[&'a str; N]> {
    let mut values = [None; N];
    for pair in text.split(',') {
        let (name, value) = pair.split_once('=')?;
        let place = names.iter().position(|known| *known == name)?;
        let slot = values.get_mut(place)?;
        if slot.replace(value).is_some() {
            return None;
        }
    }
    let mut found = [""; N];
    for (value, slot) in values.into_iter().zip(&mut found) {
        *slot = value?;
    }
    Some(found)
}

/// A number in digits and nothing else; `u32::from_str` would take a plus sign.
fn decimal(text: &str) -> Option<u32> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

fn bcrypt_cost(text: &str) -> Option<u32> {
    decimal(text).filter(|cost| (4..=31).contains(cost))
}

fn bcrypt_salt(text: &str) -> Option<[u8; 16]> {
    if text.len() != 22 {
        return None;
    }
    BCRYPT.decode(text).ok()?.try_into().ok()
}

/// passlib writes `.` where the standard alphabet has `+`; both are read.
fn standard(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.replace('.', "+")).ok()
}
