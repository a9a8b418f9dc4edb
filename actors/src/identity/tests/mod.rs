mod exports;
mod groups;
mod lists;
mod logins;
mod look;
mod passwords;
mod reads;
mod users;

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, from_value, json};

use super::*;
use crate::resource::ResourceSettings;
use crate::revocation::{FollowSettings, ListEvents, RevocationProvider};
use crate::testdb::TestDb;
use crate::testing::{Bench, hashing};

/// The present of all tests, in seconds since 1970: 2026-11-18, 11:06:40.
const NOW: i64 = 1_795_000_000;
const DAY: i64 = 86_400;

fn settings() -> IdentitySettings {
    IdentitySettings {
        default_domain_id: "d".into(),
        ..IdentitySettings::default()
    }
}

/// The provider on a database with the domains `d` and `e`.
async fn provider(db: &TestDb, settings: IdentitySettings) -> (Handle<IdentityProvider>, Bench) {
    let bench = Bench::new(db).await;
    for domain in ["d", "e"] {
        project(db, domain, "<<keystone.domain.root>>", true).await;
    }
    let resources = bench.resources(ResourceSettings::default());
    let identity = bench.identity(&resources, settings);
    (identity, bench)
}

async fn project(db: &TestDb, id: &str, domain: &str, is_domain: bool) {
    db.execute(&format!(
        "INSERT INTO project (id, name, extra, enabled, domain_id, is_domain)
         VALUES ('{id}', '{id}', '{{}}', true, '{domain}', {is_domain})"
    ))
    .await;
}

/// The identity provider `idp` with the protocols `saml` and `oidc`; `ttl` in minutes, or `NULL`.
async fn federation(db: &TestDb, ttl: &str) {
    db.execute(&format!(
        "INSERT INTO identity_provider (id, enabled, domain_id, authorization_ttl) VALUES ('idp', true, 'd', {ttl})"
    ))
    .await;
    db.execute("INSERT INTO mapping (id, rules, schema_version) VALUES ('m', '[]', '1.0')")
        .await;
    for protocol in ["saml", "oidc"] {
        db.execute(&format!(
            "INSERT INTO federation_protocol (id, idp_id, mapping_id) VALUES ('{protocol}', 'idp', 'm')"
        ))
        .await;
    }
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

/// A user of this ID.
fn new_user(id: &str, body: Value) -> CreateUser {
    let mut user: NewUser = from_value(body).unwrap();
    user.id = Some(id.into());
    CreateUser { user, now: NOW }
}

/// A local user in the domain `d` whose name is the ID, and whose password is "right".
async fn local(identity: &Handle<IdentityProvider>, id: &str) -> Arc<User> {
    let body = json!({"name": id, "password": "right", "email": format!("{id}@example.org")});
    identity.send(new_user(id, body)).await.unwrap()
}

fn change(id: &str, body: Value) -> UpdateUser {
    UpdateUser {
        id: id.into(),
        patch: from_value(body).unwrap(),
        now: NOW,
    }
}

/// A group in the domain `d` whose name is its ID.
async fn group(identity: &Handle<IdentityProvider>, id: &str) -> Arc<Group> {
    let mut group: NewGroup = from_value(json!({"name": id, "domain_id": "d"})).unwrap();
    group.id = Some(id.into());
    identity.send(CreateGroup { group }).await.unwrap()
}

async fn add(identity: &Handle<IdentityProvider>, group: &str, user: &str) -> Result<(), Error> {
    let (group, user) = (group.into(), user.into());
    identity.send(AddUserToGroup { group, user }).await
}

/// `user` is in `group` until the minutes of `idp` are over, confirmed at [`NOW`].
async fn add_for_a_time(db: &TestDb, group: &str, user: &str) {
    db.execute(&format!(
        "INSERT INTO expiring_user_group_membership (user_id, group_id, idp_id, last_verified)
         VALUES ('{user}', '{group}', 'idp', '2026-11-18 11:06:40')"
    ))
    .await;
}

fn login(id: &str, password: &str, now: i64) -> AuthenticatePassword {
    AuthenticatePassword {
        user: UserLookup::ById(id.into()),
        password: secret(password),
        domain_enabled: true,
        now,
    }
}

/// What became of a login.
async fn outcome(identity: &Handle<IdentityProvider>, message: AuthenticatePassword) -> String {
    match identity.send(message).await.unwrap() {
        Authenticated::Accepted(_) => "accepted".to_owned(),
        Authenticated::Refused(Refusal::PasswordExpired { user }) => {
            format!("{}'s password expired", user.id)
        }
        Authenticated::Refused(refusal) => format!("{refusal:?}"),
    }
}

/// The users whose tokens were revoked so far, sorted.
async fn revoked(bench: &Bench) -> Vec<String> {
    let follow = FollowSettings {
        poll_interval: Duration::from_secs(1),
        trust_window: Duration::from_secs(1),
        outbox_retention: Duration::from_secs(1000),
        longest_transaction: Duration::from_secs(1),
        event_retention: Duration::from_secs(1000),
    };
    let invalidations = bench.invalidations.clone();
    let revocation = RevocationProvider::new(bench.pool("revocation"), invalidations, follow);
    let events = bench
        .start(revocation)
        .read(ListEvents { since: None })
        .await;
    let users = events
        .unwrap()
        .into_iter()
        .filter_map(|event| event.user_id);
    let mut users: Vec<_> = users.collect();
    users.sort();
    users
}

/// The texts of errors, so that they can be compared.
fn text<T>(answer: Result<T, Error>) -> String {
    match answer {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.to_string(),
    }
}
