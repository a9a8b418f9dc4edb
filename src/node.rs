//! A node: configuration, providers and policy of one running server, as handlers see them.

mod domain_options;
mod passkeys;

pub use passkeys::{RootsError, settings as passkey_settings};

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use keystone_actors::actor::Limits;
use keystone_actors::catalog::CatalogSettings;
use keystone_actors::credential::{CredentialKeys, CredentialSettings};
use keystone_actors::db::{ConnectError, Databases, Sessions, StorageLimits};
use keystone_actors::hashing::{Algorithm, HashError, HashPolicy, HashPool, PoolSize};
use keystone_actors::identity::{IdentitySettings, InvalidPattern, Lockout, PasswordRequirement};
use keystone_actors::limit::EnforcementModel;
use keystone_actors::providers::{Providers, Settings};
use keystone_actors::resource::ResourceSettings;
use keystone_actors::revocation::FollowSettings;
use keystone_actors::token::{
    FernetTokens, JwsAlgorithm, JwsKeyError, JwsRepository, JwsTokens, KeyError, KeyRepository,
    LiveKeys, MethodTable, MethodsError, Receipts, TokenFormat, TokenSettings,
};

use crate::api::openapi;
use crate::api::step_up::StepUp;
use crate::auth::limits::LoginLimits;
use crate::config::sections::UrlSafe;
use crate::config::{Config, Limit, sections};
use crate::notify::{self, Notifier, NotifyError};
use crate::policy::{self, Enforcer, Overrides, PolicyError};
use crate::telemetry::Metrics;

/// A running node. One for the process; handlers get it as `web::Data<Node>`.
pub struct Node {
    /// The configuration that it was started with.
    pub config: Arc<Config>,
    /// The providers.
    pub providers: Providers,
    /// The policy in force; swapped by a reload.
    pub policy: ArcSwap<Enforcer>,
    /// The format of tokens, whose keys are reloaded.
    pub format: Arc<TokenFormat>,
    /// Receipts of incomplete multi-factor authentications.
    pub receipts: Receipts,
    /// The keys of credentials.
    pub credential_keys: Arc<CredentialKeys>,
    /// What is counted.
    pub metrics: Metrics,
    /// How often logins may be tried.
    pub login_limits: LoginLimits,
    /// Operations that ask for another login.
    pub step_up: StepUp,
    /// Who is told of changes.
    pub notifier: Notifier,
    /// Where relative paths of the configuration begin.
    config_dir: PathBuf,
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Pools or TLS.
    #[error(transparent)]
    Database(#[from] ConnectError),
    /// The keys of tokens or receipts.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The keys of JWS tokens.
    #[error(transparent)]
    JwsKeys(#[from] JwsKeyError),
    /// `[auth] methods`.
    #[error(transparent)]
    Methods(#[from] MethodsError),
    /// Password hashing.
    #[error("password hashing: {0}")]
    Hashing(#[from] HashError),
    /// What passwords have to look like.
    #[error(transparent)]
    Pattern(#[from] InvalidPattern),
    /// `[webauthn] attestation_roots`.
    #[error(transparent)]
    Roots(#[from] passkeys::RootsError),
    /// Policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Notifications.
    #[error(transparent)]
    Notify(#[from] NotifyError),
}

impl Node {
    /// Starts providers for this configuration. To be called inside an actix system.
    ///
    /// # Errors
    /// What an operator has to mend. That the database does not answer is none: the node waits
    /// for it, answers 503, and says so in readiness.
    pub fn start(
        config: Arc<Config>,
        config_dir: &Path,
        workers: usize,
    ) -> Result<Self, StartError> {
        let databases = databases(&config, storage_limits(&config))?;
        let methods = Arc::new(MethodTable::new(config.auth.methods.as_slice())?);
        let skew = seconds(config.token_ng.max_clock_skew);
        let format = Arc::new(token_format(&config, &methods, skew)?);
        let receipt_keys = repository(
            &config.fernet_receipts.key_repository,
            config.fernet_receipts.max_active_keys,
        );
        let receipts = Receipts::new(LiveKeys::load(receipt_keys)?, methods, skew);
        let credential_keys = Arc::new(CredentialKeys::of(credential_repository(&config)));
        if let Err(problem) = credential_keys.load() {
            tracing::warn!(%problem, "credentials can't be used; run `keystone-ng credential setup`");
        }
        let hashing = HashPool::start(hash_policy(&config), hash_threads(&config))?;
        let providers = Providers::start(
            &databases,
            settings(&config, config_dir, workers)?,
            Arc::clone(&format),
            Arc::clone(&credential_keys),
            // There whatever the format of tokens is, and shared by all nodes.
            Arc::clone(receipts.keys()),
            hashing,
        )?;
        warn_of_modes(&config);
        let (policy, warnings) = load_policy(&config, config_dir)?;
        for warning in warnings {
            tracing::warn!(%warning, "policy");
        }
        let sources = notify::Sources {
            identity: providers.identity.clone(),
            catalog: providers.catalog.clone(),
        };
        Ok(Self {
            notifier: Notifier::start(&config, sources)?,
            metrics: Metrics::new(providers.clone()),
            step_up: StepUp::new(&config, &openapi::operations(config.webauthn.enabled)),
            login_limits: LoginLimits::new(&config),
            config,
            providers,
            policy: ArcSwap::from_pointee(policy),
            format,
            receipts,
            credential_keys,
            config_dir: config_dir.to_owned(),
        })
    }

    /// Looks at the key repositories, which may block: at once, or once their files have settled.
    /// Of each: whether it has changed, or why the keys stay as they were.
    pub fn refresh_keys(&self, at_once: bool) -> [(&'static str, Result<bool, String>); 3] {
        let (tokens, receipts) = match at_once {
            true => (self.format.refresh(), self.receipts.refresh()),
            false => (
                self.format.refresh_settled(),
                self.receipts.refresh_settled(),
            ),
        };
        let credentials = self.credential_keys.refresh();
        [
            ("token", tokens.map_err(|error| error.to_string())),
            ("receipt", receipts.map_err(|error| error.to_string())),
            ("credential", credentials.map_err(|error| error.to_string())),
        ]
    }

    /// Reads the policy files again. On an error the old policy stays in force.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn reload_policy(&self) -> Result<Vec<policy::Warning>, PolicyError> {
        let (policy, warnings) = load_policy(&self.config, &self.config_dir)?;
        self.policy.store(Arc::new(policy));
        Ok(warnings)
    }
}

/// The policy of this configuration, and what is odd about its files.
///
/// # Errors
/// What is wrong with them.
pub fn load_policy(
    config: &Config,
    config_dir: &Path,
) -> Result<(Enforcer, Vec<policy::Warning>), PolicyError> {
    let settings = policy::Settings {
        enforce_scope: config.oslo_policy.enforce_scope,
        enforce_new_defaults: config.oslo_policy.enforce_new_defaults,
        default_rule: Some(config.oslo_policy.policy_default_rule.clone()),
    };
    let file = config_dir.join(&config.oslo_policy.policy_file);
    let dirs: Vec<PathBuf> = config
        .oslo_policy
        .policy_dirs
        .0
        .iter()
        .map(|dir| config_dir.join(dir))
        .collect();
    // What can't be looked at is there, as far as anybody knows.
    let is_there = !matches!(file.try_exists(), Ok(false));
    let overrides = Overrides::load(is_there.then_some(file.as_path()), &dirs)?;
    let (enforcer, mut warnings) = Enforcer::new(&settings, overrides)?;
    if !is_there && config.oslo_policy.policy_file != sections::OsloPolicy::default().policy_file {
        warnings.push(policy::Warning::NoFile(file));
    }
    Ok((enforcer, warnings))
}

/// The repository of fernet keys at this path.
pub fn repository(path: &Path, max_active_keys: u32) -> KeyRepository {
    KeyRepository::new(path, max_active_keys as usize)
}

/// The repository of the keys that encrypt credentials.
pub fn credential_repository(config: &Config) -> KeyRepository {
    /// The primary, the one before it, and the staged one.
    const KEYS: u32 = 3;
    KeyRepository {
        null_key_allowed: config.credential_ng.insecure_allow_null_key,
        ..repository(&config.credential.key_repository, KEYS)
    }
}

/// Bounds of the database's use.
pub fn storage_limits(config: &Config) -> StorageLimits {
    StorageLimits {
        connections: config.storage.connections,
        acquire: config.storage.acquire_timeout,
        connect: config.storage.connect_timeout,
        statement: config.storage.statement_timeout,
        lifetime: config.database.connection_recycle_time.seconds(),
    }
}

/// The database, within these bounds.
///
/// # Errors
/// When files that TLS needs are unusable.
pub fn databases(config: &Config, limits: StorageLimits) -> Result<Databases, ConnectError> {
    let database = &config.database;
    let sessions = Sessions {
        mysql_sql_mode: database.mysql_sql_mode.clone(),
        mysql_wsrep_sync_wait: database.mysql_wsrep_sync_wait,
        sqlite_synchronous: database.sqlite_synchronous,
    };
    Databases::with_sessions(database.connection.clone(), limits, &sessions)
}

fn token_format(
    config: &Config,
    methods: &Arc<MethodTable>,
    skew: i64,
) -> Result<TokenFormat, StartError> {
    Ok(match config.token.provider {
        sections::TokenProvider::Fernet => {
            let fernet = &config.fernet_tokens;
            let keys = LiveKeys::load(repository(&fernet.key_repository, fernet.max_active_keys))?;
            let tokens = FernetTokens::new(keys, Arc::clone(methods), skew);
            TokenFormat::Fernet(tokens.noting_longer_than(config.default.max_token_size))
        }
        sections::TokenProvider::Jws => {
            TokenFormat::Jws(JwsTokens::new(jws_repository(config), skew)?)
        }
    })
}

/// Says which key files others can reach, and what to do.
fn warn_of_modes(config: &Config) {
    let (tokens, receipts) = (&config.fernet_tokens, &config.fernet_receipts);
    let of = |path| repository(path, 0).mode_warnings().unwrap_or_default();
    let mut warnings = of(&receipts.key_repository);
    match config.token.provider {
        sections::TokenProvider::Jws => {
            warnings.extend(jws_repository(config).mode_warnings().unwrap_or_default());
        }
        sections::TokenProvider::Fernet if tokens.key_repository == receipts.key_repository => {}
        sections::TokenProvider::Fernet => warnings.extend(of(&tokens.key_repository)),
    }
    for warning in warnings {
        tracing::warn!(%warning, "others can reach a key");
    }
}

/// The keys of JWS tokens.
pub fn jws_repository(config: &Config) -> JwsRepository {
    let jwt = &config.jwt_tokens;
    let accepted = jwt.jws_accepted_algorithms.iter().copied();
    JwsRepository {
        private_keys: jwt.jws_private_key_repository.clone(),
        public_keys: jwt.jws_public_key_repository.clone(),
        algorithm: jws_algorithm(jwt.jws_algorithm),
        accepted: accepted.map(jws_algorithm).collect(),
    }
}

fn jws_algorithm(configured: sections::JwsAlgorithm) -> JwsAlgorithm {
    match configured {
        sections::JwsAlgorithm::Es256 => JwsAlgorithm::Es256,
        sections::JwsAlgorithm::Es384 => JwsAlgorithm::Es384,
        sections::JwsAlgorithm::Es512 => JwsAlgorithm::Es512,
        sections::JwsAlgorithm::EdDsa => JwsAlgorithm::EdDsa,
    }
}

/// How passwords are hashed.
pub fn hash_policy(config: &Config) -> HashPolicy {
    let identity = &config.identity;
    HashPolicy {
        algorithm: match identity.password_hash_algorithm {
            sections::PasswordHashAlgorithm::Bcrypt => Algorithm::Bcrypt,
            sections::PasswordHashAlgorithm::BcryptSha256 => Algorithm::BcryptSha256,
            sections::PasswordHashAlgorithm::Scrypt => Algorithm::Scrypt,
            sections::PasswordHashAlgorithm::Pbkdf2Sha512 => Algorithm::Pbkdf2Sha512,
        },
        rounds: identity.password_hash_rounds,
        scrypt_block_size: identity.scrypt_block_size,
        scrypt_parallelism: identity.scrypt_parallelism,
        salt_bytesize: identity.salt_bytesize,
        max_password_length: identity.max_password_length as usize,
        strict: config.default.strict_password_check,
    }
}

/// How many passwords are hashed at a time, and how many wait.
pub fn hash_threads(config: &Config) -> PoolSize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    PoolSize {
        threads: match config.hashing.threads {
            0 => cores,
            threads => threads,
        },
        queue: config.hashing.queue,
        nice: config.hashing.nice,
    }
}

fn settings(config: &Config, dir: &Path, workers: usize) -> Result<Settings, StartError> {
    let coherence = &config.cache_coherence;
    let token = &config.token;
    Ok(Settings {
        workers,
        limits: Limits {
            under_way: config.providers.mailbox,
            deadline: config.providers.request_timeout,
            restart_limit: config.providers.restart_limit,
            restart_window: config.providers.restart_window,
        },
        follow: FollowSettings {
            poll_interval: coherence.poll_interval,
            trust_window: coherence.trust_window,
            outbox_retention: coherence.outbox_retention,
            longest_transaction: config.storage.statement_timeout + coherence.trust_window,
            event_retention: token
                .expiration
                .saturating_add(config.revoke.expiration_buffer),
        },
        foreign_ttl: coherence.foreign_writers.then_some(coherence.foreign_ttl),
        cache_entries: coherence.entries,
        identity: identity_settings(config)?,
        resource: resource_settings(config),
        token: TokenSettings {
            expiration: seconds(token.expiration),
            allow_expired_window: seconds(token.allow_expired_window),
            admin_project: config
                .resource
                .admin_project_name
                .clone()
                .zip(config.resource.admin_project_domain_name.clone()),
            additional_primary_methods: primary_methods(config),
        },
        application_credential_limit: limit(config.application_credential.user_limit),
        credential: CredentialSettings {
            user_limit: limit(config.credential.user_limit),
            previous_windows: config.totp.included_previous_windows,
        },
        max_redelegation_count: i32::try_from(config.trust.max_redelegation_count)
            .unwrap_or(i32::MAX),
        prohibited_implied_roles: config.assignment.prohibited_implied_role.clone(),
        enforcement_model: enforcement_model(config),
        relay_state_prefix: config.saml.relay_state_prefix.as_str().into(),
        domain_options: domain_options::of(config),
        webauthn: passkeys::settings(config, dir)?,
        catalog: CatalogSettings {
            public_endpoint: config
                .default
                .public_endpoint
                .as_ref()
                .map(|url| url.as_str().to_owned()),
            all_without_filter: config.endpoint_filter.return_all_endpoints_if_no_filter,
        },
    })
}

/// Methods beyond Keystone's own that authenticate the user as such.
fn primary_methods(config: &Config) -> Vec<String> {
    let mut methods = config.auth.additional_primary_auth_methods.clone();
    if config.webauthn.enabled {
        methods.push(config.webauthn.method(&config.auth).to_string());
    }
    methods
}

/// How the limits of projects above and below one another go together.
pub fn enforcement_model(config: &Config) -> EnforcementModel {
    match config.unified_limit.enforcement_model {
        sections::EnforcementModel::Flat => EnforcementModel::Flat,
        sections::EnforcementModel::StrictTwoLevel => EnforcementModel::StrictTwoLevel,
    }
}

fn identity_settings(config: &Config) -> Result<IdentitySettings, InvalidPattern> {
    let rules = &config.security_compliance;
    let requirement = rules
        .password_regex
        .as_ref()
        .map(|pattern| PasswordRequirement::new(pattern, rules.password_regex_description.clone()));
    Ok(IdentitySettings {
        password_requirement: requirement.transpose()?,
        default_domain_id: config.identity.default_domain_id.as_str().into(),
        disable_user_account_days_inactive: rules.disable_user_account_days_inactive,
        lockout: rules.lockout_failure_attempts.map(|attempts| Lockout {
            attempts,
            duration: rules
                .lockout_duration
                .map(|duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)),
        }),
        password_expires_days: rules.password_expires_days,
        unique_last_password_count: rules.unique_last_password_count,
        minimum_password_age: rules.minimum_password_age,
        change_password_upon_first_use: rules.change_password_upon_first_use,
        default_authorization_ttl: config.federation.default_authorization_ttl,
    })
}

fn limit(limit: Limit) -> Option<u32> {
    limit
        .get()
        .map(|most| u32::try_from(most).unwrap_or(u32::MAX))
}

fn resource_settings(config: &Config) -> ResourceSettings {
    /// What the model of limits allows at most.
    const TWO_LEVELS: u32 = 2;
    let most = match enforcement_model(config) {
        EnforcementModel::Flat => u32::MAX,
        EnforcementModel::StrictTwoLevel => TWO_LEVELS,
    };
    let depth = config.default.max_project_tree_depth.min(most);
    ResourceSettings {
        default_domain_id: config.identity.default_domain_id.as_str().into(),
        max_tree_depth: usize::try_from(depth).unwrap_or(usize::MAX),
        url_safe_projects: config.resource.project_name_url_safe != UrlSafe::Off,
        url_safe_domains: config.resource.domain_name_url_safe != UrlSafe::Off,
        ..ResourceSettings::default()
    }
}

fn seconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
