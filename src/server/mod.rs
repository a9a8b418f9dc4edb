//! The running server: listeners, workers, and what watches over them.

pub mod connections;
mod drain;
pub mod health;
mod reload;
pub mod schema;
mod systemd;
pub mod tls;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::rt::signal::unix::{SignalKind, signal};
use actix_web::rt::{System, spawn, time};
use actix_web::{App, HttpResponse, HttpServer, web};
use keystone_actors::db::{ConnectError, Databases};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::{info, warn};

use crate::api;
use crate::api::router::Router;
use crate::config::{Config, Loaded};
use crate::node::{Node, StartError, storage_limits};
use crate::telemetry::trace::Exporter;
use drain::{Drain, Ends};
use health::Health;
use reload::Reloader;
use schema::{Schema, SchemaTrouble};
use systemd::Pulse;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 2048;

/// How long the last traces may take to be sent.
const LAST_TRACES: Duration = Duration::from_secs(2);

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
    /// Sends the traces.
    pub exporter: Option<Exporter>,
}

/// Why the server did not run, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The node does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The database's tables are not those that are needed.
    #[error(transparent)]
    Schema(#[from] SchemaTrouble),
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

impl From<ConnectError> for ServerError {
    fn from(error: ConnectError) -> Self {
        Self::Start(error.into())
    }
}

/// Runs until told to stop. Blocks the thread, and makes an actix system of its own on it.
///
/// # Errors
/// When it can't start, or the system fails it.
pub fn run(loaded: Loaded, config_dir: PathBuf, options: ServeOptions) -> Result<(), ServerError> {
    raise_open_files();
    System::new().block_on(serve(loaded, config_dir, options))
}

/// As many connections as we may have.
fn raise_open_files() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let most = Rlimit {
        current: maximum,
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, most) {
        warn!(%error, "the limit of open files could not be raised");
    }
}

async fn serve(
    loaded: Loaded,
    config_dir: PathBuf,
    options: ServeOptions,
) -> Result<(), ServerError> {
    let config = Arc::new(loaded.config.clone());
    let server = &config.api_server;
    let schema = check_schema(&config).await?;
    let workers = server
        .workers
        .map_or_else(cores, |workers| workers as usize);
    let node = web::Data::new(Node::start(Arc::clone(&config), &config_dir, workers)?);
    let connections = node.metrics.connections.clone();
    let health = web::Data::new(Health::new(node.clone(), schema));
    spawn(health::probe(health.clone().into_inner()));

    let handed = systemd::listeners()?;
    let by_systemd = !handed.is_empty();
    let listeners = match by_systemd {
        true => handed,
        false => listeners(&config, &options.listen)?,
    };
    let addresses: Vec<SocketAddr> = listeners
        .iter()
        .filter_map(|listener| listener.local_addr().ok())
        .collect();
    let certificate = tls::Certificate::load(server)?;
    let limit = config.oslo_middleware.max_request_body_size;
    let supervision = node.providers.supervision.clone();
    let scheme = if certificate.is_some() {
        "https"
    } else {
        "http"
    };
    let status = status(scheme, &addresses);
    let reloader = Reloader::new(
        node.clone(),
        loaded,
        &config_dir,
        certificate.clone(),
        status.clone(),
    );
    let metrics_node = node.clone();
    let rules = web::Data::new(api::context::Rules::new(&config));
    let pulse = Pulse::start(workers);
    let attended = web::Data::new(connections.clone());
    let app_node = node.clone();
    let passkeys = config.webauthn.enabled;
    let app = move || {
        app_node.providers.supervision.attach_worker();
        if let Some(pulse) = &pulse {
            pulse.attach();
        }
        App::new()
            .app_data(app_node.clone())
            .app_data(health.clone())
            .app_data(web::PayloadConfig::new(limit))
            .app_data(rules.clone())
            .app_data(attended.clone())
            .wrap(from_fn(connections::attend))
            .configure(|app| Router::of(health::routes).configure(app))
            .service(
                web::scope("")
                    .wrap(from_fn(api::slashes::tidy))
                    .wrap(from_fn(api::context::surround))
                    .default_service(Router::of(|paths| {
                        api::routes(passkeys)(paths);
                        if passkeys {
                            crate::web::routes(paths);
                        }
                    })),
            )
    };
    // Where connections wait for the next process, there is nothing to wait for.
    let delay = match by_systemd {
        true => Duration::ZERO,
        false => server.drain_delay.min(server.drain_timeout),
    };
    let patience = whole_seconds(server.drain_timeout - delay);
    let opened = connections.clone();
    let mut http = HttpServer::new(app)
        .on_connect(move |stream, data| opened.opened(stream, data))
        .workers(workers)
        .backlog(BACKLOG)
        .keep_alive(server.keep_alive)
        .client_request_timeout(server.client_request_timeout)
        .client_disconnect_timeout(Duration::from_secs(1))
        .max_connections(server.max_connections)
        .shutdown_timeout(patience)
        .disable_signals();
    for listener in listeners {
        http = match &certificate {
            Some(certificate) => http.listen_rustls_0_23(listener, certificate.server_config()?)?,
            None => http.listen(listener)?,
        };
    }
    let ends = Ends::catch()?;
    let hangup = signal(SignalKind::hangup())?;
    let running = http.run();
    if let Some(address) = server.metrics_listen {
        spawn(serve_metrics(metrics_node, address)?);
    }
    spawn(reloader.watch(hangup));
    spawn(
        connections
            .clone()
            .patrol(server.keep_alive + server.client_request_timeout),
    );
    let handle = running.handle();
    let drain = Drain {
        server: handle.clone(),
        connections,
        supervision,
        delay,
        patience: Duration::from_secs(patience),
    };
    spawn(drain.on_signal(ends));
    let traces = options.exporter.map(send_traces);

    for address in &addresses {
        info!(%address, scheme, workers, by_systemd, "listening");
    }
    if let Some(certificate) = &certificate {
        certificate.warn_of_loose_mode();
    }
    if let Some(ready) = options.ready {
        ready(&Running {
            addresses: &addresses,
            node: &node,
            server: handle,
        });
    }
    systemd::ready(&status);
    running.await?;
    if let Some((stop, sent)) = traces {
        drop(stop);
        let _ = time::timeout(LAST_TRACES, sent).await;
    }
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

/// Refuses to start on tables that are not those that are needed. A database that does not answer
/// is no reason: whether its tables are good shows when it does.
async fn check_schema(config: &Config) -> Result<Schema, ServerError> {
    let databases = Databases::new(config.database.connection.clone(), storage_limits(config))?;
    let db = databases.pool("schema", 1)?;
    let schema = Schema::default();
    let looked = time::timeout(config.storage.connect_timeout, schema.refresh(&db));
    match looked.await {
        Ok(Some(trouble)) => return Err(trouble.into()),
        Ok(None) if schema.is_good() => {}
        _ => warn!("the database does not answer; starting without it"),
    }
    Ok(schema)
}

/// Sends traces until what comes first is dropped; what comes second ends when all are sent.
fn send_traces(
    exporter: Exporter,
) -> (
    tokio::sync::oneshot::Sender<()>,
    actix_web::rt::task::JoinHandle<()>,
) {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let sent = spawn(exporter.run(async move {
        // An error is what a dropped sender gives.
        let _ = stopped.await;
    }));
    (stop, sent)
}

/// What systemd shows of a server that serves.
fn status(scheme: &str, addresses: &[SocketAddr]) -> String {
    let urls: Vec<String> = addresses
        .iter()
        .map(|address| format!("{scheme}://{address}"))
        .collect();
    format!("serving on {}", urls.join(", "))
}

/// Rounded up: actix counts in seconds.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The addresses of the command line, or of the configuration.
fn listeners(config: &Config, listen: &[SocketAddr]) -> Result<Vec<TcpListener>, ServerError> {
    let addresses = if listen.is_empty() {
        &config.api_server.listen[..]
    } else {
        listen
    };
    addresses
        .iter()
        .map(|address| {
            bind(address).map_err(|source| ServerError::Listen {
                address: address.to_string(),
                source,
            })
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
