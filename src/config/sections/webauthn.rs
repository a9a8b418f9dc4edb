//! Passkeys.

use std::path::PathBuf;
use std::time::Duration;

use uuid::Uuid;

use super::super::options::{Kind, OptionMeta, Refused, Value, choices, section};
use super::super::values::{Item, Uri};
use super::Auth;
use crate::policy::{self, Rule};

choices! {
    /// How much something is wanted of an authenticator (W3C WebAuthn).
    pub enum Requirement {
        /// Not without it.
        Required = "required",
        /// Rather with it.
        Preferred = "preferred",
        /// Rather without it.
        Discouraged = "discouraged",
    }
}

choices! {
    /// What an authenticator has to say of its make.
    pub enum Attestation {
        /// Nothing.
        None = "none",
        /// A statement that verifies; by whatever maker, unless there are attestation_roots.
        Any = "any",
        /// The same by one of attestation_roots, of a model that is listed.
        Listed = "listed",
    }
}

choices! {
    /// What becomes of a passkey whose counter goes back, as that of a copy does.
    pub enum CounterRegression {
        /// The login is refused, and the passkey shown as suspect.
        Refuse = "refuse",
        /// The passkey is disabled besides.
        Disable = "disable",
    }
}

choices! {
    /// What becomes of a passkey that was copied to other devices since the login before, or is on one
    /// alone again.
    pub enum BackupChange {
        /// Nothing.
        Ignore = "ignore",
        /// Auditors are told.
        Record = "record",
        /// The passkey is shown as suspect besides.
        Suspect = "suspect",
        /// The passkey is disabled instead, and the login refused.
        Disable = "disable",
    }
}

choices! {
    /// The name that passkeys have among the methods of a token.
    pub enum TokenMethod {
        /// Their own.
        Webauthn = "webauthn",
        /// One that Python Keystone can read.
        X509 = "x509",
    }
}

impl Item for Uuid {}

impl Value for Uuid {
    const KIND: Kind = Kind::Text;

    fn read(text: &str, _: &OptionMeta) -> Result<Self, Refused> {
        let shown: String = text.chars().take(40).collect();
        Self::parse_str(text).map_err(|_| Refused::Because(format!("{shown:?} is no UUID")))
    }

    fn render(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Item for PathBuf {}
impl Item for Rule {}

impl Value for Rule {
    const KIND: Kind = Kind::Text;

    fn read(text: &str, _: &OptionMeta) -> Result<Self, Refused> {
        let shown: String = text.chars().take(80).collect();
        let rule = Self::named(text).filter(|rule| !policy::operations(*rule).is_empty());
        let unknown = || {
            Refused::Because(format!(
                "{shown:?} is no rule of an operation; `keystone-ng policy generate` prints them all"
            ))
        };
        rule.ok_or_else(unknown)
    }

    fn render(&self) -> Option<String> {
        Some(self.name().to_owned())
    }
}

section! {
    /// Passkeys (W3C WebAuthn): login and second factor without anything that can be phished.
    pub struct Webauthn in "webauthn", ours = true {
        /// Serve passkeys. Without it their paths are 404.
        pub enabled: bool = false;
        /// The domain that passkeys are good for: that of the origins, or one above it. Changed, it
        /// makes all passkeys useless.
        pub relying_party_id: Option<String> = None;
        /// What browsers call this service. Unset: relying_party_id.
        pub relying_party_name: Option<String> = None;
        /// Where browsers find this service, as scheme://host:port. It stands before those of
        /// origins.
        pub relying_party_origin: Option<Uri> = None;
        /// The same, where there are several: the host of each is relying_party_id, or below it.
        pub origins: Vec<Uri> = Vec::new();
        /// Origins of other domains whose pages may use these passkeys, too; told at
        /// /.well-known/webauthn.
        pub related_origins: Vec<Uri> = Vec::new();
        /// How long a registration or a login that was begun can be finished, in seconds.
        pub challenge_ttl: Duration = Duration::from_secs(300), min = Some(10.0), max = Some(3600.0);
        /// How long browsers wait for the user, in milliseconds.
        pub timeout_ms: u32 = 300_000, min = Some(1000.0), max = Some(3_600_000.0);
        /// Signature algorithms of new passkeys, the preferred one first: -7 (ES256), -257 (RS256).
        pub algorithms: Vec<i64> = vec![-7, -257];
        /// Whether authenticators have to look who uses them (PIN, fingerprint).
        pub user_verification: Requirement = Requirement::Required;
        /// Whether new passkeys can be found without the user's name.
        pub resident_key: Requirement = Requirement::Preferred;
        /// What new authenticators have to say of their make.
        pub attestation: Attestation = Attestation::None;
        /// Models (AAGUID) of authenticators that may be registered, with attestation = listed.
        pub aaguid_allow: Vec<Uuid> = Vec::new();
        /// Models that may not; without attestation, by what the client says.
        pub aaguid_deny: Vec<Uuid> = Vec::new();
        /// Certificates (PEM) of the authorities of the makers: files, or folders of .pem and .crt files.
        /// Where there are any, the certificates in a statement have to end in one of them; with
        /// attestation = listed there have to be some.
        pub attestation_roots: Vec<PathBuf> = Vec::new();
        /// Refuse passkeys that can be copied to other devices, as those of password managers.
        pub hardware_bound_only: bool = false;
        /// How many passkeys a user can have.
        pub max_credentials_per_user: usize = 20, min = Some(1.0), max = Some(1000.0);
        /// How long after a login passkeys can be registered, enabled, disabled and deleted with its token,
        /// recovery codes made, and what step_up_policies names be done, in seconds.
        pub enrolment_max_auth_age: Duration = Duration::from_secs(600), max = Some(86_400.0);
        /// Policy rules of operations that ask for another login: one of the last enrolment_max_auth_age
        /// seconds, and by passkey where the user has one. Any can be named, such as
        /// identity:delete_user; and, so that with a password alone nobody changes the own passkeys who
        /// has some, identity:v4_passkey_register,identity:v4_passkey_update,identity:v4_passkey_delete;
        /// for those of others as well identity:v4_passkey_invite,identity:v4_passkey_reset.
        pub step_up_policies: Vec<Rule> = Vec::new();
        /// What is done when a passkey's counter goes back.
        pub on_counter_regression: CounterRegression = CounterRegression::Refuse;
        /// What is done when a passkey's backup state changes: it was copied to other devices since the
        /// login before, as password managers do, or is on one alone again. record tells auditors,
        /// suspect marks it besides, disable refuses the login, too.
        pub on_backup_change: BackupChange = BackupChange::Record;
        /// What passkeys are called among the methods of a token; it has to be in [auth] methods.
        /// Unset: webauthn if that is there, else x509. Python Keystone can't read tokens with
        /// webauthn: beside it, add x509 to both lists, at the same place.
        pub token_method: Option<TokenMethod> = None;
        /// A passkey that looked who uses it is as good as the several methods that a user's
        /// multi-factor rules ask for.
        pub mfa_equivalent: bool = true;
        /// How long a link works by which a user registers a passkey, in seconds.
        pub invitation_ttl: Duration = Duration::from_secs(86_400), min = Some(60.0), max = Some(2_592_000.0);
        /// How long a command line waits for a login in the browser, in seconds.
        pub device_ttl: Duration = Duration::from_secs(600), min = Some(30.0), max = Some(3600.0);
    }
}

impl Webauthn {
    /// The origins of this service, the one for links first.
    pub fn own_origins(&self) -> impl Iterator<Item = &Uri> {
        self.relying_party_origin.iter().chain(&self.origins)
    }

    /// What passkeys are called among the methods of a token.
    pub fn method(&self, auth: &Auth) -> TokenMethod {
        let listed = |method: TokenMethod| auth.methods.iter().any(|it| it == method.as_str());
        self.token_method
            .unwrap_or_else(|| match listed(TokenMethod::Webauthn) {
                true => TokenMethod::Webauthn,
                false => TokenMethod::X509,
            })
    }
}
