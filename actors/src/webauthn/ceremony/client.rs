//! What a browser says of a ceremony: `CollectedClientData`, WebAuthn level 3 section 5.8.1.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use url::Url;

use super::super::Reason;
use super::MAX_PART;

/// What of it counts. A member that is there twice is an error.
#[derive(Deserialize)]
struct Collected {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    cross_origin: Option<bool>,
    #[serde(rename = "topOrigin", default)]
    top_origin: Option<serde::de::IgnoredAny>,
    #[serde(rename = "tokenBinding", default)]
    token_binding: Option<TokenBinding>,
}

/// Level 2 section 5.8.1. Level 3 has none.
#[derive(Deserialize)]
struct TokenBinding {
    status: String,
}

/// The challenge that was answered, after everything else about the client data was found good.
pub(super) fn challenge(json: &[u8], kind: &str, origins: &[Url]) -> Result<Vec<u8>, Reason> {
    const WHAT: Reason = Reason::Malformed("clientDataJSON");
    // Lists would be read as structures, too.
    let is_object = json.trim_ascii_start().starts_with(b"{");
    if json.len() > MAX_PART || !is_object {
        return Err(WHAT);
    }
    let client: Collected = serde_json::from_slice(json).map_err(|_| WHAT)?;
    if client.kind != kind {
        return Err(Reason::WrongType);
    }
    if client.cross_origin == Some(true) || client.top_origin.is_some() {
        return Err(Reason::CrossOrigin);
    }
    // No connection here is bound to a token, whatever the client says.
    if client
        .token_binding
        .is_some_and(|it| it.status == "present")
    {
        return Err(WHAT);
    }
    let known = |one: &Url| one.origin().ascii_serialization() == client.origin;
    if !origins.iter().any(known) {
        return Err(Reason::WrongOrigin);
    }
    let challenge = URL_SAFE_NO_PAD.decode(&client.challenge);
    challenge.map_err(|_| Reason::UnknownChallenge)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(json: &str) -> Result<Vec<u8>, Reason> {
        let origins = [Url::parse("https://cloud.example:8443/").unwrap()];
        challenge(json.as_bytes(), "webauthn.get", &origins)
    }

    #[test]
    fn the_origin_is_compared_exactly() {
        let from = |origin: &str| {
            answered(&format!(
                r#"{{"type":"webauthn.get","challenge":"AAE","origin":"{origin}"}}"#
            ))
        };

        assert_eq!(from("https://cloud.example:8443"), Ok(vec![0, 1]));
        for other in [
            "https://cloud.example",
            "https://cloud.example:8444",
            "http://cloud.example:8443",
            "https://www.cloud.example:8443",
            "https://cloud.example:8443/",
            "https://cloud.example:8443.evil.example",
            "https://cloud.example.:8443",
            "https://CLOUD.example:8443",
            "HTTPS://cloud.example:8443",
            "https://alice@cloud.example:8443",
            "https://cloud.example:8443#",
            "https://cloud.example:08443",
            " https://cloud.example:8443",
            "https://cloud.example:8443\\u0000",
            "null",
            "",
        ] {
            assert_eq!(from(other), Err(Reason::WrongOrigin), "{other}");
        }
    }

    #[test]
    fn a_page_within_another_and_a_member_given_twice_are_refused() {
        let with = |more: &str| {
            answered(&format!(
                r#"{{"type":"webauthn.get","challenge":"AAE","origin":"https://cloud.example:8443"{more}}}"#
            ))
        };

        assert!(with(r#","crossOrigin":false,"anything":[1]"#).is_ok());
        assert_eq!(with(r#","crossOrigin":true"#), Err(Reason::CrossOrigin));
        let embedded = r#","topOrigin":"https://cloud.example:8443""#;
        assert_eq!(with(embedded), Err(Reason::CrossOrigin));
        assert!(matches!(
            with(r#","challenge":"AAE""#),
            Err(Reason::Malformed(_))
        ));
        let bound = |status: &str| with(&format!(r#","tokenBinding":{status}"#));
        assert!(bound(r#"{"status":"supported"}"#).is_ok());
        assert!(bound("null").is_ok());
        for wrong in [
            r#"{"status":"present","id":"AA"}"#,
            "{}",
            "5",
            r#"{"status":5}"#,
        ] {
            assert!(matches!(bound(wrong), Err(Reason::Malformed(_))), "{wrong}");
        }
        let list = r#"["webauthn.get","AAE","https://cloud.example:8443",false,null,null]"#;
        assert!(matches!(answered(list), Err(Reason::Malformed(_))));
        assert!(matches!(answered("[]"), Err(Reason::Malformed(_))));
        assert!(matches!(answered("{"), Err(Reason::Malformed(_))));
    }
}
