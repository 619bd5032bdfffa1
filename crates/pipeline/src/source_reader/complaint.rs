//! What an answer says for itself that has no records, or not all of them.

use bowline_template::{Kind, Value};
use serde_json::{Map, Value as Json};

use super::SourceReader;
use crate::expression::{text_of, to_json};
use crate::http::graphql;

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

impl SourceReader<'_> {
    /// What an answer says for itself that does not hold what it should, without any secret.
    pub(super) fn said(&self, body: &Value) -> Option<String> {
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
    pub(super) fn refusal(&self, body: &Value) -> Option<String> {
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
    pub(super) fn remark(&self, list: &Value, body: &Value) -> Option<String> {
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
}

/// What an answer without records says went wrong, whatever its status: an error, or that it is no success.
pub(super) fn complaint(body: &Value) -> Option<String> {
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
