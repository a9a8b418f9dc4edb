//! Audit ids: the public names of tokens.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// An audit id: 16 bytes, as text 22 characters of URL-safe base64. It names a token in logs and
/// revocation events without giving it away.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuditId([u8; 16]);

impl AuditId {
    /// A fresh random one.
    pub fn random() -> Self {
        Self(Uuid::new_v4().into_bytes())
    }

    /// One of these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for AuditId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 22];
        URL_SAFE_NO_PAD
            .encode_slice(self.0, &mut text)
            .map_err(|_| fmt::Error)?;
        f.pad(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for AuditId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for AuditId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that is no audit id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an audit id is 22 characters of URL-safe base64")]
pub struct NotAnAuditId;

impl FromStr for AuditId {
    type Err = NotAnAuditId;

    fn from_str(text: &str) -> Result<Self, NotAnAuditId> {
        let mut bytes = [0; 18]; // what the decoder wants for 22 characters
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(16) => bytes.first_chunk().copied().map(Self).ok_or(NotAnAuditId),
            _ => Err(NotAnAuditId),
        }
    }
}

/// The audit ids of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditIds {
    /// Its own.
    pub own: AuditId,
    /// For a token made from another: the id of the first of the chain.
    pub root: Option<AuditId>,
}

impl AuditIds {
    /// Those of a token that begins a chain.
    pub fn fresh() -> Self {
        Self {
            own: AuditId::random(),
            root: None,
        }
    }

    /// Those of a token made from this one: its own is new, the root stays.
    pub fn rescoped(&self) -> Self {
        Self {
            own: AuditId::random(),
            root: Some(self.root.unwrap_or(self.own)),
        }
    }

    /// In the order of `audit_ids` in an answer.
    pub fn iter(&self) -> impl Iterator<Item = AuditId> + Clone {
        std::iter::once(self.own).chain(self.root)
    }
}

impl serde::Serialize for AuditIds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}
