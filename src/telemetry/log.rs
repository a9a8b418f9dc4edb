//! The log: text or JSON, to standard error or a file, its levels changed while running.

use std::path::PathBuf;
use std::sync::OnceLock;

use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, registry, reload};

use super::json::JsonLines;
use super::levels::Levels;
use super::queue::Queue;
use super::sink::{Sink, SinkError};
use super::text::TextLines;
use super::trace::{self, Exporter};
use crate::config::Config;
use crate::config::sections::LogFormat;

/// The file's name where only `log_dir` is given.
const FILE: &str = "keystone-ng.log";

/// The running log.
struct Log {
    lines: Queue,
    levels: reload::Handle<Levels, Registry>,
}

static LOG: OnceLock<Log> = OnceLock::new();

/// Why there is no log, or no traces.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file can't be opened.
    #[error("the log: {0}")]
    File(#[from] SinkError),
    /// Nothing can be started that writes it.
    #[error("the log: {0}")]
    Thread(#[from] std::io::Error),
    /// `[observability] otlp_*`.
    #[error(transparent)]
    Trace(#[from] trace::TraceError),
}

/// Begins logging, and tracing where it is configured; `RUST_LOG` has the last word on levels.
/// Done once a process. What it returns has to be run, for traces to be sent.
///
/// # Errors
/// When the log file can't be opened, or traces can't be sent as configured.
pub fn init(config: &Config) -> Result<Option<Exporter>, LogError> {
    if LOG.get().is_some() {
        return Ok(None);
    }
    let sink = Sink::open(path(config), config.default.use_stderr)?;
    let queue = Queue::start(sink)?;
    let json = config.default.use_json || config.observability.log_format == LogFormat::Json;
    let (filter, levels) = reload::Layer::new(Levels::of(config));
    let (begun, exporter) = match trace::prepare(&config.observability)? {
        // What only the log is for is filtered at its source: a filter of a layer looks each span up whenever it is
        // entered or left.
        None => {
            let lines = lines(json, &queue);
            (registry().with(filter).with(lines).try_init(), None)
        }
        // The collector takes spans that the log does not.
        Some((collector, exporter)) => {
            let lines = lines(json, &queue).with_filter(filter).boxed();
            let begun = registry().with(vec![lines, collector]).try_init();
            (begun, Some(exporter))
        }
    };
    if begun.is_ok() {
        let _ = LOG.set(Log {
            lines: queue,
            levels,
        });
        log_panics();
    }
    Ok(exporter)
}

fn lines<S>(json: bool, queue: &Queue) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    match json {
        true => JsonLines(queue.clone()).boxed(),
        false => TextLines(queue.clone()).boxed(),
    }
}

/// Opens the log file anew, as log rotation needs.
///
/// # Errors
/// When the file can't be opened: the old one stays in use.
pub fn reopen() -> Result<(), LogError> {
    match LOG.get() {
        Some(log) => Ok(log.lines.reopen()?),
        None => Ok(()),
    }
}

/// Returns when all that was logged is written: for who is about to end the process.
pub fn flush() {
    if let Some(log) = LOG.get() {
        log.lines.flush();
    }
}

/// Logs from here on what this configuration says.
pub fn set_levels(config: &Config) {
    if let Some(log) = LOG.get() {
        // Fails only where the subscriber is gone, and the log with it.
        let _ = log.levels.reload(Levels::of(config));
    }
}

fn path(config: &Config) -> Option<PathBuf> {
    let (file, dir) = (&config.default.log_file, &config.default.log_dir);
    match (file, dir) {
        (None, None) => None,
        (Some(file), None) => Some(file.clone()),
        (file, Some(dir)) => Some(dir.join(file.as_deref().unwrap_or(FILE.as_ref()))),
    }
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
        flush();
    }));
}
