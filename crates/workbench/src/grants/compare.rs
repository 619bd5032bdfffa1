//! What one account sees and another does not: checks that are no longer supported, and what the answers no longer tell.

use std::collections::{BTreeMap, BTreeSet};

use bowline_conformance::Verdict;
use bowline_conformance::warehouse::{QUERY_LOGS_WORK, Report};
use bowline_driver::{Recording, Value};

use super::grant::Grant;
use super::postgres::READS_ALL_STATS;
use super::role::PREFIX;
use super::touched::{Listed, cell, listed};

/// What the catalogue may tell of a table.
const TOLD: [&str; 4] = ["row_count", "byte_count", "last_update_time", "view_query"];

/// The most that is told of one kind; the rest is counted.
const SHOWN: usize = 3;

/// What a run saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    verdicts: BTreeMap<String, Verdict>,
    /// What is told of each table.
    tables: BTreeMap<Listed, BTreeSet<&'static str>>,
    /// Whose queries the log tells.
    users: BTreeSet<String>,
    /// Why the log was not read, where it was asked in vain.
    unread_log: Option<String>,
}

impl Seen {
    /// What a run saw; tables that `is_ours` are left out, for they are there at times only.
    pub(super) fn by(
        report: &Report,
        recording: &Recording,
        is_ours: impl Fn(&str) -> bool,
    ) -> Self {
        let verdicts = report
            .checks
            .iter()
            .map(|found| (found.check.id.to_string(), found.outcome.verdict()));
        let mut seen = Self {
            verdicts: verdicts.collect(),
            ..Self::default()
        };
        for statement in &recording.statements {
            // Elsewhere the log is searched for single queries, as far as it takes to find them.
            let is_log = &*statement.work == QUERY_LOGS_WORK;
            let result = match statement.answer.as_ref().map(|answer| &answer.result) {
                Some(Ok(result)) => result,
                Some(Err(error)) if is_log => {
                    seen.unread_log.get_or_insert_with(|| error.message.clone());
                    continue;
                }
                _ => continue,
            };
            for (table, row) in listed(result).filter(|(table, _)| !is_ours(&table.name)) {
                let is_told = |column: &&str| {
                    cell(result, row, column).is_some_and(|value| {
                        !value.is_null() && *value != Value::Text(String::new())
                    })
                };
                let told = TOLD.into_iter().filter(is_told);
                seen.tables.entry(table).or_default().extend(told);
            }
            for row in &result.rows {
                // An account of ours is another each time.
                if let Some(Value::Text(user)) = cell(result, row, "user").filter(|_| is_log)
                    && !user.starts_with(PREFIX)
                {
                    seen.users.insert(user.clone());
                }
            }
        }
        seen
    }

    /// How many checks are supported.
    pub(super) fn supported(&self) -> usize {
        let is_supported = |verdict: &&Verdict| **verdict == Verdict::Supported;
        self.verdicts.values().filter(is_supported).count()
    }

    /// What this saw that the other did not, a line each.
    pub(super) fn lost_in(&self, other: &Self) -> Vec<String> {
        let mut lost = Vec::new();
        let mut unlisted = Vec::new();
        let mut untold: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (table, told) in &self.tables {
            let name = format!("`{}.{}`", table.schema, table.name);
            match other.tables.get(table) {
                None => unlisted.push(name),
                Some(now) => {
                    for column in told.difference(now) {
                        untold.entry(column).or_default().push(name.clone());
                    }
                }
            }
        }
        lost.extend(some("not listed", unlisted));
        for (column, tables) in untold {
            lost.extend(some(&format!("no {column}"), tables));
        }
        let mut by_verdict: BTreeMap<Verdict, Vec<String>> = BTreeMap::new();
        for (check, verdict) in &self.verdicts {
            // What was not asked is not lost.
            if let Some(now) = other.verdicts.get(check)
                && *verdict == Verdict::Supported
                && now != verdict
            {
                by_verdict
                    .entry(*now)
                    .or_default()
                    .push(format!("`{check}`"));
            }
        }
        // A run that fell short has read less of the log.
        if by_verdict.is_empty() {
            let silent = self.users.difference(&other.users);
            lost.extend(some(
                "no queries in the log of",
                silent.map(|user| format!("`{user}`")).collect(),
            ));
        }
        for (verdict, checks) in by_verdict {
            lost.extend(some(&format!("{}:", verdict.name()), checks));
        }
        lost
    }

    /// What is not known to be lost without some rights, since this saw nothing of what they are for.
    pub(super) fn left_open(&self, without: &[Grant]) -> Option<String> {
        let reads_the_log = without.iter().any(|grant| grant.right == READS_ALL_STATS);
        (reads_the_log && self.users.is_empty()).then(|| match &self.unread_log {
            None => "queries of others in the log, which told none".to_owned(),
            Some(why) => format!("queries of others in the log, which was not read: {why}"),
        })
    }
}

/// A line that names the first of some things, and counts the rest; none where there are none.
fn some(what: &str, mut things: Vec<String>) -> Option<String> {
    if things.is_empty() {
        return None;
    }
    let more = things.len().saturating_sub(SHOWN);
    things.truncate(SHOWN);
    let named = things.join(", ");
    Some(match more {
        0 => format!("{what} {named}"),
        more => format!("{what} {named} and {more} more"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::grant::Purpose;
    use super::*;

    fn seen(
        tables: &[(&str, &[&'static str])],
        checks: &[(&str, Verdict)],
        users: &[&str],
    ) -> Seen {
        let table = |name: &str| Listed {
            schema: "s".to_owned(),
            name: name.to_owned(),
        };
        Seen {
            verdicts: checks
                .iter()
                .map(|(id, found)| ((*id).to_owned(), *found))
                .collect(),
            tables: tables
                .iter()
                .map(|(name, told)| (table(name), told.iter().copied().collect()))
                .collect(),
            users: users.iter().map(|user| (*user).to_owned()).collect(),
            unread_log: None,
        }
    }

    #[test]
    fn what_is_lost_is_named_and_what_is_won_is_not() {
        let all = seen(
            &[("a", &["row_count"]), ("b", &["row_count"]), ("c", &[])],
            &[("m/one", Verdict::Supported), ("m/two", Verdict::Wrong)],
            &["app"],
        );
        let less = seen(
            &[("a", &[]), ("b", &["row_count", "byte_count"])],
            &[("m/one", Verdict::Unknown), ("m/two", Verdict::Unknown)],
            &["reader"],
        );
        assert_eq!(
            all.lost_in(&less),
            ["not listed `s.c`", "no row_count `s.a`", "unknown: `m/one`"]
        );
        let silent = seen(&[], &[("m/one", Verdict::Supported)], &["reader"]);
        let told = seen(&[], &[("m/one", Verdict::Supported)], &["app"]);
        assert_eq!(told.lost_in(&silent), ["no queries in the log of `app`"]);
        assert_eq!(all.lost_in(&all), Vec::<String>::new());
    }

    #[test]
    fn many_are_counted() {
        let things = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
        assert_eq!(some("no", things), Some("no a, b, c and 2 more".to_owned()));
    }

    #[test]
    fn a_log_that_told_nothing_spares_no_right_to_it() {
        let silent = seen(&[], &[], &[]);
        let rights =
            [READS_ALL_STATS, "SELECT ON s.a"].map(|right| [Grant::new(right, Purpose::Platform)]);
        assert!(silent.left_open(&rights[0]).is_some());
        assert_eq!(silent.left_open(&rights[1]), None);
        assert_eq!(seen(&[], &[], &["app"]).left_open(&rights[0]), None);
    }
}
