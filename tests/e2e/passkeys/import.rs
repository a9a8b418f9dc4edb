//! `passkeys import`: users of another implementation go on with their authenticators.

use std::path::Path;
use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{log_in, world};
use crate::support::passkey::Authenticator;
use crate::support::{Cloud, Options, seed};
use crate::testdb::{Backend, TestDb};

const CAROL: &str = "2fd93ac2d0f04c4f9b1b8a4f2e0d7c11";
const TABLE: &str = "CREATE TABLE webauthn_credential (
    user_id varchar(64) NOT NULL, credential_id varchar(1024) NOT NULL PRIMARY KEY,
    description varchar(64), passkey text NOT NULL, counter bigint NOT NULL, type varchar(25) NOT NULL,
    aaguid varchar(36), created_at datetime NOT NULL, last_used_at datetime, last_updated_at datetime)";

/// Registers an authenticator there.
async fn register_elsewhere(db: &TestDb, user: &str, kind: &str) -> Authenticator {
    let mut authenticator = Authenticator::new();
    let handle = uuid::Uuid::try_parse(user).unwrap();
    let passkey = authenticator.stored_elsewhere(handle.as_bytes());
    let passkey = passkey.to_string().replace("ES256", kind);
    let id = URL_SAFE_NO_PAD.encode(&authenticator.raw_id);
    db.execute(&format!(
        "INSERT INTO webauthn_credential VALUES ('{user}', '{id}', 'old', '{passkey}', 0,
         'cross-platform', NULL, '2026-06-01 00:00:00', NULL, NULL)"
    ))
    .await;
    authenticator
}

/// Exit code, standard output and standard error of the import.
fn import(config: &Path, options: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Cloud::command(&["passkeys", "import", "--config-file"]);
    let Output {
        status,
        stdout,
        stderr,
    } = command.arg(config).args(options).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

on_sqlite! {
    async fn an_imported_passkey_logs_in(db: TestDb) {
        let cloud = world(&db).seed(seed::user(CAROL, "default", true)).start().await;
        db.execute(TABLE).await;
        let mut old = register_elsewhere(&db, CAROL, "ES256").await;
        register_elsewhere(&db, "00000000000000000000000000000001", "ES256").await;

        let (code, _, said) = import(&cloud.config_file(), &["--dry-run"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("1 would be imported") && said.contains("nothing was written"), "{said}");
        log_in(cloud.api(), &mut old).await.expect(401);
        let (code, out, said) = import(&cloud.config_file(), &[]);
        assert_eq!((code, out.as_str()), (Some(0), ""), "{said}");
        assert!(said.contains("2 passkeys: 1 imported, 0 here already, 1 of users who are gone"), "{said}");

        // The server runs all the while.
        let token = log_in(cloud.api(), &mut old).await.expect(201).json()["token"].clone();
        assert_eq!(token["user"]["id"], CAROL);
        let (code, _, said) = import(&cloud.config_file(), &[]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("1 here already") && said.contains("nothing has changed"), "{said}");
    }

    async fn passkeys_are_imported_from_another_database_and_those_that_can_not_be_are_named(db: TestDb) {
        let cloud = world(&db).seed(seed::user(CAROL, "default", true)).start().await;
        let other = TestDb::create(Backend::Sqlite).await.unwrap();
        other.execute(TABLE).await;
        let mut old = register_elsewhere(&other, CAROL, "ES256").await;
        let bad = register_elsewhere(&other, CAROL, "EDDSA").await;

        let (code, out, said) = import(&cloud.config_file(), &["--from", other.url()]);

        assert_eq!(code, Some(3), "{said}");
        let id = URL_SAFE_NO_PAD.encode(&bad.raw_id);
        assert!(out.starts_with(&format!("{id} of user {CAROL}: its algorithm is EDDSA")), "{out}");
        assert_eq!(out.lines().count(), 1, "{out}");
        assert!(said.contains("1 passkey can't be used"), "{said}");
        log_in(cloud.api(), &mut old).await.expect(201);
        assert_eq!(other.number("SELECT COUNT(*) FROM webauthn_credential").await, 2);
    }

    async fn an_import_that_can_not_be_says_what_it_lacks(db: TestDb) {
        let mut cloud = world(&db).prepare().await;

        let (code, _, said) = import(&cloud.config_file(), &[]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("no table webauthn_credential") && said.contains("--from"), "{said}");
        let (code, _, said) = import(&cloud.config_file(), &["--from", "sqlite:////nonexistent/file"]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("/nonexistent/file"), "{said}");
        let (code, _, said) = import(&cloud.config_file(), &["--from", "oracle://a:secret@b/c"]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("--from") && !said.contains("secret"), "{said}");
        cloud.set("webauthn", "enabled", false);
        let (code, _, said) = import(&cloud.config_file(), &[]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("relying_party_id"), "{said}");
        let empty = db.scratch().join("empty.conf");
        let options = crate::support::passkey::enabled()
            .set("database", "connection", format!("sqlite:///{}/none.sqlite", db.scratch().display()));
        std::fs::write(&empty, Options::ini(&options)).unwrap();
        let (code, _, said) = import(&empty, &[]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("db sync"), "{said}");
    }
}
