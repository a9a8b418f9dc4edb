//! Requests to EC2: the service shows the request, and the signature is computed from it. What is
//! computed is what Keystone's client library computes, in each of AWS's versions.

use std::collections::{BTreeMap, HashMap};

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::time;
use super::{Fault, Shown, text};
use crate::auth::signing::{encoded, is_same};

const VERSION_4: &str = "AWS4-HMAC-SHA256";

/// Versions of AWS's signatures.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    V0,
    V1,
    V2,
    V4,
}

/// A request, as the service shows it.
struct Request<'a> {
    shown: &'a Shown,
    params: &'a Shown,
    /// Some clients sign the host without its port.
    host: Option<&'a str>,
}

/// Whether the key of this secret has signed the request, and lately.
pub(super) fn verify(
    shown: &Shown,
    secret: &SecretString,
    now: i64,
    ttl: i64,
) -> Result<(), Fault> {
    let empty = Shown::new();
    let params = shown.get("params").and_then(Value::as_object);
    let host = shown.get("host").and_then(Value::as_str);
    let mut request = Request {
        shown,
        params: params.unwrap_or(&empty),
        host,
    };
    let given = text(shown, "signature")?;
    let mut good = is_same(given, &request.signature(secret)?);
    let alone = host.and_then(without_port);
    if let (false, Some(alone)) = (good, &alone) {
        request.host = Some(alone);
        good = is_same(given, &request.signature(secret)?);
    }
    if !good {
        return Err(Fault::Mismatch);
    }
    request.check_time(now, ttl)
}

/// `host` of `host:port`, in small letters; `None` where there is no port.
fn without_port(host: &str) -> Option<String> {
    let (name, port) = host.rsplit_once(':')?;
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
    let name = name.trim_start_matches('[').trim_end_matches(']');
    is_port.then(|| name.to_ascii_lowercase())
}

impl Request<'_> {
    fn param(&self, name: &'static str) -> Result<&str, Fault> {
        text(self.params, name)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.shown.get("headers")?.get(name)?.as_str()
    }

    fn version(&self) -> Result<Version, Fault> {
        let is_version_4 = match self.header("Authorization") {
            Some(header) => header.starts_with(VERSION_4),
            None => self.param("X-Amz-Algorithm") == Ok(VERSION_4),
        };
        match self.params.get("SignatureVersion").and_then(Value::as_str) {
            Some("0") => Ok(Version::V0),
            Some("1") => Ok(Version::V1),
            Some("2") => Ok(Version::V2),
            _ if is_version_4 => Ok(Version::V4),
            _ => Err(Fault::UnknownForm),
        }
    }

    fn signature(&self, secret: &SecretString) -> Result<String, Fault> {
        match self.version()? {
            Version::V0 => self.version_0(secret),
            Version::V1 => Ok(self.version_1(secret)),
            Version::V2 => self.version_2(secret),
            Version::V4 => self.version_4(secret),
        }
    }

    /// What was signed tells when. Of version 4 that is its date; before it a parameter, or else
    /// the end that the client has set.
    fn check_time(&self, now: i64, ttl: i64) -> Result<(), Fault> {
        if self.version()? == Version::V4 {
            return time::check_signed_at(self.date()?, now, ttl);
        }
        match (self.param("Timestamp"), self.param("Expires")) {
            (Ok(at), _) => time::check_signed_at(at, now, ttl),
            (Err(_), Ok(end)) => time::check_expires(end, now),
            _ => Err(Fault::Timeless),
        }
    }

    fn version_0(&self, secret: &SecretString) -> Result<String, Fault> {
        let signed = [self.param("Action")?, self.param("Timestamp")?].concat();
        Ok(sha1(secret, signed.as_bytes()))
    }

    fn version_1(&self, secret: &SecretString) -> String {
        let mut params: Vec<_> = self.params.iter().collect();
        params.sort_by_key(|(name, _)| name.to_lowercase());
        let pairs = params
            .into_iter()
            .map(|(name, value)| format!("{name}{}", python_text(value)));
        sha1(secret, pairs.collect::<String>().as_bytes())
    }

    fn version_2(&self, secret: &SecretString) -> Result<String, Fault> {
        let (verb, path) = (text(self.shown, "verb")?, text(self.shown, "path")?);
        let host = self.host.ok_or(Fault::Lacks("host"))?;
        let query = canonical_query(self.params, Some(("SignatureMethod", "HmacSHA256")));
        let signed = format!("{verb}\n{host}\n{path}\n{query}");
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        Ok(STANDARD.encode(hmac::sign(&key, signed.as_bytes())))
    }

    /// A parameter of version 4: of the header `Authorization`, or of the query.
    fn auth_param(&self, name: &str) -> Result<&str, Fault> {
        const UNSAID: Fault = Fault::Lacks("credential or signed headers");
        match self.header("Authorization") {
            Some(header) => {
                let (_, rest) = header.split_once(&format!("{name}=")).ok_or(UNSAID)?;
                Ok(rest.split(',').next().unwrap_or_default())
            }
            None => {
                let value = self.params.get(&format!("X-Amz-{name}"));
                value.and_then(Value::as_str).ok_or(UNSAID)
            }
        }
    }

    fn date(&self) -> Result<&str, Fault> {
        match self.header("X-Amz-Date") {
            Some(date) => Ok(date),
            None => self.param("X-Amz-Date"),
        }
    }

    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html>
    fn version_4(&self, secret: &SecretString) -> Result<String, Fault> {
        let (verb, path) = (text(self.shown, "verb")?, text(self.shown, "path")?);
        let body_hash = text(self.shown, "body_hash")?;
        let verb = verb.to_uppercase();
        // POST has its parameters in the body.
        let query = match verb.as_str() {
            "POST" => String::new(),
            _ => canonical_query(self.params, None),
        };
        let signed_headers = self.auth_param("SignedHeaders")?;
        let headers = self.canonical_headers(signed_headers);
        let request = format!("{verb}\n{path}\n{query}\n{headers}\n{signed_headers}\n{body_hash}");
        let request = hex(digest::digest(&digest::SHA256, request.as_bytes()).as_ref());

        let scope: Vec<&str> = self.auth_param("Credential")?.split('/').skip(1).collect();
        let [day, region, service, ..] = scope.as_slice() else {
            return Err(Fault::UnknownForm);
        };
        let date = self.date()?;
        if scope.len() > 4 || !date.starts_with(day) {
            return Err(Fault::UnknownForm);
        }
        let signed = format!("{VERSION_4}\n{date}\n{}\n{request}", scope.join("/"));
        let key = signing_key(secret, day, region, service);
        Ok(hex(hmac::sign(&key, signed.as_bytes()).as_ref()))
    }

    /// Those of the signed headers that there are, a line each.
    fn canonical_headers(&self, signed: &str) -> String {
        let headers = self.shown.get("headers").and_then(Value::as_object);
        let known: HashMap<String, &str> = headers
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.trim().to_lowercase(), value.as_str()?.trim())))
            .collect();
        let agent = known.get("user-agent").copied().unwrap_or_default();
        let strips_port = strips_port(agent);
        let lines = signed.split(';').filter_map(|name| {
            let mut value = *known.get(name)?;
            if name == "host" && strips_port {
                value = value.split(':').next().unwrap_or_default();
            }
            Some(format!("{name}:{value}\n"))
        });
        let lines: String = lines.collect();
        match lines.is_empty() {
            true => "\n".to_owned(),
            false => lines,
        }
    }
}

/// Boto before 2.9.3 signs the host without its port.
fn strips_port(agent: &str) -> bool {
    let version = agent.strip_prefix("Boto/2.").map(str::as_bytes);
    matches!(version, Some([b'0'..=b'9', b'.', b'0'..=b'2', ..]))
}

/// The key that a day, a region and a service have of a secret.
pub(super) fn signing_key(
    secret: &SecretString,
    day: &str,
    region: &str,
    service: &str,
) -> hmac::Key {
    let first = format!("AWS4{}", secret.expose_secret());
    let first = hmac::Key::new(hmac::HMAC_SHA256, zeroize::Zeroizing::new(first).as_bytes());
    [day, region, service, "aws4_request"]
        .into_iter()
        .fold(first, |key, part| {
            hmac::Key::new(
                hmac::HMAC_SHA256,
                hmac::sign(&key, part.as_bytes()).as_ref(),
            )
        })
}

/// Parameters sorted by name and encoded as RFC 3986 has it; `set` takes the place of one of them.
fn canonical_query(params: &Shown, set: Option<(&str, &str)>) -> String {
    let mut all: BTreeMap<&str, String> = params
        .iter()
        .map(|(name, value)| (name.as_str(), python_text(value)))
        .collect();
    all.extend(set.map(|(name, value)| (name, value.to_owned())));
    let pairs = all
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// A value as Python's `str` has it.
fn python_text(value: &Value) -> String {
    crate::policy::Value::from(value).text().into_owned()
}

fn sha1(secret: &SecretString, signed: &[u8]) -> String {
    let key = hmac::Key::new(
        hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        secret.expose_secret().as_bytes(),
    );
    STANDARD.encode(hmac::sign(&key, signed))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "aws_tests.rs"]
mod tests;
