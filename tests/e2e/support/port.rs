//! Ports for the servers that tests start. Tests run side by side, each in a process of its
//! own, so "bind port 0 and let go" is a race: another may get the same port in between.

use std::fs::{self, File};
use std::net::TcpListener;

/// Below the range from which Linux takes the ports of outgoing connections (32768 and up),
/// and apart from that of the database servers (`tests/support/peers`).
const FIRST: u32 = 22_000;
const COUNT: u32 = 10_000;

/// A TCP port on 127.0.0.1 that belongs to this process until the value is dropped. The lock on
/// its file goes with the process, so one that is killed leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _lock: File,
}

impl Port {
    /// One that no other test has and nobody listens on.
    pub(crate) fn reserve() -> Self {
        let folder = std::env::temp_dir().join("keystone-ng-ports");
        fs::create_dir_all(&folder).expect("a folder for the locks of ports");
        // Processes start their search at different places, so that the first try succeeds.
        let start = std::process::id().wrapping_mul(31);
        for step in 0..COUNT {
            let number =
                u16::try_from(FIRST + start.wrapping_add(step) % COUNT).expect("a port number");
            let lock = File::create(folder.join(number.to_string())).expect("the lock of a port");
            if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", number)).is_ok() {
                return Self {
                    number,
                    _lock: lock,
                };
            }
        }
        panic!("no free port between {FIRST} and {}", FIRST + COUNT);
    }

    /// The port's number.
    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.number)
    }
}
