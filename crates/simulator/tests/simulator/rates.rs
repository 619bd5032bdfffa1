//! Vendors that let only so many requests through.

use std::num::NonZeroUsize;

use bowline_contract::pipeline::Window;
use bowline_pipeline::{Pipeline, RunQuery};
use bowline_simulator::{
    ADDRESS, Form, InProcess, PagingStyle, Rate, Scenario, Steps, Vendor, description,
};
use jiff::Timestamp;

use crate::reading::{shared, source};

/// Everything that such a vendor has is read, and most requests are let through: the reading finds the pace.
#[test]
fn a_strict_vendor_is_read_at_its_pace() {
    let start: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
    for (seed, per_minute, burst) in [
        (1, 60, 1),
        (2, 60, 5),
        (3, 300, 5),
        (4, 600, 10),
        (5, 30, 2),
    ] {
        let scenario = Scenario {
            form: Form::Query,
            paging: PagingStyle::Offset,
            steps: Steps::Each,
            runs: 80,
            rate: Some(Rate { per_minute, burst }),
            latency: 50_000,
            ..Scenario::calm(seed, start)
        };
        let text = description(&scenario);
        let transport = InProcess::new(Vendor::new(scenario));
        let source = source(&text, ADDRESS, Some(shared(&transport)));
        let query = RunQuery::Window(Window {
            start: "2000-01-01T00:00:00Z".parse().unwrap(),
            end: "2100-01-01T00:00:00Z".parse().unwrap(),
        });
        let mut events = 0;
        let result = source.runs(&query, NonZeroUsize::new(20), &mut |_| events += 1);
        result.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let vendor = transport.vendor();
        let (asked, refused) = (vendor.asked(), vendor.refused_by_rate());
        assert!(events >= 80, "seed {seed}: {events} runs");
        assert!(
            refused * 3 < asked,
            "seed {seed}: {refused} of {asked} requests refused"
        );
    }
}
