//! Sockets, plain or encrypted.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// An address of a network.
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
}

/// How long an idle connection is kept, and how it is watched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Keepalive {
    /// Whether the system does not watch it.
    pub(super) off: bool,
    /// After how long the system asks whether the other end is there.
    pub(super) idle: Option<Duration>,
    /// How long between two questions.
    pub(super) interval: Option<Duration>,
    /// After how many questions the connection is given up.
    pub(super) count: Option<u32>,
    /// After how long data that nobody took is given up.
    pub(super) user_timeout: Option<Duration>,
}

/// A socket of either kind.
pub(super) enum Socket {
    /// Of a network.
    Tcp(TcpStream),
    /// Of the file system.
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixStream),
}

impl Socket {
    /// Reaches a server within the time; reads and writes have as much each until [`unlimited`](Self::unlimited).
    pub(super) fn reach(
        address: &Address,
        limit: Duration,
        keepalive: &Keepalive,
    ) -> io::Result<Self> {
        // Zero would mean no limit at all.
        let limit = limit.max(Duration::from_millis(1));
        match address {
            Address::Tcp(address) => {
                let socket = TcpStream::connect_timeout(address, limit)?;
                socket.set_nodelay(true)?;
                socket.set_read_timeout(Some(limit))?;
                socket.set_write_timeout(Some(limit))?;
                keepalive.apply(&socket)?;
                Ok(Self::Tcp(socket))
            }
            #[cfg(unix)]
            Address::Unix(path) => {
                let socket = std::os::unix::net::UnixStream::connect(path)?;
                socket.set_read_timeout(Some(limit))?;
                socket.set_write_timeout(Some(limit))?;
                Ok(Self::Unix(socket))
            }
            #[cfg(not(unix))]
            Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Lets reads and writes take as long as they do.
    pub(super) fn unlimited(&self) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => {
                socket.set_read_timeout(None)?;
                socket.set_write_timeout(None)
            }
            #[cfg(unix)]
            Self::Unix(socket) => {
                socket.set_read_timeout(None)?;
                socket.set_write_timeout(None)
            }
        }
    }
}

impl Keepalive {
    fn apply(&self, socket: &TcpStream) -> io::Result<()> {
        let socket = SockRef::from(socket);
        if !self.off {
            let mut keepalive = TcpKeepalive::new();
            if let Some(idle) = self.idle {
                keepalive = keepalive.with_time(idle);
            }
            if let Some(interval) = self.interval {
                keepalive = keepalive.with_interval(interval);
            }
            if let Some(count) = self.count {
                keepalive = keepalive.with_retries(count);
            }
            socket.set_keepalive(true)?;
            if self.idle.is_some() || self.interval.is_some() || self.count.is_some() {
                socket.set_tcp_keepalive(&keepalive)?;
            }
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(timeout) = self.user_timeout {
            socket.set_tcp_user_timeout(Some(timeout))?;
        }
        Ok(())
    }
}

impl Read for Socket {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.read(into),
            #[cfg(unix)]
            Self::Unix(socket) => socket.read(into),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.write(from),
            #[cfg(unix)]
            Self::Unix(socket) => socket.write(from),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.flush(),
            #[cfg(unix)]
            Self::Unix(socket) => socket.flush(),
        }
    }
}

/// With whom and how a connection is encrypted.
#[derive(Clone)]
pub(super) struct Encryption {
    /// What is believed, and what is shown.
    pub(super) config: Arc<ClientConfig>,
    /// Whom the certificate has to name.
    pub(super) server: ServerName<'static>,
}

/// What messages go over.
pub(super) enum Stream {
    /// In the clear.
    Plain(Socket),
    /// Encrypted.
    Encrypted(Box<StreamOwned<ClientConnection, Socket>>),
}

impl Stream {
    /// Asks the server whether it encrypts, and does so if it does.
    pub(super) fn encrypted(
        mut socket: Socket,
        encryption: &Encryption,
    ) -> io::Result<Result<Self, Socket>> {
        let mut request = BytesMut::new();
        frontend::ssl_request(&mut request);
        socket.write_all(&request)?;
        socket.flush()?;
        // One byte: what follows it belongs to the encryption, and nothing may have been slipped in between.
        let mut answer = [0];
        socket.read_exact(&mut answer)?;
        match &answer {
            b"S" => {}
            b"N" => return Ok(Err(socket)),
            // What follows are words that nobody vouches for: another attempt goes over a socket of its own.
            b"E" => {
                return Err(super::error::unexpected(
                    "an error where it was asked to encrypt",
                ));
            }
            _ => return Err(super::error::unexpected("no answer of PostgreSQL's")),
        }
        let config = Arc::clone(&encryption.config);
        let mut connection =
            ClientConnection::new(config, encryption.server.clone()).map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        let stream = StreamOwned::new(connection, socket);
        Ok(Ok(Self::Encrypted(Box::new(stream))))
    }

    /// The socket below.
    pub(super) fn socket(&self) -> &Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Encrypted(stream) => &stream.sock,
        }
    }

    /// The server's certificate, where the stream is encrypted.
    pub(super) fn certificate(&self) -> Option<&[u8]> {
        match self {
            Self::Plain(_) => None,
            Self::Encrypted(stream) => {
                let shown = stream.conn.peer_certificates()?.first()?;
                Some(shown.as_ref())
            }
        }
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(into),
            Self::Encrypted(stream) => stream.read(into),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(from),
            Self::Encrypted(stream) => stream.write(from),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Encrypted(stream) => stream.flush(),
        }
    }
}
