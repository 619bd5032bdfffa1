//! Query tags: a JSON object in a comment of a SQL statement that ties it to the job that ran it.
//!
//! [`QUERY_TAGS`] is the table of identifiers and their keys; [`write`] makes a tag; [`read`] finds the tags of a text of
//! statements and says what is malformed.
//!
//! ```
//! use bowline_contract::pipeline::query_tag::{self, Integration, Style, TagMistake};
//!
//! let job = query_tag::identifier(Integration::Custom, "job").unwrap();
//! let tag = query_tag::write(Style::Line, &[(job, "load_orders".to_owned())])?;
//! assert_eq!(tag, r#"-- {"mcd_job_id": "load_orders"}"#);
//!
//! let read = query_tag::read(&format!("{tag}\nSELECT 1; SELECT 2 /* {{\"mcd_task_id\": \"t\"}} */"));
//! assert_eq!(read[0].tags[0].value, "load_orders");
//! assert_eq!(read[1].mistakes[0].mistake, TagMistake::TaskWithoutJob);
//! # Ok::<(), query_tag::WriteError>(())
//! ```

mod comment;
mod read;
mod table;
mod write;

pub use read::{NotObject, PlacedMistake, Statement, Tag, TagMistake, read};
pub use table::{Integration, QUERY_TAGS, QueryTag, identifier};
pub use write::{Style, WriteError, write};
