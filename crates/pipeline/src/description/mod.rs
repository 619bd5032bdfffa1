//! `connector.toml` of a pipeline connector: how to talk to the vendor, and how its records become assets and runs.

mod auth;
mod fields;
mod http;
mod paging;
mod read;
mod reference;
mod request_schema;
mod schema;
mod section;
mod sources;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::expression::Expression;

pub use auth::{Algorithm, Assertion, Auth, Aws, Login, Pair};
pub use fields::{Entries, FieldTree};
pub use http::{Http, Limits, RejectRule, Then, Tls};
pub use paging::{Follow, Hosts, Keep, Paging, PagingStyle};
pub use read::parse;
pub(crate) use read::{GRANDPARENT, source_names};
pub use reference::reference_markdown;
pub use schema::schemas;
pub use sources::{BodyFormat, Drivers, Failing, Index, Origin, Request, Source, WindowCap};

/// What a pipeline connector's file says.
#[derive(Debug, Clone)]
pub enum File {
    /// How to read the vendor.
    Described(Box<Description>),
    /// Which program reads the vendor: `[driver]` of kind `process`.
    Program {
        /// The program and its arguments; never empty.
        command: Vec<String>,
    },
}

/// How to read a vendor.
#[derive(Debug, Clone)]
pub struct Description {
    /// How to talk to the vendor.
    pub http: Http,
    /// The request that shows whether the vendor can be reached and lets us in.
    pub check: Option<Request>,
    /// The vendor's lists, by the name expressions know them by.
    pub sources: BTreeMap<String, Source>,
    /// How jobs become assets.
    pub assets: Mapping,
    /// How runs become run events.
    pub runs: Runs,
    /// What the vendor has to complain about itself.
    pub warnings: Vec<Warning>,
}

/// How the records of a source become events.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The source.
    pub from: String,
    /// Which of its records count; all when not said.
    pub when: Option<Expression>,
    /// Values that the fields share, in an order in which each sees those before it.
    pub lets: Vec<(String, Expression)>,
    /// The event's fields.
    pub fields: FieldTree,
}

/// `[runs]`.
#[derive(Debug, Clone)]
pub struct Runs {
    /// The windowed source and how its records become run events.
    pub mapping: Mapping,
    /// Further sources with records of the same kind, such as the runs that have not ended.
    pub also: Vec<String>,
    /// The source that gives the runs with the ids in `run_ids`.
    pub by_id: Option<String>,
}

/// `[[warnings]]`: a source whose every record is something to tell.
#[derive(Debug, Clone)]
pub struct Warning {
    /// The source.
    pub from: String,
    /// Which of its records count.
    pub when: Option<Expression>,
    /// The text.
    pub message: Expression,
}

/// A number of seconds in the file, as a duration.
pub(crate) fn seconds(number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number).ok()
}
