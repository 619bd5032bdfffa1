//! What a run of the suite found out, for people and for programs: readers of one [`Report`](bowline_conformance::Report).

pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod junit;
pub(crate) mod pipeline;
pub(crate) mod progress;
mod words;

use std::path::Path;

use bowline_warehouse::template::TemplateSet;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    Human,
    /// For programs; the schema stands in `docs/reference/test-report.schema.json`
    Json,
    /// For CI services that read JUnit XML
    Junit,
}

/// Which connector a report is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    /// The connector's name.
    pub(crate) name: &'a str,
    /// Its templates, to say where a text stands.
    pub(crate) templates: &'a TemplateSet,
    /// The directory that paths are shown relative to.
    pub(crate) base: &'a Path,
}
