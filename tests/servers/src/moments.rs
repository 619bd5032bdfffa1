//! Moments at which a test disturbs a server.

/// Numbers that follow from a seed: each run of a test disturbs at the same moments.
#[derive(Debug)]
pub struct Moments(u64);

impl Moments {
    /// Those of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// The next one, below a bound; 0 where that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound.max(1)
    }
}
