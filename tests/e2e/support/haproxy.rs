//! HAProxy as operators are to run it: with the configuration in `config/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::port::Port;
use super::{Api, Cloud, until};
use crate::server::tls::Pair;
use crate::testdb::TestDb;

/// A file of the folder `config`.
pub(crate) fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("config")
        .join(name)
}

/// HAProxy with a shipped configuration; stopped when dropped.
pub(crate) struct Haproxy<'a> {
    folder: &'a Path,
    front: Port,
    /// Where nobody listens, and nobody may as long as it runs.
    nobody: Port,
}

impl<'a> Haproxy<'a> {
    fn new(db: &'a TestDb) -> Self {
        Self {
            folder: db.scratch(),
            front: Port::reserve(),
            nobody: Port::reserve(),
        }
    }

    /// Before these.
    pub(crate) fn start(db: &'a TestDb, nodes: [&Cloud<'_>; 2]) -> Self {
        let haproxy = Self::new(db);
        let stats = Port::reserve();
        let file = shipped("haproxy.cfg");
        haproxy.script(
            &["start", file.to_str().unwrap()],
            &[
                ("IDENTITY_BIND", haproxy.front.address()),
                ("IDENTITY_NODE_1", nodes[0].address()),
                ("IDENTITY_NODE_2", nodes[1].address()),
                ("IDENTITY_STATS", stats.address()),
                ("HAPROXY_PORT", haproxy.front.number().to_string()),
            ],
        );
        haproxy
    }

    /// Before these and Python Keystone; `moved` is what the map has. It has TLS, which a listener
    /// of the test's own takes off: so clients speak to it in plain, and it sees https.
    pub(crate) fn start_beside(
        db: &'a TestDb,
        nodes: [&Cloud<'_>; 2],
        python: &Cloud<'_>,
        moved: &str,
    ) -> Self {
        let haproxy = Self::new(db);
        let (secure, stats) = (Port::reserve(), Port::reserve());
        let made = |name: &str, text: String| {
            let path = db.scratch().join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let pair = Pair::make(db.scratch(), "proxy");
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        let pem = made("proxy.pem", read(&pair.certificate) + &read(&pair.key));
        let map = made("moved.map", read(&shipped("haproxy-beside.map")) + moved);
        let plain = made(
            "plain.cfg",
            format!(
                "listen plain\n    mode tcp\n    bind {}\n    server front {} ssl verify none\n",
                haproxy.front.address(),
                secure.address()
            ),
        );
        let file = shipped("haproxy-beside.cfg");
        haproxy.script(
            &["start", file.to_str().unwrap(), &plain],
            &[
                ("IDENTITY_BIND", secure.address()),
                ("IDENTITY_CERTIFICATE", pem),
                ("IDENTITY_MOVED", map),
                ("IDENTITY_NODE_1", nodes[0].address()),
                ("IDENTITY_NODE_2", nodes[1].address()),
                // One of the two is down.
                ("IDENTITY_PYTHON_1", haproxy.nobody.address()),
                ("IDENTITY_PYTHON_2", python.address()),
                ("IDENTITY_STATS", stats.address()),
                ("HAPROXY_PORT", haproxy.front.number().to_string()),
            ],
        );
        haproxy
    }

    /// A client that comes in by it.
    pub(crate) fn api(&self) -> Api {
        Api::at(format!("http://{}", self.front.address()))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        self.front.address()
    }

    /// The line of its log about a request, which has to come.
    pub(crate) async fn logged(&self, request: &str) -> String {
        let line = || {
            let log = fs::read_to_string(self.folder.join("haproxy/log")).unwrap_or_default();
            let found = log.lines().rfind(|line| line.contains(request));
            found.map(str::to_owned)
        };
        until("the request is in HAProxy's log", async || line().is_some()).await;
        line().unwrap()
    }

    fn script(&self, arguments: &[&str], environment: &[(&str, String)]) {
        let output = Command::new("bash")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/peers/haproxy.sh"))
            .args(arguments)
            .env("PEERS_DATA", self.folder)
            .envs(
                environment
                    .iter()
                    .map(|(name, value)| (*name, value.as_str())),
            )
            .stdin(Stdio::null())
            .output()
            .expect("bash");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

impl Drop for Haproxy<'_> {
    fn drop(&mut self) {
        self.script(&["stop"], &[]);
    }
}
