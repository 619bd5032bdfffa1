//! Generated schemas and documents, answered here and by PyPI's Cerberus.

use crate::generate::{Random, question};
use crate::oracle;
use crate::question::{Answer, Question};

/// Another seed finds other pairs; a failure names the seed it ran with.
pub(crate) const SEED: &str = "BOWLINE_SEED";
/// How many pairs to compare.
const PAIRS: &str = "BOWLINE_ORACLE_PAIRS";
const SHOWN: usize = 5;

/// A number from the environment.
pub(crate) fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} must be a number, found `{text}`"))
    })
}

#[test]
fn generated_pairs_get_the_same_answer() {
    let seed = number(SEED, 1);
    let mut random = Random::new(seed);
    let questions: Vec<Question> = (0..number(PAIRS, 3_000))
        .map(|_| question(&mut random))
        .collect();
    let ours: Vec<_> = questions.iter().map(Question::answer).collect();
    // Pairs that all ended the same way would prove little.
    let kinds: [fn(&Answer) -> bool; 4] = [
        |answer| matches!(answer, Answer::Validated { errors, .. } if errors == "{}"),
        |answer| matches!(answer, Answer::Validated { errors, .. } if errors != "{}"),
        |answer| matches!(answer, Answer::SchemaErrors(_)),
        |answer| matches!(answer, Answer::Stops),
    ];
    for (kind, is_kind) in kinds.iter().enumerate() {
        let count = ours.iter().filter(|answer| is_kind(answer)).count();
        assert!(
            count * 50 >= ours.len(),
            "only {count} answers of kind {kind}"
        );
    }
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
