//! Windows that are longer than a vendor takes, asked for piece by piece.

use bowline_contract::pipeline::Window;
use bowline_template::Scope;
use jiff::SignedDuration;

use super::SourceReader;
use super::mark::Seen;
use super::walk::OnRows;
use crate::described::window_scope;
use crate::description::{Source, WindowCap};
use crate::error::SourceError;

/// A window is not split into shorter pieces than this.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);

impl SourceReader<'_> {
    /// Reads every page of a source and hands on its rows, each once if the source says what tells them apart.
    pub(crate) fn walk(
        &self,
        source: &Source,
        scope: &Scope,
        on_rows: &mut OnRows<'_>,
    ) -> Result<(), SourceError> {
        let mut handed = Seen::new();
        let (Some(cap), Some(window)) = (&source.window, window_of(scope)) else {
            return self.list(source, scope, None, &handed, on_rows).map(drop);
        };
        let mut open = pieces(window, cap);
        while let Some(piece) = open.pop() {
            let scope = window_scope(scope, piece);
            let (count, seen) = self.list(source, &scope, cap.records, &handed, on_rows)?;
            handed.extend(seen);
            if cap.records.is_none_or(|most| count < most) {
                continue;
            }
            let length = piece.end.duration_since(piece.start);
            if length < SHORTEST + SHORTEST {
                self.note_incomplete(format!(
                    "a window of {length:#} has {count} records, as many as the vendor gives: some of it may be missing"
                ));
                continue;
            }
            let middle = piece.start + length / 2;
            open.push(Window {
                start: middle,
                end: piece.end,
            });
            open.push(Window {
                start: piece.start,
                end: middle,
            });
        }
        Ok(())
    }
}

/// The pieces of a window, the first one last.
fn pieces(window: Window, cap: &WindowCap) -> Vec<Window> {
    let mut pieces = Vec::new();
    let mut start = window.start;
    while let Some(end) = cap
        .length
        .and_then(|length| start.checked_add(length).ok())
        .filter(|end| *end < window.end)
    {
        pieces.push(Window { start, end });
        start = end;
    }
    pieces.push(Window {
        start,
        end: window.end,
    });
    pieces.reverse();
    pieces
}

/// The window that expressions see.
fn window_of(scope: &Scope) -> Option<Window> {
    let window = scope.get("window")?;
    let bound = |name: &str| window.get(name)?.as_text()?.parse().ok();
    Some(Window {
        start: bound("start")?,
        end: bound("end")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_meet_and_are_no_longer_than_they_may_be() {
        let window = Window {
            start: "2026-01-01T00:00:00Z".parse().unwrap(),
            end: "2026-01-03T12:00:00Z".parse().unwrap(),
        };
        let of = |hours: Option<i64>| {
            let cap = WindowCap {
                length: hours.map(SignedDuration::from_hours),
                records: None,
            };
            let mut pieces = pieces(window, &cap);
            pieces.reverse();
            pieces
        };
        assert_eq!(of(None), [window]);
        assert_eq!(of(Some(60)), [window]);
        let three = of(Some(24));
        assert_eq!(three.len(), 3);
        assert_eq!((three[0].start, three[2].end), (window.start, window.end));
        assert!(three.windows(2).all(|two| two[0].end == two[1].start));
    }
}
