//! Dialect packs: the templates of one engine, embedded in the program and inherited by connectors.

mod elsewhere;
mod embedded;
mod pack;

pub use elsewhere::{Elsewhere, elsewhere};
pub use pack::{Pack, PackFile, Proof, ScaffoldFiles, Spelling};
