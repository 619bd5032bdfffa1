//! A vendor with two jobs and so many runs, a platform that takes events, and a connector between them.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bowline_servers::{Answer, HttpServer, Request};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::PATIENCE;
use crate::sandbox::{MARK, Ran, Sandbox};

/// What the platform knows the vendor by.
pub(super) const RESOURCE: &str = "6f1ed002-ab58-4f2c-9d6b-4c5dc0d0f3a1";
/// The secret of the platform's key.
pub(super) const TOKEN: &str = "canary7f3a-push-token";

const MANIFEST: &str = r#"{
  "connection_type": "custom-etl-connector-abc1234",
  "connection_name": "Shop",
  "asset_class": "etl",
  "run_status_mapping": {"done": "success", "failed": "failed", "running": "in_progress"}
}"#;

const CONNECTOR: &str = r#"version = 1

[http]
base_url = "{{ credentials.url }}"
auth = { kind = "header", value = "Bearer {{ credentials.token }}" }
limits = { retries = 1 }

[sources.jobs]
path = "/jobs"
records = "response.items"

[sources.runs]
path = "/runs"
query = { since = "{{ window.start }}", until = "{{ window.end }}", limit = "{{ page.size }}", offset = "{{ page.offset }}" }
records = "response.items"
pages = { style = "offset", size = 50, total = "response.total" }
id = "record.id"

[sources.asked_runs]
for_each = "run_ids"
path = "/runs/{{ parent }}"
missing = [404]

[assets]
from = "jobs"
[assets.fields]
job_source_id = "record.id"
name = "record.name"
tasks = [{ task_source_id = "'load'", name = "'Load'" }]
outputs = [{ asset_type = "'TABLE'", fully_qualified_name = "'shop.public.' ~ record.id" }]

[runs]
from = "runs"
by_id = "asked_runs"
[runs.fields]
job_source_id = "record.job"
run_source_id = "record.id"
status = "record.state"
event_time = "record.ended or record.at"
start_time = "record.at"
end_time = "record.ended"
run_url = "credentials.url ~ '/runs/' ~ record.id"
error = { message = "'it broke' if record.state == 'failed'" }
outputs = [{ asset_type = "'FILE'", fully_qualified_name = "'s3://shop/' ~ record.id" }]
task_runs = [{ run_source_id = "record.id ~ '/load'", task_source_id = "'load'", status = "record.state", event_time = "record.ended or record.at", start_time = "record.at", end_time = "record.ended", error = { message = "'it broke' if record.state == 'failed'" } }]
"#;

/// Everything a test plays on.
pub(super) struct Stage {
    pub(super) sandbox: Sandbox,
    pub(super) vendor: Vendor,
}

impl Stage {
    /// A vendor with so many runs that ended well, but for the last, whose status no mapping has.
    pub(super) fn with_runs(runs: usize) -> Self {
        Self::with_vendor(runs, |_| ())
    }

    /// A vendor with so many runs, each after a change.
    pub(super) fn with_vendor(runs: usize, change: impl Fn(&mut Value)) -> Self {
        let mut records: Vec<Value> = (0..runs)
            .map(|index| {
                let at = format!("2026-11-22T10:{:02}:00Z", index * 60 / runs);
                let state = if index + 1 == runs { "odd" } else { "done" };
                json!({"id": format!("run-{index}"), "job": "ingest", "state": state, "at": at, "ended": at})
            })
            .collect();
        records.iter_mut().for_each(change);
        let vendor = Vendor::start(records);
        let sandbox = Sandbox::new();
        let folder = "etl_connectors/shop";
        sandbox.write(format!("{folder}/manifest.json"), MANIFEST);
        sandbox.write(format!("{folder}/connector.toml"), CONNECTOR);
        let credentials = json!({"connect_args": {
            "url": vendor.server.url(), "token": format!("{MARK}-vendor-token"),
        }});
        sandbox.write(
            format!("{folder}/credentials.json"),
            &credentials.to_string(),
        );
        Self { sandbox, vendor }
    }

    /// `bowline collect shop` with arguments, ready to run.
    pub(super) fn command(&self, args: &[&str]) -> Command {
        self.sandbox.command(&[&["collect", "shop"], args].concat())
    }

    pub(super) fn collect(&self, args: &[&str]) -> Ran {
        self.sandbox.finish(&mut self.command(args), None)
    }

    /// The same, pushing to a platform.
    pub(super) fn push_command(&self, platform: &Platform, args: &[&str]) -> Command {
        let url = platform.server.url();
        let to = ["--push", &url, "--resource", RESOURCE];
        let mut command = self.command(&[&to[..], args].concat());
        command
            .env("BOWLINE_PUSH_KEY_ID", "key-id")
            .env("BOWLINE_PUSH_TOKEN", TOKEN);
        command
    }

    /// `bowline collect ACTION shop` for a platform.
    pub(super) fn push_action(&self, platform: &Platform, action: &str) -> Ran {
        let url = platform.server.url();
        let mut command = self.sandbox.command(&[
            "collect",
            action,
            "shop",
            "--push",
            &url,
            "--resource",
            RESOURCE,
        ]);
        command
            .env("BOWLINE_PUSH_KEY_ID", "key-id")
            .env("BOWLINE_PUSH_TOKEN", TOKEN);
        self.sandbox.finish(&mut command, None)
    }

    pub(super) fn push(&self, platform: &Platform, args: &[&str]) -> Ran {
        let mut command = self.push_command(platform, args);
        self.sandbox.finish(&mut command, None)
    }
}

/// JSON values, one a line.
pub(super) fn parsed(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

#[derive(Default)]
struct Mood {
    /// From this offset on, requests are refused.
    broken_from: Option<usize>,
    /// Requests wait.
    held: bool,
    /// So many of the last runs are not shown yet.
    late: usize,
    /// What its clock shows, as far as it says so.
    clock: Option<String>,
    asked: usize,
    /// The windows asked for, each once, in the order in which they came.
    windows: Vec<(String, String)>,
}

/// An orchestrator.
pub(super) struct Vendor {
    pub(super) server: HttpServer,
    mood: Arc<(Mutex<Mood>, Condvar)>,
}

fn locked(mood: &(Mutex<Mood>, Condvar)) -> MutexGuard<'_, Mood> {
    mood.0.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Vendor {
    fn start(runs: Vec<Value>) -> Self {
        let mood: Arc<(Mutex<Mood>, Condvar)> = Arc::default();
        let shared = Arc::clone(&mood);
        let server = HttpServer::start(move |request| {
            let offset = request.number("offset").unwrap_or(0);
            let late;
            let clock;
            {
                let mut mood = locked(&shared);
                mood.asked += 1;
                if let (Some(since), Some(until)) =
                    (request.query.get("since"), request.query.get("until"))
                {
                    let window = (since.clone(), until.clone());
                    if !mood.windows.contains(&window) {
                        mood.windows.push(window);
                    }
                }
                shared.1.notify_all();
                while mood.held {
                    mood = shared.1.wait(mood).unwrap_or_else(PoisonError::into_inner);
                }
                (late, clock) = (mood.late, mood.clock.clone());
                if mood.broken_from.is_some_and(|from| offset >= from) {
                    return Answer::new(400, r#"{"message": "no more"}"#);
                }
            }
            if request.path == "/jobs" {
                let job = |id: &str| json!({"id": id, "name": format!("The {id}")});
                return Answer::new(200, json!({"items": [job("ingest"), job("export")]}));
            }
            if let Some(id) = request.path.strip_prefix("/runs/") {
                let mut shown = runs[..runs.len() - late].iter();
                return match shown.find(|run| run["id"] == id) {
                    Some(run) => Answer::new(200, run),
                    None => Answer::new(404, r#"{"message": "no such run"}"#),
                };
            }
            let bound = |name: &str| request.query.get(name).cloned().unwrap_or_default();
            let (since, until) = (bound("since"), bound("until"));
            let within: Vec<&Value> = runs[..runs.len() - late]
                .iter()
                .filter(|run| {
                    let at = run["at"].as_str().unwrap_or_default();
                    since.as_str() <= at && at < until.as_str()
                })
                .collect();
            let limit = request.number("limit").unwrap_or(50);
            let page: Vec<&Value> = within.iter().skip(offset).take(limit).copied().collect();
            let mut answer = Answer::new(200, json!({"items": page, "total": within.len()}));
            answer.headers.extend(clock.map(|clock| ("date", clock)));
            answer
        });
        Self {
            server: server.expect("a free port"),
            mood,
        }
    }

    /// From now on, requests for runs behind so many are refused.
    pub(super) fn break_off_at(&self, offset: usize) {
        locked(&self.mood).broken_from = Some(offset);
    }

    /// From now on, so many of the last runs are not shown.
    pub(super) fn show_late(&self, runs: usize) {
        locked(&self.mood).late = runs;
    }

    /// From now on, the vendor says that its clock shows this.
    pub(super) fn set_clock(&self, shown: Timestamp) {
        let shown = shown.to_zoned(jiff::tz::TimeZone::UTC);
        let shown = jiff::fmt::rfc2822::DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&shown.timestamp());
        locked(&self.mood).clock = shown.ok();
    }

    /// From now on, requests wait.
    pub(super) fn hold(&self) {
        locked(&self.mood).held = true;
    }

    /// From now on, all is well again.
    pub(super) fn mend(&self) {
        let mut mood = locked(&self.mood);
        (mood.broken_from, mood.held) = (None, false);
        self.mood.1.notify_all();
    }

    /// The windows asked for, each once, in the order in which they came.
    pub(super) fn windows(&self) -> Vec<(String, String)> {
        locked(&self.mood).windows.clone()
    }

    /// How many requests came so far.
    pub(super) fn asked(&self) -> usize {
        locked(&self.mood).asked
    }

    pub(super) fn wait_for_windows(&self, count: usize) {
        self.wait(|mood| mood.windows.len() >= count);
    }

    pub(super) fn wait_until_asked(&self) {
        self.wait(|mood| mood.asked > 0);
    }

    fn wait(&self, until: impl Fn(&Mood) -> bool) {
        let mood = locked(&self.mood);
        let waited = self
            .mood
            .1
            .wait_timeout_while(mood, PATIENCE, |mood| !until(mood));
        let (_mood, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.timed_out(), "the vendor was not asked as expected");
    }
}

/// A request of events that the platform took.
#[derive(Debug, Clone)]
pub(super) struct Post {
    pub(super) path: String,
    pub(super) headers: std::collections::BTreeMap<String, String>,
    body: Value,
}

impl Post {
    pub(super) fn body(&self) -> &Value {
        &self.body
    }

    pub(super) fn events(&self) -> &[Value] {
        self.body["events"].as_array().map_or(&[], Vec::as_slice)
    }
}

/// A client that is killed while its batch is in the platform's hands.
struct Doomed {
    pid: u32,
    /// How many batches it may deliver before.
    after: u32,
    /// Whether the batch is taken all the same.
    taken: bool,
}

/// A platform that keeps what it takes.
pub(super) struct Platform {
    server: HttpServer,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    /// How many requests fail before the next that does not.
    stumbles: usize,
    doomed: Option<Doomed>,
    posts: Vec<(u16, Post)>,
}

impl Platform {
    /// A platform that answers a request and its body so.
    pub(super) fn start(
        respond: impl Fn(&Request, &str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let kept: Arc<Mutex<Kept>> = Arc::default();
        let shared = Arc::clone(&kept);
        let server = HttpServer::start(move |request| {
            let mut kept = shared.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.stumbles > 0 {
                kept.stumbles -= 1;
                let mut answer = Answer::new(503 - (kept.stumbles as u16 % 2) * 74, "busy");
                answer.headers.push(("retry-after", "0".to_owned()));
                return answer;
            }
            let body = String::from_utf8_lossy(&request.body);
            let mut answer = respond(request, &body);
            match &mut kept.doomed {
                Some(doomed) if doomed.after == 0 => {
                    let pid = doomed.pid.to_string();
                    let killed = Command::new("kill").args(["-KILL", &pid]).status();
                    if killed.is_ok_and(|status| status.success()) && !doomed.taken {
                        answer.status = 500;
                    }
                    kept.doomed = None;
                }
                Some(doomed) => doomed.after -= 1,
                None => {}
            }
            let post = Post {
                path: request.path.clone(),
                headers: request.headers.clone(),
                body: serde_json::from_str(&body).unwrap_or(Value::Null),
            };
            kept.posts.push((answer.status, post));
            answer
        });
        Self {
            server: server.expect("a free port"),
            kept,
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next so many requests fail in ways that pass.
    pub(super) fn stumble(&self, requests: usize) {
        self.kept().stumbles = requests;
    }

    /// Kills a client when it delivers the batch after so many, and takes that batch or loses it.
    pub(super) fn kill_client(&self, pid: u32, after: u32, taken: bool) {
        self.kept().doomed = Some(Doomed { pid, after, taken });
    }

    /// Kills nobody any more.
    pub(super) fn spare_clients(&self) {
        self.kept().doomed = None;
    }

    /// Every request so far, but for those it stumbled over.
    pub(super) fn posts(&self) -> Vec<Post> {
        self.kept()
            .posts
            .iter()
            .map(|(_, post)| post.clone())
            .collect()
    }

    pub(super) fn forget(&self) {
        self.kept().posts.clear();
    }

    fn runs(&self) -> Vec<String> {
        let kept = self.kept();
        let taken = kept.posts.iter().filter(|(status, _)| *status < 300);
        taken
            .flat_map(|(_, post)| post.events())
            .filter_map(|event| Some(event["run_source_id"].as_str()?.to_owned()))
            .collect()
    }

    /// The runs that it took.
    pub(super) fn run_ids(&self) -> BTreeSet<String> {
        self.runs().into_iter().collect()
    }

    /// How many runs it took, those that came twice counted twice.
    pub(super) fn runs_received(&self) -> usize {
        self.runs().len()
    }
}
