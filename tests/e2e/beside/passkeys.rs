//! A passkey that is made and used by way of either front, and whose token Python Keystone takes.

use serde_json::json;

use super::behind_a_proxy;
use crate::passkeys::{log_in, register, token_of};
use crate::support::cloud::Builder;
use crate::support::haproxy::Haproxy;
use crate::support::{Api, Options, Scope, passkey, python, scoped, seed, token};
use crate::testdb::{TestDb, each_server};

/// What both have: Python Keystone can read x509, and not webauthn.
fn shared() -> Options {
    let methods = "external,password,token,oauth1,mapped,application_credential,x509";
    Options::default().set("auth", "methods", methods)
}

fn ours(db: &TestDb) -> Builder<'_> {
    Builder::new(db)
        .seed(seed::world())
        .options(passkey::enabled())
        .options(behind_a_proxy())
        .options(shared())
        .set("webauthn", "token_method", "x509")
}

/// alice signs in with her password, registers a passkey, and signs in with that: at Python Keystone
/// the first, here the rest, by way of `front` both. Removed, it takes what it signed in with it, there
/// as well.
async fn a_passkey_logs_in(front: &Api, python: &Api) {
    let alice = front.login("alice", Scope::Unscoped).await;
    let (mut key, passkey) = register(&alice).await;

    let logged_in = log_in(front, &mut key).await.expect(201);

    let made = token_of(&logged_in);
    let told = alice.at(python).validate(&made).await.expect(200).json();
    assert_eq!(told["token"]["methods"], json!(["x509"]));
    assert_eq!(told["token"]["user"]["id"], "alice");
    let scoped = python
        .session(&scoped(token(&made), Scope::Project("demo")))
        .await;
    assert_eq!(scoped.text("/project/id"), "demo");

    let id = passkey["id"].as_str().unwrap();
    let path = format!("/v4/users/alice/passkeys/{id}");
    alice.delete(&path).await.expect(204);
    for ended in [made.as_str(), scoped.token()] {
        alice.at(python).validate(ended).await.expect(404);
    }
}

each_server! {
    async fn by_haproxy_a_passkeys_token_is_good_at_python_keystone(db: TestDb) {
        if python::is_left_out() {
            return;
        }
        let ours = ours(&db).start().await;
        let theirs = ours.start_python_beside(shared()).await;
        let haproxy = Haproxy::start_beside(&db, [&ours, &ours], &theirs, "");

        a_passkey_logs_in(&haproxy.api(), theirs.api()).await;
    }

    async fn by_the_filter_a_passkeys_token_is_good_at_python_keystone(db: TestDb) {
        if python::is_left_out() {
            return;
        }
        let ours = ours(&db).start().await;
        let theirs = ours.start_python_forwarding(shared(), &[]).await;

        a_passkey_logs_in(theirs.api(), theirs.api()).await;
    }
}
