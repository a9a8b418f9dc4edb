//! How the keys of JWS tokens are made and exchanged. As with fernet keys, a key is on every node
//! before it signs: `next.pem` waits beside `private.pem`, its public half among the public keys.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::fernet::CryptoError;
use super::jws_keys::{JwsAlgorithm, JwsKeyError, JwsRepository, PRIVATE, SigningKey, at};
use super::key_files::{self, Owner};
use super::keys::ModeWarning;

/// The key that will sign after the next rotation.
const NEXT: &str = "next.pem";
/// A private key that is being written.
const TEMPORARY: &str = "private.tmp";
/// Characters to a line of PEM.
const LINE: usize = 64;

/// What was made by a set-up; nothing where all was there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JwsSetup {
    /// The public keys that have to be on every node.
    pub public_keys: Vec<PathBuf>,
}

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwsRotation {
    /// Whether the waiting key signs now. If none was waiting, one is, and nothing else changed.
    pub promoted: bool,
    /// The public key of the key that waits now: to be brought to every node before the next
    /// rotation.
    pub waiting: PathBuf,
    /// The public key whose private half signs no more, where it is among ours. It has to stay
    /// until the last token that it signed has ended.
    pub retired: Option<PathBuf>,
}

/// A fresh key pair, as it stands in files.
struct Pair {
    private: Zeroizing<String>,
    public: Vec<u8>,
}

impl Pair {
    fn generate(algorithm: JwsAlgorithm) -> Result<Self, CryptoError> {
        let random = SystemRandom::new();
        let document = match algorithm.signing() {
            Some(kind) => EcdsaKeyPair::generate_pkcs8(kind, &random),
            // The later form, with the public key in it, is not read by everybody.
            None => Ed25519KeyPair::generate_pkcs8v1(&random),
        }
        .map_err(|_| CryptoError)?;
        let key = SigningKey::from_der(document.as_ref(), algorithm).ok_or(CryptoError)?;
        Ok(Self {
            private: pem("PRIVATE KEY", document.as_ref()),
            public: key.public_der()?.as_ref().to_vec(),
        })
    }
}

impl JwsRepository {
    /// Makes what is missing: directories (the private one of mode 0700), `private.pem` and
    /// `next.pem` (0600), and their public halves (0640), each in a file named by its hash.
    ///
    /// # Errors
    /// [`JwsKeyError`], from the file system or for want of randomness.
    pub fn setup(&self, owner: Owner) -> Result<JwsSetup, JwsKeyError> {
        let directories = [(&self.private_keys, 0o700), (&self.public_keys, 0o750)];
        for (path, mode) in directories {
            key_files::make_directory(path, mode, owner).map_err(at(path))?;
        }
        let _lock = self.lock()?;
        let mut made = JwsSetup::default();
        for name in [PRIVATE, NEXT] {
            match self.public_half(name)? {
                Some(public) => made.public_keys.extend(self.publish(&public, owner)?.1),
                None if !self.private_keys.join(name).exists() => {
                    let public = self.make(name, owner)?;
                    made.public_keys.push(public);
                }
                None => {
                    let path = self.private_keys.join(name);
                    return Err(JwsKeyError::BadPrivateKey(path, self.algorithm));
                }
            }
        }
        Ok(made)
    }

    /// Lets the waiting key sign, and makes the next one. Where none waits, or one of another
    /// algorithm than is configured, one is made, and the key that signs stays: what other nodes
    /// have not seen must not sign.
    ///
    /// # Errors
    /// [`JwsKeyError`]. At every moment there is a key that signs, and its public half is there.
    pub fn rotate(&self, owner: Owner) -> Result<JwsRotation, JwsKeyError> {
        let _lock = self.lock()?;
        let (private, next) = (
            self.private_keys.join(PRIVATE),
            self.private_keys.join(NEXT),
        );
        if !private.exists() {
            return Err(JwsKeyError::MissingPrivateKey(private));
        }
        let waits = self
            .read(NEXT)?
            .is_some_and(|pem| SigningKey::from_pem(pem.as_bytes(), self.algorithm).is_some());
        if !waits {
            return Ok(JwsRotation {
                promoted: false,
                waiting: self.make(NEXT, owner)?,
                retired: None,
            });
        }
        // It may have been lost, or never brought here.
        if let Some(public) = self.public_half(NEXT)? {
            self.publish(&public, owner)?;
        }
        let retired = self
            .public_half(PRIVATE)?
            .and_then(|public| self.published(&public).transpose())
            .transpose()?;
        fs::rename(&next, &private).map_err(at(&next))?;
        let waiting = self.make(NEXT, owner)?;
        Ok(JwsRotation {
            promoted: true,
            waiting,
            retired,
        })
    }

    /// The files and directories that more than their owner can reach, or, of public keys, that
    /// others can write to.
    ///
    /// # Errors
    /// [`JwsKeyError::Io`].
    pub fn mode_warnings(&self) -> Result<Vec<ModeWarning>, JwsKeyError> {
        let mut warnings = Vec::new();
        for (directory, mode, file_mode) in [
            (&self.private_keys, 0o700, 0o600),
            (&self.public_keys, 0o755, 0o644),
        ] {
            warnings.extend(key_files::looser(directory, mode).map_err(at(directory))?);
            for path in files_in(directory)? {
                warnings.extend(key_files::looser(&path, file_mode).map_err(at(&path))?);
            }
        }
        Ok(warnings)
    }

    /// Whether the public half of the key that signs is among the public keys. Without it no token
    /// of this node is good anywhere.
    ///
    /// # Errors
    /// [`JwsKeyError`].
    pub fn own_key_is_public(&self) -> Result<bool, JwsKeyError> {
        match self.public_half(PRIVATE)? {
            Some(public) => Ok(self.published(&public)?.is_some()),
            None => Ok(false),
        }
    }

    /// A new key under this name; gives where its public half is, which is there first.
    fn make(&self, name: &str, owner: Owner) -> Result<PathBuf, JwsKeyError> {
        let pair = Pair::generate(self.algorithm)?;
        let (public, _) = self.publish(&pair.public, owner)?;
        let temporary = self.private_keys.join(TEMPORARY);
        key_files::write(&temporary, pair.private.as_bytes(), 0o600, owner)
            .map_err(at(&temporary))?;
        fs::rename(&temporary, self.private_keys.join(name)).map_err(at(&temporary))?;
        key_files::sync_directory(&self.private_keys).map_err(at(&self.private_keys))?;
        Ok(public)
    }

    /// Puts a public key where all are, unless it is there: where it is, and that again if it is new.
    fn publish(
        &self,
        public: &[u8],
        owner: Owner,
    ) -> Result<(PathBuf, Option<PathBuf>), JwsKeyError> {
        if let Some(path) = self.published(public)? {
            return Ok((path, None));
        }
        let hash = digest(&SHA256, public);
        let name: String = hash
            .as_ref()
            .iter()
            .take(8)
            .map(|b| format!("{b:02x}"))
            .collect();
        let path = self.public_keys.join(format!("{name}.pem"));
        // Whoever lists the directory meanwhile reads half a file, and passes it over (Python
        // Keystone too), hence a name that lasts for a moment only.
        let temporary = self.public_keys.join(format!("{name}.tmp"));
        key_files::write(
            &temporary,
            pem("PUBLIC KEY", public).as_bytes(),
            0o640,
            owner,
        )
        .map_err(at(&temporary))?;
        fs::rename(&temporary, &path).map_err(at(&temporary))?;
        key_files::sync_directory(&self.public_keys).map_err(at(&self.public_keys))?;
        Ok((path.clone(), Some(path)))
    }

    /// Where a public key is, whatever its file is called.
    fn published(&self, public: &[u8]) -> Result<Option<PathBuf>, JwsKeyError> {
        use rustls_pki_types::SubjectPublicKeyInfoDer;
        use rustls_pki_types::pem::PemObject as _;

        for path in files_in(&self.public_keys)? {
            let text = fs::read(&path).map_err(at(&path))?;
            let key = SubjectPublicKeyInfoDer::from_pem_slice(&text);
            if key.is_ok_and(|key| key.as_ref() == public) {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// The public half of a private key, of whichever algorithm; `None` if there is no such file, or
    /// no key in it.
    fn public_half(&self, name: &str) -> Result<Option<Vec<u8>>, JwsKeyError> {
        let Some(pem) = self.read(name)? else {
            return Ok(None);
        };
        let key = JwsAlgorithm::ALL
            .into_iter()
            .find_map(|algorithm| SigningKey::from_pem(pem.as_bytes(), algorithm));
        match key {
            Some(key) => Ok(Some(key.public_der()?.as_ref().to_vec())),
            None => Ok(None),
        }
    }

    fn read(&self, name: &str) -> Result<Option<Zeroizing<String>>, JwsKeyError> {
        let path = self.private_keys.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(Zeroizing::new(text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Ok(Some(Zeroizing::default()))
            }
            Err(error) => Err(at(&path)(error)),
        }
    }

    fn lock(&self) -> Result<fs::File, JwsKeyError> {
        let path = &self.private_keys;
        let locked = key_files::lock(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => JwsKeyError::MissingPrivateKey(path.join(PRIVATE)),
            _ => at(path)(error),
        })?;
        locked.ok_or_else(|| JwsKeyError::Busy(path.clone()))
    }
}

/// The files of a directory, by name.
fn files_in(directory: &Path) -> Result<Vec<PathBuf>, JwsKeyError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(at(directory))? {
        let path = entry.map_err(at(directory))?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// RFC 7468.
fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let encoded = Zeroizing::new(STANDARD.encode(der));
    let mut text = Zeroizing::new(String::with_capacity(encoded.len() * 2 + 64));
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    for (index, character) in encoded.chars().enumerate() {
        if index > 0 && index % LINE == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}

#[cfg(test)]
#[path = "jws_rotation_tests.rs"]
mod tests;
