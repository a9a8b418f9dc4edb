//! What can be said about a configuration: mistakes, which stop the program, and warnings.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: it is the default.
    Default,
    /// Line (from 1) of a file.
    File(Arc<PathBuf>, usize),
    /// The environment variable of this name.
    Environment(String),
    /// An explicit override, that is a command-line flag.
    Override,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::Override => f.write_str("command line"),
        }
    }
}

/// A mistake that has to be mended before the program can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it is, if it is at one place.
    pub place: Option<Place>,
    /// What is wrong, and what is allowed. Contains no secret.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Everything that is wrong with a configuration, in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// One at least.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [one] => write!(f, "the configuration has a mistake: {one}"),
            all => {
                write!(f, "the configuration has {} mistakes:", all.len())?;
                all.iter().try_for_each(|one| write!(f, "\n  {one}"))
            }
        }
    }
}

impl std::error::Error for ConfigError {}

/// Something that is probably not as the operator thinks, though the program can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// No such option; its value is not used.
    Unknown {
        /// Where it was written.
        place: Place,
        /// `[section] name`.
        option: String,
        /// What was probably meant, in the same form.
        suggestion: Option<String>,
    },
    /// An old name was used. It works.
    Renamed {
        /// Where it was written.
        place: Place,
        /// The old `[section] name`.
        old: String,
        /// Today's.
        new: String,
    },
    /// Anything else.
    Note {
        /// Where it was written.
        place: Place,
        /// What about it.
        message: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown {
                place,
                option,
                suggestion,
            } => {
                write!(f, "{place}: there is no option {option}")?;
                match suggestion {
                    Some(other) => write!(f, "; did you mean {other}?"),
                    None => Ok(()),
                }
            }
            Self::Renamed { place, old, new } => write!(f, "{place}: {old} is now called {new}"),
            Self::Note { place, message } => write!(f, "{place}: {message}"),
        }
    }
}
