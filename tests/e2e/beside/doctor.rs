//! `doctor --peer`, before Keystone-NG is put beside a Python Keystone.

use serde_json::Value;

use super::behind_a_proxy;
use crate::server::tls::Pair;
use crate::support::cloud::Builder;
use crate::support::login::PASSWORD;
use crate::support::{Cloud, Options, python};
use crate::testdb::each_server;

/// What it finds: check, level and message with advice, and its exit code.
fn doctor(ours: &Cloud<'_>, url: &str) -> (Vec<[String; 3]>, Option<i32>) {
    doctor_with(ours, url, &[])
}

/// The same, with this on its command line besides.
fn doctor_with(ours: &Cloud<'_>, url: &str, more: &[&str]) -> (Vec<[String; 3]>, Option<i32>) {
    let output = Cloud::command(&["doctor", "--json", "--peer", url, "--config-file"])
        .arg(ours.config_file())
        .args(more)
        .env("OS_USERNAME", "admin")
        .env("OS_PASSWORD", PASSWORD)
        .output()
        .unwrap();
    let told: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    let findings = told["findings"].as_array().unwrap().iter();
    let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    let found = findings.map(|one| {
        let said = format!("{} -> {}", text(one, "message"), text(one, "advice"));
        [text(one, "check"), text(one, "level"), said]
    });
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        !shown.contains(PASSWORD) && !shown.contains("gAAAA"),
        "{shown}"
    );
    (found.collect(), output.status.code())
}

/// How it found this, and what it said of it.
fn of<'a>(found: &'a [[String; 3]], check: &str) -> (&'a str, &'a str) {
    let one = found.iter().find(|[name, ..]| name == check);
    let [_, level, said] = one.unwrap_or_else(|| panic!("{check}: {found:?}"));
    (level, said)
}

each_server! {
    async fn doctor_asks_python_keystone_whether_both_fit_together(db: TestDb) {
        if python::is_left_out() {
            return;
        }
        let mut ours = Builder::new(&db).options(behind_a_proxy()).start().await;
        let theirs = ours.start_python_beside(Options::default()).await;
        let url = theirs.api().base().to_owned();

        let (found, code) = doctor(&ours, &format!("{url}/v3"));
        assert_eq!(code, Some(0), "{found:?}");
        for check in ["peer", "our tokens at the peer", "the peer's tokens here"] {
            assert_eq!(of(&found, check).0, "ok", "{found:?}");
        }
        assert!(!found.iter().any(|[check, ..]| check == "proxies"), "{found:?}");

        // Two methods change places, as where one file was edited and the other not.
        ours.set("auth", "methods", "external,token,password,oauth1,mapped,application_credential");
        ours.set("api_server", "trusted_proxies", "");
        let (found, code) = doctor(&ours, &url);
        assert_eq!(code, Some(3), "{found:?}");
        let (level, said) = of(&found, "our tokens at the peer");
        assert_eq!(level, "fail");
        assert!(said.starts_with("token is password there, password is token there -> "), "{said}");
        assert_eq!(of(&found, "the peer's tokens here").0, "fail");
        assert_eq!(of(&found, "proxies").0, "warn");

        // Keys of its own.
        let keys = db.scratch().join("other-keys");
        ours.set("fernet_tokens", "key_repository", keys.display());
        ours.run(&["fernet", "setup"], &[]);
        let (found, _) = doctor(&ours, &url);
        for check in ["our tokens at the peer", "the peer's tokens here"] {
            let (level, said) = of(&found, check);
            assert_eq!(level, "fail", "{found:?}");
            assert!(said.contains("key repository") || said.contains("key_repository"), "{said}");
        }
    }

    async fn doctor_says_that_there_is_no_keystone_where_it_was_told(db: TestDb) {
        let ours = Builder::new(&db).start().await;

        let (found, code) = doctor(&ours, "http://127.0.0.1:1");

        assert_eq!(code, Some(3));
        assert!(of(&found, "peer").1.contains("no answer of http://127.0.0.1:1/v3"), "{found:?}");
        let (found, _) = doctor(&ours, ours.metrics().base());
        assert!(of(&found, "peer").1.contains("not as Keystone"), "{found:?}");
    }
}

on_sqlite! {
    async fn doctor_believes_the_authorities_that_it_is_told_of(db: TestDb) {
        let pair = Pair::make(db.scratch(), "peer");
        let ours = Builder::new(&db)
            .set("api_server", "tls_certificate", pair.certificate.display())
            .set("api_server", "tls_key", pair.key.display())
            .start()
            .await;
        let url = format!("https://{}", ours.address().replace("127.0.0.1", "localhost"));

        let unknown = Pair::make(db.scratch(), "somebodys");
        for (file, said) in [
            (&unknown.certificate, "no answer of https://localhost"),
            (&pair.key, "no usable certificate"),
        ] {
            let (found, code) = doctor_with(&ours, &url, &["--peer-cacert", file.to_str().unwrap()]);
            let (level, told) = of(&found, "peer");
            assert_eq!((level, code), ("fail", Some(3)), "{found:?}");
            assert!(told.contains(said) && told.contains("--peer-cacert"), "{told}");
        }

        let its = pair.certificate.to_str().unwrap();
        let (found, _) = doctor_with(&ours, &url, &["--peer-cacert", its]);
        assert_eq!(of(&found, "peer").0, "ok", "{found:?}");
    }
}
