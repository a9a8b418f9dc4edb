//! What can be seen of key files from outside, for who looks after them.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use super::keys::{KeyError, KeyFile, KeyRepository, at};

/// A key file, seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// Its number.
    pub number: i64,
    /// Where it is.
    pub path: PathBuf,
    /// When it was written, in seconds since 1970: it was staged from then on. A copy that keeps no
    /// times has that of the copy.
    pub made_at: i64,
    /// The number of the user who owns it.
    pub owner: u32,
}

impl KeyRepository {
    /// What can be seen of the key files, highest number first.
    ///
    /// # Errors
    /// As [`KeyRepository::fingerprint`].
    pub fn inspect(&self) -> Result<Vec<KeyFacts>, KeyError> {
        let facts = |file: KeyFile| {
            let meta = fs::metadata(&file.path).map_err(at(&file.path))?;
            Ok(KeyFacts {
                number: file.number,
                made_at: meta.mtime(),
                owner: meta.uid(),
                path: file.path,
            })
        };
        self.files()?.into_iter().map(facts).collect()
    }
}
