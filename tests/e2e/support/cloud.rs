//! Servers for tests: the real binary of this project, or Python Keystone, each on a port of its
//! own, on the test's database, with its log kept and shown when the test fails.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use awc::http::Method;
use rustix::process::{Pid, Signal, kill_process};

use super::haproxy::shipped;
use super::login::PASSWORD;
use super::port::Port;
use super::{Answer, Api, python};
use crate::testdb::{Backend, TestDb};

/// How often, and how many times, a server is asked whether it is up yet: for two minutes.
const PAUSE: Duration = Duration::from_millis(50);
const TRIES: u32 = 2400;

/// Options of keystone.conf, as section, name and value; of two values the later counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options(Vec<(String, String, String)>);

impl Options {
    /// Adds one.
    pub(crate) fn set(mut self, section: &str, name: &str, value: impl ToString) -> Self {
        self.0
            .push((section.to_owned(), name.to_owned(), value.to_string()));
        self
    }

    /// The value that counts.
    fn get(&self, section: &str, name: &str) -> Option<&str> {
        let same = |(s, n, _): &&(String, String, String)| s == section && n == name;
        self.0
            .iter()
            .rev()
            .find(same)
            .map(|(_, _, value)| value.as_str())
    }

    /// The file that says the same.
    pub(crate) fn ini(&self) -> String {
        let mut sections = BTreeMap::<&str, BTreeMap<&str, &str>>::new();
        for (section, name, value) in &self.0 {
            sections.entry(section).or_default().insert(name, value);
        }
        let mut text = String::new();
        for (section, options) in sections {
            text += &format!("[{section}]\n");
            for (name, value) in options {
                text += &format!("{name} = {value}\n");
            }
        }
        text
    }
}

/// A server that is yet to be started on a database that is still empty.
pub(crate) struct Builder<'db> {
    db: &'db TestDb,
    python: bool,
    options: Options,
    seed: Vec<String>,
    environment: Vec<(String, String)>,
}

impl<'db> Builder<'db> {
    /// Ours, with the options of these tests.
    pub(crate) fn new(db: &'db TestDb) -> Self {
        Self {
            db,
            python: false,
            options: Options::default(),
            seed: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// Sets a variable in the environment of the server, and of nothing else.
    pub(crate) fn env(mut self, name: &str, value: impl ToString) -> Self {
        self.environment.push((name.to_owned(), value.to_string()));
        self
    }

    /// Python Keystone instead. It does not check its own answers, as in production.
    pub(crate) fn python(mut self) -> Self {
        self.python = true;
        self.set("api", "response_validation", "ignore")
    }

    /// Sets an option of keystone.conf.
    pub(crate) fn set(mut self, section: &str, name: &str, value: impl ToString) -> Self {
        self.options = self.options.set(section, name, value);
        self
    }

    /// Writes all notifications to the log.
    pub(crate) fn notifying(self) -> Self {
        self.set("oslo_messaging_notifications", "driver", "log")
            .set("notifications", "log", true)
    }

    /// Sets several.
    pub(crate) fn options(mut self, options: Options) -> Self {
        self.options.0.extend(options.0);
        self
    }

    /// A folder that lives as long as the database.
    pub(crate) fn scratch(&self) -> &'db Path {
        self.db.scratch()
    }

    /// Statements that run before the server serves: see [`super::seed`].
    pub(crate) fn seed(mut self, statements: Vec<String>) -> Self {
        self.seed.extend(statements);
        self
    }

    /// Makes tables, keys and the admin (whose password is [`PASSWORD`]), and starts the server.
    pub(crate) async fn start(self) -> Cloud<'db> {
        let mut cloud = self.prepare().await;
        cloud.start_again().await;
        cloud
    }

    /// The same, without starting the server.
    pub(crate) async fn prepare(self) -> Cloud<'db> {
        let mut cloud = Cloud::prepare(self.db, self.python, self.options);
        cloud.environment = self.environment;
        let url = format!("{}/v3", cloud.api.base());
        if self.python {
            cloud.take_prepared_python(&url).await;
        } else {
            cloud.run(&["db", "sync"], &[]);
            cloud.run(&["fernet", "setup"], &[]);
            cloud.run(
                &["bootstrap"],
                &[
                    ("--bootstrap-password", PASSWORD),
                    ("--bootstrap-region-id", "RegionOne"),
                    ("--bootstrap-public-url", &url),
                    ("--bootstrap-internal-url", &url),
                    ("--bootstrap-admin-url", &url),
                ],
            );
        }
        // Python Keystone would take the null key, which everybody knows.
        cloud.run(&["credential", "setup"], &[]);
        cloud.execute(&self.seed).await;
        cloud
    }
}

/// A running server, stopped and gone when dropped.
pub(crate) struct Cloud<'db> {
    db: &'db TestDb,
    folder: PathBuf,
    options: Options,
    environment: Vec<(String, String)>,
    port: Port,
    metrics: Port,
    process: Process,
    api: Api,
}

enum Process {
    Stopped,
    Ours(Child),
    Python,
}

impl<'db> Cloud<'db> {
    /// Ours, on an empty database, with the bootstrap admin only.
    pub(crate) async fn start(db: &'db TestDb) -> Self {
        Builder::new(db).start().await
    }

    /// Ours with its keystone.conf, and nothing else yet: no tables, no keys.
    pub(crate) fn configured(db: &'db TestDb, options: Options) -> Self {
        Self::prepare(db, false, options)
    }

    /// One more of ours on the same database and with the same keys.
    pub(crate) async fn start_node(&self, options: Options) -> Self {
        let mut node = self.prepare_node(options);
        node.start_again().await;
        node
    }

    /// The same, not started yet.
    pub(crate) fn prepare_node(&self, options: Options) -> Self {
        Self::prepare(self.db, false, options)
    }

    /// Python Keystone on the same database and with the same keys.
    pub(crate) async fn start_python_beside(&self, options: Options) -> Self {
        let mut node = Self::prepare(self.db, true, options);
        node.start_again().await;
        node
    }

    /// The same, which gives some paths to this server by the filter in `config/wsgi`. These
    /// variables are in its environment besides.
    pub(crate) async fn start_python_forwarding(
        &self,
        options: Options,
        environment: &[(&str, &str)],
    ) -> Self {
        let mut node = Self::prepare(self.db, true, options);
        let filter = shipped("wsgi/src");
        node.environment = [
            (
                "KEYSTONE_MODULE",
                "keystone_ng_forward.keystone:application",
            ),
            ("KEYSTONE_PYTHONPATH", filter.to_str().expect("UTF-8")),
            ("KEYSTONE_NG_URL", self.api.base()),
        ]
        .iter()
        .chain(environment)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
        node.start_again().await;
        node
    }

    /// One of the same kind, on the same database and with the same keys.
    pub(crate) async fn start_twin(&self, options: Options) -> Self {
        if self.is_python() {
            self.start_python_beside(options).await
        } else {
            self.start_node(options).await
        }
    }

    fn prepare(db: &'db TestDb, python: bool, options: Options) -> Self {
        let port = Port::reserve();
        let metrics = Port::reserve();
        // A port may be another's who has ended.
        static NODES: AtomicUsize = AtomicUsize::new(0);
        let node = NODES.fetch_add(1, Ordering::Relaxed);
        let folder = db.scratch().join(format!("node-{}-{node}", port.number()));
        fs::create_dir(&folder).expect("a folder for the node");
        let keys = db.scratch().join("fernet-keys");
        let mut base = Options::default()
            .set("database", "connection", db.url())
            .set("fernet_tokens", "key_repository", keys.display())
            .set("fernet_receipts", "key_repository", keys.display())
            .set(
                "credential",
                "key_repository",
                db.scratch().join("credential-keys").display(),
            )
            .set("identity", "password_hash_rounds", 4)
            .set("api_server", "listen", port.address())
            .set("api_server", "metrics_listen", metrics.address())
            .set("api_server", "workers", 2)
            .set("api_server", "drain_delay", 0);
        base.0.extend(options.0);
        let api = Api::at(format!("http://{}", port.address()));
        let process = if python {
            Process::Python
        } else {
            Process::Stopped
        };
        Self {
            db,
            folder,
            options: base,
            environment: Vec::new(),
            port,
            metrics,
            process,
            api,
        }
    }

    /// A client of it.
    pub(crate) fn api(&self) -> &Api {
        &self.api
    }

    /// Where it listens: `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> String {
        self.port.address()
    }

    /// The folder of its keystone.conf, which is its own.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Sets an option of keystone.conf, which it reads when it is told to, or started again.
    pub(crate) fn set(&mut self, section: &str, name: &str, value: impl ToString) {
        self.options = std::mem::take(&mut self.options).set(section, name, value);
        self.config_file();
    }

    /// Sends its process a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let Process::Ours(child) = &self.process else {
            panic!("it does not run, or is not ours");
        };
        kill_process(Pid::from_child(child), signal).expect("a signal");
    }

    /// Waits until its log has a line that contains all of these.
    pub(crate) async fn until_logged(&self, parts: &[&str]) -> String {
        for _ in 0..TRIES {
            let log = self.log();
            let found = log
                .lines()
                .find(|line| parts.iter().all(|part| line.contains(part)));
            if let Some(line) = found {
                return line.to_owned();
            }
            actix_rt::time::sleep(PAUSE).await;
        }
        panic!("no line with {parts:?} in the log");
    }

    /// A client of its metrics listener.
    pub(crate) fn metrics(&self) -> Api {
        Api::at(format!("http://{}", self.metrics.address()))
    }

    /// Whether it is Python Keystone.
    pub(crate) fn is_python(&self) -> bool {
        matches!(self.process, Process::Python)
    }

    /// Runs statements on its database.
    pub(crate) async fn execute(&self, statements: &[String]) {
        for statement in statements {
            self.db.execute(statement).await;
        }
    }

    /// The path of its keystone.conf, written afresh.
    pub(crate) fn config_file(&self) -> PathBuf {
        let path = self.folder.join("keystone.conf");
        fs::write(&path, self.options.ini()).expect("keystone.conf");
        path
    }

    /// All that it wrote to its output so far.
    pub(crate) fn log(&self) -> String {
        let path = if self.is_python() {
            "python-keystone/keystone.log"
        } else {
            "server.log"
        };
        fs::read(self.folder.join(path))
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    /// A command of the binary, with nothing in its environment that the tests' own may set.
    pub(crate) fn command(arguments: &[&str]) -> Command {
        let mut command = Self::program(env!("CARGO_BIN_EXE_keystone-ng"));
        command.args(arguments);
        command
    }

    /// Another program, in the same environment.
    pub(crate) fn program(name: &str) -> Command {
        let mut command = Command::new(name);
        command.env_clear().stdin(Stdio::null());
        for kept in [
            "PATH",
            "HOME",
            "TMPDIR",
            "LLVM_PROFILE_FILE",
            "RUST_BACKTRACE",
        ] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command
    }

    /// Runs a command of the binary that has to end by itself, and to fail. Gives how.
    pub(crate) fn fails(&self, command: &[&str]) -> Output {
        let mut child = Self::command(command)
            .arg("--config-file")
            .arg(self.config_file())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        for _ in 0..TRIES {
            if child.try_wait().expect("its state").is_some() {
                let output = child.wait_with_output().expect("what it said");
                assert!(!output.status.success(), "keystone-ng {command:?} succeeds");
                return output;
            }
            std::thread::sleep(PAUSE);
        }
        child.kill().expect("SIGKILL");
        panic!("keystone-ng {command:?} does not end");
    }

    /// Runs a command of the binary with this server's configuration, to its end; it has to
    /// succeed. Gives what it printed.
    pub(crate) fn run(&self, command: &[&str], options: &[(&str, &str)]) -> String {
        let output = Self::command(command)
            .arg("--config-file")
            .arg(self.config_file())
            .args(options.iter().flat_map(|(name, value)| [name, value]))
            .output()
            .expect("the binary starts");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "keystone-ng {command:?}: {}\n{printed}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        printed
    }

    /// The same, without holding up what else goes on in this thread.
    pub(crate) async fn run_aside(&self, command: &[&str]) {
        let mut command = Self::command(command);
        command.arg("--config-file").arg(self.config_file());
        python::run_aside(command).await;
    }

    /// Starts it after [`Self::stop`] or [`Self::kill`], with the same address, and waits until
    /// it answers.
    pub(crate) async fn start_again(&mut self) {
        if self.is_python() {
            python::run_aside(self.python_script("start")).await;
            return;
        }
        self.spawn();
        self.wait_until_up().await;
    }

    /// Starts it, and does not wait.
    pub(crate) fn spawn(&mut self) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("server.log"))
            .expect("server.log");
        let child = Self::command(&["serve"])
            .arg("--config-file")
            .arg(self.config_file())
            .envs(self.environment.iter().cloned())
            .stdout(log.try_clone().expect("server.log, twice"))
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        self.process = Process::Ours(child);
    }

    /// Asks until there is an answer, whatever it says.
    pub(crate) async fn until_answers(&self, path: &str) -> Answer {
        for _ in 0..TRIES {
            if let Ok(answer) = self.api.request(Method::GET, path).try_send().await {
                return answer;
            }
            actix_rt::time::sleep(PAUSE).await;
        }
        panic!("no answer to {path}");
    }

    /// Waits until it says that it is ready.
    pub(crate) async fn until_ready(&mut self) {
        let api = self.api.clone();
        if let Err(why) = until(&api, "/readyz", || self.ended()).await {
            panic!("{why}");
        }
    }

    async fn wait_until_up(&mut self) {
        // With a certificate of its own it is asked in plain at its other listener.
        let (api, path) = match self.options.get("api_server", "tls_key") {
            Some(_) => (self.metrics(), "/metrics"),
            None => (self.api.clone(), "/healthcheck"),
        };
        if let Err(why) = until(&api, path, || self.ended()).await {
            panic!("{why}");
        }
    }

    /// Asks it to end (SIGTERM), and waits until it has. Gives how it ended; `None` for Python.
    pub(crate) async fn stop(&mut self) -> Option<ExitStatus> {
        match &self.process {
            Process::Python => python::run_aside(self.python_script("stop")).await,
            Process::Stopped => {}
            Process::Ours(_) => {
                self.signal(Signal::TERM);
                return Some(self.until_ended().await);
            }
        }
        None
    }

    /// Waits until its process has ended, as it was told to.
    pub(crate) async fn until_ended(&mut self) -> ExitStatus {
        for _ in 0..TRIES {
            if let Some(status) = self.ended() {
                self.process = Process::Stopped;
                return status;
            }
            actix_rt::time::sleep(PAUSE).await;
        }
        panic!("the server does not end");
    }

    /// Ends it with SIGKILL, as a failing machine would.
    pub(crate) fn kill(&mut self) {
        if let Process::Ours(child) = &mut self.process {
            child.kill().expect("SIGKILL");
            child.wait().expect("its end");
            self.process = Process::Stopped;
        }
    }

    /// How it ended, if it has.
    fn ended(&mut self) -> Option<ExitStatus> {
        match &mut self.process {
            Process::Ours(child) => child.try_wait().expect("its state"),
            Process::Stopped | Process::Python => None,
        }
    }

    /// Fills the empty database and the key repository with what Python Keystone makes at first.
    async fn take_prepared_python(&self, url: &str) {
        assert_eq!(
            self.db.backend(),
            Backend::Sqlite,
            "Python Keystone alone is tested on SQLite"
        );
        let scratch = self.db.scratch();
        python::take_prepared(
            &scratch.join("keystone.sqlite"),
            &scratch.join("fernet-keys"),
        );
        self.execute(&[format!(r#"UPDATE "endpoint" SET "url" = '{url}'"#)])
            .await;
    }

    fn python_script(&self, command: &str) -> Command {
        let port = self.port.number().to_string();
        let keys = self.db.scratch().join("fernet-keys");
        let options = self.config_file();
        let environment: [(&str, &OsStr); 4] = [
            ("KEYSTONE_PORT", port.as_ref()),
            ("KEYSTONE_KEYS", keys.as_ref()),
            ("KEYSTONE_OPTIONS", options.as_ref()),
            ("KEYSTONE_PREPARED", "1".as_ref()),
        ];
        let mut script = python::script(command, &self.folder, &environment);
        script.envs(self.environment.iter().cloned());
        script
    }
}

impl Drop for Cloud<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let from = log.lines().count().saturating_sub(200);
            let mut out = std::io::stderr().lock();
            // Nothing can be done about a failure to say why a test failed.
            let _ = writeln!(
                out,
                "--- the log of the server on {} ---",
                self.port.address()
            );
            for line in log.lines().skip(from) {
                let _ = writeln!(out, "{line}");
            }
        }
        match &mut self.process {
            Process::Stopped => {}
            Process::Ours(child) => {
                // Fails only where it has ended already.
                let _ = child.kill();
                let _ = child.wait();
            }
            Process::Python => python::run(self.python_script("stop")),
        }
    }
}

/// Waits until a server answers `/healthcheck`, or says why it never will.
pub(crate) async fn until_up(
    api: &Api,
    ended: impl FnMut() -> Option<ExitStatus>,
) -> Result<(), String> {
    until(api, "/healthcheck", ended).await
}

async fn until(
    api: &Api,
    path: &str,
    mut ended: impl FnMut() -> Option<ExitStatus>,
) -> Result<(), String> {
    for _ in 0..TRIES {
        if let Some(status) = ended() {
            return Err(format!("the server ended at its start: {status}"));
        }
        let asked = api.request(Method::GET, path).try_send().await;
        if asked.is_ok_and(|answer| answer.status() == 200) {
            return Ok(());
        }
        actix_rt::time::sleep(PAUSE).await;
    }
    Err(format!("{} does not answer {path}", api.base()))
}
