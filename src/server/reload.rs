//! What changes without a restart: keys, policy, certificate, and what is logged. On SIGHUP, and
//! when files change. Whatever can't be read stays as it was, and is said loudly.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use actix_web::rt::signal::unix::Signal;
use actix_web::rt::{task, time};
use actix_web::web;
use tracing::{error, info, warn};

use super::systemd;
use super::tls::Certificate;
use crate::config::{Config, Loaded, Setting, Sources};
use crate::node::Node;
use crate::telemetry::log;

/// How often the files are looked at. Keys and keystone.conf count once two looks have seen the same.
const INTERVAL: Duration = Duration::from_millis(500);

pub(super) struct Reloader {
    node: web::Data<Node>,
    sources: Sources,
    /// What is in force, of the configuration.
    settings: Vec<Setting>,
    policy_files: Vec<PathBuf>,
    /// Whether the first of them was there when last looked at.
    has_policy_file: bool,
    certificate: Option<Certificate>,
    /// How policy, certificate and configuration were before anybody was answered: whoever changes
    /// them then is heard.
    at_first: [Seen; 3],
    /// What was wrong when last looked at, so that it is said once.
    troubles: HashMap<&'static str, String>,
    /// What systemd shows while all is well.
    status: String,
}

/// Inode, size and times of each file.
type Seen = Vec<Option<[i64; 6]>>;

impl Reloader {
    pub fn new(
        node: web::Data<Node>,
        loaded: Loaded,
        config_dir: &Path,
        certificate: Option<Certificate>,
        status: String,
    ) -> Self {
        let policy = &node.config.oslo_policy;
        let mut policy_files = vec![config_dir.join(&policy.policy_file)];
        policy_files.extend(policy.policy_dirs.0.iter().map(|dir| config_dir.join(dir)));
        let mut reloader = Self {
            node,
            sources: loaded.sources,
            settings: loaded.settings,
            has_policy_file: exists(&policy_files),
            policy_files,
            certificate,
            at_first: Default::default(),
            troubles: HashMap::new(),
            status,
        };
        reloader.at_first = [
            seen(&reloader.policy_files),
            seen(&reloader.tls_files()),
            seen(&reloader.config_files()),
        ];
        reloader
    }

    fn tls_files(&self) -> [PathBuf; 2] {
        let files = self.certificate.as_ref().map(Certificate::files);
        files.unwrap_or_default()
    }

    fn config_files(&self) -> Vec<PathBuf> {
        [&self.sources.files[..], &self.sources.dirs[..]].concat()
    }

    /// Reloads for as long as the server runs, at every SIGHUP and when files change.
    pub async fn watch(mut self, mut hangup: Signal) {
        let (tls_files, config_files) = (self.tls_files(), self.config_files());
        let [mut policy, mut tls, mut config] = std::mem::take(&mut self.at_first);
        let mut last = config.clone();
        loop {
            let asked = tokio::select! {
                _ = hangup.recv() => true,
                () = time::sleep(INTERVAL) => false,
            };
            if asked {
                systemd::reloading();
                // Whoever asks gets an answer, though nothing is new.
                self.troubles.clear();
                let reopened = log::reopen().map_err(|error| error.to_string());
                self.note("log file", reopened);
                let reopened = self.node.notifier.reopen();
                self.note("notifications", reopened.map_err(|error| error.to_string()));
            }
            let now = seen(&config_files);
            if asked || (now != config && now == last) {
                config.clone_from(&now);
                self.configuration(asked).await;
            }
            last = now;
            self.keys(asked).await;
            let now = seen(&self.policy_files);
            if asked || now != policy {
                policy = now;
                self.policy().await;
            }
            let now = seen(&tls_files);
            if asked || now != tls {
                tls = now;
                self.certificate();
            }
            if asked {
                self.answer();
            }
        }
    }

    /// Says what came of it to systemd.
    fn answer(&self) {
        let mut kept: Vec<&str> = self.troubles.keys().copied().collect();
        kept.sort_unstable();
        match kept.is_empty() {
            true => {
                info!("reloaded");
                systemd::ready(&self.status);
            }
            false => {
                let kept = kept.join(", ");
                warn!(kept, "reloaded in part");
                systemd::ready(&format!("{}; unusable, so as before: {kept}", self.status));
            }
        }
    }

    /// Notes what came of one thing: the same trouble twice in a row is said once.
    fn note(&mut self, what: &'static str, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => {
                self.troubles.remove(what);
            }
            Err(problem) => {
                if self.troubles.get(what) != Some(&problem) {
                    error!(what, error = problem, "it stays as it was");
                    self.troubles.insert(what, problem);
                }
            }
        }
    }

    /// Reads keystone.conf again. What it could not take without a restart is told to who asked.
    async fn configuration(&mut self, asked: bool) {
        let sources = self.sources.clone();
        let read = task::spawn_blocking(move || Config::load(&sources)).await;
        let loaded = match read {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(error)) => return self.note("configuration", Err(error.to_string())),
            Err(error) => return self.note("configuration", Err(error.to_string())),
        };
        for warning in loaded.warnings.iter().filter(|_| asked) {
            warn!(%warning, "configuration");
        }
        log::set_levels(&loaded.config);
        let (taken, waiting) = changes(&self.settings, &loaded.settings);
        for title in taken {
            info!(option = title, "an option has changed");
        }
        for title in waiting.into_iter().filter(|_| asked) {
            warn!(option = title, "an option has changed; restart to use it");
        }
        // What waits for a restart is compared with what is in force next time too.
        for (old, new) in self.settings.iter_mut().zip(loaded.settings) {
            if new.meta.reload {
                *old = new;
            }
        }
        self.note("configuration", Ok(()));
    }

    /// Looks at the key repositories; on a thread where that may block.
    async fn keys(&mut self, at_once: bool) {
        let node = self.node.clone();
        let looked = task::spawn_blocking(move || node.refresh_keys(at_once));
        let Ok(looked) = looked.await else {
            return;
        };
        for (what, outcome) in looked {
            if let Ok(true) = outcome {
                info!(what, "keys reloaded");
            }
            let keys = match what {
                "token" => "token keys",
                "receipt" => "receipt keys",
                _ => "credential keys",
            };
            self.note(keys, outcome.map(drop));
        }
    }

    async fn policy(&mut self) {
        let node = self.node.clone();
        let read =
            task::spawn_blocking(move || node.reload_policy().map_err(|error| error.to_string()));
        let outcome = match read.await {
            Ok(outcome) => outcome,
            Err(error) => Err(error.to_string()),
        };
        if let Ok(warnings) = &outcome {
            for warning in warnings {
                warn!(%warning, "policy");
            }
            // As in Python Keystone it is no error: that is how its rules are taken back.
            let has_file = exists(&self.policy_files);
            if self.has_policy_file && !has_file {
                warn!("the policy file is gone, and its rules no longer hold");
            }
            self.has_policy_file = has_file;
            info!(what = "policy", "reloaded");
        }
        self.note("policy", outcome.map(drop));
    }

    fn certificate(&mut self) {
        let Some(certificate) = &self.certificate else {
            return;
        };
        let outcome = certificate.reload().map_err(|error| error.to_string());
        if outcome.is_ok() {
            info!(what = "certificate", "reloaded");
            certificate.warn_of_loose_mode();
        }
        self.note("certificate", outcome);
    }
}

/// Options that differ: those that take effect now, and those that wait for a restart.
fn changes(old: &[Setting], new: &[Setting]) -> (Vec<String>, Vec<String>) {
    let changed = old.iter().zip(new).filter(|(old, new)| old.differs(new));
    let (taken, waiting): (Vec<_>, Vec<_>) = changed.partition(|(_, new)| new.meta.reload);
    let titles =
        |all: Vec<(&Setting, &Setting)>| all.iter().map(|(_, new)| new.meta.title()).collect();
    (titles(taken), titles(waiting))
}

/// Whether there is the first of these.
fn exists(files: &[PathBuf]) -> bool {
    files.first().is_some_and(|file| file.exists())
}

/// What tells that a file has changed; of a directory, what its files are.
fn seen(paths: &[PathBuf]) -> Seen {
    let of = |path: &PathBuf| {
        let meta = path.metadata().ok()?;
        Some([
            meta.ino().cast_signed(),
            meta.size().cast_signed(),
            meta.mtime(),
            meta.mtime_nsec(),
            meta.ctime(),
            meta.ctime_nsec(),
        ])
    };
    let mut all = Seen::new();
    for path in paths {
        all.push(of(path));
        if let Ok(entries) = path.read_dir() {
            let mut inside: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
            inside.sort();
            all.extend(inside.iter().map(of));
        }
    }
    all
}
