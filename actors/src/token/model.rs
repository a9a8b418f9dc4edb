//! A token as everybody else sees it: whose it is, what it is good for, and its body.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use super::{AuditIds, FederationRef, Methods};
use crate::application_credential::ApplicationCredential;
use crate::identity::User;
use crate::ids::{DomainId, RoleId, UserId};
use crate::resource::Project;
use crate::trust::Trust;

/// A domain by ID and name, as bodies show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedDomain {
    /// Its ID.
    pub id: DomainId,
    /// Its name.
    pub name: String,
}

/// A role by ID and name, as bodies show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleRef {
    /// Its ID.
    pub id: RoleId,
    /// Its name.
    pub name: String,
}

/// What a token is good for.
#[derive(Clone, Debug)]
pub enum Scope {
    /// Nothing but getting another token.
    Unscoped,
    /// A project.
    Project {
        /// The project.
        project: Arc<Project>,
        /// Its domain.
        domain: NamedDomain,
    },
    /// A domain.
    Domain(NamedDomain),
    /// The whole deployment.
    System,
}

/// A token that was put together: everything in it is as it was when that was done, and the cache
/// forgets it when any of that changes.
#[derive(Debug)]
pub struct Token {
    /// The user that authenticated; in a trust, the trustee.
    pub user: Arc<User>,
    /// The domain of that user.
    pub user_domain: NamedDomain,
    /// The user as whom the token acts: with an impersonating trust the trustor, else the same.
    pub acting_user: UserId,
    /// The domain of the user as whom the token acts.
    pub acting_domain: NamedDomain,
    /// What it is good for.
    pub scope: Scope,
    /// The roles in that scope, without roles of domains.
    pub roles: Vec<RoleRef>,
    /// How the user authenticated.
    pub methods: Methods,
    /// Its audit IDs.
    pub audit_ids: AuditIds,
    /// Seconds since 1970.
    pub issued_at: i64,
    /// Seconds since 1970.
    pub expires_at: i64,
    /// From then on it has to be put together again, as something in it ends: seconds since 1970.
    pub stale_at: i64,
    /// The trust that it was made from.
    pub trust: Option<Arc<Trust>>,
    /// The application credential that it was made from.
    pub application_credential: Option<Arc<ApplicationCredential>>,
    /// The OAuth1 access token that it was made from.
    pub access_token: Option<String>,
    /// Where a federated user came from.
    pub federation: Option<FederationRef>,
    /// Whether it was made from an OAuth2 client certificate.
    pub thumbprint: Option<String>,
    /// It names no method, or one by which something was handed on.
    pub(super) by_delegation: bool,
    /// The body up to where its catalog would stand.
    pub(super) head: Bytes,
    /// The catalog, shared with other tokens of the same project.
    pub(super) catalog: Option<Bytes>,
}

impl Token {
    /// The body of answers: `{"token": {…}}`, with the catalog where there is one.
    pub fn body(&self) -> Bytes {
        match &self.catalog {
            Some(catalog) => [&*self.head, br#","catalog":"#, catalog, b"}}\n"]
                .concat()
                .into(),
            None => self.body_without_catalog(),
        }
    }

    /// The body without its catalog.
    pub fn body_without_catalog(&self) -> Bytes {
        [&*self.head, b"}}\n"].concat().into()
    }

    /// The catalog alone, a JSON array; `None` for tokens that have none.
    pub fn catalog(&self) -> Option<Bytes> {
        self.catalog.clone()
    }

    /// Whether it was handed on by somebody or something: a trust, an application credential,
    /// OAuth1, OAuth2, EC2. Such tokens can do less (security rules of Keystone).
    pub fn is_delegated(&self) -> bool {
        self.trust.is_some() || self.is_delegated_by_method()
    }

    /// The same without trusts, which may be handed on with tokens of trusts.
    pub fn is_delegated_by_method(&self) -> bool {
        self.application_credential.is_some()
            || self.access_token.is_some()
            || self.thumbprint.is_some()
            || self.by_delegation
    }
}

/// Whether a token is good.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is, and this is what it says.
    Valid(Arc<Token>),
    /// It is not.
    Refused(Refusal),
}

/// Why a token is not good. The texts are Keystone's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no token.
    #[error("No token in the request")]
    Empty,
    /// It does not decode under any key, or does not say what a token says.
    #[error("{0}")]
    Unreadable(String),
    /// Expired, revoked, its user disabled, or its rules not enforced by who asks.
    #[error("Failed to validate token")]
    Invalid,
    /// No role is left in its scope, or its user is found disabled. Keystone repeats the token
    /// here; secrets are not repeated.
    #[error("Could not find token.")]
    NotFound,
    /// Something that it says is gone or disabled.
    #[error("{0}")]
    Gone(String),
    /// Its trust does not hold any more: the trustor is disabled, or has lost a role.
    #[error("You are not authorized to perform the requested action.")]
    BrokenTrust,
}
