//! Who asked, and under which URL: what the connection says, or a proxy before us.
//!
//! `X-Forwarded-For`, `-Proto`, `-Host` and `-Prefix` count from the addresses in `[api_server]
//! trusted_proxies` and from nobody else: whoever could set them would choose the links that others
//! follow, and the address that the log blames. `Forwarded` (RFC 7239) never counts: many proxies
//! that set the others pass it on as the client wrote it.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{self, HeaderMap};
use actix_web::http::uri::Authority;
use actix_web::{HttpRequest, web};

use crate::config::Network;
use crate::node::Node;

const FOR: &str = "x-forwarded-for";
const PROTO: &str = "x-forwarded-proto";
const HOST: &str = "x-forwarded-host";
const PREFIX: &str = "x-forwarded-prefix";

/// The URL under which the client reached this server, without a trailing slash and without
/// `/v3`: `[DEFAULT] public_endpoint` where it is set.
pub fn base_url(request: &HttpRequest) -> String {
    let node = request.app_data::<web::Data<Node>>();
    if let Some(url) = node.and_then(|node| node.config.default.public_endpoint.as_ref()) {
        return url.as_str().trim_end_matches('/').to_owned();
    }
    called_url(request)
}

/// The same as the request itself has it, whatever the operator says.
pub fn called_url(request: &HttpRequest) -> String {
    let headers = request.headers();
    let trusted = request
        .peer_addr()
        .is_some_and(|peer| is_trusted(proxies(request), peer.ip()));
    let from_proxy = |name| if trusted { single(headers, name) } else { None };
    let scheme = match from_proxy(PROTO) {
        Some("https") => "https",
        Some(_) => "http",
        None if request.app_config().secure() => "https",
        None => "http",
    };
    let named = [
        from_proxy(HOST),
        single(headers, header::HOST.as_str()),
        // HTTP/2 has the host in the URL.
        request.uri().authority().map(Authority::as_str),
    ];
    let host = named
        .into_iter()
        .flatten()
        .find(|host| is_host(host))
        .unwrap_or("localhost");
    let host = match scheme {
        "https" => host.strip_suffix(":443"),
        _ => host.strip_suffix(":80"),
    }
    .unwrap_or(host);
    let prefix = from_proxy(PREFIX)
        .filter(|prefix| is_prefix(prefix))
        .unwrap_or("");
    format!("{scheme}://{host}{}", prefix.trim_end_matches('/'))
}

/// Who asks: the peer, or whom trusted proxies name.
pub fn client_address(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    Some(client_behind(peer, request.headers(), proxies(request)))
}

/// The last address in `X-Forwarded-For` that is no trusted proxy's: what is left of it, its own
/// author could have made up.
fn client_behind(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let mut client = peer;
    if !is_trusted(trusted, peer) {
        return client;
    }
    let lists: Vec<&str> = headers
        .get_all(FOR)
        .map(|value| value.to_str().unwrap_or(""))
        .collect();
    for named in lists.iter().rev().flat_map(|list| list.rsplit(',')) {
        let Some(address) = address(named) else {
            break;
        };
        client = address;
        if !is_trusted(trusted, address) {
            break;
        }
    }
    client
}

/// An address, perhaps with a port behind it.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .unwrap_or(text);
    let address = bare
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|with| with.ip()));
    address.ok().map(|address| address.to_canonical())
}

fn proxies(request: &HttpRequest) -> &[Network] {
    match request.app_data::<web::Data<Node>>() {
        Some(node) => &node.config.api_server.trusted_proxies,
        None => &[],
    }
}

fn is_trusted(trusted: &[Network], address: IpAddr) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

/// A header's value, if it is there once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// A host and perhaps a port, and nothing that could break out of a link or a header.
fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 261
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

fn is_prefix(prefix: &str) -> bool {
    prefix.starts_with('/')
        && !prefix.starts_with("//")
        && prefix.len() <= 255
        && prefix
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/.-_~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;
    use crate::config::{Config, Sources};

    fn networks(list: &str) -> Vec<Network> {
        let sources = Sources {
            overrides: vec![(
                ("api_server".to_owned(), "trusted_proxies".to_owned()),
                list.to_owned(),
            )],
            ..Sources::default()
        };
        let loaded = Config::load(&sources).unwrap();
        loaded.config.api_server.trusted_proxies
    }

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for list in forwarded {
            headers.append(
                HeaderName::from_static(FOR),
                HeaderValue::from_str(list).unwrap(),
            );
        }
        let trusted = networks("10.0.0.0/8,2001:db8::1");
        client_behind(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn the_client_is_the_last_address_that_no_trusted_proxy_has() {
        assert_eq!(client("10.0.0.1", &["192.0.2.7"]), "192.0.2.7");
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 192.0.2.7"]), "192.0.2.7");
        assert_eq!(client("10.0.0.1", &["192.0.2.7, 10.9.9.9"]), "192.0.2.7");
        assert_eq!(client("10.0.0.1", &["1.1.1.1", "192.0.2.7"]), "192.0.2.7");
        assert_eq!(client("10.0.0.1", &["192.0.2.7:4711"]), "192.0.2.7");
        assert_eq!(client("2001:db8::1", &["[2001:db8::7]:80"]), "2001:db8::7");
        assert_eq!(client("10.0.0.1", &["10.0.0.2"]), "10.0.0.2");
    }

    #[test]
    fn an_unreadable_address_ends_the_chain_of_belief() {
        assert_eq!(client("10.0.0.1", &["1.1.1.1, unknown"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["1.1.1.1, _x, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client("10.0.0.1", &[""]), "10.0.0.1");
    }

    #[test]
    fn what_an_untrusted_peer_says_of_others_is_nothing() {
        assert_eq!(client("192.0.2.1", &["1.1.1.1"]), "192.0.2.1");
        assert_eq!(client("192.0.2.1", &["10.0.0.1"]), "192.0.2.1");
    }
}
