//! A registry in memory that misbehaves as it is told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use bowline_oci::{Digest, media_type};

/// A request, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    /// By names in small letters.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Ask {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Whether it has this method and this in its path.
    pub(crate) fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }
}

/// What an answer is.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// What goes wrong with a request. It is decided before the request's body is read.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// This is the answer, whatever the right one is.
    Reply(Reply),
    /// The right answer breaks off after so many bytes of its body.
    CutAnswer(usize),
    /// The right answer stops after so many bytes of its body, and the connection stays.
    Stall(usize),
    /// A body without end follows the headers.
    Endless,
    /// Of what is sent up so many bytes are taken, then the connection breaks.
    CutUpload(usize),
    /// It is done as it should be, and then the connection breaks before the answer.
    LoseAnswer,
}

/// Decides what goes wrong; it gets every request and how many came before.
type Plan = Box<dyn FnMut(&Ask) -> Fault + Send>;

#[derive(Default)]
struct State {
    blobs: BTreeMap<String, Vec<u8>>,
    manifests: BTreeMap<String, (String, Vec<u8>)>,
    uploads: BTreeMap<String, Vec<u8>>,
    /// The other repository's blobs.
    elsewhere: BTreeMap<String, Vec<u8>>,
    log: Vec<Ask>,
    next: usize,
}

struct Shared {
    name: String,
    keeps_referrers: bool,
    state: Mutex<State>,
    plan: Mutex<Plan>,
    stopped: (Mutex<bool>, Condvar),
}

/// A registry in memory with one repository, `team/agent`, and another whose blobs can be mounted.
pub(crate) struct Server {
    shared: Arc<Shared>,
}

pub(crate) const REPOSITORY: &str = "team/agent";

impl Server {
    pub(crate) fn start(plan: impl FnMut(&Ask) -> Fault + Send + 'static) -> Self {
        Self::start_with(true, plan)
    }

    /// `keeps_referrers` says whether it lists them by itself.
    pub(crate) fn start_with(
        keeps_referrers: bool,
        plan: impl FnMut(&Ask) -> Fault + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let shared = Arc::new(Shared {
            name: listener.local_addr().unwrap().to_string(),
            keeps_referrers,
            state: Mutex::default(),
            plan: Mutex::new(Box::new(plan)),
            stopped: Default::default(),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if *serving.stopped.0.lock().unwrap() {
                    break;
                }
                let (Ok(stream), shared) = (stream, Arc::clone(&serving)) else {
                    continue;
                };
                let _ = stream.set_nodelay(true);
                std::thread::spawn(move || while shared.serve(&stream).is_some() {});
            }
        });
        Self { shared }
    }

    /// Its name in references.
    pub(crate) fn name(&self) -> &str {
        &self.shared.name
    }

    /// The reference of an image in its repository.
    pub(crate) fn reference(&self, rest: &str) -> bowline_oci::registry::Reference {
        format!("{}/{REPOSITORY}{rest}", self.name())
            .parse()
            .unwrap()
    }

    pub(crate) fn add_blob(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let mut state = self.shared.state.lock().unwrap();
        state.blobs.insert(digest.to_string(), bytes.to_vec());
        digest
    }

    pub(crate) fn add_elsewhere(&self, bytes: &[u8]) {
        let mut state = self.shared.state.lock().unwrap();
        let digest = Digest::of(bytes).to_string();
        state.elsewhere.insert(digest, bytes.to_vec());
    }

    pub(crate) fn add_manifest(&self, name: &str, kind: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let mut state = self.shared.state.lock().unwrap();
        for name in [name, digest.as_str()] {
            let manifest = (kind.to_owned(), bytes.to_vec());
            state.manifests.insert(name.to_owned(), manifest);
        }
        digest
    }

    pub(crate) fn blob(&self, digest: &Digest) -> Option<Vec<u8>> {
        let state = self.shared.state.lock().unwrap();
        state.blobs.get(digest.as_str()).cloned()
    }

    pub(crate) fn manifest(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.shared.state.lock().unwrap();
        state.manifests.get(name).map(|(_, bytes)| bytes.clone())
    }

    /// What was asked so far, by a method and a part of the path.
    pub(crate) fn asked(&self, method: &str, part: &str) -> Vec<Ask> {
        let state = self.shared.state.lock().unwrap();
        let asked = state.log.iter().filter(|ask| ask.is(method, part));
        asked.cloned().collect()
    }

    pub(crate) fn log(&self) -> Vec<Ask> {
        self.shared.state.lock().unwrap().log.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let (stopped, wake) = &self.shared.stopped;
        *stopped.lock().unwrap() = true;
        wake.notify_all();
        // Wakes the listener.
        let _ = TcpStream::connect(&self.shared.name);
    }
}

impl Shared {
    /// Serves one request; nothing when the connection is over.
    fn serve(&self, stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader
            .read_line(&mut line)
            .ok()
            .filter(|count| *count > 0)?;
        let mut words = line.split_whitespace();
        let mut ask = Ask {
            method: words.next()?.to_owned(),
            path: words.next()?.to_owned(),
            headers: BTreeMap::new(),
            body: Vec::new(),
        };
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            ask.headers
                .insert(name.to_lowercase(), value.trim().to_owned());
        }
        let fault = (self.plan.lock().unwrap())(&ask);
        let length: usize = ask.header("content-length").parse().unwrap_or(0);
        if let Fault::CutUpload(count) = fault {
            let mut body = vec![0; count];
            reader.read_exact(&mut body).ok()?;
            ask.body = body;
            let mut state = self.state.lock().unwrap();
            let id = upload_id(&ask.path);
            let bytes = ask.body.clone();
            state.uploads.get_mut(&id)?.extend(bytes);
            state.log.push(ask);
            return None;
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        ask.body = body;
        self.state.lock().unwrap().log.push(ask.clone());
        let reply = match &fault {
            Fault::Reply(reply) => reply.clone(),
            _ => self.answer(&ask),
        };
        if matches!(fault, Fault::LoseAnswer) {
            return None;
        }
        self.write(stream, &ask, &reply, &fault)
    }

    fn write(&self, mut stream: &TcpStream, ask: &Ask, reply: &Reply, fault: &Fault) -> Option<()> {
        let mut head = format!("HTTP/1.1 {} Status\r\n", reply.status);
        for (name, value) in &reply.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let own_length = reply
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        if matches!(fault, Fault::Endless) {
            head.push_str("Transfer-Encoding: chunked\r\n");
        } else if !own_length && reply.status != 204 {
            head.push_str(&format!("Content-Length: {}\r\n", reply.body.len()));
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).ok()?;
        match fault {
            Fault::CutAnswer(count) => {
                stream.write_all(&reply.body[..*count]).ok()?;
                return None;
            }
            Fault::Stall(count) => {
                stream.write_all(&reply.body[..*count]).ok()?;
                let (stopped, wake) = &self.stopped;
                let stopped = stopped.lock().unwrap();
                let _stopped = wake.wait_while(stopped, |stopped| !*stopped).unwrap();
                return None;
            }
            Fault::Endless => {
                let chunk = [b'x'; 0x4000];
                loop {
                    stream.write_all(b"4000\r\n").ok()?;
                    stream.write_all(&chunk).ok()?;
                    stream.write_all(b"\r\n").ok()?;
                }
            }
            _ if ask.method == "HEAD" => {}
            _ => stream.write_all(&reply.body).ok()?,
        }
        Some(())
    }

    /// The right answer.
    fn answer(&self, ask: &Ask) -> Reply {
        let mut state = self.state.lock().unwrap();
        let (path, query) = ask.path.split_once('?').unwrap_or((&ask.path, ""));
        let query: BTreeMap<&str, String> = query
            .split('&')
            .filter_map(|part| part.split_once('='))
            .map(|(name, value)| (name, value.replace("%3A", ":").replace("%2F", "/")))
            .collect();
        let Some(rest) = path.strip_prefix(&format!("/v2/{REPOSITORY}/")) else {
            return Reply::new(if path == "/v2/" { 200 } else { 404 });
        };
        let (what, name) = rest.split_once('/').unwrap_or((rest, ""));
        match (ask.method.as_str(), what, name) {
            ("POST", "blobs", "uploads/") => {
                if let Some(bytes) = query
                    .get("mount")
                    .and_then(|digest| state.elsewhere.get(digest))
                    .cloned()
                {
                    state.blobs.insert(query["mount"].clone(), bytes);
                    return Reply::new(201);
                }
                let id = format!("u{}", state.next);
                state.next += 1;
                state.uploads.insert(id.clone(), Vec::new());
                Reply::new(202).header("Location", location(&id, 0))
            }
            ("PATCH" | "PUT" | "GET", "blobs", name) if name.starts_with("uploads/") => {
                upload(&mut state, ask, &query)
            }
            ("GET" | "HEAD", "blobs", digest) => match state.blobs.get(digest) {
                Some(bytes) => ranged(bytes, ask.header("range")),
                None => Reply::new(404),
            },
            ("GET" | "HEAD", "manifests", name) => match state.manifests.get(name) {
                Some((kind, bytes)) => Reply::new(200)
                    .header("Content-Type", kind)
                    .header("Docker-Content-Digest", Digest::of(bytes).as_str())
                    .body(bytes.clone()),
                None => Reply::new(404)
                    .body(r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no such tag"}]}"#),
            },
            ("PUT", "manifests", name) => {
                let digest = Digest::of(&ask.body).to_string();
                let manifest = (ask.header("content-type").to_owned(), ask.body.clone());
                state.manifests.insert(name.to_owned(), manifest.clone());
                state.manifests.insert(digest.clone(), manifest);
                let reply = Reply::new(201).header("Docker-Content-Digest", digest);
                match subject(&ask.body).filter(|_| self.keeps_referrers) {
                    Some(subject) => reply.header("OCI-Subject", subject),
                    None => reply,
                }
            }
            ("GET", "referrers", digest) if self.keeps_referrers => {
                // A page has one entry.
                let page: usize = query.get("page").map_or(0, |page| page.parse().unwrap());
                let all: Vec<_> = state
                    .manifests
                    .iter()
                    .filter(|(name, (_, bytes))| {
                        name.starts_with("sha256:") && subject(bytes).as_deref() == Some(digest)
                    })
                    .collect();
                let entries: Vec<_> = all
                    .iter()
                    .skip(page)
                    .take(1)
                    .map(|(name, (kind, bytes))| {
                        serde_json::json!({"mediaType": kind, "digest": name, "size": bytes.len()})
                    })
                    .collect();
                let body = serde_json::json!({"schemaVersion": 2, "manifests": entries});
                let reply = Reply::new(200)
                    .header("Content-Type", media_type::INDEX)
                    .body(body.to_string());
                if page + 1 < all.len() {
                    let next = format!("<{path}?page={}>; rel=\"next\"", page + 1);
                    return reply.header("Link", next);
                }
                reply
            }
            _ => Reply::new(404),
        }
    }
}

fn subject(manifest: &[u8]) -> Option<String> {
    let manifest: serde_json::Value = serde_json::from_slice(manifest).ok()?;
    Some(manifest["subject"]["digest"].as_str()?.to_owned())
}

/// Every place is good for one request, as in registries that sign them.
fn location(id: &str, length: usize) -> String {
    format!("/v2/{REPOSITORY}/blobs/uploads/{id}?state={length}")
}

fn upload_id(path: &str) -> String {
    let path = path.split('?').next().unwrap();
    path.rsplit('/').next().unwrap().to_owned()
}

fn upload(state: &mut State, ask: &Ask, query: &BTreeMap<&str, String>) -> Reply {
    let id = upload_id(&ask.path);
    let Some(mut bytes) = state.uploads.get(&id).cloned() else {
        return Reply::new(404).body(r#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}"#);
    };
    let range = |length: usize| format!("0-{}", length.saturating_sub(1));
    if ask.method == "GET" {
        return Reply::new(204)
            .header("Location", location(&id, bytes.len()))
            .header("Range", range(bytes.len()));
    }
    let from = ask.header("content-range").split('-').next().unwrap();
    if ask.method == "PATCH" && from != bytes.len().to_string() {
        return Reply::new(416).header("Range", range(bytes.len()));
    }
    if query["state"] != bytes.len().to_string() {
        return Reply::new(400).body("an old place");
    }
    bytes.extend(&ask.body);
    state.uploads.insert(id.clone(), bytes.clone());
    if ask.method == "PATCH" {
        return Reply::new(202)
            .header("Location", location(&id, bytes.len()))
            .header("Range", range(bytes.len()));
    }
    state.uploads.remove(&id);
    let digest = Digest::of(&bytes).to_string();
    if query["digest"] != digest {
        return Reply::new(400)
            .body(r#"{"errors":[{"code":"DIGEST_INVALID","message":"it is another"}]}"#);
    }
    state.blobs.insert(digest, bytes);
    Reply::new(201)
}

fn ranged(bytes: &[u8], range: &str) -> Reply {
    let from: Option<usize> = range
        .strip_prefix("bytes=")
        .and_then(|range| range.strip_suffix('-'))
        .and_then(|from| from.parse().ok());
    match from {
        None => Reply::new(200).body(bytes),
        Some(from) => Reply::new(206)
            .header(
                "Content-Range",
                format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len()),
            )
            .body(&bytes[from..]),
    }
}
