//! The sections of the configuration, by subject. A definition here is all that an option needs.
//!
//! `inert = true` marks an option that has a type but no effect: it is listed as such, and its
//! value is not even checked. Take the mark away when something begins to read the field.

mod database;
mod federation;
mod general;
mod identity;
mod own;
mod resources;
mod tokens;
mod webauthn;

use super::options::{Section, SectionMeta, choices};
use super::resolve::Reader;

pub use database::Database;
pub use federation::{Federation, MappingVersion, Saml};
pub use general::{Cors, General, NotificationFormat, OsloMiddleware, OsloPolicy};
pub use identity::{
    ApplicationCredential, Auth, Credential, HashFunction, Identity, InvalidPasswordReport,
    PasswordHashAlgorithm, SecurityCompliance,
};
pub use own::{
    ApiServer, CacheCoherence, CredentialNg, Hashing, LogFormat, LoginLimits, Notifications,
    Observability, Providers, Storage, TokenNg,
};
pub use resources::{
    Assignment, Catalog, DomainConfig, EndpointFilter, EnforcementModel, Policy, Resource, Role,
    UnifiedLimit, UrlSafe,
};
pub use tokens::{
    FernetReceipts, FernetTokens, JwsAlgorithm, JwtTokens, Oauth1, Receipt, Revoke, Token,
    TokenProvider, Totp, Trust,
};
pub use webauthn::{
    Attestation, BackupChange, CounterRegression, Requirement, TokenMethod, Webauthn,
};

choices! {
    /// Where a provider keeps its data. Others exist in Python Keystone only.
    pub enum Driver {
        /// The SQL database of `[database]`.
        Sql = "sql",
    }
}

choices! {
    /// What encrypts credentials and receipts.
    pub enum FernetOnly {
        /// Fernet, with keys of a repository.
        Fernet = "fernet",
    }
}

/// A list of texts, for defaults.
fn texts(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

macro_rules! config {
    ($( $(#[doc = $doc:literal])+ $field:ident: $type:ty, )+) => {
        /// All settings, a field a section.
        #[derive(Clone, Debug, Default)]
        pub struct Config {
            $( $(#[doc = $doc])+ pub $field: $type, )+
            /// `[ldap]`, of no effect but that a domain's configuration shows it as what holds
            /// without one.
            pub ldap: serde_json::Map<String, serde_json::Value>,
        }

        /// The sections whose options have types.
        pub(super) const SECTIONS: &[&SectionMeta] = &[$( <$type as Section>::META, )+];

        impl Config {
            pub(super) fn read(source: &mut Reader<'_>) -> Self {
                Self {
                    $( $field: <$type as Section>::read(source), )+
                    ldap: source.inert_values("ldap"),
                }
            }
        }
    };
}

config! {
    /// `[DEFAULT]`
    default: General,
    /// `[api_server]`
    api_server: ApiServer,
    /// `[application_credential]`
    application_credential: ApplicationCredential,
    /// `[assignment]`
    assignment: Assignment,
    /// `[auth]`
    auth: Auth,
    /// `[cache_coherence]`
    cache_coherence: CacheCoherence,
    /// `[catalog]`
    catalog: Catalog,
    /// `[cors]`
    cors: Cors,
    /// `[credential]`
    credential: Credential,
    /// `[credential_ng]`
    credential_ng: CredentialNg,
    /// `[database]`
    database: Database,
    /// `[domain_config]`
    domain_config: DomainConfig,
    /// `[endpoint_filter]`
    endpoint_filter: EndpointFilter,
    /// `[federation]`
    federation: Federation,
    /// `[fernet_receipts]`
    fernet_receipts: FernetReceipts,
    /// `[fernet_tokens]`
    fernet_tokens: FernetTokens,
    /// `[hashing]`
    hashing: Hashing,
    /// `[identity]`
    identity: Identity,
    /// `[jwt_tokens]`
    jwt_tokens: JwtTokens,
    /// `[login_limits]`
    login_limits: LoginLimits,
    /// `[notifications]`
    notifications: Notifications,
    /// `[oauth1]`
    oauth1: Oauth1,
    /// `[observability]`
    observability: Observability,
    /// `[oslo_middleware]`
    oslo_middleware: OsloMiddleware,
    /// `[oslo_policy]`
    oslo_policy: OsloPolicy,
    /// `[policy]`
    policy: Policy,
    /// `[providers]`
    providers: Providers,
    /// `[receipt]`
    receipt: Receipt,
    /// `[resource]`
    resource: Resource,
    /// `[revoke]`
    revoke: Revoke,
    /// `[role]`
    role: Role,
    /// `[saml]`
    saml: Saml,
    /// `[security_compliance]`
    security_compliance: SecurityCompliance,
    /// `[storage]`
    storage: Storage,
    /// `[token]`
    token: Token,
    /// `[token_ng]`
    token_ng: TokenNg,
    /// `[totp]`
    totp: Totp,
    /// `[trust]`
    trust: Trust,
    /// `[unified_limit]`
    unified_limit: UnifiedLimit,
    /// `[webauthn]`
    webauthn: Webauthn,
}
