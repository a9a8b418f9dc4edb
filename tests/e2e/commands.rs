//! The commands, as an operator types them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::jws::with_jws;
use crate::support::cloud::Builder;
use crate::support::port::Port;
use crate::support::{Cloud, Options, Scope, password, scoped, seed};
use crate::testdb::{Backend, Scratch, TestDb, each_database};

/// What a command did: its exit code, standard output, and standard error.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Writes these options to a keystone.conf in this folder.
fn config(folder: &Path, options: &Options) -> PathBuf {
    let file = folder.join("keystone.conf");
    std::fs::write(&file, options.ini()).unwrap();
    file
}

/// Runs a command with this configuration.
fn run(arguments: &[&str], config: &Path) -> Ran {
    let mut command = Cloud::command(arguments);
    command.arg("--config-file").arg(config);
    command.output().unwrap().into()
}

/// The database's URL with another password, or another port.
fn changed(db: &TestDb, change: impl Fn(&mut url::Url)) -> String {
    let mut url = url::Url::parse(db.url()).unwrap();
    change(&mut url);
    url.into()
}

each_database! {
    async fn a_database_that_is_not_there_is_waited_for_as_often_as_configured(db: TestDb) {
        if db.backend() == Backend::Sqlite {
            return;
        }
        let nobody = Port::reserve();
        let away = changed(&db, |url| url.set_port(Some(nobody.number())).unwrap());
        let options = Options::default()
            .set("database", "connection", away)
            .set("database", "max_retries", 2)
            .set("database", "retry_interval", 0);
        let config = config(db.scratch(), &options);

        let ran = run(&["db", "sync"], &config);

        assert_eq!(ran.code, Some(1), "{}", ran.err);
        assert!(ran.err.contains("try 2 of 2"), "{}", ran.err);
        assert!(!ran.err.contains("try 3"), "{}", ran.err);
        assert!(ran.err.contains("Connection refused"), "{}", ran.err);
    }

    async fn a_wrong_database_password_is_told_at_once_and_never_shown(db: TestDb) {
        if db.backend() == Backend::Sqlite {
            return;
        }
        let wrong = changed(&db, |url| url.set_password(Some("open-sesame")).unwrap());
        let config = config(db.scratch(), &Options::default().set("database", "connection", wrong));

        let ran = run(&["db", "sync"], &config);

        assert_eq!(ran.code, Some(1), "{}", ran.err);
        assert!(ran.err.contains("look at [database] connection"), "{}", ran.err);
        assert!(!ran.err.contains("try 1"), "{}", ran.err);
        assert!(!ran.err.contains("open-sesame") && ran.out.is_empty(), "{}", ran.err);
    }
}

/// Runs a command that reads this from standard input.
fn run_with(arguments: &[&str], config: &Path, input: &str) -> Ran {
    let mut command = Cloud::command(arguments);
    let mut child = command
        .arg("--config-file")
        .arg(config)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap().into()
}

/// What doctor found, by check: level and advice.
fn findings(ran: &Ran) -> Vec<(String, String, String)> {
    let all: Value = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}", ran.out));
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let list = all["findings"].as_array().unwrap().iter();
    let found: Vec<_> = list
        .map(|one| (text(one, "check"), text(one, "level"), text(one, "advice")))
        .collect();
    let failures = found.iter().filter(|(_, level, _)| level == "fail").count();
    assert_eq!(all["failures"], json!(failures));
    found
}

each_database! {
    async fn doctor_finds_nothing_to_mend_where_a_server_runs(db: TestDb) {
        let cloud = Builder::new(&db)
            .set("credential", "key_repository", db.scratch().join("credential-keys").display())
            .start()
            .await;
        cloud.run(&["credential", "setup"], &[]);

        let ran = run(&["doctor", "--json"], &cloud.config_file());

        let found = findings(&ran);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        assert!(found.iter().all(|(_, level, _)| level != "fail"), "{}", ran.out);
        for check in ["database", "tables", "bootstrap", "token keys", "credential keys", "policy", "open files", "password hashing"] {
            assert!(found.iter().any(|(name, ..)| name == check), "{check}: {}", ran.out);
        }
        // The server has its address; that is no fault.
        assert!(found.iter().any(|(name, level, _)| name == "listen" && level == "warn"), "{}", ran.out);
    }

    async fn doctor_says_what_to_do_about_each_thing_that_is_missing(db: TestDb) {
        let keys = db.scratch().join("keys");
        let options = Options::default()
            .set("database", "connection", db.url())
            .set("fernet_tokens", "key_repository", keys.display())
            .set("fernet_receipts", "key_repository", keys.display())
            .set("credential", "key_repository", keys.display())
            .set("security_compliance", "minimum_password_age", 9)
            .set("security_compliance", "password_expires_days", 9)
            .set("identity", "password_hash_rounds", 4)
            .set("DEFAULT", "insecure_debug", true);
        let config = config(db.scratch(), &options);
        std::fs::write(db.scratch().join("policy.yaml"), "\"identity:list_users\": \"role:\"x\n").unwrap();

        let ran = run(&["doctor", "--json"], &config);

        assert_eq!(ran.code, Some(3), "{}{}", ran.out, ran.err);
        let found = findings(&ran);
        for (check, level, advice) in [
            ("tables", "fail", "db sync"),
            ("token keys", "fail", "fernet setup"),
            ("credential keys", "fail", "a directory of its own"),
            ("credential keys", "warn", "credential setup"),
            ("policy", "fail", "policy validate"),
            ("password rules", "warn", "minimum_password_age"),
            ("password hashing", "warn", "password_hash_rounds"),
            ("configuration", "warn", "insecure_debug"),
        ] {
            let told = found.iter().any(|(name, how, what)| name == check && how == level && what.contains(advice));
            assert!(told, "{check} {level} {advice}: {}", ran.out);
        }
        let text = run(&["doctor"], &config).out;
        assert!(text.contains("FAIL  tables: there are none\n      -> run `keystone-ng db sync`"), "{text}");
    }

    async fn token_inspect_reads_what_our_keys_made_and_trusts_none_of_it(db: TestDb) {
        let seed = [
            seed::world(),
            seed::user_option("bob", "MFAR", r#"[["password", "totp"]]"#),
        ];
        let cloud = Builder::new(&db).seed(seed.concat()).start().await;
        let alice = cloud.api().login("alice", Scope::Project("demo")).await;
        let receipt = cloud.api().authenticate(&scoped(password("bob"), Scope::Unscoped)).await.expect(401);
        let receipt = receipt.header("Openstack-Auth-Receipt").unwrap();
        alice.revoke(alice.token()).await.expect(204);
        let config = cloud.config_file();
        let inspect = |text: &str| run_with(&["token", "inspect", "--json"], &config, text);

        let told = inspect(&format!("{}\n", alice.token()));
        assert_eq!(told.code, Some(0), "{}", told.err);
        let facts: Value = serde_json::from_str(&told.out).unwrap();
        assert_eq!(facts["kind"], "fernet token");
        assert_eq!(facts["user"], "alice");
        assert_eq!(facts["scope"], "project demo");
        assert_eq!(facts["methods"], json!(["password"]));
        assert_eq!(facts["audit_ids"], alice.issued()["audit_ids"]);
        assert_eq!(facts["expired"], json!(false));
        assert!(told.err.contains("nothing of this was validated"), "{}", told.err);

        let told = inspect(receipt);
        let facts: Value = serde_json::from_str(&told.out).unwrap();
        assert_eq!((&facts["kind"], &facts["user"]), (&json!("receipt"), &json!("bob")));

        for (text, code) in [("rubbish", 3), ("", 2), (&alice.token()[1..], 3)] {
            let told = inspect(text);
            assert_eq!((told.code, told.out.as_str()), (Some(code), ""), "{text}: {}", told.err);
            assert!(text.is_empty() || !told.err.contains(text), "{}", told.err);
        }
    }

    async fn token_inspect_shows_a_jws_token_of_anybody_and_says_so(db: TestDb) {
        let cloud = with_jws(Builder::new(&db)).start().await;
        let admin = cloud.api().admin().await;
        let config = cloud.config_file();
        let (message, _) = admin.token().rsplit_once('.').unwrap();

        let own = run_with(&["token", "inspect"], &config, admin.token());
        let forged = run_with(&["token", "inspect", "--json"], &config, &format!("{message}.AAAA"));

        assert_eq!(own.code, Some(0), "{}", own.err);
        assert!(own.out.contains(admin.text("/user/id")), "{}", own.out);
        assert_eq!(forged.code, Some(3), "{}", forged.err);
        let facts: Value = serde_json::from_str(&forged.out).unwrap();
        assert_eq!(facts["claims"]["sub"], admin.text("/user/id"));
        assert_eq!(facts["header"]["alg"], "ES256");
    }
}

/// The names below a command, as its help lists them.
fn subcommands(help: &str) -> Vec<String> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    list.take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// Every command, with what its `--help` prints.
fn all_commands() -> Vec<(Vec<String>, String)> {
    let mut all = Vec::new();
    let mut open = vec![Vec::<String>::new()];
    while let Some(path) = open.pop() {
        let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
        arguments.push("--help");
        let ran = Ran::from(Cloud::command(&arguments).output().unwrap());
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.err);
        open.extend(subcommands(&ran.out).into_iter().map(|name| {
            let mut longer = path.clone();
            longer.push(name);
            longer
        }));
        all.push((path, ran.out));
    }
    all
}

#[test]
fn each_command_has_a_manual_page_and_a_completion() {
    let folder = Scratch::new();
    let commands = all_commands();
    assert!(commands.len() > 25, "{}", commands.len());

    let written = Cloud::command(&["man", "--dir"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(written.status.success(), "{written:?}");
    let bash = Ran::from(Cloud::command(&["completions", "bash"]).output().unwrap()).out;

    for (path, _) in &commands {
        let name = ["keystone-ng"]
            .into_iter()
            .chain(path.iter().map(String::as_str));
        let page = folder
            .path()
            .join(format!("{}.1", name.collect::<Vec<_>>().join("-")));
        let text =
            std::fs::read_to_string(&page).unwrap_or_else(|e| panic!("{}: {e}", page.display()));
        assert!(text.starts_with(".ie"), "{}: {text}", page.display());
        if let Some(last) = path.last() {
            assert!(bash.contains(last.as_str()), "{path:?}");
        }
    }
    for shell in ["zsh", "fish"] {
        let script = Ran::from(Cloud::command(&["completions", shell]).output().unwrap());
        assert!(script.code == Some(0) && script.out.len() > 1000, "{shell}");
    }
}

#[test]
fn a_command_that_works_has_an_example_in_its_help() {
    for (path, help) in all_commands() {
        let leads_on = help.contains("\nCommands:\n");
        assert!(
            leads_on || help.contains("keystone-ng "),
            "{path:?}: {help}"
        );
        assert!(leads_on || help.contains("Example"), "{path:?}: {help}");
    }
}

#[test]
fn without_a_configuration_each_command_says_where_one_is_due() {
    for command in [
        &["serve"][..],
        &["db", "sync"],
        &["doctor"],
        &["config", "check"],
        &["fernet", "setup"],
    ] {
        let ran = Ran::from(
            Cloud::command(command)
                .args(["--config-file", "/nonexistent/keystone.conf"])
                .output()
                .unwrap(),
        );
        assert_eq!(ran.code, Some(2), "{command:?}: {}", ran.err);
        assert!(
            ran.err.contains("/nonexistent/keystone.conf"),
            "{command:?}: {}",
            ran.err
        );
    }
}

#[test]
fn config_check_names_unknown_options_and_what_was_meant() {
    let folder = Scratch::new();
    let options = Options::default()
        .set("token", "expiratoin", 60)
        .set("storage", "conections", 7)
        .set("moon", "phase", "full");

    let ran = run(&["config", "check"], &config(folder.path(), &options));

    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for told in [
        "there is no option [token] expiratoin; did you mean [token] expiration?",
        "there is no option [storage] conections; did you mean [storage] connections?",
        "there is no option [moon] phase",
        "but for the 3 warnings above",
    ] {
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
}

/// Python Keystone's own sample, and the same with every default written out.
#[test]
fn config_check_knows_every_option_of_python_keystones_own_sample() {
    let folder = Scratch::new();
    let python = std::env::var("TEST_PYTHON_KEYSTONE").expect("TEST_PYTHON_KEYSTONE, by tests/run");
    let mut generator = Cloud::program(&format!("{python}/bin/oslo-config-generator"));
    for namespace in [
        "keystone",
        "oslo.cache",
        "oslo.db",
        "oslo.log",
        "oslo.messaging",
        "oslo.middleware",
        "oslo.policy",
        "osprofiler",
    ] {
        generator.args(["--namespace", namespace]);
    }
    let sample = Ran::from(generator.output().unwrap());
    assert_eq!(sample.code, Some(0), "{}", sample.err);
    let is_option = |line: &str| {
        line.starts_with(|first: char| first.is_ascii_lowercase())
            && line.contains(" = ")
            && !line.ends_with("<None>")
    };
    let written_out: Vec<&str> = sample
        .out
        .lines()
        .map(|line| {
            line.strip_prefix('#')
                .filter(|rest| is_option(rest))
                .unwrap_or(line)
        })
        .filter(|line| !line.starts_with("connection = "))
        .collect();
    let options = written_out.iter().filter(|line| is_option(line)).count();
    assert!(options > 300, "{options}");

    for text in [sample.out.clone(), written_out.join("\n")] {
        let file = folder.path().join("keystone.conf");
        std::fs::write(&file, text).unwrap();
        let ran = run(&["config", "check"], &file);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert!(!ran.err.contains("there is no option"), "{}", ran.err);
    }
}

/// The Rust files of a folder and those below it.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| match path.is_dir() {
        true => sources(&path),
        false => vec![path],
    };
    paths.flat_map(below).collect()
}

#[test]
fn help_and_handbook_name_each_command_that_ends_with_code_3() {
    const COMMANDS: [(&str, &[&str]); 8] = [
        ("db.rs", &["db status", "db sync", "quickstart"]),
        ("doctor/mod.rs", &["doctor"]),
        ("inspect.rs", &["token inspect"]),
        ("keys.rs", &["credential rotate"]),
        ("login.rs", &["login"]),
        ("passkeys.rs", &["passkeys import"]),
        ("policy.rs", &["policy validate", "policy check"]),
        ("serve.rs", &["serve"]),
    ];
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let after = |text: &str, heading: &str| words(text.split_once(heading).unwrap().1);
    let help = Ran::from(Cloud::command(&["--help"]).output().unwrap());
    let help = after(&help.out, "3  looked at");
    let handbook = std::fs::read_to_string(top.join("docs/OPERATIONS.md")).unwrap();
    let handbook = after(&handbook, "## Commands and exit codes");
    let handbook = handbook.split("`keystone-ng doctor` looks").next().unwrap();

    let cli = top.join("src/cli");
    let mut ending: Vec<String> = sources(&cli)
        .into_iter()
        .filter(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            text.contains("Failure::Unhealthy(")
        })
        .map(|file| file.strip_prefix(&cli).unwrap().display().to_string())
        .collect();
    ending.sort();
    assert_eq!(ending, COMMANDS.map(|(file, _)| file));
    for name in COMMANDS.iter().flat_map(|(_, names)| *names) {
        assert!(help.contains(name), "{name}: {help}");
        assert!(
            handbook.contains(&format!("`{name}`")),
            "{name}: {handbook}"
        );
    }
}
