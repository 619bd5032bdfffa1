//! The sizes of pages that are asked for, and whether they are kept to.

use std::num::NonZeroUsize;

use super::outcome::Outcome;
use super::reading::Reading;
use super::runner::PAGE;

/// The first of some page sizes that leaves a short page at the end of a list.
pub(super) fn uneven(sizes: &[usize], len: usize) -> NonZeroUsize {
    let size = sizes.iter().find(|size| !len.is_multiple_of(**size));
    size.or(sizes.first())
        .and_then(|size| NonZeroUsize::new(*size))
        .unwrap_or(PAGE)
}

/// Judges whether pages kept to their size.
pub(super) fn too_long<'r, E: 'r>(readings: impl Iterator<Item = &'r Reading<E>>) -> Outcome {
    let mut found = readings.filter_map(|reading| Some((reading, reading.too_long?)));
    match found.next() {
        None => Outcome::Supported,
        Some((reading, (limit, len))) => Outcome::wrong(
            format!("at most {limit} events for a limit of {limit}"),
            format!("{len} events: {}", reading.what),
        )
        .with_hint("give the first `limit` events after the first `offset` ones"),
    }
}
