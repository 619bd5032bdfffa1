//! Names and ids that were written in another way than the vendor means them: escaped, or read in another encoding.

use std::collections::BTreeMap;

use bowline_contract::pipeline::AssetEvent;
use bowline_words::counted;
use serde_json::Value as Json;

use super::outcome::Outcome;
use super::reading::asset_label;
use super::times::SHOWN;

/// With so many names it is no accident, whatever else is said.
const SEVERAL: usize = 3;

/// Names of jobs that are garbled, a line each: where something else that the job says holds the name as it should be,
/// or where all names are garbled that could be, and so many. A vendor's own names may be odd.
pub(super) fn garbled_names(assets: &[AssetEvent]) -> Vec<String> {
    let mut certain = Vec::new();
    let mut likely = Vec::new();
    let mut plain = 0;
    for job in assets {
        let (Some(name), Some(label)) = (job.name(), asset_label(job)) else {
            continue;
        };
        let Some((way, meant)) = garbled(name) else {
            // What says a blank or a letter beyond ASCII as it is was not escaped.
            plain += usize::from(name.contains(|letter: char| letter == ' ' || !letter.is_ascii()));
            continue;
        };
        let line = format!("{label}: the name `{name}` is {way}");
        if texts(job.json()).iter().any(|text| meant.is_in(text)) {
            certain.push(line.clone());
        }
        likely.push(line);
    }
    if likely.len() >= SEVERAL && plain == 0 {
        return likely;
    }
    certain
}

/// What a garbled name was before.
enum Meant {
    Text(String),
    /// Letters that were lost, each a `?`.
    Pattern(String),
}

impl Meant {
    fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Text(meant) => text.contains(meant),
            Self::Pattern(pattern) => {
                let wanted: Vec<char> = pattern.chars().collect();
                let letters: Vec<char> = text.chars().collect();
                let fits = |(letter, wanted): (&char, &char)| {
                    letter == wanted || (*wanted == '?' && !letter.is_ascii())
                };
                letters.windows(wanted.len()).any(|part| {
                    part.iter().zip(&wanted).all(fits) && part.iter().any(|one| !one.is_ascii())
                })
            }
        }
    }
}

/// In which way a name is garbled, if it is.
fn garbled(name: &str) -> Option<(&'static str, Meant)> {
    if let Some(text) = unescaped(name) {
        return Some(("escaped as in HTML", Meant::Text(text)));
    }
    let decoded = Some(percent_decoded(name)).filter(|text| text != name);
    // What was encoded holds no blank.
    if let Some(text) = decoded.filter(|_| !name.contains(' ')) {
        return Some(("percent-encoded", Meant::Text(text)));
    }
    if let Some(text) = misread(name) {
        return Some(("UTF-8 that was read as Latin-1", Meant::Text(text)));
    }
    let lost = name.contains('?').then(|| Meant::Pattern(name.to_owned()));
    lost.filter(|_| name.is_ascii() && is_lost(name))
        .map(|pattern| ("ASCII with `?` for other letters", pattern))
}

/// Whether question marks stand where people write letters: before a letter, or several in a row.
fn is_lost(name: &str) -> bool {
    let letters: Vec<char> = name.chars().collect();
    letters
        .windows(2)
        .any(|pair| pair[0] == '?' && (pair[1].is_alphanumeric() || pair[1] == '?'))
}

fn unescaped(name: &str) -> Option<String> {
    const ENTITIES: [(&str, &str); 6] = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    let mut text = name.to_owned();
    for (entity, letter) in ENTITIES {
        text = text.replace(entity, letter);
    }
    (text != name).then_some(text)
}

/// A text with its percent signs and codes resolved; the same where it has none that can be.
fn percent_decoded(text: &str) -> String {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    decoded.map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}

fn misread(name: &str) -> Option<String> {
    let bytes: Option<Vec<u8>> = name
        .chars()
        .map(|letter| u8::try_from(u32::from(letter)).ok())
        .collect();
    let text = String::from_utf8(bytes?).ok()?;
    (text != name).then_some(text)
}

/// Every text that a job says beside its name.
fn texts(job: &Json) -> Vec<&str> {
    let fields = job.as_object().into_iter().flatten();
    let mut open: Vec<&Json> = fields
        .filter(|(field, _)| *field != "name")
        .map(|(_, value)| value)
        .collect();
    let mut texts = Vec::new();
    while let Some(value) = open.pop() {
        match value {
            Json::String(text) => texts.push(text.as_str()),
            Json::Array(items) => open.extend(items),
            Json::Object(fields) => open.extend(fields.values()),
            _ => {}
        }
    }
    texts
}

/// Jobs of runs that the metadata has in another spelling: in other letters, or escaped.
pub(super) fn spelt_otherwise<'r>(
    strangers: impl Iterator<Item = &'r str>,
    assets: &[AssetEvent],
) -> Option<Outcome> {
    let spelling = |id: &str| percent_decoded(id).to_lowercase().trim().to_owned();
    let known: BTreeMap<String, &str> = assets
        .iter()
        .filter_map(AssetEvent::job_source_id)
        .map(|id| (spelling(id), id))
        .collect();
    let lines: Vec<String> = strangers
        .filter_map(|job| {
            let own = known.get(&spelling(job))?;
            Some(format!("job `{job}` of runs is `{own}` in the metadata"))
        })
        .collect();
    if lines.is_empty() {
        return None;
    }
    let got = format!("{} in another spelling", counted(lines.len(), "job"));
    Some(
        Outcome::wrong("the jobs that runs are of", got)
            .with_evidence(lines.into_iter().take(SHOWN))
            .with_hint("give the same `job_source_id` in the metadata and in runs, as the vendor writes it"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(names: &[(&str, &str)]) -> usize {
        let jobs: Vec<AssetEvent> = names
            .iter()
            .map(|(name, task)| {
                AssetEvent::new(json!({
                    "job_source_id": "j", "name": name, "tasks": [{"task_source_id": "t", "name": task}],
                }))
            })
            .collect();
        garbled_names(&jobs).len()
    }

    #[test]
    fn a_name_that_something_else_says_right_is_garbled() {
        for (name, task) in [
            ("Orders &lt;raw&gt;", "load Orders <raw>"),
            ("Orders%20%2Fraw", "load Orders /raw"),
            ("\u{c3}\u{9c}bersicht", "load Übersicht"),
            (
                "Kunden-?bersicht f?r alle",
                "load Kunden-Übersicht für alle",
            ),
            ("????", "load 日次集計"),
        ] {
            assert_eq!(told(&[(name, task)]), 1, "{name}");
            assert_eq!(told(&[(name, "load")]), 0, "{name}: the vendor's own");
            assert_eq!(told(&[(name, "load"); 3]), 3, "{name}");
            let beside = [
                (name, "load"),
                (name, "load"),
                (name, "load"),
                ("für alle", "load"),
            ];
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
            "Größe",
            "AT&T;x",
            "a?",
        ];
        let names: Vec<(&str, &str)> = odd.iter().map(|name| (*name, *name)).collect();
        assert_eq!(told(&names), 0);
    }
}
