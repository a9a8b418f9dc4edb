//! Where lines of the log, and notifications, go: a file that can be opened anew, standard error, or both.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

/// A file for lines can't be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open {path}: {source}")]
pub struct SinkError {
    path: PathBuf,
    source: io::Error,
}

/// Takes lines. Clones are one.
#[derive(Clone)]
pub(crate) struct Sink {
    path: Option<PathBuf>,
    /// Whether standard error gets them besides the file.
    also_stderr: bool,
    file: Arc<RwLock<Option<File>>>,
}

impl Sink {
    /// Opens the file, if there is to be one.
    pub fn open(path: Option<PathBuf>, also_stderr: bool) -> Result<Self, SinkError> {
        let sink = Self {
            path,
            also_stderr,
            file: Arc::default(),
        };
        sink.reopen()?;
        Ok(sink)
    }

    /// Opens the file anew, as log rotation needs. On an error the old one stays in use.
    pub fn reopen(&self) -> Result<(), SinkError> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o640)
            .open(path)
            .map_err(|source| SinkError {
                path: path.clone(),
                source,
            })?;
        *self.file.write().unwrap_or_else(PoisonError::into_inner) = Some(file);
        Ok(())
    }

    /// Writes whole lines, the end of each included.
    pub fn write(&self, lines: &[u8]) -> io::Result<()> {
        match &*self.file.read().unwrap_or_else(PoisonError::into_inner) {
            // In one write: lines of several threads don't mix in a file opened to append.
            Some(file) => {
                let written = (&*file).write_all(lines);
                if self.also_stderr {
                    return io::stderr().write_all(lines);
                }
                written
            }
            None => io::stderr().write_all(lines),
        }
    }
}
