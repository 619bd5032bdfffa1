//! Dialect packs: the templates of one engine, embedded in the program and inherited by connectors.

mod embedded;
mod pack;

pub use pack::{Pack, PackFile, Proof, ScaffoldFiles, Spelling};
