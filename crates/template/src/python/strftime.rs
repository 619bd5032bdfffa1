//! `strftime` as Python has it on Linux: its own `%f`, `%z` and `%Z`, and the C library's rest in the C locale.

use jiff::civil::{DateTime, Weekday};

use super::fault::{Outcome, check_text, unsupported, value_fault};
use super::moment::{Moment, SECOND, Stamp, offset_text};

const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// What stands between `%` and its letter.
#[derive(Debug, Default, Clone, Copy)]
struct Flags {
    pad: Option<char>,
    upper: bool,
    swap: bool,
    width: Option<usize>,
}

/// `moment.strftime(pattern)`
pub(crate) fn strftime(moment: &Moment, pattern: &str) -> Outcome<String> {
    let stamp = match moment {
        Moment::DateTime(stamp) | Moment::Time(stamp) => (**stamp).clone(),
        Moment::Date(date) => Stamp::naive(date.at(0, 0, 0, 0))?,
        Moment::Delta(_) | Moment::Zone(_) => {
            return super::fault::type_fault("this type has no `strftime`");
        }
    };
    if pattern.contains('\0') {
        return value_fault("a NUL character in the pattern of `strftime`");
    }
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(place) = rest.find('%') {
        out.push_str(&rest[..place]);
        rest = directive(&stamp, &rest[place + 1..], &mut out)?;
        check_text(out.len())?;
    }
    out.push_str(rest);
    Ok(out)
}

fn directive<'p>(stamp: &Stamp, text: &'p str, out: &mut String) -> Outcome<&'p str> {
    let mut flags = Flags::default();
    let mut rest = text;
    while let Some(flag) = rest.chars().next() {
        match flag {
            '-' | '_' | '0' => flags.pad = Some(flag),
            '^' => flags.upper = true,
            '#' => flags.swap = true,
            _ => break,
        }
        rest = &rest[1..];
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 {
        let width: usize = rest[..digits].parse().unwrap_or(usize::MAX);
        check_text(width)?;
        flags.width = Some(width);
        rest = &rest[digits..];
    }
    let modified = rest.starts_with(['E', 'O']);
    if modified {
        rest = &rest[1..];
    }
    let Some(letter) = rest.chars().next() else {
        if !text.is_empty() {
            return unsupported("a directive of `strftime` that is cut off");
        }
        out.push('%');
        return Ok(rest);
    };
    let plain = rest.len() == text.len();
    rest = &rest[letter.len_utf8()..];
    let bare = |text: String, out: &mut String| {
        if !plain {
            return unsupported(format!("flags before `%{letter}` in `strftime`"));
        }
        out.push_str(&text);
        Ok(())
    };
    match letter {
        'f' => bare(
            format!("{:06}", stamp.civil.subsec_nanosecond() / 1000),
            out,
        )?,
        'z' => bare(
            stamp
                .offset()
                .map(|seconds| offset_text(seconds, ""))
                .unwrap_or_default(),
            out,
        )?,
        'Z' => {
            let name = match &stamp.zone {
                Some(zone) => zone.name(stamp.civil, stamp.fold)?,
                None => String::new(),
            };
            bare(name, out)?;
        }
        _ if modified => {
            return unsupported(format!("the modifier before `%{letter}` in `strftime`"));
        }
        _ => out.push_str(&library(stamp, letter, flags)?),
    }
    Ok(rest)
}

/// A directive of the C library.
fn library(stamp: &Stamp, letter: char, flags: Flags) -> Outcome<String> {
    let civil = stamp.civil;
    let date = civil.date();
    let weekday = i64::from(date.weekday().to_sunday_zero_offset());
    let year_day = i64::from(date.day_of_year()) - 1;
    let number = |value: i64, width: usize| Ok(numeric(value, width, '0', flags));
    let spaced = |value: i64, width: usize| Ok(numeric(value, width, ' ', flags));
    let hour = i64::from(civil.hour());
    let half = if hour % 12 == 0 { 12 } else { hour % 12 };
    let year = i64::from(date.year());
    let composed = |pattern: &str| -> Outcome<String> {
        if flags.pad.is_some() || flags.width.is_some() || flags.swap {
            return unsupported(format!("flags before `%{letter}` in `strftime`"));
        }
        let text = strftime(
            &Moment::DateTime(std::sync::Arc::new(stamp.clone())),
            pattern,
        )?;
        Ok(if flags.upper {
            text.to_uppercase()
        } else {
            text
        })
    };
    match letter {
        'a' => Ok(named(
            &DAYS[usize::try_from(weekday).unwrap_or(0)][..3],
            flags,
        )),
        'A' => Ok(named(DAYS[usize::try_from(weekday).unwrap_or(0)], flags)),
        'b' | 'h' => Ok(named(&month_name(civil)[..3], flags)),
        'B' => Ok(named(month_name(civil), flags)),
        'c' => composed("%a %b %e %H:%M:%S %Y"),
        'C' => number(year / 100, 2),
        'd' => number(i64::from(date.day()), 2),
        'D' | 'x' => composed("%m/%d/%y"),
        'e' => spaced(i64::from(date.day()), 2),
        'F' => composed("%Y-%m-%d"),
        'g' => number(iso_year(civil) % 100, 2),
        'G' => long_year(iso_year(civil), flags),
        'H' => number(hour, 2),
        'I' => number(half, 2),
        'j' => number(year_day + 1, 3),
        'k' => spaced(hour, 2),
        'l' => spaced(half, 2),
        'm' => number(i64::from(date.month()), 2),
        'M' => number(i64::from(civil.minute()), 2),
        'n' => Ok("\n".to_owned()),
        'p' => {
            let text = if hour < 12 { "AM" } else { "PM" };
            Ok(if flags.swap {
                padded(text.to_lowercase(), flags)
            } else {
                named(text, flags)
            })
        }
        'P' => {
            let text = if hour < 12 { "am" } else { "pm" };
            Ok(padded(text.to_owned(), flags))
        }
        'r' => composed("%I:%M:%S %p"),
        'R' => composed("%H:%M"),
        's' => number(
            i64::try_from(stamp.wall_micros().div_euclid(SECOND)).unwrap_or(0),
            1,
        ),
        'S' => number(i64::from(civil.second()), 2),
        't' => Ok("\t".to_owned()),
        'T' | 'X' => composed("%H:%M:%S"),
        'u' => number(if weekday == 0 { 7 } else { weekday }, 1),
        'U' => number((year_day - weekday + 7) / 7, 2),
        'V' => number(i64::from(date.iso_week_date().week()), 2),
        'w' => number(weekday, 1),
        'W' => number((year_day - (weekday + 6) % 7 + 7) / 7, 2),
        'y' => number(year % 100, 2),
        'Y' => long_year(year, flags),
        '%' => Ok("%".to_owned()),
        _ => unsupported(format!("`%{letter}` in `strftime`")),
    }
}

fn month_name(civil: DateTime) -> &'static str {
    MONTHS[usize::try_from(civil.month() - 1).unwrap_or(0)]
}

fn iso_year(civil: DateTime) -> i64 {
    i64::from(civil.date().iso_week_date().year())
}

/// A year of four digits; how shorter ones print depends on the version of Python.
fn long_year(year: i64, flags: Flags) -> Outcome<String> {
    if year < 1000 {
        return unsupported("years before 1000 in `strftime`");
    }
    Ok(numeric(year, 1, '0', flags))
}

fn numeric(value: i64, width: usize, pad: char, flags: Flags) -> String {
    let pad = match flags.pad {
        Some('_') => ' ',
        Some('0') => '0',
        Some(_) => return value.to_string().pad_to(flags.width.unwrap_or(0), ' '),
        None => pad,
    };
    let width = flags.width.unwrap_or(0).max(width);
    let digits = value.unsigned_abs().to_string();
    let sign = if value < 0 { "-" } else { "" };
    if pad == '0' {
        format!(
            "{sign}{}",
            digits.pad_to(width.saturating_sub(sign.len()), '0')
        )
    } else {
        format!("{sign}{digits}").pad_to(width, ' ')
    }
}

trait PadTo {
    /// Fills up on the left.
    fn pad_to(self, width: usize, fill: char) -> String;
}

impl PadTo for String {
    fn pad_to(self, width: usize, fill: char) -> String {
        let missing = width.saturating_sub(self.len());
        fill.to_string().repeat(missing) + &self
    }
}

fn named(text: &str, flags: Flags) -> String {
    let text = if flags.upper || flags.swap {
        text.to_uppercase()
    } else {
        text.to_owned()
    };
    padded(text, flags)
}

fn padded(text: String, flags: Flags) -> String {
    let fill = if flags.pad == Some('0') { '0' } else { ' ' };
    text.pad_to(flags.width.unwrap_or(0), fill)
}

/// Monday is 0, as `datetime.weekday` counts.
pub(crate) fn monday_zero(weekday: Weekday) -> i64 {
    i64::from(weekday.to_monday_zero_offset())
}
