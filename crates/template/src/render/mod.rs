//! Running a template's tree.

pub(crate) mod attributes;
mod call;
mod eval;
pub(crate) mod filters;
mod format_method;
pub(crate) mod globals;
pub(crate) mod iterate;
mod json;
pub(crate) mod looping;
pub(crate) mod machine;
pub(crate) mod object;
pub(crate) mod predicates;
mod statements;
