//! Wrong spellings of single templates, planted in a connector for DuckDB, before the binary as people run it: the first
//! line names what must change. `cargo xtask mutants` tries them all, and many more, in one process.

use bowline_contract::{Template, exit_code};
use bowline_warehouse::dialect::Pack;
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;

use crate::connector::{Engine, spell};
use crate::needs::trial;

const FILE: &str = include_str!("../mutants/by_hand/duckdb.toml");

/// One spelling for each kind of template, by what is wrong with it.
const TELLING: [(&str, &str); 18] = [
    (
        "transform_into_count_query",
        "counts the values of a column and misses NULL",
    ),
    ("union_queries", "gives the first query only"),
    ("escape_field_name", "a text literal for a name"),
    ("get_case_when_func", "forgets ELSE"),
    ("get_regexp_expression", "LIKE for a regular expression"),
    ("cast_string_to_timestamp", "keeps whole minutes"),
    ("get_date_diff_func", "both ends count"),
    ("get_avg_function", "NULL counts as zero"),
    ("get_is_inside_range_expression", "either bound will do"),
    ("substring_func", "to the end of the text"),
    ("get_array_length_func", "distinct values only"),
    ("get_in_past_days_expression", "the past before that"),
    ("get_columns_query", "types: letters"),
    ("get_query_logs_query", "ids by chance"),
    ("get_query_logs_query", "offset one more"),
    ("get_query_logs_query", "blanks made fewer"),
    ("get_query_logs_query", "in the order of a measure"),
    ("get_query_logs_query", "other queries end too late"),
];

#[derive(Deserialize)]
struct Mutants {
    mutant: Vec<Mutant>,
}

/// A wrong spelling.
#[derive(Deserialize)]
struct Mutant {
    template: String,
    fault: String,
    text: Option<String>,
    /// Instead of a text: what stands in the pack's own, each with what stands there in the wrong one.
    #[serde(default)]
    edits: Vec<(String, String)>,
}

pub(crate) fn trials() -> Vec<Trial> {
    let mutants: Mutants = toml::from_str(FILE).expect("tests/mutants/by_hand/duckdb.toml");
    let mut mutants = mutants.mutant;
    let mut take = |(template, fault): (&str, &str)| {
        let is_it = |mutant: &Mutant| mutant.template == template && mutant.fault == fault;
        let position = mutants.iter().position(is_it);
        mutants.swap_remove(position.unwrap_or_else(|| panic!("no `{template}` that {fault}")))
    };
    TELLING
        .map(|telling| {
            let mutant = take(telling);
            let slug = mutant.fault.replace([' ', ',', ':', '\''], "_");
            let name = format!("mutants/{}/{slug}", mutant.template);
            trial(name, Engine::DuckDb.needs(), move || is_named(&mutant))
        })
        .into()
}

fn is_named(mutant: &Mutant) -> Result<(), Failed> {
    let engine = Engine::DuckDb;
    let sandbox = engine.shop();
    let template = Template::find(&mutant.template).ok_or("a template")?;
    let pack = Pack::find(engine.name()).ok_or("a pack")?;
    let right = pack.spelling(template).ok_or("a spelling")?;
    let edited = || {
        let edits = mutant.edits.iter();
        edits.fold(right.text.to_owned(), |text, (from, to)| {
            text.replace(from, to)
        })
    };
    let text = mutant.text.clone().unwrap_or_else(edited);
    spell(&sandbox, engine.name(), &mutant.template, &text);
    let ran = sandbox.bowline(&["test", "--tier", "strict"]);
    let ran = ran.exits(exit_code::FELL_SHORT);
    let first = ran.stdout.lines().next().unwrap_or_default();
    assert!(
        first.split_whitespace().any(|word| word == mutant.template),
        "`{}` is not in the first line\n{}",
        mutant.template,
        ran.said()
    );
    Ok(())
}
