use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;
use serde_json::json;

use super::*;
use crate::actor::Handle;
use crate::attributes::Extra;
use crate::epoch::{Entity, Kind};
use crate::ids::{UserId, random_id};
use crate::listing::TextFilter;
use crate::testdb::each_database;
use crate::testing::Bench;
use crate::token::KeyRepository;
use crate::transaction;

const NOW: i64 = 1_111_111_109;

/// The passcode of [`NOW`], and the secret that makes it: RFC 6238, appendix B.
const PASSCODE: &str = "081804";
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// A key repository of its own, gone with it.
struct Repository(PathBuf);

impl Repository {
    fn new() -> Self {
        let repository =
            Self(std::env::temp_dir().join(format!("credential-keys-{}", random_id())));
        repository.keys().setup().unwrap();
        repository
    }

    fn keys(&self) -> KeyRepository {
        KeyRepository::new(&self.0, 3)
    }

    fn open(&self) -> Arc<CredentialKeys> {
        Arc::new(CredentialKeys::of(self.keys()))
    }

    fn primary_hash(&self) -> String {
        self.keys().load().unwrap().primary_hash().to_owned()
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn provider(
    bench: &Bench,
    keys: Arc<CredentialKeys>,
    user_limit: Option<u32>,
) -> Handle<CredentialProvider> {
    bench.start(CredentialProvider::new(
        bench.pool("credential"),
        bench.cache(),
        bench.invalidations.clone(),
        keys,
        CredentialSettings {
            user_limit,
            previous_windows: 1,
        },
    ))
}

fn create(user: &str, kind: &str, blob: &str) -> CreateCredential {
    CreateCredential {
        credential: NewCredential {
            user_id: user.into(),
            project_id: Some("p".into()),
            kind: kind.to_owned(),
            blob: blob.into(),
            extra: Extra::new(),
            source: BlobSource::default(),
        },
        now: NOW,
    }
}

fn passcode(user: &str, passcode: &str, now: i64) -> VerifyPasscode {
    VerifyPasscode {
        user: user.into(),
        passcode: passcode.into(),
        now,
    }
}

fn get(id: &CredentialId) -> GetCredential {
    GetCredential { id: id.clone() }
}

fn update(id: &CredentialId, blob: &str) -> UpdateCredential {
    UpdateCredential {
        id: id.clone(),
        blob: blob.into(),
        now: NOW,
    }
}

fn text(credential: &Credential) -> &str {
    credential.blob.expose_secret()
}

each_database! {
    async fn a_credential_keeps_all_that_it_is_given_and_its_secret_encrypted(db: TestDb) {
        let (bench, repository) = (Bench::new(&db).await, Repository::new());
        let credentials = provider(&bench, repository.open(), None);
        let mut cert = create("alice", "cert", "secret-\u{e9}");
        cert.credential.extra.insert("colour".to_owned(), json!("red"));

        let made = credentials.send(cert).await.unwrap();

        let read = credentials.read(get(&made.id)).await.unwrap();
        assert_eq!(text(&read), "secret-\u{e9}");
        assert_eq!((read.user_id.as_str(), read.kind.as_str()), ("alice", "cert"));
        assert_eq!((read.project_id, &read.extra["colour"]), (Some("p".into()), &json!("red")));
        let (stored, key_hash) = row(&bench.pool("look"), &made.id).await;
        assert!(!stored.contains("secret"));
        // As Python's Fernet writes it: base64 with padding, of version 0x80.
        assert!(stored.starts_with("gAAAAA") && stored.len() % 4 == 0, "{stored}");
        assert_eq!(key_hash, repository.primary_hash());
    }

    async fn an_ec2_credential_is_found_by_its_access_key_and_there_is_one_of_each(db: TestDb) {
        let (bench, repository) = (Bench::new(&db).await, Repository::new());
        let credentials = provider(&bench, repository.open(), None);
        let blob = r#"{"access": "key", "secret": "s"}"#;

        credentials.send(create("alice", "ec2", blob)).await.unwrap();

        let found = credentials.read(get(&ec2_id("key"))).await.unwrap();
        assert_eq!(text(&found), blob);
        let key = found.ec2_key().unwrap();
        assert_eq!((key.access.as_str(), key.secret.expose_secret()), ("key", "s"));
        let again = credentials.send(create("bob", "ec2", blob)).await;
        assert!(matches!(again, Err(Error::Duplicate(_))));
        credentials.send(DeleteCredential { id: ec2_id("key") }).await.unwrap();
        assert!(matches!(credentials.read(get(&ec2_id("key"))).await, Err(Error::NotFound(_))));
        // Another's now, and what was cached of the first is not told.
        credentials.send(create("bob", "ec2", blob)).await.unwrap();
        assert_eq!(credentials.read(get(&ec2_id("key"))).await.unwrap().user_id, UserId::from("bob"));
    }

    async fn only_the_secret_changes_and_at_once(db: TestDb) {
        let (bench, repository) = (Bench::new(&db).await, Repository::new());
        let credentials = provider(&bench, repository.open(), None);
        let id = credentials.send(create("alice", "cert", "old")).await.unwrap().id;
        credentials.read(get(&id)).await.unwrap(); // cached from here on

        credentials.send(update(&id, "new")).await.unwrap();

        assert_eq!(text(&credentials.read(get(&id)).await.unwrap()), "new");
        let ec2 = credentials.send(create("alice", "ec2", r#"{"access": "a"}"#)).await.unwrap().id;
        let forged = credentials.send(update(&ec2, r#"{"access": "a", "trust_id": "t"}"#)).await;
        assert!(matches!(forged, Err(Error::Blob(BlobFault::Fixed("trust_id")))));
        assert!(matches!(credentials.send(update(&"unknown".into(), "x")).await, Err(Error::NotFound(_))));
    }

    async fn a_user_has_no_more_credentials_than_the_limit(db: TestDb) {
        let (bench, repository) = (Bench::new(&db).await, Repository::new());
        let credentials = provider(&bench, repository.open(), Some(2));
        for _ in 0..2 {
            credentials.send(create("alice", "cert", "x")).await.unwrap();
        }
        assert!(matches!(credentials.send(create("alice", "cert", "x")).await, Err(Error::LimitExceeded(2))));
        assert!(credentials.send(create("bob", "cert", "x")).await.is_ok());
    }

    async fn a_list_holds_what_its_filters_let_through(db: TestDb) {
        let (bench, repository) = (Bench::new(&db).await, Repository::new());
        let credentials = provider(&bench, repository.open(), None);
        for (user, kind) in [("alice", "cert"), ("alice", "totp"), ("bob", "cert")] {
            credentials.send(create(user, kind, SECRET)).await.unwrap();
        }
        let listed = async |filter: CredentialFilter| {
            let found = credentials.read(ListCredentials { filter }).await.unwrap();
            let opener = credentials.read(GetOpener).await.unwrap();
            let opened: Vec<_> = found.iter().map(|one| opener.open(one).unwrap()).collect();
            assert!(opened.iter().all(|one| text(one) == SECRET));
            let mut named: Vec<_> = opened.into_iter().map(|one| format!("{}'s {}", one.user_id, one.kind)).collect();
            named.sort();
            named
        };
        let kinds = |comparator, value: &str| CredentialFilter {
            kinds: vec![TextFilter { comparator, ignore_case: true, value: value.to_owned() }],
            ..CredentialFilter::default()
        };

        assert_eq!(listed(CredentialFilter::default()).await, ["alice's cert", "alice's totp", "bob's cert"]);
        assert_eq!(listed(CredentialFilter::of_user(&"alice".into(), None)).await, ["alice's cert", "alice's totp"]);
        assert_eq!(listed(CredentialFilter::of_user(&"alice".into(), Some("totp"))).await, ["alice's totp"]);
        assert_eq!(listed(kinds(crate::listing::Comparator::Contains, "OT")).await, ["alice's totp"]);
    }

    async fn after_a_rotation_all_are_encrypted_anew_and_what_servers_remember_too(db: TestDb) {
        let (bench, repository) = (Bench::new(&db).await, Repository::new());
        let keys = repository.open();
        let credentials = provider(&bench, Arc::clone(&keys), None);
        let mut ids = Vec::new();
        for number in 0..150 {
            ids.push(credentials.send(create("alice", "cert", &number.to_string())).await.unwrap().id);
        }
        let pool = bench.pool("command");
        repository.keys().rotate().unwrap();
        let primary = repository.primary_hash();
        assert_eq!(count_under_other_keys(&pool, &primary).await.unwrap(), 150);

        assert_eq!(migrate(&pool, &repository.open(), NOW).await.unwrap(), 150);

        assert_eq!(count_under_other_keys(&pool, &primary).await.unwrap(), 0);
        assert_eq!(migrate(&pool, &repository.open(), NOW).await.unwrap(), 0);
        assert!(keys.refresh().unwrap());
        assert_eq!(text(&credentials.read(get(&ids[149])).await.unwrap()), "149");
    }

    async fn a_lost_key_is_an_error_that_names_the_key(db: TestDb) {
        let (bench, repository, other) = (Bench::new(&db).await, Repository::new(), Repository::new());
        let lost = repository.primary_hash();
        let id = provider(&bench, repository.open(), None).send(create("alice", "totp", SECRET)).await.unwrap().id;
        let credentials = provider(&bench, other.open(), None);

        let error = credentials.read(get(&id)).await.unwrap_err();

        assert!(error.to_string().contains(&lost) && error.to_string().contains(id.as_str()), "{error}");
        let failed = migrate(&bench.pool("command"), &other.open(), NOW).await.unwrap_err();
        assert!(failed.to_string().contains(&lost), "{failed}");
        assert_eq!(credentials.send(passcode("alice", PASSCODE, NOW)).await.unwrap(), TotpVerdict::Wrong);
        // Without its key it is known whose it is, and it can be got rid of.
        let described = credentials.read(DescribeCredential { id: id.clone() }).await.unwrap();
        assert_eq!(described.user_id, UserId::from("alice"));
        credentials.send(DeleteCredential { id }).await.unwrap();
    }

    async fn without_keys_nothing_is_stored_and_nothing_else_fails(db: TestDb) {
        let bench = Bench::new(&db).await;
        let keys = CredentialKeys::of(KeyRepository::new(Path::new("/nonexistent"), 3));
        let credentials = provider(&bench, Arc::new(keys), None);

        let error = credentials.send(create("alice", "cert", "x")).await.unwrap_err();

        assert!(error.to_string().contains("keystone-ng credential setup"), "{error}");
        let none = credentials.read(ListCredentials { filter: CredentialFilter::default() }).await.unwrap();
        assert!(none.is_empty());
        assert_eq!(credentials.send(passcode("alice", PASSCODE, NOW)).await.unwrap(), TotpVerdict::Wrong);
    }

    async fn a_passcode_is_good_once_on_all_nodes(db: TestDb) {
        let (bench, repository) = (Bench::new(&db).await, Repository::new());
        let (here, there) = (provider(&bench, repository.open(), None), {
            let second = Bench::second_node(&db);
            provider(&second, repository.open(), None)
        });
        here.send(create("alice", "totp", SECRET)).await.unwrap();
        here.send(create("bob", "totp", SECRET)).await.unwrap();
        let verdict = async |node: &Handle<CredentialProvider>, user: &str, code: &str, now| {
            node.send(passcode(user, code, now)).await.unwrap()
        };

        assert_eq!(verdict(&here, "alice", "000000", NOW).await, TotpVerdict::Wrong);
        assert_eq!(verdict(&here, "alice", PASSCODE, NOW).await, TotpVerdict::Accepted);
        assert_eq!(verdict(&here, "alice", PASSCODE, NOW).await, TotpVerdict::Used);
        assert_eq!(verdict(&there, "alice", PASSCODE, NOW + 30).await, TotpVerdict::Used);
        // The next one (of RFC 6238 too), and then no more the one before it.
        assert_eq!(verdict(&there, "alice", "050471", NOW + 2).await, TotpVerdict::Accepted);
        assert_eq!(verdict(&here, "alice", PASSCODE, NOW + 2).await, TotpVerdict::Used);
        assert_eq!(verdict(&there, "bob", PASSCODE, NOW).await, TotpVerdict::Accepted);
        assert_eq!(verdict(&here, "carol", PASSCODE, NOW).await, TotpVerdict::Wrong);
    }

    async fn of_many_that_show_a_passcode_at_once_one_is_accepted(db: TestDb) {
        let (bench, repository) = (Bench::new(&db).await, Repository::new());
        let credentials = provider(&bench, repository.open(), None);
        credentials.send(create("alice", "totp", SECRET)).await.unwrap();

        let tries = (0..8).map(|_| credentials.send(passcode("alice", PASSCODE, NOW)));
        let verdicts = futures_util::future::join_all(tries).await;

        let accepted = verdicts.into_iter().filter(|one| matches!(one, Ok(TotpVerdict::Accepted)));
        assert_eq!(accepted.count(), 1);
    }

    async fn credentials_go_with_their_user_and_with_their_project(db: TestDb) {
        let bench = Bench::new(&db).await;
        for (id, user, project) in [("a", "alice", "p"), ("b", "bob", "p"), ("c", "bob", "q")] {
            db.execute(&format!(
                "INSERT INTO credential (id, user_id, project_id, encrypted_blob, type, key_hash, extra) \
                 VALUES ('{id}', '{user}', '{project}', 'x', 'cert', 'k', '{{}}')"
            )).await;
        }
        let pool = bench.pool("other");

        let of_user = with_users(&pool, &["alice", "nobody"]).await;
        let of_project = with_project(&pool, "p").await;

        assert_eq!(of_user, [Entity::new(Kind::Credential, "a")]);
        assert_eq!(of_project, [Entity::new(Kind::Credential, "b")]);
        assert_eq!(count_under_other_keys(&pool, "other").await.unwrap(), 1);
    }
}

async fn with_users(pool: &Db, ids: &[&str]) -> Vec<Entity> {
    let ids: Vec<String> = ids.iter().map(|&id| id.to_owned()).collect();
    transaction!(pool, |conn| Ok::<_, Error>(
        delete_of_users(conn, &ids).await?
    ))
    .unwrap()
}

async fn with_project(pool: &Db, id: &str) -> Vec<Entity> {
    transaction!(pool, |conn| Ok::<_, Error>(
        delete_of_projects(conn, &[id.to_owned()]).await?
    ))
    .unwrap()
}

/// What is stored of a secret, and the hash of the key.
async fn row(pool: &Db, id: &CredentialId) -> (String, String) {
    use diesel::prelude::*;
    use diesel_async::RunQueryDsl;

    use crate::db::schema::credential;
    crate::with_conn!(pool, |conn| {
        credential::table
            .find(id.as_str())
            .select((credential::encrypted_blob, credential::key_hash))
            .first(conn)
            .await
            .map_err(Error::from)
    })
    .unwrap()
}
