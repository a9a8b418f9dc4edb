//! Files of keys: written whole or not at all, with the mode and the owner that they shall have.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::Path;

use super::keys::ModeWarning;

/// A user and a group, by number; `None` keeps what the process gives.
pub(super) type Owner = (Option<u32>, Option<u32>);

/// Makes a directory, with those above it, unless it is there.
pub(super) fn make_directory(path: &Path, mode: u32, owner: Owner) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)?;
    if owner != (None, None) {
        std::os::unix::fs::chown(path, owner.0, owner.1)?;
    }
    Ok(())
}

/// Writes a file that is whole and on disk when this returns; on an error there is none. To be
/// renamed to the name under which it counts.
pub(super) fn write(path: &Path, text: &[u8], mode: u32, owner: Owner) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?; // whatever the umask
        file.write_all(text)?;
        if owner != (None, None) {
            std::os::unix::fs::fchown(&file, owner.0, owner.1)?;
        }
        file.sync_all()
    }();
    if written.is_err() {
        let _ = fs::remove_file(path); // the first error is the one to tell
    }
    written
}

/// Waits until a directory's names are on disk.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

/// Keeps others who do the same away until it is dropped; `None` where somebody else is at it.
pub(super) fn lock(directory: &Path) -> io::Result<Option<fs::File>> {
    let directory = fs::File::open(directory)?;
    match directory.try_lock() {
        Ok(()) => Ok(Some(directory)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// What is wrong with a file's mode, if it has more than is `due`.
pub(super) fn looser(path: &Path, due: u32) -> io::Result<Option<ModeWarning>> {
    let mode = fs::metadata(path)?.mode() & 0o7777;
    Ok((mode & !due != 0).then(|| ModeWarning {
        path: path.to_owned(),
        mode,
        due,
    }))
}
