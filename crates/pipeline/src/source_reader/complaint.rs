//! What an answer says for itself that has no records, or not all of them.

use bowline_template::{Kind, Value};
use serde_json::{Map, Value as Json};

use super::SourceReader;
use crate::description::{Origin, Source};
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

/// What codes of failures have in them.
const CODE_WORDS: [&str; 5] = ["error", "fail", "exception", "denied", "throttl"];

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

/// Where they say by a number or a word whether it went well, in small letters without anything between.
const CODES: [(&str, CodeName); 13] = [
    ("errorcode", CodeName::Error),
    ("errcode", CodeName::Error),
    ("errorno", CodeName::Error),
    ("errno", CodeName::Error),
    ("retcode", CodeName::Return),
    ("returncode", CodeName::Return),
    ("resultcode", CodeName::Return),
    ("code", CodeName::Any),
    ("responsecode", CodeName::Any),
    ("respcode", CodeName::Any),
    ("statuscode", CodeName::Http),
    ("httpstatus", CodeName::Http),
    ("status", CodeName::Http),
];

/// How identifiers of a record end.
const RECORD_IDS: [&str; 4] = ["runid", "jobid", "taskid", "executionid"];

/// Flags that some of what there is may not be in an answer.
const PART_FLAGS: [&str; 4] = ["timedout", "partial", "ispartial", "partialresults"];

/// Where they warn of something, and in what else of an answer.
const WARNING_NAMES: [&str; 2] = ["warnings", "warning"];
const AROUND: [&str; 3] = ["meta", "metadata", "extensions"];

/// What an answer that has nothing says that there is none of.
const THINGS: &str = "content data entries events executions found item items job jobs match matches matching pages \
    record records result results rows run runs yet";

/// What it does not speak of then.
const NEEDS: [&str; 9] = [
    "access",
    "auth",
    "credential",
    "key",
    "licen",
    "permission",
    "quota",
    "session",
    "token",
];

/// How deep in an answer its words are looked for.
const DEEPEST: usize = 3;

/// What a name says of the codes that stand at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CodeName {
    /// They are of errors.
    Error,
    /// They are what a call returned: anything but 0 is a failure.
    Return,
    /// Nothing: with some, 1 or 10000 are success.
    Any,
    /// They are of HTTP, or something else that is no code at all.
    Http,
}

/// A code that is none of success.
struct Code {
    name: &'static str,
    text: String,
    meaning: Meaning,
}

/// What a code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// That something failed.
    Failure,
    /// The same, by the name that it stands at, whether there are words or not.
    Error,
    /// Something that only words can tell.
    Unclear,
}

impl Code {
    fn of(body: &Map<String, Json>) -> Option<Self> {
        CODES
            .into_iter()
            .find_map(|(name, of)| Self::at(name, of, body.get(name)?))
    }

    fn at(name: &'static str, of: CodeName, value: &Json) -> Option<Self> {
        if !(value.is_number() || value.is_string()) {
            return None;
        }
        let text = text_of(value);
        let text = text.trim();
        let meaning = match text.parse::<i64>() {
            Ok(number) if number == 0 || (200..300).contains(&number) => return None,
            Ok(_) => match of {
                CodeName::Error => Meaning::Error,
                CodeName::Return => Meaning::Failure,
                CodeName::Any if is_round(text) => Meaning::Unclear,
                CodeName::Any => Meaning::Failure,
                CodeName::Http if is_of_http(text) => Meaning::Failure,
                CodeName::Http => return None,
            },
            Err(_) if of == CodeName::Http || text.is_empty() || is_fine(text) => return None,
            Err(_) => {
                let word = text.to_lowercase();
                let is_failure = CODE_WORDS.iter().any(|known| word.contains(known));
                if is_failure || of == CodeName::Error {
                    Meaning::Failure
                } else {
                    Meaning::Unclear
                }
            }
        };
        Some(Self {
            name,
            text: text.to_owned(),
            meaning,
        })
    }

    /// What the code and the words beside it say went wrong.
    fn failure(&self, words: Option<String>) -> Option<String> {
        match words.filter(|words| !says_no(words)) {
            Some(words) => {
                (self.meaning != Meaning::Unclear && !is_fine(&words) && !is_nothing(&words))
                    .then(|| format!("{words} (code {})", self.text))
            }
            None => (self.meaning == Meaning::Error)
                .then(|| format!("`{}` is {}", self.name, self.text)),
        }
    }
}

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
        let is_id = |name: &String| {
            name == "id" || name == "uuid" || RECORD_IDS.iter().any(|id| name.ends_with(id))
        };
        !matches!(self.source.origin, Origin::Once) && body.keys().any(is_id)
    }

    /// Whether the request says a word, as one for runs that failed does: the answer only repeats it.
    fn says(&self, word: &str) -> bool {
        let address = &self.request.address;
        let host = address.find("://").map_or(0, |at| at + 3);
        let path = address[host..].find(['/', '?']);
        let path = path.map_or("", |at| &address[host + at..]);
        let asked = [Some(path), self.request.body.as_deref()];
        let mut words = asked
            .into_iter()
            .flatten()
            .flat_map(|text| text.split(|letter: char| !letter.is_alphanumeric()));
        words.any(|asked| asked.eq_ignore_ascii_case(word))
    }
}

/// Whether a code is 1, 1000, 20000 or the like, which some vendors take for success.
fn is_round(code: &str) -> bool {
    code.strip_prefix(['1', '2'])
        .is_some_and(|rest| rest.bytes().all(|digit| digit == b'0'))
}

/// Whether a code is a status of HTTP that is a failure, or begins with one, as 40101 does.
fn is_of_http(code: &str) -> bool {
    let status = code.get(..3).and_then(|status| status.parse().ok());
    [3, 5, 6].contains(&code.len()) && status.is_some_and(|status| (400..600).contains(&status))
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
        if let Some((name, loss)) = lacking(&fields).filter(|(name, _)| !asking.says(name)) {
            let note = format!("the vendor says by `{name}` that parts of an answer are missing");
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
    complained(&plain_names(to_json(body).as_object()?), asking)
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
fn complained(body: &Map<String, Json>, asking: &Asking<'_>) -> Option<String> {
    // Some have a record for it.
    let wrapped = AROUND.iter().chain(&["status"]);
    let mut wrapped = wrapped.filter_map(|name| body.get(*name)?.as_object());
    if let Some(words) = wrapped.find_map(|inner| complained(&plain_names(inner), asking)) {
        return Some(words);
    }
    let said = ["error", "errormessage"].into_iter().find_map(|name| {
        let error = body.get(name)?;
        let within = || message(&plain_names(error.as_object()?));
        text(error).filter(|text| !is_fine(text)).or_else(within)
    });
    let words = || message(body).or_else(|| first_text(body, &REASON_NAMES));
    said.or_else(|| {
        // Whatever else a record says, it says of itself.
        if asking.is_for_parts_of(body) {
            return None;
        }
        let by_code = Code::of(body).and_then(|code| code.failure(words()));
        by_code.or_else(|| {
            let (name, word) = failed_status(body).filter(|(_, word)| !asking.says(word))?;
            let words = words().filter(|words| !is_fine(words));
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

/// The name and the word by which an answer says that it is a failure.
fn failed_status(body: &Map<String, Json>) -> Option<(&'static str, &str)> {
    STATUS_NAMES.into_iter().find_map(|name| {
        let word = body.get(name)?.as_str()?.trim();
        let is_failure = FAILURES
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known));
        is_failure.then_some((name, word))
    })
}

/// Whether parts are missing for sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    Sure,
    Perhaps,
}

/// By which of its fields an answer says that it lacks something.
fn lacking(body: &Map<String, Json>) -> Option<(&'static str, Loss)> {
    let shards = body.get("shards").and_then(Json::as_object);
    let failed = shards.and_then(|shards| shards.get("failed")?.as_u64());
    if failed.is_some_and(|failed| failed > 0) {
        return Some(("_shards.failed", Loss::Sure));
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

/// Whether a text says that all went well, or that there is no error.
fn is_fine(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    if has(&["unsucc", "not succ", "no succ", "未成功", "不成功"]) {
        return false;
    }
    let letters: String = text
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .collect();
    let is = |words: &[&str]| words.contains(&letters.as_str());
    says_no(&text)
        || is(&[
            "ok",
            "okay",
            "done",
            "complete",
            "completed",
            "noerror",
            "noerrors",
        ])
        || has(&["succe", "succès", "éxito", "erfolg", "успе", "成功", "성공"])
}

/// Whether a text says that there is nothing to give, which is no failure.
fn is_nothing(text: &str) -> bool {
    let text = text.to_lowercase();
    if NEEDS.iter().any(|need| text.contains(need)) {
        return false;
    }
    let mut words = text
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty());
    match words.next() {
        Some("nothing" | "none" | "empty" | "zero" | "0") => return true,
        Some("no") => {}
        Some(_) => {
            if !words.any(|word| matches!(word, "no" | "0" | "zero")) {
                return false;
            }
        }
        None => return true,
    }
    words.any(|word| THINGS.split(' ').any(|thing| thing == word))
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
