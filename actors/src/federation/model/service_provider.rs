//! Service providers.

use serde::{Deserialize, Serialize};

use super::super::Error;
use super::{description_fits, fits, id_fits};
use crate::attributes::double_option;
use crate::ids::ServiceProviderId;

/// Another Keystone, to which this one vouches for its users, as v3 shows it (the API adds only
/// `links`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceProvider {
    /// Where its users are to be authenticated.
    pub auth_url: String,
    /// Chosen by its creator.
    pub id: ServiceProviderId,
    /// Whether tokens show it.
    pub enabled: bool,
    /// Free text.
    pub description: Option<String>,
    /// What stands before the `RelayState` of SAML; up to 256 characters.
    pub relay_state_prefix: String,
    /// Where assertions are to be sent.
    pub sp_url: String,
}

/// A service provider to create.
#[derive(Clone, Debug, Deserialize)]
pub struct NewServiceProvider {
    /// See [`ServiceProvider::auth_url`].
    pub auth_url: String,
    /// See [`ServiceProvider::sp_url`].
    pub sp_url: String,
    /// See [`ServiceProvider::enabled`].
    #[serde(default)]
    pub enabled: bool,
    /// See [`ServiceProvider::description`].
    #[serde(default)]
    pub description: Option<String>,
    /// `None`: as configured.
    #[serde(default)]
    pub relay_state_prefix: Option<String>,
}

impl NewServiceProvider {
    /// The provider that comes of it.
    pub(in super::super) fn into_provider(
        self,
        id: ServiceProviderId,
        default_prefix: &str,
    ) -> Result<ServiceProvider, Error> {
        id_fits(id.as_str())?;
        let prefix = self.relay_state_prefix;
        ServiceProvider {
            auth_url: self.auth_url,
            id,
            enabled: self.enabled,
            description: self.description,
            relay_state_prefix: prefix.unwrap_or_else(|| default_prefix.to_owned()),
            sp_url: self.sp_url,
        }
        .checked()
    }
}

/// What of a service provider changes; absent keeps it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ServiceProviderPatch {
    /// See [`ServiceProvider::auth_url`].
    pub auth_url: Option<String>,
    /// See [`ServiceProvider::sp_url`].
    pub sp_url: Option<String>,
    /// See [`ServiceProvider::enabled`].
    pub enabled: Option<bool>,
    /// `null` clears it.
    #[serde(deserialize_with = "double_option")]
    pub description: Option<Option<String>>,
    /// `null`: as configured.
    #[serde(deserialize_with = "double_option")]
    pub relay_state_prefix: Option<Option<String>>,
}

impl ServiceProviderPatch {
    /// The provider after this change.
    pub fn apply(
        self,
        provider: &ServiceProvider,
        default_prefix: &str,
    ) -> Result<ServiceProvider, Error> {
        let keep = |text: Option<String>, old: &String| text.unwrap_or_else(|| old.clone());
        let description = self.description;
        let prefix = self.relay_state_prefix;
        let prefix = prefix.map(|prefix| prefix.unwrap_or_else(|| default_prefix.to_owned()));
        ServiceProvider {
            auth_url: keep(self.auth_url, &provider.auth_url),
            id: provider.id.clone(),
            enabled: self.enabled.unwrap_or(provider.enabled),
            description: description.unwrap_or_else(|| provider.description.clone()),
            relay_state_prefix: keep(prefix, &provider.relay_state_prefix),
            sp_url: keep(self.sp_url, &provider.sp_url),
        }
        .checked()
    }
}

impl ServiceProvider {
    fn checked(self) -> Result<Self, Error> {
        fits("auth_url", 256, &self.auth_url)?;
        fits("sp_url", 256, &self.sp_url)?;
        fits("relay_state_prefix", 256, &self.relay_state_prefix)?;
        description_fits(self.description.as_deref())?;
        Ok(self)
    }
}
