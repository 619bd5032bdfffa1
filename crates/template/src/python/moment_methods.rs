//! Attributes, methods and arithmetic of Python's dates and times.

use std::sync::Arc;

use jiff::civil::Date;

use super::arguments::{Arguments, Bound, Signature, expected};
use super::attributes::Attribute;
use super::fault::{Fault, FaultKind, Outcome, type_fault, unsupported, value_fault};
use super::moment::{
    DAY, Moment, SECOND, Stamp, TimeDigits, Zone, check_year, civil_from_micros, date_days,
    date_text, delta_parts,
};
use super::number::{Arithmetic, as_integer, as_small, divide, floor_divide};
use super::strftime::{monday_zero, strftime};
use super::value::{TupleNames, Value};

static ISO_CALENDAR: TupleNames = TupleNames {
    title: Some("datetime.IsoCalendarDate"),
    names: &["year", "week", "weekday"],
};

const DATE_METHODS: [&str; 8] = [
    "ctime",
    "isocalendar",
    "isoformat",
    "isoweekday",
    "replace",
    "strftime",
    "toordinal",
    "weekday",
];

const DATETIME_METHODS: [&str; 8] = [
    "astimezone",
    "date",
    "dst",
    "time",
    "timestamp",
    "timetz",
    "tzname",
    "utcoffset",
];

const TIME_METHODS: [&str; 6] = [
    "dst",
    "isoformat",
    "replace",
    "strftime",
    "tzname",
    "utcoffset",
];

const ZONE_METHODS: [&str; 2] = ["tzname", "utcoffset"];

const REFUSED: [&str; 17] = [
    "combine",
    "dst",
    "fromisocalendar",
    "fromisoformat",
    "fromordinal",
    "fromtimestamp",
    "fromutc",
    "max",
    "min",
    "now",
    "resolution",
    "strptime",
    "timetuple",
    "today",
    "utcfromtimestamp",
    "utcnow",
    "utctimetuple",
];

fn whole(value: impl Into<i64>) -> Attribute {
    Attribute::Data(Value::Int(value.into()))
}

fn known(names: &[&'static str], name: &str) -> Option<Attribute> {
    names
        .iter()
        .find(|known| **known == name)
        .map(|name| Attribute::Method(name))
}

/// What an attribute of a moment is.
pub(crate) fn attribute(moment: &Moment, name: &str) -> Outcome<Attribute> {
    let found = match moment {
        Moment::DateTime(stamp) => date_field(stamp.civil.date(), name)
            .or_else(|| time_field(stamp, name))
            .or_else(|| known(&DATE_METHODS, name))
            .or_else(|| known(&DATETIME_METHODS, name)),
        Moment::Date(date) => date_field(*date, name).or_else(|| known(&DATE_METHODS, name)),
        Moment::Time(stamp) => time_field(stamp, name).or_else(|| known(&TIME_METHODS, name)),
        Moment::Delta(micros) => {
            let (days, seconds, micros) = delta_parts(**micros);
            let number = |count: i128| whole(i64::try_from(count).unwrap_or(0));
            match name {
                "days" => Some(number(days)),
                "seconds" => Some(number(seconds)),
                "microseconds" => Some(number(micros)),
                "total_seconds" => Some(Attribute::Method("total_seconds")),
                _ => None,
            }
        }
        Moment::Zone(Zone::Named(key, _)) if name == "key" => {
            Some(Attribute::Data(Value::Str(key.clone())))
        }
        Moment::Zone(_) => known(&ZONE_METHODS, name),
    };
    Ok(match found {
        Some(attribute) => attribute,
        None if REFUSED.contains(&name) || (name == "utc" && matches!(moment, Moment::Zone(_))) => {
            Attribute::Refused
        }
        None => Attribute::Missing,
    })
}

fn date_field(date: Date, name: &str) -> Option<Attribute> {
    Some(match name {
        "year" => whole(date.year()),
        "month" => whole(date.month()),
        "day" => whole(date.day()),
        _ => return None,
    })
}

fn time_field(stamp: &Stamp, name: &str) -> Option<Attribute> {
    Some(match name {
        "hour" => whole(stamp.civil.hour()),
        "minute" => whole(stamp.civil.minute()),
        "second" => whole(stamp.civil.second()),
        "microsecond" => whole(stamp.civil.subsec_nanosecond() / 1000),
        "fold" => whole(i64::from(stamp.fold)),
        "tzinfo" => Attribute::Data(match &stamp.zone {
            Some(zone) => Value::Moment(Moment::Zone(zone.clone())),
            None => Value::None,
        }),
        _ => return None,
    })
}

/// Calls a method of a moment.
pub(crate) fn call(moment: &Moment, method: &'static str, arguments: Arguments) -> Outcome<Value> {
    match (moment, method) {
        (_, "strftime") => {
            let bound = arguments.bind(Signature::by_name(method, &["format"], 1))?;
            strftime(moment, bound.text(0)?).map(Value::text)
        }
        (Moment::DateTime(stamp), "isoformat") => {
            let bound = arguments.bind(Signature::by_name(method, &["sep", "timespec"], 0))?;
            let separator = if bound.get(0).is_some() {
                bound.text(0)?
            } else {
                "T"
            };
            if separator.chars().count() != 1 {
                return type_fault("`isoformat` takes a separator of one character");
            }
            Ok(Value::text(
                stamp.isoformat(separator, time_digits(&bound, 1)?),
            ))
        }
        (Moment::Time(stamp), "isoformat") => {
            let bound = arguments.bind(Signature::by_name(method, &["timespec"], 0))?;
            Ok(Value::text(stamp.time_text(time_digits(&bound, 0)?)))
        }
        (_, "replace") => replace(moment, arguments),
        (Moment::DateTime(stamp), "astimezone") => {
            let bound = arguments.bind(Signature::by_name(method, &["tz"], 0))?;
            astimezone(stamp, &bound)
        }
        (Moment::Zone(zone), "utcoffset" | "tzname") => {
            let bound = arguments.bind(Signature::by_place(method, &["dt"], 1))?;
            let (civil, fold) = match (zone, bound.required(0)) {
                (_, Value::Moment(Moment::DateTime(stamp))) => (stamp.civil, stamp.fold),
                (Zone::Named(..), Value::None) => return Ok(Value::None),
                (_, Value::None) => (civil_from_micros(0)?, false),
                (_, other) => return expected("a datetime", other),
            };
            zone_method(zone, civil, fold, method)
        }
        _ => {
            arguments.none(method)?;
            bare(moment, method)
        }
    }
}

fn zone_method(
    zone: &Zone,
    civil: jiff::civil::DateTime,
    fold: bool,
    method: &str,
) -> Outcome<Value> {
    if method == "tzname" {
        return zone.name(civil, fold).map(Value::text);
    }
    Moment::delta(i128::from(zone.offset(civil, fold)) * SECOND).map(Value::Moment)
}

/// The methods without arguments.
fn bare(moment: &Moment, method: &str) -> Outcome<Value> {
    let date = match moment {
        Moment::DateTime(stamp) | Moment::Time(stamp) => stamp.civil.date(),
        Moment::Date(date) => *date,
        Moment::Delta(micros) => {
            let seconds = divide(&(**micros).into(), &SECOND.into())?;
            return Ok(Value::Float(seconds));
        }
        Moment::Zone(_) => return unsupported(format!("the method `{method}` of a time zone")),
    };
    let weekday = monday_zero(date.weekday());
    match (moment, method) {
        (_, "weekday") => return Ok(Value::Int(weekday)),
        (_, "isoweekday") => return Ok(Value::Int(weekday + 1)),
        (_, "isocalendar") => {
            let iso = date.iso_week_date();
            return Value::named_tuple(
                &ISO_CALENDAR,
                vec![
                    Value::Int(iso.year().into()),
                    Value::Int(iso.week().into()),
                    Value::Int(weekday + 1),
                ],
            );
        }
        (_, "toordinal") => {
            /// The ordinal of the first day of 1970.
            const EPOCH_ORDINAL: i128 = 719_163;
            let ordinal = date_days(date) + EPOCH_ORDINAL;
            return Ok(Value::Int(i64::try_from(ordinal).unwrap_or(0)));
        }
        (_, "ctime") => {
            if date.year() < 1000 {
                return unsupported("`ctime` of years before 1000");
            }
            return strftime(moment, "%a %b %e %H:%M:%S %Y").map(Value::text);
        }
        (Moment::Date(date), "isoformat") => return Ok(Value::text(date_text(*date))),
        _ => {}
    }
    let (Moment::DateTime(stamp) | Moment::Time(stamp)) = moment else {
        return unsupported(format!("the method `{method}` of a date"));
    };
    let zone = stamp.zone.as_ref();
    match method {
        "date" => Ok(Value::Moment(Moment::Date(date))),
        "time" => Ok(Value::Moment(Moment::time(
            stamp.civil.time(),
            None,
            stamp.fold,
        ))),
        "timetz" => {
            if matches!(zone, Some(Zone::Named(..))) {
                return unsupported("a `time` with a named zone");
            }
            Ok(Value::Moment(Moment::time(
                stamp.civil.time(),
                zone.cloned(),
                stamp.fold,
            )))
        }
        "timestamp" => divide(&stamp.utc_micros().into(), &SECOND.into()).map(Value::Float),
        "utcoffset" | "tzname" => match zone {
            Some(zone) => zone_method(zone, stamp.civil, stamp.fold, method),
            None => Ok(Value::None),
        },
        "dst" => match zone {
            None | Some(Zone::Utc | Zone::Local | Zone::Fixed(_)) => Ok(Value::None),
            Some(Zone::Named(..)) => unsupported("`dst` of a named zone"),
        },
        _ => unsupported(format!("the method `{method}` of `{}`", moment.type_name())),
    }
}

fn time_digits(bound: &Bound, place: usize) -> Outcome<TimeDigits> {
    if bound.get(place).is_none() {
        return Ok(TimeDigits::Auto);
    }
    Ok(match bound.text(place)? {
        "auto" => TimeDigits::Auto,
        "hours" => TimeDigits::Hours,
        "minutes" => TimeDigits::Minutes,
        "seconds" => TimeDigits::Seconds,
        "milliseconds" => TimeDigits::Milliseconds,
        "microseconds" => TimeDigits::Microseconds,
        other => return value_fault(format!("unknown timespec `{other}`")),
    })
}

fn replace(moment: &Moment, arguments: Arguments) -> Outcome<Value> {
    const ALL: [&str; 9] = [
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "second",
        "microsecond",
        "tzinfo",
        "fold",
    ];
    let (stamp, names): (Stamp, &'static [&'static str]) = match moment {
        Moment::DateTime(stamp) => ((**stamp).clone(), &ALL),
        Moment::Date(date) => (Stamp::naive(date.at(0, 0, 0, 0))?, &ALL[..3]),
        Moment::Time(stamp) => ((**stamp).clone(), &ALL[3..]),
        Moment::Delta(_) | Moment::Zone(_) => return type_fault("this type has no `replace`"),
    };
    let bound = arguments.bind(Signature::by_name("replace", names, 0))?;
    let field = |name: &str, now: i64| -> Outcome<i64> {
        match names.iter().position(|known| *known == name) {
            Some(place) => bound.integer(place, now),
            None => Ok(now),
        }
    };
    let civil = stamp.civil;
    let build = |name: &str, now: i64, bounds: std::ops::RangeInclusive<i64>| -> Outcome<i64> {
        let value = field(name, now)?;
        if bounds.contains(&value) {
            return Ok(value);
        }
        value_fault(format!(
            "{name} must be from {} to {}",
            bounds.start(),
            bounds.end()
        ))
    };
    let year = build("year", civil.year().into(), 1..=9999)?;
    let month = build("month", civil.month().into(), 1..=12)?;
    let day = build("day", civil.day().into(), 1..=31)?;
    let hour = build("hour", civil.hour().into(), 0..=23)?;
    let minute = build("minute", civil.minute().into(), 0..=59)?;
    let second = build("second", civil.second().into(), 0..=59)?;
    let micros = i64::from(civil.subsec_nanosecond() / 1000);
    let micros = build("microsecond", micros, 0..=999_999)?;
    let small = |value: i64| i8::try_from(value).unwrap_or(0);
    let date = Date::new(i16::try_from(year).unwrap_or(0), small(month), small(day))
        .map_err(|_| Fault::new(FaultKind::Value, "day is out of range for month"))?;
    let nanos = i32::try_from(micros * 1000).unwrap_or(0);
    let replaced = date.at(small(hour), small(minute), small(second), nanos);
    if let Moment::Date(_) = moment {
        return Ok(Value::Moment(Moment::Date(date)));
    }
    let given = |name: &str| {
        names
            .iter()
            .position(|known| *known == name)
            .and_then(|place| bound.get(place))
    };
    let zone = match given("tzinfo") {
        None => stamp.zone.clone(),
        Some(Value::None) => None,
        Some(Value::Moment(Moment::Zone(zone))) => Some(zone.clone()),
        Some(other) => return expected("a tzinfo or None", other),
    };
    let fold = build("fold", stamp.fold.into(), 0..=1)? == 1;
    let stamp = Stamp {
        civil: replaced,
        zone,
        fold,
    };
    Ok(Value::Moment(match moment {
        Moment::Time(_) => {
            if matches!(stamp.zone, Some(Zone::Named(..))) {
                return unsupported("a `time` with a named zone");
            }
            Moment::Time(Arc::new(stamp))
        }
        _ => Moment::DateTime(Arc::new(stamp)),
    }))
}

fn astimezone(stamp: &Stamp, bound: &Bound) -> Outcome<Value> {
    let zone = match bound.some(0) {
        Some(Value::Moment(Moment::Zone(zone))) => zone.clone(),
        None => Zone::Local,
        Some(other) => return expected("a tzinfo", other),
    };
    if stamp.zone.as_ref().is_some_and(|own| own.same(&zone)) {
        return Ok(Value::Moment(Moment::DateTime(Arc::new(stamp.clone()))));
    }
    let utc = stamp.utc_micros();
    let (civil, fold) = match &zone {
        Zone::Named(_, named) => {
            let at = jiff::Timestamp::from_microsecond(i64::try_from(utc).unwrap_or(i64::MAX))
                .map_err(|_| super::moment::out_of_range())?;
            let zoned = at.to_zoned(named.clone());
            let there = Stamp::zoned(&zoned)?;
            (there.civil, there.fold)
        }
        fixed => {
            let offset = fixed.offset(stamp.civil, false);
            (civil_from_micros(utc + i128::from(offset) * SECOND)?, false)
        }
    };
    Ok(Value::Moment(Moment::DateTime(Arc::new(Stamp {
        civil,
        zone: Some(zone),
        fold,
    }))))
}

/// An operator with a moment on at least one side; `None` when Python has no meaning for it.
pub(crate) fn arithmetic(op: Arithmetic, a: &Value, b: &Value) -> Outcome<Option<Value>> {
    let moment = match (op, a, b) {
        (Arithmetic::Add, Value::Moment(x), Value::Moment(y)) => match (x, y) {
            (Moment::Delta(x), Moment::Delta(y)) => Moment::delta(**x + **y)?,
            (moment, Moment::Delta(delta)) | (Moment::Delta(delta), moment) => {
                match shift(moment, **delta, 1)? {
                    Some(shifted) => shifted,
                    None => return Ok(None),
                }
            }
            _ => return Ok(None),
        },
        (Arithmetic::Subtract, Value::Moment(x), Value::Moment(y)) => match (x, y) {
            (Moment::Delta(x), Moment::Delta(y)) => Moment::delta(**x - **y)?,
            (moment, Moment::Delta(delta)) => match shift(moment, **delta, -1)? {
                Some(shifted) => shifted,
                None => return Ok(None),
            },
            (Moment::DateTime(x), Moment::DateTime(y)) => Moment::delta(difference(x, y)?)?,
            (Moment::Date(x), Moment::Date(y)) => {
                Moment::delta((date_days(*x) - date_days(*y)) * DAY)?
            }
            _ => return Ok(None),
        },
        (_, Value::Moment(Moment::Delta(x)), Value::Moment(Moment::Delta(y))) => {
            let (x, y) = ((**x).into(), (**y).into());
            match op {
                Arithmetic::Divide => return divide(&x, &y).map(|ratio| Some(Value::Float(ratio))),
                Arithmetic::FloorDivide => {
                    return Ok(Some(Value::integer(floor_divide(&x, &y)?.0)));
                }
                Arithmetic::Remainder => delta_of(&floor_divide(&x, &y)?.1)?,
                _ => return Ok(None),
            }
        }
        (Arithmetic::Multiply, Value::Moment(Moment::Delta(delta)), factor)
        | (Arithmetic::Multiply, factor, Value::Moment(Moment::Delta(delta))) => {
            match as_integer(factor) {
                Some(factor) => delta_of(&(factor * **delta))?,
                None => return scaled_by_float(factor),
            }
        }
        (Arithmetic::FloorDivide, Value::Moment(Moment::Delta(delta)), divisor) => {
            match as_integer(divisor) {
                Some(divisor) => delta_of(&floor_divide(&(**delta).into(), &divisor)?.0)?,
                None => return Ok(None),
            }
        }
        (Arithmetic::Divide, Value::Moment(Moment::Delta(delta)), divisor) => {
            match as_small(divisor) {
                Some(0) => {
                    return Err(Fault::new(FaultKind::ZeroDivision, "division by zero"));
                }
                Some(divisor) => {
                    let divisor = i128::from(divisor);
                    let (size, by) = (**delta * divisor.signum(), divisor.abs());
                    let (quotient, rest) = (size.div_euclid(by), size.rem_euclid(by));
                    let up = rest * 2 > by || (rest * 2 == by && quotient % 2 != 0);
                    Moment::delta(quotient + i128::from(up))?
                }
                None => return scaled_by_float(divisor),
            }
        }
        _ => return Ok(None),
    };
    Ok(Some(Value::Moment(moment)))
}

fn scaled_by_float(factor: &Value) -> Outcome<Option<Value>> {
    match factor {
        Value::Float(_) => unsupported("a timedelta times or divided by a float"),
        _ => Ok(None),
    }
}

fn delta_of(micros: &num_bigint::BigInt) -> Outcome<Moment> {
    match i128::try_from(micros) {
        Ok(micros) => Moment::delta(micros),
        Err(_) => Moment::delta(i128::MAX),
    }
}

/// A date or datetime moved on its wall clock, forward or backward; a date moves by the whole days of the stretch,
/// which are counted before the direction.
fn shift(moment: &Moment, micros: i128, direction: i128) -> Outcome<Option<Moment>> {
    Ok(Some(match moment {
        Moment::DateTime(stamp) => Moment::DateTime(Arc::new(
            stamp.at_wall(stamp.wall_micros() + direction * micros)?,
        )),
        Moment::Date(date) => {
            let days = date_days(*date) + direction * micros.div_euclid(DAY);
            let shifted = civil_from_micros(days * DAY)?.date();
            check_year(shifted)?;
            Moment::Date(shifted)
        }
        _ => return Ok(None),
    }))
}

fn difference(x: &Stamp, y: &Stamp) -> Outcome<i128> {
    match (&x.zone, &y.zone) {
        (None, None) => Ok(x.wall_micros() - y.wall_micros()),
        (Some(a), Some(b)) if a.same(b) => Ok(x.wall_micros() - y.wall_micros()),
        (Some(_), Some(_)) => Ok(x.utc_micros() - y.utc_micros()),
        _ => type_fault("can't subtract offset-naive and offset-aware datetimes"),
    }
}
