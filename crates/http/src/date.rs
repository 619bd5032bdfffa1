//! Moments as HTTP headers write them.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Numbers below this are seconds from now, those above seconds since 1970: no server asks for a wait of years.
const LEAST_EPOCH: f64 = 1e8;
/// Numbers from here on are milliseconds since 1970.
const LEAST_EPOCH_MS: f64 = 1e11;

/// A date in any of the three forms of RFC 9110: those of RFC 1123 and RFC 850, and that of C's `asctime`.
///
/// ```
/// let date = bowline_http::parse_date("Sun, 06 Nov 1994 08:49:37 GMT");
/// assert_eq!(date, bowline_http::parse_date("Sunday, 06-Nov-94 08:49:37 GMT"));
/// assert_eq!(date, bowline_http::parse_date("Sun Nov  6 08:49:37 1994"));
/// ```
#[must_use]
pub fn parse_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(date) = jiff::fmt::rfc2822::parse(text) {
        return Some(date.timestamp());
    }
    let (_, rest) = text.split_once(' ')?;
    let utc = rest.trim().strip_suffix(" GMT").unwrap_or(rest.trim());
    // What stands before it is the day of the week, which some write wrongly.
    let civil = [
        "%d-%b-%y %H:%M:%S",
        "%d-%b-%Y %H:%M:%S",
        "%b %e %H:%M:%S %Y",
    ]
    .iter()
    .find_map(|form| DateTime::strptime(form, utc).ok())?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// How long `Retry-After` asks to wait: seconds, also with a fraction, or a date by the clock that shows `now`, also one
/// by RFC 3339. Of several numbers, as where the header comes twice, the largest counts.
#[must_use]
pub fn wait_of_retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let spans = text
        .split(',')
        .map(|part| part.trim().parse::<f64>().ok().and_then(span_of));
    if let Some(spans) = spans.collect::<Option<Vec<Duration>>>() {
        return spans.into_iter().max();
    }
    let at = parse_date(text).or_else(|| text.trim().parse().ok())?;
    Some(until(at, now))
}

/// Seconds as a span; what is gone by is none, and neither infinity nor what is no number is one.
fn span_of(seconds: f64) -> Option<Duration> {
    let is_past = seconds < 0.0;
    Duration::try_from_secs_f64(if is_past { 0.0 } else { seconds }).ok()
}

/// How long a header asks to wait that says when a limit is lifted. By its name it counts milliseconds (`…-ms`); else
/// its value is a number of seconds from now or since 1970, of milliseconds since 1970, a span (`6m0s`), a date, a time
/// by RFC 3339, or a list of parameters of which `reset` or `t` counts seconds.
#[must_use]
pub fn wait_of_reset(name: &str, text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        let seconds = if name.ends_with("-ms") || number >= LEAST_EPOCH_MS {
            number / 1000.0
        } else {
            number
        };
        let span = span_of(seconds)?;
        if number < LEAST_EPOCH || name.ends_with("-ms") {
            return Some(span);
        }
        return Some(until(Timestamp::UNIX_EPOCH.checked_add(span).ok()?, now));
    }
    if let Some(seconds) = parameter(text) {
        return span_of(seconds);
    }
    if let Ok(span) = text.parse::<SignedDuration>() {
        return Some(Duration::try_from(span).unwrap_or_default());
    }
    let at = parse_date(text).or_else(|| text.parse().ok())?;
    Some(until(at, now))
}

/// `limit=100, remaining=0, reset=50`, and `"default";r=0;t=50`.
fn parameter(text: &str) -> Option<f64> {
    let mut parts = text.split([',', ';']);
    parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let counts = matches!(name.trim(), "reset" | "t");
        counts.then(|| value.trim().parse::<f64>().ok()).flatten()
    })
}

fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T18:00:00Z".parse().unwrap()
    }

    #[test]
    fn retry_after_is_seconds_or_any_kind_of_date() {
        for (text, seconds) in [
            ("7", 7.0),
            (" 1.5 ", 1.5),
            ("-3", 0.0),
            ("2, 7.5", 7.5),
            ("2026-11-22T18:00:30Z", 30.0),
            ("Sun, 22 Nov 2026 18:00:30 GMT", 30.0),
            ("Sunday, 22-Nov-26 18:00:30 GMT", 30.0),
            ("Sun, 22-Nov-2026 18:00:30 GMT", 30.0),
            ("Sun Nov 22 18:00:30 2026", 30.0),
            ("Sun, 22 Nov 2026 17:00:30 GMT", 0.0),
        ] {
            let wait = wait_of_retry_after(text, now());
            assert_eq!(wait, Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["soon", "", "NaN", "inf", "1e300"] {
            assert_eq!(wait_of_retry_after(text, now()), None, "{text}");
        }
    }

    #[test]
    fn a_reset_is_a_moment_or_a_span_however_it_is_written() {
        for (name, text, seconds) in [
            ("x-ratelimit-reset", "20", 20.0),
            ("x-ratelimit-reset", "1795370420", 20.0),
            ("x-ratelimit-reset", "1795370420.5", 20.5),
            ("x-ratelimit-reset", "1795370420000", 20.0),
            ("x-ratelimit-reset", "2026-11-22T18:00:20Z", 20.0),
            ("x-ratelimit-reset", "2026-11-22T19:00:20+01:00", 20.0),
            ("x-ratelimit-reset", "Sun, 22 Nov 2026 18:00:20 GMT", 20.0),
            ("x-ratelimit-reset-requests", "1m0s", 60.0),
            ("x-ratelimit-reset", "1795370399", 0.0),
            ("retry-after-ms", "2500", 2.5),
            ("ratelimit", "limit=100, remaining=0, reset=50", 50.0),
            ("ratelimit", "\"default\";r=0;t=50", 50.0),
        ] {
            let wait = wait_of_reset(name, text, now());
            assert_eq!(
                wait,
                Some(Duration::from_secs_f64(seconds)),
                "{name}: {text}"
            );
        }
        assert_eq!(wait_of_reset("x-ratelimit-reset", "tomorrow", now()), None);
    }
}
