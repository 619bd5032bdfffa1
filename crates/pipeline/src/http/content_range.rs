//! What an answer says of the part that it is, by `Content-Range` (RFC 9110, 14.4); vendors count records by it, too.

use std::collections::BTreeMap;

/// The status of an answer that is a part.
const PARTIAL: u16 = 206;

/// What an answer says of what it is a part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Extent {
    /// It is no part, or does not say so.
    Whole,
    /// There is more behind it: what it says.
    More(String),
    /// It is a part, and nobody knows of what.
    Unknown,
}

impl Extent {
    /// What an answer with this status and these headers says.
    pub(crate) fn of(status: u16, headers: &BTreeMap<String, String>) -> Self {
        let unsaid = if status == PARTIAL {
            Self::Unknown
        } else {
            Self::Whole
        };
        let Some(text) = headers.get("content-range") else {
            return unsaid;
        };
        // Some leave the unit out.
        let range = text.trim();
        let range = range
            .rsplit_once([' ', '='])
            .map_or(range, |(_, range)| range);
        let parts = range.split_once('/').and_then(|(part, total)| {
            let (_, last) = part.split_once('-')?;
            let number = |text: &str| text.trim().parse::<u64>().ok();
            Some((number(last)?, number(total)?))
        });
        match parts {
            Some((last, total)) if last.saturating_add(1) < total => {
                Self::More(format!("Content-Range: {text}"))
            }
            Some(_) => Self::Whole,
            None => unsaid,
        }
    }

    /// Whether a range counts bytes, so that the answer's text is cut.
    pub(crate) fn is_of_bytes(headers: &BTreeMap<String, String>) -> bool {
        headers
            .get("content-range")
            .is_some_and(|text| text.trim_start().to_ascii_lowercase().starts_with("bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_says_whether_more_lies_behind_it() {
        let more = |text: &str| Extent::More(format!("Content-Range: {text}"));
        for (status, text, extent) in [
            (206, "items 0-99/240", more("items 0-99/240")),
            (200, "0-24/319", more("0-24/319")),
            (206, "resources=0-24/319", more("resources=0-24/319")),
            (206, "items 200-239/240", Extent::Whole),
            (206, "items 0-99/*", Extent::Unknown),
            (206, "id a..f", Extent::Unknown),
            (200, "items 0-99/*", Extent::Whole),
            (200, "items */0", Extent::Whole),
        ] {
            let headers = BTreeMap::from([("content-range".to_owned(), text.to_owned())]);
            assert_eq!(Extent::of(status, &headers), extent, "{status} {text}");
        }
        assert_eq!(Extent::of(206, &BTreeMap::new()), Extent::Unknown);
    }
}
