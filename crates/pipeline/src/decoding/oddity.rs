//! What vendors do wrong in their answers and is put up with.

use std::sync::atomic::{AtomicU64, Ordering};

/// A mistake of a vendor's that is put up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Oddity {
    /// A mark of the order of bytes before the text.
    ByteOrderMark,
    /// Text that is not UTF-8.
    OtherEncoding,
    /// Half of a pair that only together stands for a character.
    LoneSurrogate,
    /// `NaN` or `Infinity`, which JSON does not have.
    NoNumber,
    /// Lists and records nested deeper than they may be.
    TooDeep,
    /// A line end or the like that stands in a text as it is.
    ControlCharacter,
    /// A record that has a name twice.
    RepeatedName,
}

impl Oddity {
    const ALL: [Self; 7] = [
        Self::ByteOrderMark,
        Self::OtherEncoding,
        Self::LoneSurrogate,
        Self::NoNumber,
        Self::TooDeep,
        Self::ControlCharacter,
        Self::RepeatedName,
    ];

    const fn words(self) -> &'static str {
        match self {
            Self::ByteOrderMark => "with a byte order mark, which was passed over",
            Self::OtherEncoding => {
                "not in UTF-8, read by the encoding they name or else as Windows-1252"
            }
            Self::LoneSurrogate => "with half a surrogate pair, of which U+FFFD was made",
            Self::NoNumber => "with `NaN` or `Infinity`, of which null was made",
            Self::TooDeep => {
                "nested more than 128 deep, of which what lies deeper was kept as text"
            }
            Self::ControlCharacter => "with control characters in a text that are not escaped",
            Self::RepeatedName => "with a field twice in one record, of which the last counts",
        }
    }
}

/// How many answers had which; all threads may share it.
#[derive(Debug, Default)]
pub(crate) struct Oddities([AtomicU64; Oddity::ALL.len()]);

impl Oddities {
    /// Counts an answer.
    pub(crate) fn note(&self, oddity: Oddity) {
        self.0[oddity as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// What there was since it was last asked for, in words.
    pub(crate) fn take(&self) -> Vec<String> {
        let counts = Oddity::ALL.iter().map(|oddity| {
            let count = self.0[*oddity as usize].swap(0, Ordering::Relaxed);
            (count, oddity.words())
        });
        counts
            .filter(|(count, _)| *count > 0)
            .map(|(count, words)| format!("{} {words}", bowline_words::counted(count, "answer")))
            .collect()
    }
}
