//! What stands for a key while a list is read: long lists have many keys, and only their sameness matters.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use bowline_template::{Kind, Value};

/// The records of a list that were seen, each with what stands for what it held; 0 where nobody asks.
pub(super) type Seen = HashMap<Mark, u32>;

/// A key's mark, of 96 bits: of a hundred million keys two share one less often than memory forgets a bit. Long lists
/// are held as marks, so that no bit is spent in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Mark([u32; 3]);

impl Mark {
    pub(crate) fn of(key: &impl Hash) -> Self {
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            salt.hash(&mut hasher);
            key.hash(&mut hasher);
            hasher.finish()
        };
        let (first, second) = (half(0), half(1));
        let low = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or_default();
        Self([low(first), low(first >> 32), low(second)])
    }
}

/// What stands for all that a record holds.
pub(crate) fn contents(record: &Value) -> u32 {
    let mut hasher = DefaultHasher::new();
    hash_into(record, &mut hasher);
    u32::try_from(hasher.finish() >> 32).unwrap_or_default()
}

fn hash_into(value: &Value, hasher: &mut DefaultHasher) {
    match value.kind() {
        Kind::Boolean(flag) => flag.hash(hasher),
        Kind::Integer(number) => number.hash(hasher),
        Kind::Float(number) => number.to_bits().hash(hasher),
        Kind::Text(text) => text.hash(hasher),
        Kind::Sequence => {
            let items = value.items().unwrap_or_default();
            items.len().hash(hasher);
            for item in &items {
                hash_into(item, hasher);
            }
        }
        Kind::Mapping => {
            for (name, member) in value.entries().unwrap_or_default() {
                hash_into(&name, hasher);
                hash_into(&member, hasher);
            }
        }
        _ => value.type_name().hash(hasher),
    }
}
