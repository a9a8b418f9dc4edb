//! How a key repository is set up and rotated. At every moment, even if the machine dies in the
//! middle, there is a primary key that the servers know.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::fernet::FernetKey;
use super::key_files;
use super::keys::{KeyError, KeyRepository, at};

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationReport {
    /// The number of the key that seals from now on.
    pub primary: i64,
    /// Whether the staged key became it. If there was none, a key was staged, and the primary
    /// stayed: a key that no other server has seen must not seal.
    pub promoted: bool,
    /// The keys removed. What they sealed is refused from now on.
    pub removed: Vec<i64>,
}

/// The name a new key is written under before it is whole; Python Keystone's, so that leavings of
/// either are cleared away by the other.
const TEMPORARY: &str = "0.tmp";

impl KeyRepository {
    /// Creates the directory (mode 0700), a primary key `1` and a staged key `0` (mode 0600), as
    /// `keystone-manage fernet_setup` does. Where a staged key is, nothing is done: `false`.
    ///
    /// # Errors
    /// [`KeyError`], from the file system or for want of randomness.
    pub fn setup(&self) -> Result<bool, KeyError> {
        key_files::make_directory(&self.path, 0o700, self.owner).map_err(at(&self.path))?;
        let _lock = self.lock()?;
        let files = self.files()?;
        if files.iter().any(|file| file.number == 0) {
            return Ok(false);
        }
        if files.is_empty() {
            self.write_key("1")?;
        }
        self.write_key("0")?;
        Ok(true)
    }

    /// Promotes the staged key to primary, stages a new one, and removes the lowest numbers until
    /// `max_active_keys` remain: the result is Python Keystone's, but the primary is never removed,
    /// and where no key is staged (Python fails) one is.
    ///
    /// # Errors
    /// [`KeyError`]. Nothing is changed if any key is unusable, or the new one can't be written.
    pub fn rotate(&self) -> Result<RotationReport, KeyError> {
        let _lock = self.lock()?;
        let mut numbers: Vec<i64> = self.read_all()?.iter().map(|(number, _)| *number).collect();
        let mut primary = numbers
            .first()
            .copied()
            .ok_or_else(|| KeyError::Empty(self.path.clone()))?;
        let next = primary
            .checked_add(1)
            .ok_or_else(|| KeyError::NumbersExhausted(self.path.clone()))?;

        let temporary = self.write_temporary()?;
        let promoted = numbers.contains(&0);
        if promoted {
            let staged = self.path_of(0)?;
            let target = self.path.join(next.to_string());
            fs::rename(&staged, &target).map_err(at(&staged))?;
            numbers.retain(|number| *number != 0);
            numbers.insert(0, next);
            primary = next;
        }
        self.become_key(&temporary, "0")?;

        let keep = self.max_active_keys.saturating_sub(1).max(1);
        let removed = numbers.split_off(keep.min(numbers.len()));
        for number in &removed {
            let path = self.path_of(*number)?;
            fs::remove_file(&path).map_err(at(&path))?;
        }
        self.sync_directory()?;
        Ok(RotationReport {
            primary,
            promoted,
            removed,
        })
    }

    /// Gives the directory and all keys to a user and a group, by number; `None` leaves that one.
    ///
    /// # Errors
    /// [`KeyError::Io`], mostly for want of the right to do so.
    pub fn chown(&self, user: Option<u32>, group: Option<u32>) -> Result<(), KeyError> {
        let files = self.files()?;
        for path in files.iter().map(|file| &file.path).chain([&self.path]) {
            std::os::unix::fs::chown(path, user, group).map_err(at(path))?;
        }
        Ok(())
    }

    /// The file of a key. Its name may be spelt otherwise than we would: `07`.
    fn path_of(&self, number: i64) -> Result<PathBuf, KeyError> {
        self.files()?
            .into_iter()
            .find(|file| file.number == number)
            .map(|file| file.path)
            .ok_or_else(|| {
                let path = self.path.join(number.to_string());
                at(&path)(io::ErrorKind::NotFound.into())
            })
    }

    fn write_key(&self, name: &str) -> Result<(), KeyError> {
        let temporary = self.write_temporary()?;
        self.become_key(&temporary, name)
    }

    /// A new key under a name that no server reads, whole and on disk.
    fn write_temporary(&self) -> Result<PathBuf, KeyError> {
        let path = self.path.join(TEMPORARY);
        let text = FernetKey::generate_text()?;
        key_files::write(&path, text.as_bytes(), 0o600, self.owner).map_err(at(&path))?;
        Ok(path)
    }

    fn become_key(&self, temporary: &Path, name: &str) -> Result<(), KeyError> {
        fs::rename(temporary, self.path.join(name)).map_err(at(temporary))?;
        self.sync_directory()
    }

    fn sync_directory(&self) -> Result<(), KeyError> {
        key_files::sync_directory(&self.path).map_err(at(&self.path))
    }

    /// Keeps other rotations of ours away until it is dropped. Python's know no lock.
    fn lock(&self) -> Result<fs::File, KeyError> {
        let locked = key_files::lock(&self.path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => KeyError::Missing(self.path.clone()),
            _ => at(&self.path)(error),
        })?;
        locked.ok_or_else(|| KeyError::Busy(self.path.clone()))
    }
}

#[cfg(test)]
#[path = "rotation_tests.rs"]
mod tests;
