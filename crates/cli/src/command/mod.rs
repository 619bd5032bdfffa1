//! The commands: one file each, with its arguments and what it does.

pub(crate) mod build;
pub(crate) mod collect;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod credentials;
pub(crate) mod demo;
pub(crate) mod dockerfile;
pub(crate) mod driver;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod image;
pub(crate) mod in_container;
pub(crate) mod inspect;
pub(crate) mod new;
pub(crate) mod protocol;
pub(crate) mod query;
pub(crate) mod render;
pub(crate) mod serve;
pub(crate) mod simulate;
pub(crate) mod test;
