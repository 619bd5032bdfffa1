//! Arrow arrays to [`Value`]s: exact for every type, or refused by name.
//!
//! Dates and times outside the calendar of years -9999 to 9999, and the infinities some databases have,
//! become text as the database would write them: no other value could stand for them.

use std::sync::Arc;

use arrow_array::types::{
    Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType, Float16Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalDayTimeType,
    IntervalMonthDayNanoType, IntervalYearMonthType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType, PrimitiveArray, cast::AsArray};
use arrow_schema::{DataType, Field, IntervalUnit, TimeUnit};
use bigdecimal::BigDecimal;
use jiff::tz::{Offset, TimeZone};

use super::calendar;
use super::opaque;
use crate::{Interval, SqlError, SqlErrorKind, Value};

/// The product whose conventions the arrays follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vendor {
    /// DuckDB.
    DuckDb,
    /// PostgreSQL.
    PostgreSql,
    /// Any other.
    Other,
}

/// The word for a column's type: the database's own where the driver passes it on, else Arrow's.
pub(crate) fn type_name(field: &Field) -> String {
    let metadata = field.metadata();
    metadata
        .get("POSTGRESQL:type")
        .cloned()
        .or_else(|| opaque::type_name(field))
        .unwrap_or_else(|| field.data_type().to_string())
}

/// The value in one row of a column.
///
/// # Errors
/// Kind `UnsupportedType` naming the column and its type, when the value cannot be carried exactly.
pub(crate) fn value(
    array: &dyn Array,
    row: usize,
    field: &Field,
    vendor: Vendor,
) -> Result<Value, SqlError> {
    // A union and a dictionary say in their children what is NULL.
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    if let Some(special) = opaque::value(array, row, field, vendor) {
        return special.ok_or_else(|| unsupported(field));
    }
    let found = match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => array.as_boolean().value(row).into(),
        kind if kind.is_integer() => {
            Value::Integer(integer(array, row).ok_or_else(|| unsupported(field))?)
        }
        DataType::Float16 => array
            .as_primitive::<Float16Type>()
            .value(row)
            .to_f64()
            .into(),
        DataType::Float32 => f64::from(array.as_primitive::<Float32Type>().value(row)).into(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).into(),
        DataType::Decimal32(..) => decimal::<Decimal32Type>(array, row, field)?,
        DataType::Decimal64(..) => decimal::<Decimal64Type>(array, row, field)?,
        DataType::Decimal128(..) => decimal::<Decimal128Type>(array, row, field)?,
        DataType::Decimal256(..) => decimal::<Decimal256Type>(array, row, field)?,
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).into(),
        DataType::Utf8View => array.as_string_view().value(row).into(),
        DataType::Binary => array.as_binary::<i32>().value(row).to_vec().into(),
        DataType::LargeBinary => array.as_binary::<i64>().value(row).to_vec().into(),
        DataType::BinaryView => array.as_binary_view().value(row).to_vec().into(),
        DataType::FixedSizeBinary(_) => array.as_fixed_size_binary().value(row).to_vec().into(),
        DataType::Date32 | DataType::Date64 => {
            calendar::date(whole(array, row, field)?, vendor, array.data_type())
        }
        DataType::Time32(unit) | DataType::Time64(unit) => {
            crate::calendar::time(whole(array, row, field)?, per_second(*unit))
        }
        DataType::Timestamp(unit, zone) => {
            let count = whole(array, row, field)?;
            let zone = zone
                .as_ref()
                .map(|zone| time_zone(zone, field))
                .transpose()?;
            calendar::timestamp(count, per_second(*unit), zone, vendor)
        }
        DataType::Duration(unit) => {
            let count = whole(array, row, field)?;
            let nanoseconds = count.checked_mul(1_000_000_000 / per_second(*unit));
            interval(0, 0, nanoseconds.ok_or_else(|| unsupported(field))?)
        }
        DataType::Interval(IntervalUnit::YearMonth) => interval(
            array.as_primitive::<IntervalYearMonthType>().value(row),
            0,
            0,
        ),
        DataType::Interval(IntervalUnit::DayTime) => {
            let length = array.as_primitive::<IntervalDayTimeType>().value(row);
            interval(0, length.days, i64::from(length.milliseconds) * 1_000_000)
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let length = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            interval(length.months, length.days, length.nanoseconds)
        }
        DataType::List(item) => items(&*array.as_list::<i32>().value(row), item, vendor)?,
        DataType::LargeList(item) => items(&*array.as_list::<i64>().value(row), item, vendor)?,
        DataType::FixedSizeList(item, _) => {
            items(&*array.as_fixed_size_list().value(row), item, vendor)?
        }
        DataType::Map(entry, _) => items(&array.as_map().value(row), entry, vendor)?,
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let named = fields.iter().zip(columns).map(|(field, column)| {
                Ok((field.name().clone(), value(column, row, field, vendor)?))
            });
            Value::Struct(named.collect::<Result<_, SqlError>>()?)
        }
        DataType::Dictionary(_, values) => {
            let dictionary = array.as_any_dictionary();
            let key = integer(dictionary.keys(), row)
                .and_then(|key| usize::try_from(key).ok())
                .ok_or_else(|| unsupported(field))?;
            let item = Field::new(field.name(), (**values).clone(), true);
            value(dictionary.values(), key, &item, vendor)?
        }
        DataType::Union(members, _) => {
            let union = array.as_union();
            let member = union.type_id(row);
            let (_, field) = members
                .iter()
                .find(|(id, _)| *id == member)
                .ok_or_else(|| unsupported(field))?;
            value(union.child(member), union.value_offset(row), field, vendor)?
        }
        _ => return Err(unsupported(field)),
    };
    Ok(found)
}

/// The refusal of a type whose values cannot be carried exactly.
pub(crate) fn unsupported(field: &Field) -> SqlError {
    SqlError::new(
        SqlErrorKind::UnsupportedType,
        format!(
            "type is not supported: column `{}` is of type `{}`",
            field.name(),
            type_name(field)
        ),
    )
    .hint("cast it to text".to_owned())
}

/// The number in an array of any integer type.
fn integer(array: &dyn Array, row: usize) -> Option<i128> {
    fn at<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> i128
    where
        T::Native: Into<i128>,
    {
        array.as_primitive::<T>().value(row).into()
    }
    Some(match array.data_type() {
        DataType::Int8 => at::<Int8Type>(array, row),
        DataType::Int16 => at::<Int16Type>(array, row),
        DataType::Int32 => at::<Int32Type>(array, row),
        DataType::Int64 => at::<Int64Type>(array, row),
        DataType::UInt8 => at::<UInt8Type>(array, row),
        DataType::UInt16 => at::<UInt16Type>(array, row),
        DataType::UInt32 => at::<UInt32Type>(array, row),
        DataType::UInt64 => at::<UInt64Type>(array, row),
        _ => return None,
    })
}

fn decimal<T: DecimalType + ArrowPrimitiveType>(
    array: &dyn Array,
    row: usize,
    field: &Field,
) -> Result<Value, SqlError> {
    let text = array.as_primitive::<T>().value_as_string(row);
    let number: BigDecimal = text.parse().map_err(|_| unsupported(field))?;
    Ok(number.into())
}

fn interval(months: i32, days: i32, nanoseconds: i64) -> Value {
    Value::Interval(Interval {
        months,
        days,
        nanoseconds,
    })
}

fn items(array: &dyn Array, field: &Arc<Field>, vendor: Vendor) -> Result<Value, SqlError> {
    let values = (0..array.len()).map(|row| value(array, row, field, vendor));
    Ok(Value::List(values.collect::<Result<_, _>>()?))
}

/// The plain number a date, time, timestamp or duration is counted in.
fn whole(array: &dyn Array, row: usize, field: &Field) -> Result<i64, SqlError> {
    fn at<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> Option<i64>
    where
        T::Native: Into<i64>,
    {
        let numbers: &PrimitiveArray<T> = array.as_primitive_opt()?;
        Some(numbers.value(row).into())
    }
    use arrow_array::types::{
        Date32Type, Date64Type, DurationMicrosecondType, DurationMillisecondType,
        DurationNanosecondType, DurationSecondType, Time32MillisecondType, Time32SecondType,
        Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
        TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    };
    [
        at::<Date32Type>,
        at::<Date64Type>,
        at::<Time32SecondType>,
        at::<Time32MillisecondType>,
        at::<Time64MicrosecondType>,
        at::<Time64NanosecondType>,
        at::<TimestampSecondType>,
        at::<TimestampMillisecondType>,
        at::<TimestampMicrosecondType>,
        at::<TimestampNanosecondType>,
        at::<DurationSecondType>,
        at::<DurationMillisecondType>,
        at::<DurationMicrosecondType>,
        at::<DurationNanosecondType>,
    ]
    .iter()
    .find_map(|read| read(array, row))
    .ok_or_else(|| unsupported(field))
}

const fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// A zone by its name, such as `Europe/Paris`, or as an offset, such as `+02:00`.
fn time_zone(name: &str, field: &Field) -> Result<TimeZone, SqlError> {
    if name.eq_ignore_ascii_case("utc") || name == "Etc/UTC" || name == "Z" {
        return Ok(TimeZone::UTC);
    }
    fixed_offset(name)
        .map(TimeZone::fixed)
        .or_else(|| TimeZone::get(name).ok())
        .ok_or_else(|| {
            SqlError::new(
                SqlErrorKind::UnsupportedType,
                format!(
                    "unknown time zone: column `{}` is in `{name}`",
                    field.name()
                ),
            )
        })
}

fn fixed_offset(name: &str) -> Option<Offset> {
    let sign = match name.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = name[1..].chars().filter(|c| *c != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i32 = digits.parse().ok()?;
    Offset::from_seconds(sign * (number / 100 * 3600 + number % 100 * 60)).ok()
}

#[cfg(test)]
#[path = "arrow_tests.rs"]
mod tests;
