//! Dialect packs: the templates of one engine, embedded in the program or in a folder of the workspace, and inherited by
//! connectors.

mod checked;
mod elsewhere;
mod embedded;
mod folder;
mod pack;
mod written;

pub use elsewhere::{Elsewhere, elsewhere};
pub use pack::{ANY_ENGINE, Pack, PackFile, Proof, ProvenOn, ScaffoldFiles, Spelling};
pub use written::{Found, NewPack, NewPackError};

pub(crate) use folder::extended;
