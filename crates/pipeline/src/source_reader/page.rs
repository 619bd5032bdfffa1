//! Pages: the request for one, and the records in its answer.

use std::collections::{BTreeSet, HashMap};

use bowline_template::{Kind, Scope, Value};

use super::behind::beside;
use super::complaint::{Asking, broken_off, complaint};
use super::lookup::exact;
use super::mark::{Mark, Seen, contents};
use super::nested::{PARENT, nested};
use super::{Changes, Row, SourceReader};
use crate::description::{GRANDPARENT, Origin, Source};
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::{Expression, headers_value, to_json};
use crate::failed::Part;
use crate::http::graphql::{self, Errors};
use crate::http::{Answer, Extent, Prepared, Response, Rules, is_empty, speaks_of_no_page};

/// Statuses that say that something is not there; others in `missing` are worth a word.
const GONE: [u16; 3] = [204, 404, 410];

/// What an answer holds.
pub(super) struct Page {
    pub(super) records: Vec<Value>,
    pub(super) keys: Option<Vec<Mark>>,
    /// Which records have a key that fails, in order.
    failed_keys: Vec<usize>,
    pub(super) scope: Scope,
    pub(super) body: Value,
    /// What stands in it beside the records; null where it is itself the only one.
    pub(super) beside: Value,
    /// What it says of what it is a part of.
    pub(super) extent: Extent,
}

impl Page {
    /// What led to it, by its name.
    fn led_by(&self, name: &str) -> Value {
        self.scope.get(name).cloned().unwrap_or_default()
    }
}

/// What the pages of a list before this one were like.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    /// How many there were.
    pub(super) pages: usize,
    /// The names of their headers.
    headers: BTreeSet<String>,
}

impl SourceReader<'_> {
    pub(super) fn prepare(&self, source: &Source, scope: &Scope) -> Result<Prepared, SourceError> {
        let mut request = self.client.prepare(&source.request, scope)?;
        request.turn = self.turn;
        if source.request.hosts.is_none() && self.client.withholds(&request) {
            let host = bowline_http::Origin::of(&request.address).map(|origin| origin.host);
            self.note(format!(
                "`{}` was asked without credentials, because only a record names it: say with `hosts` whether it may have \
                 them (`hosts = []` says no)",
                host.unwrap_or_default()
            ));
        }
        Ok(request)
    }

    /// The request for the first page; nothing when it cannot be made for one of many parents.
    pub(super) fn first_request(
        &self,
        source: &Source,
        scope: &Scope,
    ) -> Result<Option<Prepared>, SourceError> {
        let request = self.prepare(source, scope);
        match &source.origin {
            Origin::Each { .. } => {
                let parent = scope.get("parent").cloned().unwrap_or_default();
                self.one_of_many(&source.request, Part::Record, &parent, request)
            }
            Origin::Once | Origin::Batch { .. } => request.map(Some),
        }
    }

    /// Asks for a page; nothing when the vendor has no such list.
    pub(super) fn page(
        &self,
        source: &Source,
        scope: &Scope,
        request: &Prepared,
        earlier: &mut Earlier,
    ) -> Result<Option<Page>, SourceError> {
        // A list that was there does not end with a page that is not.
        let missing = match earlier.pages {
            0 => source.missing.as_slice(),
            _ => &[],
        };
        let rules = Rules::Records {
            missing,
            reject: &source.reject,
            records: Some((source.records.as_ref(), scope)),
        };
        let answer = self.client.send(request, &rules)?;
        let Response {
            status,
            headers,
            body,
        } = match answer {
            Answer::Found(response) => response,
            Answer::Missing(status) => {
                if !GONE.contains(&status) {
                    let path = source.request.path_text();
                    self.note(format!("`{path}` was taken for empty at status {status}"));
                }
                return Ok(None);
            }
        };
        let asking = Asking { request, source };
        let is_later = earlier.pages > 0;
        let failed = |reason: &str| {
            let kind = if is_later && speaks_of_no_page(reason) {
                SourceErrorKind::NoSuchPage
            } else {
                SourceErrorKind::Refused
            };
            self.client
                .error(kind, request)
                .because(self.client.shown(reason))
        };
        let errors = match source.request.graphql {
            Some(_) => match graphql::errors(&body) {
                Errors::Whole(reason) => return Err(failed(&reason)),
                Errors::Partial(words) => Some(words),
                Errors::None => None,
            },
            None => graphql::error_words(&body),
        };
        let extent = Extent::of(status, &headers);
        let names: Vec<String> = headers.keys().cloned().collect();
        let around = beside(&body, &headers);
        let scope = scope.with([
            ("response", body.clone()),
            ("headers", headers_value(headers, &earlier.headers)),
        ]);
        earlier.pages += 1;
        earlier.headers.extend(names);
        let list = match &source.records {
            None => body.clone(),
            Some(expression) => {
                let list = self.evaluate(expression, &scope, &body);
                list.map_err(|error| {
                    let Some(words) = self.said(&body, &asking) else {
                        return error;
                    };
                    let error = error.because(format!("the vendor says: {words}"));
                    // Where it says that it failed, the fields that it has besides lead astray.
                    match complaint(&body, &asking) {
                        Some(_) => error.hint(None),
                        None => error,
                    }
                })?
            }
        };
        if body.is_nothing()
            && list.is_nothing()
            && let Some(records) = &source.records
            && records.text().trim() != "response"
            && !matches!(status, 204 | 205)
        {
            return Err(self
                .client
                .error(SourceErrorKind::Format, request)
                .because(format!(
                    "the answer is null, and holds no `{}`",
                    records.text()
                )));
        }
        let complaint = || match source.request.graphql {
            None if is_empty(&list) => complaint(&body, &asking).or_else(|| {
                let is_null = list.is_nothing() && !body.is_nothing();
                is_null.then(|| self.refusal(&body)).flatten()
            }),
            _ => None,
        };
        let errors = errors.or_else(complaint);
        if let Some(reason) = &errors {
            // A list that could not be read is not an empty one.
            if list.is_nothing() || source.request.graphql.is_none() && is_empty(&list) {
                return Err(failed(reason));
            }
            if source.request.graphql.is_some() || !is_empty(&list) {
                self.note(format!(
                    "parts of answers are missing, as the vendor says: {}",
                    self.client.masked(reason)
                ));
            }
        }
        if errors.is_none() {
            self.note_remarks(&list, &body, &asking);
        }
        let beside = match list.kind() {
            Kind::Mapping => Value::NONE,
            _ => around,
        };
        let broken_off = broken_off(&body, &asking);
        if let Some(words) = &broken_off {
            self.note_incomplete(format!(
                "a list breaks off, as the vendor says in a line of its own: {}",
                self.client.shown(words)
            ));
        }
        let mut records: Vec<Value> = match list.kind() {
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
        // The line that says so is no record.
        let is_whole =
            source.records.is_none() || records.len() == body.items().map_or(0, |all| all.len());
        if broken_off.is_some() && is_whole {
            records.pop();
        }
        let mut failed_keys = Vec::new();
        let keys = match source.identity() {
            Some(key) => Some(self.keys(key, &records, &scope, &mut failed_keys)?),
            None => None,
        };
        let last = records.last().cloned().unwrap_or_default();
        let scope = scope.with([("records", Value::list(records.clone())), ("last", last)]);
        Ok(Some(Page {
            records,
            keys,
            failed_keys,
            scope,
            body,
            beside,
            extent,
        }))
    }

    /// What tells the records of a page apart: their keys. A record whose key is null is told by everything in it, and by
    /// how many of the same come before it; it is not the same as any other without a key. A record whose key fails is
    /// told of where it counts.
    fn keys(
        &self,
        key: &Expression,
        records: &[Value],
        scope: &Scope,
        failed: &mut Vec<usize>,
    ) -> Result<Vec<Mark>, SourceError> {
        let mut nameless: HashMap<String, usize> = HashMap::new();
        let mut keys = Vec::new();
        for (index, record) in records.iter().enumerate() {
            let scope = scope.with([("record", record.clone())]);
            let value = match self.evaluate(key, &scope, record) {
                Err(error) if error.kind == SourceErrorKind::Expression => {
                    failed.push(index);
                    Value::NONE
                }
                value => {
                    let value = self.one_of_many(key, Part::Record, record, value)?;
                    value.unwrap_or_default()
                }
            };
            keys.push(if is_null(&value) {
                let record = to_json(record).to_string();
                let count = nameless.entry(record.clone()).or_default();
                *count += 1;
                Mark::of(&("without a key", record, *count))
            } else {
                Mark::of(&exact(&value))
            });
        }
        Ok(keys)
    }

    /// The rows of a page that count and were neither seen nor handed on before.
    pub(super) fn rows(
        &self,
        source: &Source,
        page: &Page,
        mut seen: Option<&mut Seen>,
        handed: &Seen,
    ) -> Result<Vec<Row>, SourceError> {
        let mut rows = Vec::new();
        for (index, record) in page.records.iter().enumerate() {
            if let (Some(seen), Some(keys)) = (seen.as_deref_mut(), &page.keys)
                && self.is_known(keys[index], record, seen, handed)
            {
                continue;
            }
            let row = Row {
                record: record.clone(),
                parent: page.led_by(PARENT),
                grandparent: page.led_by(GRANDPARENT),
            };
            let found = match &source.flatten {
                None => vec![row],
                Some(flatten) => {
                    let around = nested(record, &row.parent);
                    let inner = self.evaluate(flatten, &row.scope(&page.scope), record);
                    let inner = self.one_of_many(flatten, Part::Record, record, inner)?;
                    let inner = match inner {
                        // As with `records`, one that is not in a list is a list of one.
                        Some(one) if one.kind() == Kind::Mapping => vec![one],
                        inner => inner.and_then(|inner| inner.items()).unwrap_or_default(),
                    };
                    inner
                        .into_iter()
                        .map(|inner| Row {
                            record: inner,
                            parent: around.clone(),
                            grandparent: row.parent.clone(),
                        })
                        .collect()
                }
            };
            let mut key = source
                .identity()
                .filter(|_| page.failed_keys.binary_search(&index).is_ok());
            for row in found {
                let holds = self.holds(source.when.as_ref(), &row.scope(&page.scope), &row.record);
                let place = &source.when;
                if self.one_of_many(place, Part::Record, &row.record, holds)? == Some(true) {
                    if let Some(key) = key.take() {
                        let scope = page.scope.with([("record", record.clone())]);
                        let failed = self.evaluate(key, &scope, record);
                        self.one_of_many(key, Part::Record, record, failed)?;
                    }
                    rows.push(row);
                }
            }
        }
        Ok(rows)
    }

    /// Whether a record was seen or handed on before; where changes are followed, as it is now.
    fn is_known(&self, key: Mark, record: &Value, seen: &mut Seen, handed: &Seen) -> bool {
        let held = match self.changes {
            Changes::Followed => contents(record),
            Changes::Ignored => 0,
        };
        seen.insert(key, held) == Some(held) || handed.get(&key) == Some(&held)
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
