//! Generated schemas and documents, answered here and by PyPI's Cerberus.

use crate::generate::{Random, question};
use crate::oracle;
use crate::question::Question;

/// Another seed finds other pairs; a failure names the seed it ran with.
const SEED: &str = "BOWLINE_SEED";
/// How many pairs to compare.
const PAIRS: &str = "BOWLINE_ORACLE_PAIRS";
const SHOWN: usize = 5;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} must be a number, found `{text}`"))
    })
}

#[test]
fn generated_pairs_get_the_same_answer() {
    let seed = number(SEED, 1);
    let mut random = Random::new(seed);
    let questions: Vec<Question> = (0..number(PAIRS, 4_000))
        .map(|_| question(&mut random))
        .collect();
    let ours: Vec<_> = questions.iter().map(Question::answer).collect();
    let Some(theirs) = oracle::ask(&questions) else {
        return;
    };
    let differences: Vec<String> = questions
        .iter()
        .zip(ours.iter().zip(&theirs))
        .filter(|(_, (ours, theirs))| ours != theirs)
        .map(|(question, (ours, theirs))| {
            format!(
                "{}\n  here:  {ours:?}\n  there: {theirs:?}",
                question.to_json()
            )
        })
        .collect();
    assert!(
        differences.is_empty(),
        "{} of {} pairs differ ({SEED}={seed}):\n{}",
        differences.len(),
        questions.len(),
        differences[..differences.len().min(SHOWN)].join("\n")
    );
}
