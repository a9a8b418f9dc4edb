//! What `[webauthn]` has to be for browsers to take it.

use url::{Host, Url};

use super::super::resolve::Reader;
use super::super::sections::{Attestation, Config};
use super::place;

const SECTION: &str = "webauthn";

/// COSE algorithms whose signatures are verified here.
const ALGORITHMS: [i64; 2] = [-7, -257];

/// Notes what is wrong, where passkeys are enabled.
pub(super) fn check(config: &Config, reader: &mut Reader<'_>) {
    let webauthn = &config.webauthn;
    if !webauthn.enabled {
        return;
    }
    let mut wrong = |name: &str, what: String| {
        let place = place(reader, SECTION, name);
        reader.problem(place, format!("[{SECTION}] {name} {what}"));
    };
    let id = webauthn.relying_party_id.as_deref();
    match id {
        None => wrong(
            "relying_party_id",
            "is missing: set it to the domain under which browsers find this service".to_owned(),
        ),
        Some(id) if !is_domain(id) => wrong(
            "relying_party_id",
            format!("= {id}: it has to be a domain in lower case, without scheme and port"),
        ),
        Some(_) => {}
    }
    if webauthn.own_origins().next().is_none() {
        wrong(
            "origins",
            "is empty: name where browsers find this service, as https://HOST or https://HOST:PORT"
                .to_owned(),
        );
    }
    let single = webauthn.relying_party_origin.iter();
    let own = single.map(|origin| ("relying_party_origin", origin));
    let own = own.chain(webauthn.origins.iter().map(|origin| ("origins", origin)));
    for (name, origin) in own {
        match origin_of(origin.as_str()) {
            Err(why) => wrong(name, why),
            Ok(host) if id.is_some_and(|id| !is_within(&host, id)) => wrong(
                name,
                format!(
                    "= {}: its host is neither relying_party_id nor below it; an origin of another \
                     domain belongs into related_origins",
                    origin.as_str()
                ),
            ),
            Ok(_) => {}
        }
    }
    for origin in &webauthn.related_origins {
        if let Err(why) = origin_of(origin.as_str()) {
            wrong("related_origins", why);
        }
    }
    let unknown = webauthn
        .algorithms
        .iter()
        .find(|it| !ALGORITHMS.contains(it));
    match unknown {
        Some(unknown) => wrong(
            "algorithms",
            format!("names {unknown}; there are -7 (ES256) and -257 (RS256)"),
        ),
        None if webauthn.algorithms.is_empty() => {
            wrong(
                "algorithms",
                "is empty: no passkey could be made".to_owned(),
            );
        }
        None => {}
    }
    let listed = webauthn.attestation == Attestation::Listed;
    if listed == webauthn.aaguid_allow.is_empty() {
        let what = match listed {
            true => "is empty: with attestation = listed no authenticator could be registered",
            false => "is believed of nobody without attestation = listed",
        };
        wrong("aaguid_allow", what.to_owned());
    }
    match (webauthn.attestation, webauthn.attestation_roots.is_empty()) {
        (Attestation::Listed, true) => wrong(
            "attestation_roots",
            "is empty: with attestation = listed a model is believed of what these certificates attest \
             alone; name files with those of the makers of aaguid_allow, or set attestation = any"
                .to_owned(),
        ),
        (Attestation::None, false) => wrong(
            "attestation_roots",
            "is of no effect without attestation = any or listed".to_owned(),
        ),
        _ => {}
    }
    let method = webauthn.method(&config.auth);
    if !config.auth.methods.iter().any(|it| it == method.as_str()) {
        wrong(
            "enabled",
            format!(
                "= true: tokens can't say that a passkey was used; add {method} at the end of [auth] \
                 methods (webauthn, or x509 beside Python Keystone, whose list has to be the same)"
            ),
        );
    }
}

/// Whether a login counts as one of just now for as long as its token lives. Then nothing that is made of
/// a token can be kept from counting so as well ([`StepUp::end_of_made_from`]).
///
/// [`StepUp::end_of_made_from`]: crate::api::step_up::StepUp::end_of_made_from
pub(super) fn is_never_old(config: &Config) -> bool {
    let max_age = config.webauthn.enrolment_max_auth_age.as_secs();
    // What counts as old ends a second earlier than what does not, and not at once.
    config.token.expiration.as_secs() <= max_age.saturating_add(1)
}

fn is_domain(id: &str) -> bool {
    let lower = !id.bytes().any(|byte| byte.is_ascii_uppercase());
    lower && matches!(Host::parse(id), Ok(Host::Domain(domain)) if domain == id)
}

fn is_within(host: &str, id: &str) -> bool {
    host == id
        || host
            .strip_suffix(id)
            .is_some_and(|rest| rest.ends_with('.'))
}

/// The host of an origin, or why it is none that browsers use passkeys on.
fn origin_of(text: &str) -> Result<String, String> {
    let wrong = |why: &str| Err(format!("= {text}: {why}"));
    let Ok(url) = Url::parse(text) else {
        return wrong("it is no URL");
    };
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !bare || !url.username().is_empty() || url.password().is_some() {
        return wrong("an origin is scheme://host or scheme://host:port, and nothing else");
    }
    let Some(Host::Domain(host)) = url.host() else {
        return wrong("browsers use no passkeys on addresses; name a host");
    };
    let local = host == "localhost" || host.ends_with(".localhost");
    if url.scheme() != "https" && !local {
        return wrong("browsers use passkeys on https alone (and on http://localhost)");
    }
    Ok(host.to_owned())
}
