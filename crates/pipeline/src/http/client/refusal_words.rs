//! What the words of a refusal say.

use crate::error::SourceErrorKind;
use crate::http::transport::Incoming;

/// Words of a refusal that say that a token or session is not good any more.
const EXPIRY_WORDS: [&str; 6] = [
    "expired",
    "invalid_session",
    "invalid session",
    "invalidsession",
    "invalid_token",
    "session timeout",
];

/// Words of a refusal that say that the time in a signature is not the vendor's.
const CLOCK_WORDS: [&str; 6] = [
    "signature expired",
    "signature not yet current",
    "time skew",
    "timetooskewed",
    "clock skew",
    "issued in the future",
];

/// Words of a refusal by 400 or 403 that say that fewer requests are wanted.
const PACE_WORDS: [&str; 6] = [
    "throttl",
    "ratelimitexceeded",
    "rate limit",
    "rate exceeded",
    "toomanyrequests",
    "too many requests",
];

/// Words of an answer that a description has asked again, without the signs between them, that say the same.
const PATIENCE_WORDS: [&str; 6] = [
    "ratelimit",
    "slowdown",
    "quota",
    "limitexceeded",
    "frequencylimit",
    "code:429",
];

/// Words for the place to go on from in a list, and that it is not good any more.
const PLACE_WORDS: [&str; 7] = [
    "cursor", "token", "page", "continu", "scroll", "bookmark", "offset",
];
const GONE_WORDS: [&str; 4] = ["expired", "no longer", "not found", "stale"];
/// Words of a 404 that say that there is no such page.
const ABSENT_WORDS: [&str; 5] = ["invalid", "out of range", "not exist", "beyond", "no such"];

/// How much of an answer is searched for such words, in bytes.
pub(super) const SEARCHED: usize = 4096;

/// The beginning of what an answer holds, in small letters.
pub(super) fn beginning_of(raw: &Incoming) -> String {
    String::from_utf8_lossy(&raw.body[..raw.body.len().min(SEARCHED)]).to_ascii_lowercase()
}

/// Whether a refusal says that the clocks are apart.
pub(super) fn speaks_of_clock(raw: &Incoming) -> bool {
    let text = beginning_of(raw);
    CLOCK_WORDS.iter().any(|word| text.contains(word))
}

/// What a refusal of a later page says of the page, or of the place to go on from.
pub(super) fn later_page(raw: &Incoming) -> Option<SourceErrorKind> {
    let text = beginning_of(raw);
    // A place that is not found was there; a page need not have been.
    let text = text.replace("page not found", "no such page");
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let names_place = has(&PLACE_WORDS);
    match raw.status {
        410 => Some(SourceErrorKind::PlaceExpired),
        400 | 404 | 409 | 422 if names_place && has(&GONE_WORDS) => {
            Some(SourceErrorKind::PlaceExpired)
        }
        404 if names_place && has(&ABSENT_WORDS) => Some(SourceErrorKind::NoSuchPage),
        404 => Some(SourceErrorKind::NotFound),
        _ => None,
    }
}

/// Whether what an answer of status 200 says instead of a later page is that there is no such page.
pub(crate) fn speaks_of_no_page(words: &str) -> bool {
    let text = words.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    // A token may be another one than that of the page, and a bound is where the vendor stops and not where the list does.
    const OTHERWISE: [&str; 9] = [
        "token", "login", "session", "max", "limit", "exceed", "size", "must", "greater",
    ];
    const NONE: [&str; 6] = [
        "out of range",
        "not exist",
        "no such page",
        "not found",
        "invalid page",
        "past the end",
    ];
    has(&["page", "offset"]) && has(&NONE) && !has(&OTHERWISE)
}

/// Whether the words of a refusal say that fewer requests are wanted.
pub(super) fn speaks_of_pace(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    PACE_WORDS.iter().any(|word| text.contains(word))
}

/// Whether an answer that the description has asked again says that fewer requests are wanted: it may do so in more words,
/// and with the signs between them that names have.
pub(super) fn asks_for_patience(text: &str) -> bool {
    let letters: String = text
        .chars()
        .filter(|letter| !matches!(letter, '_' | '-' | ' ' | '"'))
        .collect();
    let letters = letters.to_ascii_lowercase();
    speaks_of_pace(text) || PATIENCE_WORDS.iter().any(|word| letters.contains(word))
}

/// Whether words say that a token or session is not good any more.
pub(super) fn speaks_of_expiry(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    EXPIRY_WORDS.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_requests_are_wanted_in_many_words() {
        for words in [
            "slow down",
            r#"{"error":"SlowDown"}"#,
            "RATE_LIMITED",
            "rate-limit reached",
            r#"{"code": 429}"#,
            "request limit exceeded",
            "Quota exceeded",
        ] {
            assert!(asks_for_patience(words), "{words}");
        }
        for words in [r#"{"state":"RUNNING"}"#, "not ready yet", r#"{"code":202}"#] {
            assert!(!asks_for_patience(words), "{words}");
        }
    }
}
