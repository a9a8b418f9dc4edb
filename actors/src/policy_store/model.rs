//! Policies, and what they are for.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::attributes::{Extra, merge_extra};
use crate::ids::{EndpointId, PolicyId, RegionId, ServiceId};

/// A policy, as v3 shows it (the API adds only `links`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Policy {
    /// Attributes that Keystone does not know.
    #[serde(flatten)]
    pub extra: Extra,
    /// Its ID.
    pub id: PolicyId,
    /// The policy itself: a text. Rows of old may have another value.
    pub blob: Value,
    /// What the text is, such as `application/json`; up to 255 characters.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A policy to create.
#[derive(Clone, Debug, Deserialize)]
pub struct NewPolicy {
    /// See [`Policy::blob`].
    pub blob: Value,
    /// See [`Policy::kind`].
    #[serde(rename = "type")]
    pub kind: String,
    /// Attributes that Keystone does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl From<NewPolicy> for Policy {
    fn from(new: NewPolicy) -> Self {
        Self {
            extra: new.extra,
            id: PolicyId::random(),
            blob: new.blob,
            kind: new.kind,
        }
    }
}

/// What of a policy changes; absent keeps it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PolicyPatch {
    /// See [`Policy::blob`].
    pub blob: Option<Value>,
    /// See [`Policy::kind`].
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Attributes that Keystone does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl PolicyPatch {
    /// The policy after this change.
    pub fn apply(self, policy: &Policy) -> Policy {
        Policy {
            extra: merge_extra(policy.extra.clone(), self.extra),
            id: policy.id.clone(),
            blob: self.blob.unwrap_or_else(|| policy.blob.clone()),
            kind: self.kind.unwrap_or_else(|| policy.kind.clone()),
        }
    }
}

/// What a policy is for. Of each there is one policy at most.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PolicyTarget {
    /// One endpoint.
    Endpoint(EndpointId),
    /// The endpoints of a service, unless one of the others applies.
    Service(ServiceId),
    /// The endpoints of a service in a region and those below it, unless a nearer one applies.
    ServiceInRegion(ServiceId, RegionId),
}
