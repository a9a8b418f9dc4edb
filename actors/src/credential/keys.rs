//! The keys of `[credential] key_repository`, and what they seal: text, as Python Keystone's
//! fernet provider writes it.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::Error;
use crate::token::{KeyError, KeyRepository, KeySet, LiveKeys};

/// Written with padding; read as Python does, with or without.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a credential can't be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    /// The key that sealed it is gone. Keys are named by what the column `key_hash` has: the
    /// SHA-1 of the key's file.
    #[error(
        "it is encrypted with the key {key_hash}, which is not in the key repository; restore \
         that key's file"
    )]
    KeyLost {
        /// Which key it is.
        key_hash: String,
    },
    /// It is sealed with a key of Keystone's that everybody knows.
    #[error(
        "it is encrypted with the null key; set [credential_ng] insecure_allow_null_key, run \
         `keystone-ng credential migrate`, and take the option back"
    )]
    NullKey,
    /// The key is there, and what is stored was changed.
    #[error("what is stored is not what its key {key_hash} has encrypted")]
    Damaged {
        /// Which key it should be.
        key_hash: String,
    },
}

/// The SHA-1 of the null key's text, as rows have it that Python Keystone sealed without keys.
const NULL_KEY_HASH: &str = "c5bdc272b97a0d521ef878dc26fb73e4075544dc";

/// A sealed text, and the hash of the key that sealed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    pub text: String,
    pub key_hash: String,
}

/// The keys that seal credentials, read when they are needed first: a server that keeps none
/// needs no keys. Replaced when their files change.
#[derive(Debug)]
pub struct CredentialKeys {
    repository: KeyRepository,
    live: Mutex<Option<Arc<LiveKeys>>>,
}

impl CredentialKeys {
    /// Those of a repository.
    pub fn of(repository: KeyRepository) -> Self {
        Self {
            repository,
            live: Mutex::default(),
        }
    }

    /// Reads the keys, if that has not been done.
    ///
    /// # Errors
    /// When they are unusable.
    pub fn load(&self) -> Result<Arc<LiveKeys>, KeyError> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = &*live {
            return Ok(Arc::clone(keys));
        }
        let keys = Arc::new(LiveKeys::load(self.repository.clone())?);
        *live = Some(Arc::clone(&keys));
        Ok(keys)
    }

    /// Reads the keys anew if their files have changed; `true` if they had. Blocks as
    /// [`LiveKeys::refresh`] does. Keys that nobody has needed yet are not looked at.
    ///
    /// # Errors
    /// When they are unusable; the old ones stay in force.
    pub fn refresh(&self) -> Result<bool, KeyError> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        match &*live {
            Some(keys) => keys.refresh(),
            None => Ok(false),
        }
    }

    /// The keys of this moment.
    pub(super) async fn current(self: &Arc<Self>) -> Result<Arc<KeySet>, Error> {
        let loaded = self
            .live
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let live = match loaded {
            Some(live) => live,
            None => {
                let keys = Arc::clone(self);
                let load = tokio::task::spawn_blocking(move || keys.load());
                let loaded = load.await.map_err(|error| Error::Keys(error.to_string()))?;
                loaded.map_err(|error| Error::Keys(explained(&error)))?
            }
        };
        Ok(Arc::clone(&live.current()))
    }
}

/// The way out, which for these keys is another command.
fn explained(error: &KeyError) -> String {
    error
        .to_string()
        .replace("keystone-ng fernet", "keystone-ng credential")
}

/// Seals a text with the primary key, at `now` in seconds since 1970.
pub(super) fn seal(keys: &KeySet, text: &SecretString, now: i64) -> Result<Sealed, Error> {
    let container = keys
        .seal(text.expose_secret().as_bytes().to_vec(), now)
        .map_err(|error| Error::Keys(error.to_string()))?;
    Ok(Sealed {
        text: ENGINE.encode(container),
        key_hash: keys.primary_hash().to_owned(),
    })
}

/// Opens what [`seal`] or Python Keystone has sealed.
pub(super) fn open(keys: &KeySet, sealed: &Sealed) -> Result<SecretString, Unopened> {
    let fault = || {
        let key_hash = sealed.key_hash.clone();
        if keys.hashes().any(|hash| hash == key_hash) {
            Unopened::Damaged { key_hash }
        } else if key_hash == NULL_KEY_HASH {
            Unopened::NullKey
        } else {
            Unopened::KeyLost { key_hash }
        }
    };
    let mut container = Zeroizing::new(ENGINE.decode(&sealed.text).map_err(|_| fault())?);
    let (_, plain) = keys.open(&mut container).ok_or_else(fault)?;
    let text = std::str::from_utf8(plain).map_err(|_| fault())?;
    Ok(SecretString::from(text))
}
