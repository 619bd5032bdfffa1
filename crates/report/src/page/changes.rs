//! What is different between two runs.

use std::collections::BTreeMap;

use crate::{Report, Verdict};

/// A check whose verdict is another than it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The check's name.
    pub check: String,
    /// Its verdict in the run before; none when it was not asked then.
    pub before: Option<Verdict>,
    /// Its verdict now; none when it was not asked.
    pub after: Option<Verdict>,
}

impl Change {
    /// What a reader of the first lines alone must not miss comes first.
    fn rank(&self) -> u8 {
        match (self.before, self.after) {
            (_, Some(Verdict::Wrong)) => 0,
            (Some(Verdict::Supported), _) => 1,
            _ => 2,
        }
    }
}

/// What changed between two runs: what needs somebody stands first, then what is supported no longer, then the rest; each in
/// the order of the checks now, and what is gone at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes(Vec<Change>);

impl Changes {
    /// Compares two reports; none when they are not about the same connector. Sections that one of them did not ask
    /// are left out.
    #[must_use]
    pub fn between(before: &Report, after: &Report) -> Option<Self> {
        let (name, sections, checks) = outline(after);
        let (earlier_name, earlier_sections, earlier) = outline(before);
        if name != earlier_name {
            return None;
        }
        let of_both = |section: &str| {
            let asked = |sections: &[String]| sections.iter().any(|asked| asked == section);
            asked(sections) && asked(earlier_sections)
        };
        let kept = |checks: Vec<(&str, &str, Verdict)>| -> Vec<(String, Verdict)> {
            let kept = checks
                .into_iter()
                .filter(|(_, section, _)| of_both(section));
            kept.map(|(id, _, verdict)| (id.to_owned(), verdict))
                .collect()
        };
        let mut left: BTreeMap<String, Verdict> = kept(earlier).into_iter().collect();
        let mut changes = Vec::new();
        for (check, verdict) in kept(checks) {
            let before = left.remove(&check);
            if before != Some(verdict) {
                changes.push(Change {
                    check,
                    before,
                    after: Some(verdict),
                });
            }
        }
        changes.extend(left.into_iter().map(|(check, verdict)| Change {
            check,
            before: Some(verdict),
            after: None,
        }));
        changes.sort_by_key(Change::rank);
        Some(Self(changes))
    }

    /// Whether every check has the verdict it had.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each change.
    pub fn iter(&self) -> impl Iterator<Item = &Change> {
        self.0.iter()
    }
}

/// A connector's name, the sections that were asked, and each check with its section and verdict.
type Outline<'a> = (&'a str, &'a [String], Vec<(&'a str, &'a str, Verdict)>);

fn outline(report: &Report) -> Outline<'_> {
    match report {
        Report::Warehouse(report) => {
            let checks = report.checks.iter();
            let checks =
                checks.map(|check| (check.id.as_str(), check.section.as_str(), check.verdict));
            (&report.connector, &report.sections, checks.collect())
        }
        Report::Pipeline(report) => {
            let checks = report.checks.iter();
            let checks =
                checks.map(|check| (check.id.as_str(), check.section.as_str(), check.verdict));
            (&report.connector, &report.sections, checks.collect())
        }
    }
}
