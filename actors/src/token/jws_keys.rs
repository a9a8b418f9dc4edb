//! The keys of JWS tokens: PEM files, each bound to the algorithm it is for.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, ParsedPublicKey};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{PrivateKeyDer, SubjectPublicKeyInfoDer};
use zeroize::{Zeroize as _, Zeroizing};

use super::fernet::CryptoError;
use super::keys::Fingerprint;

/// A signature algorithm, by the name of RFC 7518 and RFC 8037.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JwsAlgorithm {
    /// ECDSA, P-256, SHA-256: the default.
    Es256,
    /// ECDSA, P-384, SHA-384.
    Es384,
    /// ECDSA, P-521, SHA-512.
    Es512,
    /// Ed25519.
    EdDsa,
}

impl JwsAlgorithm {
    /// All of them.
    pub(super) const ALL: [Self; 4] = [Self::Es256, Self::Es384, Self::Es512, Self::EdDsa];

    /// Its name in configuration and headers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
        }
    }

    /// How ECDSA signs; `None` for Ed25519.
    pub(super) fn signing(self) -> Option<&'static signature::EcdsaSigningAlgorithm> {
        match self {
            Self::Es256 => Some(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            Self::Es384 => Some(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            Self::Es512 => Some(&signature::ECDSA_P521_SHA512_FIXED_SIGNING),
            Self::EdDsa => None,
        }
    }

    fn verification(self) -> &'static dyn signature::VerificationAlgorithm {
        match self {
            Self::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
            Self::Es384 => &signature::ECDSA_P384_SHA384_FIXED,
            Self::Es512 => &signature::ECDSA_P521_SHA512_FIXED,
            Self::EdDsa => &signature::ED25519,
        }
    }
}

/// A name of an algorithm that tokens are not signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an algorithm for tokens; ES256, ES384, ES512 and EdDSA are")]
pub struct UnknownAlgorithm;

impl FromStr for JwsAlgorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
            .ok_or(UnknownAlgorithm)
    }
}

/// Why the keys cannot be loaded. Names the file, never shows what is in it.
#[derive(Debug, thiserror::Error)]
pub enum JwsKeyError {
    /// The private key is not there.
    #[error("no private key at {}; run `keystone-ng jws setup`", .0.display())]
    MissingPrivateKey(PathBuf),
    /// It is there, but no key for the configured algorithm, in PEM (PKCS#8 or SEC 1).
    #[error("{} is not a private key for {}; `keystone-ng jws rotate` makes one", .0.display(), .1.name())]
    BadPrivateKey(PathBuf, JwsAlgorithm),
    /// Another process holds the repository's lock.
    #[error("another rotation of {} is under way", .0.display())]
    Busy(PathBuf),
    /// No randomness for a new key.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// No file of the directory is a public key for an accepted algorithm.
    #[error("no public key for an accepted algorithm in {}; run `keystone-ng jws setup`", .0.display())]
    NoPublicKey(PathBuf),
    /// The file system refused.
    #[error("{}: {source}", .path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// Makes a [`JwsKeyError::Io`] of a system error at `path`.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> JwsKeyError {
    move |source| JwsKeyError::Io {
        path: path.to_owned(),
        source,
    }
}

/// The file of the key that signs.
pub(super) const PRIVATE: &str = "private.pem";

/// Where the keys are, and what may be done with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwsRepository {
    /// `[jwt_tokens] jws_private_key_repository`: a directory with `private.pem`.
    pub private_keys: PathBuf,
    /// `[jwt_tokens] jws_public_key_repository`: a directory of public keys in PEM, of any name.
    pub public_keys: PathBuf,
    /// `[jwt_tokens] jws_algorithm`: what we sign with.
    pub algorithm: JwsAlgorithm,
    /// `[jwt_tokens] jws_accepted_algorithms`: what others may sign with.
    pub accepted: Vec<JwsAlgorithm>,
}

impl JwsRepository {
    /// The keys as they are on disk. A file in the public directory that is no key is passed over
    /// with a warning, as in Python Keystone.
    ///
    /// # Errors
    /// [`JwsKeyError`].
    pub fn load(&self) -> Result<JwsKeys, JwsKeyError> {
        let path = self.private_keys.join(PRIVATE);
        let pem = fs::read(&path)
            .map(Zeroizing::new)
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => JwsKeyError::MissingPrivateKey(path.clone()),
                _ => at(&path)(error),
            })?;
        let signing = SigningKey::from_pem(&pem, self.algorithm)
            .ok_or(JwsKeyError::BadPrivateKey(path, self.algorithm))?;

        let mut verifying = Vec::new();
        for entry in fs::read_dir(&self.public_keys).map_err(at(&self.public_keys))? {
            let path = entry.map_err(at(&self.public_keys))?.path();
            if !path.is_file() {
                continue;
            }
            let pem = fs::read(&path).map_err(at(&path))?;
            match self.verifying_key(&pem) {
                Some(key) => verifying.push(key),
                None => tracing::warn!(
                    file = %path.display(),
                    "not a public key for an accepted algorithm; ignored"
                ),
            }
        }
        if verifying.is_empty() {
            return Err(JwsKeyError::NoPublicKey(self.public_keys.clone()));
        }
        Ok(JwsKeys {
            signing: Some((self.algorithm, signing)),
            verifying,
        })
    }

    fn verifying_key(&self, pem: &[u8]) -> Option<(JwsAlgorithm, ParsedPublicKey)> {
        let key = SubjectPublicKeyInfoDer::from_pem_slice(pem).ok()?;
        self.accepted.iter().find_map(|algorithm| {
            let key = ParsedPublicKey::new(algorithm.verification(), key.as_ref()).ok()?;
            Some((*algorithm, key))
        })
    }

    /// What the key files look like from outside.
    pub(super) fn fingerprint(&self) -> Result<[Fingerprint; 2], JwsKeyError> {
        let of = |path: &Path, missing: JwsKeyError| {
            Fingerprint::of(path, |_| true).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => missing,
                _ => at(path)(error),
            })
        };
        let (private, public) = (&self.private_keys, &self.public_keys);
        Ok([
            of(
                private,
                JwsKeyError::MissingPrivateKey(private.join(PRIVATE)),
            )?,
            of(public, JwsKeyError::NoPublicKey(public.clone()))?,
        ])
    }
}

/// A private key.
pub(super) enum SigningKey {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// The key in a PEM file, PKCS#8 or SEC 1, if it is one for this algorithm.
    pub(super) fn from_pem(pem: &[u8], algorithm: JwsAlgorithm) -> Option<Self> {
        let mut key = PrivateKeyDer::from_pem_slice(pem).ok()?;
        let parsed = Self::from_der(key.secret_der(), algorithm);
        key.zeroize();
        parsed
    }

    /// The same, without its dress.
    pub(super) fn from_der(der: &[u8], algorithm: JwsAlgorithm) -> Option<Self> {
        match algorithm.signing() {
            Some(kind) => EcdsaKeyPair::from_private_key_der(kind, der)
                .ok()
                .map(Self::Ecdsa),
            None => Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
                .ok()
                .map(Self::Ed25519),
        }
    }

    /// Its public half, as SubjectPublicKeyInfo (RFC 5280).
    pub(super) fn public_der(&self) -> Result<PublicKeyX509Der<'static>, CryptoError> {
        match self {
            Self::Ecdsa(key) => key.public_key().as_der(),
            Self::Ed25519(key) => key.public_key().as_der(),
        }
        .map_err(|_| CryptoError)
    }

    fn sign(&self, message: &[u8]) -> Result<signature::Signature, CryptoError> {
        match self {
            Self::Ecdsa(key) => key.sign(&SystemRandom::new(), message),
            Self::Ed25519(key) => key.try_sign(message),
        }
        .map_err(|_| CryptoError)
    }
}

/// The private key that signs and the public keys that verify, each bound to its algorithm.
#[derive(Default)]
pub struct JwsKeys {
    signing: Option<(JwsAlgorithm, SigningKey)>,
    verifying: Vec<(JwsAlgorithm, ParsedPublicKey)>,
}

impl JwsKeys {
    /// What we sign with; `None` if there is no private key.
    pub(super) fn algorithm(&self) -> Option<JwsAlgorithm> {
        self.signing.as_ref().map(|(algorithm, _)| *algorithm)
    }

    /// Signs with the private key.
    pub(super) fn sign(&self, message: &[u8]) -> Result<signature::Signature, CryptoError> {
        let (_, key) = self.signing.as_ref().ok_or(CryptoError)?;
        key.sign(message)
    }

    /// Whether one of the public keys for `algorithm` verifies the signature.
    pub(super) fn verify(&self, algorithm: JwsAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        self.verifying
            .iter()
            .filter(|(of_key, _)| *of_key == algorithm)
            .any(|(_, key)| key.verify_sig(message, signature).is_ok())
    }
}

impl fmt::Debug for JwsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwsKeys")
            .field("verifying", &self.verifying.len())
            .finish_non_exhaustive()
    }
}
