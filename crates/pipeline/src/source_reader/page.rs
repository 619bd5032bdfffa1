//! Pages: the request for one, and the records in its answer.

use std::collections::{BTreeSet, HashMap};

use bowline_template::{Kind, Scope, Value};
use serde_json::{Map, Value as Json};

use super::behind::beside;
use super::lookup::exact;
use super::mark::{Mark, Seen, contents};
use super::nested::nested;
use super::{Changes, Row, SourceReader};
use crate::description::{Origin, Source};
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::{Expression, headers_value, text_of, to_json};
use crate::failed::Part;
use crate::http::graphql::{self, Errors};
use crate::http::{Answer, Extent, Prepared, Response, Rules, is_empty};

/// Statuses that say that something is not there; others in `missing` are worth a word.
const GONE: [u16; 3] = [204, 404, 410];

/// How an answer says by its `status` or `code` that it is a failure, beside the numbers of HTTP.
const FAILURES: [&str; 4] = ["error", "fail", "failed", "failure"];

/// What codes of failures have in them.
const CODE_WORDS: [&str; 5] = ["error", "fail", "exception", "denied", "throttl"];

/// Where answers say what went wrong.
const ERROR_NAMES: [&str; 4] = ["error", "errors", "fault", "exception"];

/// Where they say something, which may be that.
const MESSAGE_NAMES: [&str; 5] = ["message", "detail", "title", "reason", "msg"];

/// Where they say by a number or a word whether it went well.
const CODE_NAMES: [&str; 3] = ["code", "errorCode", "error_code"];

/// Where they warn of something, and in what else of an answer.
const WARNING_NAMES: [&str; 2] = ["warnings", "warning"];
const AROUND: [&str; 3] = ["meta", "metadata", "extensions"];

/// How deep in an answer its words are looked for.
const DEEPEST: usize = 3;

/// What an answer holds.
pub(super) struct Page {
    pub(super) records: Vec<Value>,
    pub(super) keys: Option<Vec<Mark>>,
    pub(super) scope: Scope,
    pub(super) body: Value,
    /// What stands in it beside the records; null where it is itself the only one.
    pub(super) beside: Value,
    /// What it says of what it is a part of.
    pub(super) extent: Extent,
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
        let failed = |reason: &str| {
            self.client
                .error(SourceErrorKind::Refused, request)
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
                list.map_err(|error| match self.said(&body) {
                    Some(words) => error.because(format!("the vendor says: {words}")),
                    None => error,
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
            None if is_empty(&list) => complaint(&body).or_else(|| {
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
        if errors.is_none()
            && let Some(words) = self.remark(&list, &body)
        {
            self.note(words);
        }
        let beside = match list.kind() {
            Kind::Mapping => Value::NONE,
            _ => around,
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
            body,
            beside,
            extent,
        }))
    }

    /// What an answer says for itself that does not hold what it should, without any secret.
    fn said(&self, body: &Value) -> Option<String> {
        let words = graphql::error_words(body).or_else(|| complaint(body));
        let words = words.or_else(|| {
            let body = self.client.masked_json(to_json(body));
            let names: Vec<&str> = ERROR_NAMES.iter().chain(&MESSAGE_NAMES).copied().collect();
            spoken(&body, &names, 0).map(text_of)
        })?;
        Some(self.client.shown(&words))
    }

    /// What an answer with null for a list says went wrong, whatever it looks like: an error, or a code that is not that
    /// of success.
    fn refusal(&self, body: &Value) -> Option<String> {
        let json = self.client.masked_json(to_json(body));
        if let Some(error) = ERROR_NAMES.iter().find_map(|name| stated(&json, name)) {
            return Some(text_of(error));
        }
        let code = CODE_NAMES.iter().find_map(|name| json.get(name))?;
        let code = text_of(code);
        let is_success = match code.parse::<i64>() {
            Ok(number) => number == 0 || (200..300).contains(&number),
            Err(_) => {
                ["", "ok", "null"].contains(&code.to_lowercase().as_str()) || is_praise(&code)
            }
        };
        if is_success {
            return None;
        }
        let mut messages = MESSAGE_NAMES
            .iter()
            .filter_map(|name| stated(&json, name)?.as_str());
        let message = messages.find(|message| !is_praise(message))?;
        Some(format!("{message} (code {code})"))
    }

    /// What an answer says beside its list that is no failure and may be why something is not in it: a warning, or any
    /// word beside null.
    fn remark(&self, list: &Value, body: &Value) -> Option<String> {
        // What is its only record says it of itself.
        if list.kind() == Kind::Mapping {
            return None;
        }
        let around = AROUND.iter().filter_map(|name| body.get(name));
        let warning = std::iter::once(body.clone())
            .chain(around)
            .find_map(|place| {
                let values = WARNING_NAMES.iter().filter_map(|name| place.get(name));
                let mut said = values.map(|value| self.client.masked_json(to_json(&value)));
                said.find(says_something)
            });
        if let Some(warning) = warning {
            let first = warning.get(0).unwrap_or(&warning);
            let words = spoken(first, &MESSAGE_NAMES, DEEPEST).unwrap_or(first);
            return Some(format!(
                "the vendor warns: {}",
                self.client.shown(&text_of(words))
            ));
        }
        if !list.is_nothing() {
            return None;
        }
        let message = MESSAGE_NAMES.iter().find_map(|name| body.get(name))?;
        let message = message.as_text().map(str::trim)?;
        let is_remark =
            !message.is_empty() && !is_praise(message) && !message.eq_ignore_ascii_case("ok");
        is_remark.then(|| {
            format!(
                "a list is null, and the vendor says: {}",
                self.client.shown(message)
            )
        })
    }

    /// What tells the records of a page apart: their keys. A record whose key is null is told by everything in it, and by
    /// how many of the same come before it; it is not the same as any other without a key.
    fn keys(
        &self,
        key: &Expression,
        records: &[Value],
        scope: &Scope,
    ) -> Result<Vec<Mark>, SourceError> {
        let mut nameless: HashMap<String, usize> = HashMap::new();
        let mut keys = Vec::new();
        for record in records {
            let scope = scope.with([("record", record.clone())]);
            // A record whose key fails is told of where it counts.
            let value = self.evaluate(key, &scope, record);
            let value = self.one_of_many(key, Part::Record, record, value)?;
            let value = value.unwrap_or_default();
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
                    let around = nested(record, &self.parent(page));
                    let inner = self.evaluate(flatten, &scope, record);
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
                        })
                        .collect()
                }
            };
            for row in found {
                let scope = page.scope.with([
                    ("record", row.record.clone()),
                    ("parent", row.parent.clone()),
                ]);
                let holds = self.holds(source.when.as_ref(), &scope, &row.record);
                let place = &source.when;
                if self.one_of_many(place, Part::Record, &row.record, holds)? == Some(true) {
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

    fn parent(&self, page: &Page) -> Value {
        page.scope.get("parent").cloned().unwrap_or_default()
    }
}

/// What an answer without records says went wrong, whatever its status: an error, or that it is no success.
fn complaint(body: &Value) -> Option<String> {
    complained(&plain_names(to_json(body).as_object()?))
}

/// The fields of a record, by their names in small letters without what stands between words.
fn plain_names(record: &Map<String, Json>) -> Map<String, Json> {
    let plain = |name: &String| name.replace(['_', '-'], "").to_lowercase();
    let fields = record.iter();
    fields
        .map(|(name, value)| (plain(name), value.clone()))
        .collect()
}

/// What is said to have gone wrong, by fields with plain names.
fn complained(body: &Map<String, Json>) -> Option<String> {
    let text = |value: &Json| {
        let text = value.as_str().filter(|text| !text.trim().is_empty());
        text.map(str::to_owned)
    };
    let message = |value: &Map<String, Json>| {
        let names = ["message", "error", "detail", "msg", "usermessage"];
        names.into_iter().find_map(|name| text(value.get(name)?))
    };
    // Some have a record for it.
    let wrapped = AROUND.iter().chain(&["status"]);
    let mut wrapped = wrapped.filter_map(|name| body.get(*name)?.as_object());
    if let Some(words) = wrapped.find_map(|inner| complained(&plain_names(inner))) {
        return Some(words);
    }
    let said = ["error", "errormessage"].into_iter().find_map(|name| {
        let error = body.get(name)?;
        let within = || message(&plain_names(error.as_object()?));
        text(error).filter(|text| !says_no(text)).or_else(within)
    });
    said.or_else(|| {
        let code = text(body.get("code")?)?;
        let word = code.to_lowercase();
        let is_failure = CODE_WORDS.iter().any(|known| word.contains(known));
        is_failure
            .then(|| message(body))
            .flatten()
            .map(|words| format!("{words} (code {code})"))
    })
    .or_else(|| {
        let is_failure = ["status", "code"].into_iter().any(|name| {
            body.get(name).is_some_and(|value| match value {
                Json::String(word) => FAILURES
                    .iter()
                    .any(|known| word.eq_ignore_ascii_case(known)),
                Json::Number(code) => code.as_i64().is_some_and(|code| (400..600).contains(&code)),
                _ => false,
            })
        });
        is_failure.then(|| message(body)).flatten()
    })
    .or_else(|| {
        let flag = |names: &[&'static str], holds: fn(&Json) -> bool| {
            let name = names
                .iter()
                .find(|name| body.get(**name).is_some_and(holds));
            name.map(|name| format!("`{name}` is {}", body[*name]))
        };
        let flag = flag(&["success", "ok", "issuccess"], is_no)
            .or_else(|| flag(&["error", "iserror", "haserror", "haserrors"], is_error))?;
        Some(
            message(body)
                .filter(|words| !says_no(words) && !is_praise(words))
                .unwrap_or(flag),
        )
    })
}

/// Whether a flag says no.
fn is_no(flag: &Json) -> bool {
    match flag {
        Json::Bool(flag) => !flag,
        Json::Number(number) => number.as_i64() == Some(0),
        Json::String(text) => says_no(text),
        _ => false,
    }
}

/// Whether what stands for an error says that there is one: a flag, a code that is not 0, or a record.
fn is_error(error: &Json) -> bool {
    match error {
        Json::Bool(flag) => *flag,
        Json::Number(code) => code.as_f64() != Some(0.0),
        Json::Object(record) => record.values().any(says_something_or_counts),
        Json::String(text) => text.eq_ignore_ascii_case("true"),
        Json::Null | Json::Array(_) => false,
    }
}

/// Whether a value is more than nothing, or a number that is not 0.
fn says_something_or_counts(value: &Json) -> bool {
    says_something(value) || value.as_f64().is_some_and(|number| number != 0.0)
}

/// Whether a text is a flag that says no.
fn says_no(text: &str) -> bool {
    ["false", "no", "none", "null", "0"]
        .iter()
        .any(|word| text.trim().eq_ignore_ascii_case(word))
}

/// Whether a text says that all went well.
fn is_praise(text: &str) -> bool {
    text.to_lowercase().contains("succe")
}

/// The first that stands at one of these names in an answer, the outermost before what lies deeper; what stands in lists
/// is the records' own.
fn spoken<'j>(json: &'j Json, names: &[&str], depth: usize) -> Option<&'j Json> {
    let here = names.iter().find_map(|name| stated(json, name));
    here.or_else(|| {
        let mut inner = json.as_object().filter(|_| depth < DEEPEST)?.values();
        inner.find_map(|value| spoken(value, names, depth + 1))
    })
}

/// What stands at a name, if it is more than nothing, a number or a flag.
fn stated<'j>(json: &'j Json, name: &str) -> Option<&'j Json> {
    json.get(name).filter(|value| says_something(value))
}

/// Whether a value is more than nothing, a number or a flag.
fn says_something(value: &Json) -> bool {
    match value {
        Json::String(text) => !text.trim().is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(fields) => !fields.is_empty(),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
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
