//! `[token] provider = jws`: signed tokens, at Python Keystone as well as here, and their keys.

use std::fs;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::cloud::Builder;
use crate::support::{Api, Cloud, Options, Scope, Session, each_keystone, scoped, seed, token};
use crate::testdb::each_database;

/// What makes a server use the keys in this folder.
pub(crate) fn options(folder: &Path) -> Options {
    let keys = folder.join("jws-keys");
    Options::default()
        .set("token", "provider", "jws")
        .set(
            "jwt_tokens",
            "jws_private_key_repository",
            keys.join("private").display(),
        )
        .set(
            "jwt_tokens",
            "jws_public_key_repository",
            keys.join("public").display(),
        )
}

/// A server with JWS tokens, whose keys our own command has made.
pub(crate) fn with_jws(builder: Builder<'_>) -> Builder<'_> {
    let options = options(builder.scratch());
    command(&options, builder.scratch(), "setup");
    builder.options(options)
}

/// `keystone-ng jws …` with these options; gives what it said.
fn command(options: &Options, folder: &Path, what: &str) -> String {
    let file = folder.join("jws.conf");
    fs::write(&file, options.ini()).unwrap();
    let output = Cloud::command(&["jws", what, "--config-file"])
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// Header and claims of a token.
fn parts(token: &str) -> [Value; 2] {
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3, "{token}");
    [parts[0], parts[1]]
        .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
}

each_keystone! {
    async fn a_jws_token_lives_and_dies_as_any_other(builder: Builder) {
        let cloud = with_jws(builder).seed(seed::world()).start().await;
        let api = cloud.api();
        let admin = api.admin().await;
        let alice = api.login("alice", Scope::Project("demo")).await;

        let [header, claims] = parts(alice.token());
        assert_eq!(header, json!({"alg": "ES256", "typ": "JWT"}));
        assert_eq!(claims["sub"], "alice");
        assert_eq!(claims["openstack_project_id"], "demo");

        let told = admin.validate(alice.token()).await.expect(200).json();
        assert_eq!(told["token"]["user"], alice.issued()["user"]);
        assert_eq!(told["token"]["expires_at"], alice.issued()["expires_at"]);
        for scope in [Scope::Unscoped, Scope::Domain("default"), Scope::System] {
            let session = api.login("admin", scope).await;
            admin.validate(session.token()).await.expect(200);
        }
        let rescoped = api.session(&scoped(token(alice.token()), Scope::Unscoped)).await;
        assert_eq!(rescoped.text("/expires_at"), alice.text("/expires_at"));

        alice.revoke(alice.token()).await.expect(204);
        admin.validate(alice.token()).await.expect(404);
        admin.validate(rescoped.token()).await.expect(404);
        alice.get("/v3/auth/projects").await.expect(401);
        // A fernet token is none here.
        admin.validate("gAAAAABn").await.expect(404);
    }
}

async fn is_valid_at(api: &Api, admin: &Session, subject: &str) -> bool {
    admin.at(api).validate(subject).await.status() == 200
}

each_database! {
    async fn jws_tokens_are_good_beside_python_keystone_both_ways(db: TestDb) {
        let ours = with_jws(Builder::new(&db)).seed(seed::world()).start().await;
        let python = ours.start_python_beside(options(db.scratch())).await;

        let made_here = ours.api().admin().await;
        let made_there = python.api().admin().await;

        assert!(is_valid_at(python.api(), &made_here, made_here.token()).await);
        assert!(is_valid_at(ours.api(), &made_there, made_there.token()).await);
        let alice = python.api().login("alice", Scope::Project("demo")).await;
        ours.api().session(&scoped(token(alice.token()), Scope::Unscoped)).await;
        made_here.revoke(alice.token()).await.expect(204);
        assert!(!is_valid_at(python.api(), &made_there, alice.token()).await);
    }

    async fn rotated_jws_keys_are_taken_up_and_what_they_signed_stays_good(db: TestDb) {
        let cloud = with_jws(Builder::new(&db)).start().await;
        let api = cloud.api();
        let before = api.admin().await;

        let said = command(&options(db.scratch()), db.scratch(), "rotate");
        assert!(said.contains("copy it to every node before the next rotation"), "{said}");
        let retired = said.lines().find(|line| line.contains("remove it")).unwrap();
        let retired = retired.split([' ', ':']).nth(2).unwrap();

        // By the keys alone nobody can tell when the server has seen them: it has when a token is
        // good although the old public key is gone.
        fs::remove_file(retired).unwrap();
        let mut seen = false;
        for _ in 0..600 {
            let admin = api.admin().await;
            seen = before.at(api).check(before.token()).await.status() == 401
                && admin.check(admin.token()).await.status() == 200;
            if seen {
                break;
            }
            actix_rt::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(seen, "the new key is not in use");
    }
}

#[test]
fn jws_keys_that_are_missing_stop_the_start_and_say_what_to_do() {
    let folder = crate::testdb::Scratch::new();
    let options = options(folder.path()).set(
        "database",
        "connection",
        format!("sqlite:///{}/db", folder.path().display()),
    );
    let file = folder.path().join("keystone.conf");
    fs::write(&file, options.ini()).unwrap();

    let run = |command: &[&str]| Cloud::command(command).arg(&file).output().unwrap();
    let tables = run(&["db", "sync", "--config-file"]);
    assert!(tables.status.success(), "{tables:?}");

    let output = run(&["serve", "--config-file"]);

    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("run `keystone-ng jws setup`"), "{said}");
}
