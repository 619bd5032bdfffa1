//! What codes in answers say: a number or a word that is none of success.

use serde_json::{Map, Value as Json};

use super::words::{is_fine, is_nothing, says_no, speaks_of_failure};
use super::{REASON_NAMES, first_text, is_praised, message};
use crate::expression::text_of;

/// What codes of failures have in them.
const CODE_WORDS: [&str; 5] = ["error", "fail", "exception", "denied", "throttl"];

/// Where answers say by a number or a word whether it went well, in small letters without anything between.
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
pub(super) struct Code {
    name: &'static str,
    of: CodeName,
    pub(super) text: String,
    pub(super) meaning: Meaning,
}

/// What a code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// That something failed, as a status of HTTP does, or a word.
    Sure,
    /// That something failed, where words say so too.
    Failure,
    /// Something that only words can tell.
    Unclear,
}

impl Code {
    /// The gravest that stands there.
    pub(super) fn of(body: &Map<String, Json>) -> Option<Self> {
        let codes = CODES.into_iter();
        let mut codes: Vec<Self> = codes
            .filter_map(|(name, of)| Self::at(name, of, body.get(name)?))
            .collect();
        let grave = codes
            .iter()
            .position(|code| code.meaning != Meaning::Unclear);
        let at_all = (!codes.is_empty()).then_some(0);
        Some(codes.swap_remove(grave.or(at_all)?))
    }

    fn at(name: &'static str, of: CodeName, value: &Json) -> Option<Self> {
        if !(value.is_number() || value.is_string()) {
            return None;
        }
        let text = text_of(value);
        let text = text.trim();
        let meaning = match text.parse::<i64>() {
            Ok(number) if number == 0 || (200..300).contains(&number) => return None,
            Ok(_) if is_of_http(text) => Meaning::Sure,
            Ok(_) => match of {
                CodeName::Error | CodeName::Return => Meaning::Failure,
                CodeName::Any if is_round(text) => Meaning::Unclear,
                CodeName::Any => Meaning::Failure,
                CodeName::Http => return None,
            },
            Err(_) if of == CodeName::Http || text.is_empty() || is_fine(text) => return None,
            Err(_) => {
                let word = text.to_lowercase();
                let is_failure = CODE_WORDS.iter().any(|known| word.contains(known));
                if is_failure {
                    Meaning::Sure
                } else if of == CodeName::Error {
                    Meaning::Failure
                } else {
                    Meaning::Unclear
                }
            }
        };
        Some(Self {
            name,
            of,
            text: text.to_owned(),
            meaning,
        })
    }

    /// Whether it is a number at a name that says that it is of an error.
    fn is_of_error(&self) -> bool {
        self.of == CodeName::Error && self.text.parse::<i64>().is_ok()
    }

    /// What the code and the words beside it say went wrong.
    pub(super) fn failure(&self, body: &Map<String, Json>) -> Option<String> {
        let says_so = self.meaning == Meaning::Sure || self.is_of_error();
        let reason = || first_text(body, &REASON_NAMES).filter(|_| says_so);
        let words = message(body)
            .filter(|words| !says_no(words))
            .or_else(reason);
        let Some(words) = words else {
            return self
                .is_of_error()
                .then(|| format!("`{}` is {}", self.name, self.text));
        };
        let is_failure = match self.meaning {
            Meaning::Sure => {
                !(is_fine(&words) || self.text.starts_with("404") && is_nothing(&words))
            }
            // Whatever such a code means to the vendor, it may be that there is nothing.
            Meaning::Failure => {
                !is_praised(body) && !is_nothing(&words) && speaks_of_failure(&words)
            }
            Meaning::Unclear => false,
        };
        is_failure.then(|| format!("{words} (code {})", self.text))
    }
}

/// Whether a code is 1, 1000, 20000 or the like, which some vendors take for success.
fn is_round(code: &str) -> bool {
    code.strip_prefix(['1', '2'])
        .is_some_and(|rest| rest.bytes().all(|digit| digit == b'0'))
}

/// Whether a code is a status of HTTP that is a failure, or begins with one, as 40101 does.
pub(super) fn is_of_http(code: &str) -> bool {
    let status = code.get(..3).and_then(|status| status.parse().ok());
    [3, 5, 6].contains(&code.len()) && status.is_some_and(|status| (400..600).contains(&status))
}
