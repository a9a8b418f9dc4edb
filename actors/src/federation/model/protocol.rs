//! Protocols by which an identity provider vouches for its users.

use serde::{Deserialize, Serialize};

use super::super::Error;
use super::id_fits;
use crate::ids::{IdentityProviderId, MappingId, ProtocolId};

/// A protocol of an identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Protocol {
    /// Chosen by its creator; unique with its provider.
    pub id: ProtocolId,
    /// Whose it is.
    pub idp_id: IdentityProviderId,
    /// What makes users of its assertions. A mapping may be deleted while protocols name it.
    pub mapping_id: MappingId,
    /// Where an assertion says which provider it is of; `None` for the configuration's.
    pub remote_id_attribute: Option<String>,
}

/// A protocol to create.
#[derive(Clone, Debug, Deserialize)]
pub struct NewProtocol {
    /// See [`Protocol::mapping_id`]. It has to exist.
    pub mapping_id: MappingId,
    /// See [`Protocol::remote_id_attribute`].
    #[serde(default)]
    pub remote_id_attribute: Option<String>,
}

impl NewProtocol {
    /// The protocol that comes of it.
    pub(in super::super) fn into_protocol(
        self,
        idp: IdentityProviderId,
        id: ProtocolId,
    ) -> Result<Protocol, Error> {
        id_fits(id.as_str())?;
        Ok(Protocol {
            id,
            idp_id: idp,
            mapping_id: self.mapping_id,
            remote_id_attribute: self.remote_id_attribute,
        })
    }
}

/// What of a protocol changes.
#[derive(Clone, Debug, Deserialize)]
pub struct ProtocolPatch {
    /// See [`Protocol::mapping_id`]. It has to exist.
    pub mapping_id: MappingId,
    /// Absent keeps it.
    #[serde(default)]
    pub remote_id_attribute: Option<String>,
}

impl ProtocolPatch {
    /// The protocol after this change.
    pub fn apply(self, protocol: &Protocol) -> Protocol {
        let attribute = self.remote_id_attribute;
        Protocol {
            id: protocol.id.clone(),
            idp_id: protocol.idp_id.clone(),
            mapping_id: self.mapping_id,
            remote_id_attribute: attribute.or_else(|| protocol.remote_id_attribute.clone()),
        }
    }
}
