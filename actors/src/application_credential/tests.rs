use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::*;
use crate::actor::Handle;
use crate::db::outbox::Change;
use crate::epoch::{Entity, Kind};
use crate::hashing::{HashPolicy, PoolSize};
use crate::ids::RoleId;
use crate::listing::TextFilter;
use crate::testdb::{TestDb, each_database};
use crate::testing::Bench;
use crate::{transaction, with_conn};

const NOW: i64 = 1_000_000_000;

/// Hashes as cheap as they get.
fn policy() -> HashPolicy {
    HashPolicy {
        rounds: Some(4),
        ..HashPolicy::default()
    }
}

fn provider(bench: &Bench) -> Handle<ApplicationCredentialProvider> {
    let size = PoolSize {
        threads: 1,
        queue: 16,
        nice: 0,
    };
    let hashing = HashPool::start(policy(), size).unwrap();
    bench.start(ApplicationCredentialProvider::new(
        bench.pool("application_credential"),
        bench.cache(),
        hashing,
        bench.invalidations.clone(),
        Some(3),
    ))
}

/// A row as Python Keystone writes it, whose secret is `secret`.
async fn row(db: &TestDb, id: &str, name: &str, user: &str, columns: &[(&str, &str)]) {
    let hash = policy().hash(b"secret").unwrap();
    let names: String = columns
        .iter()
        .map(|(name, _)| format!(", {name}"))
        .collect();
    let values: String = columns
        .iter()
        .map(|(_, value)| format!(", {value}"))
        .collect();
    db.execute(&format!(
        "INSERT INTO application_credential (id, name, secret_hash, user_id, project_id{names}) \
         VALUES ('{id}', '{name}', '{hash}', '{user}', 'p'{values})"
    ))
    .await;
}

/// The users `alice` and `bob`.
async fn people(db: &TestDb) {
    for id in ["alice", "bob"] {
        db.execute(&format!(
            r#"INSERT INTO "user" (id, enabled, domain_id) VALUES ('{id}', true, 'default')"#
        ))
        .await;
    }
}

fn get(id: &str) -> GetApplicationCredential {
    GetApplicationCredential { id: id.into() }
}

async fn log_in(
    credentials: &Handle<ApplicationCredentialProvider>,
    lookup: Lookup,
    secret: &str,
) -> Result<ApplicationCredentialId, Refusal> {
    let attempt = AuthenticateApplicationCredential {
        lookup,
        secret: SecretString::from(secret),
        now: NOW,
    };
    match credentials.read(attempt).await.unwrap() {
        Authentication::Accepted(credential) => Ok(credential.id.clone()),
        Authentication::Refused(why) => Err(why),
    }
}

fn new(user: &str, name: &str) -> NewApplicationCredential {
    NewApplicationCredential {
        name: name.to_owned(),
        description: Some("nightly".to_owned()),
        user_id: user.into(),
        project_id: Some("p".into()),
        expires_at_micros: None,
        unrestricted: None,
        secret: Some("secret".into()),
        roles: ["r1", "r2"].map(RoleId::from).into(),
        access_rules: Vec::new(),
    }
}

fn rule(path: &str) -> NewAccessRule {
    NewAccessRule {
        id: None,
        service: Some("compute".to_owned()),
        path: Some(path.to_owned()),
        method: Some("GET".to_owned()),
    }
}

fn by_id(id: &str) -> Lookup {
    Lookup::ById(id.into())
}

fn by_name(name: &str, user: &str) -> Lookup {
    Lookup::ByName {
        name: name.to_owned(),
        user_id: user.into(),
    }
}

each_database! {
    async fn an_application_credential_of_python_keystone_is_read_with_all_that_it_has(db: TestDb) {
        let bench = Bench::new(&db).await;
        row(&db, "c", "backup", "alice", &[("description", "'nightly'"), ("expires_at", "2000000000123456"), ("unrestricted", "true")]).await;
        db.execute("INSERT INTO application_credential_role (application_credential_id, role_id) SELECT internal_id, 'r2' FROM application_credential").await;
        db.execute("INSERT INTO application_credential_role (application_credential_id, role_id) SELECT internal_id, 'r1' FROM application_credential").await;
        db.execute("INSERT INTO access_rule (id, service, path, method, external_id, user_id) VALUES (1, 'compute', '/v2', 'GET', 'rule', 'alice')").await;
        db.execute("INSERT INTO application_credential_access_rule (application_credential_id, access_rule_id) SELECT internal_id, 1 FROM application_credential").await;

        let found = provider(&bench).read(get("c")).await.unwrap();

        assert_eq!((found.name.as_str(), found.description.as_deref()), ("backup", Some("nightly")));
        assert_eq!((found.user_id.as_str(), found.project_id.clone()), ("alice", Some("p".into())));
        assert_eq!((found.expires_at, found.expires_at_micros), (Some(2_000_000_000), Some(2_000_000_000_123_456)));
        assert_eq!((found.unrestricted, found.unrestricted_given), (true, Some(true)));
        assert_eq!(found.roles, ["r1", "r2"].map(RoleId::from));
        assert_eq!(
            serde_json::to_value(&found.access_rules).unwrap(),
            json!([{"id": "rule", "service": "compute", "path": "/v2", "method": "GET"}])
        );
    }

    async fn only_the_right_secret_logs_in_and_the_owner_comes_from_what_is_stored(db: TestDb) {
        let bench = Bench::new(&db).await;
        row(&db, "a", "backup", "alice", &[]).await;
        row(&db, "b", "backup", "bob", &[]).await;
        let credentials = provider(&bench);

        for lookup in [by_id("a"), by_name("backup", "alice")] {
            assert_eq!(log_in(&credentials, lookup.clone(), "secret").await, Ok("a".into()));
            assert_eq!(log_in(&credentials, lookup.clone(), "secret ").await, Err(Refusal::WrongSecret));
            assert_eq!(log_in(&credentials, lookup, "").await, Err(Refusal::WrongSecret));
        }
        assert_eq!(log_in(&credentials, by_name("backup", "bob"), "secret").await, Ok("b".into()));
        for lookup in [by_id("x"), by_name("backup", "carol"), by_name("other", "alice")] {
            assert_eq!(log_in(&credentials, lookup, "secret").await, Err(Refusal::Unknown));
        }
    }

    async fn an_unknown_application_credential_costs_a_hash_like_a_known_one(db: TestDb) {
        let bench = Bench::new(&db).await;
        let hashing = HashPool::start(policy(), PoolSize { threads: 1, queue: 16, nice: 0 }).unwrap();
        let credentials = bench.start(ApplicationCredentialProvider::new(
            bench.pool("application_credential"), bench.cache(), hashing.clone(), bench.invalidations.clone(), None,
        ));

        for lookup in [by_id("x"), by_name("backup", "alice")] {
            let before = hashing.stats().done_total;
            assert_eq!(log_in(&credentials, lookup, "secret").await, Err(Refusal::Unknown));
            assert_eq!(hashing.stats().done_total, before + 1);
        }
    }

    async fn an_expired_application_credential_is_seen_and_logs_nobody_in(db: TestDb) {
        let bench = Bench::new(&db).await;
        row(&db, "at", "at", "alice", &[("expires_at", &format!("{}", NOW * 1_000_000 + 5))]).await;
        row(&db, "after", "after", "alice", &[("expires_at", &format!("{}", (NOW + 1) * 1_000_000))]).await;
        let credentials = provider(&bench);

        assert_eq!(log_in(&credentials, by_id("at"), "secret").await, Err(Refusal::Expired));
        assert_eq!(log_in(&credentials, by_id("at"), "wrong").await, Err(Refusal::WrongSecret));
        assert_eq!(log_in(&credentials, by_id("after"), "secret").await, Ok("after".into()));
        assert!(credentials.read(get("at")).await.is_ok());
    }

    async fn a_hash_that_cannot_be_read_logs_nobody_in(db: TestDb) {
        let bench = Bench::new(&db).await;
        row(&db, "c", "c", "alice", &[]).await;
        db.execute("UPDATE application_credential SET secret_hash = 'secret'").await;

        assert_eq!(log_in(&provider(&bench), by_id("c"), "secret").await, Err(Refusal::WrongSecret));
    }

    async fn one_that_is_deleted_behind_the_cache_logs_nobody_in(db: TestDb) {
        let bench = Bench::new(&db).await;
        row(&db, "c", "c", "alice", &[]).await;
        let credentials = provider(&bench);
        credentials.read(get("c")).await.unwrap(); // cached from here on

        db.execute("DELETE FROM application_credential").await;

        assert_eq!(log_in(&credentials, by_id("c"), "secret").await, Err(Refusal::Unknown));
        bench.invalidations.publish(&Change::of([Entity::new(Kind::ApplicationCredential, "c")]));
        assert!(matches!(credentials.read(get("c")).await, Err(Error::NotFound(_))));
    }

    async fn an_application_credential_is_made_with_all_that_it_is_given(db: TestDb) {
        let bench = Bench::new(&db).await;
        people(&db).await;
        let credentials = provider(&bench);
        let mut new = new("alice", "backup");
        new.secret = None;
        new.expires_at_micros = Some(2_000_000_000_123_456);
        new.access_rules = vec![rule("/v2"), rule("/v3")];

        let made = credentials.send(CreateApplicationCredential { credential: new }).await.unwrap();

        let id = made.credential.id.clone();
        let read = credentials.read(GetApplicationCredential { id: id.clone() }).await.unwrap();
        assert_eq!(read, made.credential);
        assert_eq!((read.unrestricted, read.unrestricted_given, read.expires_at), (false, None, Some(2_000_000_000)));
        assert_eq!(read.roles, ["r1", "r2"].map(RoleId::from));
        let secret = made.secret.expose_secret();
        assert_eq!(secret.len(), 72);
        for lookup in [Lookup::ById(id.clone()), by_name("backup", "alice")] {
            assert_eq!(log_in(&credentials, lookup, secret).await, Ok(id.clone()));
        }
    }

    async fn a_user_has_one_of_a_name_and_no_more_than_the_limit(db: TestDb) {
        let bench = Bench::new(&db).await;
        people(&db).await;
        let credentials = provider(&bench);
        let create = async |user: &str, name: &str| {
            credentials.send(CreateApplicationCredential { credential: new(user, name) }).await
        };

        assert!(create("alice", "a").await.is_ok());
        assert!(matches!(create("alice", "a").await, Err(Error::NameTaken(_))));
        assert!(create("bob", "a").await.is_ok());
        for name in ["b", "c"] {
            assert!(create("alice", name).await.is_ok());
        }
        assert!(matches!(create("alice", "d").await, Err(Error::LimitExceeded(3))));
        let listed = async |name: Vec<TextFilter>| {
            let list = ListApplicationCredentials { user: "alice".into(), name };
            let found = credentials.read(list).await.unwrap();
            found.iter().map(|one| one.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(listed(Vec::new()).await, ["a", "b", "c"]);
        assert_eq!(listed(vec![TextFilter::equals("b")]).await, ["b"]);
    }

    async fn whoever_is_gone_is_given_none(db: TestDb) {
        let bench = Bench::new(&db).await;
        people(&db).await;
        let credentials = provider(&bench);
        db.execute(r#"DELETE FROM "user" WHERE id = 'bob'"#).await;

        let refused = credentials.send(CreateApplicationCredential { credential: new("bob", "a") }).await;

        assert_eq!(refused.unwrap_err().to_string(), "Could not find user: bob.");
        assert!(left(&bench.pool("other")).await.is_empty());
    }

    async fn a_deleted_one_is_gone_at_once(db: TestDb) {
        let bench = Bench::new(&db).await;
        people(&db).await;
        let credentials = provider(&bench);
        let made = credentials.send(CreateApplicationCredential { credential: new("alice", "a") }).await.unwrap();
        let id = made.credential.id.clone();
        credentials.read(GetApplicationCredential { id: id.clone() }).await.unwrap(); // cached from here on
        let delete = || DeleteApplicationCredential { id: id.clone() };

        credentials.send(delete()).await.unwrap();

        assert!(matches!(credentials.read(GetApplicationCredential { id: id.clone() }).await, Err(Error::NotFound(_))));
        assert!(matches!(credentials.send(delete()).await, Err(Error::NotFound(_))));
    }

    async fn rules_are_used_again_outlive_what_they_restrict_and_stay_while_they_do(db: TestDb) {
        let bench = Bench::new(&db).await;
        people(&db).await;
        let credentials = provider(&bench);
        let make = async |user: &str, name: &str, rules: Vec<NewAccessRule>| {
            let credential = NewApplicationCredential { access_rules: rules, ..new(user, name) };
            credentials.send(CreateApplicationCredential { credential }).await
        };
        let first = make("alice", "a", vec![rule("/v2")]).await.unwrap().credential;
        let id = first.access_rules[0].id.clone();
        let by_id = |id: &str| NewAccessRule { id: Some(id.to_owned()), ..NewAccessRule::default() };
        let delete = async |user: &str, id: &str| {
            credentials.send(DeleteAccessRule { id: id.to_owned(), user: user.into() }).await
        };

        let second = make("alice", "b", vec![rule("/v2"), by_id(&id), rule("/v3")]).await.unwrap().credential;

        let paths: Vec<_> = second.access_rules.iter().map(|one| one.path.as_deref().unwrap()).collect();
        assert_eq!((paths, &second.access_rules[0].id), (vec!["/v2", "/v3"], &id));
        assert!(matches!(make("bob", "a", vec![by_id(&id)]).await, Err(Error::AccessRuleNotFound(_))));
        assert!(matches!(make("alice", "c", vec![by_id("unknown")]).await, Err(Error::AccessRuleNotFound(_))));
        assert_eq!(make("bob", "a", vec![rule("/v2")]).await.unwrap().credential.access_rules.len(), 1);
        assert!(matches!(delete("alice", &id).await, Err(Error::AccessRuleInUse)));
        assert!(matches!(delete("bob", &id).await, Err(Error::AccessRuleNotFound(_))));
        let list = ListAccessRules {
            user: "alice".into(),
            filters: vec![AccessRuleFilter { attribute: RuleAttribute::Path, text: TextFilter::equals("/v2") }],
        };
        assert_eq!(credentials.read(list).await.unwrap(), first.access_rules);
        for one in [first, second] {
            credentials.send(DeleteApplicationCredential { id: one.id.clone() }).await.unwrap();
        }
        let get = |user: &str| GetAccessRule { id: id.clone(), user: user.into() };
        assert_eq!(credentials.read(get("alice")).await.unwrap().path.as_deref(), Some("/v2"));
        assert!(matches!(credentials.read(get("bob")).await, Err(Error::AccessRuleNotFound(_))));
        delete("alice", &id).await.unwrap();
        assert!(matches!(credentials.read(get("alice")).await, Err(Error::AccessRuleNotFound(_))));
    }

    async fn of_many_made_at_once_no_more_than_the_limit_are(db: TestDb) {
        let bench = Bench::new(&db).await;
        people(&db).await;
        let credentials = provider(&bench);

        let create = |number: usize| CreateApplicationCredential {
            credential: NewApplicationCredential {
                access_rules: vec![rule("/v2")],
                ..new("alice", &number.to_string())
            },
        };
        let made = futures_util::future::join_all((0..6).map(|number| credentials.send(create(number)))).await;

        assert_eq!(made.iter().filter(|one| one.is_ok()).count(), 3);
        assert!(made.iter().all(|one| matches!(one, Ok(_) | Err(Error::LimitExceeded(3)))), "{made:?}");
        let list = ListAccessRules { user: "alice".into(), filters: Vec::new() };
        assert_eq!(credentials.read(list).await.unwrap().len(), 1);
    }

    async fn they_go_with_their_user_and_so_do_the_rules(db: TestDb) {
        let bench = Bench::new(&db).await;
        for (id, user) in [("a", "alice"), ("b", "bob")] {
            row(&db, id, id, user, &[]).await;
            db.execute(&format!("INSERT INTO application_credential_role (application_credential_id, role_id) SELECT internal_id, 'r' FROM application_credential WHERE id = '{id}'")).await;
            db.execute(&format!("INSERT INTO access_rule (service, path, method, external_id, user_id) VALUES ('compute', '/v2', 'GET', '{id}', '{user}')")).await;
        }
        let pool = bench.pool("other");

        let gone = with_users(&pool, &["alice", "nobody"]).await;

        let of_alice = vec![("alice".to_owned(), "a".to_owned())];
        assert_eq!((&gone.credentials, &gone.rules), (&of_alice, &of_alice));
        assert_eq!(gone.entities(), [Entity::new(Kind::ApplicationCredential, "a")]);
        assert_eq!(left(&pool).await, ["b"]);
        let rules = owners_of_rules(&pool).await;
        assert_eq!(rules, [Some("bob".to_owned())]);
    }

    async fn a_deleted_role_takes_along_those_of_who_was_assigned_it_there(db: TestDb) {
        let bench = Bench::new(&db).await;
        row(&db, "direct", "x", "alice", &[]).await;
        row(&db, "inherited", "x", "bob", &[]).await;
        row(&db, "other role", "x", "carol", &[]).await;
        row(&db, "by group", "x", "dave", &[]).await;
        row(&db, "elsewhere", "y", "alice", &[]).await;
        db.execute("UPDATE application_credential SET project_id = 'q' WHERE id = 'elsewhere'").await;
        for id in ["r", "s"] {
            db.execute(&format!("INSERT INTO role (id, name, domain_id) VALUES ('{id}', '{id}', '<<null>>')")).await;
        }
        for (kind, actor, role, inherited) in [
            ("UserProject", "alice", "r", false), ("UserProject", "bob", "r", true),
            ("UserProject", "carol", "s", false), ("GroupProject", "dave", "r", false),
        ] {
            db.execute(&format!("INSERT INTO assignment (type, actor_id, target_id, role_id, inherited) VALUES ('{kind}', '{actor}', 'p', '{role}', {inherited})")).await;
        }
        let pool = bench.pool("other");

        let mut gone = with_role(&pool, "r").await;

        gone.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(gone, ["direct", "inherited"].map(|id| Entity::new(Kind::ApplicationCredential, id)));
        assert_eq!(left(&pool).await, ["by group", "elsewhere", "other role"]);
    }
}

async fn with_users(pool: &Db, ids: &[&str]) -> DeletedWithUsers {
    let ids: Vec<String> = ids.iter().map(|&id| id.to_owned()).collect();
    transaction!(pool, |conn| Ok::<_, Error>(
        delete_of_users(conn, &ids).await?
    ))
    .unwrap()
}

async fn with_role(pool: &Db, id: &str) -> Vec<Entity> {
    transaction!(pool, |conn| Ok::<_, Error>(delete_of_role(conn, id).await?)).unwrap()
}

async fn owners_of_rules(pool: &Db) -> Vec<Option<String>> {
    use diesel::prelude::*;
    use diesel_async::RunQueryDsl;

    use crate::db::schema::access_rule;
    with_conn!(pool, |conn| {
        let owners = access_rule::table.select(access_rule::user_id);
        owners.load(conn).await.map_err(Error::from)
    })
    .unwrap()
}

async fn left(pool: &Db) -> Vec<String> {
    use diesel::prelude::*;
    use diesel_async::RunQueryDsl;

    use crate::db::schema::application_credential;
    with_conn!(pool, |conn| {
        application_credential::table
            .select(application_credential::id)
            .order(application_credential::id)
            .load(conn)
            .await
            .map_err(Error::from)
    })
    .unwrap()
}
