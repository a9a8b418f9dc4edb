//! Python Keystone, by `tests/support/peers/python-keystone.sh`: the server whose answers ours
//! have to be, and the neighbour that ours shares its database with.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::cloud::Options;
use super::login::PASSWORD;

/// The folder of its Python environment.
pub(crate) fn venv() -> PathBuf {
    std::env::var("TEST_PYTHON_KEYSTONE")
        .expect("TEST_PYTHON_KEYSTONE is not set: run the tests by tests/run, which installs it")
        .into()
}

/// A command of the script, with this folder for what it writes.
pub(crate) fn script(command: &str, data: &Path, environment: &[(&str, &OsStr)]) -> Command {
    let venv = venv();
    let home = venv.parent().expect("a folder in PEERS_HOME");
    let mut bash = Command::new("bash");
    bash.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/peers/python-keystone.sh"))
        .arg(command)
        .env("PEERS_HOME", home)
        .env("PEERS_DATA", data)
        .envs(environment.iter().copied())
        .stdin(Stdio::null());
    bash
}

/// Runs a command to its end; it has to succeed.
pub(crate) fn run(mut command: Command) {
    let output = command.output().expect("bash");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The same, without holding up what else goes on in this thread: the client notices
/// meanwhile that a server has closed its connections.
pub(crate) async fn run_aside(command: Command) {
    actix_rt::task::spawn_blocking(|| run(command))
        .await
        .expect("the script succeeds");
}

/// A fresh SQLite file and key repository, as Python Keystone makes them at first. That takes it
/// many seconds, so the tests share the result.
pub(crate) fn take_prepared(database: &Path, keys: &Path) {
    let shared = std::env::temp_dir().join("keystone-ng-python-30.0.0");
    fs::create_dir_all(&shared).expect("a folder for the template");
    let shared_database = shared.join("keystone.sqlite");
    let shared_keys = shared.join("fernet-keys");
    let done = shared.join("done");
    let lock = File::create(shared.join("lock")).expect("the lock of the template");
    lock.lock().expect("the lock of the template");
    if !done.exists() {
        let options = Options::default()
            .set(
                "database",
                "connection",
                format!("sqlite:///{}", shared_database.display()),
            )
            .set("identity", "password_hash_rounds", 4);
        let file = shared.join("options.conf");
        fs::write(&file, options.ini()).expect("options.conf");
        let environment: [(&str, &OsStr); 3] = [
            ("KEYSTONE_KEYS", shared_keys.as_ref()),
            ("KEYSTONE_PASSWORD", PASSWORD.as_ref()),
            ("KEYSTONE_OPTIONS", file.as_ref()),
        ];
        run(script("prepare", &shared, &environment));
        fs::write(&done, "").expect("the mark of the template");
    }
    fs::copy(&shared_database, database).expect("a copy of the database");
    fs::create_dir(keys).expect("a folder of keys");
    for key in ["0", "1"] {
        fs::copy(shared_keys.join(key), keys.join(key)).expect("a copy of a key");
    }
}

/// Whether the tests of Python Keystone are left out, as those of the database servers are.
pub(crate) fn is_left_out() -> bool {
    let left_out =
        std::env::var("KEYSTONE_NG_TEST_SQLITE_ONLY").is_ok_and(|v| !v.is_empty() && v != "0");
    if left_out {
        eprintln!("left out: KEYSTONE_NG_TEST_SQLITE_ONLY is set");
    }
    left_out
}
