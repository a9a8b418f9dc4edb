//! What changes without a restart, and that nothing else does.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use rustix::process::Signal;

use crate::support::cloud::Builder;
use crate::support::{Cloud, Scope, Session};

/// Lets `admin` validate its token over and over, until told to stop. Gives how often; each time it
/// has to be good.
fn keep_asking(admin: Session) -> (Rc<Cell<bool>>, actix_rt::task::JoinHandle<usize>) {
    let stop = Rc::new(Cell::new(false));
    let stopped = Rc::clone(&stop);
    let asking = actix_rt::spawn(async move {
        let mut asked = 0;
        while !stopped.get() {
            admin.validate(admin.token()).await.expect(200);
            asked += 1;
        }
        asked
    });
    (stop, asking)
}

/// Waits until a validation of the own token is answered so.
async fn until_validation_is(admin: &Session, status: u16) {
    while admin.validate(admin.token()).await.status() != status {
        actix_rt::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Asks for what policy refuses, which is a detail of the log.
async fn be_refused(cloud: &Cloud<'_>) {
    let nobody = cloud.api().login("admin", Scope::Unscoped).await;
    nobody.get("/v3/OS-REVOKE/events").await.expect(403);
}

/// Writes a file whole: who reads it meanwhile reads the old one.
fn replace(file: &Path, text: &str) {
    let fresh = file.with_extension("fresh");
    fs::write(&fresh, text).unwrap();
    fs::rename(&fresh, file).unwrap();
}

/// Sends SIGHUP, and waits until the log says that it was done.
async fn hang_up(cloud: &Cloud<'_>) {
    let count =
        |log: String| log.matches("reloaded in part").count() + log.matches(" reloaded\n").count();
    let before = count(cloud.log());
    cloud.signal(Signal::HUP);
    while count(cloud.log()) == before {
        actix_rt::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

on_sqlite! {
    async fn a_reload_under_load_drops_no_request(db: TestDb) {
        let cloud = Builder::new(&db).set("fernet_tokens", "max_active_keys", 10).start().await;
        let load: Vec<_> = {
            let mut load = Vec::new();
            for _ in 0..4 {
                load.push(keep_asking(cloud.api().admin().await));
            }
            load
        };

        for round in 0..4 {
            cloud.run(&["fernet", "rotate"], &[]);
            replace(&cloud.folder().join("policy.yaml"), &format!("\"x\": \"@\" # {round}\n"));
            hang_up(&cloud).await;
        }

        for (stop, asking) in load {
            stop.set(true);
            assert!(asking.await.unwrap() > 0);
        }
        assert!(!cloud.log().contains("ERROR"), "{}", cloud.log());
    }

    async fn new_keys_are_seen_without_being_asked_to(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        let before = cloud.api().admin().await;

        cloud.run(&["fernet", "rotate"], &[]);

        cloud.until_logged(&["keys reloaded", "token"]).await;
        let after = cloud.api().admin().await;
        after.validate(before.token()).await.expect(200);
    }

    async fn a_policy_that_cannot_be_read_leaves_the_old_one_and_is_reported_once(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        let admin = cloud.api().admin().await;
        let file = cloud.folder().join("policy.yaml");
        replace(&file, "\"identity:validate_token\": \"!\"\n");
        hang_up(&cloud).await;
        admin.validate(admin.token()).await.expect(403);

        replace(&file, "\"identity:validate_token\": \"((\"\n");
        cloud.until_logged(&["ERROR", "policy", "it stays as it was"]).await;
        admin.validate(admin.token()).await.expect(403);

        replace(&file, "\"identity:validate_token\": \"@\"\n");
        until_validation_is(&admin, 200).await;
        assert_eq!(cloud.log().matches("it stays as it was").count(), 1, "{}", cloud.log());
    }

    async fn files_of_policy_dirs_count_more_and_a_policy_that_is_taken_away_is_missed(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        let admin = cloud.api().admin().await;
        let (file, dir) = (cloud.folder().join("policy.yaml"), cloud.folder().join("policy.d"));
        fs::create_dir(&dir).unwrap();
        replace(&file, "\"identity:validate_token\": \"!\"\n");
        until_validation_is(&admin, 403).await;

        replace(&dir.join("10.json"), "{\"identity:validate_token\": []}\n");
        until_validation_is(&admin, 200).await;
        fs::remove_file(dir.join("10.json")).unwrap();
        until_validation_is(&admin, 403).await;
        fs::remove_file(&file).unwrap();
        until_validation_is(&admin, 200).await;

        cloud.until_logged(&["WARN", "the policy file is gone"]).await;
    }

    async fn keys_that_cannot_be_read_leave_the_old_ones_and_are_reported_once(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        let admin = cloud.api().admin().await;
        let keys = db.scratch().join("fernet-keys");

        let elsewhere = db.scratch().join("7");
        fs::write(&elsewhere, "no key\n").unwrap();
        fs::rename(&elsewhere, keys.join("7")).unwrap();

        cloud.until_logged(&["ERROR", "token keys", "it stays as it was"]).await;
        cloud.until_logged(&["ERROR", "receipt keys", "it stays as it was"]).await;
        let later = cloud.api().admin().await;
        admin.validate(later.token()).await.expect(200);
        // Asked for, it is said again.
        hang_up(&cloud).await;
        assert_eq!(cloud.log().matches("it stays as it was").count(), 4, "{}", cloud.log());
    }

    async fn levels_change_on_sighup_and_what_needs_a_restart_is_named(db: TestDb) {
        let mut cloud = Cloud::start(&db).await;
        cloud.api().admin().await;
        assert!(!cloud.log().contains(" DEBUG "), "{}", cloud.log());

        cloud.set("DEFAULT", "debug", true);
        cloud.set("token", "expiration", 60);
        cloud.set("database", "connection", "sqlite:////nowhere/secret-name");
        hang_up(&cloud).await;

        cloud.until_logged(&[" INFO ", "an option has changed", "[DEFAULT] debug"]).await;
        cloud.until_logged(&[" WARN ", "restart", "[token] expiration"]).await;
        cloud.until_logged(&[" WARN ", "restart", "[database] connection"]).await;
        let log = cloud.log();
        assert_eq!(log.matches("restart to use it").count(), 2, "{log}");
        assert!(!log.contains("secret-name"), "{log}");
        be_refused(&cloud).await;
        cloud.until_logged(&[" DEBUG ", "policy refuses"]).await;

        cloud.set("DEFAULT", "default_log_levels", "keystone=ERROR");
        cloud.signal(Signal::HUP);
        for tries in 0.. {
            let before = cloud.log();
            be_refused(&cloud).await;
            if cloud.log() == before {
                break;
            }
            assert!(tries < 100, "it goes on to log: {}", cloud.log());
        }
    }

    async fn levels_change_when_keystone_conf_does(db: TestDb) {
        let mut cloud = Cloud::start(&db).await;
        be_refused(&cloud).await;
        assert!(!cloud.log().contains(" DEBUG "), "{}", cloud.log());

        cloud.set("DEFAULT", "debug", true);
        cloud.set("token", "expiration", 60);

        cloud.until_logged(&[" INFO ", "an option has changed", "[DEFAULT] debug"]).await;
        be_refused(&cloud).await;
        cloud.until_logged(&[" DEBUG ", "policy refuses"]).await;
        // Nobody asked what a restart would change.
        assert!(!cloud.log().contains("restart to use it"), "{}", cloud.log());
    }

    async fn a_configuration_that_cannot_be_read_leaves_everything_as_it_was(db: TestDb) {
        let mut cloud = Builder::new(&db).set("DEFAULT", "debug", true).start().await;

        cloud.set("DEFAULT", "debug", "perhaps");
        hang_up(&cloud).await;

        let line = cloud.until_logged(&["ERROR", "configuration", "it stays as it was"]).await;
        assert!(line.contains("debug") && line.contains("perhaps"), "{line}");
        be_refused(&cloud).await;
        cloud.until_logged(&[" DEBUG ", "policy refuses"]).await;
    }
}
