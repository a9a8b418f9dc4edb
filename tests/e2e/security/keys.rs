//! C3: key files, from outside.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use crate::support::cloud::Builder;
use crate::support::{Cloud, Options, Scope};
use crate::testdb::each_database;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// What a command says to this server's configuration.
fn say(cloud: &Cloud<'_>, command: &str) -> Output {
    let mut command = Cloud::command(&[command]);
    command.arg("--config-file").arg(cloud.config_file());
    command.output().unwrap()
}

each_database! {
    async fn c3_a_looser_mode_is_reported_at_the_start_and_by_doctor(db: TestDb) {
        let mut cloud = Builder::new(&db).start().await;
        assert!(!cloud.log().contains("chmod"), "{}", cloud.log());
        cloud.stop().await;
        let keys = db.scratch().join("fernet-keys");
        let primary = keys.join("1");
        set_mode(&primary, 0o644);
        set_mode(&keys, 0o755);

        cloud.start_again().await;

        for (path, due) in [(&primary, "0600"), (&keys, "0700")] {
            let advice = format!("chmod {due} {}", path.display());
            cloud.until_logged(&[&advice]).await;
            let report = say(&cloud, "doctor");
            let report = String::from_utf8_lossy(&report.stdout).into_owned();
            assert!(report.contains(&advice), "{report}");
        }
        cloud.api().admin().await;
    }

    async fn c3_the_null_key_stops_the_start(db: TestDb) {
        let mut cloud = Builder::new(&db).start().await;
        cloud.stop().await;
        let primary = db.scratch().join("fernet-keys/1");
        fs::write(&primary, format!("{}=", "A".repeat(43))).unwrap();

        let output = say(&cloud, "serve");

        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let why = String::from_utf8_lossy(&output.stderr);
        assert!(why.contains(primary.to_str().unwrap()), "{why}");
        assert!(!why.contains("AAAA"), "{why}");
    }

    async fn c3_rotations_under_load_fail_nobody(db: TestDb) {
        let options = || Options::default().set("fernet_tokens", "max_active_keys", 3);
        let cloud = Builder::new(&db).options(options()).start().await;
        let other = cloud.start_node(options()).await;
        let mut session = cloud.api().admin().await;

        for round in 1..=4 {
            cloud.run(&["fernet", "rotate"], &[]);
            // From before the first of the two has seen the new keys until after the last has: then,
            // as operators are told, the next rotation may come.
            loop {
                let seen = |node: &Cloud<'_>| node.log().matches(r#"keys reloaded what="token""#).count() >= round;
                let done = seen(&cloud) && seen(&other);
                for (issuer, judge) in [(&cloud, &other), (&other, &cloud)] {
                    let fresh = issuer.api().login("admin", Scope::System).await;
                    assert_eq!(fresh.at(judge.api()).check(fresh.token()).await.status(), 200, "{round}");
                    assert_eq!(session.at(judge.api()).check(session.token()).await.status(), 200, "{round}");
                    if done {
                        session = fresh;
                    }
                }
                if done {
                    break;
                }
            }
        }
    }
}
