//! The same work on several things at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::OciError;

/// Does the work on every thing, on at most so many threads. After the first failure nothing new is begun.
///
/// # Errors
/// That of the first thing, in their order, that failed.
pub(super) fn for_each<T: Sync>(
    threads: usize,
    things: &[T],
    work: impl Fn(&T) -> Result<(), OciError> + Sync,
) -> Result<(), OciError> {
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let run = || {
        while !failed.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(thing) = things.get(at) else { break };
            if let Err(error) = work(thing) {
                failed.store(true, Ordering::Relaxed);
                return Some((at, error));
            }
        }
        None
    };
    let first = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(things.len()))
            .map(|_| scope.spawn(run))
            .collect();
        let own = run();
        others
            .into_iter()
            .filter_map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .chain(own)
            .min_by_key(|(at, _)| *at)
    });
    first.map_or(Ok(()), |(_, error)| Err(error))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::OciErrorKind;

    #[test]
    fn everything_is_done_once() {
        let done = Mutex::new(Vec::new());
        let things: Vec<u32> = (0..100).collect();
        for_each(4, &things, |thing| {
            done.lock().unwrap().push(*thing);
            Ok(())
        })
        .unwrap();
        let mut done = done.into_inner().unwrap();
        done.sort_unstable();
        assert_eq!(done, things);
    }

    #[test]
    fn nothing_new_is_begun_after_a_failure() {
        let begun = AtomicUsize::new(0);
        let error = for_each(1, &[1, 2, 3], |thing| {
            begun.fetch_add(1, Ordering::Relaxed);
            match thing {
                2 => Err(OciError::new(OciErrorKind::Refused, "2")),
                _ => Ok(()),
            }
        })
        .unwrap_err();
        assert_eq!(error.thing, "2");
        assert_eq!(begun.into_inner(), 2);
    }
}
