//! What texts of vendors say: that all went well, that there is nothing, or that something failed.

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

/// What a text has in it that speaks of a failure, in the languages that vendors write.
const FAILING: [&str; 38] = [
    "abort",
    "cannot",
    "could not",
    "crash",
    "denied",
    "error",
    "exceed",
    "exception",
    "expire",
    "fail",
    "forbid",
    "illegal",
    "incorrect",
    "invalid",
    "limit",
    "missing",
    "not allowed",
    "not available",
    "refuse",
    "reject",
    "throttl",
    "time out",
    "timed out",
    "timeout",
    "too many",
    "unable",
    "unauthor",
    "unavailable",
    "unreachable",
    "fehler",
    "erreur",
    "ошибк",
    "失败",
    "错误",
    "异常",
    "过期",
    "权限",
    "不可用",
];

/// What an answer that has nothing has in it only where it could not look.
const BROKEN: [&str; 9] = [
    "cannot",
    "could not",
    "failed to",
    "reachable",
    "refused",
    "timed out",
    "timeout",
    "unable",
    "unavailable",
];

/// Within so many words of its `no` stands what there is none of.
const NEAR: usize = 3;

/// Whether a text says that something failed, or what is wanting.
pub(super) fn speaks_of_failure(text: &str) -> bool {
    let small = text.to_lowercase();
    is_wanting(text) || FAILING.iter().any(|word| small.contains(word))
}

/// Whether a text speaks of what it takes to be answered.
pub(super) fn is_wanting(text: &str) -> bool {
    let text = text.to_lowercase();
    NEEDS.iter().any(|need| text.contains(need))
}

/// Whether a text is a flag that says no.
pub(super) fn says_no(text: &str) -> bool {
    ["false", "no", "none", "null", "0"]
        .iter()
        .any(|word| text.trim().eq_ignore_ascii_case(word))
}

/// Whether a text says that all went well, or that there is no error.
pub(super) fn is_fine(text: &str) -> bool {
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
pub(super) fn is_nothing(text: &str) -> bool {
    let wants = is_wanting(text);
    let text = text.to_lowercase();
    if wants || BROKEN.iter().any(|word| text.contains(word)) {
        return false;
    }
    let words: Vec<&str> = text
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    match words.first() {
        None | Some(&("nothing" | "empty")) => return true,
        Some(_) => {}
    }
    let is_thing = |word: &&str| THINGS.split(' ').any(|thing| thing == *word);
    let says_no = |word: &&str| matches!(*word, "no" | "none" | "0" | "zero");
    let mut nos = (0..words.len()).filter(|at| says_no(&words[*at]));
    words.len() == 1 && says_no(&words[0])
        || nos.any(|at| words[at + 1..].iter().take(NEAR).any(is_thing))
}
