//! Values as PostgreSQL sends them in binary, of types that Arrow has no word for either.

use crate::Value;
use crate::calendar;
use crate::value::offset_text;

/// A UUID with its hyphens.
pub(crate) fn uuid(bytes: &[u8]) -> Option<Value> {
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

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8], separator: &str) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(separator)
}

/// PostgreSQL's address: family, bits of the mask, whether it is a network, length, address.
pub(crate) fn network(bytes: &[u8]) -> Option<Value> {
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
        16 => (ipv6(<[u8; 16]>::try_from(address).ok()?), 128),
        _ => return None,
    };
    Some(match (*mask, *is_network) {
        (mask, 0) if mask == whole => text.into(),
        (mask, _) => format!("{text}/{mask}").into(),
    })
}

/// An address as the server writes it: what is compatible with the fourth version ends as one of those.
fn ipv6(address: [u8; 16]) -> String {
    match address {
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] if (a, b) != (0, 0) => {
            format!("::{a}.{b}.{c}.{d}")
        }
        address => std::net::Ipv6Addr::from(address).to_string(),
    }
}

/// PostgreSQL's bit string: how many bits, then the bits.
pub(crate) fn bits(bytes: &[u8]) -> Option<Value> {
    let (count, bits) = bytes.split_first_chunk::<4>()?;
    let count = usize::try_from(u32::from_be_bytes(*count)).ok()?;
    let text: String = bits.iter().map(|byte| format!("{byte:08b}")).collect();
    text.get(..count).map(Value::from)
}

/// PostgreSQL's time with zone: microseconds, then seconds west of Greenwich.
pub(crate) fn time_with_zone(bytes: &[u8]) -> Option<Value> {
    let (micros, west) = bytes.split_first_chunk::<8>()?;
    let west = i32::from_be_bytes(west.try_into().ok()?);
    time_with_offset(i64::from_be_bytes(*micros), west.checked_neg()?)
}

/// A time of day with its offset, in microseconds and in seconds east of Greenwich.
pub(crate) fn time_with_offset(micros: i64, east: i32) -> Option<Value> {
    let offset = jiff::tz::Offset::from_seconds(east).ok()?;
    let time = calendar::time(micros, 1_000_000);
    Some(format!("{time}{}", offset_text(offset)).into())
}
