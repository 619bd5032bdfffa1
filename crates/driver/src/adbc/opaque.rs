//! Values of types Arrow has no word for: the driver hands over their bytes and says in the field's
//! metadata what they are.

use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::{Array, cast::AsArray};
use arrow_schema::{DataType, Field};

use crate::Value;
use crate::value::offset_text;

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
pub(super) fn value(array: &dyn Array, row: usize, field: &Field) -> Option<Option<Value>> {
    if field.metadata().is_empty() {
        return None;
    }
    let metadata = field.metadata();
    match metadata.get(EXTENSION).map(String::as_str) {
        Some("arrow.uuid") => Some(bytes(array, row).and_then(uuid)),
        Some("arrow.bool8") => {
            let flag = array.as_primitive_opt::<Int8Type>();
            Some(flag.map(|flags| (flags.value(row) != 0).into()))
        }
        Some("arrow.opaque") => {
            let name = type_name(field).unwrap_or_default();
            Some(match array.data_type() {
                DataType::Utf8 if name == "numeric" => number(array.as_string::<i32>().value(row)),
                DataType::Utf8 => Some(array.as_string::<i32>().value(row).into()),
                _ => bytes(array, row).and_then(|bytes| opaque(&name, bytes)),
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

fn uuid(bytes: &[u8]) -> Option<Value> {
    let hex = hex(bytes, "");
    (bytes.len() == 16).then(|| {
        let parts = [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        ];
        parts.join("-").into()
    })
}

fn opaque(type_name: &str, bytes: &[u8]) -> Option<Value> {
    match type_name {
        "xml" => String::from_utf8(bytes.to_vec()).ok().map(Value::Text),
        "macaddr" | "macaddr8" => Some(hex(bytes, ":").into()),
        "inet" | "cidr" => network(bytes),
        "bit" | "varbit" => bits(bytes),
        "timetz" => time_with_offset(bytes),
        _ => None,
    }
}

fn hex(bytes: &[u8], separator: &str) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(separator)
}

/// PostgreSQL's address: family, bits of the mask, whether it is a network, length, address.
fn network(bytes: &[u8]) -> Option<Value> {
    let [_, mask, is_network, length, address @ ..] = bytes else {
        return None;
    };
    if address.len() != usize::from(*length) {
        return None;
    }
    let (text, whole) = match address.len() {
        4 => (
            std::net::Ipv4Addr::from(<[u8; 4]>::try_from(address).ok()?).to_string(),
            32,
        ),
        16 => (
            std::net::Ipv6Addr::from(<[u8; 16]>::try_from(address).ok()?).to_string(),
            128,
        ),
        _ => return None,
    };
    Some(match (*mask, *is_network) {
        (mask, 0) if mask == whole => text.into(),
        (mask, _) => format!("{text}/{mask}").into(),
    })
}

/// PostgreSQL's bit string: how many bits, then the bits.
fn bits(bytes: &[u8]) -> Option<Value> {
    let (count, bits) = bytes.split_first_chunk::<4>()?;
    let count = usize::try_from(u32::from_be_bytes(*count)).ok()?;
    let text: String = bits.iter().map(|byte| format!("{byte:08b}")).collect();
    text.get(..count).map(Value::from)
}

/// PostgreSQL's time with zone: microseconds, then seconds west of Greenwich.
fn time_with_offset(bytes: &[u8]) -> Option<Value> {
    let (micros, west) = bytes.split_first_chunk::<8>()?;
    let west = i32::from_be_bytes(west.try_into().ok()?);
    let offset = jiff::tz::Offset::from_seconds(-west).ok()?;
    let time = super::calendar::time(i64::from_be_bytes(*micros), 1_000_000);
    Some(format!("{time}{}", offset_text(offset)).into())
}
