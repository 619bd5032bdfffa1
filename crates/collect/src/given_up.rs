//! What becomes of what could not be delivered: windows given up, dead letters retried and discarded.
//!
//! Every step writes down first what must not be lost, so that whoever is stopped between two of them is told of
//! something twice rather than never.

use bowline_contract::pipeline::Window;

use crate::dead_letters::{DeadLetter, DeadLetters};
use crate::error::CollectError;
use crate::failed_windows::FailedWindow;
use crate::state::State;

/// What was discarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discarded {
    /// Dead letters.
    pub letters: usize,
    /// Windows that would have been asked for again.
    pub windows: usize,
}

/// Makes a window that was asked for often enough a dead letter, and gives how many nobody has retried or discarded.
///
/// # Errors
/// [`CollectError`] when that cannot be written down; the window is asked for again then.
pub fn give_up_window(
    state: &mut State,
    letters: &mut DeadLetters,
    failed: &FailedWindow,
) -> Result<usize, CollectError> {
    letters.window_given_up(failed.window(), failed.reason())?;
    let all = letters.count()?.max(state.given_up() + 1);
    state.forget_failed(failed.window(), all)?;
    Ok(all)
}

/// Says that the dead letters that are over, of those that were there before, are delivered, or dead letters anew behind
/// them, and that these windows were read; gives how many nobody has retried or discarded. So many of them are no longer
/// in the file.
///
/// # Errors
/// [`CollectError`].
pub fn settle_retried(
    state: &mut State,
    letters: &mut DeadLetters,
    before: usize,
    is_over: impl Fn(&DeadLetter) -> bool,
    read: &[Window],
    no_longer_there: usize,
) -> Result<usize, CollectError> {
    let now = letters.letters()?;
    let kept: Vec<&DeadLetter> = now
        .iter()
        .enumerate()
        .filter(|(index, letter)| *index >= before || !is_over(letter))
        .map(|(_, letter)| letter)
        .collect();
    letters.keep(&kept)?;
    let all = letters.count()? + no_longer_there;
    state.set_given_up(all)?;
    for window in read {
        state.forget_failed(*window, all)?;
    }
    Ok(all)
}

/// Gives dead letters up for good, and windows that would be asked for again.
///
/// # Errors
/// [`CollectError`].
pub fn discard(
    state: Option<&mut State>,
    letters: &mut DeadLetters,
) -> Result<Discarded, CollectError> {
    let given_up = state.as_ref().map_or(0, |state| state.given_up());
    let count = letters.count()?.max(given_up);
    letters.keep(&[])?;
    let mut windows = 0;
    if let Some(state) = state {
        state.set_given_up(0)?;
        let failed = state.failed_windows().to_vec();
        windows = failed.len();
        for window in failed {
            state.forget_failed(window.window(), 0)?;
        }
    }
    Ok(Discarded {
        letters: count,
        windows,
    })
}
