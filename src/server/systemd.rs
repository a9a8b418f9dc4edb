//! What systemd is told (`sd_notify(3)`), and what it hands over.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::rt::{spawn, time};
use sd_notify::NotifyState;
use tracing::warn;

/// Tells systemd, where it started us.
pub(super) fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "systemd could not be told");
    }
}

/// Serving, and how.
pub(super) fn ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The configuration is being read again; [`ready`] ends it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[
            NotifyState::Reloading,
            now,
            NotifyState::Status("reading files again"),
        ]),
        Err(error) => warn!(%error, "systemd could not be told"),
    }
}

/// On the way out.
pub(super) fn stopping(status: &str) {
    notify(&[NotifyState::Stopping, NotifyState::Status(status)]);
}

/// Sockets that systemd hands over: those of `keystone-ng.socket`.
pub(super) fn listeners() -> std::io::Result<Vec<TcpListener>> {
    let mut handed = listenfd::ListenFd::from_env();
    let mut found = Vec::new();
    for index in 0..handed.len() {
        if let Some(listener) = handed.take_tcp_listener(index)? {
            listener.set_nonblocking(true)?;
            found.push(listener);
        }
    }
    Ok(found)
}

/// Whether every worker's thread goes on: one that hangs stops answering a share of all requests.
#[derive(Clone)]
pub(super) struct Pulse(Arc<Beats>);

struct Beats {
    started: Instant,
    interval: Duration,
    /// When each thread last came round, in milliseconds since `started`; 0: not yet.
    workers: Box<[AtomicU64]>,
    next: AtomicU64,
}

impl Pulse {
    /// `None` where systemd set no `WatchdogSec=`.
    pub fn start(workers: usize) -> Option<Self> {
        let timeout = sd_notify::watchdog_enabled()?;
        let pulse = Self(Arc::new(Beats {
            started: Instant::now(),
            interval: timeout / 4,
            workers: (0..workers).map(|_| AtomicU64::new(0)).collect(),
            next: AtomicU64::new(0),
        }));
        spawn(pulse.clone().report(timeout));
        Some(pulse)
    }

    /// Called on a worker's thread: beats there from now on.
    pub fn attach(&self) {
        let beats = Arc::clone(&self.0);
        let number = beats.next.fetch_add(1, Ordering::Relaxed);
        let count = u64::try_from(beats.workers.len()).unwrap_or(1).max(1);
        let index = usize::try_from(number % count).unwrap_or(0);
        spawn(async move {
            loop {
                if let Some(worker) = beats.workers.get(index) {
                    let now = beats.started.elapsed().as_millis();
                    let now = u64::try_from(now).unwrap_or(u64::MAX).max(1);
                    worker.store(now, Ordering::Relaxed);
                }
                time::sleep(beats.interval).await;
            }
        });
    }

    /// Tells systemd that all is well, while it is.
    async fn report(self, timeout: Duration) {
        loop {
            if self.is_well(timeout) {
                notify(&[NotifyState::Watchdog]);
            } else {
                warn!("a worker's thread hangs; the watchdog is not told that all is well");
            }
            time::sleep(self.0.interval).await;
        }
    }

    fn is_well(&self, timeout: Duration) -> bool {
        let now = self.0.started.elapsed();
        self.0.workers.iter().all(|worker| {
            let beat = Duration::from_millis(worker.load(Ordering::Relaxed));
            now.saturating_sub(beat) < timeout
        })
    }
}
