//! A request that a consumer has signed (RFC 5849 section 3), as Keystone's library takes it: with
//! its parameters in the header `Authorization`, and no memory of nonces.

use actix_web::HttpRequest;
use actix_web::http::header;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keystone_actors::oauth1::{SigningSecrets, VERIFIER};
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use crate::api::error::ApiError;
use crate::auth::signing::{decoded, encoded, is_same};

/// Bytes of the header: several times what a client needs.
const LONGEST: usize = 8192;

/// How far, in seconds, a request's time may be from ours.
const LIFETIME: u64 = 600;

const HMAC_SHA1: &str = "HMAC-SHA1";
const HMAC_SHA256: &str = "HMAC-SHA256";
const HMAC_SHA512: &str = "HMAC-SHA512";
const PLAINTEXT: &str = "PLAINTEXT";

type Param = (String, String);

/// What is wrong with the form of a request. The texts are Keystone's; none repeats what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The query has them as well.
    #[error("oauth_ params must come from only 1 signature type")]
    Scattered,
    /// One is there twice.
    #[error("Duplicate OAuth1 entries.")]
    Duplicate,
    /// One is missing, without which no request is signed.
    #[error("Missing mandatory OAuth parameters.")]
    Incomplete,
    /// Signed in another way than consumers can here. They have no RSA keys.
    #[error("Invalid signature, not in ('HMAC-SHA1', 'HMAC-SHA256', 'HMAC-SHA512', 'PLAINTEXT').")]
    Method,
    /// Neither 1.0 nor unsaid.
    #[error("Invalid OAuth version.")]
    Version,
    /// Seconds have ten digits from 2001 to 2286.
    #[error("Invalid timestamp size")]
    TimestampSize,
    /// They are no number.
    #[error("Timestamp must be an integer.")]
    Timestamp,
    /// Signed too long ago, or in the future.
    #[error("Timestamp given is invalid, differ from allowed by over {LIFETIME} seconds.")]
    OutOfTime,
    /// No consumer's ID looks so.
    #[error("Invalid client key format.")]
    Consumer,
    /// Small hexadecimal digits, Keystone asks for.
    #[error("Invalid nonce format.")]
    Nonce,
    /// No token's ID looks so.
    #[error("Invalid resource owner key format.")]
    Token,
    /// No verifier looks so.
    #[error("Invalid verifier format.")]
    Verifier,
    /// Keystone knows none.
    #[error("Invalid realm. Allowed are [].")]
    Realm,
    /// Nobody is called back, but it has to be said.
    #[error("Missing callback URI.")]
    Callback,
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        let code = match fault {
            Fault::Method => "invalid_signature_method",
            _ => "invalid_request",
        };
        Self::bad_request(format!(
            "Validation failed with errors: {code}, detail message is: {fault}."
        ))
    }
}

/// The parameters of a signed request, the signature among them.
#[derive(Debug)]
pub struct Signed {
    header: Vec<Param>,
    query: Vec<Param>,
    realm: bool,
}

impl Signed {
    /// The parameters in the header of a request, and those of its query where they are signed.
    ///
    /// # Errors
    /// 400 without such a header. Of Keystone's answers to that one is 500, the other none.
    pub fn of(request: &HttpRequest, query: &str) -> Result<Self, ApiError> {
        let header = request.headers().get(header::AUTHORIZATION);
        let header = header.and_then(|header| header.to_str().ok());
        let signed = header.and_then(|header| Self::parse(header, query));
        signed.ok_or_else(|| ApiError::expecting("OAuth parameters", "Authorization header"))
    }

    fn parse(header: &str, query: &str) -> Option<Self> {
        let mut params = parameters(header)?;
        let realm = params
            .iter()
            .any(|(name, value)| name == "realm" && !value.is_empty());
        params.retain(|(name, _)| name != "realm");
        let query = url::form_urlencoded::parse(query.as_bytes());
        Some(Self {
            header: params,
            query: query.into_owned().collect(),
            realm,
        })
    }

    /// A parameter of the header, unless it is empty.
    fn param(&self, name: &str) -> Option<&str> {
        let (_, value) = self.header.iter().find(|(known, _)| known == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// A parameter without which Keystone does not look at the others.
    ///
    /// # Errors
    /// 400 without it.
    pub fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.param(name)
            .ok_or_else(|| ApiError::expecting(name, "request"))
    }

    /// Whether it has the form that every signed request has.
    ///
    /// # Errors
    /// The first mistake, in Keystone's order.
    pub fn check(&self, now: i64) -> Result<(), Fault> {
        let is_protocols = |(name, _): &&Param| name.starts_with("oauth_");
        if self.query.iter().any(|param| is_protocols(&param)) {
            return Err(Fault::Scattered);
        }
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in self.header.iter().filter(is_protocols) {
            if names.contains(&name.as_str()) {
                return Err(Fault::Duplicate);
            }
            names.push(name);
        }
        let mandatory = |name| self.param(name).ok_or(Fault::Incomplete);
        mandatory("oauth_signature")?;
        let consumer = mandatory("oauth_consumer_key")?;
        let nonce = mandatory("oauth_nonce")?;
        let timestamp = mandatory("oauth_timestamp")?;
        match mandatory("oauth_signature_method")? {
            HMAC_SHA1 | HMAC_SHA256 | HMAC_SHA512 | PLAINTEXT => {}
            _ => return Err(Fault::Method),
        }
        let version = self.header.iter().find(|(name, _)| name == "oauth_version");
        if version.is_some_and(|(_, version)| version != "1.0") {
            return Err(Fault::Version);
        }
        if timestamp.chars().count() != 10 {
            return Err(Fault::TimestampSize);
        }
        let timestamp: u32 = timestamp.parse().map_err(|_| Fault::Timestamp)?;
        if now.abs_diff(i64::from(timestamp)) > LIFETIME {
            return Err(Fault::OutOfTime);
        }
        if !is_id(consumer) {
            return Err(Fault::Consumer);
        }
        match is_hex(nonce) {
            true => Ok(()),
            false => Err(Fault::Nonce),
        }
    }

    /// Whether it asks for a request token as Keystone wants it.
    ///
    /// # Errors
    /// The first mistake.
    pub fn check_callback(&self) -> Result<(), Fault> {
        match (self.realm, self.param("oauth_callback")) {
            (true, _) => Err(Fault::Realm),
            (false, None) => Err(Fault::Callback),
            (false, Some(_)) => Ok(()),
        }
    }

    /// Whether its token can be one.
    ///
    /// # Errors
    /// When it can't.
    pub fn check_token(&self) -> Result<(), Fault> {
        let is_token = self.param("oauth_token").is_some_and(is_id);
        is_token.then_some(()).ok_or(Fault::Token)
    }

    /// Whether its verifier can be one.
    ///
    /// # Errors
    /// When it can't.
    pub fn check_verifier(&self) -> Result<(), Fault> {
        let verifier = self.param("oauth_verifier").unwrap_or_default();
        let is_verifier = verifier.len() == 8 && verifier.chars().all(|one| VERIFIER.contains(one));
        is_verifier.then_some(()).ok_or(Fault::Verifier)
    }

    /// Whether who knows these secrets has signed it as a POST to one of these URLs (section 3.4).
    pub fn is_signed_with(&self, secrets: &SigningSecrets, urls: &[String]) -> bool {
        let given = self.param("oauth_signature").unwrap_or_default();
        let key = Zeroizing::new(format!(
            "{}&{}",
            encoded(secrets.consumer.expose_secret()),
            encoded(secrets.token.expose_secret())
        ));
        let algorithm = match self.param("oauth_signature_method") {
            Some(HMAC_SHA1) => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Some(HMAC_SHA256) => hmac::HMAC_SHA256,
            Some(HMAC_SHA512) => hmac::HMAC_SHA512,
            Some(PLAINTEXT) => return is_same(given, &key),
            _ => return false,
        };
        let key = hmac::Key::new(algorithm, key.as_bytes());
        urls.iter().any(|url| {
            let signature = hmac::sign(&key, self.base_string(url).as_bytes());
            is_same(given, &STANDARD.encode(signature))
        })
    }

    /// What is signed (section 3.4.1). The body is JSON or empty, so that it isn't.
    fn base_string(&self, url: &str) -> String {
        let params = self.header.iter().chain(&self.query);
        let mut params: Vec<_> = params
            .filter(|(name, _)| name != "oauth_signature")
            .map(|(name, value)| (encoded(name), encoded(value)))
            .collect();
        params.sort_unstable();
        let pairs: Vec<String> = params
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!("POST&{}&{}", encoded(url), encoded(&pairs.join("&")))
    }
}

/// The parameters of a header (section 3.5.1).
fn parameters(header: &str) -> Option<Vec<Param>> {
    let (scheme, list) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("OAuth") || header.len() > LONGEST {
        return None;
    }
    let (mut quoted, mut escaped) = (false, false);
    let parts = list.split(|character| {
        let ends = character == ',' && !quoted;
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ => {}
        }
        ends
    });
    let parts = parts.map(str::trim).filter(|part| !part.is_empty());
    let param = |part: &str| {
        let (name, value) = part.split_once('=')?;
        let value = value.trim();
        let bare = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'));
        Some((decoded(name.trim()), decoded(bare.unwrap_or(value))))
    };
    parts.map(param).collect()
}

fn is_hex(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_id(text: &str) -> bool {
    text.len() == 32 && is_hex(text)
}

#[cfg(test)]
#[path = "signed_tests.rs"]
mod tests;
