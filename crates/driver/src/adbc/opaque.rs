//! Values of types Arrow has no word for: the driver hands over their bytes and says in the field's
//! metadata what they are.

use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::{Array, cast::AsArray};
use arrow_schema::{DataType, Field};
use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::{BigInt, Sign};

use super::arrow::Vendor;
use crate::{Value, postgres_binary};

const EXTENSION: &str = "ARROW:extension:name";
const EXTENSION_METADATA: &str = "ARROW:extension:metadata";
const POSTGRES_TYPE: &str = "POSTGRESQL:type";

/// The database's word for an opaque type.
pub(super) fn type_name(field: &Field) -> Option<String> {
    let metadata = field.metadata().get(EXTENSION_METADATA)?;
    let metadata: serde_json::Value = serde_json::from_str(metadata).ok()?;
    metadata.get("type_name")?.as_str().map(str::to_owned)
}

/// A value whose metadata gives it another meaning than its Arrow type: `None` when there is no such
/// metadata, `Some(None)` when the type is not one we can carry.
pub(super) fn value(
    array: &dyn Array,
    row: usize,
    field: &Field,
    vendor: Vendor,
) -> Option<Option<Value>> {
    if field.metadata().is_empty() {
        return None;
    }
    let metadata = field.metadata();
    match metadata.get(EXTENSION).map(String::as_str) {
        Some("arrow.uuid") => Some(bytes(array, row).and_then(postgres_binary::uuid)),
        Some("arrow.bool8") => {
            let flag = array.as_primitive_opt::<Int8Type>();
            Some(flag.map(|flags| (flags.value(row) != 0).into()))
        }
        Some("arrow.opaque") => {
            let name = type_name(field).unwrap_or_default();
            Some(match array.data_type() {
                DataType::Utf8 if name == "numeric" => number(array.as_string::<i32>().value(row)),
                DataType::Utf8 => Some(array.as_string::<i32>().value(row).into()),
                _ => bytes(array, row).and_then(|bytes| opaque(&name, bytes, vendor)),
            })
        }
        _ => match metadata.get(POSTGRES_TYPE)?.as_str() {
            // Whole cents, but how many cents there are to the unit only the server knows.
            "money" => Some(None),
            // Names of objects, handed over as their numbers.
            name if name.starts_with("reg") => Some(None),
            "oid" => {
                let numbers = array.as_primitive_opt::<Int32Type>();
                Some(numbers.map(|numbers| i64::from(numbers.value(row).cast_unsigned()).into()))
            }
            _ => None,
        },
    }
}

fn bytes(array: &dyn Array, row: usize) -> Option<&[u8]> {
    match array.data_type() {
        DataType::Binary => Some(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => Some(array.as_binary::<i64>().value(row)),
        DataType::FixedSizeBinary(_) => Some(array.as_fixed_size_binary().value(row)),
        _ => None,
    }
}

fn number(text: &str) -> Option<Value> {
    Some(match text {
        "nan" => f64::NAN.into(),
        "inf" => f64::INFINITY.into(),
        "-inf" => f64::NEG_INFINITY.into(),
        digits => Value::Decimal(digits.parse().ok()?),
    })
}

fn opaque(type_name: &str, bytes: &[u8], vendor: Vendor) -> Option<Value> {
    match (vendor, type_name) {
        (Vendor::PostgreSql, "xml") => String::from_utf8(bytes.to_vec()).ok().map(Value::Text),
        (Vendor::PostgreSql, "macaddr" | "macaddr8") => {
            Some(postgres_binary::hex(bytes, ":").into())
        }
        (Vendor::PostgreSql, "inet" | "cidr") => postgres_binary::network(bytes),
        (Vendor::PostgreSql, "bit" | "varbit") => postgres_binary::bits(bytes),
        (Vendor::PostgreSql, "timetz") => postgres_binary::time_with_zone(bytes),
        (Vendor::DuckDb, "bit") => duckdb_bits(bytes),
        (Vendor::DuckDb, "time_tz") => duckdb_time(bytes),
        (Vendor::DuckDb, "hugeint") => Some(i128::from_le_bytes(bytes.try_into().ok()?).into()),
        (Vendor::DuckDb, "uhugeint") => {
            Some(whole(u128::from_le_bytes(bytes.try_into().ok()?).into()))
        }
        (Vendor::DuckDb, "bignum") => duckdb_bignum(bytes),
        _ => None,
    }
}

/// A whole number of any size: a decimal without a fraction when 128 bits do not hold it.
fn whole(number: BigInt) -> Value {
    i128::try_from(&number).map_or_else(
        |_| Value::Decimal(BigDecimal::from_bigint(number, 0)),
        Value::Integer,
    )
}

/// DuckDB's bit string: how many bits of the first byte are padding, then the bits.
fn duckdb_bits(bytes: &[u8]) -> Option<Value> {
    let (padding, bits) = bytes.split_first()?;
    let text: String = bits.iter().map(|byte| format!("{byte:08b}")).collect();
    text.get(usize::from(*padding)..).map(Value::from)
}

/// DuckDB's time with zone: microseconds, and in the last 24 bits how far the offset is from the greatest.
fn duckdb_time(bytes: &[u8]) -> Option<Value> {
    const GREATEST_OFFSET: i32 = 16 * 3600 - 1;
    let packed = u64::from_le_bytes(bytes.try_into().ok()?);
    let offset = GREATEST_OFFSET - i32::try_from(packed & 0xff_ffff).ok()?;
    postgres_binary::time_with_offset(i64::try_from(packed >> 24).ok()?, offset)
}

/// DuckDB's number of any size: three bytes of sign and length, then its digits, all inverted when negative.
fn duckdb_bignum(bytes: &[u8]) -> Option<Value> {
    let (header, digits) = bytes.split_first_chunk::<3>()?;
    let is_negative = header[0] & 0x80 == 0;
    let digits: Vec<u8> = if is_negative {
        digits.iter().map(|byte| !byte).collect()
    } else {
        digits.to_vec()
    };
    let sign = if is_negative { Sign::Minus } else { Sign::Plus };
    Some(whole(BigInt::from_bytes_be(sign, &digits)))
}
