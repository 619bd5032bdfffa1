//! Python's `datetime`, `date`, `time`, `timedelta` and time zones: what they are, how they print, order and add.

use std::cmp::Ordering;
use std::sync::Arc;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Zoned};

use super::fault::{Fault, FaultKind, Outcome, type_fault, unsupported};

/// Microseconds of a day.
pub(crate) const DAY: i128 = 86_400_000_000;

/// Microseconds of a second.
pub(crate) const SECOND: i128 = 1_000_000;

/// The most days a `timedelta` may have.
const DELTA_DAYS: i128 = 999_999_999;

/// A point or stretch of time.
#[derive(Clone)]
pub(crate) enum Moment {
    DateTime(Arc<Stamp>),
    Date(Date),
    Time(Arc<Stamp>),
    /// Microseconds.
    Delta(Arc<i128>),
    Zone(Zone),
}

/// A `datetime`; a `time` is one whose date does not count.
#[derive(Clone)]
pub(crate) struct Stamp {
    pub(crate) civil: DateTime,
    pub(crate) zone: Option<Zone>,
    /// Whether it is the second of two equal wall clock times.
    pub(crate) fold: bool,
}

/// A `tzinfo`.
#[derive(Clone)]
pub(crate) enum Zone {
    /// `timezone.utc`
    Utc,
    /// The zone of the machine, which is always taken for UTC.
    Local,
    /// `timezone(timedelta(seconds=...))`
    Fixed(i32),
    /// `ZoneInfo(key)`
    Named(Arc<str>, TimeZone),
}

impl Zone {
    pub(crate) fn same(&self, other: &Zone) -> bool {
        match (self, other) {
            (Zone::Utc, Zone::Utc) | (Zone::Local, Zone::Local) => true,
            (Zone::Fixed(a), Zone::Fixed(b)) => a == b,
            (Zone::Named(a, _), Zone::Named(b, _)) => a == b,
            _ => false,
        }
    }

    /// Seconds east of UTC, when they never change.
    fn constant_offset(&self) -> Option<i32> {
        match self {
            Zone::Utc | Zone::Local => Some(0),
            Zone::Fixed(seconds) => Some(*seconds),
            Zone::Named(..) => None,
        }
    }

    /// Seconds east of UTC at a wall clock time.
    pub(crate) fn offset(&self, civil: DateTime, fold: bool) -> i32 {
        match self {
            Zone::Utc | Zone::Local => 0,
            Zone::Fixed(seconds) => *seconds,
            Zone::Named(_, zone) => match zone.to_ambiguous_timestamp(civil).offset() {
                AmbiguousOffset::Unambiguous { offset } => offset.seconds(),
                AmbiguousOffset::Gap { before, after }
                | AmbiguousOffset::Fold { before, after } => {
                    if fold { after } else { before }.seconds()
                }
            },
        }
    }

    /// The zone's name at a wall clock time.
    pub(crate) fn name(&self, civil: DateTime, fold: bool) -> Outcome<String> {
        Ok(match self {
            Zone::Utc | Zone::Local | Zone::Fixed(_) => self.text(),
            Zone::Named(_, zone) => {
                let ambiguous = zone.to_ambiguous_timestamp(civil).offset();
                // In a gap, the wall clock read with the later offset is an instant before the change.
                let offset = match ambiguous {
                    AmbiguousOffset::Unambiguous { offset } => offset,
                    AmbiguousOffset::Gap { before, after } => {
                        if fold {
                            before
                        } else {
                            after
                        }
                    }
                    AmbiguousOffset::Fold { before, after } => {
                        if fold {
                            after
                        } else {
                            before
                        }
                    }
                };
                let at = offset.to_timestamp(civil).map_err(|_| out_of_range())?;
                zone.to_offset_info(at).abbreviation().to_owned()
            }
        })
    }

    /// `str(zone)`
    pub(crate) fn text(&self) -> String {
        match self {
            Zone::Utc | Zone::Local => "UTC".to_owned(),
            Zone::Fixed(seconds) => format!("UTC{}", offset_text(*seconds, ":")),
            Zone::Named(key, _) => key.to_string(),
        }
    }

    fn repr(&self) -> String {
        match self {
            Zone::Utc => "datetime.timezone.utc".to_owned(),
            Zone::Local => "datetime.timezone(datetime.timedelta(0), 'UTC')".to_owned(),
            Zone::Fixed(seconds) => format!(
                "datetime.timezone({})",
                delta_repr(i128::from(*seconds) * SECOND)
            ),
            Zone::Named(key, _) => format!("zoneinfo.ZoneInfo(key='{key}')"),
        }
    }
}

/// An offset as `+HH:MM`, with seconds when there are any.
pub(crate) fn offset_text(seconds: i32, colon: &str) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let size = seconds.unsigned_abs();
    let mut text = format!("{sign}{:02}{colon}{:02}", size / 3600, size / 60 % 60);
    if !size.is_multiple_of(60) {
        text.push_str(&format!("{colon}{:02}", size % 60));
    }
    text
}

pub(crate) fn out_of_range() -> Fault {
    Fault::new(FaultKind::Overflow, "date value out of range")
}

/// Whether Python has this year.
pub(crate) fn check_year(date: Date) -> Outcome<()> {
    if (1..=9999).contains(&date.year()) {
        Ok(())
    } else {
        Err(out_of_range())
    }
}

impl Stamp {
    pub(crate) fn naive(civil: DateTime) -> Outcome<Stamp> {
        check_year(civil.date())?;
        Ok(Stamp {
            civil: micros_only(civil)?,
            zone: None,
            fold: false,
        })
    }

    pub(crate) fn zoned(zoned: &Zoned) -> Outcome<Stamp> {
        let civil = micros_only(zoned.datetime())?;
        check_year(civil.date())?;
        let fold = matches!(
            zoned.time_zone().to_ambiguous_timestamp(zoned.datetime()).offset(),
            AmbiguousOffset::Fold { after, .. } if after == zoned.offset()
        );
        let zone = zoned.time_zone();
        let zone = match zone.iana_name() {
            Some("UTC" | "Etc/UTC" | "Etc/Unknown") => Zone::Utc,
            Some(name) => Zone::Named(Arc::from(name), zone.clone()),
            None if zoned.offset() == Offset::UTC => Zone::Utc,
            None => Zone::Fixed(zoned.offset().seconds()),
        };
        Ok(Stamp {
            civil,
            zone: Some(zone),
            fold,
        })
    }

    pub(crate) fn offset(&self) -> Option<i32> {
        self.zone
            .as_ref()
            .map(|zone| zone.offset(self.civil, self.fold))
    }

    /// Microseconds from the epoch on the wall clock.
    pub(crate) fn wall_micros(&self) -> i128 {
        self.civil
            .duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0))
            .as_micros()
    }

    /// Microseconds from the epoch; a naive time counts as UTC.
    pub(crate) fn utc_micros(&self) -> i128 {
        self.wall_micros() - i128::from(self.offset().unwrap_or(0)) * SECOND
    }

    /// Whether reading the wall clock as the other of two equal times would change the offset.
    fn depends_on_fold(&self) -> bool {
        self.zone
            .as_ref()
            .is_some_and(|zone| zone.offset(self.civil, false) != zone.offset(self.civil, true))
    }

    /// The same zone at another wall clock time.
    pub(crate) fn at_wall(&self, micros: i128) -> Outcome<Stamp> {
        Ok(Stamp {
            civil: civil_from_micros(micros)?,
            zone: self.zone.clone(),
            fold: false,
        })
    }

    /// `isoformat`; `digits` says how much of the time is shown.
    pub(crate) fn isoformat(&self, separator: &str, digits: TimeDigits) -> String {
        let date = self.civil.date();
        format!("{}{separator}{}", date_text(date), self.time_text(digits))
    }

    /// `time.isoformat`
    pub(crate) fn time_text(&self, digits: TimeDigits) -> String {
        let time = self.civil.time();
        let micros = time.subsec_nanosecond() / 1000;
        let mut text = format!("{:02}", time.hour());
        let digits = match digits {
            TimeDigits::Auto if micros == 0 => TimeDigits::Seconds,
            TimeDigits::Auto => TimeDigits::Microseconds,
            other => other,
        };
        if digits != TimeDigits::Hours {
            text.push_str(&format!(":{:02}", time.minute()));
        }
        if !matches!(digits, TimeDigits::Hours | TimeDigits::Minutes) {
            text.push_str(&format!(":{:02}", time.second()));
        }
        match digits {
            TimeDigits::Milliseconds => text.push_str(&format!(".{:03}", micros / 1000)),
            TimeDigits::Microseconds => text.push_str(&format!(".{micros:06}")),
            _ => {}
        }
        if let Some(offset) = self.offset() {
            text.push_str(&offset_text(offset, ":"));
        }
        text
    }

    fn repr_tail(&self) -> String {
        let time = self.civil.time();
        let micros = time.subsec_nanosecond() / 1000;
        let mut text = format!("{}, {}", time.hour(), time.minute());
        if time.second() != 0 || micros != 0 {
            text.push_str(&format!(", {}", time.second()));
        }
        if micros != 0 {
            text.push_str(&format!(", {micros}"));
        }
        if self.fold {
            text.push_str(", fold=1");
        }
        if let Some(zone) = &self.zone {
            text.push_str(&format!(", tzinfo={}", zone.repr()));
        }
        text
    }
}

/// How much of a time `isoformat` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeDigits {
    Auto,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
    Microseconds,
}

fn micros_only(civil: DateTime) -> Outcome<DateTime> {
    let nanos = civil.subsec_nanosecond() / 1000 * 1000;
    civil
        .with()
        .subsec_nanosecond(nanos)
        .build()
        .map_err(|_| out_of_range())
}

/// The wall clock so many microseconds from the epoch.
pub(crate) fn civil_from_micros(micros: i128) -> Outcome<DateTime> {
    let micros = i64::try_from(micros).map_err(|_| out_of_range())?;
    let civil = DateTime::constant(1970, 1, 1, 0, 0, 0, 0)
        .checked_add(SignedDuration::from_micros(micros))
        .map_err(|_| out_of_range())?;
    check_year(civil.date())?;
    Ok(civil)
}

/// Days from the epoch.
pub(crate) fn date_days(date: Date) -> i128 {
    date.duration_since(Date::constant(1970, 1, 1)).as_micros() / DAY
}

pub(crate) fn date_text(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}

/// The days, seconds and microseconds of a `timedelta`; the last two are never negative.
pub(crate) fn delta_parts(micros: i128) -> (i128, i128, i128) {
    let days = micros.div_euclid(DAY);
    let rest = micros.rem_euclid(DAY);
    (days, rest / SECOND, rest % SECOND)
}

fn delta_text(micros: i128) -> String {
    let (days, seconds, micros) = delta_parts(micros);
    let mut text = String::new();
    if days != 0 {
        let plural = if days.abs() == 1 { "" } else { "s" };
        text = format!("{days} day{plural}, ");
    }
    text.push_str(&format!(
        "{}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    ));
    if micros != 0 {
        text.push_str(&format!(".{micros:06}"));
    }
    text
}

fn delta_repr(micros: i128) -> String {
    let (days, seconds, micros) = delta_parts(micros);
    let parts: Vec<String> = [
        ("days", days),
        ("seconds", seconds),
        ("microseconds", micros),
    ]
    .into_iter()
    .filter(|(_, count)| *count != 0)
    .map(|(name, count)| format!("{name}={count}"))
    .collect();
    let inside = if parts.is_empty() {
        "0".to_owned()
    } else {
        parts.join(", ")
    };
    format!("datetime.timedelta({inside})")
}

impl Moment {
    /// A stretch of so many microseconds.
    pub(crate) fn delta(micros: i128) -> Outcome<Moment> {
        if micros.div_euclid(DAY).abs() > DELTA_DAYS {
            return Err(Fault::new(
                FaultKind::Overflow,
                "a timedelta of too many days",
            ));
        }
        Ok(Moment::Delta(Arc::new(micros)))
    }

    pub(crate) fn time(time: Time, zone: Option<Zone>, fold: bool) -> Moment {
        Moment::Time(Arc::new(Stamp {
            civil: Date::constant(1900, 1, 1).to_datetime(time),
            zone,
            fold,
        }))
    }

    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Moment::DateTime(_) => "datetime.datetime",
            Moment::Date(_) => "datetime.date",
            Moment::Time(_) => "datetime.time",
            Moment::Delta(_) => "datetime.timedelta",
            Moment::Zone(Zone::Named(..)) => "zoneinfo.ZoneInfo",
            Moment::Zone(_) => "datetime.timezone",
        }
    }

    pub(crate) fn is_true(&self) -> bool {
        !matches!(self, Moment::Delta(micros) if **micros == 0)
    }

    /// `str(moment)`
    pub(crate) fn text(&self) -> Outcome<String> {
        Ok(match self {
            Moment::DateTime(stamp) => stamp.isoformat(" ", TimeDigits::Auto),
            Moment::Date(date) => date_text(*date),
            Moment::Time(stamp) => stamp.time_text(TimeDigits::Auto),
            Moment::Delta(micros) => delta_text(**micros),
            Moment::Zone(zone) => zone.text(),
        })
    }

    /// `repr(moment)`
    pub(crate) fn repr(&self) -> Outcome<String> {
        Ok(match self {
            Moment::DateTime(stamp) => {
                let date = stamp.civil.date();
                format!(
                    "datetime.datetime({}, {}, {}, {})",
                    date.year(),
                    date.month(),
                    date.day(),
                    stamp.repr_tail()
                )
            }
            Moment::Date(date) => {
                format!(
                    "datetime.date({}, {}, {})",
                    date.year(),
                    date.month(),
                    date.day()
                )
            }
            Moment::Time(stamp) => format!("datetime.time({})", stamp.repr_tail()),
            Moment::Delta(micros) => delta_repr(**micros),
            Moment::Zone(zone) => zone.repr(),
        })
    }

    /// `format(moment, spec)`
    pub(crate) fn format(&self, spec: &str) -> Outcome<String> {
        if spec.is_empty() {
            return self.text();
        }
        match self {
            Moment::Delta(_) | Moment::Zone(_) => type_fault(format!(
                "a `{}` takes no format specification",
                self.type_name()
            )),
            _ => super::strftime::strftime(self, spec),
        }
    }

    /// A number that is equal for equal moments.
    pub(crate) fn hash(&self) -> i128 {
        match self {
            Moment::DateTime(stamp) | Moment::Time(stamp) => stamp.utc_micros(),
            Moment::Date(date) => date_days(*date),
            Moment::Delta(micros) => **micros,
            Moment::Zone(_) => 0,
        }
    }

    pub(crate) fn equal(&self, other: &Moment) -> Outcome<bool> {
        if let (Moment::Zone(a), Moment::Zone(b)) = (self, other) {
            return Ok(match (a.constant_offset(), b.constant_offset()) {
                (Some(a), Some(b)) => a == b,
                _ => a.same(b),
            });
        }
        if let (Moment::DateTime(a), Moment::DateTime(b)) = (self, other) {
            let (Some(x), Some(y)) = (&a.zone, &b.zone) else {
                return Ok(a.zone.is_none() == b.zone.is_none() && a.civil == b.civil);
            };
            if !x.same(y) && (a.depends_on_fold() || b.depends_on_fold()) {
                return Ok(false);
            }
        }
        Ok(self.order(other)? == Some(Ordering::Equal))
    }

    /// How two moments stand to each other; `None` when Python refuses to say.
    pub(crate) fn order(&self, other: &Moment) -> Outcome<Option<Ordering>> {
        Ok(match (self, other) {
            (Moment::DateTime(a), Moment::DateTime(b)) => match (&a.zone, &b.zone) {
                (None, None) => Some(a.civil.cmp(&b.civil)),
                (Some(x), Some(y)) if x.same(y) => Some(a.civil.cmp(&b.civil)),
                (Some(_), Some(_)) => Some(a.utc_micros().cmp(&b.utc_micros())),
                _ => None,
            },
            (Moment::Time(a), Moment::Time(b)) => {
                if a.zone.is_some() || b.zone.is_some() {
                    return unsupported("comparing times that have a zone");
                }
                Some(a.civil.time().cmp(&b.civil.time()))
            }
            (Moment::Date(a), Moment::Date(b)) => Some(a.cmp(b)),
            (Moment::Delta(a), Moment::Delta(b)) => Some(a.cmp(b)),
            _ => None,
        })
    }
}
