//! Names that were written in another way than the vendor means them: escaped, or read in another encoding.

use bowline_contract::pipeline::AssetEvent;

use super::reading::asset_label;

/// With so many names it is no accident, whatever else is said.
const SEVERAL: usize = 3;

/// Names of jobs that are garbled, a line each, where several are and most that could be. A vendor's own names may be
/// odd: addresses, and names that are part of the job's id, are its own.
pub(super) fn garbled_names(assets: &[AssetEvent]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut plain = 0;
    for job in assets {
        let (Some(name), Some(label)) = (job.name(), asset_label(job)) else {
            continue;
        };
        let is_of_id = job.job_source_id().is_some_and(|id| id.contains(name));
        if is_of_id || name.contains("://") {
            continue;
        }
        match garbled(name) {
            Some(way) => lines.push(format!("{label}: the name `{name}` is {way}")),
            // What says a blank or a letter beyond ASCII as it is was not escaped.
            None => {
                plain +=
                    usize::from(name.contains(|letter: char| letter == ' ' || !letter.is_ascii()));
            }
        }
    }
    if lines.len() < SEVERAL || lines.len() <= plain {
        lines.clear();
    }
    lines
}

/// In which way a name is garbled, if it is.
fn garbled(name: &str) -> Option<&'static str> {
    if is_escaped(name) {
        return Some("escaped as in HTML");
    }
    // What was encoded holds no blank.
    if !name.contains(' ') && percent_decoded(name) != name {
        return Some("percent-encoded");
    }
    is_misread(name).then_some("UTF-8 that was read as Latin-1")
}

fn is_escaped(name: &str) -> bool {
    const ENTITIES: [&str; 6] = ["&lt;", "&gt;", "&quot;", "&#x27;", "&#39;", "&amp;"];
    ENTITIES.iter().any(|entity| name.contains(entity))
}

/// A text with its percent signs and codes resolved; the same where it has none that can be.
fn percent_decoded(text: &str) -> String {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    decoded.map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}

fn is_misread(name: &str) -> bool {
    let bytes: Option<Vec<u8>> = name
        .chars()
        .map(|letter| u8::try_from(u32::from(letter)).ok())
        .collect();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.is_some_and(|text| text != name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples::job;
    use super::*;

    fn told(names: &[&str]) -> usize {
        let named = |(nth, name): (usize, &&str)| job(&nth.to_string(), json!({"name": name}));
        let jobs: Vec<AssetEvent> = names.iter().enumerate().map(named).collect();
        garbled_names(&jobs).len()
    }

    #[test]
    fn names_that_are_garbled_as_most_are_told() {
        for name in [
            "Orders &lt;raw&gt;",
            "Orders%20%2Fraw",
            "\u{c3}\u{9c}bersicht",
        ] {
            assert_eq!(told(&[name; 2]), 0, "{name}: the vendor's own");
            assert_eq!(told(&[name; 3]), 3, "{name}");
            let beside = [name, name, name, "für alle", "im März", "a b"];
            assert_eq!(told(&beside), 0, "{name}: others are as they should be");
        }
    }

    #[test]
    fn odd_names_are_no_fault() {
        let odd = [
            "R&D",
            "100% load",
            "50%25 or so",
            "is it there?",
            "load_??.xml",
            "Größe",
            "AT&T;x",
            "a?",
        ];
        assert_eq!(told(&odd), 0);
        assert_eq!(told(&["https://v.example/a%20b"; 4]), 0, "addresses");
        let branch = |id: &str| job(id, json!({"name": "feature%2Flogin"}));
        let branches = ["a", "b", "c"].map(|of| branch(&format!("{of}/feature%2Flogin")));
        assert_eq!(garbled_names(&branches).len(), 0, "names in ids");
    }
}
