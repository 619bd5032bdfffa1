//! PostgreSQL through the client that is compiled in: whom it believes, and what it proves itself with.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bowline_driver::{DriverSpec, Limits, SqlErrorKind, open};
use bowline_servers::{Cluster, Postgres, shared};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection};

use crate::compiled_in::text;
use crate::engine::{compiled_in, folder, run, with};

/// A certificate for names, with its key, in files of a folder.
fn certificate(folder: &Path, name: &str, names: &[&str]) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    fs::write(folder.join(format!("{name}.crt")), made.cert.pem()).unwrap();
    fs::write(
        folder.join(format!("{name}.key")),
        made.signing_key.serialize_pem(),
    )
    .unwrap();
}

#[test]
fn encrypted_servers_are_held_to_their_certificate() {
    let (_kept, folder) = folder();
    certificate(&folder, "server", &["db.example", "localhost"]);
    certificate(&folder, "stranger", &["localhost"]);
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let server = Postgres::encrypted(&read("server.crt"), &read("server.key"));
    with(server.map_err(|error| error.to_string()), |server| {
        let cluster = server.cluster();
        let secret = "it's a secret";
        cluster.create_database("guarded", "guard", secret).unwrap();
        let port = cluster.port().to_string();
        let reach = |host: &str, others: &[(&str, &str)]| {
            let mut options = vec![
                ("hostaddr", "127.0.0.1"),
                ("host", host),
                ("port", &port),
                ("user", "guard"),
                ("password", secret),
                ("dbname", "guarded"),
            ];
            options.extend_from_slice(others);
            let mut spec = compiled_in(&options);
            spec.directory.clone_from(&folder);
            open(&spec).and_then(|database| database.connect())
        };
        let is_encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        for (host, others, encrypted) in [
            (
                "localhost",
                &[("sslmode", "verify-full"), ("sslrootcert", "server.crt")][..],
                "true",
            ),
            (
                "db.example",
                &[("sslmode", "verify-full"), ("sslrootcert", "server.crt")],
                "true",
            ),
            (
                "other.example",
                &[("sslmode", "verify-ca"), ("sslrootcert", "server.crt")],
                "true",
            ),
            ("other.example", &[("sslmode", "require")], "true"),
            (
                "other.example",
                &[("sslmode", "require"), ("channel_binding", "require")],
                "true",
            ),
            ("localhost", &[("channel_binding", "disable")], "true"),
            ("localhost", &[("sslmode", "allow")], "false"),
            ("localhost", &[("sslmode", "disable")], "false"),
        ] {
            let mut db = reach(host, others).unwrap_or_else(|error| panic!("{others:?}: {error}"));
            assert_eq!(text(&mut *db, is_encrypted), encrypted, "{others:?}");
        }
        for (host, others, words) in [
            (
                "other.example",
                &[("sslmode", "verify-full"), ("sslrootcert", "server.crt")][..],
                "other.example",
            ),
            (
                "localhost",
                &[("sslmode", "verify-full"), ("sslrootcert", "stranger.crt")],
                "invalid peer certificate",
            ),
            (
                "localhost",
                &[("sslmode", "require"), ("sslrootcert", "stranger.crt")],
                "invalid peer certificate",
            ),
            (
                "localhost",
                &[("sslmode", "verify-full"), ("sslrootcert", "none.crt")],
                "none.crt",
            ),
            (
                "localhost",
                &[("sslmode", "disable"), ("channel_binding", "require")],
                "channel_binding",
            ),
        ] {
            let error = reach(host, others)
                .err()
                .unwrap_or_else(|| panic!("{others:?}"));
            assert!(error.message.contains(words), "{others:?}: {error}");
            assert!(!error.text().contains("secret"), "{error}");
        }
        let mut db = reach(
            "localhost",
            &[("sslmode", "verify-full"), ("sslrootcert", "server.crt")],
        )
        .unwrap();
        let limits = Limits {
            timeout: Duration::from_millis(50),
            ..Limits::default()
        };
        let error = db.run("SELECT pg_sleep(3600)", &limits).unwrap_err();
        assert_eq!(
            error.message,
            "statement was cancelled: it ran longer than 0.05 s"
        );
        let rows = run(
            &mut *db,
            "SELECT repeat('x', 1000) FROM generate_series(1, 20000)",
        )
        .unwrap();
        assert_eq!(rows.rows.len(), 20_000);
        let canceller = db.canceller();
        std::thread::scope(|scope| {
            let running = scope.spawn(|| run(&mut *db, "SELECT pg_sleep(3600)"));
            while !running.is_finished() {
                canceller.cancel();
                std::thread::yield_now();
            }
            let error = running.join().unwrap().unwrap_err();
            assert_eq!(error.kind, SqlErrorKind::Cancelled, "{error}");
        });
        assert_eq!(text(&mut *db, "SELECT 1"), "1");
    });
}

/// A login of a user to the database of their name, whose password is looked for in a file of a folder.
fn with_passwords(cluster: &Cluster, user: &str, file: &str, folder: &Path) -> DriverSpec {
    let port = cluster.port().to_string();
    let mut spec = compiled_in(&[
        ("host", cluster.host()),
        ("port", &port),
        ("user", user),
        ("dbname", user),
        ("passfile", file),
    ]);
    spec.directory = folder.to_path_buf();
    spec
}

/// The password `pw`, drawn out by more rounds than the client does.
const DRAWN_OUT: &str = "SCRAM-SHA-256$200000:KpfgZv9UgvnSBZjpgAWpfg==$0hheXLFlQMi9/z6K9citLGUGmqM550VemKwPc8+pC7E=:DNZIjToFS1ynUyyXVlRA/8n5lA8FaXNXPCKwkPK9LNc=";

#[test]
fn a_login_that_takes_too_many_rounds_is_no_lost_connection() {
    with(shared::postgres(), |cluster| {
        let user = format!("drawn_out_{}", std::process::id());
        cluster.create_database(&user, &user, "pw").unwrap();
        let set = format!("ALTER ROLE {user} PASSWORD '{DRAWN_OUT}'");
        cluster.sql("postgres", &set).unwrap();
        let uri = format!("postgresql://{user}:pw@127.0.0.1:{}/{user}", cluster.port());
        let connected = open(&compiled_in(&[("uri", &uri)])).unwrap().connect();
        cluster.drop_database(&user, &user).unwrap();
        let error = connected.err().unwrap();
        assert_eq!(error.kind, SqlErrorKind::Permission);
        assert!(
            error.text().contains("scram_iterations"),
            "{}",
            error.text()
        );
    });
}

#[test]
fn a_file_of_passwords_lets_in_who_gives_none() {
    with(shared::postgres(), |cluster| {
        let (_kept, folder) = folder();
        let user = format!("filed_{}", std::process::id());
        cluster.create_database(&user, &user, "p:w").unwrap();
        let line = format!("*:*:{user}:{user}:p\\:w\n");
        fs::write(folder.join("passwords"), line).unwrap();
        let spec = with_passwords(cluster, &user, "passwords", &folder);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let allow = |mode| {
                let mode = fs::Permissions::from_mode(mode);
                fs::set_permissions(folder.join("passwords"), mode).unwrap();
            };
            allow(0o644);
            let error = open(&spec).unwrap().connect().err().unwrap();
            assert_eq!(error.kind, SqlErrorKind::Permission);
            assert!(error.text().contains("chmod 600"), "{}", error.text());
            allow(0o600);
        }
        let connected = open(&spec).unwrap().connect();
        cluster.drop_database(&user, &user).unwrap();
        assert!(connected.is_ok());
    });
}

#[test]
fn a_server_of_another_kind_is_told_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let mut client = client;
            let _ = client.read(&mut [0; 64]);
            let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    for mode in ["disable", "require", "prefer"] {
        let uri = format!("postgresql://me@127.0.0.1:{port}/x?sslmode={mode}");
        let error = open(&compiled_in(&[("uri", &uri)]))
            .unwrap()
            .connect()
            .err()
            .unwrap();
        assert_eq!(error.kind, SqlErrorKind::Connection, "{mode}: {error}");
    }
}

#[test]
fn a_login_that_cannot_be_tied_to_a_certificate_is_not_made_where_it_must_be() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asking = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut sent = [0; 512];
        let _ = client.read(&mut sent);
        let _ = client.write_all(b"N");
        let _ = client.read(&mut sent);
        // A password in the clear is asked for.
        let _ = client.write_all(b"R\0\0\0\x08\0\0\0\x03");
        let read = client.read(&mut sent).unwrap_or(0);
        String::from_utf8_lossy(&sent[..read]).into_owned()
    });
    let uri = format!("postgresql://me:secretpw@127.0.0.1:{port}/x?channel_binding=require");
    let error = open(&compiled_in(&[("uri", &uri)]))
        .and_then(|database| database.connect())
        .err()
        .unwrap();
    assert!(error.message.contains("channel_binding"), "{error}");
    let sent = asking.join().unwrap();
    assert!(!sent.contains("secretpw"), "{sent}");
}

/// Shows one certificate and signs with the key of another.
#[derive(Debug)]
struct Forger(Arc<CertifiedKey>);

impl ResolvesServerCert for Forger {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// What came of the handshake of a server with somebody that asks whether it encrypts.
fn handshake(config: ServerConfig) -> (String, Result<(), rustls::Error>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        client.read_exact(&mut [0; 8]).unwrap();
        client.write_all(b"S").unwrap();
        let mut server = ServerConnection::new(Arc::new(config)).unwrap();
        let mut failed = Ok(());
        while server.is_handshaking() && failed.is_ok() {
            server.write_tls(&mut client).unwrap();
            if server.is_handshaking() {
                failed = match server.read_tls(&mut client) {
                    Ok(0) | Err(_) => Err(rustls::Error::HandshakeNotComplete),
                    Ok(_) => server.process_new_packets().map(drop),
                };
            }
        }
        failed
    });
    let uri = format!("postgresql://me:pw@127.0.0.1:{port}/x?sslmode=require");
    let error = open(&compiled_in(&[("uri", &uri)]))
        .and_then(|database| database.connect())
        .err()
        .unwrap();
    (error.message, serving.join().unwrap())
}

#[test]
fn who_shows_a_certificate_must_have_its_key_though_nobody_vouches_for_it() {
    let make = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (shown, own) = (make(), make());
    let config = |key: &rcgen::KeyPair| {
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let signer = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
        let certified = CertifiedKey::new(vec![shown.cert.der().clone()], signer);
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Forger(Arc::new(certified))))
    };
    let (words, outcome) = handshake(config(&own.signing_key));
    assert!(outcome.is_err(), "the handshake was finished");
    assert!(words.contains("BadSignature"), "{words}");
    let (words, outcome) = handshake(config(&shown.signing_key));
    assert_eq!(outcome, Ok(()), "{words}");
}

#[test]
fn every_server_that_was_tried_is_told() {
    with(shared::postgres(), |cluster| {
        let free = |_| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let [one, other] = [0, 1].map(free);
        let uri = format!(
            "postgresql://postgres@127.0.0.1:{one},{}:{},127.0.0.1:{other}/postgres?target_session_attrs=standby",
            cluster.host(),
            cluster.port()
        );
        let error = open(&compiled_in(&[("uri", &uri)])).unwrap().connect();
        let error = error.err().unwrap();
        assert_eq!(error.kind, SqlErrorKind::Connection);
        for told in [
            "no server will do: ".to_owned(),
            format!("server 127.0.0.1:{one} cannot be reached: "),
            format!(
                "server {}:{}: the server is not as `target_session_attrs` wants it: standby",
                cluster.host(),
                cluster.port()
            ),
            format!("server 127.0.0.1:{other} cannot be reached: "),
        ] {
            assert!(error.message.contains(&told), "{told}: {}", error.message);
        }
    });
}

#[test]
fn a_password_that_is_missing_names_the_file_that_was_looked_at() {
    with(shared::postgres(), |cluster| {
        let (_kept, folder) = folder();
        let user = format!("unfiled_{}", std::process::id());
        cluster.create_database(&user, &user, "p:w").unwrap();
        let spec = with_passwords(cluster, &user, "nowhere", &folder);
        let error = open(&spec).unwrap().connect().err().unwrap();
        cluster.drop_database(&user, &user).unwrap();
        assert_eq!(
            error.text(),
            format!(
                "login at server {}:{} failed: the server asks for a password, and none is given\nhint: give `password`, or a file of passwords as `passfile`: `{}` cannot be read",
                cluster.host(),
                cluster.port(),
                folder.join("nowhere").display()
            )
        );
    });
}

#[test]
fn a_server_that_is_silent_leaves_time_for_the_next() {
    with(shared::postgres(), |cluster| {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        let uri = format!(
            "postgresql://postgres@127.0.0.1:{port},{}:{}/postgres",
            cluster.host(),
            cluster.port()
        );
        let mut spec = compiled_in(&[("uri", &uri)]);
        spec.connect_timeout = Duration::from_secs(4);
        let mut db = open(&spec).unwrap().connect().unwrap();
        assert_eq!(text(&mut *db, "SELECT 1"), "1");
    });
}
