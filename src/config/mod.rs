//! The configuration: `keystone.conf` in oslo.config's notation, the environment, and flags, made
//! into typed settings.
//!
//! Each option is defined once, in `sections/`. From there come the field that the program reads
//! (`config.token.expiration`), its default and bounds, the sample file and what `doctor` lists.
//! A file of Python Keystone works unchanged: its options that mean nothing here are known too
//! (`accepted/`), so that only real mistakes are warned about.
//!
//! ```text
//! files ── ini ──┐
//! environment ───┼── resolve (who wins, $references) ── sections (types, bounds) ── check ── Loaded
//! overrides ─────┘
//! ```

mod accepted;
mod check;
mod error;
mod ini;
mod logger;
mod network;
mod options;
mod resolve;
mod sample;
pub mod sections;
mod sources;
mod suggest;
#[cfg(test)]
mod tests;
mod values;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use keystone_actors::db::url::DatabaseUrl;

pub use error::{ConfigError, Place, Problem, Warning};
pub use logger::{LogLevel, LoggerLevel};
pub use network::Network;
pub use options::{Kind, OptionMeta, SectionMeta};
pub use sample::sample;
pub use sections::Config;
pub use values::{Limit, MAX_SECONDS, Multi, Uri};

use options::Value;
use resolve::{Catalogue, Reader};

/// Where the configuration comes from; the later source beats the earlier.
#[derive(Clone, Default)]
pub struct Sources {
    /// Files, which have to exist; a later one beats an earlier one.
    pub files: Vec<PathBuf>,
    /// Directories, which have to exist: every `*.conf` in them, by name, after `files`.
    pub dirs: Vec<PathBuf>,
    /// The environment: `OS_<SECTION>__<OPTION>` counts, the rest is not looked at. Lines of such
    /// a value are values of their own where the option may be repeated.
    pub env: Vec<(String, String)>,
    /// `((section, option), value)`: flags.
    pub overrides: Vec<((String, String), String)>,
}

/// Values may be secrets: only the names are shown.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("files", &self.files)
            .field("dirs", &self.dirs)
            .finish_non_exhaustive()
    }
}

/// A configuration that can be run with.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Where they are from, to read them again.
    pub sources: Sources,
    /// What the operator should look at.
    pub warnings: Vec<Warning>,
    /// Options that were set although they have no effect here, and where.
    pub without_effect: Vec<(&'static OptionMeta, Place)>,
    /// Every option that has an effect, with its value and where that comes from.
    pub settings: Vec<Setting>,
}

/// The value of one option, for listings.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The option.
    pub meta: &'static OptionMeta,
    /// Its value as one would write it; `None`: unset, or hidden.
    pub value: Option<String>,
    /// It is a secret, or was made of one.
    pub hidden: bool,
    /// Where it was set.
    pub place: Place,
    /// Tells values of secrets apart, within this process.
    digest: u64,
}

impl Setting {
    /// Whether the same option has another value there.
    pub fn differs(&self, other: &Self) -> bool {
        match self.hidden || other.hidden {
            true => self.digest != other.digest,
            false => self.value != other.value,
        }
    }
}

impl Config {
    /// Reads everything, and checks all of it.
    ///
    /// # Errors
    /// All mistakes at once: unreadable files, lines and values, each with its place and what is
    /// allowed there. Values of secrets are not shown. An unknown option is only a warning.
    pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
        let mut problems = Vec::new();
        let files = sources::read(sources, &mut problems);
        let loaded = assemble(files, &sources.env, &sources.overrides, problems)?;
        Ok(Loaded {
            sources: sources.clone(),
            ..loaded
        })
    }
}

/// Every option that is known: those of Python Keystone that work here, ours, then those that are
/// accepted without effect ([`OptionMeta::inert`]).
pub fn options() -> impl Iterator<Item = &'static OptionMeta> {
    all_sections().flat_map(|section| section.options)
}

fn all_sections() -> impl Iterator<Item = &'static SectionMeta> {
    sections::SECTIONS
        .iter()
        .copied()
        .chain(accepted::sections())
}

/// Reads arbitrary bytes as a file, all the way to typed settings. For fuzzing: must never panic,
/// whatever the bytes.
pub fn fuzz_ini(data: &[u8]) {
    let file = (Arc::new(PathBuf::from("fuzz.conf")), data.to_vec());
    let loaded = assemble(vec![file], &[], &[], Vec::new());
    match loaded {
        Ok(loaded) => drop(format!("{:?}", loaded.config)),
        Err(error) => drop(error.to_string()),
    }
    if let Ok(text) = std::str::from_utf8(data) {
        drop(DatabaseUrl::parse(text));
    }
}

/// Everything but reading the disk.
fn assemble(
    files: Vec<(Arc<PathBuf>, Vec<u8>)>,
    env: &[(String, String)],
    overrides: &[((String, String), String)],
    mut problems: Vec<Problem>,
) -> Result<Loaded, ConfigError> {
    let catalogue = Catalogue::new(all_sections());
    let mut sorting = sources::Sorting::new(&catalogue);
    for (path, data) in files {
        sorting.file(path, &data, &mut problems);
    }
    sorting.environment(env);
    sorting.overrides(overrides, &mut problems);

    let mut reader = Reader::new(&catalogue, &sorting.layers);
    let mut config = Config::read(&mut reader);
    add_connection_parameters(&mut config, &mut reader);
    check::check(&config, &mut reader);
    let notes = check::notes(&config, &reader);
    problems.append(&mut reader.problems);
    let settings = std::mem::take(&mut reader.settings);
    if !problems.is_empty() {
        return Err(ConfigError { problems });
    }
    let (mut warnings, without_effect) = sorting.finish(&config);
    warnings.extend(notes);
    Ok(Loaded {
        config,
        sources: Sources::default(),
        warnings,
        without_effect,
        settings: settings.into_iter().filter(|one| !one.meta.inert).collect(),
    })
}

/// oslo.db appends `connection_parameters` to both URLs.
fn add_connection_parameters(config: &mut Config, reader: &mut Reader<'_>) {
    let parameters = config.database.connection_parameters.clone();
    if parameters.is_empty() {
        return;
    }
    let default = config.database.connection.render().unwrap_or_default();
    let (text, _) = reader
        .text("database", "connection")
        .unwrap_or((default, Place::Default));
    let place = reader
        .text("database", "connection_parameters")
        .map_or(Place::Default, |(_, place)| place);
    // A URL that is wrong by itself was told of already.
    if DatabaseUrl::parse(&text).is_ok() {
        match DatabaseUrl::with_parameters(&text, &parameters) {
            Ok(url) => config.database.connection = url,
            Err(error) => {
                reader.problem(
                    place.clone(),
                    format!("[database] connection_parameters: {error}"),
                );
            }
        }
    }
    if let Some((text, _)) = reader.text("database", "slave_connection")
        && config.database.slave_connection.is_some()
        && let Ok(url) = DatabaseUrl::with_parameters(&text, &parameters)
    {
        config.database.slave_connection = Some(url);
    }
}
