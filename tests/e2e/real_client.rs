//! The real clients against the real server: `openstack` (python-openstackclient), and the library that
//! it and others are made of (openstacksdk).

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::cloud::Builder;
use crate::support::login::PASSWORD;
use crate::support::{Answer, Cloud, each_keystone};

/// What a user types: `openstack ARGUMENTS` as the admin. Gives what it printed; it has to succeed.
fn openstack(cloud: &Cloud<'_>, arguments: &[&str]) -> String {
    let output = run(cloud, arguments);
    assert!(
        output.status.success(),
        "openstack {arguments:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn run(cloud: &Cloud<'_>, arguments: &[&str]) -> Output {
    as_admin(cloud, &program())
        .args(arguments)
        .output()
        .expect("openstack starts")
}

fn program() -> PathBuf {
    std::env::var("TEST_OPENSTACK")
        .expect("TEST_OPENSTACK is not set: run the tests by tests/run, which installs the client")
        .into()
}

/// A program that finds the cloud, and its admin, in the environment.
fn as_admin(cloud: &Cloud<'_>, program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        // It reads clouds.yaml from the home directory, and keeps a cache there.
        .env("HOME", cloud.config_file().parent().unwrap())
        .env("OS_AUTH_URL", format!("{}/v3", cloud.api().base()))
        .env("OS_IDENTITY_API_VERSION", "3")
        .env("OS_USERNAME", "admin")
        .env("OS_PASSWORD", PASSWORD)
        .env("OS_PROJECT_NAME", "admin")
        .env("OS_USER_DOMAIN_ID", "default")
        .env("OS_PROJECT_DOMAIN_ID", "default")
        .stdin(Stdio::null());
    command
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("not JSON ({e}): {text}"))
}

async fn validate(cloud: &Cloud<'_>, token: &str) -> Answer {
    cloud.api().admin().await.validate(token).await
}

each_keystone! {
    async fn the_openstack_client_issues_uses_and_revokes_tokens(builder: Builder) {
        let cloud = builder.start().await;

        let issued = json(&openstack(&cloud, &["token", "issue", "--format", "json"]));
        let token = issued["id"].as_str().unwrap();
        let answer = validate(&cloud, token).await.expect(200);
        assert_eq!(answer.json()["token"]["project"]["id"], issued["project_id"]);
        assert_eq!(answer.json()["token"]["user"]["id"], issued["user_id"]);

        let catalog = json(&openstack(&cloud, &["catalog", "list", "--format", "json"]));
        assert_eq!(catalog[0]["Name"], "keystone");
        assert_eq!(catalog[0]["Type"], "identity");
        let mut interfaces: Vec<_> = catalog[0]["Endpoints"]
            .as_array()
            .unwrap()
            .iter()
            .map(|endpoint| {
                assert_eq!(endpoint["url"], format!("{}/v3", cloud.api().base()));
                assert_eq!(endpoint["region_id"], "RegionOne");
                endpoint["interface"].as_str().unwrap()
            })
            .collect();
        interfaces.sort_unstable();
        assert_eq!(interfaces, ["admin", "internal", "public"]);

        openstack(&cloud, &["token", "revoke", token]);
        validate(&cloud, token).await.expect(404);
    }

    async fn the_openstack_client_sets_up_who_may_do_what_and_takes_it_down(builder: Builder) {
        let cloud = builder.start().await;
        openstack(&cloud, &["project", "create", "--domain", "default", "--tag", "one", "demo"]);
        openstack(&cloud, &["user", "create", "--domain", "default", "--password", "pw-of-eve", "eve"]);
        openstack(&cloud, &["role", "add", "--project", "demo", "--user", "eve", "member"]);

        let shown = json(&openstack(&cloud, &["role", "assignment", "list", "--user", "eve", "--names", "--format", "json"]));
        assert_eq!(shown.as_array().unwrap().len(), 1, "{shown}");
        assert_eq!(shown[0]["Role"], "member");
        assert_eq!(shown[0]["Project"], "demo@Default");
        let hers = ["--os-username", "eve", "--os-password", "pw-of-eve", "--os-project-name", "demo"];
        let projects = json(&openstack(&cloud, &[&hers[..], &["project", "list", "--my-projects", "--format", "json"]].concat()));
        assert_eq!(projects[0]["Name"], "demo");
        assert!(!run(&cloud, &[&hers[..], &["user", "list"]].concat()).status.success(), "a member lists no users");

        openstack(&cloud, &["user", "delete", "eve"]);
        openstack(&cloud, &["project", "delete", "demo"]);
        assert!(!run(&cloud, &["project", "show", "demo"]).status.success(), "it is gone");
    }

    async fn the_openstack_client_tells_a_wrong_password(builder: Builder) {
        let cloud = builder.start().await;

        let output = run(&cloud, &["--os-password", "wrong", "token", "issue"]);

        assert!(!output.status.success());
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("The request you have made requires authentication. (HTTP 401)"), "{told}");
    }
}

/// What a tool like Terraform does with each kind of thing: `tests/support/client_sequences.py`.
async fn sequences(builder: Builder<'_>) {
    let cloud = builder.start().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/client_sequences.py");
    let mut command = as_admin(&cloud, &program().with_file_name("python"));

    let output = command.arg(script).output().expect("python starts");

    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{}", cloud.log());
}

mod what_is_made_is_read_back_changed_and_gone_when_deleted {
    use crate::support::cloud::Builder;
    use crate::support::python;
    use crate::testdb::{Backend, TestDb, run};

    #[test]
    fn sqlite() {
        run(Backend::Sqlite, async |db: TestDb| {
            super::sequences(Builder::new(&db)).await;
        });
    }

    #[test]
    fn python() {
        if !python::is_left_out() {
            run(Backend::Sqlite, async |db: TestDb| {
                super::sequences(Builder::new(&db).python()).await;
            });
        }
    }
}
