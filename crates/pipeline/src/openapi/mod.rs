//! What a vendor's OpenAPI document says about reading it: a proposal for a `connector.toml`.
//!
//! The document is searched for lists of jobs and of runs, how their pages are asked for, which parameters bound a
//! window, how one logs in, and which fields of a record mean what. All of it is a guess by name that a person
//! reviews; what is written loads.

mod document;
mod endpoint;
mod fields;
mod jobs;
mod login;
mod mapping;
mod paging;
mod proposal;
mod runs;
#[cfg(test)]
mod tests;
mod window;

pub use document::OpenApiError;
pub use proposal::Proposal;
