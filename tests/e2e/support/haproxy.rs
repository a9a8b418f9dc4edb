//! HAProxy as operators are to run it: with the configuration in `config/`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::port::Port;
use super::{Api, Cloud};
use crate::testdb::TestDb;

/// A file of the folder `config`.
pub(crate) fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("config")
        .join(name)
}

/// HAProxy with the shipped configuration, before two nodes; stopped when dropped.
pub(crate) struct Haproxy<'a> {
    folder: &'a Path,
    front: Port,
}

impl<'a> Haproxy<'a> {
    /// Before these.
    pub(crate) fn start(db: &'a TestDb, nodes: [&Cloud<'_>; 2]) -> Self {
        let haproxy = Self {
            folder: db.scratch(),
            front: Port::reserve(),
        };
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

    /// A client that comes in by it.
    pub(crate) fn api(&self) -> Api {
        Api::at(format!("http://{}", self.front.address()))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        self.front.address()
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
