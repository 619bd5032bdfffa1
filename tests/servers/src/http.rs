//! An HTTP server that answers with a function: a vendor or a platform for tests and benchmarks.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use percent_encoding::percent_decode_str;

/// A request as the server sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its method.
    pub method: String,
    /// Its path, as it was sent.
    pub path: String,
    /// Its query, decoded; of parameters with the same name the last.
    pub query: BTreeMap<String, String>,
    /// Its headers, their names in small letters.
    pub headers: BTreeMap<String, String>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Request {
    /// A parameter of the query as a number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<usize> {
        self.query.get(name)?.parse().ok()
    }
}

/// What a server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers beside the content's length and type.
    pub headers: Vec<(&'static str, String)>,
    /// The body, which is JSON.
    pub body: String,
}

impl Answer {
    /// An answer without headers of its own.
    pub fn new(status: u16, body: impl ToString) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.to_string(),
        }
    }
}

type Respond = dyn Fn(&Request) -> Answer + Send + Sync;

/// A server on a free port of the loopback address; stops when dropped, except for requests under way.
pub struct HttpServer {
    port: u16,
    stopped: Arc<AtomicBool>,
}

impl HttpServer {
    /// Starts a server; every connection has a thread of its own.
    ///
    /// # Errors
    /// When there is no port to listen on.
    pub fn start(respond: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let server = Self {
            port: listener.local_addr()?.port(),
            stopped: Arc::default(),
        };
        let respond: Arc<Respond> = Arc::new(respond);
        let stopped = Arc::clone(&server.stopped);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let respond = Arc::clone(&respond);
                thread::spawn(move || {
                    // A client that hangs up has what it wanted, or was killed.
                    let _ended = serve(&stream, &*respond);
                });
            }
        });
        Ok(server)
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener up.
        let _woken = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn serve(stream: &TcpStream, respond: &Respond) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(request) = read(&mut reader)? {
        let answer = respond(&request);
        let mut text = format!(
            "HTTP/1.1 {} Status\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
            answer.status,
            answer.body.len()
        );
        for (name, value) in &answer.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.push_str(&answer.body);
        writer.write_all(text.as_bytes())?;
    }
    Ok(())
}

/// The next request; nothing when the client is done.
fn read(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|text| text.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    Ok(Some(Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query,
        headers,
        body,
    }))
}

/// Text without its percent-encoding.
fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_connection_carries_one_request_after_another() {
        let server = HttpServer::start(|request| {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            Answer::new(201, format!("{}:{:?}:{body}", request.path, request.query))
        })
        .unwrap();
        let address = server.url().replace("http://", "");
        let mut stream = TcpStream::connect(address).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        for _ in 0..2 {
            stream
                .write_all(b"POST /a?x=%2B1 HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi")
                .unwrap();
            let mut length = 0;
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {
                if let Some(number) = line.strip_prefix("content-length: ") {
                    length = number.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            assert_eq!(String::from_utf8_lossy(&body), "/a:{\"x\": \"+1\"}:hi");
        }
    }
}
