//! Rows are inserted into the one table while the other stays as it is: counts, sizes and times must tell so.

use std::cell::Cell;
use std::time::Duration;

use bigdecimal::{BigDecimal, Zero};
use bowline_template::TemplateValue;
use jiff::{SignedDuration, Timestamp};

use super::counts::{
    KEPT_ROWS, ROW_BYTES, ROWS, absent, are_bytes, are_near, are_timed, is_after, number, stays,
    text_length,
};
use super::table::{Rows, TestTable, TestTables};
use crate::Tier;
use crate::warehouse::accuracy::Told;
use crate::warehouse::ahead::{Ahead, Renders};
use crate::warehouse::answers::{Asking, Halt};
use crate::warehouse::chain::{Chain, Seen, Spec};
use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::metadata::Table;
use crate::warehouse::outcome::{Doubt, Outcome};

/// So many rows take a page more than a few.
const MORE_ROWS: i64 = 1_000;
const MANY_ROWS: i64 = 10_000;
/// The most bytes that a row takes: so many times its values' texts, and so many around them.
const SPREAD: i64 = 4;
const AROUND: i64 = 64;
/// What a table may have set aside: where it has more, it is filled until the rows must outweigh that.
const SET_ASIDE: i64 = 64 << 10;
const SET_ASIDE_BY_MANY: i64 = 1 << 20;
/// The next change is a second later, where times have no fractions.
const A_SECOND: Duration = Duration::from_millis(1_100);

/// How many rows the table that stays has, once they are inserted.
pub(super) fn kept_rows(chain: &Chain<'_>) -> Option<i64> {
    let inserted = chain.finding(&INSERTED);
    inserted
        .filter(|found| found.outcome == Outcome::Supported)
        .map(|_| KEPT_ROWS)
}

pub(super) const INSERTED: Spec = Spec::new(
    "inserted",
    "as many rows are inserted as asked for",
    &["insert_rows"],
    &[],
);
pub(crate) const ROWS_GROW: Spec = Spec::new(
    "row_count_grows",
    "inserted rows are counted",
    &["get_tables_query"],
    &[],
);
pub(super) const ROWS_COUNTED: Spec = Spec::new(
    "row_count_near",
    "the row counts are near the numbers of rows there are",
    &["get_tables_query"],
    &[],
)
.strict();
pub(crate) const BYTES_GROW: Spec = Spec::new(
    "byte_count_grows",
    "inserted rows make the table larger",
    &["get_tables_query"],
    &[],
);
pub(super) const BYTES_COUNTED: Spec = Spec::new(
    "byte_count_near",
    "the sizes are bytes, and those of each table alone",
    &["get_tables_query"],
    &[],
)
.strict();
pub(crate) const UPDATE_ADVANCES: Spec = Spec::new(
    "last_update_advances",
    "inserting moves the time of the last update",
    &["get_tables_query"],
    &[],
);
pub(super) const UPDATE_TIMED: Spec = Spec::new(
    "last_update_timed",
    "the time of the last update is when the table changed, and another table's stays",
    &["get_tables_query"],
    &[],
)
.strict();

/// The checks that need inserted rows.
const AFTER_INSERTION: [&Spec; 6] = [
    &ROWS_GROW,
    &ROWS_COUNTED,
    &BYTES_GROW,
    &BYTES_COUNTED,
    &UPDATE_ADVANCES,
    &UPDATE_TIMED,
];

/// A run's tables, and how it looks at them.
pub(super) struct Growth<'t> {
    pub(super) tables: &'t TestTables,
    /// The rows of the empty tables.
    pub(super) empty: &'t Rows,
    pub(super) can_select: bool,
    pub(super) tier: Tier,
    pub(super) patience: Duration,
    /// How far the server's clock is ahead of ours, where it was asked.
    pub(super) skew: Option<SignedDuration>,
    /// What is asked when all was watched.
    pub(super) next: Option<String>,
}

impl Growth<'_> {
    /// Inserts rows, and watches what the catalogue says of both tables.
    pub(super) fn watch(&self, chain: &mut Chain<'_>) {
        let Some(size) = self.insert_first(chain) else {
            for spec in AFTER_INSERTION {
                if spec.is_asked(self.tier) {
                    chain.not_reached(spec, &INSERTED);
                }
            }
            return;
        };
        // What tells nothing of a table without rows may tell how many there are.
        let looked = is_uncounted(self.empty).then(|| self.look(chain));
        let filled = match looked {
            Some(looked) if looked.as_ref().is_none_or(is_uncounted) => {
                for spec in [&ROWS_GROW, &ROWS_COUNTED] {
                    if spec.is_asked(self.tier) {
                        chain.check_known(spec, Err(absent("row_count")));
                    }
                }
                looked
            }
            _ => self.count_rows(chain).or_else(|| self.look(chain)),
        };
        let is_seen = filled.is_some();
        if let Some(Rows { changed, kept, .. }) = &filled {
            let told = [(ROWS, changed), (KEPT_ROWS, kept)];
            let told = told.map(|(rows, row)| Told::of(rows, row.row_count.as_ref()));
            chain.accuracy.row_counts.extend(told.into_iter().flatten());
            let size = i64::try_from(size).unwrap_or(i64::MAX);
            let size = Told::of(size, changed.byte_count.as_ref());
            chain.accuracy.byte_counts.extend(size);
        }
        let filled = filled.unwrap_or_else(|| self.empty.clone());
        let (rows, changed) = self.insert_more(chain, &filled);
        let latest = self.weigh_bytes(chain, size, rows, &filled);
        // Where a size was slow to show, more rows came.
        let changed = changed.map(|[from, _]| [from, chain.last_change()]);
        self.time(chain, (&filled, is_seen), latest, changed);
    }

    /// What is told of both tables just now.
    fn look(&self, chain: &mut Chain<'_>) -> Option<Rows> {
        let look = |asking: &mut Asking<'_>| {
            self.tables.ask_rows(asking, &self.tables.listed())?;
            Ok(self.tables.read(asking.answers()))
        };
        match chain.aside(look)?.0 {
            Ok(Seen::AsExpected(rows)) => Some(rows),
            _ => None,
        }
    }

    fn rows(&self, asking: &mut Asking<'_>, table: &TestTable, rows: i64) -> Result<(), Halt> {
        asking
            .query("insert_rows", rows_variables(table, rows))
            .map(drop)
    }

    /// What the catalogue says of the tables comes next.
    fn look_next(&self, ahead: &mut Ahead) {
        let variables = self.tables.row_variables(&self.tables.listed());
        ahead.query("get_tables_query", variables);
    }

    /// Inserts a few rows into each table and reads them again; gives the length of their values as text.
    fn insert_first(&self, chain: &mut Chain<'_>) -> Option<usize> {
        let TestTables { changed, kept, .. } = self.tables;
        let can_select = self.can_select;
        chain.check(
            &INSERTED,
            |asking| {
                asking.announce(|ahead| {
                    for (table, rows) in [(changed, ROWS), (kept, KEPT_ROWS)] {
                        ahead.query("insert_rows", rows_variables(table, rows));
                    }
                    for table in [changed, kept].into_iter().filter(|_| can_select) {
                        ahead.then(|ahead| all_rows(table, ahead));
                    }
                    self.look_next(ahead);
                });
                self.rows(asking, changed, ROWS)?;
                self.rows(asking, kept, KEPT_ROWS)?;
                asking.keep();
                if can_select {
                    for table in [changed, kept] {
                        let sql = all_rows(table, asking)?;
                        asking.run(None, &sql)?;
                    }
                }
                Ok(())
            },
            |answers| {
                let mut results = answers.results();
                let wanted = [ROWS, KEPT_ROWS];
                let mut size = None;
                for (rows, result) in wanted.into_iter().zip(&mut results) {
                    size = size.or(Some(text_length(result)));
                    if i64::try_from(result.rows.len()) != Ok(rows) {
                        return Err(wrong(
                            format!("{rows} rows in the new table"),
                            format!("{} rows", result.rows.len()),
                        ));
                    }
                    let filled = |place: usize| {
                        let values = result.rows.iter().filter_map(|row| row.get(place));
                        values.filter(|value| !value.is_null()).count()
                    };
                    let alone =
                        (0..result.columns.len()).find(|place| rows == ROWS && filled(*place) == 1);
                    if let Some(place) = alone {
                        let column = &result.columns[place].name;
                        return Err(wrong(
                            format!("{rows} rows with values in the new table"),
                            format!("one alone with any in the column `{column}`"),
                        ));
                    }
                }
                Ok(size.unwrap_or_default())
            },
        )
    }

    /// Watches the row counts; gives the rows in which they are told.
    fn count_rows(&self, chain: &mut Chain<'_>) -> Option<Rows> {
        let before = |row: &Table| row.row_count.clone().unwrap_or_default();
        let Rows { changed, kept, .. } = self.empty;
        let wanted = [before(changed) + ROWS, before(kept) + KEPT_ROWS];
        let rows = self.tables.watch(
            chain,
            (&ROWS_GROW, self.patience),
            |asking| self.refresh(asking),
            |rows| {
                for (row, wanted) in [&rows.changed, &rows.kept].into_iter().zip(&wanted) {
                    if row.row_count.as_ref().is_none_or(|count| count < wanted) {
                        return Ok(Seen::Otherwise {
                            expected: format!("a row_count of {wanted} or more for `{}`", row.name),
                            got: number(row.row_count.as_ref()),
                        });
                    }
                }
                Ok(Seen::AsExpected(()))
            },
        );
        if self.tier == Tier::Strict {
            let step = chain.last_step(&ROWS_GROW);
            match &rows {
                Some(rows) => {
                    chain.check(
                        &ROWS_COUNTED,
                        |asking| {
                            asking.recall(step);
                            Ok(())
                        },
                        |_| are_near(self.empty, rows),
                    );
                }
                None => chain.not_reached(&ROWS_COUNTED, &ROWS_GROW),
            }
        }
        rows
    }

    /// Makes the database count again, where one of the two usual statements does so.
    fn refresh(&self, asking: &mut Asking<'_>) -> Result<(), Halt> {
        for words in ["ANALYZE TABLE", "ANALYZE"] {
            let mut is_done = true;
            for table in [&self.tables.changed, &self.tables.kept] {
                let Ok(name) = table.identifier(asking) else {
                    return Ok(());
                };
                let refreshed = asking.try_run(None, &format!("{words} {name}"))?;
                is_done &= refreshed.is_ok();
                if refreshed.is_ok() {
                    asking.forget();
                }
            }
            if is_done {
                asking.counted_anew();
                return Ok(());
            }
        }
        Ok(())
    }

    /// Changes the one table again, where something is told that this must move. Gives how many rows it has, and from
    /// when to when it was changed.
    fn insert_more(&self, chain: &mut Chain<'_>, filled: &Rows) -> (i64, Option<[Timestamp; 2]>) {
        let told = &filled.changed;
        let updated = told.updated();
        let watched = [
            self.empty.changed.byte_count.is_some() || told.byte_count.is_some(),
            updated.is_some(),
        ];
        if told.byte_count.is_none() && updated.is_none() {
            return (ROWS, None);
        }
        let is_coarse = |at: Timestamp| at.subsec_nanosecond() == 0;
        let is_coarse = updated.is_some_and(is_coarse);
        let inserted = chain.aside(|asking| {
            if is_coarse {
                asking.pause(A_SECOND);
            }
            asking.announce(|ahead| {
                ahead.query(
                    "insert_rows",
                    rows_variables(&self.tables.changed, MORE_ROWS),
                );
                for _ in watched.iter().filter(|is_watched| **is_watched) {
                    self.look_next(ahead);
                }
                if let (Some(next), [_, true]) = (&self.next, watched) {
                    ahead.then(|_| Ok(next.clone()));
                }
            });
            self.rows(asking, &self.tables.changed, MORE_ROWS)
        });
        match inserted {
            Some(((), span)) => (ROWS + MORE_ROWS, Some(span)),
            None => (ROWS, None),
        }
    }

    /// Watches the sizes; gives the rows as they were seen last.
    fn weigh_bytes(
        &self,
        chain: &mut Chain<'_>,
        size: usize,
        rows: i64,
        filled: &Rows,
    ) -> Option<Rows> {
        let told = filled.changed.byte_count.as_ref();
        let before = self.empty.changed.byte_count.clone();
        let Some(before) = before.or_else(|| told.map(|_| BigDecimal::zero())) else {
            for spec in [&BYTES_GROW, &BYTES_COUNTED] {
                if spec.is_asked(self.tier) {
                    chain.check_known(spec, Err(absent("byte_count")));
                }
            }
            return None;
        };
        let inserted = Cell::new(rows);
        let set_aside = BigDecimal::from(SET_ASIDE);
        let seen = self.tables.watch(
            chain,
            (&BYTES_GROW, self.patience),
            |asking| {
                self.rows(asking, &self.tables.changed, MANY_ROWS)?;
                asking.forget();
                inserted.set(rows + MANY_ROWS);
                self.refresh(asking)
            },
            |told| {
                // What an engine sets aside for any table that has rows says nothing of how many there are.
                let bytes = |row: &Table| row.byte_count.clone().filter(|_| inserted.get() > rows);
                if self.empty.changed.byte_count.is_none()
                    && bytes(&told.changed).is_some_and(|told| told > set_aside)
                    && bytes(&told.changed) == bytes(&told.kept)
                {
                    return Err(absent("byte_count that tells of rows"));
                }
                // What all tables share, such as the size of the database, is no larger for the one with more rows.
                let kept = told
                    .kept
                    .byte_count
                    .as_ref()
                    .filter(|_| self.tier == Tier::Strict);
                let more = BigDecimal::from(ROW_BYTES * inserted.get());
                let least = kept.map_or(before.clone(), |kept| (kept + more).max(before.clone()));
                // Rows take room in every table, though it may be told late.
                if kept.is_some_and(BigDecimal::is_zero) {
                    return Ok(Seen::Otherwise {
                        expected: format!(
                            "a byte_count above 0 for {KEPT_ROWS} rows in `{}`",
                            told.kept.name
                        ),
                        got: number(kept),
                    });
                }
                Ok(match &told.changed.byte_count {
                    Some(bytes) if *bytes > least => Seen::AsExpected(()),
                    bytes => Seen::Otherwise {
                        expected: format!("a byte_count above {least}"),
                        got: number(bytes.as_ref()),
                    },
                })
            },
        );
        if let Some(Rows { changed, .. }) = &seen {
            let told = Told::of(inserted.get(), changed.row_count.as_ref());
            chain.accuracy.row_counts.extend(told);
        }
        if self.tier == Tier::Strict {
            let step = chain.last_step(&BYTES_GROW);
            match &seen {
                Some(seen) => {
                    let rows = inserted.get();
                    let row_text = i64::try_from(size).unwrap_or(i64::MAX) / ROWS;
                    let most = |rows: i64, set_aside: i64| {
                        BigDecimal::from(rows * (row_text * SPREAD + AROUND) + set_aside)
                    };
                    let told = |rows: &Rows| rows.changed.byte_count.clone().unwrap_or_default();
                    let is_heavy = told(seen) > &before + most(rows, SET_ASIDE);
                    let grown = Cell::new(BigDecimal::zero());
                    chain.check(
                        &BYTES_COUNTED,
                        |asking| {
                            asking.recall(step);
                            if is_heavy {
                                self.rows(asking, &self.tables.changed, MANY_ROWS)?;
                                asking.forget();
                                self.refresh(asking)?;
                                self.tables.ask_rows(asking, &self.tables.listed())?;
                                if let Ok(Seen::AsExpected(now)) = self.tables.read(asking.answers()) {
                                    grown.set(told(&now) - told(seen));
                                }
                            }
                            Ok(())
                        },
                        |_| {
                            are_bytes(seen, size, rows)?;
                            let (grown, most) = (grown.take(), most(MANY_ROWS, SET_ASIDE_BY_MANY));
                            if grown > most {
                                let words = format!("{most} bytes more at most for {MANY_ROWS} rows more: bytes, not bits");
                                return Err(wrong(words, grown.to_string()));
                            }
                            Ok(())
                        },
                    );
                }
                None => chain.not_reached(&BYTES_COUNTED, &BYTES_GROW),
            }
        }
        seen
    }

    /// Judges the times: `filled` is what was told before the last change, and whether that was seen.
    fn time(
        &self,
        chain: &mut Chain<'_>,
        (filled, is_seen): (&Rows, bool),
        latest: Option<Rows>,
        changed: Option<[Timestamp; 2]>,
    ) {
        let told = |rows: &Rows| rows.changed.updated();
        let before = told(filled);
        let Some(before) = before else {
            // Some databases have no time until something has changed, and tell it late.
            let late = latest.as_ref().and_then(told).or(told(self.empty));
            let doubt = Self::unseen(chain, is_seen);
            let told = || match (late, &doubt) {
                (Some(_), _) => Ok(()),
                (None, Some(doubt)) => Err(Outcome::Unknown(doubt.clone())),
                (None, None) => Err(absent("last_update_time")),
            };
            chain.check_known(&UPDATE_ADVANCES, told());
            if self.tier == Tier::Strict {
                // What tells its times late may only now tell of what was before.
                let is_prompt = late.is_none() && is_seen;
                self.time_staying(chain, (filled, is_prompt), told());
            }
            return;
        };
        let Some(changed) = changed else {
            let doubt = if chain.session.was_interrupted() {
                Doubt::Interrupted
            } else {
                Doubt::NotReached("inserting more rows did not succeed".to_owned())
            };
            for spec in [&UPDATE_ADVANCES, &UPDATE_TIMED] {
                if spec.is_asked(self.tier) {
                    chain.check_known(spec, Err(Outcome::Unknown(doubt.clone())));
                }
            }
            return;
        };
        let rows = self.tables.watch(
            chain,
            (&UPDATE_ADVANCES, self.patience),
            |_| Ok(()),
            |rows| match told(rows) {
                None => Err(absent("last_update_time")),
                Some(now) if now > before => Ok(Seen::AsExpected(())),
                Some(now) => Ok(Seen::Otherwise {
                    expected: format!("a last_update_time after {before}"),
                    got: now.to_string(),
                }),
            },
        );
        if self.tier != Tier::Strict {
            return;
        }
        let step = chain.last_step(&UPDATE_ADVANCES);
        let created = chain.first_asked(&super::making::CREATED);
        let skew = self.skew.unwrap_or_default();
        match (rows, created) {
            (Some(rows), Some(created)) => {
                chain.check(
                    &UPDATE_TIMED,
                    |asking| {
                        asking.recall(step);
                        Ok(())
                    },
                    |_| {
                        are_timed(
                            filled,
                            &rows,
                            [created, changed[0], changed[1]].map(|at| at + skew),
                        )
                    },
                );
            }
            _ => chain.not_reached(&UPDATE_TIMED, &UPDATE_ADVANCES),
        }
    }

    /// Why it is open what the catalogue tells of the tables by now: somebody was to look, and had no answer.
    fn unseen(chain: &Chain<'_>, is_seen: bool) -> Option<Doubt> {
        let unanswered = |spec| chain.finding(spec)?.outcome.unanswered().cloned();
        [&ROWS_GROW, &BYTES_GROW]
            .into_iter()
            .find_map(unanswered)
            .or_else(|| {
                let words = "the tables could not be looked at again";
                (!is_seen).then(|| Doubt::NotReached(words.to_owned()))
            })
    }

    /// Judges the times of what stays, where the table that changes has none; `judged` where there is nothing wrong with it.
    fn time_staying(
        &self,
        chain: &mut Chain<'_>,
        (filled, is_prompt): (&Rows, bool),
        judged: Judged<()>,
    ) {
        let made = chain.first_asked(&super::making::CREATED);
        let made = made.map(|at| at + self.skew.unwrap_or_default());
        let told = |rows: &Rows| -> Vec<Table> {
            let kept = is_prompt.then(|| rows.kept.clone());
            let staying = [kept, rows.view.clone()].into_iter().flatten();
            staying.filter(|row| row.updated().is_some()).collect()
        };
        let before = told(filled);
        let Some(made) = made.filter(|_| !before.is_empty()) else {
            chain.check_known(&UPDATE_TIMED, judged);
            return;
        };
        chain.check(
            &UPDATE_TIMED,
            |asking| {
                self.tables
                    .ask_rows(asking, &self.tables.listed())
                    .map(drop)
            },
            |answers| {
                if let Seen::AsExpected(rows) = self.tables.read(answers)? {
                    for now in told(&rows) {
                        is_after(&now, made)?;
                        let before = before.iter().find(|before| before.name == now.name);
                        before.map_or(Ok(()), |before| stays(before, &now))?;
                    }
                }
                judged
            },
        );
    }
}

/// What asks for so many rows more in a table.
pub(super) fn rows_variables(table: &TestTable, rows: i64) -> Vec<(&'static str, TemplateValue)> {
    let mut variables = table.variables();
    variables.push(("num_rows", TemplateValue::Integer(rows)));
    variables
}

/// Not the condition of a lineage query, whatever its constants: a log may count the two as one.
fn all_rows(table: &TestTable, with: &impl Renders) -> Result<String, Halt> {
    Ok(format!(
        "SELECT * FROM {} WHERE 1 < 2",
        table.identifier(with)?
    ))
}

fn is_uncounted(rows: &Rows) -> bool {
    rows.changed.row_count.is_none() || rows.kept.row_count.is_none()
}
