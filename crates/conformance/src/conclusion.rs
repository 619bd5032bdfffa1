//! What a run of either suite comes to as a whole.

/// How a run ended. What comes first outweighs what comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    pub(crate) fn of(interrupted: bool, has_shortfall: bool, has_unknown: bool) -> Self {
        match (interrupted, has_shortfall, has_unknown) {
            (true, ..) => Self::Interrupted,
            (_, true, _) => Self::FellShort,
            (.., true) => Self::Inconclusive,
            _ => Self::Fine,
        }
    }
}
