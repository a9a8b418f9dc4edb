//! Identity providers.

use serde::{Deserialize, Serialize};

use super::super::Error;
use super::{description_fits, id_fits};
use crate::attributes::double_option;
use crate::ids::{DomainId, IdentityProviderId};

/// Somebody whose word about users is taken, as v3 shows it (the API adds only `links`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IdentityProvider {
    /// Chosen by its creator.
    pub id: IdentityProviderId,
    /// The domain of the users that it vouches for.
    pub domain_id: DomainId,
    /// Whether its word counts at present.
    pub enabled: bool,
    /// Free text.
    pub description: Option<String>,
    /// The names by which it calls itself, up to 64 characters each, and each of one provider only.
    pub remote_ids: Vec<String>,
    /// Minutes for which a group membership that it asserts outlives the login; `None` for
    /// `[federation] default_authorization_ttl`.
    pub authorization_ttl: Option<i32>,
}

/// An identity provider to create.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct NewIdentityProvider {
    /// `None`: a new domain is made for it.
    pub domain_id: Option<DomainId>,
    /// See [`IdentityProvider::enabled`].
    pub enabled: bool,
    /// See [`IdentityProvider::description`].
    pub description: Option<String>,
    /// See [`IdentityProvider::remote_ids`].
    pub remote_ids: Option<Vec<String>>,
    /// See [`IdentityProvider::authorization_ttl`].
    pub authorization_ttl: Option<i32>,
}

impl NewIdentityProvider {
    /// The provider that comes of it, and whether its domain has to be made.
    pub(in super::super) fn into_provider(
        self,
        id: IdentityProviderId,
    ) -> Result<(IdentityProvider, bool), Error> {
        id_fits(id.as_str())?;
        description_fits(self.description.as_deref())?;
        let given = self.domain_id.filter(|id| !id.as_str().is_empty());
        let makes_domain = given.is_none();
        let provider = IdentityProvider {
            id,
            domain_id: given.unwrap_or_else(DomainId::random),
            enabled: self.enabled,
            description: self.description,
            remote_ids: self.remote_ids.unwrap_or_default(),
            authorization_ttl: self.authorization_ttl,
        };
        Ok((provider, makes_domain))
    }
}

/// What of an identity provider changes: absent keeps it, `null` clears it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct IdentityProviderPatch {
    /// See [`IdentityProvider::enabled`].
    pub enabled: Option<bool>,
    /// See [`IdentityProvider::description`].
    #[serde(deserialize_with = "double_option")]
    pub description: Option<Option<String>>,
    /// See [`IdentityProvider::remote_ids`]; all of them.
    #[serde(deserialize_with = "double_option")]
    pub remote_ids: Option<Option<Vec<String>>>,
    /// See [`IdentityProvider::authorization_ttl`].
    #[serde(deserialize_with = "double_option")]
    pub authorization_ttl: Option<Option<i32>>,
}

impl IdentityProviderPatch {
    /// The provider after this change.
    pub fn apply(self, provider: &IdentityProvider) -> Result<IdentityProvider, Error> {
        let description = self.description;
        let remote_ids = self.remote_ids.map(Option::unwrap_or_default);
        let new = IdentityProvider {
            id: provider.id.clone(),
            domain_id: provider.domain_id.clone(),
            enabled: self.enabled.unwrap_or(provider.enabled),
            description: description.unwrap_or_else(|| provider.description.clone()),
            remote_ids: remote_ids.unwrap_or_else(|| provider.remote_ids.clone()),
            authorization_ttl: self.authorization_ttl.unwrap_or(provider.authorization_ttl),
        };
        description_fits(new.description.as_deref())?;
        Ok(new)
    }
}
