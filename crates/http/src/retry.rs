//! When a request is sent again, and how long before.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::date::{parse_date, wait_of_retry_after};

/// The wait before the first retry; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// Whether a status is worth a retry: what it says may pass.
///
/// Beyond those of RFC 9110 and 6585 these are what the proxies and load balancers in front of vendors answer.
#[must_use]
pub const fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502..=504 | 520..=530 | 598 | 599)
}

/// The wait before retry number `retry`, from 0: what the server asks for, or twice the last; never above `longest`.
///
/// Without the server's word up to a quarter is added, so that clients that failed together do not come back together.
#[must_use]
pub fn backoff(retry: u32, retry_after: Option<&str>, longest: Duration) -> Duration {
    backoff_by(Timestamp::now(), retry, retry_after, None, longest)
}

/// The same by a given clock. `date` is the header of that name: what the server's own clock showed, by which a date
/// in `Retry-After` is meant.
#[must_use]
pub fn backoff_by(
    now: Timestamp,
    retry: u32,
    retry_after: Option<&str>,
    date: Option<&str>,
    longest: Duration,
) -> Duration {
    let servers = date.and_then(parse_date);
    let asked = retry_after.and_then(|text| wait_of_retry_after(text, servers.unwrap_or(now)));
    let wait = asked.unwrap_or_else(|| {
        let doubled = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(retry));
        doubled + doubled.mul_f64(jitter(now) / 4.0)
    });
    wait.min(longest)
}

/// Somebody asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancelled;

/// Sleeps, but notices when it is cancelled.
///
/// # Errors
/// [`Cancelled`] when it is.
pub fn pause(wait: Duration, is_cancelled: impl Fn() -> bool) -> Result<(), Cancelled> {
    const SLICE: Duration = Duration::from_millis(50);
    let end = Instant::now() + wait;
    loop {
        if is_cancelled() {
            return Err(Cancelled);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(SLICE));
    }
}

/// A number from 0 to 1 that differs from call to call; the clock is random enough to spread retries.
fn jitter(now: Timestamp) -> f64 {
    f64::from(now.subsec_nanosecond().unsigned_abs() % 1000) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_meant_by_the_servers_clock() {
        let ours: Timestamp = "2026-11-22T18:05:00Z".parse().unwrap();
        let (after, date) = (
            Some("Sun, 22 Nov 2026 18:00:30 GMT"),
            Some("Sun, 22 Nov 2026 18:00:00 GMT"),
        );
        let longest = Duration::from_secs(60);
        let wait = backoff_by(ours, 0, after, date, longest);
        assert_eq!(wait, Duration::from_secs(30));
    }

    #[test]
    fn a_wait_ends_when_it_is_called_off() {
        let hour = Duration::from_secs(3600);
        assert_eq!(pause(hour, || true), Err(Cancelled));
        assert_eq!(pause(Duration::ZERO, || false), Ok(()));
    }

    #[test]
    fn waits_double_and_have_a_bound() {
        let longest = Duration::from_secs(60);
        for retry in 0..5 {
            let least = FIRST_WAIT * 2_u32.pow(retry);
            let wait = backoff(retry, None, longest);
            assert!(wait >= least && wait <= least.mul_f64(1.25), "{wait:?}");
        }
        assert_eq!(backoff(30, None, longest), longest);
        assert_eq!(backoff(0, Some("3600"), longest), longest);
    }
}
