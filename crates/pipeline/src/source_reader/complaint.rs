//! What an answer says for itself that has no records, or not all of them.

mod code;
mod words;

use std::borrow::Cow;

use bowline_template::{Kind, Value};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value as Json};

use self::code::{Code, Meaning, is_of_http};
use self::words::{is_fine, is_nothing, is_wanting, says_no};
use super::SourceReader;
use crate::description::{BodyFormat, Origin, Source};
use crate::expression::{text_of, to_json};
use crate::http::{Prepared, graphql, is_empty};

/// How an answer says by a word that it is a failure, and under which names.
const FAILURES: [&str; 7] = [
    "error",
    "exception",
    "fail",
    "failed",
    "failure",
    "forbidden",
    "unauthorized",
];
const STATUS_NAMES: [&str; 4] = ["status", "state", "result", "code"];

/// Where answers say what went wrong.
const ERROR_NAMES: [&str; 4] = ["error", "errors", "fault", "exception"];

/// Where they say something, which may be that.
const MESSAGE_NAMES: [&str; 12] = [
    "message",
    "error",
    "detail",
    "msg",
    "usermessage",
    "errormessage",
    "errormsg",
    "errmsg",
    "retmsg",
    "returnmsg",
    "resultmsg",
    "errordescription",
];

/// Where they may say it too, if they say that something went wrong.
const REASON_NAMES: [&str; 2] = ["reason", "title"];

/// Flags that some of what there is may not be in an answer.
const PART_FLAGS: [&str; 4] = ["timedout", "partial", "ispartial", "partialresults"];

/// Where they warn of something, and in what else of an answer.
const WARNING_NAMES: [&str; 2] = ["warnings", "warning"];
const AROUND: [&str; 3] = ["meta", "metadata", "extensions"];

/// Parameters that say what an answer has of each record, and not of which.
const OF_FIELDS: [&str; 8] = [
    "attribute",
    "column",
    "embed",
    "expand",
    "field",
    "include",
    "order",
    "sort",
];

/// Identifiers that an answer has of itself or of who asks.
const OF_ANSWERS: [&str; 7] = [
    "request",
    "trace",
    "log",
    "correlation",
    "session",
    "tenant",
    "account",
];

/// How deep in an answer its words are looked for.
const DEEPEST: usize = 3;

/// What an answer answers.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) request: &'a Prepared,
    pub(super) source: &'a Source,
}

impl Asking<'_> {
    /// Whether the answer, by its fields with plain names, is a record of which the source reads parts, such as a run of
    /// which it reads the steps: what it says, it says of itself.
    fn is_for_parts_of(&self, body: &Map<String, Json>) -> bool {
        let is_of_answer = |name: &str| OF_ANSWERS.iter().any(|of| name.contains(of));
        let is_id = |name: &String| name == "uuid" || name.ends_with("id") && !is_of_answer(name);
        self.is_for_each() && body.keys().any(is_id)
    }

    /// Whether the source asks for each record of another.
    fn is_for_each(&self) -> bool {
        !matches!(self.source.origin, Origin::Once)
    }

    /// Whether the request says a word, as one for runs that failed does: the answer only repeats it.
    fn says(&self, word: &str) -> bool {
        let query = self
            .request
            .address
            .split_once('?')
            .map_or("", |(_, query)| query);
        let parameters = query
            .split('&')
            .filter_map(|parameter| parameter.split_once('='));
        let told = parameters.filter(|(name, _)| {
            let name = name.to_lowercase();
            !OF_FIELDS.iter().any(|of| name.contains(of))
        });
        let told = told.map(|(_, value)| percent_decode_str(value).decode_utf8_lossy());
        let body = self.request.body.as_deref().map(Cow::Borrowed);
        told.chain(body).any(|text| {
            let mut words = text.split(|letter: char| !letter.is_alphanumeric());
            words.any(|asked| asked.eq_ignore_ascii_case(word))
        })
    }
}

impl SourceReader<'_> {
    /// What an answer says for itself that does not hold what it should, without any secret.
    pub(super) fn said(&self, body: &Value, asking: &Asking<'_>) -> Option<String> {
        let words = graphql::error_words(body).or_else(|| complaint(body, asking));
        let words = words.or_else(|| {
            let body = self.client.masked_json(to_json(body));
            let names = ERROR_NAMES.iter().chain(&MESSAGE_NAMES);
            let names: Vec<&str> = names.chain(&REASON_NAMES).copied().collect();
            spoken(&body, &names, 0).map(text_of)
        })?;
        Some(self.client.shown(&words))
    }

    /// What an answer with null for a list says went wrong, whatever it looks like: an error, or a code that is not that
    /// of success.
    pub(super) fn refusal(&self, body: &Value) -> Option<String> {
        let json = self.client.masked_json(to_json(body));
        if let Some(error) = ERROR_NAMES.iter().find_map(|name| stated(&json, name)) {
            return Some(text_of(error));
        }
        let fields = plain_names(json.as_object()?);
        let code = Code::of(&fields)?;
        let words = message(&fields).or_else(|| first_text(&fields, &REASON_NAMES))?;
        (!is_fine(&words)).then(|| format!("{words} (code {})", code.text))
    }

    /// Notes what an answer says beside its list that is no failure and may be why something is not in it: a warning, that
    /// it is a part of what there is, or any word beside no records.
    pub(super) fn note_remarks(&self, list: &Value, body: &Value, asking: &Asking<'_>) {
        // What is its only record says it of itself.
        if list.kind() == Kind::Mapping {
            return;
        }
        if let Some(warning) = self.warning(body) {
            self.note(format!("the vendor warns: {warning}"));
            return;
        }
        let json = to_json(body);
        let Some(fields) = json.as_object().map(plain_names) else {
            return;
        };
        if asking.is_for_parts_of(&fields) {
            return;
        }
        let lacking = lacking(&fields, list).filter(|(name, _)| !asking.says(name));
        if let Some((name, loss)) = lacking {
            let which = fields.get(name).filter(|value| says_something(value));
            let which = which.map_or_else(String::new, |which| {
                let which = self.client.masked_json(which.clone());
                format!(": {}", self.client.shown(&text_of(&which)))
            });
            let note =
                format!("the vendor says by `{name}` that parts of an answer are missing{which}");
            match loss {
                Loss::Sure => self.note_incomplete(note),
                Loss::Perhaps => self.note(note),
            }
            return;
        }
        if !is_empty(list) {
            return;
        }
        let code = Code::of(&fields);
        let reason = || first_text(&fields, &REASON_NAMES).filter(|_| list.is_nothing());
        let words = message(&fields).or_else(reason);
        let is_sure = |code: &Code| code.meaning == Meaning::Sure;
        if is_praised(&fields) && !code.as_ref().is_some_and(is_sure) {
            return;
        }
        let is_grave = |code: &&Code| code.meaning != Meaning::Unclear;
        let told = match (words, &code) {
            (Some(words), _) if is_fine(&words) => return,
            (Some(words), Some(code)) if is_grave(&code) => format!("{words} (code {})", code.text),
            (Some(words), _) if is_nothing(&words) => return,
            (Some(words), _) => words,
            (None, Some(code)) if is_of_http(&code.text) => format!("code {}", code.text),
            (None, _) => return,
        };
        let what = if list.is_nothing() { "null" } else { "empty" };
        self.note(format!(
            "a list is {what}, and the vendor says: {}",
            self.client.shown(&told)
        ));
    }

    /// What an answer warns of.
    fn warning(&self, body: &Value) -> Option<String> {
        let around = AROUND.iter().filter_map(|name| body.get(name));
        let warning = std::iter::once(body.clone())
            .chain(around)
            .find_map(|place| {
                let values = WARNING_NAMES.iter().filter_map(|name| place.get(name));
                let mut said = values.map(|value| self.client.masked_json(to_json(&value)));
                said.find(says_something)
            })?;
        let first = warning.get(0).unwrap_or(&warning);
        let names: Vec<&str> = MESSAGE_NAMES.iter().chain(&REASON_NAMES).copied().collect();
        let words = spoken(first, &names, DEEPEST).unwrap_or(first);
        Some(self.client.shown(&text_of(words)))
    }
}

/// What an answer to a request says went wrong that is without records, whatever its status: an error, or that it is no
/// success.
pub(super) fn complaint(body: &Value, asking: &Asking<'_>) -> Option<String> {
    let body = to_json(body);
    let body = body.as_object()?;
    let is_xml = asking.request.format == Some(BodyFormat::Xml);
    if let Some(words) = is_xml.then(|| soap_fault(body, 0)).flatten() {
        return Some(words);
    }
    let body = plain_names(body);
    complained(&body, asking, asking.is_for_parts_of(&body))
}

/// What a fault of SOAP says, or that a page for people came in place of XML.
fn soap_fault(element: &Map<String, Json>, depth: usize) -> Option<String> {
    element.iter().find_map(|(name, value)| {
        let name = name.rsplit(':').next()?.to_lowercase();
        let inner = value.as_object()?;
        match name.as_str() {
            "envelope" | "body" if depth < DEEPEST => soap_fault(inner, depth + 1),
            "fault" if depth > 0 => {
                const WORDS: [&str; 4] = ["faultstring", "Reason", "faultcode", "Code"];
                let words = WORDS.iter().find_map(|name| {
                    let mut fields = inner.iter();
                    let plain = |known: &str| known.rsplit(':').next() == Some(*name);
                    let (_, value) = fields.find(|(known, _)| plain(known))?;
                    first_words(value)
                });
                Some(words.unwrap_or_else(|| "`Fault`".to_owned()))
            }
            "html" if depth == 0 => {
                let title = inner
                    .get("head")
                    .and_then(|head| first_words(head.get("title")?));
                Some(title.unwrap_or_else(|| "the answer is a page of HTML".to_owned()))
            }
            _ => None,
        }
    })
}

/// The first text in a value that says something.
fn first_words(value: &Json) -> Option<String> {
    match value {
        Json::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !name.starts_with('@'))
            .find_map(|(_, value)| first_words(value)),
        Json::Array(items) => items.iter().find_map(first_words),
        value => text(value),
    }
}

/// What a line of a list says that is no record but an error alone, as vendors write who stream.
pub(super) fn broken_off(body: &Value, asking: &Asking<'_>) -> Option<String> {
    if asking.request.format != Some(BodyFormat::JsonLines) {
        return None;
    }
    let lines = body.items().unwrap_or_default();
    let last = to_json(lines.last()?);
    let fields = last.as_object().filter(|fields| fields.len() == 1)?;
    let (name, error) = fields.iter().next()?;
    let is_error = ERROR_NAMES.contains(&name.to_lowercase().as_str()) && says_something(error);
    let words = || {
        error
            .as_object()
            .and_then(|error| message(&plain_names(error)))
    };
    is_error.then(|| words().unwrap_or_else(|| text_of(error)))
}

/// The fields of a record, by their names in small letters without what stands between words.
fn plain_names(record: &Map<String, Json>) -> Map<String, Json> {
    let plain = |name: &String| name.replace(['_', '-'], "").to_lowercase();
    let fields = record.iter();
    fields
        .map(|(name, value)| (plain(name), value.clone()))
        .collect()
}

/// What is said to have gone wrong, by fields with plain names; `is_record` says whether they are those of a record of
/// which parts are read.
fn complained(body: &Map<String, Json>, asking: &Asking<'_>, is_record: bool) -> Option<String> {
    // What a run that failed says went wrong is its own.
    if is_record && failed_status(body, asking).is_some() {
        return None;
    }
    // Some have a record for it.
    let wrapped = AROUND.iter().chain(&["status"]);
    let mut wrapped = wrapped.filter_map(|name| body.get(*name)?.as_object());
    let within = |inner| complained(&plain_names(inner), asking, is_record);
    if let Some(words) = wrapped.find_map(within) {
        return Some(words);
    }
    let said = ["error", "errormessage"].into_iter().find_map(|name| {
        let error = body.get(name)?;
        let within = || message(&plain_names(error.as_object()?));
        let words = text(error).or_else(within)?;
        (!is_fine(&words) && !is_nothing(&words)).then_some(words)
    });
    said.or_else(|| {
        let code = Code::of(body).filter(|code| !is_record || code.meaning == Meaning::Sure);
        let by_code = code.and_then(|code| code.failure(body));
        by_code.or_else(|| {
            let (name, word) = failed_status(body, asking)?;
            let words = message(body).or_else(|| first_text(body, &REASON_NAMES));
            let words = words.filter(|words| !is_fine(words));
            // A record that another one leads to says it of itself, unless it speaks of who asks.
            if asking.is_for_each() && !words.as_deref().is_some_and(is_wanting) {
                return None;
            }
            Some(words.unwrap_or_else(|| format!("`{name}` is {word:?}")))
        })
    })
    .or_else(|| {
        let flag = |names: &[&'static str], holds: fn(&Json) -> bool| {
            let name = names
                .iter()
                .find(|name| body.get(**name).is_some_and(holds));
            name.map(|name| format!("`{name}` is {}", body[*name]))
        };
        let flag = flag(&["success", "ok", "issuccess"], is_no)
            .or_else(|| flag(&["error", "iserror", "haserror", "haserrors"], is_error))
            .or_else(|| {
                flag(&["unauthorized", "forbidden"], |value| {
                    value == &Json::Bool(true)
                })
            })?;
        Some(
            message(body)
                .filter(|words| !is_fine(words))
                .unwrap_or(flag),
        )
    })
}

/// A text that says something.
fn text(value: &Json) -> Option<String> {
    let text = value.as_str().filter(|text| !text.trim().is_empty());
    text.map(str::to_owned)
}

fn first_text(body: &Map<String, Json>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| text(body.get(*name)?))
}

/// What an answer with plain names says in words, before that all is well.
fn message(body: &Map<String, Json>) -> Option<String> {
    let said = || {
        MESSAGE_NAMES
            .iter()
            .filter_map(|name| text(body.get(*name)?))
    };
    said().find(|text| !is_fine(text)).or_else(|| said().next())
}

/// The name and the word by which an answer says that it is a failure, unless the request has the word.
fn failed_status<'b>(
    body: &'b Map<String, Json>,
    asking: &Asking<'_>,
) -> Option<(&'static str, &'b str)> {
    STATUS_NAMES.into_iter().find_map(|name| {
        let word = body.get(name)?.as_str()?.trim();
        let is_failure = FAILURES
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known));
        (is_failure && !asking.says(word)).then_some((name, word))
    })
}

/// Whether any of its words says that all went well.
fn is_praised(body: &Map<String, Json>) -> bool {
    let mut said = MESSAGE_NAMES
        .iter()
        .filter_map(|name| text(body.get(*name)?));
    said.any(|text| is_fine(&text) && !says_no(&text))
}

/// Whether parts are missing for sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    Sure,
    Perhaps,
}

/// Whether a plain name is one at which answers list what they could not look at.
fn lists_unread(name: &str, body: &Map<String, Json>) -> bool {
    // Where there is a counterpart, both are kinds of records.
    let has_counterpart = || {
        let other = name.strip_prefix("un");
        other.is_some_and(|other| body.contains_key(other))
    };
    match name {
        "partialerrors" | "partialfailures" => true,
        "unreachable" => !has_counterpart(),
        _ if name.starts_with("unprocessed") => !has_counterpart(),
        "failedlocation" | "failedlocations" | "failedregions" => true,
        _ => false,
    }
}

/// By which of its fields an answer with this list says that it lacks something.
fn lacking<'b>(body: &'b Map<String, Json>, list: &Value) -> Option<(&'b str, Loss)> {
    let shards = body.get("shards").and_then(Json::as_object);
    let failed = shards.and_then(|shards| shards.get("failed")?.as_u64());
    if failed.is_some_and(|failed| failed > 0) {
        return Some(("_shards.failed", Loss::Sure));
    }
    let is_list = |name: &str, value: &Json| match value {
        Json::Array(items) => !items.is_empty() && *value != to_json(list),
        // By itself the word may be a kind of records, with their list in it.
        Json::Object(fields) => !fields.is_empty() && name != "unprocessed",
        _ => false,
    };
    let unread = body
        .iter()
        .find(|(name, value)| lists_unread(name, body) && is_list(name, value));
    if let Some((name, _)) = unread {
        return Some((name.as_str(), Loss::Sure));
    }
    let flag = PART_FLAGS
        .into_iter()
        .find(|name| body.get(*name) == Some(&Json::Bool(true)))?;
    let loss = if shards.is_some() {
        Loss::Sure
    } else {
        Loss::Perhaps
    };
    Some((flag, loss))
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
        Json::Object(record) => {
            let fields = plain_names(record);
            let is_well = fields.contains_key("code") && Code::of(&fields).is_none();
            !is_well && record.values().any(says_something_or_counts)
        }
        Json::String(text) => text.eq_ignore_ascii_case("true"),
        Json::Null | Json::Array(_) => false,
    }
}

/// Whether a value is more than nothing, or a number that is not 0.
fn says_something_or_counts(value: &Json) -> bool {
    says_something(value) || value.as_f64().is_some_and(|number| number != 0.0)
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
