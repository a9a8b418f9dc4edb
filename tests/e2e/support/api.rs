//! A client of the Identity API that hides nothing: status, headers and body as they came.

use std::fmt;
use std::time::Duration;

use awc::http::Method;
use serde_json::Value;

use super::login::{Scope, password, scoped};

/// No answer of ours is larger; a larger one fails the test.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// A server, by its address, and the connections to it.
#[derive(Clone)]
pub(crate) struct Api {
    base: String,
    client: awc::Client,
}

impl Api {
    /// The server at this URL, which has no path and no slash at its end.
    pub(crate) fn at(base: impl Into<String>) -> Self {
        Self::within(base, Duration::from_secs(60))
    }

    /// The same, by a client that gives up after this time.
    pub(crate) fn within(base: impl Into<String>, patience: Duration) -> Self {
        // A test that waits for another program sees too late that the server has closed an idle
        // connection: none is kept for long.
        let client = awc::Client::builder()
            .connector(awc::Connector::new().conn_keep_alive(Duration::from_secs(1)))
            .timeout(patience)
            .disable_redirects()
            .finish();
        Self {
            base: base.into(),
            client,
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// A request that is yet to be sent; `path` starts with a slash and may hold a query.
    pub(crate) fn request(&self, method: Method, path: &str) -> Request {
        Request {
            line: format!("{method} {path}"),
            inner: self.client.request(method, format!("{}{path}", self.base)),
            body: Vec::new(),
        }
    }

    /// A GET without a token.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().await
    }

    /// `POST /v3/auth/tokens` with this body.
    pub(crate) async fn authenticate(&self, body: &Value) -> Answer {
        self.request(Method::POST, "/v3/auth/tokens")
            .json(body)
            .send()
            .await
    }

    /// Logs in with this body, which has to succeed.
    pub(crate) async fn session(&self, body: &Value) -> Session {
        let answer = self.authenticate(body).await.expect(201);
        let token = answer
            .header("X-Subject-Token")
            .expect("X-Subject-Token")
            .to_owned();
        Session {
            api: self.clone(),
            token,
            body: answer.json(),
        }
    }

    /// A user's session, by password, in this scope.
    pub(crate) async fn login(&self, user: &str, scope: Scope<'_>) -> Session {
        self.session(&scoped(password(user), scope)).await
    }

    /// The bootstrap admin's session, in its project.
    pub(crate) async fn admin(&self) -> Session {
        self.login("admin", Scope::Project("admin")).await
    }
}

/// One request, as it will go out: no header is added that was not asked for, except those
/// without which it would not be HTTP/1.1.
pub(crate) struct Request {
    line: String,
    inner: awc::ClientRequest,
    body: Vec<u8>,
}

impl Request {
    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.inner = self.inner.append_header((name, value));
        self
    }

    /// The caller's token.
    pub(crate) fn token(self, token: &str) -> Self {
        self.header("X-Auth-Token", token)
    }

    /// The token that the request is about.
    pub(crate) fn subject(self, token: &str) -> Self {
        self.header("X-Subject-Token", token)
    }

    /// A JSON body, with its content type.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json")
            .body(body.to_string())
    }

    /// Any body, without a content type.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it; `Err` says why there is no answer.
    pub(crate) async fn try_send(self) -> Result<Answer, String> {
        let mut response = self
            .inner
            .send_body(self.body)
            .await
            .map_err(|e| e.to_string())?;
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect();
        let body = response
            .body()
            .limit(BODY_LIMIT)
            .await
            .map_err(|e| e.to_string())?
            .to_vec();
        Ok(Answer {
            line: self.line,
            status: response.status().as_u16(),
            headers,
            body,
        })
    }

    /// Sends it; without an answer the test fails.
    pub(crate) async fn send(self) -> Answer {
        let line = self.line.clone();
        self.try_send()
            .await
            .unwrap_or_else(|e| panic!("{line}: no answer: {e}"))
    }
}

/// What a server answered.
#[derive(Clone)]
pub(crate) struct Answer {
    line: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// The status code.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// The value of a header; the first where there are several.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// All headers, as they came.
    pub(crate) fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The body as it came.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body as JSON, which it has to be.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("not JSON ({e}): {self:?}"))
    }

    /// `error.message` of Keystone's error body; empty where there is none.
    pub(crate) fn message(&self) -> String {
        serde_json::from_slice::<Value>(&self.body)
            .ok()
            .and_then(|body| {
                body.pointer("/error/message")
                    .and_then(Value::as_str)
                    .map(str::to_owned)
            })
            .unwrap_or_default()
    }

    /// The answer, if it has this status; otherwise the test fails and shows it.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} -> {}", self.line, self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        write!(f, "\n{}", String::from_utf8_lossy(&self.body))
    }
}

/// A token, and the server that issued it.
pub(crate) struct Session {
    api: Api,
    token: String,
    body: Value,
}

impl Session {
    /// The server that it talks to.
    pub(crate) fn api(&self) -> &Api {
        &self.api
    }

    /// The token itself.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// A value in the issued `token`, by JSON pointer: `text("/project/id")`.
    #[track_caller]
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.issued()
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no text at {pointer} in {}", self.issued()))
    }

    /// The whole `token` object as it was issued.
    pub(crate) fn issued(&self) -> &Value {
        &self.body["token"]
    }

    /// The names of its roles, sorted.
    pub(crate) fn roles(&self) -> Vec<String> {
        let mut names: Vec<String> = self.issued()["roles"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|role| role["name"].as_str().map(str::to_owned))
            .collect();
        names.sort();
        names
    }

    /// The same token, taken to another server.
    pub(crate) fn at(&self, api: &Api) -> Self {
        Self {
            api: api.clone(),
            token: self.token.clone(),
            body: self.body.clone(),
        }
    }

    /// A request with this token, yet to be sent.
    pub(crate) fn request(&self, method: Method, path: &str) -> Request {
        self.api.request(method, path).token(&self.token)
    }

    /// GET.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().await
    }

    /// HEAD.
    pub(crate) async fn head(&self, path: &str) -> Answer {
        self.request(Method::HEAD, path).send().await
    }

    /// `GET /v3/auth/tokens`: this session asks about a token.
    pub(crate) async fn validate(&self, subject: &str) -> Answer {
        self.request(Method::GET, "/v3/auth/tokens")
            .subject(subject)
            .send()
            .await
    }

    /// `HEAD /v3/auth/tokens`.
    pub(crate) async fn check(&self, subject: &str) -> Answer {
        self.request(Method::HEAD, "/v3/auth/tokens")
            .subject(subject)
            .send()
            .await
    }

    /// `DELETE /v3/auth/tokens`.
    pub(crate) async fn revoke(&self, subject: &str) -> Answer {
        self.request(Method::DELETE, "/v3/auth/tokens")
            .subject(subject)
            .send()
            .await
    }
}

#[allow(
    dead_code,
    reason = "which of them is needed depends on the resources that have tests"
)]
impl Session {
    /// POST of a JSON body.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::POST, path).json(body).send().await
    }

    /// PUT, without a body: how a grant is made.
    pub(crate) async fn put(&self, path: &str) -> Answer {
        self.request(Method::PUT, path).send().await
    }

    /// PATCH with a JSON body.
    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::PATCH, path).json(body).send().await
    }

    /// DELETE.
    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path).send().await
    }
}
