//! What `doctor` finds out about tables and keys of some age.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::support::cloud::Builder;
use crate::support::{Cloud, passkey};
use crate::testdb::each_database;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Its exit code, and what it found: check, level, and message with advice.
fn doctor(cloud: &Cloud<'_>) -> (Option<i32>, Vec<[String; 3]>) {
    let output = Cloud::command(&["doctor", "--json", "--config-file"])
        .arg(cloud.config_file())
        .output()
        .unwrap();
    let told: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    let found = told["findings"].as_array().unwrap().iter().map(|one| {
        let said = format!("{} -> {}", text(one, "message"), text(one, "advice"));
        [text(one, "check"), text(one, "level"), said]
    });
    (output.status.code(), found.collect())
}

/// Whether it found this, and said all of these of it.
#[track_caller]
fn assert_found(found: &[[String; 3]], check: &str, level: &str, parts: &[&str]) {
    let is = |[name, how, said]: &[String; 3]| {
        name == check && how == level && parts.iter().all(|part| said.contains(part))
    };
    assert!(found.iter().any(is), "{check} {level} {parts:?}: {found:?}");
}

/// Makes all keys of a repository so many days older.
fn grow_old(keys: &Path, days: u32) {
    for entry in fs::read_dir(keys).unwrap() {
        let file = File::options()
            .write(true)
            .open(entry.unwrap().path())
            .unwrap();
        file.set_modified(SystemTime::now() - DAY * days).unwrap();
    }
}

each_database! {
    async fn doctor_names_each_column_that_was_altered(db: TestDb) {
        let cloud = Builder::new(&db).prepare().await;
        let (_, found) = doctor(&cloud);
        assert_found(&found, "tables", "ok", &["with the columns"]);
        for statement in [
            r#"ALTER TABLE "user" RENAME COLUMN created_at TO made_at"#,
            "DROP TABLE ng_totp_use",
            "CREATE TABLE somebodys (id INTEGER)",
        ] {
            db.execute(statement).await;
        }

        let (code, found) = doctor(&cloud);

        assert_eq!(code, Some(3), "{found:?}");
        assert_found(&found, "tables", "fail", &["user.created_at is missing -> undo", "release 30"]);
        assert_found(&found, "tables", "fail", &["the table ng_totp_use is missing -> undo"]);
        assert!(!found.iter().any(|[.., said]| said.contains("somebodys")), "{found:?}");
    }

    async fn doctor_tells_tables_of_another_release(db: TestDb) {
        let cloud = Builder::new(&db).prepare().await;
        let newer = "UPDATE alembic_version SET version_num = 'feedfacecafe' WHERE version_num LIKE '7%'";
        db.execute(newer).await;

        let (code, found) = doctor(&cloud);

        assert_eq!(code, Some(3), "{found:?}");
        let due = ["another release", "feedfacecafe", "keystone-manage db_sync"];
        assert_found(&found, "tables", "fail", &due);
    }

    async fn doctor_tells_of_a_federation_protocol_that_is_called_as_passkeys_are_in_tokens(db: TestDb) {
        let options = passkey::enabled().set("auth", "methods", "external,password,token,x509");
        let cloud = Builder::new(&db).options(options).prepare().await;
        let is_told = |found: &[[String; 3]]| found.iter().any(|[.., said]| said.contains("federation protocol"));
        let (_, found) = doctor(&cloud);
        assert!(!is_told(&found), "{found:?}");
        assert_found(&found, "passkeys", "ok", &["tokens say x509"]);

        for statement in [
            "INSERT INTO identity_provider (id, enabled, domain_id) VALUES ('idp', true, 'default')",
            "INSERT INTO mapping (id, rules, schema_version) VALUES ('m', '[]', '1.0')",
            "INSERT INTO federation_protocol (id, idp_id, mapping_id) VALUES ('x509', 'idp', 'm')",
        ] {
            db.execute(statement).await;
        }

        let (_, found) = doctor(&cloud);
        assert_found(&found, "passkeys", "warn", &["federation protocol x509", "-> call it otherwise"]);
    }

    async fn doctor_tells_how_old_keys_are_and_what_a_rotation_would_cost(db: TestDb) {
        let cloud = Builder::new(&db).prepare().await;
        let keys = db.scratch().join("fernet-keys");
        let (_, found) = doctor(&cloud);
        assert_found(&found, "token keys", "ok", &["made ", " min ago, and never rotated"]);

        grow_old(&keys, 100);
        grow_old(&db.scratch().join("credential-keys"), 100);
        let (code, found) = doctor(&cloud);
        assert_eq!(code, Some(0), "{found:?}");
        assert_found(&found, "token keys", "warn", &["made 100 days ago", "-> rotate"]);
        // What they encrypt does not end.
        assert_found(&found, "credential keys", "ok", &["made 100 days ago"]);

        for _ in 0..2 {
            cloud.run(&["fernet", "rotate"], &[]);
        }
        let (_, found) = doctor(&cloud);
        assert_found(&found, "token keys", "ok", &["rotated ", " min ago"]);
        assert_found(&found, "token keys", "ok", &["not to be rotated for another 49 h", "key 2"]);

        fs::remove_file(keys.join("0")).unwrap();
        let (_, found) = doctor(&cloud);
        assert_found(&found, "token keys", "warn", &["no key is staged", "rotate"]);
    }

    async fn doctor_tells_too_few_and_too_many_keys_and_one_that_everybody_knows(db: TestDb) {
        let mut cloud = Builder::new(&db).set("fernet_tokens", "max_active_keys", 6).prepare().await;
        for _ in 0..4 {
            cloud.run(&["fernet", "rotate"], &[]);
        }
        cloud.set("fernet_tokens", "max_active_keys", 2);
        cloud.set("credential_ng", "insecure_allow_null_key", true);

        let (_, found) = doctor(&cloud);

        assert_found(&found, "token keys", "warn", &["max_active_keys is 2", "-> set it to 3"]);
        assert_found(&found, "token keys", "warn", &["there are 6", "-> make max_active_keys the same"]);
        assert_found(&found, "credential keys", "warn", &["insecure_allow_null_key", "credential migrate"]);
    }
}
