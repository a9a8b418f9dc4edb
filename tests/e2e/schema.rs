//! The tables: those of Keystone have to be Python Keystone's to the last index, whoever made them.
//! `tests/support/schema_dump.py` compares what SQLAlchemy, as Python Keystone uses it, sees.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::support::{Cloud, Options, python};
use crate::testdb::{Backend, TestDb, each_database};

/// A keystone.conf that names this database, and nothing else.
fn config(db: &TestDb) -> PathBuf {
    let options = Options::default().set("database", "connection", db.url());
    let file = db.scratch().join("keystone.conf");
    fs::write(&file, options.ini()).unwrap();
    file
}

/// A program of Python Keystone's environment.
fn of_python(program: &str) -> Command {
    let mut command = Command::new(python::venv().join("bin").join(program));
    command.stdin(Stdio::null()).env("PYTHONWARNINGS", "ignore");
    command
}

/// What `keystone-manage` says to this.
fn manage(config: &Path, arguments: &[&str]) -> Output {
    of_python("keystone-manage")
        .arg("--config-file")
        .arg(config)
        .args(arguments)
        .output()
        .unwrap()
}

fn db_sync(config: &Path) {
    let output = Cloud::command(&["db", "sync", "--config-file"])
        .arg(config)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// How the tables, indexes, keys, types and rows differ from Python Keystone's; ours, which all
/// begin with `ng_`, are left out.
fn difference(db: &TestDb) -> String {
    let support = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support");
    let expected = match db.backend() {
        Backend::Sqlite => "sqlite.json",
        Backend::Postgres => "postgres.json",
        Backend::Mariadb => "mysql.json",
    };
    let output = of_python("python")
        .arg(support.join("schema_dump.py"))
        .args([db.url(), "--expect"])
        .arg(support.join("schema").join(expected))
        .output()
        .unwrap();
    if output.status.success() {
        return String::new();
    }
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

each_database! {
    async fn the_tables_made_here_are_those_that_python_keystone_makes(db: TestDb) {
        if python::is_left_out() {
            return;
        }
        let config = config(&db);

        db_sync(&config);

        assert_eq!(difference(&db), "");
        // The verdict of Python Keystone itself: nothing is left to do.
        let checked = manage(&config, &["db_sync", "--check"]);
        assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    }

    async fn tables_that_python_keystone_made_are_only_added_to(db: TestDb) {
        if python::is_left_out() {
            return;
        }
        let config = config(&db);
        let made = manage(&config, &["db_sync"]);
        assert!(made.status.success(), "{made:?}");
        assert_eq!(difference(&db), "");

        db_sync(&config);
        db_sync(&config);

        assert_eq!(difference(&db), "");
    }
}
