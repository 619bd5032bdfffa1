//! What the suite for pipelines found out, for people.

mod human;
pub(crate) mod progress;

pub(super) use human::human;
