//! What vendors may give and do: clear errors or counted warnings, and no run lost without a word.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bowline_contract::pipeline::{GivenRunError, RunEvent, Window, validate_runs};
use bowline_pipeline::{
    Incoming, Outgoing, Pipeline, RunQuery, SourceError, SourceErrorKind, Summary, Transport,
    TransportError,
};
use bowline_simulator::{
    ADDRESS, InProcess, Login, PagingStyle, SECRET, Scenario, Vendor, description,
};
use bowline_words::Diagnose;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::reading::{shared, source};

/// What becomes of an answer: the number of the request, and the answer.
type Twist = dyn Fn(u64, Incoming) -> Result<Incoming, TransportError> + Send + Sync;

/// A simulated vendor whose answers are changed on their way.
struct Twisted {
    vendor: InProcess,
    asked: AtomicU64,
    twist: Box<Twist>,
}

impl Transport for Twisted {
    fn exchange(&self, request: &Outgoing) -> Result<Incoming, TransportError> {
        let answer = self.vendor.exchange(request)?;
        (self.twist)(self.asked.fetch_add(1, Ordering::Relaxed), answer)
    }

    fn now(&self) -> Timestamp {
        self.vendor.now()
    }

    fn elapsed(&self) -> Duration {
        self.vendor.elapsed()
    }

    fn sleep(&self, wait: Duration) {
        self.vendor.sleep(wait);
    }
}

fn scenario() -> Scenario {
    Scenario {
        paging: PagingStyle::Cursor,
        page: 10,
        ..Scenario::calm(3, "2026-11-23T08:00:00Z".parse().unwrap())
    }
}

/// How many runs a vendor has.
fn there(scenario: &Scenario) -> usize {
    Vendor::new(scenario.clone()).world.runs.len()
}

type Outcome = (Vec<RunEvent>, Result<Summary, SourceError>);

fn read(transport: Arc<dyn Transport>, scenario: &Scenario, more: &str) -> Outcome {
    let text = format!("{}\n[http.limits]\n{more}\n", description(scenario));
    let source = source(&text, ADDRESS, Some(transport));
    let always = RunQuery::Window(Window {
        start: "2000-01-01T00:00:00Z".parse().unwrap(),
        end: "2100-01-01T00:00:00Z".parse().unwrap(),
    });
    let mut events = Vec::new();
    let summary = source.runs(&always, None, &mut |event| events.push(event));
    (events, summary)
}

fn twisted(
    scenario: Scenario,
    more: &str,
    twist: impl Fn(u64, Incoming) -> Result<Incoming, TransportError> + Send + Sync + 'static,
) -> Outcome {
    let transport = Twisted {
        vendor: InProcess::new(Vendor::new(scenario.clone())),
        asked: AtomicU64::new(0),
        twist: Box::new(twist),
    };
    read(Arc::new(transport), &scenario, more)
}

/// Changes the records of every answer.
fn each_record(answer: &mut Incoming, change: impl Fn(&mut Json)) {
    let mut body: Json = serde_json::from_slice(&answer.body).unwrap();
    for record in body["items"].as_array_mut().into_iter().flatten() {
        change(record);
    }
    answer.body = body.to_string().into_bytes();
}

fn error_of(outcome: Outcome, kind: SourceErrorKind) -> String {
    let error = outcome.1.unwrap_err();
    assert_eq!(error.kind, kind, "{error}");
    let told = error.diagnose().to_string();
    assert!(told.len() < 2_000, "{} bytes", told.len());
    assert!(!told.contains(SECRET), "{told}");
    assert!(told.contains(ADDRESS), "{told}");
    told
}

#[test]
fn a_key_that_stops_working_in_the_middle_is_an_error_with_the_vendors_words() {
    let outcome = twisted(scenario(), "", |asked, mut answer| {
        if asked > 2 {
            answer.status = 401;
            answer.body = br#"{"detail": "key revoked"}"#.to_vec();
        }
        Ok(answer)
    });
    assert_eq!(outcome.0.len(), 30, "what came before is whole");
    let told = error_of(outcome, SourceErrorKind::Unauthorized);
    assert!(
        told.contains("key revoked") && told.contains("hint:"),
        "{told}"
    );
}

#[test]
fn a_token_that_stops_working_is_renewed_and_one_that_is_refused_again_is_an_error() {
    let tokens = Scenario {
        login: Login::Token,
        ..scenario()
    };
    let (events, summary) = twisted(tokens.clone(), "", |_, answer| Ok(answer));
    assert_eq!(events.len(), there(&tokens));
    let renewed = summary.unwrap().requests;
    assert!(
        renewed > 34,
        "{renewed} requests: each token lasts for seven"
    );
    let outcome = twisted(tokens, "", |asked, mut answer| {
        if asked > 2 && answer.status == 200 {
            answer.status = 401;
        }
        Ok(answer)
    });
    error_of(outcome, SourceErrorKind::Unauthorized);
}

#[test]
fn a_page_for_people_in_the_middle_is_an_error_that_shows_it() {
    let outcome = twisted(scenario(), "", |asked, mut answer| {
        if asked == 3 {
            let kind = "text/html; charset=utf-8".to_owned();
            answer.headers.insert("content-type".to_owned(), kind);
            answer.body = b"<html><h1>Single sign-on</h1></html>".to_vec();
        }
        Ok(answer)
    });
    let told = error_of(outcome, SourceErrorKind::Format);
    assert!(
        told.contains("text/html") && told.contains("Single sign-on"),
        "{told}"
    );
}

#[test]
fn a_vendor_that_is_down_or_silent_is_named_after_every_retry() {
    for kind in [SourceErrorKind::Unreachable, SourceErrorKind::Timeout] {
        let outcome = twisted(scenario(), "retries = 2", move |_, _| {
            Err(TransportError {
                kind,
                message: "nobody there".to_owned(),
            })
        });
        assert!(outcome.0.is_empty());
        assert!(error_of(outcome, kind).contains("nobody there"));
    }
}

#[test]
fn a_vendor_that_never_lets_up_is_an_error_and_not_an_end() {
    let outcome = twisted(scenario(), "retries = 3", |asked, mut answer| {
        if asked > 4 {
            answer.status = 429;
        }
        Ok(answer)
    });
    assert_eq!(outcome.0.len(), 50);
    error_of(outcome, SourceErrorKind::RateLimited);
}

#[test]
fn runs_without_an_end_are_there_and_validation_names_the_gap() {
    let (events, summary) = twisted(scenario(), "", |_, mut answer| {
        each_record(&mut answer, |run| run["ended"] = Json::Null);
        Ok(answer)
    });
    let there = there(&scenario());
    assert_eq!((events.len(), summary.unwrap().events), (there, there));
    let errors = validate_runs(&events);
    assert!(
        errors.iter().all(|error| error.field == "end_time"),
        "{errors:?}"
    );
    assert!(!errors.is_empty());
}

#[test]
fn null_everywhere_loses_no_run() {
    let (events, summary) = twisted(scenario(), "", |_, mut answer| {
        each_record(&mut answer, |run| {
            for (key, value) in run.as_object_mut().unwrap() {
                if key != "id" {
                    *value = Json::Null;
                }
            }
        });
        Ok(answer)
    });
    let there = there(&scenario());
    assert_eq!((events.len(), summary.unwrap().events), (there, there));
    let fields = events[0].json().as_object().unwrap();
    assert_eq!(fields.len(), 1, "{}", events[0]);
    let missing: Vec<String> = validate_runs(&events[..1])
        .into_iter()
        .map(|error| error.field)
        .collect();
    assert_eq!(missing, ["job_source_id", "status", "event_time"]);
}

#[test]
fn records_without_their_fields_are_an_error_that_names_the_field() {
    let outcome = twisted(scenario(), "", |_, mut answer| {
        each_record(&mut answer, |run| {
            *run = json!({"id": run["id"], "job": run["job"], "status": run["state"]});
        });
        Ok(answer)
    });
    let error = outcome.1.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Expression);
    assert!(
        error.to_string().contains("the record has no field"),
        "{error}"
    );
}

#[test]
fn ten_megabytes_of_error_text_come_whole_or_are_an_error() {
    const LENGTH: usize = 10 << 20;
    let long = Scenario {
        runs: 20,
        page: 1,
        error_length: LENGTH,
        ..scenario()
    };
    let outcome = |more: &str| {
        let transport = InProcess::new(Vendor::new(long.clone()));
        read(shared(&transport), &long, more)
    };
    let (events, summary) = outcome("");
    assert_eq!(summary.unwrap().events, events.len());
    let longest = events
        .iter()
        .filter_map(|event| event.error().and_then(GivenRunError::message))
        .map(str::len)
        .max();
    assert!(
        longest.is_some_and(|longest| longest >= LENGTH),
        "{longest:?}"
    );
    assert_eq!(validate_runs(&events), []);
}

#[test]
fn a_window_of_very_many_runs_is_read_whole() {
    // Without optimization a hundred thousand take a minute.
    let runs = if cfg!(debug_assertions) {
        4_000
    } else {
        100_000
    };
    let many = Scenario {
        runs,
        page: 500,
        paging: PagingStyle::Offset,
        ..scenario()
    };
    let transport = InProcess::new(Vendor::new(many.clone()));
    let there = there(&many);
    let (events, summary) = read(shared(&transport), &many, "");
    let summary = summary.unwrap();
    assert_eq!(
        (events.len(), summary.repeated, summary.notes.len()),
        (there, 0, 0)
    );
    assert!(there >= runs);
}
