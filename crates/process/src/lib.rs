//! Connectors in a process of their own: the program's end of the process protocol.
//!
//! A process is started in a process group of its own and asked over its standard input; one thread each reads
//! what it answers, keeps the last lines it logs and waits for its end, so that a call can always be given up at
//! its deadline. A process that had to be stopped is ended with everything it started. Other programs, such as package
//! clients and container engines, are run to their end in the same way.

mod disk;
mod error;
mod group;
mod process;
mod program;
mod running;
mod streams;

pub use disk::free_space;
pub use error::{Fault, ProcessError};
pub use process::{AbortHandle, CallLimits, Process};
pub use program::{NamedPath, Program, find_program};
pub use running::{Ended, Running, run_into};
