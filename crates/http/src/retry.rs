//! When a request is tried again, and how long before.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// The wait before the first retry; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// Whether a status is worth another try.
#[must_use]
pub const fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// The wait before try number `retry`, from 0: what the server asks for, or twice the last; never above `longest`.
///
/// Without the server's word up to a quarter is added, so that clients that failed together do not come back together.
#[must_use]
pub fn wait(retry: u32, retry_after: Option<&str>, longest: Duration) -> Duration {
    let asked = retry_after.and_then(|text| asked_for(text, Timestamp::now()));
    let wait = asked.unwrap_or_else(|| {
        let doubled = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(retry));
        doubled + doubled.mul_f64(jitter() / 4.0)
    });
    wait.min(longest)
}

/// `Retry-After`: seconds, or a date.
fn asked_for(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    let wait = date.timestamp().duration_since(now);
    Some(Duration::try_from(wait).unwrap_or_default())
}

/// A number from 0 to 1 that differs from call to call; the clock is random enough to spread retries.
fn jitter() -> f64 {
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.subsec_nanos());
    f64::from(nanos % 1000) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_says_how_long() {
        let now: Timestamp = "2026-11-22T18:00:00Z".parse().unwrap();
        assert_eq!(asked_for("7", now), Some(Duration::from_secs(7)));
        assert_eq!(
            asked_for("Sun, 22 Nov 2026 18:00:30 GMT", now),
            Some(Duration::from_secs(30))
        );
        assert_eq!(
            asked_for("Sun, 22 Nov 2026 17:00:30 GMT", now),
            Some(Duration::ZERO)
        );
        assert_eq!(asked_for("soon", now), None);
    }

    #[test]
    fn waits_double_and_have_a_bound() {
        let longest = Duration::from_secs(60);
        for retry in 0..5 {
            let least = FIRST_WAIT * 2_u32.pow(retry);
            let wait = wait(retry, None, longest);
            assert!(wait >= least && wait <= least.mul_f64(1.25), "{wait:?}");
        }
        assert_eq!(wait(30, None, longest), longest);
        assert_eq!(wait(0, Some("3600"), longest), longest);
    }
}
