//! Access rules of application credentials, at our own routes: what keystonemiddleware does for
//! every service that takes such tokens, the identity service included.

use actix_web::HttpRequest;
use actix_web::http::Method;
use chrono::Utc;
use keystone_actors::application_credential::AccessRule;
use keystone_actors::token::{Token, ValidateToken, Verdict};
use serde_json::Value;

use super::caller::token_in;
use super::error::ApiError;
use crate::node::Node;

/// The type of this service, in catalogs and rules.
const SERVICE: &str = "identity";

/// The role by which a service is known; the default of keystonemiddleware's
/// `service_token_roles`.
const SERVICE_ROLE: &str = "service";

/// Refuses a request that a token's access rules do not allow.
///
/// Allowed is what a rule says; validating a token; and a service's own request on a user's behalf
/// (`X-Service-Token`), which has to be a good token with the role `service`. (In Python Keystone any
/// text in that header lifts the rules.)
///
/// # Errors
/// 401, as for a bad token.
pub async fn enforce(node: &Node, request: &HttpRequest, token: &Token) -> Result<(), ApiError> {
    let Some(credential) = &token.application_credential else {
        return Ok(());
    };
    let path = request.path();
    let validates = *request.method() == Method::GET && path.ends_with("/v3/auth/tokens");
    if credential.access_rules.is_empty() || validates {
        return Ok(());
    }
    let rules = &credential.access_rules;
    let allowed = in_catalog(token)
        && (rules
            .iter()
            .any(|rule| allows(rule, request.method(), path))
            || by_service(node, request).await?);
    match allowed {
        true => Ok(()),
        false => Err(ApiError::unauthenticated()),
    }
}

/// Whether the token's catalog knows this service; its rules are of no use elsewhere.
fn in_catalog(token: &Token) -> bool {
    let catalog = token.catalog();
    let catalog: Option<Value> = catalog.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let services = catalog.as_ref().and_then(Value::as_array);
    services.is_some_and(|all| {
        all.iter()
            .any(|service| service.get("type").and_then(Value::as_str) == Some(SERVICE))
    })
}

async fn by_service(node: &Node, request: &HttpRequest) -> Result<bool, ApiError> {
    let Some(text) = token_in(request.headers(), "X-Service-Token") else {
        return Ok(false);
    };
    let validate = ValidateToken {
        text,
        now: Utc::now().timestamp(),
        allow_expired: false,
    };
    Ok(match node.providers.token.read(validate).await? {
        Verdict::Valid(service) => service.roles.iter().any(|role| role.name == SERVICE_ROLE),
        Verdict::Refused(_) => false,
    })
}

fn allows(rule: &AccessRule, method: &Method, path: &str) -> bool {
    rule.service.as_deref() == Some(SERVICE)
        && rule.method.as_deref() == Some(method.as_str())
        && rule
            .path
            .as_deref()
            .is_some_and(|pattern| matches(pattern, path))
}

/// A part of a pattern.
#[derive(Clone, Copy)]
enum Piece {
    /// This byte.
    Literal(u8),
    /// `*` or `{name}`: some characters, no slash among them.
    Segment,
    /// `**`: whatever there is.
    Rest,
}

/// Whether a path fits a rule's pattern. It takes time in proportion to the length of both,
/// whatever the pattern.
fn matches(pattern: &str, path: &str) -> bool {
    // The places between the path's bytes to which the pieces so far may have come.
    let mut reached = vec![false; path.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for piece in pieces(pattern) {
        let mut next = vec![false; reached.len()];
        let (mut within, mut place_before) = (false, false);
        let bytes_before = std::iter::once(None).chain(path.bytes().map(Some));
        for ((byte, place), to) in bytes_before.zip(&reached).zip(&mut next) {
            *to = match piece {
                Piece::Literal(literal) => place_before && byte == Some(literal),
                Piece::Segment => {
                    within = (within || place_before) && byte.is_some_and(|byte| byte != b'/');
                    within
                }
                Piece::Rest => {
                    within |= *place;
                    within
                }
            };
            place_before = *place;
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

fn pieces(pattern: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = pattern.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        pieces.push(match first {
            b'*' if after.first() == Some(&b'*') => {
                rest = after.get(1..).unwrap_or_default();
                Piece::Rest
            }
            b'*' => Piece::Segment,
            b'{' => match after.iter().position(|byte| *byte == b'}') {
                Some(end) => {
                    rest = after.get(end + 1..).unwrap_or_default();
                    Piece::Segment
                }
                // As in keystonemiddleware, a brace without its fellow is not there.
                None => continue,
            },
            b'}' => continue,
            byte => Piece::Literal(*byte),
        });
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_in_keystonemiddleware() {
        for (pattern, path, fits) in [
            ("/v3/users", "/v3/users", true),
            ("/v3/users", "/v3/users/", false),
            ("/v3/users/*", "/v3/users/7", true),
            ("/v3/users/*", "/v3/users/", false),
            ("/v3/users/*", "/v3/users/7/projects", false),
            ("/v3/users/{user_id}/projects", "/v3/users/7/projects", true),
            ("/v3/users/{user_id}/projects", "/v3/users//projects", false),
            ("/v3/**", "/v3/users/7/projects", true),
            ("/v3/**", "/v3/", true),
            ("/v3/**", "/v3", false),
            ("**", "", true),
            ("/v3/**/projects", "/v3/users/7/projects", true),
            ("/v3/***", "/v3/a/b", true),
            ("/v3/a.b", "/v3/axb", false),
            ("/v3/{user", "/v3/user", true),
            ("", "/", false),
        ] {
            assert_eq!(matches(pattern, path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn no_pattern_makes_it_slow() {
        // Some hundred steps for each of two hundred bytes, where backtracking would never end.
        let path = "/".repeat(200);
        assert!(!matches(&"**x".repeat(60), &path));
    }
}
