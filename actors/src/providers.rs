//! All providers of a process, put together.
//!
//! A new provider is registered here: its pool's share of the connections (`SHARES`), where it runs, and the
//! handles of the providers that it asks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::actor::supervisor::{Placement, Supervision};
use crate::actor::{Handle, Limits};
use crate::application_credential::ApplicationCredentialProvider;
use crate::assignment::AssignmentProvider;
use crate::cache::{Cache, CacheStats};
use crate::catalog::{CatalogCaches, CatalogProvider, CatalogSettings};
use crate::credential::{CredentialKeys, CredentialProvider, CredentialSettings};
use crate::db::{ConnectError, Databases, Db};
use crate::domain_config::{DomainConfigProvider, Options};
use crate::federation::{FederationCaches, FederationProvider};
use crate::hashing::HashPool;
use crate::identity::{IdentityCaches, IdentityProvider, IdentitySettings};
use crate::limit::{EnforcementModel, LimitCaches, LimitProvider};
use crate::oauth1::Oauth1Provider;
use crate::policy_store::PolicyStoreProvider;
use crate::resource::{ResourceCaches, ResourceProvider, ResourceSettings};
use crate::revocation::{FollowSettings, Invalidations, RevocationProvider};
use crate::role::RoleProvider;
use crate::token::{LiveKeys, Sources, TokenFormat, TokenProvider, TokenSettings};
use crate::trust::TrustProvider;
use crate::webauthn::{self, WebauthnProvider};

/// Rendered catalogs that are kept: some kilobytes each.
const RENDERED_CATALOGS: usize = 2000;

/// Lists of role assignments that are kept: a hundred kilobytes each at most.
const LISTED_ASSIGNMENTS: usize = 200;

/// The pools of the providers, and the share of each in the connections: in percent of what is left when each has
/// [`LEAST`].
const SHARES: [(&str, usize); 15] = [
    ("identity", 20),
    ("resource", 15),
    ("assignment", 15),
    ("revocation", 10),
    ("application_credential", 8),
    ("role", 5),
    ("catalog", 5),
    ("trust", 4),
    ("credential", 4),
    ("webauthn", 4),
    ("limit", 3),
    ("federation", 3),
    ("oauth1", 2),
    ("policy_store", 1),
    ("domain_config", 1),
];

/// Connections of a pool at least: one may be in a transaction, another answers meanwhile.
const LEAST: usize = 2;

/// How many connections the pool of this name has, of so many for all.
fn size_of(name: &str, connections: usize) -> usize {
    let spare = connections.saturating_sub(LEAST * SHARES.len());
    let share = SHARES.iter().find(|(pool, _)| *pool == name);
    LEAST + share.map_or(0, |(_, share)| spare * share / 100)
}

/// What the providers go by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Threads that serve HTTP, each of which gets replicas of its own.
    pub workers: usize,
    /// Bounds of each provider.
    pub limits: Limits,
    /// How other nodes are followed.
    pub follow: FollowSettings,
    /// The longest that anything is cached where others write the same tables without telling;
    /// `None` where nobody does.
    pub foreign_ttl: Option<Duration>,
    /// Entries that the cache of tokens, and that of each provider, may hold.
    pub cache_entries: usize,
    /// Rules of users, groups and passwords.
    pub identity: IdentitySettings,
    /// Rules of projects and domains.
    pub resource: ResourceSettings,
    /// Rules of tokens.
    pub token: TokenSettings,
    /// `[application_credential] user_limit`; `None`: any number.
    pub application_credential_limit: Option<u32>,
    /// Rules of credentials.
    pub credential: CredentialSettings,
    /// `[trust] max_redelegation_count`.
    pub max_redelegation_count: i32,
    /// `[assignment] prohibited_implied_role`.
    pub prohibited_implied_roles: Vec<String>,
    /// Rules of the catalog.
    pub catalog: CatalogSettings,
    /// The options that a domain may have.
    pub domain_options: Options,
    /// `[saml] relay_state_prefix`.
    pub relay_state_prefix: Arc<str>,
    /// `[unified_limit] enforcement_model`.
    pub enforcement_model: EnforcementModel,
    /// Rules of passkeys.
    pub webauthn: webauthn::Settings,
}

/// Handles of all providers. Cheap to clone.
#[derive(Clone)]
pub struct Providers {
    /// Users and groups.
    pub identity: Handle<IdentityProvider>,
    /// Projects and domains.
    pub resource: Handle<ResourceProvider>,
    /// Who has which role where.
    pub assignment: Handle<AssignmentProvider>,
    /// Roles.
    pub role: Handle<RoleProvider>,
    /// Services, endpoints, regions.
    pub catalog: Handle<CatalogProvider>,
    /// Configuration of single domains.
    pub domain_config: Handle<DomainConfigProvider>,
    /// Limits of what projects may use.
    pub limit: Handle<LimitProvider>,
    /// Policies kept for services.
    pub policy_store: Handle<PolicyStoreProvider>,
    /// Trusts.
    pub trust: Handle<TrustProvider>,
    /// Application credentials.
    pub application_credential: Handle<ApplicationCredentialProvider>,
    /// Credentials.
    pub credential: Handle<CredentialProvider>,
    /// OAuth1 access tokens.
    pub oauth1: Handle<Oauth1Provider>,
    /// Identity providers and service providers.
    pub federation: Handle<FederationProvider>,
    /// Revocation events.
    pub revocation: Handle<RevocationProvider>,
    /// Tokens.
    pub token: Handle<TokenProvider>,
    /// Passkeys.
    pub webauthn: Handle<WebauthnProvider>,
    /// The password hashers.
    pub hashing: HashPool,
    /// What supervises them.
    pub supervision: Supervision,
    /// The pools, for metrics.
    pub pools: Arc<[Db]>,
    invalidations: Invalidations,
    caches: Arc<[(&'static str, Stats)]>,
}

type Stats = Box<dyn Fn() -> CacheStats + Send + Sync>;

/// Makes caches, and remembers how to ask them for their statistics.
struct Caches {
    invalidations: Invalidations,
    entries: usize,
    max_age: Option<Duration>,
    stats: Vec<(&'static str, Stats)>,
}

impl Caches {
    fn make<K, V>(&mut self, name: &'static str) -> Cache<K, V>
    where
        K: Clone + Eq + std::hash::Hash + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
    {
        self.sized(name, self.entries)
    }

    /// A cache of at most so many entries, for large ones.
    fn sized<K, V>(&mut self, name: &'static str, entries: usize) -> Cache<K, V>
    where
        K: Clone + Eq + std::hash::Hash + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
    {
        let epochs = Arc::clone(self.invalidations.epochs());
        let cache = Cache::new(epochs, entries.min(self.entries), self.max_age);
        let asked = cache.clone();
        self.stats.push((name, Box::new(move || asked.stats())));
        cache
    }
}

impl Providers {
    /// Starts all providers under supervision, and the following of other nodes.
    ///
    /// # Errors
    /// When the pools can't be made. Whether the database answers shows later.
    pub fn start(
        databases: &Databases,
        settings: Settings,
        format: Arc<TokenFormat>,
        credential_keys: Arc<CredentialKeys>,
        challenge_keys: Arc<LiveKeys>,
        hashing: HashPool,
    ) -> Result<Self, ConnectError> {
        let invalidations = Invalidations::default();
        let supervision = Supervision::start(settings.workers, settings.limits);
        let mut pools = Vec::new();
        let mut pool = |name| -> Result<Db, ConnectError> {
            let db = databases.pool_of(name, size_of(name, databases.connections()))?;
            pools.push(db.clone());
            Ok(db)
        };
        let mut caches = Caches {
            invalidations: invalidations.clone(),
            entries: settings.cache_entries,
            // What is cached may have been computed from what was cached: half the age each.
            max_age: settings.foreign_ttl.map(|ttl| ttl / 2),
            stats: Vec::new(),
        };

        let follower =
            RevocationProvider::new(pool("revocation")?, invalidations.clone(), settings.follow);
        let revocation = {
            let provider = follower.clone();
            supervision.supervise(Placement::Single, move || provider.clone())
        };
        let databases = databases.clone();
        supervision.spawn(move || follower.clone().follow(databases.clone()));

        let provider = RoleProvider::new(
            pool("role")?,
            caches.make("role"),
            invalidations.clone(),
            settings.prohibited_implied_roles.into(),
        );
        let role = supervision.supervise(Placement::PerWorker, move || provider.clone());

        let remembers = ResourceCaches {
            projects: caches.make("project"),
            domains: caches.make("domain"),
            names: caches.make("project_name"),
            ancestors: caches.make("ancestors"),
        };
        let provider = ResourceProvider::new(
            pool("resource")?,
            remembers,
            invalidations.clone(),
            Arc::new(settings.resource),
        );
        let resource = supervision.supervise(Placement::PerWorker, move || provider.clone());

        let remembers = CatalogCaches {
            inventory: caches.make("catalog"),
            filters: caches.make("endpoint_filter"),
        };
        let provider = CatalogProvider::new(
            pool("catalog")?,
            remembers,
            invalidations.clone(),
            settings.catalog,
        );
        let catalog = supervision.supervise(Placement::PerWorker, move || provider.clone());

        let provider = PolicyStoreProvider::new(pool("policy_store")?, catalog.clone());
        let policy_store = supervision.supervise(Placement::Single, move || provider.clone());

        let provider = DomainConfigProvider::new(
            pool("domain_config")?,
            caches.make("domain_config"),
            invalidations.clone(),
            settings.domain_options,
        );
        let domain_config = supervision.supervise(Placement::Single, move || provider.clone());

        let remembers = LimitCaches {
            registered: caches.make("registered_limit"),
            owned: caches.make("limit"),
        };
        let provider = LimitProvider::new(
            pool("limit")?,
            remembers,
            invalidations.clone(),
            catalog.clone(),
            resource.clone(),
            settings.enforcement_model,
        );
        let limit = supervision.supervise(Placement::PerWorker, move || provider.clone());

        let remembers = IdentityCaches {
            users: caches.make("user"),
            user_names: caches.make("user_name"),
            groups: caches.make("group"),
            group_names: caches.make("group_name"),
            memberships: caches.make("memberships"),
        };
        let provider = IdentityProvider::new(
            pool("identity")?,
            remembers,
            hashing.clone(),
            invalidations.clone(),
            resource.clone(),
            Arc::new(settings.identity),
        );
        let identity = supervision.supervise(Placement::PerWorker, move || provider.clone());

        let provider = AssignmentProvider::new(
            pool("assignment")?,
            caches.make("grants"),
            (caches.entries > 0).then(|| caches.sized("assignments", LISTED_ASSIGNMENTS)),
            invalidations.clone(),
            role.clone(),
            resource.clone(),
            identity.clone(),
        );
        let assignment = supervision.supervise(Placement::PerWorker, move || provider.clone());

        let provider = TrustProvider::new(
            pool("trust")?,
            caches.make("trust"),
            invalidations.clone(),
            settings.max_redelegation_count,
        );
        let trust = supervision.supervise(Placement::PerWorker, move || provider.clone());

        let provider = ApplicationCredentialProvider::new(
            pool("application_credential")?,
            caches.make("application_credential"),
            hashing.clone(),
            invalidations.clone(),
            settings.application_credential_limit,
        );
        let application_credential =
            supervision.supervise(Placement::PerWorker, move || provider.clone());

        let provider = CredentialProvider::new(
            pool("credential")?,
            caches.make("credential"),
            invalidations.clone(),
            credential_keys,
            settings.credential,
        );
        let credential = supervision.supervise(Placement::PerWorker, move || provider.clone());

        let provider = Oauth1Provider::new(
            pool("oauth1")?,
            caches.make("access_token"),
            invalidations.clone(),
        );
        let oauth1 = supervision.supervise(Placement::Single, move || provider.clone());

        let remembers = FederationCaches {
            identity_providers: caches.make("identity_provider"),
            service_providers: caches.make("service_providers"),
        };
        let provider = FederationProvider::new(
            pool("federation")?,
            remembers,
            invalidations.clone(),
            settings.relay_state_prefix,
        );
        let federation = supervision.supervise(Placement::PerWorker, move || provider.clone());

        let provider = WebauthnProvider::new(
            pool("webauthn")?,
            invalidations.clone(),
            challenge_keys,
            Arc::new(settings.webauthn),
        );
        let webauthn = supervision.supervise(Placement::PerWorker, move || provider.clone());

        let sources = Sources {
            identity: identity.clone(),
            resource: resource.clone(),
            assignment: assignment.clone(),
            role: role.clone(),
            catalog: catalog.clone(),
            trust: trust.clone(),
            application_credential: application_credential.clone(),
            federation: federation.clone(),
            oauth1: oauth1.clone(),
            revocation: revocation.clone(),
        };
        let provider = TokenProvider::new(
            format,
            caches.make("token"),
            caches.sized("rendered_catalog", RENDERED_CATALOGS),
            sources,
            invalidations.clone(),
            settings.token,
        );
        let token = supervision.supervise(Placement::PerWorker, move || provider.clone());

        Ok(Self {
            identity,
            resource,
            assignment,
            role,
            catalog,
            domain_config,
            limit,
            policy_store,
            trust,
            application_credential,
            credential,
            oauth1,
            federation,
            revocation,
            token,
            webauthn,
            hashing,
            supervision,
            pools: pools.into(),
            invalidations,
            caches: caches.stats.into(),
        })
    }

    /// Whether the database answers.
    pub async fn probe_database(&self) -> bool {
        match self.pools.first() {
            Some(pool) => pool.answers().await,
            None => false,
        }
    }

    /// Whether this node follows the others at `now`, so that its caches are trusted.
    pub fn follows_others(&self, now: Instant) -> bool {
        self.invalidations.epochs().trusted(now)
    }

    /// How long ago this node last looked at what others changed.
    pub fn outbox_lag(&self, now: Instant) -> Duration {
        self.invalidations.epochs().lag(now)
    }

    /// Hits, misses and size of each cache.
    pub fn cache_stats(&self) -> impl Iterator<Item = (&'static str, CacheStats)> {
        self.caches.iter().map(|(name, stats)| (*name, stats()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_pools_together_have_no_more_connections_than_there_are() {
        let all: usize = SHARES.iter().map(|(_, share)| share).sum();
        assert_eq!(all, 100);
        for connections in [LEAST * SHARES.len(), 40, 50, 99, 1000] {
            let sizes = SHARES.map(|(name, _)| size_of(name, connections));
            assert!(sizes.iter().sum::<usize>() <= connections, "{sizes:?}");
            assert!(sizes.iter().all(|size| *size >= LEAST), "{sizes:?}");
        }
        assert_eq!(size_of("identity", 1), LEAST);
    }
}
