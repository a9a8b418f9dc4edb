//! The end: SIGTERM and SIGINT drain, a second one ends the process at once.

use std::io;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::signal::unix::{Signal, SignalKind, signal};
use actix_web::rt::{spawn, time};
use keystone_actors::actor::supervisor::Supervision;
use tracing::{info, warn};

use super::connections::Connections;
use super::systemd;
use crate::telemetry::log;

/// What has to be told of the end.
pub(super) struct Drain {
    pub server: ServerHandle,
    pub connections: Connections,
    pub supervision: Supervision,
    /// How long connections are still taken after SIGTERM.
    pub delay: Duration,
    /// How long the rest may take.
    pub patience: Duration,
}

/// SIGTERM and SIGINT, caught from when this is made: before connections are taken, as whoever
/// is answered may think that the server can be ended in good order.
pub(super) struct Ends {
    term: Signal,
    interrupt: Signal,
}

impl Ends {
    /// # Errors
    /// Signals can't be caught.
    pub fn catch() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }
}

/// What is cut off is said before it happens: so long before that a busy machine does not miss it.
const NOTICE: Duration = Duration::from_millis(500);

impl Drain {
    /// Waits for the signal, then ends the server in good order.
    ///
    /// First `/readyz` says 503 and every answer tells its client to close; connections are still
    /// taken, so that whoever spreads the load can notice. Then the listeners are closed, and what
    /// is under way is finished, within `[api_server] drain_timeout`.
    pub async fn on_signal(self, mut ends: Ends) {
        let delay = tokio::select! {
            _ = ends.term.recv() => self.delay,
            // Somebody sits there and waits.
            _ = ends.interrupt.recv() => Duration::ZERO,
        };
        self.connections.drain();
        let under_way = self.connections.under_way();
        systemd::stopping(&format!("draining, {under_way} requests under way"));
        info!(under_way, connections = self.connections.open(), "draining");
        spawn(end_at_once(ends));
        time::sleep(delay).await;
        // From here on replicas that end with their workers are not started again.
        self.supervision.retire();
        self.connections.close();
        let mut stopped = std::pin::pin!(self.server.stop(true));
        let patience = self.patience.saturating_sub(NOTICE);
        if time::timeout(patience, &mut stopped).await.is_err() {
            let cut_off = self.connections.under_way();
            if cut_off > 0 {
                warn!(cut_off, "requests did not end in time");
            }
            stopped.await;
        }
    }
}

async fn end_at_once(mut ends: Ends) {
    tokio::select! {
        _ = ends.term.recv() => {}
        _ = ends.interrupt.recv() => {}
    }
    warn!("stopping at once");
    log::flush();
    std::process::exit(1);
}
