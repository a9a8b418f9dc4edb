//! Key repositories: the directory of fernet keys that Keystone servers share.
//!
//! Files are named by numbers. The highest is the primary key, which seals; all open; `0` is
//! staged, the next primary, so that every server can open with a key before any seals with it.
//! Tokens, receipts and credentials each may have a repository. How keys come into being is in
//! `rotation`.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};
use zeroize::Zeroizing;

use super::fernet::{CryptoError, FernetKey, InvalidKey, KeySet};
use super::key_files;

/// No key file is longer, in bytes; whatever is, is not read to its end.
const MAX_KEY_FILE: u64 = 1024;

/// How often a directory is read again because its files changed meanwhile, as in a rotation.
const ATTEMPTS: u32 = 20;

/// Why keys cannot be read or written. Names the file, never shows what is in it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The directory is not there.
    #[error("no key repository at {}; run `keystone-ng fernet setup` (`credential setup` for credentials)", .0.display())]
    Missing(PathBuf),
    /// The directory has no key.
    #[error("no keys in {}; run `keystone-ng fernet setup` (`credential setup` for credentials)", .0.display())]
    Empty(PathBuf),
    /// A file with a key's name that is none.
    #[error("{} is not a usable key: {reason}; restore it, or remove it if no token needs it", .path.display())]
    BadKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: InvalidKey,
    },
    /// Two names for one number, such as `7` and `07`: which of them counts would be left to chance.
    #[error("{} and {} have the same number; remove one of them", .0.display(), .1.display())]
    SameNumber(PathBuf, PathBuf),
    /// Another process holds the repository's lock.
    #[error("another rotation of {} is under way", .0.display())]
    Busy(PathBuf),
    /// The highest number is taken, so there can't be a next one.
    #[error("the primary key in {} has the highest number there is", .0.display())]
    NumbersExhausted(PathBuf),
    /// The file system refused.
    #[error("{}: {source}", .path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// No randomness for a new key.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Makes a [`KeyError::Io`] of a system error at `path`.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    move |source| KeyError::Io {
        path: path.to_owned(),
        source,
    }
}

/// A directory of keys, and how it is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRepository {
    /// The directory: `key_repository`.
    pub path: PathBuf,
    /// How many keys a rotation leaves, the staged one counted: `max_active_keys`. Below 2 counts
    /// as 2, since the primary and the staged key are both needed.
    pub max_active_keys: usize,
    /// For credentials (`[credential_ng] insecure_allow_null_key`): the null key is taken as a last
    /// resort for opening. Otherwise it is an error, for tokens and receipts always.
    pub null_key_allowed: bool,
    /// Who new key files belong to, by numeric user and group; `None` keeps what the process gives.
    pub owner: (Option<u32>, Option<u32>),
}

/// A key file, found but not read.
#[derive(Debug)]
pub(super) struct KeyFile {
    pub(super) number: i64,
    pub(super) path: PathBuf,
}

impl KeyRepository {
    /// The repository at `path`, without the null key.
    pub fn new(path: impl Into<PathBuf>, max_active_keys: usize) -> Self {
        Self {
            path: path.into(),
            max_active_keys,
            null_key_allowed: false,
            owner: (None, None),
        }
    }

    /// The keys as they are on disk, primary first. What Python Keystone ignores is ignored: names
    /// that are no numbers, directories, and (with a warning) empty files.
    ///
    /// # Errors
    /// [`KeyError`] if there is no key, or one file with a number is unusable: to go on without it
    /// could mean to refuse good tokens, or to seal with a key that others have left. Who has
    /// working keys already keeps them.
    pub fn load(&self) -> Result<KeySet, KeyError> {
        let mut keys = self.read_all()?;
        if self.null_key_allowed {
            // 43 times `A`: what 32 zero bytes look like.
            let null = format!("{}=", "A".repeat(43));
            keys.extend(FernetKey::from_text(&null, true).ok().map(|key| (0, key)));
        }
        KeySet::new(keys.into_iter().map(|(_, key)| key))
            .ok_or_else(|| KeyError::Empty(self.path.clone()))
    }

    /// All keys with their numbers, highest first; at least one.
    ///
    /// Files listed while others are renamed can be missed, or seen twice. So the keys count only
    /// if the files were the same before and after.
    pub(super) fn read_all(&self) -> Result<Vec<(i64, FernetKey)>, KeyError> {
        let mut attempts = ATTEMPTS;
        loop {
            let before = self.fingerprint()?;
            let result = self.read_once();
            attempts = attempts.saturating_sub(1);
            if attempts == 0 || self.fingerprint()? == before {
                return match result {
                    Ok(keys) if keys.is_empty() => Err(KeyError::Empty(self.path.clone())),
                    result => result,
                };
            }
        }
    }

    fn read_once(&self) -> Result<Vec<(i64, FernetKey)>, KeyError> {
        let mut keys = Vec::new();
        for file in self.files()? {
            if let Some(key) = self.read_key(&file.path)? {
                keys.push((file.number, key));
            }
        }
        Ok(keys)
    }

    /// The key in a file; `None`, with a warning, if the file is empty.
    pub(super) fn read_key(&self, path: &Path) -> Result<Option<FernetKey>, KeyError> {
        let file = fs::File::open(path).map_err(at(path))?;
        let mut text = Zeroizing::new(String::with_capacity(MAX_KEY_FILE as usize + 1));
        match file.take(MAX_KEY_FILE).read_to_string(&mut text) {
            Ok(0) => {
                tracing::warn!(file = %path.display(), "an empty key file is ignored");
                return Ok(None);
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {} // `text` stays empty
            Err(error) => return Err(at(path)(error)),
        }
        FernetKey::from_text(&text, self.null_key_allowed)
            .map(Some)
            .map_err(|reason| KeyError::BadKey {
                path: path.to_owned(),
                reason,
            })
    }

    /// The files that count as keys, highest number first.
    pub(super) fn files(&self) -> Result<Vec<KeyFile>, KeyError> {
        let entries = fs::read_dir(&self.path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => KeyError::Missing(self.path.clone()),
            _ => at(&self.path)(error),
        })?;
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.map_err(at(&self.path))?;
            let Some(number) = number(&entry.file_name()) else {
                continue;
            };
            let path = entry.path();
            // Follows links, as Python's `isfile` does. What has vanished since is no file either.
            if fs::metadata(&path).is_ok_and(|meta| meta.is_file()) {
                files.push(KeyFile { number, path });
            }
        }
        files.sort_by_key(|file| std::cmp::Reverse(file.number));
        for (file, next) in files.iter().zip(files.iter().skip(1)) {
            if file.number == next.number {
                return Err(KeyError::SameNumber(file.path.clone(), next.path.clone()));
            }
        }
        Ok(files)
    }

    /// What the key files look like from outside. As long as it stays the same, so do the keys.
    ///
    /// # Errors
    /// [`KeyError::Missing`], [`KeyError::Io`].
    pub fn fingerprint(&self) -> Result<Fingerprint, KeyError> {
        Fingerprint::of(&self.path, |name| number(name).is_some()).map_err(|error| {
            match error.kind() {
                io::ErrorKind::NotFound => KeyError::Missing(self.path.clone()),
                _ => at(&self.path)(error),
            }
        })
    }

    /// The directory and the key files that more than their owner can reach. (Python warns only of
    /// a directory that all can read.)
    ///
    /// # Errors
    /// [`KeyError::Missing`], [`KeyError::Io`].
    pub fn mode_warnings(&self) -> Result<Vec<ModeWarning>, KeyError> {
        let mut warnings = Vec::new();
        let mut look = |path: &Path, due: u32| -> Result<(), KeyError> {
            warnings.extend(key_files::looser(path, due).map_err(at(path))?);
            Ok(())
        };
        look(&self.path, 0o700)?;
        for file in self.files()? {
            look(&file.path, 0o600)?;
        }
        Ok(warnings)
    }
}

/// A file or directory of keys with too loose a mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModeWarning {
    /// Which.
    pub path: PathBuf,
    /// The mode it has.
    pub mode: u32,
    /// The most it should have.
    pub due: u32,
}

impl fmt::Display for ModeWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, mode, due } = self;
        let path = path.display();
        write!(
            f,
            "{path} has mode {mode:04o}; run `chmod {due:04o} {path}`"
        )
    }
}

/// The number a file name stands for, read as Python's `int()` does, but for digits of other
/// scripts: white space around it, a sign, single underscores between digits.
fn number(name: &OsStr) -> Option<i64> {
    let name = name.to_str()?.trim();
    let digits = name.strip_prefix(['+', '-']).unwrap_or(name);
    let well_formed = digits
        .split('_')
        .all(|group| !group.is_empty() && group.bytes().all(|digit| digit.is_ascii_digit()));
    well_formed.then(|| name.replace('_', "").parse().ok())?
}

/// Names, sizes, times and inodes of the files of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(Vec<(OsString, [i64; 4], [u64; 2])>);

impl Fingerprint {
    /// Of the files in `directory` whose names `counts` takes.
    pub(super) fn of(directory: &Path, counts: impl Fn(&OsStr) -> bool) -> io::Result<Self> {
        let mut files = Vec::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let name = entry.file_name();
            if counts(&name) {
                match fs::metadata(entry.path()) {
                    Ok(meta) => files.push((
                        name,
                        [
                            meta.mtime(),
                            meta.mtime_nsec(),
                            meta.ctime(),
                            meta.ctime_nsec(),
                        ],
                        [meta.ino(), meta.size()],
                    )),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        files.sort();
        Ok(Self(files))
    }
}

/// The keys in force, replaced when their repository changes. Read without a lock.
#[derive(Debug)]
pub struct LiveKeys {
    keys: ArcSwap<KeySet>,
    source: Option<(KeyRepository, Mutex<Looks>)>,
}

/// What was seen of a repository.
#[derive(Debug)]
struct Looks {
    /// When the keys in force were loaded.
    loaded: Fingerprint,
    /// At the last look.
    last: Fingerprint,
}

impl LiveKeys {
    /// The keys of a repository.
    ///
    /// # Errors
    /// As [`KeyRepository::load`].
    pub fn load(repository: KeyRepository) -> Result<Self, KeyError> {
        let seen = repository.fingerprint()?; // before the keys: what changes meanwhile is seen later
        Ok(Self {
            keys: ArcSwap::from_pointee(repository.load()?),
            source: Some((
                repository,
                Mutex::new(Looks {
                    loaded: seen.clone(),
                    last: seen,
                }),
            )),
        })
    }

    /// Keys that never change.
    pub fn fixed(keys: KeySet) -> Self {
        Self {
            keys: ArcSwap::from_pointee(keys),
            source: None,
        }
    }

    /// The keys of this moment.
    pub fn current(&self) -> Guard<Arc<KeySet>> {
        self.keys.load()
    }

    /// Loads the keys if their files have changed since the last time; `true` if it did. Looks at
    /// the file system, so it blocks; every few seconds is often enough.
    ///
    /// # Errors
    /// [`KeyError`]. The old keys stay in force, and the next call tries again; say it loudly.
    pub fn refresh(&self) -> Result<bool, KeyError> {
        self.look(false)
    }

    /// The same, but only once two calls in a row have seen the same files: a repository that is
    /// being copied has lost its old staged key before it has that key under the primary's name.
    ///
    /// # Errors
    /// As [`Self::refresh`].
    pub fn refresh_settled(&self) -> Result<bool, KeyError> {
        self.look(true)
    }

    fn look(&self, settled: bool) -> Result<bool, KeyError> {
        let Some((repository, looks)) = &self.source else {
            return Ok(false);
        };
        let mut looks = looks.lock().unwrap_or_else(PoisonError::into_inner);
        let now = repository.fingerprint()?;
        let moving = looks.last != now;
        looks.last = now.clone();
        if now == looks.loaded || (settled && moving) {
            return Ok(false);
        }
        self.keys.store(Arc::new(repository.load()?));
        looks.loaded = now;
        Ok(true)
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
