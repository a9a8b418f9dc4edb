//! The options that decide how a password is hashed, and what a stored hash may cost.

use std::fmt;
use std::str::FromStr;

use super::HashError;

/// bcrypt reads no more of its input than this, in bytes.
pub(super) const BCRYPT_INPUT: usize = 72;
/// The exponent of scrypt's N that Python Keystone writes; no option changes it.
pub(super) const SCRYPT_LOG_N: u32 = 16;

/// A stored bcrypt hash may take 2^18 rounds, 64 times the default: seconds, not minutes.
const BCRYPT_COST_BOUND: u32 = 18;
/// A stored PBKDF2 hash may take 400 times the default's rounds: seconds.
const PBKDF2_ROUNDS_BOUND: u32 = 10_000_000;
/// A stored scrypt hash may take four times the default's memory, in bytes.
const SCRYPT_MEMORY_BOUND: u64 = 256 << 20;
/// A stored scrypt hash may pass over this many bytes (memory times parallelism), 64 times the
/// default: seconds.
const SCRYPT_WORK_BOUND: u64 = 4 << 30;
/// Keystone's own limit of `max_password_length`, in bytes.
const LONGEST_PASSWORD: usize = 4096;

/// A way of hashing that Keystone writes: `[identity] password_hash_algorithm`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `$2b$`. Reads 72 bytes of a password; a longer one is hashed with [`Algorithm::BcryptSha256`],
    /// or refused under `strict_password_check`. It is never cut.
    ///
    /// Beside a Python Keystone that has `bcrypt` configured too, be strict: Python cuts what is
    /// typed to 72 bytes whatever the hash, so it can't verify a longer password.
    #[default]
    Bcrypt,
    /// `$bcrypt-sha256$`, in passlib's second form: bcrypt over an HMAC of the whole password.
    BcryptSha256,
    /// `$scrypt$` (RFC 7914), with N = 2^16.
    Scrypt,
    /// `$pbkdf2-sha512$` (RFC 8018 section 5.2), with HMAC-SHA512.
    Pbkdf2Sha512,
}

impl Algorithm {
    /// The option's value that names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bcrypt => "bcrypt",
            Self::BcryptSha256 => "bcrypt_sha256",
            Self::Scrypt => "scrypt",
            Self::Pbkdf2Sha512 => "pbkdf2_sha512",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = HashError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [
            Self::Bcrypt,
            Self::BcryptSha256,
            Self::Scrypt,
            Self::Pbkdf2Sha512,
        ]
        .into_iter()
        .find(|algorithm| algorithm.name() == name)
        .ok_or(HashError::Policy {
            option: "[identity] password_hash_algorithm",
            rule: "has to be bcrypt, bcrypt_sha256, scrypt or pbkdf2_sha512",
        })
    }
}

/// The options of password hashing, with Keystone's names and defaults. Zero is the same as unset,
/// as it is for Keystone.
///
/// A stored hash brings its own parameters, and whoever can write a row could make one that takes
/// hours or all memory. So these are bounded: bcrypt to 2^18 rounds, PBKDF2 to ten million, scrypt
/// to 256 MiB and to 4 GiB passed over. Where the options themselves ask for more, that is the
/// bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashPolicy {
    /// `[identity] password_hash_algorithm`: what is written. Read is every form.
    pub algorithm: Algorithm,
    /// `[identity] password_hash_rounds`: for both kinds of bcrypt the logarithm to base 2, 4 to
    /// 31, by default 12; for PBKDF2 the count, by default 25000; for scrypt without meaning.
    /// bcrypt_sha256 is written with 10 at least, since Keystone 30 can't read back fewer.
    pub rounds: Option<u32>,
    /// `[identity] scrypt_block_size`, RFC 7914's r: 2 to 128, by default 8. A hash takes
    /// 8 MiB times this.
    pub scrypt_block_size: Option<u32>,
    /// `[identity] scrypt_parallelism`, RFC 7914's p: 1 to 64, by default 1.
    pub scrypt_parallelism: Option<u32>,
    /// `[identity] salt_bytesize`, for scrypt and PBKDF2: up to 96 bytes, by default 16.
    pub salt_bytesize: Option<u32>,
    /// `[identity] max_password_length`, in bytes of UTF-8, 1 to 4096. A longer password isn't
    /// set. One that is typed at a login is cut to this before it is compared, as Python did when
    /// it wrote the hash.
    pub max_password_length: usize,
    /// `[DEFAULT] strict_password_check`: refuse to set a password longer than 72 bytes with
    /// bcrypt, instead of hashing it with bcrypt_sha256.
    pub strict: bool,
}

impl Default for HashPolicy {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::default(),
            rounds: None,
            scrypt_block_size: None,
            scrypt_parallelism: None,
            salt_bytesize: None,
            max_password_length: LONGEST_PASSWORD,
            strict: false,
        }
    }
}

impl HashPolicy {
    /// Refuses values that no hash can be made with, so that a mistake shows at the start and not
    /// at the first login.
    ///
    /// # Errors
    /// [`HashError::Policy`], naming the option and what it has to be.
    pub fn check(&self) -> Result<(), HashError> {
        let rules = [
            (
                matches!(self.algorithm, Algorithm::Scrypt | Algorithm::Pbkdf2Sha512)
                    || (4..=31).contains(&self.bcrypt_cost()),
                "[identity] password_hash_rounds",
                "has to be 4 to 31 for bcrypt and bcrypt_sha256",
            ),
            (
                // With r = 1 RFC 7914 section 6 allows N < 2^16 only.
                (2..=128).contains(&self.block_size()),
                "[identity] scrypt_block_size",
                "has to be 2 to 128",
            ),
            (
                (1..=64).contains(&self.parallelism()),
                "[identity] scrypt_parallelism",
                "has to be 1 to 64",
            ),
            (
                self.salt_length() <= 96,
                "[identity] salt_bytesize",
                "has to be at most 96",
            ),
            (
                (1..=LONGEST_PASSWORD).contains(&self.max_password_length),
                "[identity] max_password_length",
                "has to be 1 to 4096",
            ),
        ];
        match rules.into_iter().find(|(holds, ..)| !holds) {
            Some((_, option, rule)) => Err(HashError::Policy { option, rule }),
            None => Ok(()),
        }
    }

    /// The algorithm that a password of this many bytes is written with.
    pub(super) fn algorithm_for(&self, length: usize) -> Result<Algorithm, HashError> {
        let refused = |limit| Err(HashError::PasswordTooLong { limit });
        if length > self.max_password_length {
            return refused(self.max_password_length);
        }
        match self.algorithm {
            Algorithm::Bcrypt if length > BCRYPT_INPUT && self.strict => refused(BCRYPT_INPUT),
            // One that just fits would let in every longer one that begins with it: verifying cuts, for
            // what Python Keystone has cut.
            Algorithm::Bcrypt if length >= BCRYPT_INPUT => Ok(Algorithm::BcryptSha256),
            algorithm => Ok(algorithm),
        }
    }

    pub(super) fn bcrypt_cost(&self) -> u32 {
        given(self.rounds).unwrap_or(12)
    }

    pub(super) fn pbkdf2_rounds(&self) -> u32 {
        given(self.rounds).unwrap_or(25_000)
    }

    pub(super) fn block_size(&self) -> u32 {
        given(self.scrypt_block_size).unwrap_or(8)
    }

    pub(super) fn parallelism(&self) -> u32 {
        given(self.scrypt_parallelism).unwrap_or(1)
    }

    pub(super) fn salt_length(&self) -> usize {
        given(self.salt_bytesize).map_or(16, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// Whether a stored hash may take 2^`cost` rounds of bcrypt.
    pub(super) fn allows_bcrypt(&self, cost: u32) -> bool {
        let configured = match self.algorithm {
            Algorithm::Bcrypt | Algorithm::BcryptSha256 => self.bcrypt_cost(),
            Algorithm::Scrypt | Algorithm::Pbkdf2Sha512 => 0,
        };
        cost <= BCRYPT_COST_BOUND.max(configured)
    }

    /// Whether a stored hash may take this many rounds of PBKDF2.
    pub(super) fn allows_pbkdf2(&self, rounds: u32) -> bool {
        let configured = match self.algorithm {
            Algorithm::Pbkdf2Sha512 => self.pbkdf2_rounds(),
            _ => 0,
        };
        rounds <= PBKDF2_ROUNDS_BOUND.max(configured)
    }

    /// Whether a stored hash may take these parameters of scrypt.
    pub(super) fn allows_scrypt(&self, log_n: u32, r: u32, p: u32) -> bool {
        let Some((memory, work)) = scrypt_cost(log_n, r, p) else {
            return false;
        };
        let (own_memory, own_work) = match self.algorithm {
            Algorithm::Scrypt => {
                scrypt_cost(SCRYPT_LOG_N, self.block_size(), self.parallelism()).unwrap_or((0, 0))
            }
            _ => (0, 0),
        };
        memory <= SCRYPT_MEMORY_BOUND.max(own_memory) && work <= SCRYPT_WORK_BOUND.max(own_work)
    }
}

fn given(option: Option<u32>) -> Option<u32> {
    option.filter(|value| *value != 0)
}

/// The memory that scrypt holds at once and what it passes over in all, both in bytes. `None`
/// beyond 2^64.
fn scrypt_cost(log_n: u32, r: u32, p: u32) -> Option<(u64, u64)> {
    let n = 1_u64.checked_shl(log_n)?;
    let block = u64::from(r).checked_mul(128)?;
    let memory = block.checked_mul(n.checked_add(u64::from(p))?)?;
    Some((memory, memory.checked_mul(u64::from(p))?))
}
