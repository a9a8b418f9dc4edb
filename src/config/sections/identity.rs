//! Users, their passwords and their other means to authenticate.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::super::options::{choices, section};
use super::super::values::Limit;
use super::{Driver, FernetOnly, texts};

choices! {
    /// What a password is hashed with when it is set. All of them are verified.
    pub enum PasswordHashAlgorithm {
        /// bcrypt, which reads 72 bytes at most.
        Bcrypt = "bcrypt",
        /// bcrypt of an HMAC-SHA256, for passwords of any length.
        BcryptSha256 = "bcrypt_sha256",
        /// scrypt (RFC 7914).
        Scrypt = "scrypt",
        /// PBKDF2 with HMAC-SHA512 (RFC 8018).
        Pbkdf2Sha512 = "pbkdf2_sha512",
    }
}

choices! {
    /// Where a hash of a wrong password is told.
    pub enum InvalidPasswordReport {
        /// In the event identity.authenticate.failure.
        Event = "event",
    }
}

choices! {
    /// Hash function of an HMAC.
    pub enum HashFunction {
        /// SHA-1.
        Sha1 = "sha1",
        /// SHA-224.
        Sha224 = "sha224",
        /// SHA-256.
        Sha256 = "sha256",
        /// SHA-384.
        Sha384 = "sha384",
        /// SHA-512.
        Sha512 = "sha512",
    }
}

section! {
    /// Methods of authentication.
    pub struct Auth in "auth", ours = false {
        /// Methods that are accepted. The order matters: it is written into tokens, so it has to
        /// be the same on all nodes, and new methods go to the end.
        pub methods: Vec<String> = texts(&[
            "external",
            "password",
            "token",
            "oauth1",
            "mapped",
            "application_credential",
            "ec2credential",
        ]);
        /// Methods beyond Keystone's own that authenticate the user as such. A token of any other
        /// unknown method counts as delegated, and may not manage trusts or credentials.
        pub additional_primary_auth_methods: Vec<String> = Vec::new();
    }
}

section! {
    /// Users and groups.
    pub struct Identity in "identity", ours = false {
        /// Domain that is meant where a request names none. It can't be deleted.
        pub default_domain_id: String = "default".to_owned();
        /// Where users and groups are kept.
        pub driver: Driver = Driver::Sql;
        /// The longest password, in bytes.
        pub max_password_length: u32 = 4096, min = Some(1.0), max = Some(4096.0);
        /// How many users or groups a list has at most. Unset or 0: [DEFAULT] list_limit.
        pub list_limit: Option<u64> = None;
        /// What a password is hashed with when it is set.
        pub password_hash_algorithm: PasswordHashAlgorithm = PasswordHashAlgorithm::Bcrypt;
        /// Work factor of new hashes. Unset or 0: 12 for bcrypt (4 to 31, each step doubles the
        /// time), 25000 for pbkdf2_sha512. Without meaning for scrypt.
        pub password_hash_rounds: Option<u32> = None;
        /// Block size of scrypt, its r. Unset or 0: 8.
        pub scrypt_block_size: Option<u32> = None, max = Some(1024.0);
        /// Parallelism of scrypt, its p. Unset or 0: 1.
        pub scrypt_parallelism: Option<u32> = None, max = Some(1024.0);
        /// Bytes of salt in hashes of scrypt and pbkdf2_sha512. Unset or 0: 16.
        pub salt_bytesize: Option<u32> = None, max = Some(96.0);
        /// Whether a list of users or of groups is of one domain alone: the one that is asked for,
        /// or else that of the token. Drivers of its own no domain has here.
        pub domain_specific_drivers_enabled: bool = false;
        /// Read the settings of such drivers from the database.
        pub domain_configurations_from_database: bool = false, inert = true;
        /// Directory of the settings of such drivers.
        pub domain_config_dir: PathBuf = PathBuf::from("/etc/keystone/domains"), inert = true;
        /// Cache of Python Keystone; here see [cache_coherence].
        pub caching: bool = true, inert = true;
        /// How long Python Keystone caches users, in seconds; here see [cache_coherence].
        pub cache_time: Option<Duration> = Some(Duration::from_secs(600)), inert = true;
    }
}

section! {
    /// Rules for passwords and accounts.
    pub struct SecurityCompliance in "security_compliance", ours = false {
        /// Days without authentication after which an account is disabled. Unset: never.
        pub disable_user_account_days_inactive: Option<u32> = None,
            min = Some(1.0), max = Some(999_999.0);
        /// Wrong passwords after which an account is locked. Unset: never.
        pub lockout_failure_attempts: Option<u32> = None, min = Some(1.0);
        /// How long it stays locked, in seconds. Empty: until an administrator enables it.
        pub lockout_duration: Option<Duration> = Some(Duration::from_secs(1800)), min = Some(1.0);
        /// Days after which a password has to be changed. Unset: never.
        pub password_expires_days: Option<u32> = None, min = Some(1.0), max = Some(999_999.0);
        /// A new password has to differ from this many before it, itself counted. 0: no rule.
        pub unique_last_password_count: u32 = 0;
        /// Days that a user has to keep a password before they may change it.
        pub minimum_password_age: u32 = 0, max = Some(999_999.0);
        /// Regular expression that a new password has to match. Write $$ for a dollar sign.
        pub password_regex: Option<String> = None;
        /// The same rule in words, for users.
        pub password_regex_description: Option<String> = None;
        /// A password that an administrator set has to be changed before anything else.
        pub change_password_upon_first_use: bool = false;
        /// Where to tell a part of the hash of a wrong password, so that an attack can be told from
        /// a client that has an old one. Empty: nowhere. Not told here yet.
        pub report_invalid_password_hash: Vec<InvalidPasswordReport> = Vec::new(), inert = true;
        /// Key of that hash: the same on all nodes, 16 bytes at least.
        pub invalid_password_hash_secret_key: Option<SecretString> = None, inert = true;
        /// Function of that hash.
        pub invalid_password_hash_function: HashFunction = HashFunction::Sha256, inert = true;
        /// How many characters of it are told. Unset: all; a few are enough, and safer.
        pub invalid_password_hash_max_chars: Option<u32> = None, min = Some(1.0), inert = true;
        /// Let a token of a trust with the admin role reach credentials of other projects, as
        /// Python Keystone once did. Unsafe.
        pub allow_insecure_admin_trust_cross_project_credentials_access: bool = false;
        /// Let an unrestricted application credential make trusts, as Python Keystone once did.
        /// Unsafe.
        pub allow_insecure_application_credential_trust_escalation: bool = false;
    }
}

section! {
    /// Credentials: EC2 keys, TOTP secrets and the like.
    pub struct Credential in "credential", ours = false {
        /// Where they are kept.
        pub driver: Driver = Driver::Sql;
        /// What encrypts them.
        pub provider: FernetOnly = FernetOnly::Fernet;
        /// Directory of the keys. Never that of [fernet_tokens]: its keys are dropped in time, and
        /// with them every credential would be lost.
        pub key_repository: PathBuf = PathBuf::from("/etc/keystone/credential-keys/");
        /// How far apart the clock of an EC2 request may be, in minutes.
        pub auth_ttl: u32 = 15, max = Some(525_600.0);
        /// How many credentials a user may have; -1: any number.
        pub user_limit: Limit = Limit::NONE;
        /// Cache of Python Keystone; here see [cache_coherence].
        pub caching: bool = true, inert = true;
        /// How long Python Keystone caches credentials, in seconds; here see [cache_coherence].
        pub cache_time: Option<Duration> = None, inert = true;
    }
}

section! {
    /// Application credentials.
    pub struct ApplicationCredential in "application_credential", ours = false {
        /// Where they are kept.
        pub driver: Driver = Driver::Sql;
        /// How many a user may have; -1: any number.
        pub user_limit: Limit = Limit::NONE;
        /// Cache of Python Keystone; here see [cache_coherence].
        pub caching: bool = true, inert = true;
        /// How long Python Keystone caches them, in seconds; here see [cache_coherence].
        pub cache_time: Option<Duration> = None, inert = true;
    }
}
