//! A simulated vendor on a port of this machine.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bowline_pipeline::{Incoming, Outgoing};
use jiff::Timestamp;

use crate::vendor::{Reply, Vendor};

/// The longest head of a request, in bytes.
const LONGEST_HEAD: usize = 64 * 1024;
/// The longest body of a request, in bytes.
const LONGEST_BODY: usize = 16 * 1024 * 1024;
/// The most headers of a request.
const MOST_HEADERS: usize = 64;

/// A vendor that listens on loopback. Dropping it closes the port.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    vendor: Arc<Mutex<Vendor>>,
    stop: Arc<AtomicBool>,
}

/// How the vendor's clock goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// With real time, as far ahead of it as its scenario says.
    Real,
    /// By the requests alone. Who is asked to come back later may come back at once.
    Unhurried,
}

impl Server {
    /// Listens on a port, any free one when it is 0. Every answer takes this long, however many there are at a time.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub fn start(vendor: Vendor, port: u16, latency: Duration, pace: Pace) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        let vendor = Arc::new(Mutex::new(vendor));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopped) = (Arc::clone(&vendor), Arc::clone(&stop));
        std::thread::Builder::new()
            .name("simulated-vendor".to_owned())
            .spawn(move || {
                for stream in listener.incoming() {
                    if stopped.load(Ordering::Relaxed) {
                        return;
                    }
                    let Ok(stream) = stream else { continue };
                    let shared = Arc::clone(&shared);
                    // A connection that cannot have its thread is closed: clients try again.
                    let _ = std::thread::Builder::new()
                        .name("simulated-answer".to_owned())
                        .spawn(move || serve(stream, &shared, latency, pace));
                }
            })?;
        Ok(Self {
            address,
            vendor,
            stop,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The vendor itself; it answers nobody meanwhile.
    pub fn vendor(&self) -> MutexGuard<'_, Vendor> {
        self.vendor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the listener, which waits for a connection.
        drop(TcpStream::connect(self.address));
    }
}

/// Answers the requests of one connection until either side hangs up.
fn serve(mut stream: TcpStream, vendor: &Mutex<Vendor>, latency: Duration, pace: Pace) {
    // Answers are small and each is waited for.
    let _ = stream.set_nodelay(true);
    let Ok(copy) = stream.try_clone() else {
        return;
    };
    let mut reader = BufReader::new(copy);
    while let Some(request) = read_request(&mut reader) {
        std::thread::sleep(latency);
        let answer = {
            let mut vendor = vendor.lock().unwrap_or_else(PoisonError::into_inner);
            match pace {
                Pace::Real => vendor.keep_time(Timestamp::now()),
                Pace::Unhurried => vendor.reopen(),
            }
            let answer = vendor.answer(&request);
            // In real time a silence takes the time that it takes; more would put the vendor's clock ahead.
            if pace == Pace::Unhurried && answer == Reply::Silence {
                vendor.keep_silent();
            }
            answer
        };
        let written = match answer {
            Reply::Whole(answer) => write_answer(&mut stream, &answer, answer.body.len()),
            Reply::CutOff(answer) => {
                let _ = write_answer(&mut stream, &answer, answer.body.len() / 2);
                return;
            }
            // Nobody waits for a silent vendor here: for the client a cut is the same.
            Reply::Cut | Reply::Silence => return,
        };
        if written.is_err() {
            return;
        }
    }
}

fn write_answer(stream: &mut TcpStream, answer: &Incoming, length: usize) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {} X\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", answer.body.len()));
    // In one piece: two would wait for each other's acknowledgement.
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&answer.body[..length]);
    stream.write_all(&bytes)
}

/// The next request; nothing at the end of the connection, or when it is none.
fn read_request(reader: &mut impl BufRead) -> Option<Outgoing> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let before = head.len();
        let room = u64::try_from(LONGEST_HEAD.checked_sub(before)?).ok()?;
        reader
            .by_ref()
            .take(room)
            .read_until(b'\n', &mut head)
            .ok()?;
        if head.len() == before {
            return None;
        }
    }
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    if !request.parse(&head).ok()?.is_complete() {
        return None;
    }
    let headers: Vec<(String, String)> = request
        .headers
        .iter()
        .map(|header| {
            let value = String::from_utf8_lossy(header.value).into_owned();
            (header.name.to_lowercase(), value)
        })
        .collect();
    let header = |wanted: &str| headers.iter().find(|(name, _)| name == wanted);
    let length = header("content-length").and_then(|(_, length)| length.parse::<usize>().ok());
    let length = length.unwrap_or(0);
    if length > LONGEST_BODY {
        return None;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let host = header("host").map_or("", |(_, host)| host.as_str());
    Some(Outgoing {
        method: request.method?.to_owned(),
        address: format!("http://{host}{}", request.path?),
        body: (length > 0).then(|| String::from_utf8_lossy(&body).into_owned()),
        headers,
    })
}
