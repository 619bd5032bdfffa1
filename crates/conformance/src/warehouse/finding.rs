//! What a check found before the answers of all checks are weighed against each other.

use std::collections::BTreeSet;

use bowline_contract::Template;

use crate::warehouse::Check;
use crate::warehouse::outcome::{Outcome, Step};

/// One check's own answer.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) check: Check,
    pub(crate) outcome: Outcome,
    pub(crate) uses: BTreeSet<&'static Template>,
    pub(crate) steps: Vec<Step>,
    /// What must come back, in words, where that was settled before it was asked.
    pub(crate) expected: Option<String>,
    /// What is not wrong and worth a word, whatever the outcome.
    pub(crate) advice: Vec<String>,
    /// The answer is right because the statement failed: that says nothing for the templates it was built from.
    pub(crate) rests_on_failure: bool,
}

impl Finding {
    pub(crate) fn new(
        check: Check,
        outcome: Outcome,
        mut uses: BTreeSet<&'static Template>,
        steps: Vec<Step>,
    ) -> Self {
        uses.extend(&check.judges);
        Self {
            check,
            outcome,
            uses,
            steps,
            expected: None,
            advice: Vec::new(),
            rests_on_failure: false,
        }
    }
}
