//! systemd's protocols: readiness, reload, watchdog, sockets handed over.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::cloud::{Builder, until_up};
use crate::support::port::Port;
use crate::support::{Api, Cloud};
use crate::testdb::TestDb;

/// What systemd would hear.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Manager {
    fn new(db: &TestDb) -> Self {
        let path = db.scratch().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        Self { socket, path }
    }

    /// The next message that says this, as lines.
    fn hear(&self, wanted: &str) -> Vec<String> {
        loop {
            let mut buffer = [0; 4096];
            let length = self
                .socket
                .recv(&mut buffer)
                .unwrap_or_else(|e| panic!("no {wanted}: {e}"));
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            if lines.iter().any(|line| line.starts_with(wanted)) {
                return lines;
            }
        }
    }
}

fn value<'a>(lines: &'a [String], name: &str) -> &'a str {
    let found = lines
        .iter()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    found.unwrap_or_else(|| panic!("no {name} in {lines:?}"))
}

on_sqlite! {
    async fn the_manager_hears_of_readiness_reload_and_end(db: TestDb) {
        let manager = Manager::new(&db);
        let mut cloud = Builder::new(&db).env("NOTIFY_SOCKET", manager.path.display()).start().await;

        let ready = manager.hear("READY=1");
        assert_eq!(value(&ready, "STATUS"), format!("serving on {}", cloud.api().base()));

        cloud.signal(Signal::HUP);
        let reloading = manager.hear("RELOADING=1");
        let micros: u64 = value(&reloading, "MONOTONIC_USEC").parse().unwrap();
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
        // Between the start of the machine and now.
        assert!(micros > 0 && (micros as f64) <= (uptime + 1.0) * 1e6, "{micros} of {uptime}");
        manager.hear("READY=1");

        std::fs::write(cloud.folder().join("policy.yaml"), "\"identity:get_user\": \"((\"\n").unwrap();
        cloud.signal(Signal::HUP);
        manager.hear("RELOADING=1");
        let ready = manager.hear("READY=1");
        assert!(value(&ready, "STATUS").ends_with("unusable, so as before: policy"), "{ready:?}");

        cloud.signal(Signal::TERM);
        manager.hear("STOPPING=1");
        assert!(cloud.until_ended().await.success());
    }

    async fn the_watchdog_is_told_again_and_again_that_all_is_well(db: TestDb) {
        let manager = Manager::new(&db);
        let cloud = Builder::new(&db)
            .env("NOTIFY_SOCKET", manager.path.display())
            .env("WATCHDOG_USEC", 400_000)
            .start()
            .await;

        for _ in 0..5 {
            manager.hear("WATCHDOG=1");
        }
        drop(cloud);
    }

    async fn a_socket_that_is_handed_over_is_listened_on(db: TestDb) {
        let cloud = Builder::new(&db).prepare().await;
        let port = Port::reserve();
        let mut server = Cloud::program("systemd-socket-activate")
            .args(["--listen", &port.address()])
            .arg(env!("CARGO_BIN_EXE_keystone-ng"))
            .args(["serve", "--config-file"])
            .arg(cloud.config_file())
            .spawn()
            .expect("systemd-socket-activate, of Debian's package systemd");
        let api = Api::at(format!("http://{}", port.address()));

        let up = until_up(&api, || server.try_wait().unwrap()).await;
        let logged_in = match &up {
            Ok(()) => Some(api.admin().await),
            Err(_) => None,
        };
        // Nobody listens where the configuration says.
        let elsewhere = std::net::TcpStream::connect(cloud.address());
        rustix::process::kill_process(rustix::process::Pid::from_child(&server), Signal::TERM).unwrap();
        let ended = server.wait().unwrap();

        up.unwrap();
        assert!(logged_in.is_some());
        assert!(elsewhere.is_err());
        assert!(ended.success(), "{ended}");
    }
}
