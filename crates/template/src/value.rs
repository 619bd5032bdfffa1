//! Typed values that go into a template, with Python's meaning.

use jiff::Zoned;
use jiff::civil::{Date, DateTime};

/// A value passed to a template; it behaves there like the Python value named.
#[derive(Debug, Clone, PartialEq)]
pub enum TemplateValue {
    /// `None`
    None,
    /// `bool`
    Boolean(bool),
    /// `int`
    Integer(i64),
    /// `float`
    Float(f64),
    /// `str`
    Text(String),
    /// `date`
    Date(Date),
    /// `datetime` without a zone
    DateTime(DateTime),
    /// `datetime` with a zone
    ZonedDateTime(Box<Zoned>),
    /// `list`
    List(Vec<TemplateValue>),
    /// `tuple`
    Tuple(Vec<TemplateValue>),
    /// `dict` with text keys, in order
    Dict(Vec<(String, TemplateValue)>),
}
