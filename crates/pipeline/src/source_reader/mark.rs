//! What stands for a key while a list is read: long lists have many keys, and only their sameness matters.

use std::hash::{DefaultHasher, Hash, Hasher};

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
