//! C4: at TRACE, with secrets that can be told from everything else, the whole life of tokens, and
//! whatever else is secret written and changed; then what the server wrote anywhere is searched for
//! them.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;

use awc::http::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::jws::with_jws;
use crate::support::cloud::{Builder, until_up};
use crate::support::login::{PASSWORD, application_credential, password_is, together};
use crate::support::{Answer, Cloud, Scope, passkey, password, scoped, seed, token};
use crate::testdb::{Backend, TestDb, each_database, run};

const WRONG_PASSWORD: &str = "wrong-7c1e-password";
const WRONG_SECRET: &str = "wrong-9d2f-secret";
pub(super) const LOST: &str = "lost-in-the-wrong-place-41ab";
/// Begins each secret that is given to be kept.
const KEPT: &str = "kept-5e0d-";

/// mia has to show two methods; alice has a credential.
fn people() -> Vec<String> {
    [
        seed::world(),
        seed::user("mia", "default", true),
        seed::grant("UserProject", "mia", "demo", "member"),
        seed::user_option("mia", "MFAR", r#"[["password", "totp"]]"#),
        seed::application_credential("alices", "alice", "demo", "member"),
    ]
    .concat()
}

/// A server that logs all it can.
pub(super) fn loud(builder: Builder<'_>) -> Builder<'_> {
    builder
        .env("RUST_LOG", "trace")
        .set("DEFAULT", "debug", true)
        .set("notifications", "log", true)
        .set("DEFAULT", "notification_opt_out", "")
}

/// Secrets by what they are, and the answers that were errors.
#[derive(Default)]
pub(super) struct Found {
    secrets: Vec<(String, String)>,
    errors: Vec<Answer>,
}

impl Found {
    /// Remembers a secret: its middle, so that one that is cut is found as well.
    pub(super) fn secret(&mut self, what: &str, text: &str) {
        let end = text.len().min(60);
        let middle = if end > 40 { &text[20..end] } else { text };
        self.secrets.push((what.to_owned(), middle.to_owned()));
    }

    pub(super) fn refused(&mut self, answer: Answer) {
        assert!(answer.status() >= 400, "{answer:?}");
        self.errors.push(answer);
    }

    /// The same of one that is bytes: as it is sent, and as `Debug` would show it.
    pub(super) fn bytes(&mut self, what: &str, bytes: &[u8]) {
        self.secret(what, &passkey::text(bytes));
        let end = bytes.len().min(30);
        // What all begin with is no secret.
        let middle = bytes.get(10..end).unwrap_or(bytes);
        let list = format!("{middle:?}");
        let list = list.trim_matches(['[', ']']).to_owned();
        self.secrets.push((what.to_owned(), list));
    }

    /// Which of the secrets are in this text, as they are or as the list of their bytes.
    fn in_text(&self, place: &str, text: &str) -> Vec<String> {
        let mut leaks = Vec::new();
        for (what, secret) in &self.secrets {
            let bytes = format!("{:?}", secret.as_bytes());
            let bytes = bytes.trim_matches(['[', ']']);
            let shows = |line: &&str| line.contains(secret.as_str()) || line.contains(bytes);
            leaks.extend(
                text.lines()
                    .filter(shows)
                    .map(|line| format!("{what} in {place}: {line}")),
            );
        }
        leaks
    }
}

/// What a client does in a day, good and bad.
async fn live(cloud: &Cloud<'_>, found: &mut Found) {
    let api = cloud.api();
    let admin = api.admin().await;
    found.secret("the admin's token", admin.token());
    let alice = api.login("alice", Scope::Project("demo")).await;
    found.secret("alice's token", alice.token());
    let rescoped = api
        .session(&scoped(token(alice.token()), Scope::Unscoped))
        .await;
    found.secret("a rescoped token", rescoped.token());
    let by_credential = api
        .session(&json!({"auth": {"identity": application_credential("alices")}}))
        .await;
    found.secret("a credential's token", by_credential.token());
    for session in [&alice, &rescoped, &by_credential] {
        admin.validate(session.token()).await.expect(200);
        admin.check(session.token()).await.expect(200);
        session.get("/v3/auth/projects").await.expect(200);
    }

    let due = api
        .authenticate(&scoped(password("mia"), Scope::Unscoped))
        .await
        .expect(401);
    let receipt = due.header("Openstack-Auth-Receipt").unwrap().to_owned();
    found.secret("a receipt", &receipt);
    let again = api
        .request(Method::POST, "/v3/auth/tokens")
        .header("Openstack-Auth-Receipt", &receipt);
    found.refused(
        again
            .json(&scoped(password("mia"), Scope::Unscoped))
            .send()
            .await,
    );
    // One that is nobody's, and a token in its place.
    for bad in ["gAAAAABlost-in-the-wrong-place-41ab", admin.token()] {
        let request = api
            .request(Method::POST, "/v3/auth/tokens")
            .header("Openstack-Auth-Receipt", bad);
        found.refused(
            request
                .json(&scoped(password("mia"), Scope::Unscoped))
                .send()
                .await,
        );
    }

    refusals(cloud, found, alice.token()).await;

    alice.revoke(alice.token()).await.expect(204);
    found.refused(admin.validate(alice.token()).await);
    found.refused(alice.get("/v3/auth/projects").await);
    found.refused(
        api.authenticate(&scoped(token(rescoped.token()), Scope::Unscoped))
            .await,
    );
    found.refused(admin.validate(&admin.token()[1..]).await);
    found.refused(api.get(&format!("/v3/{LOST}?token={LOST}")).await);
    found.refused(
        admin
            .request(Method::GET, "/v3/auth/tokens")
            .header("Authorization", LOST)
            .subject(LOST)
            .send()
            .await,
    );
}

/// What is secret is written, changed and refused.
async fn keep(cloud: &Cloud<'_>, found: &mut Found) {
    let admin = cloud.api().admin().await;
    let kept = |what: &str| format!("{KEPT}{what}");
    let user = json!({"user": {"name": "kim", "password": kept("first")}});
    let user = admin.post("/v3/users", &user).await.expect(201).json();
    let kim = user["user"]["id"].as_str().unwrap();
    let user = format!("/v3/users/{kim}");
    let passwords = json!({"user": {"password": kept("second")}});
    admin.patch(&user, &passwords).await.expect(200);
    let passwords =
        json!({"user": {"password": kept("third"), "original_password": kept("second")}});
    let change = format!("{user}/password");
    admin.post(&change, &passwords).await.expect(204);
    found.refused(admin.post(&change, &passwords).await);

    let owner = admin.text("/user/id");
    let blob = json!({"access": "kims", "secret": kept("ec2")}).to_string();
    for (kind, blob) in [("totp", kept("totp")), ("ec2", blob)] {
        let project = admin.text("/project/id");
        let body = json!({"credential": {"type": kind, "blob": blob, "user_id": owner, "project_id": project}});
        let made = admin
            .post("/v3/credentials", &body)
            .await
            .expect(201)
            .json();
        let path = format!(
            "/v3/credentials/{}",
            made["credential"]["id"].as_str().unwrap()
        );
        if kind == "totp" {
            let body = json!({"credential": {"blob": kept("another totp")}});
            admin.patch(&path, &body).await.expect(200);
        }
        admin.get(&path).await.expect(200);
    }
    let credentials = format!("/v3/users/{owner}/credentials/OS-EC2");
    let tenant = json!({"tenant_id": admin.text("/project/id")});
    let made = admin.post(&credentials, &tenant).await.expect(201).json();
    found.secret(
        "an EC2 secret",
        made["credential"]["secret"].as_str().unwrap(),
    );
    let credentials = format!("/v3/users/{owner}/application_credentials");
    for credential in [
        json!({"name": "given", "secret": kept("credential")}),
        json!({"name": "made"}),
    ] {
        let body = json!({"application_credential": credential});
        let made = admin.post(&credentials, &body).await.expect(201).json();
        let secret = &made["application_credential"]["secret"];
        found.secret("a credential's secret", secret.as_str().unwrap());
    }
    let consumer = json!({"consumer": {"description": "one"}});
    let made = admin
        .post("/v3/OS-OAUTH1/consumers", &consumer)
        .await
        .expect(201)
        .json();
    found.secret(
        "a consumer's secret",
        made["consumer"]["secret"].as_str().unwrap(),
    );

    let config = |ldap: Value| json!({"config": {"ldap": ldap}});
    let body = config(json!({"url": "ldap://x", "password": kept("ldap")}));
    let request = admin.request(Method::PUT, "/v3/domains/default/config");
    request.json(&body).send().await.expect(201);
    let body = config(json!({"password": kept("another ldap")}));
    admin
        .patch("/v3/domains/default/config", &body)
        .await
        .expect(200);

    for value in [
        json!([kept("list")]),
        json!({"x": kept("object")}),
        json!(7),
    ] {
        for (path, body) in [
            (
                "/v3/users",
                json!({"user": {"name": "kay", "password": value}}),
            ),
            (
                change.as_str(),
                json!({"user": {"password": value, "original_password": value}}),
            ),
            (
                credentials.as_str(),
                json!({"application_credential": {"name": "other", "secret": value}}),
            ),
        ] {
            found.refused(admin.post(path, &body).await);
        }
    }
}

/// Every way in which a secret can come in a body that is refused.
async fn refusals(cloud: &Cloud<'_>, found: &mut Found, good: &str) {
    let api = cloud.api();
    let identity = |identity: Value| json!({"auth": {"identity": identity}});
    let by = |user: Value| identity(json!({"methods": ["password"], "password": {"user": user}}));
    let secret = |id: &str| json!({"methods": ["application_credential"], "application_credential": {"id": id, "secret": WRONG_SECRET}});
    let mut bodies = vec![
        identity(password_is("alice", WRONG_PASSWORD)),
        identity(password_is("nobody", WRONG_PASSWORD)),
        identity(password_is("dora", PASSWORD)),
        identity(secret("alices")),
        identity(secret("nobodys")),
        identity(together(&[password("bob"), token(good)])),
        identity(together(&[
            password_is("alice", WRONG_PASSWORD),
            token(good),
        ])),
        by(json!({"name": "alice", "password": WRONG_PASSWORD})),
        by(json!({"password": WRONG_PASSWORD})),
        by(json!(WRONG_PASSWORD)),
        by(json!({"name": "alice", "domain": WRONG_PASSWORD, "password": WRONG_PASSWORD})),
        identity(json!({"methods": ["password"], "password": WRONG_PASSWORD})),
        identity(json!({"methods": ["token"], "token": good})),
        identity(json!({"methods": ["token"], "token": {"id": [good]}})),
        identity(json!({"methods": ["token"], "token": {"id": LOST}})),
        identity(json!({"methods": "password", "password": WRONG_PASSWORD})),
        identity(json!({"methods": ["totp"], "totp": {"user": {"id": "alice", "passcode": LOST}}})),
        identity(json!({"methods": ["mapped"], "mapped": {"assertion": LOST}})),
        identity(json!({"methods": ["oauth1"], "oauth1": {"signature": LOST}})),
        identity(
            json!({"methods": [], "password": {"user": {"name": "alice", "password": WRONG_PASSWORD}}}),
        ),
        identity(json!(WRONG_PASSWORD)),
        json!({"auth": WRONG_PASSWORD}),
        json!({"password": WRONG_PASSWORD}),
    ];
    for value in [json!([WRONG_PASSWORD]), json!({"x": WRONG_PASSWORD})] {
        bodies.push(by(
            json!({"name": "alice", "domain": {"id": "default"}, "password": value}),
        ));
        bodies.push(json!({"auth": {"identity": password("alice"), "scope": value}}));
    }
    for body in bodies {
        found.refused(api.authenticate(&body).await);
    }
    for text in [
        format!(r#"{{"auth": "{WRONG_PASSWORD}"#),
        format!("[\"{WRONG_PASSWORD}\"]"),
        WRONG_PASSWORD.to_owned(),
    ] {
        let request = api
            .request(Method::POST, "/v3/auth/tokens")
            .header("Content-Type", "application/json");
        found.refused(request.body(text).send().await);
    }
}

async fn assert_silent(mut cloud: Cloud<'_>, keys: &[(&str, String)]) {
    let mut found = Found::default();
    for (what, text) in [
        ("the password", PASSWORD),
        ("a wrong password", WRONG_PASSWORD),
        ("a wrong secret", WRONG_SECRET),
        ("a secret in a wrong place", LOST),
        ("a secret that is kept", KEPT),
        ("a password's hash", "$2b$"),
    ] {
        found.secrets.push((what.to_owned(), text.to_owned()));
    }
    for (what, text) in keys {
        found.secret(what, text);
    }

    live(&cloud, &mut found).await;
    keep(&cloud, &mut found).await;
    assert_untold(&mut cloud, &found).await;
}

/// Stops the server, and searches what it wrote.
pub(super) async fn assert_untold(cloud: &mut Cloud<'_>, found: &Found) {
    let metrics = cloud.metrics().get("/metrics").await.expect(200);
    cloud.stop().await;
    let log = cloud.log();
    assert!(
        log.contains("TRACE") && log.contains("login refused"),
        "the log is not what it should be:\n{log}"
    );
    let mut leaks = found.in_text("the log", &log);
    leaks.extend(found.in_text("the metrics", &String::from_utf8_lossy(metrics.bytes())));
    for answer in &found.errors {
        // The receipt is due in its header; what is searched is what the error says.
        leaks.extend(found.in_text("an error", &String::from_utf8_lossy(answer.bytes())));
    }
    leaks.dedup();
    assert!(
        leaks.is_empty(),
        "{} leaks:\n{}",
        leaks.len(),
        leaks[..leaks.len().min(40)].join("\n")
    );
}

each_database! {
    async fn c4_no_secret_is_in_logs_metrics_or_errors(db: TestDb) {
        let cloud = loud(Builder::new(&db)).seed(people()).start().await;
        let key = |name| fs::read_to_string(db.scratch().join("fernet-keys").join(name)).unwrap();
        let keys = [("a key", key("0")), ("a key", key("1"))];

        assert_silent(cloud, &keys).await;
    }

    async fn c4_nor_is_one_with_jws_tokens(db: TestDb) {
        let builder = loud(with_jws(Builder::new(&db))).seed(people());
        let cloud = builder.start().await;
        let private = db.scratch().join("jws-keys/private/private.pem");
        let private = fs::read_to_string(private).unwrap();
        let key = private.lines().nth(1).unwrap().to_owned();

        assert_silent(cloud, &[("a private key", key)]).await;
    }
}

#[test]
fn c4_a_crash_leaves_no_core_file() {
    run(Backend::Sqlite, async |db: TestDb| {
        let cloud = Builder::new(&db).prepare().await;
        // Where core files are wanted of everybody.
        let serve = "ulimit -S -c $(ulimit -H -c) && exec \"$0\" serve --config-file \"$1\"";
        let mut server = Cloud::program("sh")
            .args(["-c", serve, env!("CARGO_BIN_EXE_keystone-ng")])
            .arg(cloud.config_file())
            .current_dir(db.scratch())
            .spawn()
            .unwrap();
        let up = until_up(cloud.api(), || server.try_wait().unwrap()).await;

        kill_process(Pid::from_child(&server), Signal::ABORT).unwrap();

        let status = server.wait().unwrap();
        assert_eq!(up, Ok(()));
        assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()));
        assert!(!status.core_dumped());
        let files = fs::read_dir(db.scratch()).unwrap();
        let names = files.map(|file| file.unwrap().file_name());
        let cores = names.filter(|name| name.to_string_lossy().starts_with("core"));
        assert_eq!(cores.count(), 0);
    });
}
