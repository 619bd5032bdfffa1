//! Connectors in Python: run unchanged in a process of their own, with the packages they ask for.

mod environment;
mod host;
mod interpreter;
mod requirements;
mod system_packages;

pub use environment::{EnvironmentError, EnvironmentEvent};
pub use host::{has_packages, program, program_without_packages, with_interpreter};
pub use interpreter::{LOWEST_PYTHON, find_python, how_to_have_python};
