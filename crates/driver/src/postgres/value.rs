//! Values as PostgreSQL sends them in binary.

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::{BigInt, Sign};
use jiff::tz::TimeZone;
use postgres_types::{Oid, Type};

use crate::calendar::{self, POSTGRES_DAYS, SECONDS_PER_DAY};
use crate::{Interval, Value, postgres_binary};

const PER_SECOND: i64 = 1_000_000;
const NANOS_PER_MICRO: i64 = 1_000;

/// What a value's bytes come to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Read {
    /// A value.
    Value(Value),
    /// Text that is not in UTF-8.
    NotUtf8,
    /// No value of its type.
    Broken,
}

impl From<Option<Value>> for Read {
    fn from(value: Option<Value>) -> Self {
        value.map_or(Self::Broken, Self::Value)
    }
}

/// Whether a type has a value of ours, so that [`read`] knows it.
pub(super) fn is_own(found: &Type) -> bool {
    is_text(found)
        || [
            Type::BOOL,
            Type::INT2,
            Type::INT4,
            Type::INT8,
            Type::OID,
            Type::XID,
            Type::CID,
            Type::XID8,
            Type::FLOAT4,
            Type::FLOAT8,
            Type::NUMERIC,
            Type::BYTEA,
            Type::DATE,
            Type::TIME,
            Type::TIMETZ,
            Type::TIMESTAMP,
            Type::TIMESTAMPTZ,
            Type::INTERVAL,
            Type::UUID,
            Type::JSONB,
            Type::JSONPATH,
            Type::INET,
            Type::CIDR,
            Type::MACADDR,
            Type::MACADDR8,
            Type::BIT,
            Type::VARBIT,
            Type::PG_LSN,
            Type::VOID,
        ]
        .contains(found)
}

fn is_text(found: &Type) -> bool {
    [
        Type::TEXT,
        Type::VARCHAR,
        Type::BPCHAR,
        Type::NAME,
        Type::CHAR,
        Type::JSON,
        Type::XML,
        Type::UNKNOWN,
        Type::CSTRING,
        Type::REFCURSOR,
        Type::PG_NODE_TREE,
    ]
    .contains(found)
}

/// Text, whose bytes are UTF-8 where the session's are, and otherwise ASCII.
pub(super) fn text(bytes: &[u8], is_utf8: bool) -> Read {
    if !is_utf8 && !bytes.is_ascii() {
        return Read::NotUtf8;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Read::Value(text.into()),
        Err(_) => Read::NotUtf8,
    }
}

/// The value of a type of which [`is_own`] is true.
pub(super) fn read(found: &Type, bytes: &[u8], is_utf8: bool) -> Read {
    match *found {
        // The one character that no text holds stands for none.
        Type::CHAR if bytes == [0] => Read::Value("".into()),
        // A byte that is no letter of its own, as servers from version 16 on write it.
        Type::CHAR if !bytes.is_ascii() => {
            let digits: String = bytes.iter().map(|byte| format!("\\{byte:03o}")).collect();
            Read::Value(digits.into())
        }
        // A byte that counts its version comes first.
        Type::JSONB | Type::JSONPATH => match bytes.split_first() {
            Some((1, rest)) => text(rest, is_utf8),
            _ => Read::Broken,
        },
        _ if is_text(found) => text(bytes, is_utf8),
        _ => other(found, bytes).into(),
    }
}

fn other(found: &Type, bytes: &[u8]) -> Option<Value> {
    Some(match *found {
        Type::BOOL => (*bytes.first()? != 0).into(),
        Type::INT2 => Value::Integer(i16::from_be_bytes(bytes.try_into().ok()?).into()),
        Type::INT4 => i32::from_be_bytes(bytes.try_into().ok()?).into(),
        Type::INT8 => i64::from_be_bytes(bytes.try_into().ok()?).into(),
        Type::OID | Type::XID | Type::CID => {
            Value::Integer(u32::from_be_bytes(bytes.try_into().ok()?).into())
        }
        Type::XID8 => u64::from_be_bytes(bytes.try_into().ok()?).into(),
        Type::FLOAT4 => f64::from(f32::from_be_bytes(bytes.try_into().ok()?)).into(),
        Type::FLOAT8 => f64::from_be_bytes(bytes.try_into().ok()?).into(),
        Type::NUMERIC => numeric(bytes)?,
        Type::BYTEA => bytes.to_vec().into(),
        Type::DATE => match i32::from_be_bytes(bytes.try_into().ok()?) {
            i32::MAX => "infinity".into(),
            i32::MIN => "-infinity".into(),
            days => calendar::date(i64::from(days) + POSTGRES_DAYS),
        },
        Type::TIME => calendar::time(i64::from_be_bytes(bytes.try_into().ok()?), PER_SECOND),
        Type::TIMETZ => postgres_binary::time_with_zone(bytes)?,
        Type::TIMESTAMP => timestamp(bytes, None)?,
        Type::TIMESTAMPTZ => timestamp(bytes, Some(TimeZone::UTC))?,
        Type::INTERVAL => interval(bytes)?,
        Type::UUID => postgres_binary::uuid(bytes)?,
        Type::INET | Type::CIDR => postgres_binary::network(bytes)?,
        Type::MACADDR | Type::MACADDR8 => postgres_binary::hex(bytes, ":").into(),
        Type::BIT | Type::VARBIT => postgres_binary::bits(bytes)?,
        Type::PG_LSN => {
            let place = u64::from_be_bytes(bytes.try_into().ok()?);
            format!("{:X}/{:X}", place >> 32, place & 0xffff_ffff).into()
        }
        Type::VOID => "".into(),
        _ => return None,
    })
}

fn timestamp(bytes: &[u8], zone: Option<TimeZone>) -> Option<Value> {
    Some(match i64::from_be_bytes(bytes.try_into().ok()?) {
        i64::MAX => "infinity".into(),
        i64::MIN => "-infinity".into(),
        // Counted in microseconds from 1970, the last of them would be past the end of the count.
        micros => calendar::moment(
            micros.div_euclid(PER_SECOND) + POSTGRES_DAYS * SECONDS_PER_DAY,
            micros.rem_euclid(PER_SECOND) * NANOS_PER_MICRO,
            zone,
        ),
    })
}

/// An interval, or its microseconds spelt out where nanoseconds would not hold them; PostgreSQL 17 has endless ones.
fn interval(bytes: &[u8]) -> Option<Value> {
    let (micros, rest) = bytes.split_first_chunk::<8>()?;
    let (days, months) = rest.split_first_chunk::<4>()?;
    let micros = i64::from_be_bytes(*micros);
    let days = i32::from_be_bytes(*days);
    let months = i32::from_be_bytes(months.try_into().ok()?);
    match (micros, days, months) {
        (i64::MAX, i32::MAX, i32::MAX) => return Some("infinity".into()),
        (i64::MIN, i32::MIN, i32::MIN) => return Some("-infinity".into()),
        _ => {}
    }
    Some(match micros.checked_mul(1000) {
        Some(nanoseconds) => Value::Interval(Interval {
            months,
            days,
            nanoseconds,
        }),
        None => {
            let date = Interval {
                months,
                days,
                nanoseconds: 0,
            }
            .to_string();
            let date = date.strip_suffix("T0S").unwrap_or(&date).to_owned();
            let (seconds, fraction) = (micros / PER_SECOND, (micros % PER_SECOND).abs());
            let fraction = match fraction {
                0 => String::new(),
                fraction => format!(".{}", format!("{fraction:06}").trim_end_matches('0')),
            };
            format!("{date}T{seconds}{fraction}S").into()
        }
    })
}

/// An exact decimal: groups of four digits, the weight of the first, a sign, and how many digits are shown.
fn numeric(bytes: &[u8]) -> Option<Value> {
    const NAN: u16 = 0xC000;
    const INFINITE: u16 = 0xD000;
    const MINUS_INFINITE: u16 = 0xF000;
    const NEGATIVE: u16 = 0x4000;
    let (header, groups) = bytes.split_first_chunk::<8>()?;
    let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let (count, weight) = (usize::from(word(0)), word(2).cast_signed());
    let (sign, scale) = (word(4), i64::from(word(6)));
    match sign {
        NAN => return Some(f64::NAN.into()),
        INFINITE => return Some(f64::INFINITY.into()),
        MINUS_INFINITE => return Some(f64::NEG_INFINITY.into()),
        _ => {}
    }
    if groups.len() != count * 2 {
        return None;
    }
    let mut digits = String::with_capacity(count * 4);
    for group in groups.chunks_exact(2) {
        let group = u16::from_be_bytes([group[0], group[1]]);
        digits.push_str(&format!("{group:04}"));
    }
    let written = i64::try_from(count).ok()? * 4;
    // So many of the digits stand behind the point.
    let behind = written - (i64::from(weight) + 1) * 4;
    if behind < scale {
        digits.extend(std::iter::repeat_n(
            '0',
            usize::try_from(scale - behind).ok()?,
        ));
    } else {
        let kept = usize::try_from(written - (behind - scale)).unwrap_or(0);
        digits.truncate(kept);
    }
    if digits.is_empty() {
        digits.push('0');
    }
    let number = BigInt::parse_bytes(digits.as_bytes(), 10)?;
    let number = match sign {
        NEGATIVE => BigInt::from_biguint(Sign::Minus, number.magnitude().clone()),
        _ => number,
    };
    Some(BigDecimal::from_bigint(number, scale).into())
}

/// As many dimensions as a list of PostgreSQL's has.
const MOST_DIMENSIONS: usize = 6;

/// A list as it is sent.
pub(super) struct List<'a> {
    /// The type of its elements.
    pub(super) element: Oid,
    /// How many elements each of its dimensions has, the outermost first.
    pub(super) lengths: Vec<usize>,
    /// Its elements, one after the other.
    pub(super) elements: Vec<Option<&'a [u8]>>,
}

/// Takes a list apart.
pub(super) fn list(bytes: &[u8]) -> Option<List<'_>> {
    let (header, mut rest) = bytes.split_first_chunk::<12>()?;
    let word = |at: usize| {
        i32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    let dimensions = usize::try_from(word(0)).ok()?;
    if dimensions > MOST_DIMENSIONS {
        return None;
    }
    let element = u32::from_be_bytes(header[8..12].try_into().ok()?);
    let mut lengths = Vec::new();
    for _ in 0..dimensions {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (_, after) = after.split_first_chunk::<4>()?;
        lengths.push(usize::try_from(i32::from_be_bytes(*length)).ok()?);
        rest = after;
    }
    let mut elements = Vec::new();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = i32::from_be_bytes(*length);
        if length < 0 {
            elements.push(None);
            rest = after;
        } else {
            let (value, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
            elements.push(Some(value));
            rest = after;
        }
    }
    let mut counts = lengths.iter();
    let first = counts.next().copied().unwrap_or(0);
    let count = counts.try_fold(first, |all, length| all.checked_mul(*length))?;
    (count == elements.len()).then_some(List {
        element,
        lengths,
        elements,
    })
}

/// Folds the elements of a list into lists of lists, one for each of its dimensions.
pub(super) fn fold(mut values: Vec<Value>, lengths: &[usize]) -> Value {
    for length in lengths.iter().skip(1).rev() {
        if *length == 0 {
            break;
        }
        values = values
            .chunks(*length)
            .map(|row| Value::List(row.to_vec()))
            .collect();
    }
    Value::List(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(groups: &[u16], weight: i16, sign: u16, scale: u16) -> String {
        let count = u16::try_from(groups.len()).unwrap();
        let words = [count, weight.cast_unsigned(), sign, scale];
        let bytes: Vec<u8> = words
            .iter()
            .chain(groups)
            .flat_map(|word| word.to_be_bytes())
            .collect();
        numeric(&bytes).unwrap().to_string()
    }

    #[test]
    fn decimals_keep_their_digits_and_their_scale() {
        assert_eq!(decimal(&[], 0, 0, 0), "0");
        assert_eq!(decimal(&[], 0, 0, 2), "0.00");
        assert_eq!(decimal(&[10, 5000], 0, 0, 2), "10.50");
        assert_eq!(decimal(&[10, 5000], 0, 0x4000, 1), "-10.5");
        assert_eq!(decimal(&[1], -5, 0, 20), "0.00000000000000000001");
        assert_eq!(decimal(&[1], 5, 0, 0), "100000000000000000000");
        assert_eq!(decimal(&[1234], 0, 0, 3), "1234.000");
        assert_eq!(decimal(&[], 0, 0xC000, 0), "NaN");
        assert_eq!(decimal(&[], 0, 0xF000, 0), "-Infinity");
        assert_eq!(numeric(&[0, 1, 0, 0, 0, 0, 0, 0]), None);
    }

    #[test]
    fn lists_of_lists_stay_so() {
        let numbers = |count: i64| (1..=count).map(Value::from).collect();
        assert_eq!(fold(numbers(4), &[2, 2]).to_string(), "[[1, 2], [3, 4]]");
        assert_eq!(fold(numbers(2), &[2]).to_string(), "[1, 2]");
        assert_eq!(fold(Vec::new(), &[]).to_string(), "[]");
    }

    #[test]
    fn half_a_value_is_none() {
        for found in [
            Type::INT4,
            Type::TIMESTAMP,
            Type::INTERVAL,
            Type::NUMERIC,
            Type::JSONB,
        ] {
            assert_eq!(read(&found, &[7], true), Read::Broken, "{found}");
        }
        let west = [&[0; 8][..], &i32::MIN.to_be_bytes()].concat();
        assert_eq!(read(&Type::TIMETZ, &west, true), Read::Broken);
        assert!(list(&[0; 11]).is_none());
        // No server has lists of so many dimensions.
        let deep = [
            &7_i32.to_be_bytes()[..],
            &[0; 8],
            &[0, 0, 0, 1, 0, 0, 0, 1].repeat(7),
        ]
        .concat();
        assert!(list(&[&deep[..], &[0xff; 4]].concat()).is_none());
        assert!(list(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 9, 0, 0, 0, 1]).is_none());
    }

    #[test]
    fn text_is_read_as_what_the_session_says_it_is() {
        assert_eq!(text("é".as_bytes(), true), Read::Value("é".into()));
        assert_eq!(text("é".as_bytes(), false), Read::NotUtf8);
        assert_eq!(text(b"e", false), Read::Value("e".into()));
        assert_eq!(text(&[0xE9], true), Read::NotUtf8);
    }

    #[test]
    fn times_that_nanoseconds_do_not_hold_are_spelt_out() {
        let bytes = |micros: i64, days: i32, months: i32| {
            [
                &micros.to_be_bytes()[..],
                &days.to_be_bytes(),
                &months.to_be_bytes(),
            ]
            .concat()
        };
        let read =
            |micros, days, months| interval(&bytes(micros, days, months)).unwrap().to_string();
        assert_eq!(read(-3_500_000, 2, 12), "P1Y2DT-3.5S");
        assert_eq!(read(i64::MAX, 1, 0), "P1DT9223372036854.775807S");
        assert_eq!(read(i64::MAX, i32::MAX, i32::MAX), "infinity");
    }
}
