use std::thread;

use tiny_http::{Header, Request, Response, Server};

use super::*;

const TOKEN: &str = "t0ken-of-ours";

fn event(number: u128, text: &str) -> Event {
    Event {
        kind: Kind::Run,
        key: Uuid::from_u128(number),
        at: None,
        text: text.to_owned(),
        problems: Vec::new(),
    }
}

/// A client of an address, and what stops it.
fn client(base_url: &str) -> (Push, Arc<AtomicBool>) {
    let cancel = Arc::new(AtomicBool::new(false));
    let target = PushTarget {
        base_url: base_url.to_owned(),
        key_id: "k".to_owned(),
        token: TOKEN.to_owned(),
        resource: Resource {
            uuid: Uuid::from_u128(9),
            resource_type: "custom-etl".to_owned(),
        },
    };
    let push = Push::new(target, Arc::clone(&cancel)).unwrap();
    (push, cancel)
}

/// An answer of a platform.
struct Answer {
    status: u16,
    header: Option<(&'static str, &'static str)>,
    words: String,
}

impl Answer {
    fn of(status: u16) -> Self {
        Self {
            status,
            header: None,
            words: String::new(),
        }
    }

    fn with(self, name: &'static str, value: &'static str) -> Self {
        let header = Some((name, value));
        Self { header, ..self }
    }

    fn saying(self, words: &str) -> Self {
        let words = words.to_owned();
        Self { words, ..self }
    }
}

/// Lets a platform go, also where a test fails.
struct LetGo<'s>(&'s Server);

impl Drop for LetGo<'_> {
    fn drop(&mut self) {
        self.0.unblock();
    }
}

/// Does something with a client of a platform that answers so; gives what that came to and how many requests there were.
fn at_platform<T>(
    mut answer: impl FnMut(&Request, &str) -> Answer + Send,
    act: impl FnOnce(Push) -> T,
) -> (T, usize) {
    let server = Server::http("127.0.0.1:0").unwrap();
    let address = server.server_addr().to_ip().unwrap();
    thread::scope(|threads| {
        let platform = threads.spawn(|| {
            let mut requests = 0;
            while let Ok(mut request) = server.recv() {
                let mut body = String::new();
                request.as_reader().read_to_string(&mut body).unwrap();
                let Answer {
                    status,
                    header,
                    words,
                } = answer(&request, &body);
                let mut response = Response::from_string(words).with_status_code(status);
                if let Some((name, value)) = header {
                    response.add_header(Header::from_bytes(name, value).unwrap());
                }
                request.respond(response).unwrap();
                requests += 1;
            }
            requests
        });
        let (push, _) = client(&format!("http://{address}/base/"));
        let let_go = LetGo(&server);
        let outcome = act(push);
        drop(let_go);
        (outcome, platform.join().unwrap())
    })
}

/// Delivers one event to a platform that answers so.
fn delivered(answer: impl Fn() -> Answer + Send) -> (Result<Vec<Refused>, PushError>, usize) {
    at_platform(
        move |_, _| answer(),
        |mut push| match push.deliver(Kind::Run, &[event(1, "{}")]) {
            Ok(refused) => Ok(refused),
            Err(CollectError::Push(error)) => Err(error),
            Err(error) => panic!("{error}"),
        },
    )
}

#[test]
fn a_batch_says_whose_it_is_what_it_holds_and_which_it_is() {
    let events = [event(1, r#"{"a":1}"#), event(2, r#"{"b":2}"#)];
    for (kind, path, event_type) in [
        (Kind::Run, "/base/ingest/v1/etl/runs", "ETLRUN"),
        (Kind::Asset, "/base/ingest/v1/etl/metadata", "ETL_METADATA"),
    ] {
        let mut seen = Vec::new();
        let (refused, requests) = at_platform(
            |request, body| {
                let header = |name: &str| {
                    let mut headers = request.headers().iter();
                    headers
                        .find(|header| header.field.as_str().as_str().eq_ignore_ascii_case(name))
                        .map(|header| header.value.to_string())
                };
                let headers = ["content-type", "x-mcd-id", "x-mcd-token", "idempotency-key"];
                seen.push((
                    request.url().to_owned(),
                    headers.map(|name| header(name).unwrap_or_default()),
                    serde_json::from_str::<Json>(body).unwrap(),
                ));
                Answer::of(202)
            },
            |mut push| push.deliver(kind, &events).unwrap(),
        );
        assert_eq!((refused, requests), (Vec::new(), 1));
        let key = batch_key(&events).to_string();
        let headers = ["application/json", "k", TOKEN, key.as_str()].map(str::to_owned);
        let body = json!({
            "event_type": event_type,
            "resource": {"uuid": Uuid::from_u128(9).to_string(), "resource_type": "custom-etl"},
            "events": [{"a": 1}, {"b": 2}],
        });
        assert_eq!(seen, [(path.to_owned(), headers, body)]);
    }
}

#[test]
fn the_events_at_fault_are_found_and_the_others_delivered() {
    let events: Vec<Event> = ["0", "\"bad\"", "2", "3", "\"bad\"", "5"]
        .into_iter()
        .zip(1..)
        .map(|(text, number)| event(number, text))
        .collect();
    for status in [400, 413, 422] {
        let mut taken = Vec::new();
        let (refused, _) = at_platform(
            |_, body| {
                if body.contains("bad") {
                    return Answer::of(status).saying(" not so \n");
                }
                let body: Json = serde_json::from_str(body).unwrap();
                taken.extend(body["events"].as_array().unwrap().clone());
                Answer::of(200)
            },
            |mut push| push.deliver(Kind::Run, &events).unwrap(),
        );
        let reason = format!("status {status}: not so");
        let refused: Vec<_> = refused
            .into_iter()
            .map(|one| (one.index, one.reason))
            .collect();
        assert_eq!(refused, [(1, reason.clone()), (4, reason)]);
        assert_eq!(Json::from(taken), json!([0, 2, 3, 5]));
    }
}

#[test]
fn a_status_says_whether_another_try_may_help() {
    let all = RETRIES as usize + 1;
    for (status, kind, requests) in [
        (401, PushErrorKind::Unauthorized, 1),
        (403, PushErrorKind::Unauthorized, 1),
        (404, PushErrorKind::Refused, 1),
        (500, PushErrorKind::Failing, all),
        (429, PushErrorKind::Failing, all),
    ] {
        let (outcome, asked) = delivered(|| {
            Answer::of(status)
                .with("Retry-After", "0")
                .saying("because")
        });
        let error = outcome.unwrap_err();
        assert_eq!((error.kind, asked), (kind, requests), "{status}");
        assert_eq!(error.causes, [format!("status {status}: because")]);
        let words = match kind {
            PushErrorKind::Unauthorized => "the platform does not let us in",
            PushErrorKind::Refused => "the platform refused the request",
            _ => "the platform fails",
        };
        let begin = format!("{words}: `POST http://127.0.0.1");
        assert!(error.to_string().starts_with(&begin), "{error}");
    }
}

#[test]
fn a_redirect_is_told_and_not_followed() {
    let (outcome, requests) = delivered(|| Answer::of(307).with("Location", "/elsewhere"));
    let error = outcome.unwrap_err();
    assert_eq!((error.kind, requests), (PushErrorKind::Refused, 1));
    assert_eq!(error.causes, ["status 307: redirected to `/elsewhere`"]);
}

#[test]
fn a_platform_that_comes_back_gets_the_batch_and_the_retries_are_told() {
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let mut failures = 2;
    let (refused, requests) = at_platform(
        |_, _| {
            let is_down = failures > 0;
            failures -= i32::from(is_down);
            if is_down {
                Answer::of(503).with("Retry-After", "0")
            } else {
                Answer::of(200)
            }
        },
        |push| {
            let on_retry: OnRetry = Box::new(move |why, wait| {
                tell.lock().unwrap().push((why.to_owned(), wait));
            });
            push.telling(on_retry)
                .deliver(Kind::Run, &[event(1, "{}")])
                .unwrap()
        },
    );
    assert_eq!((refused, requests), (Vec::new(), 3));
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 2);
    for (why, wait) in told.iter() {
        assert!(why.ends_with("`: status 503"), "{why}");
        assert_eq!(*wait, Duration::ZERO);
    }
}

#[test]
fn who_is_stopped_sends_nothing_more() {
    let (outcome, requests) = at_platform(
        |_, _| Answer::of(200),
        |mut push| {
            push.cancel.store(true, Ordering::Relaxed);
            push.deliver(Kind::Run, &[event(1, "{}")])
        },
    );
    let is_cancelled = |outcome: Result<Vec<Refused>, CollectError>| matches!(outcome, Err(CollectError::Push(error)) if error.kind == PushErrorKind::Cancelled);
    assert!(is_cancelled(outcome));
    assert_eq!(requests, 0);
    // While it waits for a platform that cannot be reached, too.
    let (push, cancel) = client("http://127.0.0.1:1");
    let on_retry: OnRetry = Box::new(move |_, _| cancel.store(true, Ordering::Relaxed));
    let outcome = push.telling(on_retry).deliver(Kind::Run, &[event(1, "{}")]);
    assert!(is_cancelled(outcome));
}

#[test]
fn a_platform_that_repeats_the_secret_gives_nothing_away() {
    let words = format!("{}{TOKEN}", "x".repeat(SHOWN - 5));
    for status in [401, 422, 500] {
        let (outcome, _) = delivered(|| Answer::of(status).with("Retry-After", "0").saying(&words));
        let told = match outcome {
            Ok(refused) => refused[0].reason.clone(),
            Err(error) => error.to_string(),
        };
        assert!(told.contains("xxx") && !told.contains("t0k"), "{told}");
    }
}

#[test]
fn only_addresses_of_the_web_are_taken_and_shown_without_their_login() {
    let (push, _) = client("https://ann:pass@platform.example.com/");
    let uuid = Uuid::from_u128(9);
    assert_eq!(
        push.place(),
        format!("https://platform.example.com as custom-etl {uuid}")
    );
    for base_url in ["platform.example.com", "ftp://platform.example.com", ""] {
        let (Push { target, .. }, cancel) = client("https://x.example.com");
        let base_url = base_url.to_owned();
        let refused = Push::new(PushTarget { base_url, ..target }, cancel);
        assert_eq!(refused.err().unwrap().kind, PushErrorKind::Refused);
    }
}

#[test]
fn a_batch_keeps_its_key_and_another_has_another() {
    let event = |number| event(number, "");
    let key = batch_key(&[event(1), event(2)]);
    assert_eq!(batch_key(&[event(1), event(2)]), key);
    assert_ne!(batch_key(&[event(1)]), key);
    assert_ne!(batch_key(&[event(1), event(3)]), key);
}

#[test]
fn logins_in_addresses_are_not_shown() {
    assert_eq!(shown_address("https://a:b@host/x@y"), "https://host/x@y");
    assert_eq!(shown_address("https://host/x"), "https://host/x");
}
