//! How much of a logger is logged: the items of `default_log_levels`.

use super::options::{Kind, OptionMeta, Refused, Value};
use super::values::Item;

/// Levels as Python's logging names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// `CRITICAL`, `FATAL`: here the same as errors.
    Critical,
    /// `ERROR`.
    Error,
    /// `WARNING`, `WARN`.
    Warning,
    /// `INFO`.
    Info,
    /// `DEBUG`.
    Debug,
    /// `TRACE`, `NOTSET`: everything.
    Trace,
}

const NAMES: [(&str, LogLevel); 9] = [
    ("CRITICAL", LogLevel::Critical),
    ("ERROR", LogLevel::Error),
    ("WARNING", LogLevel::Warning),
    ("INFO", LogLevel::Info),
    ("DEBUG", LogLevel::Debug),
    ("TRACE", LogLevel::Trace),
    ("FATAL", LogLevel::Critical),
    ("WARN", LogLevel::Warning),
    ("NOTSET", LogLevel::Trace),
];

impl LogLevel {
    /// As filters of tracing call it.
    pub fn as_filter(self) -> &'static str {
        match self {
            Self::Critical | Self::Error => "error",
            Self::Warning => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// The level of one logger: `name=LEVEL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggerLevel {
    /// Python's module, or a target of ours.
    pub logger: String,
    /// From which level on it is logged.
    pub level: LogLevel,
}

impl LoggerLevel {
    /// This level of this logger.
    pub fn new(logger: &str, level: LogLevel) -> Self {
        Self {
            logger: logger.to_owned(),
            level,
        }
    }
}

impl Value for LoggerLevel {
    const KIND: Kind = Kind::Text;

    fn read(text: &str, _: &OptionMeta) -> Result<Self, Refused> {
        let (logger, name) = text.split_once('=').unwrap_or((text, ""));
        let name = name.trim().to_ascii_uppercase();
        let level = NAMES.iter().find(|(known, _)| *known == name);
        match level {
            Some((_, level)) if !logger.trim().is_empty() => Ok(Self::new(logger.trim(), *level)),
            _ => Err(Refused::Because(
                "each item has to be name=LEVEL, with CRITICAL, ERROR, WARNING, INFO, DEBUG or \
                 TRACE for LEVEL"
                    .to_owned(),
            )),
        }
    }

    fn render(&self) -> Option<String> {
        let name = NAMES.iter().find(|(_, level)| *level == self.level);
        name.map(|(name, _)| format!("{}={name}", self.logger))
    }
}

impl Item for LoggerLevel {}
