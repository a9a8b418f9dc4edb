//! A wire between a server and its database that can be cut: a TCP proxy whose state the test
//! chooses.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::port::Port;
use crate::testdb::TestDb;

/// How a wire is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It carries what it is given.
    Whole,
    /// Connections stand and can be made, but nothing goes through.
    Hung,
    /// Connections are closed, and new ones refused.
    Dead,
    /// The test is over.
    Gone,
}

#[derive(Clone, Copy, Debug)]
struct Wanted {
    state: State,
    /// Connections made before this count carry nothing ever again, though nobody is told.
    lost: u64,
}

/// A TCP proxy before a database server.
pub(crate) struct Wire {
    port: Port,
    url: String,
    wanted: watch::Sender<Wanted>,
    thread: Option<JoinHandle<()>>,
}

impl Wire {
    /// A whole wire to this database, which has to be on a server.
    pub(crate) fn to(db: &TestDb) -> Self {
        let port = Port::reserve();
        let mut url = url::Url::parse(db.url()).expect("a URL");
        let host = url.host_str().expect("a database on a server").to_owned();
        let target = (host, url.port().expect("a port"));
        url.set_host(Some("127.0.0.1")).expect("a host");
        url.set_port(Some(port.number())).expect("a port");
        let (wanted, seen) = watch::channel(Wanted {
            state: State::Whole,
            lost: 0,
        });
        let address = SocketAddr::from(([127, 0, 0, 1], port.number()));
        let (up, is_up) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime
                .expect("a runtime")
                .block_on(carry(address, target, seen, up));
        });
        is_up.recv().expect("the wire listens");
        Self {
            port,
            url: url.into(),
            wanted,
            thread: Some(thread),
        }
    }

    /// The database's URL by way of the wire.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Lets nothing through any more, and tells nobody.
    pub(crate) fn hang(&self) {
        self.set(State::Hung);
    }

    /// Closes all connections and refuses new ones.
    pub(crate) fn die(&self) {
        self.set(State::Dead);
    }

    /// Lets everything through again, what it was given meanwhile too.
    pub(crate) fn heal(&self) {
        self.set(State::Whole);
    }

    /// The connections that there are carry nothing ever again, though they stand; new ones do.
    pub(crate) fn lose_connections(&self) {
        self.wanted.send_modify(|wanted| wanted.lost += 1);
    }

    fn set(&self, state: State) {
        self.wanted.send_modify(|wanted| wanted.state = state);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.set(State::Gone);
        if let Some(thread) = self.thread.take() {
            // Only a panic of its own, which has been shown.
            let _ = thread.join();
        }
        let _ = self.port.number();
    }
}

async fn carry(
    address: SocketAddr,
    target: (String, u16),
    mut wanted: watch::Receiver<Wanted>,
    up: std::sync::mpsc::Sender<()>,
) {
    let target = Arc::new(target);
    let mut listener = Some(TcpListener::bind(address).await.expect("the wire's port"));
    up.send(()).expect("who asked for the wire");
    loop {
        let state = wanted.borrow_and_update().state;
        match state {
            State::Gone => return,
            State::Dead => listener = None,
            State::Whole | State::Hung if listener.is_none() => {
                listener = Some(TcpListener::bind(address).await.expect("the wire's port"));
            }
            State::Whole | State::Hung => {}
        }
        let accept = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = wanted.changed() => if changed.is_err() { return },
            accepted = accept => {
                // Whoever has gone before it was taken is nobody.
                let Ok((client, _)) = accepted else { continue };
                tokio::spawn(connection(client, Arc::clone(&target), wanted.clone()));
            }
        }
    }
}

async fn connection(
    client: TcpStream,
    target: Arc<(String, u16)>,
    mut wanted: watch::Receiver<Wanted>,
) {
    let made_at = wanted.borrow().lost;
    let mut gate = wanted.clone();
    let carried = async move {
        passable(&mut gate, made_at).await;
        let Ok(server) = TcpStream::connect((target.0.as_str(), target.1)).await else {
            return;
        };
        // Each byte as it comes, as it would on a wire.
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::select! {
            () = half(from_client, to_server, gate.clone(), made_at) => {}
            () = half(from_server, to_client, gate.clone(), made_at) => {}
        }
    };
    tokio::pin!(carried);
    loop {
        tokio::select! {
            () = &mut carried => return,
            changed = wanted.changed() => {
                let closed = matches!(wanted.borrow().state, State::Dead | State::Gone);
                if changed.is_err() || closed {
                    return;
                }
            }
        }
    }
}

/// Carries one direction to its end.
async fn half(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut wanted: watch::Receiver<Wanted>,
    made_at: u64,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(read) = from.read(&mut buffer).await else {
            return;
        };
        passable(&mut wanted, made_at).await;
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// Waits until a connection of this age carries something.
async fn passable(wanted: &mut watch::Receiver<Wanted>, made_at: u64) {
    let open = |wanted: &Wanted| wanted.state == State::Whole && wanted.lost == made_at;
    if wanted.wait_for(open).await.is_err() {
        std::future::pending::<()>().await;
    }
}
