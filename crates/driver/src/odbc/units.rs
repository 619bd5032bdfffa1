//! Texts, lengths and times in the units that the manager takes and gives.

use std::time::Duration;

/// A length as it was meant: of a driver that was built with lengths of 32 bits, -1 for NULL comes as a large number.
pub(super) fn widened(length: isize) -> isize {
    match u32::try_from(length).map(u32::cast_signed) {
        Ok(low @ ..0) => isize::try_from(low).unwrap_or(length),
        _ => length,
    }
}

/// Whether every other unit of a text is empty, as it is where characters have four bytes.
pub(super) fn has_four_bytes(units: &[u16], length: i16) -> bool {
    length > 2 && matches!(units, [first, 0, third, 0, ..] if *first != 0 && *third != 0)
}

/// A text as the manager takes it: UTF-16 with a NUL at its end.
pub(super) fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

pub(super) fn until_nul(units: &[u16]) -> String {
    let end = units.iter().position(|unit| *unit == 0);
    String::from_utf16_lossy(&units[..end.unwrap_or(units.len())])
}

pub(super) fn capacity(length: usize) -> i16 {
    i16::try_from(length).unwrap_or(i16::MAX)
}

pub(super) fn whole_seconds(duration: Duration) -> usize {
    // Longer limits than a day are as good as none, and drivers hold milliseconds in 32 bits.
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    usize::try_from(seconds.clamp(1, 86_400)).unwrap_or(86_400)
}
