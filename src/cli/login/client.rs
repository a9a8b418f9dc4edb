//! The server that is asked.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use awc::Connector;
use secrecy::SecretString;
use serde_json::Value;
use url::Url;

use super::is_word;
use crate::cli::Failure;
use crate::outbound::{client_config, insecure_client_config};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most that is read of one, in bytes: a token's body may have a large catalog.
const LONGEST: usize = 4 * 1024 * 1024;

/// A server, by URL.
pub struct Client {
    /// Without a version at its end.
    pub base: Url,
    tls: Option<Arc<rustls::ClientConfig>>,
}

/// What a server answered.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `X-Subject-Token`.
    token: Option<String>,
    /// Its body, null where it was no JSON.
    pub body: Value,
}

impl Client {
    /// Of this server.
    ///
    /// # Errors
    /// [`Failure::Usage`] where there is no TLS to it.
    pub fn new(base: Url, authorities: Option<&Path>, insecure: bool) -> Result<Self, Failure> {
        let tls = match (base.scheme(), insecure) {
            ("https", true) => Some(insecure_client_config()),
            ("https", false) => Some(client_config(authorities)),
            _ => None,
        };
        let tls = tls.transpose();
        let tls = tls.map_err(|error| Failure::Usage(format!("--cacert: {error}")))?;
        let tls = tls.map(Arc::new);
        Ok(Self { base, tls })
    }

    /// Sends this, and gives what was answered.
    ///
    /// # Errors
    /// [`Failure::Failed`] where nothing was.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        let mut connector = Connector::new().timeout(PATIENCE);
        if let Some(tls) = &self.tls {
            connector = connector.rustls_0_23(Arc::clone(tls));
        }
        let client = awc::Client::builder()
            .connector(connector)
            .timeout(PATIENCE)
            // What is sent is for this server alone.
            .disable_redirects()
            .finish();
        let url = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        let failed = |why: &dyn std::fmt::Display| Failure::Failed(format!("{}: {why}", self.base));
        let sent = client.post(url).send_json(body).await;
        let mut response = sent.map_err(|error| failed(&error))?;
        let token = response.headers().get("x-subject-token");
        let token = token.and_then(|token| token.to_str().ok());
        let token = token.map(str::to_owned);
        let bytes = response.body().limit(LONGEST).await;
        let bytes = bytes.map_err(|error| failed(&error))?;
        Ok(Answer {
            status: response.status().as_u16(),
            token,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        })
    }
}

impl Answer {
    /// The body, if it is this answer.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub fn expect(self, status: u16) -> Result<Value, Failure> {
        if self.status == status {
            Ok(self.body)
        } else {
            Err(self.failure())
        }
    }

    /// The title of an error.
    pub fn title(&self) -> Option<&str> {
        self.body.pointer("/error/title").and_then(Value::as_str)
    }

    /// What is told of it.
    pub fn failure(&self) -> Failure {
        let message = self.body.pointer("/error/message").and_then(Value::as_str);
        let plain = |text: &str| {
            text.chars()
                .filter(|it| !it.is_control())
                .take(500)
                .collect()
        };
        let message: String = message.map_or_else(String::new, plain);
        Failure::Failed(format!("the server answers {}: {message}", self.status))
    }

    /// The token that came with it.
    ///
    /// # Errors
    /// [`Failure::Failed`] where none did.
    pub fn token(&self) -> Result<SecretString, Failure> {
        let token = self.token.as_deref().filter(|token| is_word(token));
        token.map(SecretString::from).ok_or_else(|| self.failure())
    }
}
