//! `[webauthn]`, as the provider of passkeys takes it.

use std::path::{Path, PathBuf};
use std::{fs, io};

use keystone_actors::webauthn::{
    self, Attestation, BackupChange, CounterRegression, Requirement, Roots, Settings,
};
use url::Url;

use super::seconds;
use crate::config::{Config, sections};

/// The settings; where passkeys are not enabled, those by which there are none. The paths that they
/// name begin in `dir`.
///
/// # Errors
/// Where the certificates that they name are of no use.
pub fn settings(config: &Config, dir: &Path) -> Result<Settings, RootsError> {
    let webauthn = &config.webauthn;
    let Some(id) = webauthn
        .relying_party_id
        .as_ref()
        .filter(|_| webauthn.enabled)
    else {
        return Ok(Settings::default());
    };
    let origins = webauthn.own_origins().chain(&webauthn.related_origins);
    Ok(Settings {
        rp_id: id.clone(),
        rp_name: webauthn.relying_party_name.as_ref().unwrap_or(id).clone(),
        origins: origins
            .filter_map(|origin| Url::parse(origin.as_str()).ok())
            .collect(),
        challenge_ttl: seconds(webauthn.challenge_ttl),
        timeout_ms: webauthn.timeout_ms,
        algorithms: webauthn.algorithms.clone(),
        user_verification: requirement(webauthn.user_verification),
        resident_key: requirement(webauthn.resident_key),
        attestation: match webauthn.attestation {
            sections::Attestation::None => Attestation::None,
            sections::Attestation::Any => Attestation::Any,
            sections::Attestation::Listed => Attestation::Listed,
        },
        aaguid_allow: webauthn.aaguid_allow.clone(),
        aaguid_deny: webauthn.aaguid_deny.clone(),
        attestation_roots: roots(&webauthn.attestation_roots, dir)?,
        max_per_user: webauthn.max_credentials_per_user,
        on_counter_regression: match webauthn.on_counter_regression {
            sections::CounterRegression::Refuse => CounterRegression::Refuse,
            sections::CounterRegression::Disable => CounterRegression::Disable,
        },
        on_backup_change: match webauthn.on_backup_change {
            sections::BackupChange::Ignore => BackupChange::Ignore,
            sections::BackupChange::Record => BackupChange::Record,
            sections::BackupChange::Suspect => BackupChange::Suspect,
            sections::BackupChange::Disable => BackupChange::Disable,
        },
        invitation_ttl: seconds(webauthn.invitation_ttl),
        device_ttl: seconds(webauthn.device_ttl),
        hardware_bound_only: webauthn.hardware_bound_only,
    })
}

/// Why `[webauthn] attestation_roots` is of no use.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// A file or folder that can't be read.
    #[error("[webauthn] attestation_roots: {} can't be read: {}", .0.display(), .1)]
    Unreadable(PathBuf, #[source] io::Error),
    /// A folder in which there is nothing.
    #[error("[webauthn] attestation_roots: there is no .pem and no .crt file in {}", .0.display())]
    Empty(PathBuf),
    /// A file that holds something else.
    #[error("[webauthn] attestation_roots: {}: {}", .0.display(), .1)]
    Bad(PathBuf, #[source] webauthn::RootsError),
}

/// The certificates that attestation statements have to end in.
fn roots(named: &[PathBuf], dir: &Path) -> Result<Roots, RootsError> {
    let mut paths = Vec::new();
    for path in named {
        paths.extend(files(dir.join(path))?);
    }
    let read = paths.iter().map(|path| {
        let bytes = fs::read(path);
        bytes.map_err(|error| RootsError::Unreadable(path.clone(), error))
    });
    let read = read.collect::<Result<Vec<_>, _>>()?;
    Roots::read(&read).map_err(|(place, why)| {
        let path = paths.get(place).cloned().unwrap_or_default();
        RootsError::Bad(path, why)
    })
}

/// The file itself, or the certificates in a folder.
fn files(path: PathBuf) -> Result<Vec<PathBuf>, RootsError> {
    let unreadable = |error| RootsError::Unreadable(path.clone(), error);
    if !fs::metadata(&path).map_err(unreadable)?.is_dir() {
        return Ok(vec![path]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(&path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        let extension = file.extension().and_then(|it| it.to_str());
        if matches!(extension, Some("pem" | "crt")) {
            files.push(file);
        }
    }
    files.sort();
    match files.is_empty() {
        true => Err(RootsError::Empty(path)),
        false => Ok(files),
    }
}

fn requirement(wanted: sections::Requirement) -> Requirement {
    match wanted {
        sections::Requirement::Required => Requirement::Required,
        sections::Requirement::Preferred => Requirement::Preferred,
        sections::Requirement::Discouraged => Requirement::Discouraged,
    }
}
