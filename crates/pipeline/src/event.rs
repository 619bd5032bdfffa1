//! Events from records: the tree of fields, filled in.

use std::collections::BTreeSet;

use bowline_contract::pipeline::{
    Asset, AssetEvent, AssetRef, AssetRole, Field, Run, RunEvent, Shape,
};
use bowline_template::{Scope, Value};
use serde_json::{Map, Value as Json};

use crate::description::{Entries, FieldTree, Mapping};
use crate::error::SourceError;
use crate::expression::{text_of, time_advice, to_json};
use crate::failed::Part;
use crate::source_reader::{Mark, Row, SourceReader};

impl SourceReader<'_> {
    /// What the fields of a row see: the record, its parent, and the shared values.
    pub(crate) fn row_scope(
        &self,
        mapping: &Mapping,
        scope: &Scope,
        row: &Row,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Scope, SourceError> {
        let mut scope = row.scope(scope);
        for (name, expression) in &mapping.lets {
            if wanted(name) {
                let value = self.evaluate(expression, &scope, &row.record)?;
                scope = scope.with([(name.as_str(), value)]);
            }
        }
        Ok(scope)
    }

    /// The asset of a row.
    pub(crate) fn asset(
        &self,
        mapping: &Mapping,
        scope: &Scope,
        row: &Row,
    ) -> Result<AssetEvent, SourceError> {
        let mut asset = self.filled(mapping, scope, row)?;
        finish(Asset::FIELDS, &mut asset);
        self.note_written_times(Asset::FIELDS, &asset);
        Ok(AssetEvent::new(Json::Object(asset)))
    }

    /// The run of a row, with the vendor's statuses, and what tells it from other runs: its job and its id as the vendor
    /// writes them, where 1 is not `1` in quotes.
    pub(crate) fn run(
        &self,
        mapping: &Mapping,
        scope: &Scope,
        row: &Row,
    ) -> Result<(RunEvent, Option<Mark>), SourceError> {
        let mut run = self.filled(mapping, scope, row)?;
        let written = |name| run.get(name).map(ToString::to_string);
        let key = written("run_source_id").map(|id| Mark::of(&(written("job_source_id"), id)));
        finish(Run::FIELDS, &mut run);
        self.note_written_times(Run::FIELDS, &run);
        Ok((RunEvent::new(Json::Object(run)), key))
    }

    /// Takes note of times that are not written as the contract writes them, and of what would read them.
    fn note_written_times(&self, fields: &'static [Field], object: &Map<String, Json>) {
        for field in fields {
            let Some(value) = object.get(field.name) else {
                continue;
            };
            let records = |fields, items: &[Json]| {
                for item in items.iter().filter_map(Json::as_object) {
                    self.note_written_times(fields, item);
                }
            };
            match (&field.shape, value) {
                (Shape::Time, value) => {
                    if let Some(advice) = time_advice(value) {
                        self.note(format!(
                            "`{}` is not written as the contract writes times: put behind its expression {advice}",
                            field.name
                        ));
                    }
                }
                (Shape::Record(fields), Json::Object(inner)) => {
                    self.note_written_times(fields, inner)
                }
                (Shape::Records(fields), Json::Array(items)) => records(*fields, items),
                (Shape::TaskRuns, Json::Array(items)) => records(Run::FIELDS, items),
                _ => {}
            }
        }
    }

    /// The fields of a row's event as the expressions give them.
    fn filled(
        &self,
        mapping: &Mapping,
        scope: &Scope,
        row: &Row,
    ) -> Result<Map<String, Json>, SourceError> {
        let scope = self.row_scope(mapping, scope, row, |_| true)?;
        Ok(match self.fill(&mapping.fields, &scope, &row.record)? {
            Json::Object(event) => event,
            _ => Map::new(),
        })
    }

    /// A value of the tree; null for what is left out.
    fn fill(&self, tree: &FieldTree, scope: &Scope, record: &Value) -> Result<Json, SourceError> {
        match tree {
            FieldTree::Value(expression) => Ok(to_json(&self.evaluate(expression, scope, record)?)),
            FieldTree::Record { fields, required } => {
                let mut object = Map::new();
                for (name, field) in fields {
                    let value = self.fill(field, scope, record)?;
                    if value.is_null() {
                        if required.contains(&name.as_str()) {
                            return Ok(Json::Null);
                        }
                        continue;
                    }
                    object.insert(name.clone(), value);
                }
                // A table of which nothing is known says nothing.
                Ok(if object.is_empty() {
                    Json::Null
                } else {
                    Json::Object(object)
                })
            }
            FieldTree::Rules(rules) => {
                for (when, tree) in rules {
                    if self.holds(when.as_ref(), scope, record)? {
                        return self.fill(tree, scope, record);
                    }
                }
                Ok(Json::Null)
            }
            FieldTree::List(list) => {
                let mut items = Vec::new();
                for entries in list {
                    self.entries(entries, scope, record, &mut items)?;
                }
                Ok(Json::from(items))
            }
        }
    }

    fn entries(
        &self,
        entries: &Entries,
        scope: &Scope,
        record: &Value,
        out: &mut Vec<Json>,
    ) -> Result<(), SourceError> {
        let mut seen = BTreeSet::new();
        let items = match &entries.each {
            None => vec![None],
            Some(each) => {
                let items = self.evaluate(each, scope, record)?;
                items.items().into_iter().flatten().map(Some).collect()
            }
        };
        for item in items {
            let scope = match &item {
                None => scope.clone(),
                Some(item) => scope.with([("item", item.clone())]),
            };
            let shown = item.as_ref().unwrap_or(record);
            let entry = self.entry(entries, scope, shown, &mut seen);
            let entry = match item {
                None => Some(entry?),
                Some(_) => self.one_of_many(entries, Part::Entry, shown, entry)?,
            };
            out.extend(entry.flatten());
        }
        Ok(())
    }

    /// One entry of a list; nothing for one that does not count.
    fn entry(
        &self,
        entries: &Entries,
        mut scope: Scope,
        shown: &Value,
        seen: &mut BTreeSet<String>,
    ) -> Result<Option<Json>, SourceError> {
        for (name, expression) in &entries.lets {
            let value = self.evaluate(expression, &scope, shown)?;
            scope = scope.with([(name.as_str(), value)]);
        }
        if !self.holds(entries.when.as_ref(), &scope, shown)? {
            return Ok(None);
        }
        if let Some(distinct) = &entries.distinct {
            let key = to_json(&self.evaluate(distinct, &scope, shown)?);
            if !seen.insert(key.to_string()) {
                return Ok(None);
            }
        }
        self.fill(&entries.entry, &scope, shown).map(Some)
    }
}

/// Takes out nulls and empty lists, turns numbers that stand for identifiers into text, whole floats into integers, and
/// says on which side of the job asset refs stand.
fn finish(fields: &'static [Field], object: &mut Map<String, Json>) {
    for field in fields {
        let Some(value) = object.get_mut(field.name) else {
            continue;
        };
        match (&field.shape, &mut *value) {
            (Shape::Text, Json::Number(number)) => *value = Json::from(number.to_string()),
            (Shape::Text, Json::Bool(flag)) => *value = Json::from(flag.to_string()),
            (Shape::Integer(_), Json::Number(number)) if number.is_f64() => {
                // No schedule is off by less than a second.
                let is_span = field.name == "interval_seconds";
                let number = number.as_f64();
                let number = number.map(|number| if is_span { number.trunc() } else { number });
                let whole = number.filter(|number| number.fract() == 0.0);
                if let Some(whole) =
                    whole.and_then(|whole| format!("{whole:.0}").parse::<i64>().ok())
                {
                    *value = Json::from(whole);
                }
            }
            (Shape::Texts, Json::Array(items)) => {
                items.retain(|item| !item.is_null());
                for item in items.iter_mut().filter(|item| item.is_number()) {
                    *item = Json::from(text_of(item));
                }
            }
            (Shape::Record(fields), Json::Object(inner)) => finish(fields, inner),
            (Shape::Records(fields), Json::Array(items)) => finish_all(fields, items),
            (Shape::TaskRuns, Json::Array(items)) => finish_all(Run::FIELDS, items),
            (Shape::Refs(side), Json::Array(items)) => {
                finish_all(AssetRef::FIELDS, items);
                for item in items.iter_mut().filter_map(Json::as_object_mut) {
                    set_side(item, *side);
                }
            }
            _ => {}
        }
    }
    object.retain(|_, value| {
        !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty())
    });
}

fn finish_all(fields: &'static [Field], items: &mut Vec<Json>) {
    items.retain(|item| !item.is_null());
    for item in items.iter_mut().filter_map(Json::as_object_mut) {
        finish(fields, item);
    }
}

fn set_side(asset_ref: &mut Map<String, Json>, side: AssetRole) {
    asset_ref
        .entry("role")
        .or_insert_with(|| Json::from(side.name()));
}
