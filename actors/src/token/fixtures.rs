//! What the tests of this folder share: vectors made by Python Keystone 30.0.0, and directories.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::super::audit::AuditIds;
use super::super::fernet::{FernetKey, KeySet};
use super::super::keys::LiveKeys;
use super::super::methods::MethodTable;
use super::super::payload::{FederationRef, Payload, PayloadScope};
use super::FernetTokens;

/// When most of the vectors were made: 2026-11-24T02:27:19Z.
pub(crate) const NOW: i64 = 1_795_487_239;

pub(crate) fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../tests/support/vectors/tokens.json")).unwrap()
}

pub(crate) fn key_text(name: &str) -> String {
    vectors()["keys"][name].as_str().unwrap().to_owned()
}

pub(crate) fn key(name: &str) -> FernetKey {
    FernetKey::from_text(&key_text(name), false).unwrap()
}

/// The repository the vectors were made with.
pub(crate) fn key_set() -> KeySet {
    KeySet::new(["primary 3", "secondary 2", "staged 0"].map(key)).unwrap()
}

pub(crate) fn table() -> Arc<MethodTable> {
    let methods = vectors()["methods"].clone();
    let methods: Vec<String> = serde_json::from_value(methods).unwrap();
    Arc::new(MethodTable::new(methods).unwrap())
}

pub(crate) fn tokens() -> FernetTokens {
    FernetTokens::new(LiveKeys::fixed(key_set()), table(), 300)
}

/// A token's bytes; its text has to be the canonical one.
pub(crate) fn container(token: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token).unwrap()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}

pub(crate) fn seconds(time: &Value) -> i64 {
    chrono::DateTime::parse_from_rfc3339(time.as_str().unwrap())
        .unwrap()
        .timestamp()
}

/// The `decoded` of a vector, as Python names its members.
pub(crate) fn expected(decoded: &Value) -> Payload {
    let text = |name: &str| decoded[name].as_str().map(str::to_owned);
    let audit: Vec<_> = decoded["audit_ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap().parse().unwrap())
        .collect();
    let audit = AuditIds {
        own: audit[0],
        root: audit.get(1).copied(),
    };
    let methods = decoded["methods"].as_array().unwrap().iter();
    let mut payload = Payload::new(
        text("user_id").unwrap(),
        methods.map(|m| m.as_str().unwrap()).collect(),
        seconds(&decoded["expires_at"]),
        audit,
    );
    (payload.scope, payload.oauth2_domain_id) =
        match (text("project_id"), text("domain_id"), text("system")) {
            (Some(project), domain, None) => (PayloadScope::Project(project), domain),
            (None, Some(domain), None) => (PayloadScope::Domain(domain), None),
            (None, None, Some(all)) if all == "all" => (PayloadScope::System, None),
            (None, None, None) => (PayloadScope::Unscoped, None),
            other => unreachable!("{other:?}"),
        };
    payload.federation = text("identity_provider_id").map(|idp_id| FederationRef {
        group_ids: decoded["federated_group_ids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| group["id"].as_str().unwrap().to_owned())
            .collect(),
        idp_id,
        protocol_id: text("protocol_id").unwrap(),
    });
    payload.trust_id = text("trust_id");
    payload.access_token_id = text("access_token_id");
    payload.app_cred_id = text("app_cred_id");
    payload.thumbprint = text("thumbprint");
    payload
}

/// A directory of its own, gone with the value.
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("keystone-ng-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.0.join(name), content).unwrap();
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl std::ops::Deref for TempDir {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
