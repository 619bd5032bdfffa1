//! A TCP proxy between a connector and its server that does what networks do: delay, cut, reset, fall silent.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

/// What befalls the connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// All are closed in good order, and no more are taken.
    Cut,
    /// All are closed in good order, and new ones pass.
    CutOnce,
    /// As `CutOnce`, by a reset.
    Reset,
    /// Nothing passes any more, and nobody is told.
    BlackHole,
}

/// Passes everything on until so many bytes have come from the server; then a fault befalls all connections.
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    server: SocketAddr,
    fault: Fault,
    after: usize,
    /// How long each piece takes on its way.
    delay: Duration,
    passed: AtomicUsize,
    is_struck: AtomicBool,
    is_over: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
    /// What happens to the server at the same moment.
    on_fault: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Proxy {
    /// A proxy before a server on this machine.
    pub(crate) fn start(
        server: u16,
        (fault, after): (Fault, usize),
        on_fault: impl FnOnce() + Send + 'static,
    ) -> Self {
        Self::with(server, (fault, after), Duration::ZERO, Box::new(on_fault))
    }

    /// A proxy that passes everything on, late.
    pub(crate) fn delaying(server: u16, delay: Duration) -> Self {
        Self::with(server, (Fault::Cut, usize::MAX), delay, Box::new(|| ()))
    }

    fn with(
        server: u16,
        (fault, after): (Fault, usize),
        delay: Duration,
        on_fault: Box<dyn FnOnce() + Send>,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let shared = Arc::new(Shared {
            server: (Ipv4Addr::LOCALHOST, server).into(),
            fault,
            after,
            delay,
            passed: AtomicUsize::new(0),
            is_struck: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            open: Mutex::default(),
            on_fault: Mutex::new(Some(on_fault)),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Self { port, shared }
    }

    /// Where clients connect.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How many bytes have come from the server.
    pub(crate) fn passed(&self) -> usize {
        self.shared.passed.load(Ordering::SeqCst)
    }

    /// Whether the fault came.
    pub(crate) fn is_struck(&self) -> bool {
        self.shared.is_struck.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.shared.close_all();
        // The listener looks at the flag when somebody comes.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming().map_while(Result::ok) {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        let is_struck = shared.is_struck.load(Ordering::SeqCst);
        if is_struck && shared.fault == Fault::Cut {
            continue;
        }
        if is_struck && shared.fault == Fault::BlackHole {
            shared.open().push(client);
            continue;
        }
        let Ok(server) = TcpStream::connect(shared.server) else {
            continue;
        };
        for stream in [&client, &server] {
            let _ = stream.set_nodelay(true);
            shared.open().extend(stream.try_clone());
        }
        let (Ok(to_server), Ok(to_client)) = (server.try_clone(), client.try_clone()) else {
            continue;
        };
        let (asking, answering) = (Arc::clone(shared), Arc::clone(shared));
        thread::spawn(move || asking.pass(client, to_server, false));
        thread::spawn(move || answering.pass(server, to_client, true));
    }
}

impl Shared {
    fn pass(&self, mut from: TcpStream, mut to: TcpStream, is_answer: bool) {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            if !self.delay.is_zero() {
                thread::sleep(self.delay);
            }
            if is_answer {
                let passed = self.passed.fetch_add(length, Ordering::SeqCst) + length;
                if passed > self.after {
                    self.strike();
                }
            }
            let is_silent = self.fault == Fault::BlackHole && self.is_struck.load(Ordering::SeqCst);
            if !is_silent && to.write_all(&piece[..length]).is_err() {
                break;
            }
        }
        // A socket that is shut in good order is not reset, and who hears nothing hears no end.
        let is_quiet = [Fault::Reset, Fault::BlackHole].contains(&self.fault);
        if !(is_quiet && self.is_struck.load(Ordering::SeqCst)) {
            let _ = to.shutdown(Shutdown::Both);
        }
    }

    /// Lets the fault happen, once.
    fn strike(&self) {
        if self.is_struck.swap(true, Ordering::SeqCst) {
            return;
        }
        let on_fault = self
            .on_fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(on_fault) = on_fault {
            on_fault();
        }
        match self.fault {
            Fault::Cut | Fault::CutOnce => self.close_all(),
            Fault::Reset => {
                for stream in self.open().drain(..) {
                    let _ = set_socket_linger(&stream, Some(Duration::ZERO));
                    // A reset goes out when the last of the socket's owners closes it.
                    let _ = stream.shutdown(Shutdown::Read);
                }
            }
            Fault::BlackHole => {}
        }
    }

    fn close_all(&self) {
        for stream in self.open().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Vec<TcpStream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
