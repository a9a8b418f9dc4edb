//! JWS tokens: signed claims, `[token] provider = jws`. Whoever has the public keys can verify them;
//! only who has the private key makes them (RFC 7515, 7518, 7519).
//!
//! The algorithm comes from the configuration and from the key, never from the token: a header
//! merely has to agree. Keys are parsed once, which is why this speaks to the cryptographic library
//! directly: a JWT library parses them again for each token.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::fernet::{CryptoError, MAX_TEXT};
use super::format::{OpenError, Opened};
use super::jws_claims::{Claims, algorithm_of, read_claims};
use super::jws_keys::{JwsKeyError, JwsKeys, JwsRepository};
use super::keys::Fingerprint;
use super::payload::Payload;

/// JWS tokens.
#[derive(Debug)]
pub struct JwsTokens {
    keys: ArcSwap<JwsKeys>,
    source: Option<(JwsRepository, Mutex<[Fingerprint; 2]>)>,
    max_clock_skew: i64,
}

impl JwsTokens {
    /// With the keys of a repository. `max_clock_skew`: by how many seconds the server that issued
    /// a token may be ahead of us. (Python allows none, and answers 500.)
    ///
    /// # Errors
    /// As [`JwsRepository::load`].
    pub fn new(repository: JwsRepository, max_clock_skew: i64) -> Result<Self, JwsKeyError> {
        let seen = repository.fingerprint()?; // before the keys: what changes meanwhile is seen later
        Ok(Self {
            keys: ArcSwap::from_pointee(repository.load()?),
            source: Some((repository, Mutex::new(seen))),
            max_clock_skew,
        })
    }

    /// With keys that never change.
    pub fn fixed(keys: JwsKeys, max_clock_skew: i64) -> Self {
        Self {
            keys: ArcSwap::from_pointee(keys),
            source: None,
            max_clock_skew,
        }
    }

    /// Loads the keys if their files have changed; `true` if it did. It blocks.
    ///
    /// # Errors
    /// [`JwsKeyError`]; the old keys stay in force.
    pub fn refresh(&self) -> Result<bool, JwsKeyError> {
        let Some((repository, seen)) = &self.source else {
            return Ok(false);
        };
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = repository.fingerprint()?;
        if now == *seen {
            return Ok(false);
        }
        self.keys.store(Arc::new(repository.load()?));
        *seen = now;
        Ok(true)
    }

    /// The compact serialisation of a token that says `payload`, issued at `issued_at` in seconds
    /// since 1970.
    ///
    /// # Errors
    /// [`CryptoError`] if there is no private key, or it can't sign.
    pub fn seal(&self, payload: &Payload, issued_at: i64) -> Result<String, CryptoError> {
        let keys = self.keys.load();
        let algorithm = keys.algorithm().ok_or(CryptoError)?;
        let claims =
            serde_json::to_vec(&Claims::of(payload, issued_at)).map_err(|_| CryptoError)?;
        let header = format!(r#"{{"alg":"{}","typ":"JWT"}}"#, algorithm.name());
        let mut token = String::with_capacity(256 + claims.len() * 2);
        URL_SAFE_NO_PAD.encode_string(header, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = keys.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
        Ok(token)
    }

    /// Opens a token at the time `now`, seconds since 1970. Every public key of the algorithm named
    /// in its header is tried; `kid` is of no account, as in Python. Its expiry is not looked at.
    ///
    /// # Errors
    /// [`OpenError::NotFound`].
    pub fn open(&self, token: &str, now: i64) -> Result<Opened, OpenError> {
        const FORM: OpenError = OpenError::NotFound("it is no compact JWS");
        if token.len() > MAX_TEXT {
            return Err(OpenError::NotFound("it is too long"));
        }
        let (message, signature) = token.rsplit_once('.').ok_or(FORM)?;
        let (header, claims) = message.split_once('.').ok_or(FORM)?;
        // Strict: no padding, and of the spellings of one text only that with spare bits zero.
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| FORM);
        let (header, claims, signature) = (decode(header)?, decode(claims)?, decode(signature)?);

        let named = algorithm_of(&header)?;
        let keys = self.keys.load();
        if !keys.verify(named, message.as_bytes(), &signature) {
            return Err(OpenError::NotFound("no key of ours signed it"));
        }
        read_claims(&claims, now, self.max_clock_skew)
    }
}

#[cfg(test)]
#[path = "jws_tests.rs"]
mod tests;
