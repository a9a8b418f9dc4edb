//! Reading the sources, and sorting what they say by option.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{Place, Problem, Warning};
use super::options::{Kind, OptionMeta, Value as _};
use super::resolve::{Catalogue, Layers, Written};
use super::suggest::suggest;
use super::{Config, Sources, ini};

/// Misspellings for which the nearest option is looked for; the rest are named without.
const MAX_SUGGESTIONS: usize = 50;

/// Files as read, with their names.
pub(super) type Files = Vec<(Arc<PathBuf>, Vec<u8>)>;

/// Reads the files, then the `*.conf` of the directories in the order of their names.
pub(super) fn read(sources: &Sources, problems: &mut Vec<Problem>) -> Files {
    let mut paths = sources.files.clone();
    for directory in &sources.dirs {
        match conf_files(directory) {
            Ok(found) => paths.extend(found),
            Err(error) => problems.push(Problem {
                place: None,
                message: format!(
                    "the configuration directory {} can't be read: {error}",
                    directory.display()
                ),
            }),
        }
    }
    let mut files = Files::new();
    for path in paths {
        match read_file(&path) {
            Ok(data) => files.push((Arc::new(path), data)),
            Err(error) => problems.push(Problem {
                place: None,
                message: format!(
                    "the configuration file {} can't be read: {error}",
                    path.display()
                ),
            }),
        }
    }
    files
}

/// As the shell's `*.conf`: hidden files are left out.
fn conf_files(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".conf") && !name.starts_with('.') {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// One byte more than allowed, so that the parser sees that it is too much.
fn read_file(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut data = Vec::new();
    File::open(path)?
        .take(ini::MAX_FILE as u64 + 1)
        .read_to_end(&mut data)?;
    Ok(data)
}

/// Options without effect of which somebody may count on the effect, and what to do instead.
const COUNTED_ON: [(&str, &str); 12] = [
    (
        "admin_token",
        "is ignored: a shared secret that passes every check is not supported; use the bootstrap \
         command",
    ),
    (
        "log_config_append",
        "is ignored: see debug, default_log_levels, log_file and use_json",
    ),
    ("use_syslog", TO_STDERR),
    ("use_journal", TO_STDERR),
    (
        "log_rotation_type",
        "is ignored: let logrotate rotate, and send SIGHUP",
    ),
    ("log_date_format", OWN_FORMAT),
    ("logging_context_format_string", OWN_FORMAT),
    ("logging_default_format_string", OWN_FORMAT),
    ("logging_debug_format_suffix", OWN_FORMAT),
    ("logging_exception_prefix", OWN_FORMAT),
    ("logging_user_identity_format", OWN_FORMAT),
    ("rate_limit_interval", "is ignored: everything is logged"),
];

const TO_STDERR: &str = "is ignored: the log goes to standard error, which systemd writes to the journal, or to log_file";
const OWN_FORMAT: &str = "is ignored: the log has a format of its own; see use_json";

/// What to say about the value of an option that has no effect.
fn ignored(meta: &OptionMeta, value: &str) -> Option<&'static str> {
    let unset = value.is_empty()
        || (meta.kind == Kind::Boolean && !bool::read(value, meta).unwrap_or(true))
        || Some(value) == meta.default().as_deref();
    let (_, message) = COUNTED_ON
        .iter()
        .find(|(name, _)| meta.section == "DEFAULT" && *name == meta.name)?;
    (!unset).then_some(*message)
}

/// A name that no option has.
struct Unknown {
    place: Place,
    section: String,
    name: String,
}

/// What was written, being sorted by option.
pub(super) struct Sorting<'a> {
    catalogue: &'a Catalogue,
    pub(super) layers: Layers,
    rank: usize,
    warnings: Vec<Warning>,
    unknown: Vec<Unknown>,
    inert: Vec<(&'static OptionMeta, Place)>,
}

impl<'a> Sorting<'a> {
    pub(super) fn new(catalogue: &'a Catalogue) -> Self {
        Self {
            catalogue,
            layers: Layers::default(),
            rank: 0,
            warnings: Vec::new(),
            unknown: Vec::new(),
            inert: Vec::new(),
        }
    }

    /// Takes in a file, which beats those before it.
    pub(super) fn file(&mut self, path: Arc<PathBuf>, data: &[u8], problems: &mut Vec<Problem>) {
        let document = ini::parse(data);
        problems.extend(document.faults.into_iter().map(|fault| Problem {
            place: Some(Place::File(Arc::clone(&path), fault.line)),
            message: fault.message,
        }));
        if let Some(line) = document.headless {
            self.warnings.push(Warning::Note {
                place: Place::File(Arc::clone(&path), line),
                message: "options before the first section count as [DEFAULT]; Python Keystone \
                          refuses them, so write [DEFAULT] above"
                    .to_owned(),
            });
        }
        for assignment in document.assignments {
            let place = Place::File(Arc::clone(&path), assignment.line);
            self.classify(
                &assignment.section,
                &assignment.key,
                &assignment.value,
                &place,
            );
            let written = Written {
                text: assignment.value,
                place,
                rank: self.rank,
            };
            self.layers
                .files
                .entry((assignment.section, assignment.key))
                .or_default()
                .push(written);
        }
        self.rank += 1;
    }

    /// Takes in the variables `OS_<SECTION>__<OPTION>`.
    pub(super) fn environment(&mut self, env: &[(String, String)]) {
        for (variable, value) in env {
            let Some((section, name)) = variable
                .strip_prefix("OS_")
                .and_then(|rest| rest.split_once("__"))
            else {
                continue;
            };
            let place = Place::Environment(variable.clone());
            let Some(meta) = self.catalogue.of_variable(variable) else {
                self.unknown.push(Unknown {
                    place,
                    section: section.to_lowercase(),
                    name: name.to_lowercase(),
                });
                continue;
            };
            self.classify(meta.section, meta.name, value, &place);
            let values = match meta.kind {
                Kind::Multi => value.lines().collect(),
                _ => vec![value.as_str()],
            };
            let key = (meta.section.to_owned(), meta.name.to_owned());
            self.layers
                .environment
                .entry(key)
                .or_default()
                .extend(values.into_iter().map(|text| Written {
                    text: text.to_owned(),
                    place: place.clone(),
                    rank: 0,
                }));
        }
    }

    /// Takes in flags. One that names no option is a mistake of whoever started the program.
    pub(super) fn overrides(
        &mut self,
        overrides: &[((String, String), String)],
        problems: &mut Vec<Problem>,
    ) {
        for ((section, name), value) in overrides {
            let Some(meta) = self.catalogue.current(section, name) else {
                let guess = suggest(&self.catalogue.all, section, name);
                let guess = guess.map_or(String::new(), |other| format!("; did you mean {other}?"));
                problems.push(Problem {
                    place: Some(Place::Override),
                    message: format!("there is no option [{section}] {name}{guess}"),
                });
                continue;
            };
            self.classify(section, name, value, &Place::Override);
            self.layers
                .overrides
                .entry((meta.section.to_owned(), meta.name.to_owned()))
                .or_default()
                .push(Written {
                    text: value.clone(),
                    place: Place::Override,
                    rank: 0,
                });
        }
    }

    /// Notes what is remarkable about the mere presence of an option.
    fn classify(&mut self, section: &str, name: &str, value: &str, place: &Place) {
        let current = self.catalogue.current(section, name);
        let former = self.catalogue.former(section, name);
        if let (None, Some(meta)) = (current, former) {
            self.warnings.push(Warning::Renamed {
                place: place.clone(),
                old: format!("[{section}] {name}"),
                new: meta.title(),
            });
        }
        match current.or(former) {
            Some(meta) if meta.inert => {
                self.inert.retain(|(other, _)| !std::ptr::eq(*other, meta));
                self.inert.push((meta, place.clone()));
                if let Some(instead) = meta.instead
                    && value.trim() != meta.default().unwrap_or_default()
                {
                    self.warnings.push(Warning::Note {
                        place: place.clone(),
                        message: format!("{} has no effect here; set {instead}", meta.title()),
                    });
                }
                if let Some(message) = ignored(meta, value) {
                    self.warnings.push(Warning::Note {
                        place: place.clone(),
                        message: format!("{} {message}", meta.title()),
                    });
                }
            }
            Some(_) => {}
            None => self.unknown.push(Unknown {
                place: place.clone(),
                section: section.to_owned(),
                name: name.to_owned(),
            }),
        }
    }

    /// The warnings, and the options without effect, once the settings are known: some names are
    /// options only because of the value of another.
    pub(super) fn finish(
        mut self,
        config: &Config,
    ) -> (Vec<Warning>, Vec<(&'static OptionMeta, Place)>) {
        let methods: HashSet<&str> = config.auth.methods.iter().map(String::as_str).collect();
        let mut suggestions = 0;
        for Unknown {
            place,
            section,
            name,
        } in std::mem::take(&mut self.unknown)
        {
            let option = format!("[{section}] {name}");
            // Keystone has an option for each method in use, and one for each federation protocol.
            let dynamic = (section == "auth" && methods.contains(name.as_str()))
                || name == "remote_id_attribute";
            self.warnings.push(if dynamic {
                Warning::Note {
                    place,
                    message: format!("{option} has no effect here"),
                }
            } else {
                suggestions += 1;
                let suggestion = (suggestions <= MAX_SUGGESTIONS)
                    .then(|| suggest(&self.catalogue.all, &section, &name))
                    .flatten();
                Warning::Unknown {
                    place,
                    option,
                    suggestion,
                }
            });
        }
        (self.warnings, self.inert)
    }
}
