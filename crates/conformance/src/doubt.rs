//! Why the answer to a check is unknown.

/// Why a check says unknown, in either suite; `E` is the error of who was asked: the database, or the vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt<E> {
    /// The answer leaves it open: out of reach, too slow, no permission, too much at once.
    Answer(E),
    /// There was nothing to look at.
    NothingToSee(String),
    /// What is asked about was not going on just then, as is common there; nothing is amiss with that.
    NoOccasion(String),
    /// What was compared changed meanwhile.
    Changed(String),
    /// Something that comes before did not succeed.
    NotReached(String),
    /// Nothing was asked: a replay has no answer to it.
    Unasked(String),
    /// The run was interrupted before this check ended.
    Interrupted,
}
