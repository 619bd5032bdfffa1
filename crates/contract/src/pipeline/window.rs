//! Windows of time.

use std::fmt;

use jiff::Timestamp;

/// A half-open stretch of time: from `start` on and before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first moment that counts.
    pub start: Timestamp,
    /// The first moment that does not.
    pub end: Timestamp,
}

impl Window {
    /// Whether a moment is in it.
    #[must_use]
    pub fn contains(self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// The part before a moment and the part from it on; none when one of them would be empty.
    #[must_use]
    pub fn split(self, at: Timestamp) -> Option<[Self; 2]> {
        let parts = [Self { end: at, ..self }, Self { start: at, ..self }];
        (self.start < at && at < self.end).then_some(parts)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {})", self.start, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_its_start_and_not_its_end() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let window = Window {
            start: at(1),
            end: at(3),
        };
        assert!(window.contains(at(1)) && window.contains(at(2)));
        assert!(!window.contains(at(0)) && !window.contains(at(3)));
        assert_eq!(
            window.to_string(),
            "[1970-01-01T00:00:01Z, 1970-01-01T00:00:03Z)"
        );
        let parts = window.split(at(2)).unwrap();
        let bounds = parts.map(|part| (part.start, part.end));
        assert_eq!(bounds, [(at(1), at(2)), (at(2), at(3))]);
        assert_eq!((window.split(at(1)), window.split(at(3))), (None, None));
    }
}
