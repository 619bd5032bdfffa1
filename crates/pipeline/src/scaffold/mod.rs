//! A new pipeline connector: its files written, loaded and validated.

mod example;
mod write;

pub use example::Example;
pub use write::{PipelineScaffold, PipelineScaffolded, PipelineStart};
