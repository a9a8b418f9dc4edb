mod attestation;
mod authenticator;
mod beside;
mod forged_keys;
mod forged_logins;
mod imports;
mod logins;
mod passkeys;
mod prune;
mod registrations;

use std::sync::Arc;

use url::Url;

use super::*;
use crate::actor::Handle;
use crate::ids::UserId;
use crate::testdb::TestDb;
use crate::testing::Bench;
use crate::token::{FernetKey, KeySet, LiveKeys};
use authenticator::{Authenticator, ORIGIN, RP_ID};

/// The present of all tests, in seconds since 1970: 2026-11-18, 11:06:40.
const NOW: i64 = 1_795_000_000;

/// Who registers and logs in.
const ALICE: &str = "alice";
/// 64 hexadecimal digits, as of a federated user.
const BOB: &str = "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b";

fn settings() -> Settings {
    Settings {
        rp_id: RP_ID.to_owned(),
        rp_name: "Cloud".to_owned(),
        origins: vec![Url::parse(ORIGIN).unwrap()],
        ..Settings::default()
    }
}

fn keys() -> Arc<LiveKeys> {
    let key = FernetKey::from_text("b25lIG9uZSBvbmUgb25lIG9uZSBvbmUgb25lIG9uZSE=", false).unwrap();
    Arc::new(LiveKeys::fixed(KeySet::new([key]).unwrap()))
}

/// A node on a database that has its tables.
fn node(bench: &Bench, settings: Settings) -> Handle<WebauthnProvider> {
    bench.start(provider(bench, settings))
}

fn provider(bench: &Bench, settings: Settings) -> WebauthnProvider {
    let (db, settings) = (bench.pool("webauthn"), Arc::new(settings));
    WebauthnProvider::new(db, bench.invalidations.clone(), keys(), settings)
}

/// A node on a new database, where Alice and Bob are.
async fn start(db: &TestDb, settings: Settings) -> (Handle<WebauthnProvider>, Bench) {
    let bench = with_users(db).await;
    (node(&bench, settings), bench)
}

/// What the replicas of a node share.
type Shared = Arc<handlers::Shared>;

/// As [`start`], and what the node's replicas share.
async fn start_shared(db: &TestDb) -> (Handle<WebauthnProvider>, Shared, Bench) {
    let bench = with_users(db).await;
    let provider = provider(&bench, settings());
    let shared = Arc::clone(&provider.shared);
    (bench.start(provider), shared, bench)
}

/// Until all is removed that is being removed: who begins has the state before the answer is there.
async fn done(shared: &Shared) {
    drop(shared.swept.lock().await);
}

/// A new database, where Alice and Bob are.
async fn with_users(db: &TestDb) -> Bench {
    let bench = Bench::new(db).await;
    db.execute(
        "INSERT INTO project (id, name, extra, enabled, domain_id, is_domain)
         VALUES ('d', 'd', '{}', true, '<<keystone.domain.root>>', true)",
    )
    .await;
    for user in [ALICE, BOB] {
        add_user(db, user, "2026-11-01 00:00:00").await;
    }
    bench
}

async fn add_user(db: &TestDb, id: &str, created_at: &str) {
    db.execute(&format!(
        r#"INSERT INTO "user" (id, enabled, domain_id, created_at)
           VALUES ('{id}', true, 'd', '{created_at}')"#
    ))
    .await;
}

async fn options(provider: &Handle<WebauthnProvider>, user: &str) -> CreationOptions {
    let start = StartRegistration {
        user: user.into(),
        user_name: user.to_owned(),
        now: NOW,
    };
    provider.send(start).await.unwrap()
}

fn finish(user: &str, credential: Attested) -> FinishRegistration {
    FinishRegistration {
        user: user.into(),
        created_by: Some(user.to_owned()),
        credential,
        description: Some("key".to_owned()),
        invitation: None,
        now: NOW,
    }
}

/// Registers a passkey as is right, but for what the authenticator does.
async fn register(
    provider: &Handle<WebauthnProvider>,
    user: &str,
    authenticator: &mut Authenticator,
) -> Result<Arc<Passkey>, Error> {
    let options = options(provider, user).await;
    let made = authenticator.make(&options);
    provider.send(finish(user, made)).await
}

/// A passkey of Alice's.
async fn passkey_of_alice(provider: &Handle<WebauthnProvider>) -> Authenticator {
    let mut authenticator = Authenticator::new();
    register(provider, ALICE, &mut authenticator).await.unwrap();
    authenticator
}

fn start_login(user: &str) -> StartLogin {
    StartLogin {
        user: Some(user.into()),
        named: Some(user.to_owned()),
        bound: None,
        now: NOW,
    }
}

/// Whoever the authenticator finds.
fn start_anybody() -> StartLogin {
    StartLogin {
        user: None,
        named: None,
        bound: None,
        now: NOW,
    }
}

/// The end of such a login.
fn end(start: &StartLogin, credential: Asserted) -> FinishLogin {
    FinishLogin {
        user: start.user.clone(),
        named: start.named.clone(),
        bound: start.bound,
        or_unbound: false,
        credential,
        now: start.now,
    }
}

async fn challenge(provider: &Handle<WebauthnProvider>, start: &StartLogin) -> Vec<u8> {
    provider.send(start.clone()).await.unwrap().challenge
}

async fn verdict(provider: &Handle<WebauthnProvider>, finish: FinishLogin) -> Verdict {
    provider.send(finish).await.unwrap()
}

/// A login that begins and ends.
async fn log_in(
    provider: &Handle<WebauthnProvider>,
    start: &StartLogin,
    authenticator: &Authenticator,
) -> Verdict {
    let challenge = challenge(provider, start).await;
    verdict(provider, end(start, authenticator.answer(&challenge))).await
}

fn accepted(user: &str, authenticator: &Authenticator) -> Verdict {
    Verdict::Accepted(LoggedIn {
        user: user.into(),
        passkey: authenticator.id(),
        user_verified: true,
        backup_changed_to: None,
    })
}

async fn list(provider: &Handle<WebauthnProvider>, user: &str) -> Arc<[Arc<Passkey>]> {
    provider
        .send(ListPasskeys { user: user.into() })
        .await
        .unwrap()
}

fn user(id: &str) -> UserId {
    id.into()
}
