mod logins;
mod reads;

use std::sync::Arc;

use secrecy::SecretString;

use super::*;
use crate::actor::Handle;
use crate::hashing::{HashPolicy, PoolSize};
use crate::testdb::TestDb;
use crate::testing::Bench;

/// The present of all tests, in seconds since 1970: 2026-11-18, 11:06:40.
const NOW: i64 = 1_795_000_000;
const DAY: i64 = 86_400;

/// As cheap as bcrypt can be.
fn hashing() -> HashPool {
    let policy = HashPolicy {
        rounds: Some(4),
        ..HashPolicy::default()
    };
    let size = PoolSize {
        threads: 2,
        queue: 1000,
    };
    HashPool::start(policy, size).unwrap()
}

fn provider(bench: &Bench, settings: IdentitySettings) -> Handle<IdentityProvider> {
    bench.start(IdentityProvider::new(
        bench.pool("identity"),
        IdentityCaches {
            users: bench.cache(),
            user_names: bench.cache(),
            groups: bench.cache(),
            group_names: bench.cache(),
            memberships: bench.cache(),
        },
        hashing(),
        bench.invalidations.clone(),
        Arc::new(settings),
    ))
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

/// A local user with the ID `id`, in the domain `d`, whose name is the ID too and whose password is "right".
async fn local(db: &TestDb, id: &str) {
    let hash = hashing().hash(secret("right")).await.unwrap();
    db.execute(&format!(
        r#"INSERT INTO "user" (id, extra, enabled, created_at, domain_id)
           VALUES ('{id}', '{{"email": "{id}@example.org"}}', true, '2026-11-01 00:00:00', 'd')"#
    ))
    .await;
    db.execute(&format!(
        "INSERT INTO local_user (user_id, domain_id, name) VALUES ('{id}', 'd', '{id}')"
    ))
    .await;
    db.execute(&format!(
        "INSERT INTO password (local_user_id, self_service, password_hash, created_at_int, created_at)
         SELECT id, false, '{hash}', 1, '2026-11-01 00:00:00' FROM local_user WHERE user_id = '{id}'"
    ))
    .await;
}
