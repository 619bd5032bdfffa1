//! Vendors that give the last page of a list again for any number behind it.

use bowline_contract::pipeline::Window;
use bowline_pipeline::{Pipeline, RunQuery};
use bowline_simulator::{ADDRESS, Form, InProcess, PagingStyle, Scenario, Vendor, description};

use crate::reading::{shared, source};

/// A list that stands still is read twice, to be sure, and each time one page behind its end is asked for. Nobody is told
/// that it changed.
#[test]
fn a_still_list_costs_its_pages_twice() {
    // Seeds by which the vendor says nothing of the end, and runs that leave the last page short.
    for (seed, runs) in [(1, 24), (3, 254), (5, 44)] {
        let scenario = Scenario {
            form: Form::Query,
            paging: PagingStyle::Number,
            page: 10,
            runs,
            clamped: true,
            ..Scenario::calm(seed, "2026-11-23T08:00:00Z".parse().unwrap())
        };
        let text = description(&scenario);
        let transport = InProcess::new(Vendor::new(scenario));
        let source = source(&text, ADDRESS, Some(shared(&transport)));
        let query = RunQuery::Window(Window {
            start: "2000-01-01T00:00:00Z".parse().unwrap(),
            end: "2100-01-01T00:00:00Z".parse().unwrap(),
        });
        let mut events = 0;
        let read = source.runs(&query, None, &mut |_| events += 1);
        let notes = read
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"))
            .notes;
        let vendor = transport.vendor();
        let runs = vendor.world.runs.iter().filter(|run| run.now().is_some());
        let runs = runs.count();
        assert_eq!(events, runs, "seed {seed}");
        assert!(!runs.is_multiple_of(10), "seed {seed}: {runs} runs");
        let pages = u64::try_from(runs.div_ceil(10)).unwrap();
        assert_eq!(vendor.pages(), 2 * (pages + 1), "seed {seed}");
        let again = "the vendor gives the last page of a list again";
        assert!(
            notes.iter().all(|note| note.starts_with(again)),
            "{notes:?}"
        );
    }
}
