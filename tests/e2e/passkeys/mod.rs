//! Passkeys over the wire, by a software authenticator.

mod device;
mod enrolment;
mod factors;
mod forged;
mod forged_shapes;
mod handed_on;
mod import;
mod legacy;
mod limits;
mod login;
mod management;
mod pages;
mod receipts;
mod step_up;
mod watched;

use awc::http::Method;
use serde_json::{Value, json};

use crate::support::cloud::Builder;
use crate::support::passkey::{Authenticator, enabled};
use crate::support::{Answer, Api, Cloud, Scope, Session, seed};
use crate::testdb::TestDb;

pub(crate) use pages::Browser;

/// A cloud with passkeys, and the people of [`seed::world`].
fn world(db: &TestDb) -> Builder<'_> {
    Builder::new(db).seed(seed::world()).options(enabled())
}

async fn start(db: &TestDb) -> Cloud<'_> {
    world(db).start().await
}

fn passkeys_of(user: &str) -> String {
    format!("/v4/users/{user}/passkeys")
}

/// Registers a passkey of this session's user. Gives it, and what was answered.
pub(crate) async fn register(session: &Session) -> (Authenticator, Value) {
    let mut authenticator = Authenticator::new();
    let path = passkeys_of(session.text("/user/id"));
    let begun = session
        .post(&format!("{path}/register_start"), &json!({"passkey": {}}))
        .await
        .expect(201)
        .json();
    let credential = authenticator.create(&begun["publicKey"]);
    let body = json!({"credential": credential, "description": "a key"});
    let answer = session
        .post(&format!("{path}/register_finish"), &body)
        .await;
    (authenticator, answer.expect(201).json()["passkey"].clone())
}

/// alice, signed in by password, with a passkey.
async fn alice(api: &Api) -> (Session, Authenticator, Value) {
    let session = api.login("alice", Scope::Unscoped).await;
    let (authenticator, passkey) = register(&session).await;
    (session, authenticator, passkey)
}

async fn post(api: &Api, path: &str, body: &Value) -> Answer {
    api.request(Method::POST, path).json(body).send().await
}

/// The options of a login that begins with this body.
async fn begin(api: &Api, body: &Value) -> Value {
    post(api, "/v4/auth/passkey/start", body)
        .await
        .expect(201)
        .json()
}

async fn finish(api: &Api, body: &Value) -> Answer {
    post(api, "/v4/auth/passkey/finish", body).await
}

/// A login without a name and without a scope.
pub(crate) async fn log_in(api: &Api, authenticator: &mut Authenticator) -> Answer {
    let begun = begin(api, &json!({"passkey": {}})).await;
    finish(
        api,
        &json!({"credential": authenticator.get(&begun["publicKey"])}),
    )
    .await
}

pub(crate) fn token_of(answer: &Answer) -> String {
    answer
        .header("X-Subject-Token")
        .expect("a token")
        .to_owned()
}

fn refused(answer: &Answer) {
    assert_eq!(answer.status(), 401, "{answer:?}");
    assert_eq!(
        answer.message(),
        "The request you have made requires authentication."
    );
    assert_eq!(answer.header("X-Subject-Token"), None);
}
