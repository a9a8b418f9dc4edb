//! Connections of clients, as far as the HTTP library does not look after them: which are open,
//! which are told to close, and which are cut off.
//!
//! actix bounds the first head of a connection and the pause between two requests. What it does
//! not bound is cut off here: a later head that never ends, an answer that is never read, and at the
//! server's end connections of HTTP/2, and those on which nothing was ever asked.

use std::any::Any;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::body::MessageBody;
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;
use actix_web::rt::net::TcpStream;
use actix_web::rt::time;
use actix_web::{Error, web};
use dashmap::DashMap;
use rustix::net::Shutdown;
use tracing::debug;

/// Pause between two looks for what has to be cut off.
const PATROL: Duration = Duration::from_millis(500);

/// All connections of clients. Clones are one.
#[derive(Clone)]
pub struct Connections(Arc<Inner>);

struct Inner {
    started: Instant,
    next: AtomicU64,
    open: DashMap<u64, Arc<Connection>>,
    cut: AtomicU64,
    draining: AtomicBool,
    closing: AtomicBool,
}

/// One of them.
struct Connection {
    socket: OwnedFd,
    under_way: AtomicUsize,
    /// When its last request was done with, in milliseconds since the start of the server.
    idle_since: AtomicU64,
    cut: AtomicBool,
}

/// A connection's place among the others; given back when the connection is gone.
struct Place {
    number: u64,
    connection: Arc<Connection>,
    connections: Connections,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.0.open.remove(&self.number);
    }
}

/// A request under way on a connection.
struct UnderWay {
    connection: Arc<Connection>,
    connections: Connections,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let now = self.connections.now();
        self.connection.idle_since.store(now, Ordering::Relaxed);
        self.connection.under_way.fetch_sub(1, Ordering::Release);
    }
}

impl Default for Connections {
    fn default() -> Self {
        Self(Arc::new(Inner {
            started: Instant::now(),
            next: AtomicU64::new(0),
            open: DashMap::new(),
            cut: AtomicU64::new(0),
            draining: AtomicBool::new(false),
            closing: AtomicBool::new(false),
        }))
    }
}

impl Connections {
    /// Takes note of a new connection; for actix's `on_connect`.
    pub fn opened(&self, stream: &dyn Any, data: &mut Extensions) {
        let socket = if let Some(plain) = stream.downcast_ref::<TcpStream>() {
            plain.as_fd().try_clone_to_owned()
        } else if let Some(tls) = stream.downcast_ref::<TlsStream<TcpStream>>() {
            tls.get_ref().0.as_fd().try_clone_to_owned()
        } else {
            return;
        };
        let Ok(socket) = socket else { return };
        let connection = Arc::new(Connection {
            socket,
            under_way: AtomicUsize::new(0),
            idle_since: AtomicU64::new(self.now()),
            cut: AtomicBool::new(false),
        });
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.0.open.insert(number, Arc::clone(&connection));
        data.insert(Place {
            number,
            connection,
            connections: self.clone(),
        });
    }

    /// How many are open.
    pub fn open(&self) -> usize {
        self.0.open.len()
    }

    /// How many were cut off since the start.
    pub fn cut(&self) -> u64 {
        self.0.cut.load(Ordering::Relaxed)
    }

    /// Requests under way on all of them.
    pub fn under_way(&self) -> usize {
        let busy = |one: &Connection| one.under_way.load(Ordering::Acquire);
        self.0.open.iter().map(|one| busy(&one)).sum()
    }

    /// The server is about to stop: whoever gets an answer is told to close its connection.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Release);
    }

    /// The listeners are closed: what is idle is cut off.
    pub fn close(&self) {
        self.0.closing.store(true, Ordering::Release);
    }

    /// Whether the server is about to stop.
    pub fn are_draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }

    /// Cuts off what has been without a request for `idle`, for as long as the process lives.
    pub async fn patrol(self, idle: Duration) {
        loop {
            time::sleep(PATROL).await;
            self.look(idle);
        }
    }

    fn look(&self, idle: Duration) {
        let now = self.now();
        let bound = match self.0.closing.load(Ordering::Acquire) {
            true => PATROL,
            false => idle,
        };
        for one in &self.0.open {
            let quiet = now.saturating_sub(one.idle_since.load(Ordering::Relaxed));
            let quiet = Duration::from_millis(quiet);
            if one.under_way.load(Ordering::Acquire) > 0 || quiet < bound {
                continue;
            }
            // Once, though it may be there for some looks more; and before its client can know.
            if !one.cut.swap(true, Ordering::Relaxed) {
                self.0.cut.fetch_add(1, Ordering::Relaxed);
                debug!(quiet_ms = quiet.as_millis(), "a connection is cut off");
            }
            // It ends as if the client had closed it; an error says that it is closed already.
            let _ = rustix::net::shutdown(&one.socket, Shutdown::Both);
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Surrounds every request, those of health too: notes that it is under way on its connection.
///
/// # Errors
/// Those of the request.
pub async fn attend<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let place = request.conn_data::<Place>();
    let under_way = place.map(|place| {
        let connection = Arc::clone(&place.connection);
        connection.under_way.fetch_add(1, Ordering::AcqRel);
        UnderWay {
            connection,
            connections: place.connections.clone(),
        }
    });
    let connections = request.app_data::<web::Data<Connections>>().cloned();
    let mut answer = next.call(request).await;
    drop(under_way);
    if connections.is_some_and(|connections| connections.are_draining()) {
        match &mut answer {
            Ok(response) => {
                let head = response.response_mut().head_mut();
                head.set_connection_type(ConnectionType::Close);
            }
            Err(error) => error.add_response_mapper(|mut response| {
                let head = response.head_mut();
                head.set_connection_type(ConnectionType::Close);
                response
            }),
        }
    }
    answer
}
