//! What lists of users and groups are narrowed by. Of each kind of condition all have to hold.

use crate::listing::{TextFilter, match_nothing};

/// Which users are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// On the name; on the display name of federated users.
    pub name: Vec<TextFilter>,
    /// On the domain's ID.
    pub domain_id: Vec<TextFilter>,
    /// On what is stored, which inactivity doesn't change.
    pub enabled: Vec<bool>,
    /// On when any password, old ones included, expires. Users without such a time never match.
    pub password_expires_at: Vec<ExpiryFilter>,
    /// The identity provider: only federated users, as with the next two.
    pub idp_id: Vec<String>,
    /// The protocol that they come by.
    pub protocol_id: Vec<String>,
    /// What the identity provider calls them.
    pub unique_id: Vec<String>,
}

impl UserFilter {
    /// Whether only federated users can match.
    pub(in super::super) fn is_federated(&self) -> bool {
        !(self.idp_id.is_empty() && self.protocol_id.is_empty() && self.unique_id.is_empty())
    }
}

impl UserFilter {
    /// Whether no user can match.
    pub(in super::super) fn matches_nobody(&self) -> bool {
        let exact = [&self.idp_id, &self.protocol_id, &self.unique_id];
        match_nothing(&self.name)
            || match_nothing(&self.domain_id)
            || exact
                .into_iter()
                .flatten()
                .any(|value| value.contains('\0'))
    }
}

/// A condition on a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpiryFilter {
    /// How it is compared.
    pub comparison: TimeComparison,
    /// With what, in microseconds since 1970.
    pub time: i64,
}

/// How two times are compared; the names are those in Keystone's query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeComparison {
    /// `lt`
    Before,
    /// `lte`
    NotAfter,
    /// `gt`
    After,
    /// `gte`
    NotBefore,
    /// `eq`
    Equal,
    /// `neq`
    NotEqual,
}

impl TimeComparison {
    /// The comparison of this name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "lt" => Self::Before,
            "lte" => Self::NotAfter,
            "gt" => Self::After,
            "gte" => Self::NotBefore,
            "eq" => Self::Equal,
            "neq" => Self::NotEqual,
            _ => return None,
        })
    }
}

/// Which groups are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupFilter {
    /// On the name.
    pub name: Vec<TextFilter>,
    /// On the domain's ID.
    pub domain_id: Vec<TextFilter>,
}
