//! The server's outer skin: what it bounds, whom it believes, how it reloads, drains, logs, counts
//! and traces. What of it no database changes is tested on SQLite alone.

mod cors;
mod drain;
mod limits;
mod logging;
pub(crate) mod metrics;
mod proxies;
mod reload;
mod start;
mod systemd;
pub(crate) mod tls;
mod traces;
