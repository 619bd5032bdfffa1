//! What a run of the suite found out, for people and for programs: readers of one [`Report`](bowline_report::Report).

mod counts;
mod format;
mod human;
mod junit;
pub(crate) mod pipeline;
pub(crate) mod progress;

pub(crate) use counts::some;
pub(crate) use format::{Format, text, write};
pub(crate) use human::Next;
