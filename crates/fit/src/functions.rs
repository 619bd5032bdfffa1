//! The functions that an engine lists in a catalogue of its own, whatever catalogue that is.

use std::collections::BTreeSet;

use bowline_conformance::warehouse::Trial;

use crate::budget::Budget;
use crate::outcome::Miss;
use crate::refusal::proposed;

/// Statements that list the names of functions in their first column, on one engine or another.
const CATALOGUES: [&str; 7] = [
    "SELECT DISTINCT function_name FROM duckdb_functions()",
    "SELECT DISTINCT name FROM pragma_function_list",
    "SELECT name FROM system.functions",
    "SELECT DISTINCT proname FROM pg_catalog.pg_proc",
    "SELECT DISTINCT routine_name FROM information_schema.routines",
    "SHOW FUNCTIONS",
    "SELECT name FROM mysql.help_topic",
];

/// What a list has that is one of the engine's own functions, and not of its users'.
const EVERYWHERE: [&str; 4] = ["abs", "lower", "round", "upper"];

/// What stands before a parenthesis and is grammar or a type on some engine, so that its catalogue need not list it.
const GRAMMAR: &str = " all and any array as between by case cast char character coalesce collate columns convert \
    count cube current_date current_time current_timestamp date datetime datetime2 datetime64 decimal distinct double \
    else end exists extract filter float from grouping having if iif in int interval into is join least greatest \
    lateral like limit localtimestamp not nullable nullif number numeric nvarchar nvarchar2 offset on or order over \
    overlay partition position returning row rows safe_cast select set some string substring table then time \
    timestamp timestamp_ntz timestamp_tz trim try_cast try_convert union unnest using values varbinary varchar \
    varchar2 when where with within xmlelement ";

/// What is known of an engine's functions.
#[derive(Debug, Default)]
pub(crate) struct Functions {
    /// In small letters; empty where no catalogue answered.
    listed: BTreeSet<String>,
    /// Those that are not listed, and that the engine refused by name.
    absent: BTreeSet<String>,
}

impl Functions {
    /// Asks one catalogue after the other until one lists the engine's functions.
    pub(crate) fn ask(trial: &mut Trial, budget: &Budget) -> Self {
        for sql in CATALOGUES {
            if budget.is_spent(trial) {
                break;
            }
            let Ok(answer) = trial.run(sql) else {
                continue;
            };
            let names = answer.rows.iter().filter_map(|row| row.first());
            let listed: BTreeSet<String> =
                names.map(|name| name.to_string().to_lowercase()).collect();
            if EVERYWHERE.iter().all(|name| listed.contains(*name)) {
                return Self {
                    listed,
                    absent: BTreeSet::new(),
                };
            }
        }
        Self::default()
    }

    /// Whether a text calls what the engine does not list: then it is less likely to be right.
    pub(crate) fn is_doubtful(&self, text: &str) -> bool {
        !self.listed.is_empty() && called(text).iter().any(|name| self.is_unlisted(name))
    }

    /// Whether a text calls what the engine neither lists nor knew when it was asked.
    pub(crate) fn is_absent(&self, text: &str) -> bool {
        !self.absent.is_empty() && called(text).iter().any(|name| self.absent.contains(name))
    }

    /// Learns from a spelling that the engine refused: an unlisted function that its error names is not there. Gives the
    /// same with the listed functions that the error proposes instead.
    pub(crate) fn learn(&mut self, miss: &Miss) -> Vec<String> {
        let Some(message) = miss.refusal().filter(|_| !self.listed.is_empty()) else {
            return Vec::new();
        };
        let message = message.to_lowercase();
        let words: BTreeSet<&str> = message.split(|c| !is_of_name(c)).collect();
        let mut refused = called(&miss.text);
        refused.retain(|name| self.is_unlisted(name) && words.contains(name.as_str()));
        let proposed: Vec<&str> = proposed(&message)
            .filter(|name| self.listed.contains(*name))
            .collect();
        let instead = refused.iter().flat_map(|old| {
            let texts = proposed.iter().map(|new| with(&miss.text, old, new));
            texts.collect::<Vec<_>>()
        });
        let instead = instead.collect();
        self.absent.append(&mut refused);
        instead
    }

    fn is_unlisted(&self, name: &str) -> bool {
        !self.listed.contains(name) && !GRAMMAR.contains(&format!(" {name} "))
    }
}

/// A text that calls another function in the place of one.
fn with(text: &str, old: &str, new: &str) -> String {
    let mut written = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_of_name) {
        let (before, from) = rest.split_at(start);
        let (name, behind) = from.split_at(from.find(|c| !is_of_name(c)).unwrap_or(from.len()));
        let is_call = name.eq_ignore_ascii_case(old) && behind.trim_start().starts_with('(');
        written.push_str(before);
        written.push_str(if is_call { new } else { name });
        rest = behind;
    }
    written + rest
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The names before a parenthesis, in small letters: those in quotes, in Jinja and of the bank's choices left out.
fn called(text: &str) -> BTreeSet<String> {
    let mut called = BTreeSet::new();
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let end = match (first, rest.as_bytes().get(1)) {
            ('{', Some(b'{')) => rest.find("}}").map(|end| end + 2),
            ('{', Some(b'%')) => rest.find("%}").map(|end| end + 2),
            ('{', Some(b'#')) => rest.find("#}").map(|end| end + 2),
            ('\'' | '"' | '`', _) => rest[1..].find(first).map(|end| end + 2),
            _ if is_of_name(first) => {
                let end = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
                if before != '<' && rest[end..].trim_start().starts_with('(') {
                    called.insert(rest[..end].to_lowercase());
                }
                Some(end)
            }
            _ => None,
        };
        let end = end.unwrap_or(first.len_utf8());
        before = first;
        rest = &rest[end..];
    }
    called
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_those_of_the_sql() {
        let text = "CAST({x} AS VARCHAR(10)) || a.Length ('it(s') || {{ x | replace('a', 'b') }} \
                    {% if f(x) %} <plus(<now>; 1)> LOG(2, {x}) \"quoted\"(1)";
        let names: Vec<String> = called(text).into_iter().collect();
        assert_eq!(names, ["cast", "length", "log", "varchar"]);
        assert!(called("'never closed(").contains("closed"));
    }

    #[test]
    fn only_calls_are_replaced() {
        let text = "COUNT(Lenght({x})) + lenght_of(1)";
        assert_eq!(
            with(text, "lenght", "length"),
            "COUNT(length({x})) + lenght_of(1)"
        );
    }

    #[test]
    fn what_is_grammar_is_never_doubtful_and_no_list_doubts_nothing() {
        let functions = Functions {
            listed: BTreeSet::from(["length".to_owned()]),
            absent: BTreeSet::new(),
        };
        assert!(!functions.is_doubtful("COALESCE(LENGTH({x}), CAST('1' AS DECIMAL(10, 2)))"));
        assert!(functions.is_doubtful("LEN({x})"));
        assert!(!Functions::default().is_doubtful("LEN({x})"));
    }
}
