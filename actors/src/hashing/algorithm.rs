//! The work itself: from a password to a digest, and the comparison. Pure but for the salt.

use std::num::NonZeroU32;

use aws_lc_rs::{hmac, pbkdf2, rand};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::HashError;
use super::policy::{Algorithm, BCRYPT_INPUT, HashPolicy, SCRYPT_LOG_N};
use super::stored::{Recipe, Stored};

/// Fewer rounds of bcrypt_sha256 aren't written: Keystone 30 fails to read back a count of one
/// digit.
const FEWEST_BCRYPT_SHA256_ROUNDS: u32 = 10;

impl HashPolicy {
    /// Whether `password` is the one that `stored` was made from. Takes as long as the stored
    /// parameters ask for, up to seconds, so it is for threads that may block.
    ///
    /// A password is cut as Python cut it when it wrote the hash: to 72 bytes for bcrypt, else to
    /// `max_password_length`, perhaps inside a character. NUL is a byte like any other. The
    /// digests are compared in constant time.
    ///
    /// # Errors
    /// [`HashError::Unrecognised`] or [`HashError::TooCostly`] for a hash that can't be read,
    /// both before any work is done; [`HashError::Failed`] if the computation is refused.
    pub fn verify(&self, password: &[u8], stored: &str) -> Result<bool, HashError> {
        let stored = Stored::parse(stored).ok_or(HashError::Unrecognised)?;
        if !self.allows(&stored.recipe) {
            return Err(HashError::TooCostly);
        }
        let limit = match stored.recipe {
            Recipe::Bcrypt { .. } => self.max_password_length.min(BCRYPT_INPUT),
            _ => self.max_password_length,
        };
        let digest = digest(&stored.recipe, password.get(..limit).unwrap_or(password))?;
        Ok(digest.ct_eq(&stored.digest).into())
    }

    /// Hashes a password that is to be set, with a fresh salt. Takes as long as
    /// [`HashPolicy::verify`].
    ///
    /// # Errors
    /// [`HashError::PasswordTooLong`], since no password is cut that is set here;
    /// [`HashError::Failed`] without random numbers, or with options that [`HashPolicy::check`]
    /// refuses.
    pub fn hash(&self, password: &[u8]) -> Result<String, HashError> {
        let recipe = self.recipe(self.algorithm_for(password.len())?)?;
        let digest = digest(&recipe, password)?;
        Ok(Stored { recipe, digest }.to_string())
    }

    /// A hash that no password fits, at the cost of one that was just set: its digest is random.
    ///
    /// # Errors
    /// [`HashError::Failed`], as for [`HashPolicy::hash`].
    pub fn decoy(&self) -> Result<String, HashError> {
        let recipe = self.recipe(self.algorithm)?;
        let digest = random(recipe.digest_length())?;
        Ok(Stored { recipe, digest }.to_string())
    }

    /// The configured parameters and a fresh salt.
    fn recipe(&self, algorithm: Algorithm) -> Result<Recipe, HashError> {
        Ok(match algorithm {
            Algorithm::Bcrypt => Recipe::Bcrypt {
                cost: self.bcrypt_cost(),
                salt: salt()?,
            },
            Algorithm::BcryptSha256 => {
                Recipe::bcrypt_sha256(self.bcrypt_cost().max(FEWEST_BCRYPT_SHA256_ROUNDS), salt()?)
            }
            Algorithm::Scrypt => Recipe::Scrypt {
                log_n: SCRYPT_LOG_N,
                r: self.block_size(),
                p: self.parallelism(),
                salt: random(self.salt_length())?,
            },
            Algorithm::Pbkdf2Sha512 => Recipe::Pbkdf2Sha512 {
                rounds: NonZeroU32::new(self.pbkdf2_rounds()).ok_or(HashError::Failed)?,
                salt: random(self.salt_length())?,
            },
        })
    }

    fn allows(&self, recipe: &Recipe) -> bool {
        match recipe {
            Recipe::Bcrypt { cost, .. } | Recipe::BcryptSha256 { cost, .. } => {
                self.allows_bcrypt(*cost)
            }
            Recipe::Scrypt { log_n, r, p, .. } => self.allows_scrypt(*log_n, *r, *p),
            Recipe::Pbkdf2Sha512 { rounds, .. } => self.allows_pbkdf2(rounds.get()),
        }
    }
}

fn digest(recipe: &Recipe, password: &[u8]) -> Result<Vec<u8>, HashError> {
    let mut digest = vec![0; recipe.digest_length()];
    match recipe {
        Recipe::Bcrypt { cost, salt } => bcrypt_into(&mut digest, *cost, *salt, password)?,
        Recipe::BcryptSha256 {
            cost,
            salt,
            salt_text,
        } => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, salt_text.as_bytes());
            let mac = hmac::sign(&key, password);
            // With padding: 44 characters, well within what bcrypt reads.
            let text = Zeroizing::new(BASE64_STANDARD.encode(mac));
            bcrypt_into(&mut digest, *cost, *salt, text.as_bytes())?;
        }
        Recipe::Scrypt { log_n, r, p, salt } => {
            let log_n = u8::try_from(*log_n).map_err(|_| HashError::Failed)?;
            let parameters = scrypt::Params::new(log_n, *r, *p).map_err(|_| HashError::Failed)?;
            scrypt::scrypt(password, salt, &parameters, &mut digest)
                .map_err(|_| HashError::Failed)?;
        }
        Recipe::Pbkdf2Sha512 { rounds, salt } => pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA512,
            *rounds,
            salt,
            password,
            &mut digest,
        ),
    }
    Ok(digest)
}

/// bcrypt as `$2b$` defines it: the first 72 bytes of the password and a terminating NUL, which
/// 72 bytes leave no room for.
fn bcrypt_into(
    digest: &mut [u8],
    cost: u32,
    salt: [u8; 16],
    password: &[u8],
) -> Result<(), HashError> {
    // The crate asserts it.
    if cost > 31 {
        return Err(HashError::Failed);
    }
    let mut input = Zeroizing::new([0; BCRYPT_INPUT]);
    for (slot, byte) in input.iter_mut().zip(password) {
        *slot = *byte;
    }
    let length = (password.len() + 1).min(BCRYPT_INPUT);
    let (input, _) = input.split_at(length);
    for (slot, byte) in digest.iter_mut().zip(bcrypt::bcrypt(cost, salt, input)) {
        *slot = byte;
    }
    Ok(())
}

fn salt() -> Result<[u8; 16], HashError> {
    let mut salt = [0; 16];
    rand::fill(&mut salt).map_err(|_| HashError::Failed)?;
    Ok(salt)
}

fn random(length: usize) -> Result<Vec<u8>, HashError> {
    let mut bytes = vec![0; length];
    rand::fill(&mut bytes).map_err(|_| HashError::Failed)?;
    Ok(bytes)
}
