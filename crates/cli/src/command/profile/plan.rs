//! How a table is asked for its metrics, in words.

use bowline_profile::{Family, Plan, Step, Way};
use bowline_words::counted;

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
        let sum = |count: fn(&Step) -> usize| steps.iter().map(count).sum::<usize>();
        let family = steps[0].family;
        page.push_str(&format!(
            "  {numbers}: {} of {}, {}\n",
            family.name(),
            counted(sum(|step| step.columns), "column"),
            counted(sum(|step| step.metrics), "metric"),
        ));
        page.push_str(&why(family, steps[0].way));
    }
    page
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
