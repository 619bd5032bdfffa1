//! What fails for one record of many is kept, and the reading goes on; what fails for all of them ends it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use bowline_template::{Kind, Value};
use serde_json::Value as Json;

use super::SourceReader;
use crate::description::Source;
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::to_json;
use crate::failed::{FailedPart, Part};
use crate::pipeline::Summary;

/// How many records may fail while none has succeeded: so many do not fail by themselves.
const PATIENCE: usize = 100;
/// How many failed parts are kept; more are a failure of the whole.
const MOST_KEPT: usize = 10_000;

/// What the same expressions came to over many records, by the place that they stand in.
#[derive(Debug, Default)]
pub(super) struct Failures {
    places: BTreeMap<usize, Tally>,
    /// Those that were let pass whatever else failed, with the place of their source.
    excused: Vec<(usize, FailedPart)>,
}

#[derive(Debug, Default)]
struct Tally {
    succeeded: usize,
    failed: Vec<FailedPart>,
    /// How many of them it was said of whose they are.
    named: usize,
}

impl Tally {
    /// The last failure, where so many say that it is no matter of single records.
    fn of_too_many(&self) -> Option<&SourceError> {
        let failed = self.failed.len();
        let is_whole = failed >= PATIENCE && self.succeeded == 0;
        let last = self
            .failed
            .last()
            .filter(|_| is_whole || failed > MOST_KEPT);
        last.map(|last| &last.error)
    }

    /// The failure of all, if it is one.
    fn of_all(&self) -> Option<&SourceError> {
        let first = self.failed.first()?;
        (self.succeeded == 0).then_some(&first.error)
    }
}

/// What tells a source, a mapping or a list of the description from every other.
pub(crate) fn place_of<P>(place: &P) -> usize {
    std::ptr::from_ref(place).addr()
}

impl SourceReader<'_> {
    /// Goes on without what failed over a record: gives nothing for it. `place` is the source, mapping or list whose
    /// records are alike.
    pub(crate) fn one_of_many<P, T>(
        &self,
        place: &P,
        part: Part,
        record: &Value,
        result: Result<T, SourceError>,
    ) -> Result<Option<T>, SourceError> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = failures.places.entry(place_of(place)).or_default();
        match result {
            Ok(value) => {
                tally.succeeded += 1;
                Ok(Some(value))
            }
            Err(error) if error.kind == SourceErrorKind::Expression => {
                tally.failed.push(self.failed_part(part, record, error));
                match tally.of_too_many().filter(|_| !self.is_part) {
                    Some(error) => Err(error.clone()),
                    None => Ok(None),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps that a list of a source failed which may: for a record, or for each of a batch.
    pub(super) fn excuse(&self, source: &Source, asked_for: &Value, error: &SourceError) {
        let place = place_of(source);
        let records = match asked_for.kind() {
            Kind::Sequence => asked_for.items().unwrap_or_default(),
            _ => vec![asked_for.clone()],
        };
        let failed = records
            .iter()
            .map(|record| (place, self.failed_part(Part::List, record, error.clone())));
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.excused.extend(failed);
    }

    /// Says whose the parts of a kind are that failed since the last time.
    pub(crate) fn name_failed(&self, part: Part, id: Option<&str>) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let unnamed = failures.places.values_mut().flat_map(|tally| {
            let fresh = std::mem::replace(&mut tally.named, tally.failed.len());
            &mut tally.failed[fresh..]
        });
        for failed in unnamed.filter(|failed| failed.part == part) {
            failed.run_source_id = id.map(str::to_owned);
        }
    }

    /// Says whose the lists of these sources are that failed, by the record that they were asked for.
    pub(crate) fn name_lists(
        &self,
        sources: &BTreeSet<usize>,
        name: impl Fn(&Json) -> Option<String>,
    ) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for (source, failed) in &mut failures.excused {
            if failed.run_source_id.is_none() && sources.contains(source) {
                failed.run_source_id = name(&failed.record);
            }
        }
    }

    fn failed_part(&self, part: Part, record: &Value, error: SourceError) -> FailedPart {
        FailedPart {
            part,
            record: self.client.masked_json(to_json(record)),
            run_source_id: None,
            error,
        }
    }

    /// Takes over what another reader found out.
    ///
    /// # Errors
    /// The last failure, when so many failed that it is no matter of single records.
    pub(crate) fn absorb(&self, other: Self) -> Result<(), SourceError> {
        self.incomplete().append(&mut other.incomplete());
        let notes = other.notes.into_inner();
        for (note, count) in notes.unwrap_or_else(PoisonError::into_inner) {
            self.note_times(note, count);
        }
        let theirs = other.failures.into_inner();
        let theirs = theirs.unwrap_or_else(PoisonError::into_inner);
        let mut ours = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        ours.excused.extend(theirs.excused);
        for (place, tally) in theirs.places {
            let mine = ours.places.entry(place).or_default();
            mine.succeeded += tally.succeeded;
            mine.failed.extend(tally.failed);
            if let Some(error) = mine.of_too_many() {
                return Err(error.clone());
            }
        }
        Ok(())
    }

    /// Adds the oddities and what failed; gives the first failure where nothing of its kind succeeded.
    pub(crate) fn finish(self, summary: &mut Summary) -> Result<(), SourceError> {
        summary.incomplete.append(&mut self.incomplete());
        let failures = self.failures.into_inner();
        let failures = failures.unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = failures.places.values().find_map(Tally::of_all) {
            return Err(error.clone());
        }
        let excused = failures.excused.into_iter().map(|(_, failed)| failed);
        let kept = failures.places.into_values().flat_map(|tally| tally.failed);
        summary.failed = excused.chain(kept).collect();
        let notes = self.notes.into_inner();
        let notes = notes.unwrap_or_else(PoisonError::into_inner).into_iter();
        let notes = notes.map(|(note, count)| match count {
            1 => note,
            count => format!("{note} ({count} times)"),
        });
        summary.notes = notes.chain(self.client.oddities()).collect();
        Ok(())
    }
}
