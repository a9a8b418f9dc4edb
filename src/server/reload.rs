//! What changes without a restart: keys, policy, certificate, log. On SIGHUP, and when the files
//! change. Whatever can't be read stays as it was, and is said loudly.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use actix_web::rt::signal::unix::{SignalKind, signal};
use actix_web::rt::{task, time};
use actix_web::web;
use sd_notify::NotifyState;
use tracing::{error, info, warn};

use super::tls::Certificate;
use super::{monotonic_micros, notify};
use crate::node::Node;
use crate::telemetry::log;

/// How often the files are looked at. Keys count once two looks have seen the same.
const INTERVAL: Duration = Duration::from_millis(500);

pub(super) struct Reloader {
    node: web::Data<Node>,
    policy_files: Vec<PathBuf>,
    certificate: Option<Certificate>,
}

type Seen = Vec<Option<(SystemTime, u64)>>;

impl Reloader {
    pub fn new(
        node: web::Data<Node>,
        config_dir: PathBuf,
        certificate: Option<Certificate>,
    ) -> Self {
        let policy = &node.config.oslo_policy;
        let mut policy_files = vec![config_dir.join(&policy.policy_file)];
        policy_files.extend(policy.policy_dirs.0.iter().map(|dir| config_dir.join(dir)));
        Self {
            node,
            policy_files,
            certificate,
        }
    }

    /// Reloads for as long as the server runs.
    pub async fn watch(self) {
        let Ok(mut hangup) = signal(SignalKind::hangup()) else {
            error!("SIGHUP can't be received");
            return;
        };
        let mut policy = seen(&self.policy_files);
        let tls_files = self
            .certificate
            .as_ref()
            .map(Certificate::files)
            .unwrap_or_default();
        let mut tls = seen(&tls_files);
        loop {
            let asked = tokio::select! {
                _ = hangup.recv() => true,
                () = time::sleep(INTERVAL) => false,
            };
            if asked {
                notify(&[
                    NotifyState::Reloading,
                    NotifyState::MonotonicUsec(monotonic_micros()),
                ]);
                if let Err(problem) = log::reload() {
                    error!(error = %problem, "the log stays as it was");
                }
            }
            self.keys(asked).await;
            let now = seen(&self.policy_files);
            if asked || now != policy {
                policy = now;
                self.policy();
            }
            let now = seen(&tls_files);
            if asked || now != tls {
                tls = now;
                self.certificate();
            }
            if asked {
                info!("reloaded");
                notify(&[NotifyState::Ready]);
            }
        }
    }

    /// Looks at the key repositories; on a thread where that may block.
    async fn keys(&self, at_once: bool) {
        let node = self.node.clone();
        let looked = task::spawn_blocking(move || {
            let (tokens, receipts) = if at_once {
                (node.format.refresh(), node.receipts.refresh())
            } else {
                (
                    node.format.refresh_settled(),
                    node.receipts.refresh_settled(),
                )
            };
            let told = |error: &dyn std::fmt::Display| error.to_string();
            [
                ("token", tokens.map_err(|e| told(&e))),
                ("receipt", receipts.map_err(|e| told(&e))),
                (
                    "credential",
                    node.credential_keys.refresh().map_err(|e| told(&e)),
                ),
            ]
        });
        let Ok(looked) = looked.await else {
            return;
        };
        for (what, outcome) in looked {
            match outcome {
                Ok(true) => info!(what, "keys reloaded"),
                Ok(false) => {}
                Err(problem) => error!(what, error = problem, "the keys stay as they were"),
            }
        }
    }

    fn policy(&self) {
        match self.node.reload_policy() {
            Ok(warnings) => {
                for warning in warnings {
                    warn!(%warning, "policy");
                }
                info!("policy reloaded");
            }
            Err(problem) => error!(error = %problem, "the policy stays as it was"),
        }
    }

    fn certificate(&self) {
        let Some(certificate) = &self.certificate else {
            return;
        };
        match certificate.reload() {
            Ok(()) => info!("certificate reloaded"),
            Err(problem) => error!(error = %problem, "the certificate stays as it was"),
        }
    }
}

/// What tells that a file has changed; of a directory, what its files are.
fn seen(paths: &[PathBuf]) -> Seen {
    let of = |path: &PathBuf| {
        let meta = path.metadata().ok()?;
        Some((meta.modified().ok()?, meta.len()))
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
