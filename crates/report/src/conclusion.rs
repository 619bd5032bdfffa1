//! What a run of either suite comes to as a whole.

/// How a run ended. What comes first outweighs what comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Conclusion {
    /// It was stopped before its end.
    Interrupted,
    /// A check fell short.
    FellShort,
    /// No check fell short, but the answer to one is unknown.
    Inconclusive,
    /// Every check was answered, and none fell short.
    Fine,
}

impl Conclusion {
    /// What a run comes to that was or was not interrupted, and in which checks fell short or stayed unknown.
    #[must_use]
    pub fn of(interrupted: bool, has_shortfall: bool, has_unknown: bool) -> Self {
        if interrupted {
            Self::Interrupted
        } else if has_shortfall {
            Self::FellShort
        } else if has_unknown {
            Self::Inconclusive
        } else {
            Self::Fine
        }
    }
}
