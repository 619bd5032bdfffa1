//! Logins: shown to who may see them, and to nobody else.

use std::sync::{Arc, Mutex};

use bowline_oci::registry::{Access, Reference, RegistryImage, push};
use bowline_oci::{BlobSource, Descriptor, OciError, OciErrorKind, media_type};
use bowline_words::Diagnose;
use serde_json::json;

use crate::images::{access, bytes, image, logins, read};
use crate::server::{Ask, Fault, REPOSITORY, Reply, Server};

/// `clerk:marked-Pa:ss/word+1` in base64.
const PAIR: &str = "Y2xlcms6bWFya2VkLVBhOnNzL3dvcmQrMQ==";
const TOKENS: [&str; 2] = ["marked-token-one", "marked-token-two"];
const IDENTITY: &str = "marked-identity";

fn layer() -> Descriptor {
    Descriptor::of(media_type::LAYER, &bytes(5000, 1))
}

fn with_login(server: &Server, folder: &tempfile::TempDir, entry: serde_json::Value) -> Access {
    Access {
        logins: logins(folder, &json!({"auths": {server.name(): entry}})),
        ..access(server)
    }
}

fn with_password(server: &Server, folder: &tempfile::TempDir) -> Access {
    with_login(server, folder, json!({"auth": PAIR}))
}

fn pull(server: &Server, access: &Access) -> Result<Vec<u8>, OciError> {
    server.add_blob(&bytes(5000, 1));
    read(&RegistryImage::new(&server.reference(""), access), &layer())
}

/// A registry that lets in whom it knows by this header, and else sends them to this challenge.
fn guarded(header: &'static str, challenge: String) -> Server {
    Server::start(move |ask| {
        if ask.header("authorization") == header {
            Fault::None
        } else {
            Fault::Reply(Reply::new(401).header("WWW-Authenticate", &challenge))
        }
    })
}

/// A token service that gives one token after the other.
fn service() -> Server {
    let mut given = 0;
    Server::start(move |_| {
        let token = TOKENS[given % TOKENS.len()];
        given += 1;
        Fault::Reply(Reply::new(200).body(json!({"token": token, "expires_in": 300}).to_string()))
    })
}

fn bearer(service: &Server) -> String {
    format!(
        r#"Bearer realm="http://{}/token?x=1",service="the registry""#,
        service.name()
    )
}

#[test]
fn a_password_is_shown_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let server = guarded(
        "Basic Y2xlcms6bWFya2VkLVBhOnNzL3dvcmQrMQ==",
        "Basic realm=\"x\"".into(),
    );
    let access = with_password(&server, &folder);
    assert_eq!(pull(&server, &access).unwrap(), bytes(5000, 1));
    let shown: Vec<bool> = server
        .log()
        .iter()
        .map(|ask| ask.headers.contains_key("authorization"))
        .collect();
    assert_eq!(shown, [false, true]);
}

#[test]
fn a_token_is_fetched_once_and_used() {
    let folder = tempfile::tempdir().unwrap();
    let service = service();
    let server = guarded("Bearer marked-token-one", bearer(&service));
    let access = with_password(&server, &folder);
    push(&server.reference(":1"), &image(2500), None, &access).unwrap();
    let asked = service.log();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(
        asked[0].path,
        "/token?x=1&service=the%20registry&scope=repository%3Ateam%2Fagent%3Apull%2Cpush"
    );
    assert_eq!(asked[0].header("authorization"), format!("Basic {PAIR}"));
}

#[test]
fn a_token_that_ended_is_replaced() {
    let service = service();
    let challenge = bearer(&service);
    let mut served = 0;
    let server = Server::start(move |ask| {
        let token = ask.header("authorization");
        served += usize::from(token == "Bearer marked-token-one");
        let good = match served {
            0..=2 => token == "Bearer marked-token-one",
            _ => token == "Bearer marked-token-two",
        };
        if good {
            Fault::None
        } else {
            Fault::Reply(Reply::new(401).header("WWW-Authenticate", &challenge))
        }
    });
    let mut access = access(&server);
    access.limits.in_flight = 1;
    push(&server.reference(":1"), &image(2500), None, &access).unwrap();
    assert_eq!(service.log().len(), 2);
    assert!(!service.log()[0].headers.contains_key("authorization"));
}

#[test]
fn an_identity_token_is_exchanged() {
    let folder = tempfile::tempdir().unwrap();
    let service = service();
    let server = guarded("Bearer marked-token-one", bearer(&service));
    let access = with_login(
        &server,
        &folder,
        json!({"identitytoken": IDENTITY, "auth": "eDo="}),
    );
    assert_eq!(pull(&server, &access).unwrap(), bytes(5000, 1));
    let asked = &service.log()[0];
    assert_eq!(asked.method, "POST");
    let form = String::from_utf8(asked.body.clone()).unwrap();
    assert_eq!(
        form,
        "service=the%20registry&scope=repository%3Ateam%2Fagent%3Apull&grant_type=refresh_token\
         &refresh_token=marked-identity&client_id=bowline"
    );
}

#[test]
fn who_is_never_let_in_stops_asking() {
    let folder = tempfile::tempdir().unwrap();
    let service = service();
    let server = guarded("nothing", bearer(&service));
    let error = pull(&server, &with_password(&server, &folder)).unwrap_err();
    assert_eq!(error.kind, OciErrorKind::Unauthorized);
    assert_eq!(server.log().len(), 2);
    assert_eq!(service.log().len(), 1);
    let server = guarded("nothing", "Basic realm=x".into());
    let error = pull(&server, &with_password(&server, &folder)).unwrap_err();
    assert_eq!(error.kind, OciErrorKind::Unauthorized);
    assert_eq!(server.log().len(), 2);
    let error = pull(&server, &access(&server)).unwrap_err();
    assert_eq!(error.kind, OciErrorKind::Unauthorized);
    assert_eq!(
        server.log().len(),
        3,
        "without a login there is nothing to show"
    );
    assert!(
        error
            .diagnose()
            .to_string()
            .contains(&format!("`docker login {}`", server.name())),
        "{error}"
    );
}

#[test]
fn only_what_was_looked_up_is_said_of_a_login() {
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let asks = guarded("nothing", "Basic realm=x".into());
    let closed = Server::start(|_| Fault::Reply(Reply::new(403)));
    let mute = Server::start(|_| Fault::Reply(Reply::new(401)));
    for (server, access, words) in [
        (&asks, access(&asks), ": no login for it is there"),
        (
            &asks,
            with_password(&asks, &folders[0]),
            " as somebody who may do this: the login that is there may not",
        ),
        (&closed, access(&closed), " as somebody who may do this"),
        (
            &mute,
            with_password(&mute, &folders[1]),
            " as somebody who may do this",
        ),
    ] {
        let error = pull(server, &access).unwrap_err();
        let told = error.diagnose().to_string();
        let hint = format!("`docker login {}`{words}", server.name());
        assert!(told.trim_end().ends_with(&hint), "{told}");
    }
}

#[test]
fn a_login_goes_to_no_other_host() {
    let folder = tempfile::tempdir().unwrap();
    let store = Server::start(|_| Fault::None);
    store.add_blob(&bytes(5000, 1));
    let there = format!(
        "http://{}/v2/{REPOSITORY}/blobs/{}",
        store.name(),
        layer().digest
    );
    let server = Server::start(move |ask| {
        if ask.header("authorization").is_empty() {
            return Fault::Reply(Reply::new(401).header("WWW-Authenticate", "Basic"));
        }
        if ask.path.contains("/blobs/sha256") {
            Fault::Reply(Reply::new(307).header("Location", &there))
        } else {
            Fault::None
        }
    });
    let access = with_password(&server, &folder);
    assert_eq!(pull(&server, &access).unwrap(), bytes(5000, 1));
    assert_eq!(store.log().len(), 1);
    assert!(!store.log()[0].headers.contains_key("authorization"));
}

#[test]
fn a_login_goes_to_no_other_place_of_upload() {
    let folder = tempfile::tempdir().unwrap();
    let store =
        Server::start(|ask| Fault::Reply(Reply::new(201).header("Location", ask.path.as_str())));
    let there = format!("http://{}/store?key=1", store.name());
    let server = Server::start(move |ask| {
        if ask.header("authorization").is_empty() {
            return Fault::Reply(Reply::new(401).header("WWW-Authenticate", "Basic"));
        }
        match ask.method.as_str() {
            "POST" => Fault::Reply(Reply::new(202).header("Location", &there)),
            _ => Fault::None,
        }
    });
    let access = with_password(&server, &folder);
    push(&server.reference(":1"), &image(100), None, &access).unwrap();
    assert!(!store.log().is_empty());
    for ask in store.log() {
        assert!(!ask.headers.contains_key("authorization"), "{ask:?}");
    }
}

#[test]
fn a_challenge_from_another_host_is_not_answered() {
    let folder = tempfile::tempdir().unwrap();
    let thief = service();
    let challenge = bearer(&thief);
    let store = Server::start(move |_| {
        Fault::Reply(Reply::new(401).header("WWW-Authenticate", &challenge))
    });
    let there = format!("http://{}/blob", store.name());
    let server = Server::start(move |_| Fault::Reply(Reply::new(307).header("Location", &there)));
    let error = pull(&server, &with_password(&server, &folder)).unwrap_err();
    assert_eq!(error.kind, OciErrorKind::Unauthorized);
    assert!(thief.log().is_empty());
}

/// What a server that repeats all it was sent says.
fn echo(ask: &Ask) -> String {
    format!("{:?} {}", ask.headers, String::from_utf8_lossy(&ask.body))
}

#[test]
fn no_secret_is_ever_shown() {
    let folder = tempfile::tempdir().unwrap();
    let entries = [json!({"auth": PAIR}), json!({"identitytoken": IDENTITY})];
    let told = Arc::new(Mutex::new(String::new()));
    let mut errors = Vec::new();
    for entry in entries {
        for status in [400, 401, 403, 404, 429, 500] {
            for form in ["text", "errors"] {
                let service = service();
                let bearer = bearer(&service);
                let challenges = ["Basic realm=x".to_owned(), bearer];
                for challenge in challenges {
                    let server = Server::start(move |ask| {
                        if ask.header("authorization").is_empty() {
                            return Fault::Reply(
                                Reply::new(401).header("WWW-Authenticate", &challenge),
                            );
                        }
                        let words = match form {
                            "text" => echo(ask),
                            _ => {
                                json!({"errors": [{"code": "X", "message": echo(ask)}]}).to_string()
                            }
                        };
                        Fault::Reply(Reply::new(status).body(words))
                    });
                    let mut access = with_login(&server, &folder, entry.clone());
                    let events = Arc::clone(&told);
                    access.on_event = Arc::new(move |event| {
                        events.lock().unwrap().push_str(&format!("{event:?}"));
                    });
                    let image = image(100);
                    errors.push(pull(&server, &access).unwrap_err());
                    errors.push(push(&server.reference(":1"), &image, None, &access).unwrap_err());
                    told.lock().unwrap().push_str(&format!("{access:?}"));
                }
                // The token service itself repeats what it was sent.
                let echoing =
                    Server::start(move |ask| Fault::Reply(Reply::new(status).body(echo(ask))));
                let server = guarded("nothing", self::bearer(&echoing));
                let access = with_login(&server, &folder, entry.clone());
                errors.push(pull(&server, &access).unwrap_err());
            }
        }
    }
    let mut all = told.lock().unwrap().clone();
    for error in errors {
        all.push_str(&format!("{error}\n{error:?}\n"));
    }
    for mark in ["Pa:ss", "marked", &PAIR[..12], "bWFya2Vk"] {
        let at = all
            .find(mark)
            .map(|at| &all[at.saturating_sub(200)..at + 40]);
        assert_eq!(at, None, "{mark}");
    }
}

#[test]
fn a_token_service_that_gives_none_is_told() {
    for body in ["", "[]", r#"{"token": ""}"#, r#"{"token": 1}"#] {
        let service = Server::start(move |_| Fault::Reply(Reply::new(200).body(body)));
        let server = guarded("nothing", bearer(&service));
        let error = pull(&server, &access(&server)).unwrap_err();
        assert_eq!(error.kind, OciErrorKind::Unauthorized);
        assert!(error.to_string().contains("holds no token"), "{error}");
    }
}

#[test]
fn a_registry_on_this_machine_is_asked_what_it_speaks() {
    let server = Server::start(|_| Fault::None);
    let access = Access {
        insecure: Vec::new(),
        ..access(&server)
    };
    assert_eq!(pull(&server, &access).unwrap(), bytes(5000, 1));
    assert_eq!(server.log()[0].path, "/v2/");
}

#[test]
fn what_wants_encryption_is_told_nothing_in_the_open() {
    let folder = tempfile::tempdir().unwrap();
    // As servers with encryption answer a plain request. They would go on with a handshake, which this one cannot.
    let server = Server::start(|_| Fault::Reply(Reply::new(400)));
    let access = Access {
        insecure: Vec::new(),
        ..with_password(&server, &folder)
    };
    let error = pull(&server, &access).unwrap_err();
    assert_eq!(error.kind, OciErrorKind::Unreachable, "{error}");
    for ask in server.log() {
        let shown = ask.headers.contains_key("authorization");
        assert!(ask.path == "/v2/" && !shown, "{ask:?}");
    }
}

#[test]
fn nobody_at_home() {
    let server = Server::start(|_| Fault::None);
    let access = Access {
        insecure: Vec::new(),
        ..access(&server)
    };
    let port = bowline_servers::free_port().unwrap();
    let reference: Reference = format!("127.0.0.1:{port}/a:1").parse().unwrap();
    let error = RegistryImage::new(&reference, &access).root().unwrap_err();
    assert_eq!(error.kind, OciErrorKind::Unreachable, "{error}");
    assert!(error.to_string().contains("4 tries failed"), "{error}");
    let words: Reference = "registry.invalid/a:1".parse().unwrap();
    let error = RegistryImage::new(&words, &access).root().unwrap_err();
    assert_eq!(error.kind, OciErrorKind::Unreachable, "{error}");
}
