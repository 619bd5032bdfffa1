//! A connector for an orchestrator with one job and two runs of it.
//!
//! ```toml
//! # connector.toml
//! version = 1
//! [driver]
//! kind = "process"
//! command = ["cargo", "run", "--quiet", "-p", "bowline-sdk", "--example", "pipeline"]
//! ```

use std::process::ExitCode;

use bowline_sdk::{
    Credentials, Error, Json, Page, Pipeline, PipelineSession, Wanted, json, pipeline,
};

/// The runs: their ids, when each was over, and the vendor's word for how, which the manifest maps.
const RUNS: [(&str, &str, &str); 2] = [
    ("run-1", "2026-11-20T03:10:00+00:00", "OK"),
    ("run-2", "2026-11-21T03:12:30+00:00", "BROKEN"),
];

struct Nights;

struct Session;

impl Pipeline for Nights {
    type Session = Session;

    fn name(&self) -> &str {
        "nights"
    }

    fn setup(&self, credentials: &Credentials) -> Result<Session, Error> {
        credentials.text("api_key").map(|_| Session)
    }
}

impl PipelineSession for Session {
    fn fetch_metadata(&mut self, page: Page) -> Result<Vec<Json>, Error> {
        let job = json!({ "job_source_id": "nightly", "name": "Nightly load" });
        Ok(part(vec![job], page))
    }

    fn fetch_run_details(&mut self, wanted: &Wanted, page: Page) -> Result<Vec<Json>, Error> {
        let runs = RUNS.iter().filter(|(id, over, _)| match wanted {
            Wanted::Ids(ids) => ids.iter().any(|wanted| wanted == id),
            // Of the same offset, texts sort as the times do. A window is half-open.
            Wanted::Window { start, end } => start.as_str() <= *over && *over < end.as_str(),
        });
        let events = runs.map(|(id, over, status)| {
            let mut run = json!({
                "job_source_id": "nightly",
                "run_source_id": id,
                "status": status,
                "event_time": over,
                "end_time": over,
            });
            if *status == "BROKEN" {
                run["error"] = json!({ "message": "the load broke off" });
            }
            run
        });
        Ok(part(events.collect(), page))
    }
}

/// A page of a list.
fn part(all: Vec<Json>, page: Page) -> Vec<Json> {
    let [offset, limit] =
        [page.offset, page.limit].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    all.into_iter().skip(offset).take(limit).collect()
}

fn main() -> ExitCode {
    pipeline::serve(Nights)
}
