//! Reading sources: their pages, the requests for each record of another source, and finding records again.

mod behind;
mod complaint;
mod effort;
mod failures;
mod lookup;
mod mark;
mod nested;
mod page;
mod past_ends;
mod progress;
mod walk;
mod window;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bowline_template::{Kind, Scope, Value};

use crate::description::{Drivers, Failing, GRANDPARENT, Origin, Source};
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::{Expression, to_json};
use crate::failed::Part;
use crate::http::{Client, Turn};

pub(crate) use failures::place_of;
pub(crate) use lookup::LoadedSource;
pub(crate) use mark::{Mark, contents};

use failures::Failures;
use nested::{PARENT, nested};

/// A record, and the record that it was asked for or found in.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) record: Value,
    pub(crate) parent: Value,
    /// What the parent was asked for, or found in.
    pub(crate) grandparent: Value,
}

impl Row {
    /// A row of a record that nothing led to.
    pub(crate) fn of(record: Value) -> Self {
        Self {
            record,
            parent: Value::NONE,
            grandparent: Value::NONE,
        }
    }

    /// What expressions over it see besides.
    pub(crate) fn scope(&self, around: &Scope) -> Scope {
        around.with([
            ("record", self.record.clone()),
            (PARENT, self.parent.clone()),
            (GRANDPARENT, self.grandparent.clone()),
        ])
    }

    /// What a request for it sees besides, and what is found by that.
    fn as_parent(&self, around: &Scope) -> Scope {
        around.with([
            (PARENT, nested(&self.record, &self.parent)),
            (GRANDPARENT, self.parent.clone()),
        ])
    }
}

/// What becomes of a record that comes again and has changed meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changes {
    /// It comes again.
    Followed,
    /// What came first counts.
    Ignored,
}

/// What reads sources.
pub(crate) struct SourceReader<'c> {
    client: &'c Client,
    /// The most records to ask a page for, when fewer than the description says.
    page_size: Option<NonZeroUsize>,
    changes: Changes,
    /// Before whom its requests go.
    turn: Turn,
    /// Whether nothing more is wanted.
    is_over: Arc<AtomicBool>,
    /// Whether another one sums up what failed.
    is_part: bool,
    /// Oddities that are no errors, and how often each was met.
    notes: Mutex<Vec<(String, usize)>>,
    /// Those of them by which something may be missing.
    incomplete: Mutex<Vec<String>>,
    /// What failed for some records.
    failures: Mutex<Failures>,
    /// Whether somebody wants to know what expressions come to.
    is_watched: AtomicBool,
    /// What they came to.
    trail: Mutex<Vec<Evaluation>>,
}

/// An expression that was evaluated, and what it came to.
pub(crate) struct Evaluation {
    pub(crate) expression: Expression,
    pub(crate) value: Value,
}

/// The sources that were read, by name.
pub(crate) type Sources = BTreeMap<String, Arc<LoadedSource>>;

impl<'c> SourceReader<'c> {
    pub(crate) fn new(client: &'c Client, page_size: Option<NonZeroUsize>) -> Self {
        Self {
            client,
            page_size,
            changes: Changes::Ignored,
            turn: Turn::default(),
            is_over: Arc::default(),
            is_part: false,
            notes: Mutex::default(),
            incomplete: Mutex::default(),
            failures: Mutex::default(),
            is_watched: AtomicBool::new(false),
            trail: Mutex::new(Vec::new()),
        }
    }

    /// The same, for records that come again when they have changed.
    pub(crate) fn following_changes(mut self) -> Self {
        self.changes = Changes::Followed;
        self
    }

    /// The same, for a part of what another one reads: its requests let those of earlier turns go first, it asks nothing
    /// more once the reading `is_over`, and whether something fails for all is for the other to say.
    pub(crate) fn of_part(mut self, turn: Turn, is_over: &Arc<AtomicBool>) -> Self {
        self.turn = turn;
        self.is_over = Arc::clone(is_over);
        self.is_part = true;
        self
    }

    /// Does something, and gives what the expressions that it evaluated came to.
    pub(crate) fn watching<T>(&self, work: impl FnOnce() -> T) -> (T, Vec<Evaluation>) {
        self.is_watched.store(true, Ordering::Relaxed);
        let result = work();
        self.is_watched.store(false, Ordering::Relaxed);
        let mut trail = self.trail.lock().unwrap_or_else(PoisonError::into_inner);
        (result, std::mem::take(&mut *trail))
    }

    pub(crate) fn note(&self, note: String) {
        self.note_times(note, 1);
    }

    /// Notes why something may be missing.
    fn note_incomplete(&self, note: String) {
        self.incomplete().push(note.clone());
        self.note(note);
    }

    fn incomplete(&self) -> MutexGuard<'_, Vec<String>> {
        self.incomplete
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn note_times(&self, note: String, times: usize) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        match notes.iter_mut().find(|(known, _)| *known == note) {
            Some((_, count)) => *count += times,
            None => notes.push((note, times)),
        }
    }

    /// An expression's value; errors show the record that it was evaluated over.
    pub(crate) fn evaluate(
        &self,
        expression: &Expression,
        scope: &Scope,
        record: &Value,
    ) -> Result<Value, SourceError> {
        let value = expression.evaluate(scope).map_err(|problem| {
            self.client
                .expression_error(expression, &problem, &to_json(record))
        })?;
        if self.is_watched.load(Ordering::Relaxed) {
            let mut trail = self.trail.lock().unwrap_or_else(PoisonError::into_inner);
            trail.push(Evaluation {
                expression: expression.clone(),
                value: value.clone(),
            });
        }
        Ok(value)
    }

    /// Whether a condition holds for a row; one that is not given does.
    pub(crate) fn holds(
        &self,
        condition: Option<&Expression>,
        scope: &Scope,
        record: &Value,
    ) -> Result<bool, SourceError> {
        match condition {
            None => Ok(true),
            Some(condition) => Ok(self.evaluate(condition, scope, record)?.is_true()),
        }
    }

    /// Reads a whole source into memory. `scope` sees the sources that its expressions need.
    pub(crate) fn load(
        &self,
        source: &Source,
        scope: &Scope,
        drivers: &[Row],
    ) -> Result<LoadedSource, SourceError> {
        let rows = match &source.origin {
            Origin::Once => self.all_pages(source, scope, &Value::NONE)?,
            Origin::Each { when, .. } => {
                let drivers = self.drivers(source, drivers, when.as_ref(), scope)?;
                self.side_by_side(&drivers, |driver| {
                    self.all_pages(source, &driver.as_parent(scope), &driver.record)
                })?
            }
            Origin::Batch { when, size, .. } => {
                let drivers = self.drivers(source, drivers, when.as_ref(), scope)?;
                let batches: Vec<Value> = drivers
                    .chunks(*size)
                    .map(|batch| {
                        let records = batch.iter().map(|row| nested(&row.record, &row.parent));
                        Value::list(records.collect())
                    })
                    .collect();
                self.side_by_side(&batches, |batch| {
                    let scope = scope.with([("batch", batch.clone())]);
                    self.all_pages(source, &scope, batch)
                })?
            }
        };
        self.indexed(source, scope, rows)
    }

    fn drivers(
        &self,
        source: &Source,
        rows: &[Row],
        when: Option<&Expression>,
        scope: &Scope,
    ) -> Result<Vec<Row>, SourceError> {
        let mut drivers = Vec::new();
        let listed;
        let rows = match source.origin.drivers() {
            Some(Drivers::List(list)) => {
                listed = self.listed(list, scope)?;
                &listed
            }
            _ => rows,
        };
        for row in rows {
            let holds = self.holds(when, &row.as_parent(scope), &row.record);
            let place = &source.origin;
            if self.one_of_many(place, Part::Record, &row.record, holds)? == Some(true) {
                drivers.push(row.clone());
            }
        }
        Ok(drivers)
    }

    /// The items of a list that an expression gives, as rows.
    fn listed(&self, list: &Expression, scope: &Scope) -> Result<Vec<Row>, SourceError> {
        let value = self.evaluate(list, scope, &Value::NONE)?;
        let items = match value.kind() {
            Kind::Sequence => value.items().unwrap_or_default(),
            Kind::None => Vec::new(),
            _ => vec![value],
        };
        Ok(items.into_iter().map(Row::of).collect())
    }

    /// The rows of every page. Where the description says so, a list that fails is left out from there on.
    fn all_pages(
        &self,
        source: &Source,
        scope: &Scope,
        asked_for: &Value,
    ) -> Result<Vec<Row>, SourceError> {
        let mut all = Vec::new();
        let walked = self.walk(source, scope, &mut |rows| {
            all.extend(rows);
            Ok(())
        });
        match walked {
            Err(error)
                if source.failing == Failing::LeaveOut
                    && error.kind != SourceErrorKind::Cancelled =>
            {
                self.excuse(source, asked_for, &error);
            }
            walked => walked?,
        }
        Ok(all)
    }

    /// Does something for each item, as many at a time as requests may be under way; the rows keep the items' order.
    /// The first failure stops the rest.
    fn side_by_side<T: Sync>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> Result<Vec<Row>, SourceError> + Sync,
    ) -> Result<Vec<Row>, SourceError> {
        let next = AtomicUsize::new(0);
        let results: Mutex<BTreeMap<usize, Result<Vec<Row>, SourceError>>> = Mutex::default();
        std::thread::scope(|threads| {
            for _ in 0..self.client.in_flight().min(items.len()) {
                threads.spawn(|| {
                    loop {
                        if self.is_over.load(Ordering::Relaxed) {
                            return;
                        }
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(item) = items.get(index) else {
                            return;
                        };
                        let result = work(item);
                        if result.is_err() {
                            next.store(items.len(), Ordering::Relaxed);
                        }
                        let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                        results.insert(index, result);
                    }
                });
            }
        });
        let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut rows = Vec::new();
        for result in results.into_values() {
            rows.extend(result?);
        }
        Ok(rows)
    }
}
