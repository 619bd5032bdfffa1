//! Generated regular expressions, matched here and by Python's `re` through Cerberus.

use bowline_cerberus::Options;
use serde_json::{Map, json};

use crate::generate::Random;
use crate::generated::{SEED, number};
use crate::oracle;
use crate::question::{Answer, Question};

const PATTERNS: u64 = 1_000;
const SHOWN: usize = 3;

/// What Python matches and this implementation declines.
const DECLINED: [&str; 3] = [
    "a back-reference under the flag `i`",
    "the flags `a` and `i`",
    "a repeat after something that takes no text",
];

const ATOMS: [&str; 46] = [
    "a", "b", "é", "1", "_", " ", "-", "]", "}", "{", "{x}", ".", "^", "$", r"\d", r"\D", r"\w",
    r"\W", r"\s", r"\S", r"\b", r"\B", r"\A", r"\Z", r"\.", r"\n", r"\x41", r"\u00e9", r"\101",
    r"\0", r"\\", "[ab]", "[^ab]", "[a-c1-3]", r"[\w-]", r"[^\W_]", r"[\s\S]", "[]a]", "[a^]",
    "[[:a]", "[&&a~~]", "(?i:B)", "(?s:.)", "(?#x)", "(?=a)", "(?!b)",
];

const REPEATS: [&str; 12] = [
    "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{,1}", "{1,}", "++", "{1,2}?",
];

const LETTERS: [char; 22] = [
    'a', 'b', 'A', 'B', 'c', 'é', 'É', '1', '3', '½', '_', ' ', '-', '.', '\n', '\u{1c}',
    '\u{301}', ']', '{', 'x', '}', '\\',
];

fn pattern(random: &mut Random, depth: usize) -> String {
    let mut out = String::new();
    for _ in 0..=random.below(3) {
        if depth > 0 && random.percent(25) {
            let inner = pattern(random, depth - 1);
            let group = match random.below(8) {
                0 | 1 => format!("({inner})"),
                2 => format!("({inner}|{})", pattern(random, depth - 1)),
                3 => format!("(?:{inner})"),
                4 => format!("(?>{inner})"),
                5 => format!("(?={inner})"),
                6 => format!(r"({inner})\1"),
                _ => format!("(?P<n{0}>{inner})(?(n{0})a|b)", random.below(1_000_000)),
            };
            out.push_str(&group);
        } else {
            out.push_str(random.pick::<&str>(&ATOMS));
        }
        if random.percent(25) {
            out.push_str(random.pick::<&str>(&REPEATS));
        }
    }
    if random.percent(10) {
        out.push('|');
    }
    out
}

fn question(random: &mut Random) -> Question {
    let flags = *random.pick(&["", "", "", "", "(?i)", "(?m)", "(?s)", "(?x)", "(?a)"]);
    let pattern = format!("{flags}{}", pattern(random, 2));
    let texts: Vec<String> = (0..6)
        .map(|_| {
            (0..random.below(6))
                .map(|_| *random.pick(&LETTERS))
                .collect()
        })
        .collect();
    let schema = json!({"texts": {"schema": {"regex": pattern}}});
    let document = Map::from_iter([("texts".to_owned(), json!(texts))]);
    Question {
        schema,
        document,
        options: Options::default(),
    }
}

#[test]
fn generated_patterns_match_the_same_texts() {
    let seed = number(SEED, 1);
    let mut random = Random::new(seed);
    let questions: Vec<Question> = (0..PATTERNS).map(|_| question(&mut random)).collect();
    let ours: Vec<_> = questions.iter().map(Question::answer).collect();
    let declined = ours
        .iter()
        .filter(|answer| matches!(answer, Answer::Declined(_)))
        .count();
    assert!(
        declined * 2 < ours.len(),
        "{declined} patterns were declined"
    );
    let Some(theirs) = oracle::ask(&questions) else {
        return;
    };
    let differences: Vec<String> = questions
        .iter()
        .zip(ours.iter().zip(&theirs))
        .filter(|(_, answers)| match answers {
            // A pattern Python does not compile stops Cerberus in the middle.
            (Answer::Declined(_), Answer::Stops) => false,
            (Answer::Declined(reason), _) => !DECLINED.iter().any(|known| reason.contains(known)),
            (ours, theirs) => ours != theirs,
        })
        .map(|(question, (ours, theirs))| {
            format!(
                "{}\n  here:  {ours:?}\n  there: {theirs:?}",
                question.to_json()
            )
        })
        .collect();
    assert!(
        differences.is_empty(),
        "{} of {} patterns differ ({SEED}={seed}):\n{}",
        differences.len(),
        questions.len(),
        differences[..differences.len().min(SHOWN)].join("\n")
    );
}
