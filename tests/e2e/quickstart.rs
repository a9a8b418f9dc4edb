//! `quickstart`, as somebody who has just built the program types it.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::cloud::until_up;
use crate::support::login::{PASSWORD, password_is};
use crate::support::port::Port;
use crate::support::{Api, Cloud, Scope, password, scoped};
use crate::testdb::{Backend, Scratch, TestDb, each_database, run};

/// A folder, and a port to listen on.
struct Place {
    folder: Scratch,
    port: Port,
}

/// What `quickstart` runs, ended when dropped.
struct Quickstart(Child, PathBuf);

impl Place {
    fn new() -> Self {
        Self {
            folder: Scratch::new(),
            port: Port::reserve(),
        }
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("cloud")
    }

    fn command(&self, options: &[&str]) -> Command {
        let mut command = Cloud::command(&["quickstart", "--dir"]);
        command.arg(self.dir()).args(options);
        command
    }

    fn listen(&self) -> [String; 2] {
        ["--listen".to_owned(), self.port.address()]
    }

    /// Runs it until it ends by itself.
    fn fails(&self, options: &[&str]) -> (Option<i32>, String) {
        let Output { status, stderr, .. } = self.command(options).output().unwrap();
        (status.code(), String::from_utf8_lossy(&stderr).into_owned())
    }

    /// Starts it, and waits until it answers.
    async fn start(&self, command: &mut Command) -> Quickstart {
        let printed = self.folder.path().join("printed");
        let child = command.stdout(File::create(&printed).unwrap()).spawn();
        let mut child = child.unwrap();
        let up = until_up(&self.api(), || child.try_wait().unwrap()).await;
        let quickstart = Quickstart(child, printed);
        up.unwrap_or_else(|why| panic!("{why}"));
        quickstart
    }

    fn api(&self) -> Api {
        Api::at(format!("http://{}", self.port.address()))
    }
}

impl Quickstart {
    /// All that it printed to be pasted, once it is whole.
    async fn printed(&self) -> String {
        let mut text = String::new();
        crate::support::until("what to paste", async || {
            text = fs::read_to_string(&self.1).unwrap();
            text.contains("openstack token issue\n\n")
        })
        .await;
        text
    }

    fn end(mut self) {
        kill_process(Pid::from_child(&self.0), Signal::INT).unwrap();
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Quickstart {
    fn drop(&mut self) {
        // Fails only where it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The lines of what was printed from one that begins so until the next empty one.
fn part(printed: &str, from: &str) -> String {
    let lines = printed.lines().skip_while(|line| !line.starts_with(from));
    let lines: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    assert!(!lines.is_empty(), "no {from} in {printed}");
    lines.join("\n") + "\n"
}

/// Pastes this into a shell whose home is this folder; gives what comes of it.
fn paste(home: &Path, text: &str) -> String {
    let client = std::env::var_os("TEST_OPENSTACK").expect("TEST_OPENSTACK, by tests/run");
    let path = Path::new(&client).parent().unwrap().display().to_string();
    let mut shell = Cloud::program("sh");
    let output = shell
        .args(["-euc", text])
        .env("HOME", home)
        .env("PATH", format!("{path}:{}", std::env::var("PATH").unwrap()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{text}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn generated(printed: &str) -> &str {
    let (_, rest) = printed.split_once("OS_PASSWORD='").expect("a password");
    rest.split_once('\'').unwrap().0
}

async fn logs_in(api: &Api, password: &str) -> bool {
    let body = scoped(password_is("admin", password), Scope::Project("admin"));
    api.authenticate(&body).await.status() == 201
}

/// Every file below, with its mode.
fn files(folder: &Path) -> Vec<(PathBuf, u32)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .flat_map(|entry| {
            let meta = entry.metadata().unwrap();
            let mut found = vec![(entry.path(), meta.permissions().mode() & 0o777)];
            if meta.is_dir() {
                found.extend(files(&entry.path()));
            }
            found
        })
        .collect()
}

each_database! {
    async fn quickstart_gives_a_server_that_answers(db: TestDb) {
        let place = Place::new();
        let mut command = place.command(&["--admin-password", PASSWORD, "--database", db.url()]);

        let server = place.start(command.args(place.listen())).await;

        let login = scoped(password("admin"), Scope::Project("admin"));
        let answer = place.api().authenticate(&login).await.expect(201);
        assert_eq!(answer.json()["token"]["user"]["name"], json!("admin"));
        assert!(!server.printed().await.contains(PASSWORD));
        server.end();

        // The second time it needs no option but the folder.
        let server = place.start(&mut place.command(&[])).await;
        assert!(logs_in(&place.api(), PASSWORD).await);
        server.end();
    }
}

/// A rule that no database changes.
macro_rules! once {
    ($( async fn $rule:ident() $body:block )+) => {$(
        #[test]
        fn $rule() {
            run(Backend::Sqlite, async |_: TestDb| $body);
        }
    )+};
}

once! {
    async fn what_quickstart_prints_can_be_pasted() {
        let place = Place::new();
        let home = place.folder.path();
        let server = place.start(place.command(&[]).args(place.listen())).await;
        let printed = server.printed().await;

        let exports = part(&printed, "export");
        let user = paste(home, &format!("{exports}openstack token issue -f value -c user_id"));
        assert_eq!(user.trim().len(), 32, "{user}");
        let catalog = paste(home, &format!("{exports}openstack catalog list -f json"));
        assert!(catalog.contains(&format!("http://{}/v3", place.port.address())), "{catalog}");
        let clouds = home.join(".config/openstack");
        fs::create_dir_all(&clouds).unwrap();
        fs::write(clouds.join("clouds.yaml"), part(&printed, "clouds:")).unwrap();
        let roles = paste(home, "openstack --os-cloud keystone-ng role list -f value -c Name");
        let mut roles: Vec<_> = roles.split_whitespace().collect();
        roles.sort_unstable();
        assert_eq!(roles, ["admin", "manager", "member", "reader", "service"]);
        let implied = paste(home, "openstack --os-cloud keystone-ng implied role list -f value -c 'Prior Role Name' -c 'Implied Role Name'");
        let mut implied: Vec<_> = implied.lines().collect();
        implied.sort_unstable();
        assert_eq!(implied, ["admin manager", "manager member", "member reader"]);
        server.end();
    }

    async fn run_again_quickstart_keeps_everything_and_shows_no_password() {
        let place = Place::new();
        let server = place.start(place.command(&[]).args(place.listen())).await;
        let printed = server.printed().await;
        let password = generated(&printed);
        let keys = fs::read(place.dir().join("fernet-keys/1")).unwrap();
        server.end();

        let server = place.start(&mut place.command(&[])).await;

        let again = server.printed().await;
        assert!(logs_in(&place.api(), password).await);
        assert!(!again.contains(password) && !again.contains("OS_PASSWORD"), "{again}");
        // The client asks for the password; the rest of it is what a shell takes.
        let exports = part(&again, "export");
        let login = format!("{exports}export OS_PASSWORD='{password}'\nopenstack token issue -f value -c user_id");
        assert_eq!(paste(place.folder.path(), &login).trim().len(), 32);
        assert_eq!(fs::read(place.dir().join("fernet-keys/1")).unwrap(), keys);
        server.end();

        // Who has lost it gives a new one.
        let mut command = place.command(&[]);
        let server = place.start(command.env("OS_BOOTSTRAP_PASSWORD", "another $'\"one")).await;
        assert!(logs_in(&place.api(), "another $'\"one").await);
        assert!(!logs_in(&place.api(), password).await);
        assert!(!server.printed().await.contains("another"));
        server.end();
    }

    async fn what_quickstart_writes_is_for_its_owner_alone() {
        let place = Place::new();
        // A folder that was there is left as it is; what is written into it is private all the same.
        fs::create_dir(place.dir()).unwrap();
        fs::set_permissions(place.dir(), fs::Permissions::from_mode(0o755)).unwrap();

        let server = place.start(place.command(&[]).args(place.listen())).await;

        let files = files(&place.dir());
        for name in ["keystone.conf", "keystone.sqlite", "keystone.sqlite-wal", "fernet-keys/0", "credential-keys/1"] {
            assert!(files.iter().any(|(path, _)| path.ends_with(name)), "{name}: {files:?}");
        }
        for (path, mode) in &files {
            assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
        }
        server.end();
    }

    async fn an_address_in_use_is_told_before_a_password_is_made() {
        let place = Place::new();
        let taken = TcpListener::bind(place.port.address()).unwrap();

        let (code, told) = place.fails(&["--listen", &place.port.address()]);

        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains("choose another address with --listen"), "{told}");
        assert!(files(&place.dir()).is_empty());
        drop(taken);
        let server = place.start(place.command(&[]).args(place.listen())).await;
        let printed = server.printed().await;
        assert!(logs_in(&place.api(), generated(&printed)).await);
        server.end();
    }

    async fn a_database_that_cannot_be_used_is_no_beginning() {
        let place = Place::new();
        let nowhere = place.folder.path().join("missing/keystone.sqlite");
        let nowhere = format!("sqlite:///{}", nowhere.display());
        for (url, code, due) in [
            ("foo://admin:open-sesame@localhost/keystone", 2, "--database"),
            ("mysql+pymysql://a:open-sesame@localhost/b?c=d", 2, "--database"),
            (nowhere.as_str(), 1, "missing"),
        ] {
            let (ended, told) = place.fails(&["--database", url, "--listen", &place.port.address()]);
            assert_eq!(ended, Some(code), "{told}");
            assert!(told.contains(due) && !told.contains("open-sesame"), "{told}");
        }

        let server = place.start(place.command(&[]).args(place.listen())).await;
        assert!(logs_in(&place.api(), generated(&server.printed().await)).await);
        server.end();

        let other = format!("sqlite:///{}", place.folder.path().join("other.sqlite").display());
        let (code, told) = place.fails(&["--database", &other]);
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains("names another database"), "{told}");
    }

    async fn a_name_that_keystone_conf_cannot_hold_is_refused() {
        let place = Place::new();
        for name in ["what?", "two\nlines"] {
            let dir = place.folder.path().join(name);
            let mut command = Cloud::command(&["quickstart", "--dir"]);

            let Output { status, stderr, .. } = command.arg(&dir).args(place.listen()).output().unwrap();

            let told = String::from_utf8_lossy(&stderr).into_owned();
            assert_eq!(status.code(), Some(2), "{told}");
            assert!(told.contains("choose another") && !dir.exists(), "{told}");
        }
    }

    async fn an_empty_password_is_none() {
        let place = Place::new();
        let mut command = place.command(&[]);

        let Output { status, stderr, .. } = command.args(place.listen()).env("OS_BOOTSTRAP_PASSWORD", "").output().unwrap();

        let told = String::from_utf8_lossy(&stderr).into_owned();
        assert_eq!(status.code(), Some(2), "{told}");
        assert!(told.contains("at least one character") && !place.dir().exists(), "{told}");
    }

    async fn a_dollar_sign_in_a_name_is_a_dollar_sign() {
        let place = Place::new();
        let dir = place.folder.path().join("a $HOME of ${ONES} own");
        let mut command = Cloud::command(&["quickstart", "--dir"]);

        let server = place.start(command.arg(&dir).args(place.listen())).await;

        assert!(dir.join("keystone.sqlite").exists() && dir.join("fernet-keys/1").exists());
        server.end();
    }
}
