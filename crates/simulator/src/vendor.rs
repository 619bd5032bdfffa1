//! The vendor: who may come in, what goes wrong, and what it answers.

use std::collections::{BTreeMap, HashMap};

use base64::Engine;
use bowline_pipeline::{Incoming, Outgoing};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use crate::lists::Lists;
use crate::parameters::{Parameters, decoded};
use crate::record;
use crate::scenario::{Login, Scenario};
use crate::world::{Change, World};

/// The user name that a vendor with a login knows.
pub const USER: &str = "ann";
/// The password or key that a vendor with a login knows.
pub const SECRET: &str = "s1mulated-Secret";

/// How many requests a token is good for.
const TOKEN_LASTS: u32 = 7;
/// How many requests it takes to be too many again.
const BETWEEN_REFUSALS: u64 = 20;
/// How many things happen in all: a reading must come to its end.
const MOST_CHANGES: u32 = 60;
/// How long a client waits for a vendor that says nothing, in microseconds.
const SILENCE: u64 = 30_000_000;

/// A simulated vendor. The same requests in the same order are answered in the same way.
#[derive(Debug)]
pub struct Vendor {
    /// What it is like.
    pub scenario: Scenario,
    /// What is true.
    pub world: World,
    lists: Lists,
    rng: Rng,
    token: Option<(String, u32)>,
    tokens: u32,
    /// What is left in the bucket, and when that was.
    tokens_left: (f64, Timestamp),
    /// How many requests the bucket refused.
    refused: u64,
    /// How often a request failed in a row.
    failures: HashMap<String, u8>,
    /// Until when it wants to be left alone.
    closed: Option<Timestamp>,
    /// How many requests there were when it last began to.
    closed_at: u64,
    changes: u32,
    asked: u64,
    log: Option<Vec<String>>,
}

/// What comes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// An answer.
    Whole(Incoming),
    /// The beginning of an answer; then the connection breaks.
    CutOff(Incoming),
    /// The connection breaks at once.
    Cut,
    /// Nothing, for longer than anybody waits.
    Silence,
}

impl Vendor {
    /// The vendor of a scenario.
    #[must_use]
    pub fn new(scenario: Scenario) -> Self {
        Self {
            world: World::new(&scenario),
            tokens_left: (
                scenario.rate.map_or(0.0, |rate| f64::from(rate.burst)),
                scenario.start,
            ),
            refused: 0,
            rng: Rng::with_seed(scenario.seed ^ 0x7665_6e64_6f72),
            scenario,
            lists: Lists::default(),
            token: None,
            tokens: 0,
            failures: HashMap::new(),
            closed: None,
            closed_at: 0,
            changes: 0,
            asked: 0,
            log: None,
        }
    }

    /// From now on writes down what is asked, what is answered and what happens.
    pub fn keep_log(&mut self) {
        self.log = Some(Vec::new());
    }

    /// What was written down.
    #[must_use]
    pub fn log(&self) -> &[String] {
        self.log.as_deref().unwrap_or_default()
    }

    /// How many requests there were.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.asked
    }

    /// How many requests were refused because the bucket was empty.
    #[must_use]
    pub fn refused_by_rate(&self) -> u64 {
        self.refused
    }

    /// How many pages of runs it gave.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.lists.pages
    }

    /// From now on nothing fails and nothing changes, and its lists have an order that stays.
    pub fn calm_down(&mut self) {
        self.scenario.faults = 0;
        self.scenario.rate = None;
        self.scenario.changes = 0;
        self.scenario.shuffled = false;
        self.closed = None;
    }

    /// Sets the vendor's clock by ours, unless it is ahead already.
    pub fn keep_time(&mut self, ours: Timestamp) {
        let shown = ours.saturating_add(self.scenario.skew).unwrap_or(ours);
        self.world.clock = self.world.clock.max(self.scenario.times.cut(shown));
    }

    /// Lets whoever was asked to come back later come back now.
    pub fn reopen(&mut self) {
        self.closed = None;
        self.tokens_left.0 = self.scenario.rate.map_or(0.0, |rate| f64::from(rate.burst));
    }

    /// Lets as much time pass as a client waits for an answer that does not come.
    pub fn keep_silent(&mut self) {
        self.world.pass(SILENCE);
    }

    /// Answers a request. Time passes and things happen before it does.
    pub fn answer(&mut self, request: &Outgoing) -> Reply {
        self.asked += 1;
        let most = self.scenario.latency.max(1);
        self.world.pass(self.rng.u64(0..most) + 1000);
        self.happen();
        let path = path_of(&request.address).to_owned();
        let answer = self.fault(request).unwrap_or_else(|| {
            self.failures.remove(&key_of(request));
            Reply::Whole(self.handle(request))
        });
        if let Some(log) = &mut self.log {
            let told = match &answer {
                Reply::Whole(answer) => {
                    let text = String::from_utf8_lossy(&answer.body);
                    let text: String = text.chars().take(4000).collect();
                    format!("{} {text}", answer.status)
                }
                other => format!("{other:?}").chars().take(40).collect(),
            };
            let body = request.body.as_deref().unwrap_or_default();
            let at = self.world.clock;
            log.push(format!(
                "{at} {} {path} {body}\n    -> {told}",
                request.method
            ));
        }
        answer
    }

    fn happen(&mut self) {
        if self.rng.u8(0..100) >= self.scenario.changes || self.changes >= MOST_CHANGES {
            return;
        }
        for _ in 0..self.rng.usize(1..6) {
            let change = match self.rng.u8(0..20) {
                0..6 => Change::Insert,
                6..9 => Change::Start,
                9..13 => Change::Finish,
                13 => Change::Retry,
                14 => Change::Cancel,
                15 | 16 => Change::Delete,
                17 => Change::Reorder,
                18 => Change::DeleteJob,
                _ => Change::InsertJob,
            };
            self.changes += 1;
            let told = self.world.change(change);
            if let (Some(log), Some(told)) = (&mut self.log, told) {
                log.push(format!("{} {told}", self.world.clock));
            }
        }
    }

    /// What goes wrong with a request before anybody looks at it.
    fn fault(&mut self, request: &Outgoing) -> Option<Reply> {
        if let Some(refusal) = self.over_rate() {
            return Some(Reply::Whole(refusal));
        }
        let failures = self.failures.entry(key_of(request)).or_default();
        if let Some(closed) = self.closed
            && self.world.clock < closed
        {
            *failures += 1;
            return Some(Reply::Whole(self.refusal(429, closed)));
        }
        if *failures >= self.scenario.in_row || self.rng.u8(0..100) >= self.scenario.faults {
            return None;
        }
        *failures += 1;
        let may_close = self.closed.is_none() || self.asked - self.closed_at > BETWEEN_REFUSALS;
        Some(match self.rng.u8(0..8) {
            0 | 1 if may_close => {
                self.closed_at = self.asked;
                let wait = self.rng.i64(0..self.scenario.rest.max(1)) + 1;
                let wait = SignedDuration::from_secs(wait);
                let closed = self.world.clock.saturating_add(wait);
                let closed = closed.unwrap_or(self.world.clock);
                self.closed = Some(closed);
                Reply::Whole(self.refusal(429, closed))
            }
            2 => Reply::Whole(self.incoming(503, "text/html", "<html>Bad gateway</html>".into())),
            3 => Reply::Whole(self.json(500, &json!({"detail": "database is locked"}))),
            0 | 1 | 4 => Reply::Whole(self.json(502, &Json::Null)),
            5 => Reply::Cut,
            6 => Reply::CutOff(self.json(200, &json!({"items": ["cut", "off"]}))),
            _ => Reply::Silence,
        })
    }

    /// Takes a token; without one the request is refused, in one of the ways in which vendors do.
    fn over_rate(&mut self) -> Option<Incoming> {
        let rate = self.scenario.rate?;
        let (left, since) = self.tokens_left;
        let now = self.world.clock;
        let passed = now.duration_since(since).as_secs_f64();
        let per_second = f64::from(rate.per_minute) / 60.0;
        let left = (left + passed * per_second).min(f64::from(rate.burst));
        let is_free = left >= 1.0;
        self.tokens_left = (if is_free { left - 1.0 } else { left }, now);
        if is_free {
            return None;
        }
        self.refused += 1;
        let wait = SignedDuration::from_secs_f64((1.0 - left) / per_second);
        let until = now.saturating_add(wait).unwrap_or(now);
        let mut answer = self.refusal(429, until);
        match self.rng.u8(0..3) {
            0 => {}
            1 => {
                answer.headers.remove("retry-after");
                let reset = until.as_second() + 1;
                let name = "x-ratelimit-reset".to_owned();
                answer.headers.insert(name, reset.to_string());
            }
            _ => {
                answer.headers.remove("retry-after");
            }
        }
        Some(answer)
    }

    fn refusal(&mut self, status: u16, until: Timestamp) -> Incoming {
        let mut answer = self.json(status, &json!({"detail": "too many requests"}));
        let seconds = until.duration_since(self.world.clock).as_millis();
        let seconds = seconds.div_euclid(1000) + 1;
        let after = if self.rng.bool() {
            seconds.to_string()
        } else {
            let whole = Timestamp::from_second(until.as_second() + 1).unwrap_or(until);
            http_date(whole)
        };
        answer.headers.insert("retry-after".to_owned(), after);
        answer
    }

    fn handle(&mut self, request: &Outgoing) -> Incoming {
        let path = path_of(&request.address);
        if path == "/login" {
            return self.log_in(request);
        }
        if let Some(refused) = self.refused(request) {
            return refused;
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut parameters = Parameters::of_query(query);
        let body: Json = request
            .body
            .as_deref()
            .and_then(|body| serde_json::from_str(body).ok())
            .unwrap_or_default();
        let base = &request.address[..request.address.len() - path_of(&request.address).len()];
        let segments: Vec<String> = path.split('/').skip(1).map(decoded).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let scenario = self.scenario.clone();
        let answered = match segments.as_slice() {
            ["api", "version"] => Some(json!({"version": "1.0"})),
            ["graphql"] => {
                parameters = Parameters::of_json(&body["variables"]);
                let query = body["query"].as_str().unwrap_or_default();
                return match self.graphql(query, &parameters) {
                    Some((field, data)) => self.json(200, &json!({"data": {field: data}})),
                    None => {
                        let message =
                            "no such operation: Version, Jobs, Runs, RunsById and Steps are there";
                        self.json(200, &json!({"errors": [{"message": message}]}))
                    }
                };
            }
            ["api", "jobs", ..] if request.method == "POST" => {
                parameters = Parameters::of_json(&body);
                Some(self.lists.jobs(&self.world, &scenario, &parameters, base))
            }
            ["api", "jobs"] => Some(self.lists.jobs(&self.world, &scenario, &parameters, base)),
            ["api", "runs", "search"] if body["ids"].is_array() => {
                Some(self.asked_runs(&body["ids"]))
            }
            ["api", "runs", "search"] if request.method == "POST" => {
                parameters = Parameters::of_json(&body);
                Some(self.lists.runs(&self.world, &scenario, &parameters, base))
            }
            ["api", "runs"] => Some(self.lists.runs(&self.world, &scenario, &parameters, base)),
            ["api", "runs", id] => {
                let run = self.world.run(id);
                run.map(|run| record::run(&self.world, &scenario, run))
            }
            ["api", "runs", id, "steps"] => {
                let run = self.world.run(id);
                run.map(|run| record::steps(&self.world, &scenario, run).into())
            }
            ["api", "steps", "search"] => Some(self.asked_steps(&body["runs"])),
            _ => None,
        };
        match answered {
            Some(body) => self.json(200, &body),
            None => self.json(404, &json!({"detail": "not found"})),
        }
    }

    fn graphql(&mut self, query: &str, parameters: &Parameters) -> Option<(&'static str, Json)> {
        let name = query.split(|c: char| !c.is_alphanumeric()).nth(1)?;
        let (world, scenario) = (&self.world, &self.scenario);
        Some(match name {
            "Version" => ("version", json!("1.0")),
            "Jobs" => ("jobs", self.lists.jobs(world, scenario, parameters, "")),
            "Runs" => ("runs", self.lists.runs(world, scenario, parameters, "")),
            "RunsById" => ("runsById", self.asked_runs(&parameters.json("ids"))),
            "Steps" => ("steps", self.asked_steps(&parameters.json("runs"))),
            _ => return None,
        })
    }

    fn asked_runs(&self, ids: &Json) -> Json {
        let ids = ids.as_array().into_iter().flatten();
        let found = ids.filter_map(|id| self.world.run(id.as_str()?));
        found
            .map(|run| record::run(&self.world, &self.scenario, run))
            .collect()
    }

    fn asked_steps(&self, ids: &Json) -> Json {
        let ids = ids.as_array().into_iter().flatten();
        let found = ids.filter_map(|id| self.world.run(id.as_str()?));
        found
            .flat_map(|run| record::steps(&self.world, &self.scenario, run))
            .collect()
    }

    fn log_in(&mut self, request: &Outgoing) -> Incoming {
        let body: Option<Json> = request
            .body
            .as_deref()
            .and_then(|body| serde_json::from_str(body).ok());
        if body != Some(json!({"user": USER, "password": SECRET})) {
            return self.json(401, &json!({"detail": "wrong user or password"}));
        }
        self.tokens += 1;
        let token = format!("token-{}-{}", self.scenario.seed, self.tokens);
        self.token = Some((token.clone(), TOKEN_LASTS));
        self.json(201, &json!({"token": token}))
    }

    /// The refusal of a request that does not say who asks, or says it wrongly.
    fn refused(&mut self, request: &Outgoing) -> Option<Incoming> {
        let given = request
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("authorization"))
            .map(|(_, value)| value.as_str());
        let is_known = match self.scenario.login {
            Login::None => true,
            Login::Header => given == Some(&format!("Bearer {SECRET}")),
            Login::Basic => {
                let pair = format!("{USER}:{SECRET}");
                let pair = base64::engine::general_purpose::STANDARD.encode(pair);
                given == Some(&format!("Basic {pair}"))
            }
            Login::Token => match &mut self.token {
                Some((token, left)) if *left > 0 && given == Some(&format!("Bearer {token}")) => {
                    *left -= 1;
                    true
                }
                _ => false,
            },
        };
        (!is_known).then(|| self.json(401, &json!({"detail": "unauthorized"})))
    }

    fn json(&self, status: u16, body: &Json) -> Incoming {
        self.incoming(status, "application/json", body.to_string())
    }

    fn incoming(&self, status: u16, kind: &str, body: String) -> Incoming {
        Incoming {
            status,
            headers: BTreeMap::from([
                ("content-type".to_owned(), kind.to_owned()),
                ("date".to_owned(), http_date(self.world.clock)),
            ]),
            body: body.into_bytes(),
        }
    }
}

/// What tells requests apart.
fn key_of(request: &Outgoing) -> String {
    format!("{} {:?}", request.address, request.body)
}

/// The path and query of an address.
fn path_of(address: &str) -> &str {
    let host = address.find("://").map_or(0, |at| at + 3);
    let path = address[host..]
        .find('/')
        .map_or(address.len(), |at| host + at);
    &address[path..]
}

fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_client_that_waits_for_a_silent_vendor_lets_its_time_pass() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut vendor = Vendor::new(Scenario {
            faults: 100,
            ..Scenario::calm(1, start)
        });
        let begin = vendor.world.clock;
        let silent = (0..100).filter(|number| {
            let request = Outgoing {
                method: "GET".to_owned(),
                address: format!("http://vendor/api/jobs?offset={number}"),
                headers: Vec::new(),
                body: None,
            };
            vendor.reopen();
            vendor.answer(&request) == Reply::Silence
        });
        assert!(silent.count() > 0);
        let gone = |vendor: &Vendor| vendor.world.clock.duration_since(begin).as_secs();
        assert_eq!(gone(&vendor), 0);
        vendor.keep_silent();
        assert!(gone(&vendor) >= 30);
    }
}
