//! Pages: the request for one, and the records in its answer.

use std::collections::{HashMap, HashSet};

use bowline_template::{Kind, Scope, Value};

use super::lookup::written;
use super::{Row, SourceReader};
use crate::description::Source;
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::{Expression, to_json, to_value};
use crate::http::{JsonResponse, Prepared};

/// What an answer holds.
pub(super) struct Page {
    pub(super) records: Vec<Value>,
    pub(super) keys: Option<Vec<String>>,
    pub(super) scope: Scope,
    pub(super) address: String,
    pub(super) body: Value,
}

impl SourceReader<'_> {
    pub(super) fn prepare(&self, source: &Source, scope: &Scope) -> Result<Prepared, SourceError> {
        self.client
            .prepare(&source.request, scope)
            .map_err(|(expression, problem)| {
                self.client
                    .expression_error(expression, &problem, &serde_json::Value::Null)
            })
    }

    pub(super) fn page(
        &self,
        source: &Source,
        scope: &Scope,
        request: &Prepared,
    ) -> Result<Option<Page>, SourceError> {
        let answer = self.client.send(request, &source.missing, &source.reject)?;
        let Some(JsonResponse { headers, body }) = answer else {
            return Ok(None);
        };
        let body = to_value(body);
        let headers: Vec<(String, Value)> = headers
            .into_iter()
            .map(|(name, value)| (name, Value::from(value)))
            .collect();
        let scope = scope.with([
            ("response", body.clone()),
            ("headers", Value::mapping(headers)),
        ]);
        let list = match &source.records {
            None => body.clone(),
            Some(expression) => self.evaluate(expression, &scope, &body)?,
        };
        let records: Vec<Value> = match list.kind() {
            // One record that is not in a list is a list of one.
            Kind::Mapping => vec![list],
            Kind::None | Kind::Sequence => list.items().unwrap_or_default(),
            kind => {
                let found = match kind {
                    Kind::Boolean(_) => "a boolean",
                    Kind::Integer(_) | Kind::Float(_) => "a number",
                    Kind::Text(_) => "a string",
                    _ => list.type_name(),
                };
                return Err(self
                    .client
                    .error(SourceErrorKind::Format, request)
                    .because(format!("the records are no list but {found}"))
                    .hint("say with `records` where in the answer they are".to_owned()));
            }
        };
        let keys = match source.identity() {
            Some(key) => Some(self.keys(key, &records, &scope)?),
            None => None,
        };
        let last = records.last().cloned().unwrap_or_default();
        let scope = scope.with([("records", Value::list(records.clone())), ("last", last)]);
        Ok(Some(Page {
            records,
            keys,
            scope,
            address: request.address.clone(),
            body,
        }))
    }

    /// What tells the records of a page apart: their keys. A record whose key is null is told by everything in it, and by
    /// how many of the same come before it; it is not the same as any other without a key.
    fn keys(
        &self,
        key: &Expression,
        records: &[Value],
        scope: &Scope,
    ) -> Result<Vec<String>, SourceError> {
        let mut nameless: HashMap<String, usize> = HashMap::new();
        let mut keys = Vec::new();
        for record in records {
            let scope = scope.with([("record", record.clone())]);
            let value = self.evaluate(key, &scope, record)?;
            keys.push(if is_null(&value) {
                let record = to_json(record).to_string();
                let count = nameless.entry(record.clone()).or_default();
                *count += 1;
                format!("without a key: {record} {count}")
            } else {
                written(&value)
            });
        }
        Ok(keys)
    }

    /// The rows of a page that count and were not seen before.
    pub(super) fn rows(
        &self,
        source: &Source,
        page: &Page,
        mut seen: Option<&mut HashSet<String>>,
    ) -> Result<Vec<Row>, SourceError> {
        let mut rows = Vec::new();
        for (index, record) in page.records.iter().enumerate() {
            if let (Some(seen), Some(keys)) = (seen.as_deref_mut(), &page.keys)
                && !seen.insert(keys[index].clone())
            {
                continue;
            }
            let parent = self.parent(page);
            let found = match &source.flatten {
                None => vec![Row {
                    record: record.clone(),
                    parent,
                }],
                Some(flatten) => {
                    let scope = page
                        .scope
                        .with([("record", record.clone()), ("parent", parent)]);
                    let inner = self.evaluate(flatten, &scope, record)?;
                    let inner = inner.items().into_iter().flatten();
                    inner
                        .map(|inner| Row {
                            record: inner,
                            parent: record.clone(),
                        })
                        .collect()
                }
            };
            for row in found {
                let scope = page.scope.with([
                    ("record", row.record.clone()),
                    ("parent", row.parent.clone()),
                ]);
                if self.holds(source.when.as_ref(), &scope, &row.record)? {
                    rows.push(row);
                }
            }
        }
        Ok(rows)
    }

    fn parent(&self, page: &Page) -> Value {
        page.scope.get("parent").cloned().unwrap_or_default()
    }
}

/// Whether a key is null, or made of nulls only.
fn is_null(key: &Value) -> bool {
    match key.kind() {
        Kind::None => true,
        Kind::Sequence => key
            .items()
            .into_iter()
            .flatten()
            .all(|part| part.is_nothing()),
        _ => false,
    }
}
