//! What stands in a JWS token: its header, and the claims of Python Keystone.

use std::collections::HashSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::audit::AuditIds;
use super::format::{OpenError, Opened};
use super::jws_keys::JwsAlgorithm;
use super::methods::Methods;
use super::payload::{FederationRef, Payload, PayloadScope};
use super::payload_wire::whole_seconds;

/// The algorithm that a header names, once it is known to ask for nothing else.
pub(super) fn algorithm_of(header: &[u8]) -> Result<JwsAlgorithm, OpenError> {
    const BAD: OpenError = OpenError::NotFound("its header is malformed");
    let _: NoDuplicates = serde_json::from_slice(header).map_err(|_| BAD)?;
    let header: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(header).map_err(|_| BAD)?;

    // Keys from the token, and changes to how it is read.
    for refused in ["jku", "jwk", "x5u", "x5c", "crit", "b64", "zip"] {
        if header.contains_key(refused) {
            return Err(OpenError::NotFound("its header has a refused parameter"));
        }
    }
    match header.get("typ") {
        None => {}
        Some(typ) if typ == "JWT" => {}
        Some(_) => return Err(OpenError::NotFound("its type is not JWT")),
    }
    header
        .get("alg")
        .and_then(|alg| alg.as_str())
        .and_then(|alg| alg.parse().ok())
        .ok_or(OpenError::NotFound("its algorithm is not accepted"))
}

/// The claims as written, in Python Keystone's order; none that is null.
#[derive(serde::Serialize)]
pub(super) struct Claims<'a> {
    sub: &'a str,
    iat: i64,
    exp: i64,
    openstack_methods: &'a Methods,
    openstack_audit_ids: &'a AuditIds,
    #[serde(skip_serializing_if = "Option::is_none")]
    openstack_system: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    openstack_domain_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    openstack_project_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    openstack_trust_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    openstack_group_ids: Option<Vec<Group<&'a str>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    openstack_idp_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    openstack_protocol_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    openstack_access_token_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    openstack_app_cred_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    openstack_thumbprint: Option<&'a str>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Group<S> {
    id: S,
}

impl<'a> Claims<'a> {
    /// Those of a token that says `payload`.
    pub(super) fn of(payload: &'a Payload, issued_at: i64) -> Self {
        let (system, domain, project) = match &payload.scope {
            PayloadScope::Unscoped => (None, None, None),
            PayloadScope::System => (Some("all"), None, None),
            PayloadScope::Domain(id) => (None, Some(id.as_str()), None),
            PayloadScope::Project(id) => {
                (None, payload.oauth2_domain_id.as_deref(), Some(id.as_str()))
            }
        };
        let federation = payload.federation.as_ref();
        Self {
            sub: &payload.user_id,
            iat: issued_at,
            exp: payload.expires_at,
            openstack_methods: &payload.methods,
            openstack_audit_ids: &payload.audit_ids,
            openstack_system: system,
            openstack_domain_id: domain,
            openstack_project_id: project,
            openstack_trust_id: payload.trust_id.as_deref(),
            openstack_group_ids: federation.map(|f| {
                f.group_ids
                    .iter()
                    .map(|id| Group { id: id.as_str() })
                    .collect()
            }),
            openstack_idp_id: federation.map(|f| f.idp_id.as_str()),
            openstack_protocol_id: federation.map(|f| f.protocol_id.as_str()),
            openstack_access_token_id: payload.access_token_id.as_deref(),
            openstack_app_cred_id: payload.app_cred_id.as_deref(),
            openstack_thumbprint: payload.thumbprint.as_deref(),
        }
    }
}

/// The claims as read. What is not here may stand there too.
#[derive(serde::Deserialize)]
struct ReadClaims {
    sub: String,
    iat: serde_json::Number,
    exp: serde_json::Number,
    nbf: Option<serde_json::Number>,
    aud: Option<de::IgnoredAny>,
    openstack_methods: Vec<String>,
    openstack_audit_ids: Vec<String>,
    openstack_system: Option<String>,
    openstack_domain_id: Option<String>,
    openstack_project_id: Option<String>,
    openstack_trust_id: Option<String>,
    openstack_group_ids: Option<Vec<Group<String>>>,
    openstack_idp_id: Option<String>,
    openstack_protocol_id: Option<String>,
    openstack_access_token_id: Option<String>,
    openstack_app_cred_id: Option<String>,
    openstack_thumbprint: Option<String>,
}

/// Reads the claims of a token whose signature was found good.
pub(super) fn read_claims(claims: &[u8], now: i64, skew: i64) -> Result<Opened, OpenError> {
    const BAD: OpenError = OpenError::NotFound("its claims are malformed");
    const TIME: OpenError = OpenError::NotFound("a time in it is malformed");
    let _: NoDuplicates = serde_json::from_slice(claims)
        .map_err(|_| OpenError::NotFound("a claim of it stands twice, or it is no JSON"))?;
    let claims: ReadClaims = serde_json::from_slice(claims).map_err(|_| BAD)?;

    if claims.aud.is_some() {
        return Err(OpenError::NotFound("it is meant for somebody else"));
    }
    let issued_at = seconds(&claims.iat).ok_or(TIME)?;
    let not_before = match &claims.nbf {
        Some(time) => seconds(time).ok_or(TIME)?,
        None => issued_at,
    };
    if issued_at.max(not_before) > now.saturating_add(skew) {
        return Err(OpenError::NotFound("it is not valid yet"));
    }

    let audit_ids = match claims.openstack_audit_ids.as_slice() {
        [own] => AuditIds {
            own: own.parse().map_err(|_| BAD)?,
            root: None,
        },
        [own, root] => AuditIds {
            own: own.parse().map_err(|_| BAD)?,
            root: Some(root.parse().map_err(|_| BAD)?),
        },
        _ => return Err(BAD),
    };
    let federation = match (
        claims.openstack_group_ids,
        claims.openstack_idp_id,
        claims.openstack_protocol_id,
    ) {
        (None, None, None) => None,
        (groups, Some(idp_id), Some(protocol_id)) => Some(FederationRef {
            group_ids: groups.into_iter().flatten().map(|g| g.id).collect(),
            idp_id,
            protocol_id,
        }),
        _ => return Err(BAD),
    };
    let mut oauth2_domain_id = None;
    let scope = match (
        claims.openstack_system,
        claims.openstack_project_id,
        claims.openstack_domain_id,
    ) {
        (None, None, None) => PayloadScope::Unscoped,
        (Some(system), None, None) if system == "all" => PayloadScope::System,
        (None, None, Some(domain)) => PayloadScope::Domain(domain),
        (None, Some(project), domain)
            if domain.is_none() || claims.openstack_thumbprint.is_some() =>
        {
            oauth2_domain_id = domain;
            PayloadScope::Project(project)
        }
        _ => return Err(OpenError::NotFound("it has two scopes")),
    };
    let payload = Payload {
        user_id: claims.sub,
        // Also those that are not configured here: Python shows them as they are.
        methods: claims.openstack_methods.into_iter().collect(),
        scope,
        expires_at: seconds(&claims.exp).ok_or(TIME)?,
        audit_ids,
        federation,
        trust_id: claims.openstack_trust_id,
        access_token_id: claims.openstack_access_token_id,
        app_cred_id: claims.openstack_app_cred_id,
        thumbprint: claims.openstack_thumbprint,
        oauth2_domain_id,
    };
    Ok(Opened { payload, issued_at })
}

/// A NumericDate of RFC 7519, its fraction cut off.
fn seconds(time: &serde_json::Number) -> Option<i64> {
    // Beyond 2^53 the float is not exact, but far out of range as well.
    time.as_f64().and_then(whole_seconds)
}

/// JSON in which no object has a name twice, at any depth. Parsers differ in which of the two they
/// take, so a token could say one thing here and another there.
struct NoDuplicates;

impl<'de> Deserialize<'de> for NoDuplicates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Walk)
    }
}

struct Walk;

impl<'de> Visitor<'de> for Walk {
    type Value = NoDuplicates;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without repeated names")
    }

    fn visit_bool<E>(self, _: bool) -> Result<NoDuplicates, E> {
        Ok(NoDuplicates)
    }

    fn visit_i64<E>(self, _: i64) -> Result<NoDuplicates, E> {
        Ok(NoDuplicates)
    }

    fn visit_u64<E>(self, _: u64) -> Result<NoDuplicates, E> {
        Ok(NoDuplicates)
    }

    fn visit_f64<E>(self, _: f64) -> Result<NoDuplicates, E> {
        Ok(NoDuplicates)
    }

    fn visit_str<E>(self, _: &str) -> Result<NoDuplicates, E> {
        Ok(NoDuplicates)
    }

    fn visit_unit<E>(self) -> Result<NoDuplicates, E> {
        Ok(NoDuplicates)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<NoDuplicates, A::Error> {
        while let Some(NoDuplicates) = items.next_element()? {}
        Ok(NoDuplicates)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<NoDuplicates, A::Error> {
        let mut names = HashSet::new();
        while let Some((name, NoDuplicates)) = members.next_entry::<String, NoDuplicates>()? {
            if !names.insert(name) {
                return Err(de::Error::custom("a name stands twice"));
            }
        }
        Ok(NoDuplicates)
    }
}
