//! A client that sends bytes as they are, as slow or wrong as a test wants them, and holds the
//! connection for as long.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddrV4, TcpStream};
use std::time::Duration;

/// How long an answer may take, and no answer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection, and what was read of it and not looked at yet.
pub(crate) struct Raw<S = TcpStream> {
    stream: S,
    read: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct RawAnswer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl RawAnswer {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Whether the server says that it will close.
    pub(crate) fn closes(&self) -> bool {
        self.header("Connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

impl Raw {
    /// Connects to `127.0.0.1:PORT`.
    pub(crate) fn connect(address: &str) -> Self {
        Self::try_connect(address).expect("a connection")
    }

    /// The same, where that may fail.
    pub(crate) fn try_connect(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self::over(stream))
    }

    /// Connects from this address of the machine's own, such as `127.0.0.2`.
    pub(crate) fn connect_from(source: Ipv4Addr, address: &str) -> Self {
        use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        bind(&socket, &SocketAddrV4::new(source, 0)).expect("a source");
        let target: SocketAddrV4 = address.parse().expect("an address");
        connect(&socket, &target).expect("a connection");
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        Self::over(stream)
    }

    /// Waits no longer than this for an answer.
    pub(crate) fn patience(self, patience: Duration) -> Self {
        self.stream
            .set_read_timeout(Some(patience))
            .expect("a time-out");
        self
    }

    /// Says that nothing more will be sent, unless the server has closed already.
    pub(crate) fn end(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }
}

impl<S: Read + Write> Raw<S> {
    /// Over a stream that is connected.
    pub(crate) fn over(stream: S) -> Self {
        Self {
            stream,
            read: Vec::new(),
        }
    }

    /// Sends these bytes, or what the server takes of them before it closes.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let _ = self.try_send(bytes);
        self
    }

    /// Sends these bytes.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())?;
        self.stream.flush()
    }

    /// Sends a GET without a body.
    pub(crate) fn get(&mut self, path: &str) -> &mut Self {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    }

    /// Reads one answer.
    pub(crate) fn answer(&mut self) -> RawAnswer {
        self.try_answer().expect("an answer")
    }

    /// Reads one answer; an end of the connection instead of it is an error.
    pub(crate) fn try_answer(&mut self) -> io::Result<RawAnswer> {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            self.more()?;
        };
        let rest = self.read.split_off(end + 4);
        let head = String::from_utf8_lossy(&std::mem::replace(&mut self.read, rest)).into_owned();
        let status = head
            .split_ascii_whitespace()
            .nth(1)
            .and_then(|status| status.parse().ok())
            .ok_or_else(|| io::Error::other(format!("no answer of HTTP: {head:?}")))?;
        let mut answer = RawAnswer {
            status,
            head,
            body: Vec::new(),
        };
        let length: usize = answer
            .header("Content-Length")
            .map_or(0, |length| length.parse().expect("a length"));
        while self.read.len() < length {
            self.more()?;
        }
        let rest = self.read.split_off(length);
        answer.body = std::mem::replace(&mut self.read, rest);
        Ok(answer)
    }

    /// Waits until the server closes the connection; what it sends before is lost.
    pub(crate) fn until_closed(&mut self) {
        loop {
            match self.more() {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    panic!("the connection stays open")
                }
                Err(_) => return,
            }
        }
    }

    fn more(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.read.extend_from_slice(&buffer[..count]);
                Ok(())
            }
        }
    }
}
