//! `serve`.

use std::net::SocketAddr;

use super::{ConfigArgs, Failure, base_dir, load};
use crate::server::{ServeOptions, ServerError, run as run_server};
use crate::telemetry::log;

pub(super) fn run(from: &ConfigArgs, listen: Vec<SocketAddr>) -> Result<(), Failure> {
    let loaded = load(from)?;
    let exporter = log::init(&loaded.config).map_err(Failure::of)?;
    let options = ServeOptions {
        listen,
        ready: None,
        exporter,
    };
    run_server(loaded, base_dir(from), options).map_err(|error| match error {
        ServerError::Start(_) | ServerError::Tls(_) => Failure::Usage(error.to_string()),
        ServerError::Schema(_) => Failure::Unhealthy(error.to_string()),
        error => Failure::of(error),
    })
}
