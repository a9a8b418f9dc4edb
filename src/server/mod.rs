//! The running server: listeners, workers, signals, reload and drain.

pub mod health;
mod reload;
mod tls;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::rt::signal::unix::{SignalKind, signal};
use actix_web::rt::{System, spawn, time};
use actix_web::{App, HttpResponse, HttpServer, web};
use keystone_actors::actor::supervisor::Supervision;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use sd_notify::NotifyState;
use tracing::{error, info, warn};

use crate::api;
use crate::config::Loaded;
use crate::node::{Node, StartError};
use health::Health;
use reload::Reloader;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 2048;

/// A server whose listeners are open.
pub struct Running<'a> {
    /// Where it listens.
    pub addresses: &'a [SocketAddr],
    /// What it serves from.
    pub node: &'a web::Data<Node>,
    /// Stops it.
    pub server: ServerHandle,
}

/// What is done once the listeners are open.
pub type Ready = Box<dyn FnOnce(&Running<'_>) + Send>;

/// How the server is to run, besides its configuration.
#[derive(Default)]
pub struct ServeOptions {
    /// Addresses to listen on; none: those of the configuration.
    pub listen: Vec<SocketAddr>,
    /// Called once the listeners are open.
    pub ready: Option<Ready>,
}

/// Why the server did not run, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The node does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// An address can't be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// Certificate or key.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// The system refused something else.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Runs until told to stop. Blocks the thread, and makes an actix system of its own on it.
///
/// # Errors
/// When it can't start, or the system fails it.
pub fn run(loaded: Loaded, config_dir: PathBuf, options: ServeOptions) -> Result<(), ServerError> {
    // Secrets are in memory: no core file of it.
    if let Err(error) = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    ) {
        warn!(%error, "core files could not be switched off");
    }
    System::new().block_on(serve(loaded, config_dir, options))
}

async fn serve(
    loaded: Loaded,
    config_dir: PathBuf,
    options: ServeOptions,
) -> Result<(), ServerError> {
    let config = Arc::new(loaded.config);
    let server = &config.api_server;
    let workers = server
        .workers
        .map_or_else(cores, |workers| workers as usize);
    let node = web::Data::new(Node::start(Arc::clone(&config), &config_dir, workers)?);
    let draining = Arc::new(AtomicBool::new(false));
    let health = web::Data::new(Health::new(node.clone(), Arc::clone(&draining)));
    spawn(health::probe(health.clone().into_inner()));

    let listeners = listeners(&config, &options.listen)?;
    let addresses: Vec<SocketAddr> = listeners
        .iter()
        .filter_map(|listener| listener.local_addr().ok())
        .collect();
    let certificate = tls::Certificate::load(server)?;
    let limit = config.oslo_middleware.max_request_body_size;
    let supervision = node.providers.supervision.clone();
    let metrics_node = node.clone();
    let reloader = Reloader::new(node.clone(), config_dir, certificate.clone());
    let app = {
        let node = node.clone();
        let config = Arc::clone(&config);
        let deadline = config.api_server.request_timeout;
        move || {
            node.providers.supervision.attach_worker();
            App::new()
                .app_data(node.clone())
                .app_data(health.clone())
                .app_data(web::PayloadConfig::new(limit))
                .app_data(api::context::Deadline(deadline))
                .configure(health::routes)
                .service(
                    web::scope("")
                        .wrap(from_fn(api::context::surround))
                        .configure(api::routes),
                )
        }
    };
    let mut http = HttpServer::new(app)
        .workers(workers)
        .backlog(BACKLOG)
        .keep_alive(server.keep_alive)
        .client_request_timeout(server.client_request_timeout)
        .client_disconnect_timeout(Duration::from_secs(1))
        .max_connections(server.max_connections)
        .shutdown_timeout(server.drain_timeout.as_secs())
        .disable_signals();
    for listener in listeners {
        http = match &certificate {
            Some(certificate) => http.listen_rustls_0_23(listener, certificate.server_config()?)?,
            None => http.listen(listener)?,
        };
    }
    let running = http.run();
    if let Some(address) = server.metrics_listen {
        spawn(serve_metrics(metrics_node, address)?);
    }
    spawn(reloader.watch());
    let handle = running.handle();
    spawn(stop_on_signal(handle.clone(), draining, supervision));

    for address in &addresses {
        let scheme = if certificate.is_some() {
            "https"
        } else {
            "http"
        };
        info!(%address, scheme, workers, "listening");
    }
    if let Some(ready) = options.ready {
        ready(&Running {
            addresses: &addresses,
            node: &node,
            server: handle,
        });
    }
    notify(&[NotifyState::Ready]);
    if let Some(interval) = sd_notify::watchdog_enabled() {
        spawn(async move {
            loop {
                notify(&[NotifyState::Watchdog]);
                time::sleep(interval / 2).await;
            }
        });
    }
    running.await?;
    info!("stopped");
    Ok(())
}

/// Whether a certificate is configured; it and its key can be used then.
///
/// # Errors
/// What is wrong with them.
pub fn check_certificate(config: &crate::config::Config) -> Result<bool, String> {
    let loaded = tls::Certificate::load(&config.api_server);
    loaded
        .map(|certificate| certificate.is_some())
        .map_err(|error| error.to_string())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Sockets that systemd hands over; without them, the addresses of the command line, or of the
/// configuration.
fn listeners(
    config: &crate::config::Config,
    listen: &[SocketAddr],
) -> Result<Vec<TcpListener>, ServerError> {
    let mut handed = listenfd::ListenFd::from_env();
    let mut found = Vec::new();
    for index in 0..handed.len() {
        if let Some(listener) = handed.take_tcp_listener(index)? {
            listener.set_nonblocking(true)?;
            found.push(listener);
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let addresses = if listen.is_empty() {
        &config.api_server.listen[..]
    } else {
        listen
    };
    addresses
        .iter()
        .map(|address| {
            let refused = |source| ServerError::Listen {
                address: address.to_string(),
                source,
            };
            let socket = bind(address).map_err(refused)?;
            Ok(socket)
        })
        .collect()
}

fn bind(address: &SocketAddr) -> std::io::Result<TcpListener> {
    let kind = match address {
        SocketAddr::V4(_) => rustix::net::AddressFamily::INET,
        SocketAddr::V6(_) => rustix::net::AddressFamily::INET6,
    };
    let socket = rustix::net::socket(kind, rustix::net::SocketType::STREAM, None)?;
    rustix::net::sockopt::set_socket_reuseaddr(&socket, true)?;
    rustix::net::bind(&socket, address)?;
    rustix::net::listen(&socket, i32::try_from(BACKLOG).unwrap_or(i32::MAX))?;
    let listener = TcpListener::from(socket);
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// `/metrics`, on one thread of its own.
fn serve_metrics(
    node: web::Data<Node>,
    address: SocketAddr,
) -> Result<actix_web::dev::Server, ServerError> {
    let server = HttpServer::new(move || {
        let show = async |node: web::Data<Node>| {
            HttpResponse::Ok()
                .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
                .body(node.metrics.render())
        };
        App::new()
            .app_data(node.clone())
            .route("/metrics", web::get().to(show))
    })
    .workers(1)
    .disable_signals()
    .bind(address)
    .map_err(|source| ServerError::Listen {
        address: address.to_string(),
        source,
    })?
    .run();
    info!(%address, "metrics");
    Ok(server)
}

/// SIGTERM and SIGINT drain: what runs is finished, nothing new is accepted. A second one ends
/// the process at once.
async fn stop_on_signal(server: ServerHandle, draining: Arc<AtomicBool>, supervision: Supervision) {
    let (Ok(mut term), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        error!("signals can't be received");
        return;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
    draining.store(true, Ordering::Release);
    notify(&[NotifyState::Stopping]);
    info!("draining");
    spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        warn!("stopping at once");
        std::process::exit(1);
    });
    supervision.retire();
    server.stop(true).await;
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "systemd could not be told");
    }
}

/// Microseconds of the monotonic clock, as systemd wants them with `RELOADING=1`.
fn monotonic_micros() -> i128 {
    let now = clock_gettime(ClockId::Monotonic);
    i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1000
}
