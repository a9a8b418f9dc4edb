//! The log, in both notations and in both places.

use awc::http::Method;
use rustix::process::Signal;
use serde_json::Value;

use crate::support::cloud::Builder;
use crate::support::{Cloud, until};

const GLOBAL: &str = "req-0a1b2c3d-0000-4000-8000-0123456789ab";

/// A request of the admin's about its own token; gives the request's ID, the user's and the
/// project's.
async fn ask(cloud: &Cloud<'_>) -> [String; 3] {
    let admin = cloud.api().admin().await;
    let answer = admin
        .request(Method::GET, "/v3/auth/tokens")
        .subject(admin.token())
        .header("X-Openstack-Request-Id", GLOBAL)
        .send()
        .await
        .expect(200);
    [
        answer.header("x-openstack-request-id").unwrap().to_owned(),
        admin.text("/user/id").to_owned(),
        admin.text("/project/id").to_owned(),
    ]
}

on_sqlite! {
    async fn a_request_is_a_line_of_text(db: TestDb) {
        let cloud = Cloud::start(&db).await;

        let [id, user, project] = ask(&cloud).await;

        let line = cloud.until_logged(&[&id, "answered"]).await;
        for part in [
            " INFO ",
            &format!("request.id={id}"),
            &format!("request.global_id={GLOBAL:?}"),
            &format!("user.id={user:?}"),
            &format!("project.id={project:?}"),
            "method=GET",
            "route=\"/v3/auth/tokens\"",
            "status=200",
            "duration_ms=",
            "client=127.0.0.1",
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
        let of_it = cloud.log().lines().filter(|line| line.contains(&id)).count();
        assert_eq!(of_it, 1, "one line a request");
    }

    async fn or_an_object_of_json(db: TestDb) {
        let cloud = Builder::new(&db).set("observability", "log_format", "json").start().await;

        let [id, user, project] = ask(&cloud).await;

        let line = cloud.until_logged(&[&id, "answered"]).await;
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["message"], "answered");
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["request.id"], id);
        assert_eq!(line["request.global_id"], GLOBAL);
        assert_eq!(line["user.id"], user);
        assert_eq!(line["project.id"], project);
        assert_eq!(line["method"], "GET");
        assert_eq!(line["route"], "/v3/auth/tokens");
        assert_eq!(line["status"], 200);
        assert_eq!(line["client"], "127.0.0.1");
        assert!(line["duration_ms"].as_f64().unwrap() > 0.0);
        assert!(chrono::DateTime::parse_from_rfc3339(line["timestamp"].as_str().unwrap()).is_ok());
        for line in cloud.log().lines() {
            assert!(serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object()), "{line}");
        }
    }

    async fn a_warning_names_its_request_where_nothing_less_is_logged(db: TestDb) {
        let cloud = Builder::new(&db)
            .set("DEFAULT", "default_log_levels", "keystone=WARNING")
            .set("observability", "slow_request", "0")
            .start()
            .await;

        let [id, user, _] = ask(&cloud).await;

        let line = cloud.until_logged(&[" WARN ", &id, "answered"]).await;
        assert!(line.contains(&format!("user.id={user:?}")), "{line}");
        assert!(!cloud.log().contains(" INFO "), "{}", cloud.log());
    }

    async fn who_logs_in_is_in_the_line_and_no_secret_is(db: TestDb) {
        let cloud = Builder::new(&db).set("DEFAULT", "debug", true).start().await;
        let admin = cloud.api().admin().await;
        admin.validate(admin.token()).await.expect(200);

        let line = cloud.until_logged(&["answered", "method=POST", "status=201"]).await;

        assert!(line.contains(admin.text("/user/id")) && line.contains(admin.text("/project/id")), "{line}");
        let log = cloud.log();
        assert!(log.contains("DEBUG"), "{log}");
        for secret in [admin.token(), crate::support::login::PASSWORD] {
            assert!(!log.contains(secret), "{log}");
        }
    }

    async fn a_log_file_that_was_moved_away_is_opened_anew_on_sighup(db: TestDb) {
        let logs = db.scratch().join("logs");
        std::fs::create_dir(&logs).unwrap();
        let cloud = Builder::new(&db)
            .set("DEFAULT", "log_dir", logs.display())
            .set("DEFAULT", "log_file", "keystone.log")
            .start()
            .await;
        let file = logs.join("keystone.log");
        let read = |name: &str| std::fs::read_to_string(logs.join(name)).unwrap_or_default();
        let logged = async |part: &str| until(part, async || read("keystone.log").contains(part)).await;
        logged("listening").await;
        assert!(!cloud.log().contains("listening"));

        std::fs::rename(&file, logs.join("keystone.log.1")).unwrap();
        cloud.signal(Signal::HUP);

        logged("reloaded").await;
        let [id, ..] = ask(&cloud).await;
        logged(&id).await;
        assert!(!read("keystone.log.1").contains(&id));
    }

    async fn with_a_directory_alone_the_file_has_the_programs_name_and_stderr_may_have_it_too(db: TestDb) {
        let cloud = Builder::new(&db)
            .set("DEFAULT", "log_dir", db.scratch().display())
            .set("DEFAULT", "use_stderr", true)
            .set("DEFAULT", "use_json", true)
            .start()
            .await;

        cloud.until_logged(&["\"listening\""]).await;

        let file = std::fs::read_to_string(db.scratch().join("keystone-ng.log")).unwrap();
        assert!(file.contains("\"listening\""), "{file}");
    }

    async fn what_python_keystone_would_log_elsewhere_is_warned_about(db: TestDb) {
        let cloud = Builder::new(&db)
            .set("DEFAULT", "use_syslog", true)
            .set("DEFAULT", "log_config_append", "/etc/keystone/logging.conf")
            .set("DEFAULT", "use_journal", false)
            .start()
            .await;

        cloud.until_logged(&["use_syslog", "standard error"]).await;
        cloud.until_logged(&["log_config_append"]).await;
        assert!(!cloud.log().contains("use_journal"), "{}", cloud.log());
    }
}
