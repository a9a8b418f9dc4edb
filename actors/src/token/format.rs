//! The formats a token can have, `[token] provider`, behind one face: what is said goes in, text
//! comes out, and back.

use std::sync::{Arc, LazyLock};

use super::fernet::{CryptoError, FernetKey, KeySet, MAX_TEXT};
use super::jws::JwsTokens;
use super::jws_claims::read_claims;
use super::jws_keys::{JwsKeyError, JwsKeys};
use super::keys::{KeyError, LiveKeys};
use super::methods::{MethodTable, Methods};
use super::payload::{Payload, PayloadError, UnsealablePayload};
use super::receipt;

/// A token that was opened. That it is genuine doesn't make it valid: expiry, revocation and what
/// it refers to are for the caller to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// What it says.
    pub payload: Payload,
    /// When it was issued, in seconds since 1970.
    pub issued_at: i64,
}

/// Why a text is no token of ours. As text each is what Python Keystone tells the client (404 for
/// a subject); what else the variants hold is for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Fernet: none of our keys made it, or it was changed, or spelt in another way.
    #[error("Could not recognize Fernet token")]
    NotRecognised,
    /// Fernet: one of our keys made it, for something newer, or that is no token. Holds the version
    /// as Python shows it.
    #[error("This is not a recognized Fernet payload version: {0}")]
    UnknownVersion(String),
    /// Fernet: one of our keys made it, but the element named is not as it should be. (Python has
    /// no answer to some of these.)
    #[error("Could not recognize Fernet token")]
    Malformed(&'static str),
    /// Fernet: issued so many seconds ahead of our clock, more than allowed.
    #[error("Could not recognize Fernet token")]
    IssuedInFuture(i64),
    /// JWS: not good, for the reason named. Python's message goes on with the token itself, which
    /// whoever answers the client may add; an error holds no token.
    #[error("Could not find token")]
    NotFound(&'static str),
}

/// Why a token cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// What it should say has no form.
    #[error(transparent)]
    Payload(#[from] UnsealablePayload),
    /// It would be longer than what we read: [`MAX_TEXT`] characters. A user with a great many
    /// groups from a federation mapping.
    #[error("the token would be too long, {0} characters")]
    TooLong(usize),
    /// No randomness, or (JWS) no private key that signs.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Why keys were not loaded again. The old ones stay in force.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Of fernet tokens.
    #[error(transparent)]
    Fernet(#[from] KeyError),
    /// Of JWS tokens.
    #[error(transparent)]
    Jws(#[from] JwsKeyError),
}

/// Fernet tokens.
#[derive(Debug)]
pub struct FernetTokens {
    keys: LiveKeys,
    methods: Arc<MethodTable>,
    max_clock_skew: i64,
    noted_length: usize,
}

impl FernetTokens {
    /// `max_clock_skew`: by how many seconds the server that issued a token may be ahead of us.
    /// Python Keystone has no such limit.
    pub fn new(keys: LiveKeys, methods: Arc<MethodTable>, max_clock_skew: i64) -> Self {
        Self {
            keys,
            methods,
            max_clock_skew,
            noted_length: MAX_TEXT,
        }
    }

    /// Notes in the log each token that has more characters: `[DEFAULT] max_token_size`. Who keeps
    /// tokens may have no room for it.
    pub fn noting_longer_than(self, noted_length: usize) -> Self {
        Self {
            noted_length,
            ..self
        }
    }

    /// The text of a token that says `payload`, issued at `issued_at` in seconds since 1970.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(&self, payload: &Payload, issued_at: i64) -> Result<String, SealError> {
        let bytes = payload.to_bytes(&self.methods)?;
        let token = checked(self.keys.current().seal_text(bytes, issued_at)?)?;
        if token.len() > self.noted_length {
            tracing::info!(
                length = token.len(),
                "a fernet token exceeds [DEFAULT] max_token_size"
            );
        }
        Ok(token)
    }

    /// Opens a token at the time `now`, seconds since 1970. The text must be exactly what was
    /// sealed (see [`KeySet::open_text`]).
    ///
    /// # Errors
    /// [`OpenError`], all but `NotFound`.
    pub fn open(&self, token: &str, now: i64) -> Result<Opened, OpenError> {
        let latest = now.saturating_add(self.max_clock_skew);
        self.keys
            .current()
            .open_text(token, |issued_at, bytes| {
                if issued_at > latest {
                    return Err(OpenError::IssuedInFuture(issued_at.saturating_sub(now)));
                }
                let payload = Payload::from_bytes(bytes, &self.methods)?;
                Ok(Opened { payload, issued_at })
            })
            .unwrap_or(Err(OpenError::NotRecognised))
    }
}

impl From<PayloadError> for OpenError {
    fn from(error: PayloadError) -> Self {
        match error {
            PayloadError::UnknownVersion(shown) => Self::UnknownVersion(shown),
            PayloadError::Malformed(what) => Self::Malformed(what),
        }
    }
}

fn checked(token: String) -> Result<String, SealError> {
    if token.len() > MAX_TEXT {
        return Err(SealError::TooLong(token.len()));
    }
    Ok(token)
}

/// The configured format: `[token] provider`.
#[derive(Debug)]
pub enum TokenFormat {
    /// `fernet`, the default.
    Fernet(FernetTokens),
    /// `jws`.
    Jws(JwsTokens),
}

impl TokenFormat {
    /// The text of a token that says `payload`, issued at `issued_at` in seconds since 1970.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(&self, payload: &Payload, issued_at: i64) -> Result<String, SealError> {
        match self {
            Self::Fernet(tokens) => tokens.seal(payload, issued_at),
            Self::Jws(tokens) => checked(tokens.seal(payload, issued_at)?),
        }
    }

    /// The methods in the order that a validation of the token will tell: from the highest bit
    /// down in fernet tokens, as they are in JWS.
    pub fn ordered(&self, methods: &Methods) -> Methods {
        match self {
            Self::Fernet(tokens) => {
                let bits = tokens.methods.bits(methods);
                tokens.methods.methods(i128::from(bits))
            }
            Self::Jws(_) => methods.clone(),
        }
    }

    /// What a token says, and when it was issued. `now` is in seconds since 1970; expiry is for the
    /// caller to check, since `allow_expired` exists.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(&self, token: &str, now: i64) -> Result<Opened, OpenError> {
        match self {
            Self::Fernet(tokens) => tokens.open(token, now),
            Self::Jws(tokens) => tokens.open(token, now),
        }
    }

    /// Loads the keys if their files have changed; `true` if it did. Looks at the file system, so
    /// it blocks; every few seconds is often enough.
    ///
    /// # Errors
    /// [`RefreshError`]; the old keys stay in force and the next call tries again. Say it loudly.
    pub fn refresh(&self) -> Result<bool, RefreshError> {
        match self {
            Self::Fernet(tokens) => Ok(tokens.keys.refresh()?),
            Self::Jws(tokens) => Ok(tokens.refresh()?),
        }
    }

    /// The same, but only once the files of fernet keys have settled: see
    /// [`LiveKeys::refresh_settled`].
    ///
    /// # Errors
    /// As [`Self::refresh`].
    pub fn refresh_settled(&self) -> Result<bool, RefreshError> {
        match self {
            Self::Fernet(tokens) => Ok(tokens.keys.refresh_settled()?),
            // Each of its keys is a file of its own: none is renamed.
            Self::Jws(tokens) => Ok(tokens.refresh()?),
        }
    }
}

static FUZZED: LazyLock<Option<(FernetTokens, JwsTokens)>> = LazyLock::new(|| {
    let key = FernetKey::from_text("Zml4ZWQga2V5IGZvciBmdXp6aW5nLCBubyBzZWNyZXQ=", false);
    let keys = KeySet::new([key.ok()?])?;
    let methods = Arc::new(MethodTable::new(["external", "password", "token"]).ok()?);
    let fernet = FernetTokens::new(LiveKeys::fixed(keys), methods, 300);
    Some((fernet, JwsTokens::fixed(JwsKeys::default(), 300)))
});

/// For fuzzing: takes `data` as the text of a token, as a payload under a good signature, as a
/// receipt and as the claims of a JWS. Whatever it is, this returns.
pub fn fuzz_token(data: &[u8]) {
    const NOW: i64 = 1_800_000_000;
    let Some((fernet, jws)) = &*FUZZED else {
        return;
    };
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = fernet.open(text, NOW);
        let _ = jws.open(text, NOW);
    }
    let sealed = fernet.keys.current().seal_text(data.to_vec(), NOW);
    if let Ok(text) = sealed {
        let _ = fernet.open(&text, NOW);
    }
    let _ = receipt::read(data, &fernet.methods);
    let _ = read_claims(data, NOW, 300);
}

#[cfg(test)]
#[path = "fixtures.rs"]
pub(super) mod fixtures;

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
