//! How often logins may be tried: `[login_limits]`.
//!
//! What is counted is the client's address, and a user who is named, or a passkey that is shown where
//! nobody is, together with that address: so nobody who only knows a name, or a passkey's ID, keeps its
//! owner out. Known or not, whoever is named counts alike.

mod table;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use keystone_actors::ids::UserId;
use keystone_actors::webauthn::passkey_id;
use tracing::info;

use super::Outcome;
use super::request::{
    ApplicationCredential, ApplicationCredentialRef, AuthRequest, Method, UserRef,
};
use super::webauthn::claimed;
use crate::api::context::client_address;
use crate::api::error::ApiError;
use crate::config::Config;
use crate::node::Node;
use table::{Rate, Table, TooMany};

/// What a node counts of logins. Where nothing is limited it is empty.
#[derive(Default)]
pub struct LoginLimits {
    passkeys: Limits,
    /// Logins of command lines that are begun.
    devices: Limits,
    failures: Limits,
}

#[derive(Default)]
struct Limits {
    per_address: Option<Limit>,
    per_user: Option<Limit>,
    table: Option<Table>,
}

#[derive(Clone, Copy)]
struct Limit {
    rate: Rate,
    /// What it is called in metrics and log.
    name: &'static str,
}

struct Names {
    address: &'static str,
    user: &'static str,
}

/// Names of limits, as metrics have them.
pub const LIMITS: [&str; 5] = [
    PASSKEYS.address,
    PASSKEYS.user,
    DEVICES,
    FAILURES.address,
    FAILURES.user,
];
const PASSKEYS: Names = Names {
    address: "passkey_per_address",
    user: "passkey_per_user",
};
/// Of an address alone: nobody is named.
const DEVICES: &str = "device_per_address";
const FAILURES: Names = Names {
    address: "failures_per_address",
    user: "failures_per_user",
};

#[derive(Hash)]
enum Key<'a> {
    Address(IpAddr),
    User(IpAddr, &'a str),
}

/// A limit that was hit.
#[derive(Debug, PartialEq, Eq)]
struct Hit {
    limit: &'static str,
    /// After which to try again.
    seconds: u64,
}

impl LoginLimits {
    /// Those of this configuration.
    pub fn new(config: &Config) -> Self {
        let limits = &config.login_limits;
        let limit = |most, name| Limit::new(most, limits.window, name);
        let failures = Limits::new(
            limit(limits.failures_per_address, FAILURES.address),
            limit(limits.failures_per_user, FAILURES.user),
        );
        if !config.webauthn.enabled {
            return Self {
                failures,
                ..Self::default()
            };
        }
        Self {
            passkeys: Limits::new(
                limit(limits.passkey_per_address, PASSKEYS.address),
                limit(limits.passkey_per_user, PASSKEYS.user),
            ),
            devices: Limits::new(limit(limits.device_per_address, DEVICES), None),
            failures,
        }
    }
}

impl Limit {
    /// `None` for 0, which is without end.
    fn new(most: u32, window: Duration, name: &'static str) -> Option<Self> {
        let rate = Rate::new(most, window)?;
        Some(Self { rate, name })
    }
}

impl Limits {
    fn new(per_address: Option<Limit>, per_user: Option<Limit>) -> Self {
        let any = per_address.is_some() || per_user.is_some();
        Self {
            per_address,
            per_user,
            table: any.then(Table::default),
        }
    }

    fn is_on(&self) -> bool {
        self.table.is_some()
    }

    fn count(&self, client: IpAddr, user: Option<&str>, now: i64) -> Result<(), Hit> {
        self.each(client, user, |table, key, rate| table.count(key, rate, now))
    }

    fn look(&self, client: IpAddr, user: Option<&str>, now: i64) -> Result<(), Hit> {
        self.each(client, user, |table, key, rate| table.look(key, rate, now))
    }

    /// The user first: what is refused for one user takes nothing from others at the address.
    fn each(
        &self,
        client: IpAddr,
        user: Option<&str>,
        ask: impl Fn(&Table, &Key<'_>, Rate) -> Result<(), TooMany>,
    ) -> Result<(), Hit> {
        let Some(table) = &self.table else {
            return Ok(());
        };
        let client = network(client);
        let hit = |limit| {
            move |many: TooMany| Hit {
                limit,
                seconds: many.seconds,
            }
        };
        if let (Some(user), Some(limit)) = (user, self.per_user) {
            let key = Key::User(client, user);
            ask(table, &key, limit.rate).map_err(hit(limit.name))?;
        }
        if let Some(limit) = self.per_address {
            let key = Key::Address(client);
            ask(table, &key, limit.rate).map_err(hit(limit.name))?;
        }
        Ok(())
    }
}

/// What one client has: of IPv6 whole networks are given away, /64 to a site or a single host.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}

/// Counts a step of a login by passkey.
///
/// # Errors
/// 429.
pub fn step(
    node: &Node,
    http: &HttpRequest,
    user: Option<&UserRef>,
    now: i64,
) -> Result<(), ApiError> {
    count(node, http, || user.map(spelled_alike), now)
}

/// Counts the login of a command line that is begun: a step like others, and one of few, for it takes
/// one of the places that all who wait share.
///
/// # Errors
/// 429.
pub fn device(node: &Node, http: &HttpRequest, now: i64) -> Result<(), ApiError> {
    step(node, http, None, now)?;
    let limits = &node.login_limits.devices;
    let counted = limits.count(client(http), None, now);
    counted.map_err(|hit| refuse(node, http, &hit))
}

/// Counts the end of one, by the passkey where nobody is named.
///
/// # Errors
/// 429.
pub(super) fn end(
    node: &Node,
    http: &HttpRequest,
    user: Option<&UserRef>,
    credential: &[u8],
    now: i64,
) -> Result<(), ApiError> {
    let by = || match user {
        Some(user) => spelled_alike(user),
        None => format!("\0{}", passkey_id(credential)),
    };
    count(node, http, || Some(by()), now)
}

/// `by`: who is named, or what stands for that.
fn count(
    node: &Node,
    http: &HttpRequest,
    by: impl FnOnce() -> Option<String>,
    now: i64,
) -> Result<(), ApiError> {
    let limits = &node.login_limits.passkeys;
    if !limits.is_on() {
        return Ok(());
    }
    let counted = limits.count(client(http), by().as_deref(), now);
    counted.map_err(|hit| refuse(node, http, &hit))
}

/// Counts what is shown in one of the pages, but for what stands for a passkey: that counts wherever it
/// is shown.
///
/// # Errors
/// 429.
pub fn step_of(
    node: &Node,
    http: &HttpRequest,
    request: &AuthRequest,
    now: i64,
) -> Result<(), ApiError> {
    let mut methods = request.methods.iter();
    if methods.any(|method| matches!(method, Method::Webauthn(_))) {
        return Ok(());
    }
    let user = request.methods.iter().find_map(user_of);
    step(node, http, user, now)
}

/// Fails where too many logins of this kind have failed. Counts nothing.
///
/// # Errors
/// 429.
pub(super) fn before(
    node: &Node,
    http: &HttpRequest,
    request: &AuthRequest,
    now: i64,
) -> Result<(), ApiError> {
    look(node, http, || named(request), now)
}

/// As for a login, before a user's own change of the password is looked at: it tells as much of whether
/// a password is right. Counts nothing.
///
/// # Errors
/// 429.
pub fn before_change(
    node: &Node,
    http: &HttpRequest,
    user: &UserId,
    now: i64,
) -> Result<(), ApiError> {
    look(node, http, || Some(by_id(user)), now)
}

fn look(
    node: &Node,
    http: &HttpRequest,
    by: impl FnOnce() -> Option<String>,
    now: i64,
) -> Result<(), ApiError> {
    let limits = &node.login_limits.failures;
    if !limits.is_on() {
        return Ok(());
    }
    let looked = limits.look(client(http), by().as_deref(), now);
    looked.map_err(|hit| refuse(node, http, &hit))
}

/// Counts a login that has failed.
pub(super) fn after(
    node: &Node,
    http: &HttpRequest,
    request: &AuthRequest,
    outcome: &Result<Outcome, ApiError>,
    now: i64,
) {
    let failed = |error: &ApiError| error.status() == StatusCode::UNAUTHORIZED;
    if outcome.as_ref().err().is_some_and(failed) {
        failure(node, http, || named(request), now);
    }
}

/// Counts a change of the password for which the present one was not taken: with the failed logins of
/// this user by the ID.
pub fn after_refused_change(node: &Node, http: &HttpRequest, user: &UserId, now: i64) {
    failure(node, http, || Some(by_id(user)), now);
}

fn failure(node: &Node, http: &HttpRequest, by: impl FnOnce() -> Option<String>, now: i64) {
    let limits = &node.login_limits.failures;
    if limits.is_on() {
        // One that is beyond the limit was under way when others reached it.
        let _ = limits.count(client(http), by().as_deref(), now);
    }
}

fn refuse(node: &Node, http: &HttpRequest, hit: &Hit) -> ApiError {
    let Hit { limit, seconds } = *hit;
    node.metrics.logins.limited(limit);
    info!(limit, client = %client(http), "too many logins");
    ApiError::too_many(
        format!(
            "There were too many logins from your address, or of this user from it. Wait {seconds} \
             seconds, then try again."
        ),
        seconds,
    )
}

/// Without an address, one for all who have none.
fn client(http: &HttpRequest) -> IpAddr {
    client_address(http).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// Whom a method names, if somebody.
pub(super) fn user_of(method: &Method) -> Option<&UserRef> {
    match method {
        Method::Password(password) => Some(&password.user),
        Method::Totp(passcode) => Some(&passcode.user),
        Method::Webauthn(shown) => shown.user.as_ref(),
        Method::ApplicationCredential(credential) => match &credential.lookup {
            ApplicationCredentialRef::Id(_, user) => user.as_ref(),
            ApplicationCredentialRef::Name(_, user) => Some(user),
        },
        Method::Token(_) | Method::Oauth1 | Method::Other(_) => None,
    }
}

/// Whom a request names, if somebody: an application credential by its ID stands for its owner.
fn named(request: &AuthRequest) -> Option<String> {
    request.methods.iter().find_map(|method| match method {
        Method::ApplicationCredential(ApplicationCredential {
            lookup: ApplicationCredentialRef::Id(id, _),
            ..
        }) => Some(format!("\0{id}")),
        method => user_of(method).map(spelled_alike),
    })
}

/// As a login that names the user by the ID.
fn by_id(user: &UserId) -> String {
    spelled_alike(&UserRef::Id(user.to_string()))
}

/// Some databases find a name however it is written.
fn spelled_alike(user: &UserRef) -> String {
    claimed(user).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::super::request::DomainRef;
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn limits(address: u32, user: u32) -> Limits {
        let limit = |most, name| Limit::new(most, Duration::from_secs(60), name);
        Limits::new(limit(address, PASSKEYS.address), limit(user, PASSKEYS.user))
    }

    /// The limit that is hit by one more.
    fn hit(limits: &Limits, client: &str, user: Option<&str>) -> Option<&'static str> {
        let counted = limits.count(client.parse().unwrap(), user, NOW);
        counted.err().map(|hit| hit.limit)
    }

    #[test]
    fn an_address_has_its_limit_whomever_it_names() {
        let limits = limits(3, 0);
        for user in [None, Some("alice"), Some("bob")] {
            assert_eq!(hit(&limits, "192.0.2.1", user), None);
        }
        assert_eq!(
            hit(&limits, "192.0.2.1", Some("carol")),
            Some(PASSKEYS.address)
        );
        assert_eq!(hit(&limits, "192.0.2.2", Some("alice")), None);
    }

    #[test]
    fn nobody_is_locked_out_by_another_address_nor_by_another_user() {
        let limits = limits(5, 2);
        for _ in 0..2 {
            assert_eq!(hit(&limits, "192.0.2.1", Some("alice")), None);
        }
        // What is refused for alice takes nothing from the others at her address.
        for _ in 0..20 {
            assert_eq!(
                hit(&limits, "192.0.2.1", Some("alice")),
                Some(PASSKEYS.user)
            );
        }
        assert_eq!(hit(&limits, "192.0.2.2", Some("alice")), None);
        assert_eq!(hit(&limits, "192.0.2.1", Some("bob")), None);
        assert_eq!(hit(&limits, "192.0.2.1", None), None);
    }

    #[test]
    fn a_client_is_an_ipv4_address_or_an_ipv6_network_of_64_bits() {
        let limits = limits(1, 0);
        assert_eq!(hit(&limits, "2001:db8::1", None), None);
        assert_eq!(
            hit(&limits, "2001:db8::ffff:ffff:ffff:ffff", None),
            Some(PASSKEYS.address)
        );
        assert_eq!(hit(&limits, "2001:db8:0:1::1", None), None);
        assert_eq!(hit(&limits, "192.0.2.1", None), None);
        assert_eq!(hit(&limits, "192.0.2.2", None), None);
    }

    #[test]
    fn without_limits_nothing_is_kept() {
        let limits = limits(0, 0);
        assert!(!limits.is_on());
        assert_eq!(hit(&limits, "192.0.2.1", Some("alice")), None);
        let off = LoginLimits::new(&Config::default());
        assert!(!off.passkeys.is_on() && !off.devices.is_on() && !off.failures.is_on());
        let mut config = Config::default();
        config.webauthn.enabled = true;
        let on = LoginLimits::new(&config);
        assert!(on.passkeys.is_on() && on.devices.is_on() && !on.failures.is_on());
    }

    #[test]
    fn a_user_is_the_same_in_capitals() {
        let user = |name: &str| {
            spelled_alike(&UserRef::Name {
                name: name.to_owned(),
                domain: DomainRef::Id("default".to_owned()),
            })
        };
        assert_eq!(user("Alice"), user("aLICE"));
        assert_ne!(user("alice"), user("bob"));
    }
}
