//! The log: text or JSON, to standard error or a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::Config;
use crate::config::sections::LogFormat;

/// What a server is silent about unless asked: the libraries below it.
const QUIET: &str = "warn,keystone_ng=LEVEL,keystone_actors=LEVEL";

/// The running log.
struct Log {
    sink: Sink,
}

static LOG: OnceLock<Log> = OnceLock::new();

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file can't be written.
    #[error("cannot open the log file {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Begins logging as configured; `RUST_LOG` has the last word on levels. Done once a process.
///
/// # Errors
/// When the log file can't be opened.
pub fn init(config: &Config) -> Result<(), LogError> {
    if LOG.get().is_some() {
        return Ok(());
    }
    let sink = Sink::open(path(config))?;
    let registry = tracing_subscriber::registry().with(filter(config));
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(sink.clone())
        .with_ansi(false);
    let json = config.default.use_json || config.observability.log_format == LogFormat::Json;
    let started = if json {
        registry.with(layer.json().flatten_event(true)).try_init()
    } else {
        registry.with(layer).try_init()
    };
    if started.is_ok() {
        let _ = LOG.set(Log { sink });
        log_panics();
    }
    Ok(())
}

/// Opens the log file anew, as log rotation needs. Levels stay those of the start.
///
/// # Errors
/// When the file can't be opened: the old one stays in use.
pub fn reload() -> Result<(), LogError> {
    if let Some(log) = LOG.get() {
        log.sink.reopen()?;
    }
    Ok(())
}

fn filter(config: &Config) -> EnvFilter {
    let level = if config.default.debug {
        "debug"
    } else {
        "info"
    };
    EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(QUIET.replace("LEVEL", level)))
}

fn path(config: &Config) -> Option<PathBuf> {
    let file = config.default.log_file.as_ref()?;
    Some(match &config.default.log_dir {
        Some(dir) => dir.join(file),
        None => file.clone(),
    })
}

/// A panic is logged once, where it happened, and nothing that was being worked on.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let thread = std::thread::current();
        tracing::error!(
            place,
            thread = thread.name().unwrap_or("?"),
            "a panic: a defect of the server"
        );
    }));
}

/// Where lines go.
#[derive(Clone)]
struct Sink {
    path: Option<PathBuf>,
    file: Arc<RwLock<Option<File>>>,
}

impl Sink {
    fn open(path: Option<PathBuf>) -> Result<Self, LogError> {
        let sink = Self {
            path,
            file: Arc::default(),
        };
        sink.reopen()?;
        Ok(sink)
    }

    fn reopen(&self) -> Result<(), LogError> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(|source| LogError::File {
                path: path.clone(),
                source,
            })?;
        *self.file.write().unwrap_or_else(PoisonError::into_inner) = Some(file);
        Ok(())
    }
}

impl Write for Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match &*self.file.read().unwrap_or_else(PoisonError::into_inner) {
            // One write a line: lines of several threads don't mix in a file opened to append.
            Some(file) => (&*file).write(line),
            None => io::stderr().write(line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Sink {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
