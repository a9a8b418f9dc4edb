//! Requests that consumers of OAuth 1 sign, as their libraries do (RFC 5849).

use std::collections::BTreeMap;

use awc::http::Method;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use serde_json::{Value, json};

use super::{Answer, Api, Session};

/// An ID and the secret that signs with it.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Pair {
    /// The pair in an answer to a consumer, and when it ends.
    pub(crate) fn of(answer: &Answer) -> (Self, Option<String>) {
        assert_eq!(
            answer.header("Content-Type"),
            Some("application/x-www-form-urlencoded")
        );
        let mut told: BTreeMap<String, String> = url::form_urlencoded::parse(answer.bytes())
            .into_owned()
            .collect();
        let mut take = |name: &str| told.remove(name);
        let pair = Self {
            id: take("oauth_token").expect("a token"),
            secret: take("oauth_token_secret").expect("its secret"),
        };
        (pair, take("oauth_expires_at"))
    }
}

/// Makes a consumer.
pub(crate) async fn consumer(admin: &Session) -> Pair {
    let made = admin
        .post("/v3/OS-OAUTH1/consumers", &json!({"consumer": {}}))
        .await
        .expect(201)
        .json();
    let text = |name: &str| made["consumer"][name].as_str().expect(name).to_owned();
    Pair {
        id: text("id"),
        secret: text("secret"),
    }
}

/// A request that is about to be signed.
#[derive(Clone)]
pub(crate) struct Signer<'a> {
    consumer: &'a Pair,
    token: Option<&'a Pair>,
    params: BTreeMap<String, String>,
}

impl<'a> Signer<'a> {
    /// With the consumer's secret alone.
    pub(crate) fn new(consumer: &'a Pair) -> Self {
        let params = [
            ("oauth_consumer_key", consumer.id.clone()),
            ("oauth_nonce", uuid::Uuid::new_v4().simple().to_string()),
            ("oauth_signature_method", "HMAC-SHA1".to_owned()),
            ("oauth_timestamp", Utc::now().timestamp().to_string()),
            ("oauth_version", "1.0".to_owned()),
        ];
        let params = params.map(|(name, value)| (name.to_owned(), value));
        Self {
            consumer,
            token: None,
            params: params.into(),
        }
    }

    /// And with a token's.
    pub(crate) fn with(mut self, token: &'a Pair) -> Self {
        self.token = Some(token);
        self.set("oauth_token", &token.id)
    }

    /// With this parameter, or without it where the value is empty.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        if value.is_empty() {
            self.params.remove(name);
        } else {
            self.params.insert(name.to_owned(), value.to_owned());
        }
        self
    }

    /// The header `Authorization` of a POST to this URL.
    pub(crate) fn header(mut self, url: &str) -> String {
        let pairs = self.params.iter().filter(|(name, _)| *name != "realm");
        let pairs = pairs.map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
        let pairs: Vec<String> = pairs.collect();
        let signed = format!("POST&{}&{}", encoded(url), encoded(&pairs.join("&")));
        let token = self.token.map_or("", |token| &token.secret);
        let key = format!("{}&{}", encoded(&self.consumer.secret), encoded(token));
        let sign = |algorithm| {
            let key = hmac::Key::new(algorithm, key.as_bytes());
            STANDARD.encode(hmac::sign(&key, signed.as_bytes()))
        };
        let signature = match self.params["oauth_signature_method"].as_str() {
            "HMAC-SHA256" => sign(hmac::HMAC_SHA256),
            "HMAC-SHA512" => sign(hmac::HMAC_SHA512),
            "PLAINTEXT" => key.clone(),
            _ => sign(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        };
        self.params.insert("oauth_signature".to_owned(), signature);
        let params = self.params.iter();
        let params = params.map(|(name, value)| format!("{name}=\"{}\"", encoded(value)));
        format!("OAuth {}", params.collect::<Vec<_>>().join(", "))
    }

    /// Asks for a request token for a project, by ID.
    pub(crate) async fn request_token(self, api: &Api, project: &str) -> Answer {
        let path = "/v3/OS-OAUTH1/request_token";
        let header = self.header(&format!("{}{path}", api.base()));
        let request = api
            .request(Method::POST, path)
            .header("Authorization", &header);
        request.header("Requested-Project-Id", project).send().await
    }

    /// Asks for an access token.
    pub(crate) async fn access_token(self, api: &Api) -> Answer {
        let path = "/v3/OS-OAUTH1/access_token";
        let header = self.header(&format!("{}{path}", api.base()));
        let request = api
            .request(Method::POST, path)
            .header("Authorization", &header);
        request.send().await
    }

    /// Logs in, with this scope where it is not null.
    pub(crate) async fn login(self, api: &Api, scope: &Value) -> Answer {
        let path = "/v3/auth/tokens";
        let header = self.header(&format!("{}{path}", api.base()));
        let mut body = json!({"auth": {"identity": {"methods": ["oauth1"], "oauth1": {}}}});
        if !scope.is_null() {
            body["auth"]["scope"] = scope.clone();
        }
        let request = api
            .request(Method::POST, path)
            .header("Authorization", &header);
        request.json(&body).send().await
    }
}

/// Has a request token authorised by the session's user, for these roles (IDs or names).
pub(crate) async fn authorize(session: &Session, token: &Pair, roles: &Value) -> Answer {
    let path = format!("/v3/OS-OAUTH1/authorize/{}", token.id);
    let request = session.request(Method::PUT, &path);
    request.json(&json!({ "roles": roles })).send().await
}

/// An access token for these roles of the session's user on a project, by ID.
pub(crate) async fn granted(
    session: &Session,
    consumer: &Pair,
    project: &str,
    roles: &Value,
) -> Pair {
    let asked = Signer::new(consumer).set("oauth_callback", "oob");
    let asked = asked
        .request_token(session.api(), project)
        .await
        .expect(201);
    let (asked, _) = Pair::of(&asked);
    let told = authorize(session, &asked, roles).await.expect(200).json();
    let verifier = told["token"]["oauth_verifier"]
        .as_str()
        .expect("a verifier");
    let signer = Signer::new(consumer)
        .with(&asked)
        .set("oauth_verifier", verifier);
    let given = signer.access_token(session.api()).await.expect(201);
    Pair::of(&given).0
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
