//! The checkpoint: until when everything is collected, and the window that is not finished.

use bowline_contract::pipeline::{EventTime, Window};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::clocks::ClockReading;
use crate::failed_windows::FailedWindows;

pub(crate) const VERSION: u32 = 2;
/// How many windows are told apart: when the clock turns out to have been wrong, those of that time are read again.
const MOST_WINDOWS: usize = 48;
/// By how much our clock may go back without a word.
const JITTER: SignedDuration = SignedDuration::from_secs(2);
const CHECKSUM: &str = "checksum";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checkpoint {
    pub(crate) version: u32,
    /// What is collected, and where it goes.
    pub(crate) collection: String,
    /// Windows that adjoin, the latest last: everything in them is collected.
    collected: Vec<Collected>,
    /// The window that is begun and not finished.
    pub(crate) open_window: Option<Bounds>,
    /// Windows that could not be read, though they count as collected.
    #[serde(default, skip_serializing_if = "FailedWindows::is_empty")]
    pub(crate) failed_windows: FailedWindows,
    /// Dead letters that nobody has retried or discarded.
    pub(crate) given_up: usize,
}

/// A window as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bounds {
    start: EventTime,
    end: EventTime,
}

impl Bounds {
    pub(crate) fn window(&self) -> Window {
        Window {
            start: self.start.timestamp(),
            end: self.end.timestamp(),
        }
    }
}

impl From<Window> for Bounds {
    fn from(window: Window) -> Self {
        Self {
            start: window.start.into(),
            end: window.end.into(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Collected {
    start: EventTime,
    end: EventTime,
    /// When it was read, by our clock.
    read_at: EventTime,
    /// Whose clocks say that it is over.
    by: Witness,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Witness {
    OurClock,
    BothClocks,
}

impl Checkpoint {
    pub(crate) fn new(collection: &str) -> Self {
        Self {
            version: VERSION,
            collection: collection.to_owned(),
            collected: Vec::new(),
            open_window: None,
            failed_windows: FailedWindows::default(),
            given_up: 0,
        }
    }

    /// Reads a checkpoint; the error says what is wrong with it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        /// What is read first, so that a newer checkpoint is told from a broken one.
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version } =
            serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if version != VERSION {
            return Err(format!(
                "its version is {version}, and this program knows version {VERSION}"
            ));
        }
        let mut document: Map<String, Json> =
            serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let sum = document.shift_remove(CHECKSUM);
        let expected = checksum(&document);
        if sum.as_ref().and_then(Json::as_str) != Some(expected.as_str()) {
            return Err("its checksum is not that of its content".to_owned());
        }
        serde_json::from_value(Json::Object(document)).map_err(|error| error.to_string())
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let document = serde_json::to_value(self).unwrap_or_default();
        let mut document = match document {
            Json::Object(document) => document,
            _ => unreachable!("a struct is an object"),
        };
        let sum = checksum(&document);
        document.insert(CHECKSUM.to_owned(), Json::from(sum));
        let mut text = format!("{:#}", Json::Object(document));
        text.push('\n');
        text.into_bytes()
    }

    /// Before this moment everything is collected; nothing when no window was finished yet.
    pub(crate) fn collected_until(&self) -> Option<Timestamp> {
        let last = self.collected.last()?;
        Some(last.end.timestamp())
    }

    /// From the first of these moments to the second everything is collected.
    pub(crate) fn covered(&self) -> Option<Window> {
        let (first, last) = (self.collected.first()?, self.collected.last()?);
        Some(Window {
            start: first.start.timestamp(),
            end: last.end.timestamp(),
        })
    }

    /// Says that everything of the window before `until` is collected. It counts only where it leaves no gap.
    pub(crate) fn close(&mut self, window: Window, until: Timestamp, clocks: &ClockReading) {
        let until = until.min(window.end);
        // A window of which nothing is over marks at least where to begin the next time.
        let until = until.max(window.start);
        let before = self.collected_until();
        let adjoins = before.is_none_or(|before| window.contains(before));
        if !adjoins || before.is_some_and(|before| until <= before) {
            return;
        }
        self.collected.push(Collected {
            start: before.unwrap_or(window.start).into(),
            end: until.into(),
            read_at: clocks.ours.into(),
            by: match clocks.ahead {
                Some(_) => Witness::BothClocks,
                None => Witness::OurClock,
            },
        });
        while self.collected.len() > MOST_WINDOWS {
            let first = self.collected.remove(0);
            let second = &mut self.collected[0];
            second.start = first.start;
            if first.by == Witness::OurClock && second.by == Witness::BothClocks {
                // Not to be lost sight of: the doubt about one is a doubt about both.
                second.by = Witness::OurClock;
                second.read_at = first.read_at.max(second.read_at.clone());
            }
        }
    }

    /// Takes back what was collected when our clock showed a later time than now, unless the vendor's clock has said the
    /// same; gives when it showed that.
    pub(crate) fn take_back(&mut self, now: Timestamp) -> Option<Timestamp> {
        let is_doubtful = |window: &Collected| {
            window.by == Witness::OurClock && window.read_at.timestamp() > now + JITTER
        };
        let first = self.collected.iter().position(is_doubtful)?;
        let latest = self.collected[first..]
            .iter()
            .filter(|window| is_doubtful(window))
            .map(|window| window.read_at.timestamp())
            .max();
        let start = self.collected[first].start.clone();
        self.collected.truncate(first);
        if first == 0 {
            // Where everything begins is not to be forgotten.
            self.collected.push(Collected {
                end: start.clone(),
                start,
                read_at: now.into(),
                by: Witness::OurClock,
            });
        }
        latest
    }
}

fn checksum(document: &Map<String, Json>) -> String {
    let text = serde_json::to_string(document).unwrap_or_default();
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        format!("2026-11-22T{time}:00Z").parse().unwrap()
    }

    fn window(start: &str, end: &str) -> Window {
        Window {
            start: at(start),
            end: at(end),
        }
    }

    fn read_at(time: &str, ahead: Option<SignedDuration>) -> ClockReading {
        ClockReading {
            earliest: at(time),
            ours: at(time),
            ahead,
            stepped: SignedDuration::ZERO,
        }
    }

    #[test]
    fn a_gap_is_never_taken_for_collected() {
        let mut checkpoint = Checkpoint::new("x");
        for (next, closed, until) in [
            (window("10:00", "11:00"), "10:50", "10:50"),
            (window("12:00", "13:00"), "13:00", "10:50"),
            (window("08:00", "09:00"), "09:00", "10:50"),
            (window("10:50", "11:30"), "10:20", "10:50"),
            (window("10:30", "12:00"), "12:00", "12:00"),
        ] {
            checkpoint.close(next, at(closed), &read_at("13:00", None));
            assert_eq!(checkpoint.collected_until(), Some(at(until)), "{next}");
        }
        assert_eq!(checkpoint.covered(), Some(window("10:00", "12:00")));
        let bytes = checkpoint.bytes();
        assert_eq!(Checkpoint::parse(&bytes), Ok(checkpoint));
    }

    #[test]
    fn a_window_of_which_nothing_is_over_still_marks_the_beginning() {
        let mut checkpoint = Checkpoint::new("x");
        let clocks = read_at("09:00", None);
        checkpoint.close(window("10:00", "11:00"), at("09:00"), &clocks);
        assert_eq!(checkpoint.collected_until(), Some(at("10:00")));
    }

    #[test]
    fn what_a_clock_from_the_future_closed_is_open_again() {
        let mut checkpoint = Checkpoint::new("x");
        let close = |checkpoint: &mut Checkpoint, ahead| {
            checkpoint.close(
                window("09:00", "10:00"),
                at("10:00"),
                &read_at("10:05", ahead),
            );
            checkpoint.close(
                window("10:00", "12:00"),
                at("12:00"),
                &read_at("12:05", ahead),
            );
        };
        close(&mut checkpoint, None);
        assert_eq!(checkpoint.take_back(at("12:05")), None);
        assert_eq!(checkpoint.take_back(at("10:06")), Some(at("12:05")));
        assert_eq!(checkpoint.collected_until(), Some(at("10:00")));
        assert_eq!(checkpoint.take_back(at("09:30")), Some(at("10:05")));
        assert_eq!(checkpoint.collected_until(), Some(at("09:00")));
        // What the vendor's clock has said too stands: it is the clock of now that is wrong.
        let mut checkpoint = Checkpoint::new("x");
        close(&mut checkpoint, Some(SignedDuration::ZERO));
        assert_eq!(checkpoint.take_back(at("10:06")), None);
        assert_eq!(checkpoint.collected_until(), Some(at("12:00")));
    }

    #[test]
    fn many_windows_stay_few_and_cover_the_same() {
        let mut checkpoint = Checkpoint::new("x");
        let mut end = at("00:00");
        for _ in 0..500 {
            let next = Window {
                start: end,
                end: end + SignedDuration::from_mins(1),
            };
            checkpoint.close(next, next.end, &read_at("10:00", None));
            end = next.end;
        }
        assert!(checkpoint.collected.len() <= MOST_WINDOWS);
        let covered = checkpoint.covered().unwrap();
        assert_eq!((covered.start, covered.end), (at("00:00"), end));
    }

    #[test]
    fn a_changed_checkpoint_is_noticed() {
        let mut checkpoint = Checkpoint::new("x");
        checkpoint.close(
            window("09:00", "10:00"),
            at("10:00"),
            &read_at("10:05", None),
        );
        let text = String::from_utf8(checkpoint.bytes()).unwrap();
        for (from, to) in [("10:00", "11:00"), ("\"given_up\": 0", "\"given_up\": 1")] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text);
            let wrong = Checkpoint::parse(changed.as_bytes()).unwrap_err();
            assert!(wrong.contains("checksum"), "{wrong}");
        }
        for text in [
            "",
            "{}",
            r#"{"version": 3, "anything": true}"#,
            r#"{"version": 2}"#,
        ] {
            assert!(Checkpoint::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
