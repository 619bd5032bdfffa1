//! How a table is asked for its metrics, in words.

use std::collections::BTreeSet;

use bowline_profile::{Family, MOST_KEPT, Plan, Step, Way};
use bowline_words::counted;

const MEGABYTE: i128 = 1_000_000;

pub(super) fn page(table: &str, plan: &Plan) -> String {
    let mut page = format!(
        "{table}: {}, {}\n",
        counted(plan.rows, "row"),
        counted(plan.steps.len(), "statement")
    );
    let families = plan.steps.chunk_by(|one, other| one.family == other.family);
    let mut first = 1;
    for steps in families {
        let last = first + steps.len() - 1;
        let numbers = if first == last {
            format!("{first}")
        } else {
            format!("{first} to {last}")
        };
        first = last + 1;
        let columns: BTreeSet<usize> = steps
            .iter()
            .flat_map(|step| &step.columns)
            .copied()
            .collect();
        page.push_str(&format!(
            "  {numbers}: {} of {}, {}\n",
            steps[0].family.name(),
            counted(columns.len(), "column"),
            counted(
                steps.iter().map(|step| step.metrics).sum::<usize>(),
                "metric"
            ),
        ));
        page.push_str(&why(steps[0].family, steps[0].way));
        page.push_str(&held(steps));
    }
    page
}

/// What the statements of a family keep at most, and in how many lists.
fn held(steps: &[Step]) -> String {
    let mut held = String::new();
    let lists: usize = steps.iter().map(|step| step.lists).sum();
    if lists > 0 {
        held.push_str(&format!(
            "     in {}, which gave the same as one by one\n",
            counted(lists, "list")
        ));
    }
    let kept = steps.iter().map(|step| step.kept).max().unwrap_or(0);
    if kept > 0 {
        let megabytes = |bytes: i128| (bytes + MEGABYTE - 1) / MEGABYTE;
        held.push_str(&format!(
            "     a statement keeps about {} MB at most; {}\n",
            megabytes(kept),
            if kept > MOST_KEPT {
                "an aggregate alone keeps that much".to_owned()
            } else {
                format!("it may keep {} MB", megabytes(MOST_KEPT))
            },
        ));
    }
    held
}

/// Why the aggregates of a family share their statements, or do not.
fn why(family: Family, way: Way) -> String {
    match way {
        Way::Cheap if family == Family::Simple => String::new(),
        Way::Cheap => "     together: too few rows or columns for it to matter\n".to_owned(),
        Way::Unmeasured => {
            "     a statement for each column: the database would not be measured\n".to_owned()
        }
        Way::Measured(cost) => format!(
            "     {}: measured {:.3} s together and {:.3} s apart, over {} and some of the rows\n",
            if cost.is_better_apart() {
                "a statement for each column"
            } else {
                "together"
            },
            cost.together,
            cost.apart,
            counted(cost.columns, "column"),
        ),
    }
}
