//! Python Keystone beside us: whether it is there, and what one makes is good at the other.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use actix_web::http::StatusCode;
use actix_web::http::header::{DATE, HttpDate};
use awc::{Client, Connector};
use keystone_actors::checkup::some_user;
use keystone_actors::token::{
    AuditIds, FernetTokens, LiveKeys, MethodTable, Methods, Payload, TokenFormat,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::super::db::pool;
use super::findings::Findings;
use crate::config::Config;
use crate::config::sections::TokenProvider;
use crate::node::repository;
use crate::outbound::client_config;

const CHECK: &str = "peer";
/// How long it may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that is read of an answer, in bytes: a body without its catalog is short.
const ANSWER: usize = 1024 * 1024;
/// For how long the tokens that are made here are good, in seconds.
const LIFE: i64 = 60;
/// `Date` has whole seconds, and an answer takes some time.
const CLOSE: f64 = 2.0;
/// What to do about authorities that can't be used.
const CACERT: &str = "name a PEM file of the authorities of its certificate with --peer-cacert";
/// What to do where nothing answers.
const UNREACHED: &str = "see whether it runs, and whether this machine may reach it";
/// The same over TLS.
const UNREACHED_BY_TLS: &str = "see whether it runs, and whether this machine may reach it; if the \
                                authority of its certificate is none of the system's, name it with \
                                --peer-cacert";

/// Where the peer is, and how it is asked.
struct Peer {
    base: String,
    client: Client,
}

pub(super) async fn look(
    findings: &mut Findings,
    config: &Config,
    url: &Url,
    authorities: Option<&Path>,
) {
    let peer = match Peer::at(url, authorities) {
        Ok(peer) => peer,
        Err((why, advice)) => return findings.bad(CHECK, why, advice),
    };
    if !peer.version(findings, config).await {
        return;
    }
    if config.api_server.trusted_proxies.is_empty() {
        findings.odd(
            "proxies",
            "what is before both servers is not trusted, so all clients seem to be one",
            "name the addresses of HAProxy, or of Python Keystone's server with the WSGI filter, in \
             [api_server] trusted_proxies",
        );
    }
    if !config.cache_coherence.foreign_writers {
        findings.bad(
            "foreign writers",
            "[cache_coherence] foreign_writers is false, and Python Keystone writes to the database",
            "take the option out: what is revoked or changed there would not be seen here",
        );
    }
    // JWS has the names of methods in its tokens, and public keys for both sides.
    if config.token.provider == TokenProvider::Fernet {
        tokens(findings, config, &peer).await;
    }
}

impl Peer {
    /// Or why it can't be asked, and what to do.
    fn at(url: &Url, authorities: Option<&Path>) -> Result<Self, (String, &'static str)> {
        let mut connector = Connector::new().timeout(PATIENCE);
        match url.scheme() {
            "http" => {}
            "https" => {
                let tls = client_config(authorities);
                let tls = tls.map_err(|error| (error.to_string(), CACERT))?;
                connector = connector.rustls_0_23(Arc::new(tls));
            }
            other => {
                let why = format!("{other} is no scheme that it could be asked by");
                return Err((why, "give --peer a URL of http or https"));
            }
        }
        let base = url.as_str().trim_end_matches('/');
        Ok(Self {
            base: base.strip_suffix("/v3").unwrap_or(base).to_owned(),
            client: Client::builder()
                .connector(connector)
                .timeout(PATIENCE)
                .disable_redirects()
                .finish(),
        })
    }

    /// Whether it is a Keystone, and has the time that we have.
    async fn version(&self, findings: &mut Findings, config: &Config) -> bool {
        let url = format!("{}/v3", self.base);
        let before = SystemTime::now();
        let mut answer = match self.client.get(&url).send().await {
            Ok(answer) => answer,
            Err(error) => {
                findings.bad(
                    CHECK,
                    format_args!("no answer of {url}: {error}"),
                    match url.starts_with("https:") {
                        true => UNREACHED_BY_TLS,
                        false => UNREACHED,
                    },
                );
                return false;
            }
        };
        let date = answer.headers().get(DATE).and_then(|date| {
            let date: HttpDate = date.to_str().ok()?.parse().ok()?;
            Some(SystemTime::from(date))
        });
        let body: Value = answer.json().limit(ANSWER).await.unwrap_or_default();
        let version = body.pointer("/version/id").and_then(Value::as_str);
        let Some(version) = version.filter(|id| id.starts_with("v3")) else {
            findings.bad(
                CHECK,
                format_args!("{url} answers {}, and not as Keystone", answer.status()),
                "give --peer the URL to which /v3 is added",
            );
            return false;
        };
        findings.good(CHECK, format_args!("{url} answers, {version}"));
        if let Some(date) = date {
            let ahead = date
                .duration_since(before)
                .map_or_else(|e| -e.duration().as_secs_f64(), |d| d.as_secs_f64());
            clocks(findings, config, ahead);
        }
        true
    }

    /// What it says of a token, asked with the token itself: which methods it sees, or its status.
    async fn methods_of(&self, token: &str) -> Result<Vec<String>, String> {
        let url = format!("{}/v3/auth/tokens?nocatalog", self.base);
        let request = self.client.get(&url);
        let request = request.insert_header(("X-Auth-Token", token));
        let asked = request.insert_header(("X-Subject-Token", token)).send();
        let mut answer = asked.await.map_err(|error| error.to_string())?;
        if answer.status() != StatusCode::OK {
            return Err(answer.status().to_string());
        }
        let body = answer.json::<Value>().limit(ANSWER).await;
        let body = body.map_err(|error| error.to_string())?;
        let methods = body.pointer("/token/methods").and_then(Value::as_array);
        let names = methods.into_iter().flatten();
        Ok(names.filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// Logs in at it.
    async fn login(
        &self,
        name: &str,
        domain: Value,
        password: &SecretString,
    ) -> Result<SecretString, String> {
        let user = json!({"name": name, "domain": domain, "password": password.expose_secret()});
        let identity = json!({"methods": ["password"], "password": {"user": user}});
        let url = format!("{}/v3/auth/tokens", self.base);
        let body = json!({"auth": {"identity": identity, "scope": "unscoped"}});
        let sent = self.client.post(&url).send_json(&body).await;
        let answer = sent.map_err(|error| error.to_string())?;
        let token = answer.headers().get("X-Subject-Token");
        match token.and_then(|token| token.to_str().ok()) {
            Some(token) if answer.status() == StatusCode::CREATED => Ok(token.to_owned().into()),
            _ => Err(answer.status().to_string()),
        }
    }

    /// Ends a token. That it can't is of no consequence: it ends by itself.
    async fn forget(&self, token: &SecretString) {
        let token = token.expose_secret();
        let request = self.client.delete(format!("{}/v3/auth/tokens", self.base));
        let request = request.insert_header(("X-Auth-Token", token));
        let _ = request
            .insert_header(("X-Subject-Token", token))
            .send()
            .await;
    }
}

fn clocks(findings: &mut Findings, config: &Config, ahead: f64) {
    const CHECK: &str = "peer's clock";
    let said = format!("it is {:.0} s from this machine's", ahead.abs());
    let advice = "let a time service (chrony, systemd-timesyncd) keep both clocks";
    if ahead.abs() <= CLOSE {
        findings.good(CHECK, "as this machine's");
    } else if ahead.abs() <= config.token_ng.max_clock_skew.as_secs_f64() {
        findings.odd(CHECK, said, advice);
    } else {
        findings.bad(
            CHECK,
            format_args!("{said}, more than [token_ng] max_clock_skew"),
            advice,
        );
    }
}

async fn tokens(findings: &mut Findings, config: &Config, peer: &Peer) {
    let fernet = &config.fernet_tokens;
    let keys = LiveKeys::load(repository(&fernet.key_repository, fernet.max_active_keys));
    let table = MethodTable::new(config.auth.methods.as_slice());
    // Where either is wrong, that is told elsewhere.
    let (Ok(keys), Ok(table)) = (keys, table) else {
        return;
    };
    let table = Arc::new(table);
    let skew = i64::try_from(config.token_ng.max_clock_skew.as_secs()).unwrap_or(i64::MAX);
    let format = TokenFormat::Fernet(FernetTokens::new(keys, Arc::clone(&table), skew));
    made_here(findings, config, peer, &format, &table).await;
    made_there(findings, peer, &format).await;
}

/// Methods by which tokens say all that there is to say: those of others name what they were made from.
const PLAIN: [&str; 4] = ["password", "token", "totp", "x509"];

/// Asks the peer about a token of each plain method that we know: it takes them if it has our primary
/// key and our database, and says the same methods if it has our list of them.
async fn made_here(
    findings: &mut Findings,
    config: &Config,
    peer: &Peer,
    format: &TokenFormat,
    table: &MethodTable,
) {
    const CHECK: &str = "our tokens at the peer";
    let user = match pool(config) {
        Ok(db) => some_user(&db).await.ok().flatten(),
        Err(_) => None,
    };
    let Some(user) = user else {
        return findings.odd(
            CHECK,
            "there is no user for whom one could be made",
            "run bootstrap, of either",
        );
    };
    let (mut wrong, mut taken) = (Vec::new(), false);
    let plain = table.names().filter(|name| PLAIN.contains(name));
    for method in plain {
        let now = now();
        let mut methods = Methods::default();
        methods.insert(method);
        let payload = Payload::new(user.clone(), methods, now + LIFE, AuditIds::fresh());
        let token = match format.seal(&payload, now) {
            Ok(token) => SecretString::from(token),
            Err(error) => return findings.bad(CHECK, error, "look at the token keys"),
        };
        match peer.methods_of(token.expose_secret()).await {
            Ok(seen) if seen == [method] => taken = true,
            Ok(seen) => wrong.push(format!("{method} is {} there", or_nothing(&seen))),
            // Keys and database are the same, then; a method that it does not know is refused.
            Err(why) if taken => wrong.push(format!("{method} is refused there ({why})")),
            Err(why) => {
                return findings.bad(
                    CHECK,
                    format_args!("it does not take one ({why})"),
                    "give both the same database and the same files in [fernet_tokens] \
                     key_repository, and see its log; tokens of other providers are no good here",
                );
            }
        }
    }
    match wrong.is_empty() {
        true => findings.good(CHECK, "good, and it sees the same methods in them"),
        false => findings.bad(
            CHECK,
            wrong.join(", "),
            "make [auth] methods at both the same, in the same order, and restart both",
        ),
    }
}

/// Whether we can read a token that the peer has made, for who is in the environment.
async fn made_there(findings: &mut Findings, peer: &Peer, format: &TokenFormat) {
    const CHECK: &str = "the peer's tokens here";
    let said = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (Some(name), Some(password)) = (said("OS_USERNAME"), said("OS_PASSWORD")) else {
        return;
    };
    let domain = match (said("OS_USER_DOMAIN_ID"), said("OS_USER_DOMAIN_NAME")) {
        (Some(id), _) => json!({ "id": id }),
        (None, Some(name)) => json!({ "name": name }),
        (None, None) => json!({"id": "default"}),
    };
    let password = SecretString::from(password);
    let token = match peer.login(&name, domain, &password).await {
        Ok(token) => token,
        Err(why) => {
            return findings.odd(
                CHECK,
                format_args!("it does not log in {name} ({why})"),
                "look at OS_USERNAME, OS_PASSWORD and OS_USER_DOMAIN_ID",
            );
        }
    };
    match format.open(token.expose_secret(), now()) {
        Ok(opened) if opened.payload.methods.contains("password") => {
            findings.good(CHECK, "good");
        }
        Ok(opened) => findings.bad(
            CHECK,
            format_args!(
                "one made with a password is read as {}",
                or_nothing(&opened.payload.methods.iter().collect::<Vec<_>>())
            ),
            "make [auth] methods at both the same, in the same order",
        ),
        Err(error) => findings.bad(
            CHECK,
            error,
            "copy the key repository of the node that rotated last to all others",
        ),
    }
    peer.forget(&token).await;
}

fn or_nothing(names: &[impl AsRef<str>]) -> String {
    match names {
        [] => "nothing".to_owned(),
        names => {
            let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
            names.join("+")
        }
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    keystone_actors::db::micros_since_epoch() / 1_000_000
}
