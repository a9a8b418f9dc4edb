//! Passkeys: whether browsers and clients are sent to the same place, and tokens can be read by
//! whoever gets them.

use keystone_actors::checkup::{has_protocol, public_identity_urls};
use url::Url;

use super::super::db::pool;
use super::findings::Findings;
use crate::config::Config;
use crate::config::sections::TokenMethod;

const CHECK: &str = "passkeys";

/// `beside`: a Python Keystone has to read the tokens.
pub(super) async fn look(findings: &mut Findings, config: &Config, beside: bool) {
    let webauthn = &config.webauthn;
    let Some(id) = webauthn.relying_party_id.as_deref() else {
        return;
    };
    if !webauthn.enabled {
        return;
    }
    let method = webauthn.method(&config.auth);
    match beside && method == TokenMethod::Webauthn {
        true => findings.bad(
            CHECK,
            "tokens say webauthn, which Python Keystone can't read",
            "set [webauthn] token_method = x509, with x509 at the end of [auth] methods at both",
        ),
        false => findings.good(CHECK, format_args!("for {id}; tokens say {method}")),
    }
    let mut told = Vec::new();
    if let Some(url) = &config.default.public_endpoint {
        told.push(("[DEFAULT] public_endpoint", url.as_str().to_owned()));
    }
    // Where the database does not answer, that is told elsewhere.
    if let Ok(db) = pool(config) {
        let named = has_protocol(&db, method.as_str()).await;
        if named.unwrap_or_default() {
            findings.odd(
                CHECK,
                format_args!(
                    "there is a federation protocol {method}, and tokens of Python Keystone for who \
                     comes by it name the same method as those of passkeys"
                ),
                "call it otherwise: here such tokens are no logins by passkey, but Python Keystone's \
                 multi-factor rules, and whoever looks at a token's methods, take one for the other",
            );
        }
        let urls = public_identity_urls(&db).await.unwrap_or_default();
        told.extend(urls.into_iter().map(|url| ("the catalog", url)));
    }
    for (place, url) in told {
        if !is_below(&url, id) {
            findings.odd(
                CHECK,
                format_args!("{place} has {url}, and passkeys are for {id} and what is below it"),
                "pages at that address could use none: make both agree, before the first passkey is \
                 made, for a change of relying_party_id makes all useless",
            );
        }
    }
}

/// Whether a URL's host is this domain, or below it.
fn is_below(url: &str, id: &str) -> bool {
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    host == id
        || host
            .strip_suffix(id)
            .is_some_and(|rest| rest.ends_with('.'))
}
