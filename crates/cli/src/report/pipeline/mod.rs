//! What the suite for pipelines found out, for people.

mod human;

pub(super) use human::human;
