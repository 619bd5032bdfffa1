//! Vendors behind TLS and behind proxies.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::vendor::{Vendor, always, described, ids, loaded, runs, two};

const RUNS: &str = "path = \"/runs\"\nkey = \"record.id\"";
const TLS: &str = r#"tls = { ca = "{{ credentials.ca }}", certificate = "{{ credentials.certificate }}", private_key = "{{ credentials.private_key }}" }"#;

/// An authority, and what it says of whom: certificate and private key in PEM.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn certified(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

/// A vendor with TLS that lets in whom the authority knows.
fn secured(authority: &Authority) -> String {
    let (certificate, key) = authority.certified("localhost");
    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            std::thread::spawn(move || {
                let mut stream = StreamOwned::new(connection, stream);
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    match stream.read(&mut byte) {
                        Ok(1) => head.extend(byte),
                        _ => return,
                    }
                }
                let body = String::from_utf8(two().body).unwrap();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes());
                stream.conn.send_close_notify();
                let _ = stream.flush();
            });
        }
    });
    format!("https://localhost:{port}")
}

fn read(http: &str, credentials: &Value) -> Result<Vec<String>, String> {
    let source = loaded(
        &described(http, RUNS),
        &json!({ "connect_args": credentials }),
    );
    let events = runs(&source, &always());
    events
        .map(|(events, _)| ids(&events))
        .map_err(|error| error.to_string())
}

#[test]
fn certificates_say_who_is_who() {
    let authority = Authority::new();
    let url = secured(&authority);
    let (certificate, key) = authority.certified("me");
    let ca = authority.0.pem();
    let limits = "\n[http.limits]\nretries = 0\n";
    let with = |ca: &str, certificate: &str, key: &str| {
        let credentials =
            json!({"url": url, "ca": ca, "certificate": certificate, "private_key": key});
        read(&format!("{TLS}{limits}"), &credentials)
    };
    assert_eq!(with(&ca, &certificate, &key).unwrap(), ["a", "b"]);
    // From files too.
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (ca_file, certificate_file, key_file) = (
        file("ca.pem", &ca),
        file("cert.pem", &certificate),
        file("key.pem", &key),
    );
    assert_eq!(
        with(&ca_file, &certificate_file, &key_file).unwrap(),
        ["a", "b"]
    );

    // Who cannot say who they are is not let in, and neither is a vendor whom nobody we trust knows.
    assert!(with(&ca, "", "").is_err());
    let other = Authority::new();
    let (stranger, strangers_key) = other.certified("me");
    assert!(with(&ca, &stranger, &strangers_key).is_err());
    assert!(with(&other.0.pem(), &certificate, &key).is_err());
    assert!(with("", &certificate, &key).is_err());
}

#[test]
fn certificates_that_are_none_are_told_before_anything_is_asked() {
    let authority = Authority::new();
    let (certificate, key) = authority.certified("me");
    let (_, another) = authority.certified("me");
    let locked = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    for (ca, certificate, key, told) in [
        (
            "",
            certificate.as_str(),
            another.as_str(),
            "`http.tls.certificate`",
        ),
        ("", certificate.as_str(), locked.as_str(), "it is encrypted"),
        ("-----BEGIN", "", "", "`http.tls.ca`"),
        ("/nowhere/ca.pem", "", "", "cannot read `/nowhere/ca.pem`"),
        ("", certificate.as_str(), "", "belong together"),
        ("", key.as_str(), key.as_str(), "`http.tls.certificate`"),
        (
            "",
            certificate.as_str(),
            certificate.as_str(),
            "`http.tls.private_key`",
        ),
    ] {
        let credentials = json!({"connect_args": {"url": "https://vendor.invalid", "ca": ca, "certificate": certificate, "private_key": key}});
        let opened = crate::vendor::try_loaded(&described(TLS, RUNS), &credentials);
        let error = opened.err().unwrap();
        assert!(error.contains(told), "{error}");
    }
}

/// A proxy that forwards to the vendor whatever it is asked for, and the first lines of what it was asked.
fn proxy(vendor: &Vendor) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let vendor = vendor.url.trim_start_matches("http://").to_owned();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (log, vendor) = (Arc::clone(&log), vendor.clone());
            std::thread::spawn(move || forward(stream, &vendor, &log));
        }
    });
    (url, asked)
}

fn forward(mut stream: TcpStream, vendor: &str, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut behind = TcpStream::connect(vendor).unwrap();
    let mut answers = BufReader::new(behind.try_clone().unwrap());
    loop {
        let mut head = Vec::new();
        while head.last().is_none_or(|line: &String| line != "\r\n") {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            head.push(line);
        }
        let credentials = head
            .iter()
            .find(|line| line.to_lowercase().starts_with("proxy-authorization"));
        log.lock().unwrap().push(format!(
            "{} {}",
            head[0].trim(),
            credentials.map_or("", |line| line.trim())
        ));
        let path = head[0].replacen("http://vendor.invalid", "", 1);
        behind
            .write_all(format!("{path}{}", head[1..].concat()).as_bytes())
            .unwrap();
        let mut length = 0;
        let mut answer = Vec::new();
        loop {
            let mut line = String::new();
            answers.read_line(&mut line).unwrap();
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            answer.extend(line.as_bytes());
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        answers.read_exact(&mut body).unwrap();
        answer.extend(body);
        stream.write_all(&answer).unwrap();
    }
}

#[test]
fn a_proxy_is_asked_for_whole_addresses() {
    let vendor = Vendor::start(|_| Some(two()));
    let (url, asked) = proxy(&vendor);
    let http = "proxy = \"{{ credentials.proxy }}\"\nquery = { x = \"1\" }";
    let with_password = url.replace("http://", "http://me:secret@");
    let pages = "path = \"/runs\"\nkey = \"record.id\"\nquery = { page = \"{{ page.number }}\" }\npages = { style = \"number\", last = \"true\" }";
    for proxy in [&url, &with_password] {
        let credentials = json!({"connect_args": {"url": "http://vendor.invalid", "proxy": proxy}});
        let source = loaded(&described(http, pages), &credentials);
        let (events, _) = runs(&source, &always()).unwrap();
        assert_eq!(ids(&events), ["a", "b"]);
    }
    let asked = asked.lock().unwrap();
    let line = "GET http://vendor.invalid/api/runs?x=1&page=1 HTTP/1.1";
    assert!(asked[0].starts_with(line), "{asked:?}");
    let last = asked.last().unwrap();
    assert!(
        last.to_lowercase().contains("proxy-authorization: basic"),
        "{asked:?}"
    );
    let credentials = json!({"connect_args": {"url": "http://vendor.invalid", "proxy": "::"}});
    assert!(crate::vendor::try_loaded(&described(http, RUNS), &credentials).is_err());
}
