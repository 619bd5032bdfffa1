//! A few hundred vendors over real sockets, with several requests at a time.

use std::time::Duration;

use bowline_simulator::{Pace, Scenario, Server, Vendor};
use fastrand::Rng;

use crate::reading::{Subject, source};
use crate::seeds::{each_seed, number};

/// How many seeds are read when nobody says.
const SEEDS: u64 = if cfg!(debug_assertions) { 60 } else { 300 };

fn over_http(seed: u64) -> Result<(), String> {
    let scenario = Scenario::of_seed(seed);
    let text = bowline_simulator::description(&scenario);
    // The vendor's clock does not wait for real time, so nobody else does.
    let text = format!(
        "{text}\n[http.limits]\nlongest_wait_seconds = 0.001\nretries = 9\ntimeout_seconds = 20\n"
    );
    let server = Server::start(Vendor::new(scenario), 0, Duration::ZERO, Pace::Unhurried)
        .map_err(|error| format!("cannot listen: {error}"))?;
    let source = source(&text, &server.url(), None);
    let mut subject = Subject {
        source: &source,
        vendor: &|work| work(&mut server.vendor()),
        rng: Rng::with_seed(seed ^ 0x7375_626a),
    };
    subject.prove().map(drop)
}

#[test]
fn every_seed_is_read_correctly_over_http() {
    match number("BOWLINE_SEED") {
        Some(seed) => over_http(seed).unwrap_or_else(|reason| panic!("{reason}")),
        None => each_seed("over_http", SEEDS, over_http),
    }
}
