//! Identity providers.

use crate::ids::DomainId;

/// Somebody whose word about users is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityProvider {
    /// Chosen by its creator.
    pub id: String,
    /// The domain of the users that it vouches for.
    pub domain_id: DomainId,
    /// Whether its word counts at present.
    pub enabled: bool,
    /// Minutes for which a group membership that it asserts outlives the login; `None` for
    /// `[federation] default_authorization_ttl`.
    pub authorization_ttl: Option<i32>,
    /// Free text.
    pub description: Option<String>,
}
