//! Tokens: issued, validated, and remembered with everything they say, until anything that they
//! say changes.
//!
//! The formats (`fernet`, `jws`, `payload`, `keys`, `receipt`) are pure. The actor puts a token
//! together from what the other providers know ([`assemble`]), renders its body once, and keeps
//! both in a cache under a hash of the token's text, so that validating a token again costs one
//! look-up: no SQL, no signature, no JSON.

mod assemble;
mod audit;
mod fernet;
mod format;
mod handlers;
mod jws;
mod jws_claims;
mod jws_keys;
mod jws_rotation;
mod key_facts;
mod key_files;
mod keys;
mod messages;
mod methods;
mod model;
mod msgpack;
mod payload;
mod payload_wire;
mod receipt;
mod render;
mod rotation;

use std::sync::Arc;

use bytes::Bytes;

pub use audit::{AuditId, AuditIds, NotAnAuditId};
pub use fernet::{CryptoError, FernetKey, InvalidKey, KeySet, MAX_TEXT};
pub use format::{
    FernetTokens, OpenError, Opened, RefreshError, SealError, TokenFormat, fuzz_token,
};
pub use jws::JwsTokens;
pub use jws_keys::{JwsAlgorithm, JwsKeyError, JwsKeys, JwsRepository, UnknownAlgorithm};
pub use jws_rotation::{JwsRotation, JwsSetup};
pub use key_facts::KeyFacts;
pub use keys::{Fingerprint, KeyError, KeyRepository, LiveKeys, ModeWarning};
pub use messages::{InspectPair, Issue, IssueToken, Issued, Pair, ValidateToken};
pub use methods::{MAX_METHODS, MethodTable, Methods, MethodsError};
pub use model::{NamedDomain, Refusal, RoleRef, Scope, Token, Verdict};
pub use payload::{FederationRef, Payload, PayloadError, PayloadScope, UnsealablePayload};
pub use receipt::{OpenedReceipt, Receipt, ReceiptError, Receipts};
pub use rotation::RotationReport;

use crate::actor::{Handle, Provider, Transient, Unavailable};
use crate::application_credential::ApplicationCredentialProvider;
use crate::assignment::AssignmentProvider;
use crate::cache::Cache;
use crate::catalog::CatalogProvider;
use crate::federation::FederationProvider;
use crate::identity::IdentityProvider;
use crate::oauth1::Oauth1Provider;
use crate::resource::ResourceProvider;
use crate::revocation::{Invalidations, RevocationProvider};
use crate::role::RoleProvider;
use crate::trust::TrustProvider;

/// The key of a cached token: the SHA-256 of its text. The text itself is kept nowhere.
pub type TokenKey = [u8; 32];

/// Catalogs as tokens show them, by project and user.
pub type CatalogCache = Cache<(Option<String>, String), Bytes>;

/// The other providers, which know what a token is about.
#[derive(Clone)]
pub struct Sources {
    /// Users and groups.
    pub identity: Handle<IdentityProvider>,
    /// Projects and domains.
    pub resource: Handle<ResourceProvider>,
    /// Who has which role where.
    pub assignment: Handle<AssignmentProvider>,
    /// Roles.
    pub role: Handle<RoleProvider>,
    /// Services and endpoints.
    pub catalog: Handle<CatalogProvider>,
    /// Trusts.
    pub trust: Handle<TrustProvider>,
    /// Application credentials.
    pub application_credential: Handle<ApplicationCredentialProvider>,
    /// Identity providers and service providers.
    pub federation: Handle<FederationProvider>,
    /// OAuth1 access tokens.
    pub oauth1: Handle<Oauth1Provider>,
    /// Revocation events.
    pub revocation: Handle<RevocationProvider>,
}

/// Rules of tokens.
#[derive(Clone, Debug)]
pub struct TokenSettings {
    /// `[token] expiration`, seconds: how long a new token lives.
    pub expiration: i64,
    /// `[token] allow_expired_window`, seconds: how long after its end a token can be validated by
    /// whoever asks for that.
    pub allow_expired_window: i64,
    /// `[resource] admin_project_name` and `admin_project_domain_name`, where both are set.
    pub admin_project: Option<(String, String)>,
    /// `[auth] additional_primary_auth_methods`: methods beyond Keystone's own by which users prove
    /// themselves, so that a token of theirs is not taken for a delegated one.
    pub additional_primary_methods: Vec<String>,
}

impl TokenSettings {
    /// Whether a user proves themselves by this method, and nothing is handed on. Any method that
    /// is not known to be such counts as delegation.
    pub(super) fn is_primary(&self, method: &str) -> bool {
        const PRIMARY: [&str; 9] = [
            "external", "kerberos", "mapped", "openid", "password", "saml2", "token", "totp",
            "x509",
        ];
        let additional = &self.additional_primary_methods;
        method != "ec2credential"
            && (PRIMARY.contains(&method) || additional.iter().any(|name| name == method))
    }
}

/// The token provider.
#[derive(Clone)]
pub struct TokenProvider {
    format: Arc<TokenFormat>,
    /// One for all replicas.
    cache: Cache<TokenKey, Arc<Token>>,
    /// Rendered catalogs, by project and, where URLs name users, by user.
    catalogs: CatalogCache,
    sources: Sources,
    invalidations: Invalidations,
    settings: Arc<TokenSettings>,
}

impl Provider for TokenProvider {
    const NAME: &'static str = "token";
}

impl TokenProvider {
    /// The provider of tokens of this format.
    pub fn new(
        format: Arc<TokenFormat>,
        cache: Cache<TokenKey, Arc<Token>>,
        catalogs: CatalogCache,
        sources: Sources,
        invalidations: Invalidations,
        settings: TokenSettings,
    ) -> Self {
        Self {
            format,
            cache,
            catalogs,
            sources,
            invalidations,
            settings: Arc::new(settings),
        }
    }
}

/// What can go wrong here. A token that is not good is no error, but a [`Refusal`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Trying again may help.
    #[error("the token provider is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// The token can't be written in the configured format.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A defect of ours, or of another provider. Logged with its cause, told to no client.
    #[error("{what} failed")]
    Internal {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Transient for Error {
    fn unavailable(&self) -> Option<Unavailable> {
        match self {
            Self::Unavailable(why) => Some(*why),
            Self::Seal(_) | Self::Internal { .. } => None,
        }
    }
}

/// A piece of JSON in a larger one.
pub(crate) fn json_bytes(value: &impl serde::Serialize) -> Result<Bytes, Error> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|error| Error::Internal {
            what: "rendering a token",
            source: Box::new(error),
        })
}
