//! Keystone-NG beside a Python Keystone that serves the cloud: `/v4` and the pages are ours, by
//! HAProxy or by the WSGI filter, and everything else stays where it was.

mod doctor;
mod filter;
mod passkeys;
mod proxy;

use awc::http::Method;
use serde_json::{Value, json};

use crate::support::{Api, Options, Session};

/// Paths that only we have, whatever is below them.
const OURS: [&str; 4] = [
    "/v4/users/x/passkeys",
    "/passkeys/sign-in",
    "/.well-known/webauthn",
    "/.well-known/passkey-endpoints",
];

/// Paths that have two meanings: before and after dots are resolved, slashes decoded or merged.
const AMBIGUOUS: [&str; 7] = [
    "/v4/../v3/users",
    "/v4/%2e%2e/v3/users",
    "/v4/.%2E/v3/users",
    "/v4/..%2fv3/users",
    "/v4//users",
    "/v4/users%5cx",
    "/passkeys/./x",
];

/// What a client may claim and has no right to.
const CLAIMS: [(&str, &str); 5] = [
    ("X-Forwarded-For", "192.0.2.66"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Prefix", "/evil"),
    ("X_Forwarded_Host", "evil.example"),
    ("Forwarded", "for=192.0.2.66;host=evil.example"),
];

fn behind_a_proxy() -> Options {
    Options::default().set("api_server", "trusted_proxies", "127.0.0.1")
}

async fn put(by: &Session, path: &str, body: &Value) {
    let path = format!("/v3/OS-FEDERATION/{path}");
    by.request(Method::PUT, &path)
        .json(body)
        .send()
        .await
        .expect(201);
}

/// Lets Python Keystone log in whom its web server names in these variables, as an operator of
/// OpenID Connect does: [`claimed`] uses it.
async fn federate(admin: &Session) {
    put(
        admin,
        "identity_providers/acme",
        &json!({"identity_provider": {"enabled": true, "remote_ids": ["https://op.example"]}}),
    )
    .await;
    let rules =
        json!([{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "HTTP_OIDC_SUB"}]}]);
    put(
        admin,
        "mappings/acme",
        &json!({"mapping": {"rules": rules}}),
    )
    .await;
    put(
        admin,
        "identity_providers/acme/protocols/mapped",
        &json!({"protocol": {"mapping_id": "acme"}}),
    )
    .await;
}

/// How a login ends in which the client itself says who it is, by these names of headers.
async fn claimed(api: &Api, issuer: &str, subject: &str) -> u16 {
    let path = "/v3/OS-FEDERATION/identity_providers/acme/protocols/mapped/auth";
    let request = api.request(Method::POST, path);
    let request = request
        .header(issuer, "https://op.example")
        .header(subject, "mallory");
    request.send().await.status()
}
