//! Database servers, registries and orchestrators that tests and benchmarks start for themselves: in a temporary folder,
//! on a free loopback port, databases never as root, and gone with whoever started them, however that one ends.
//!
//! [`HttpServer`] is a vendor or a platform for tests: its answers come from a function.
//!
//! To add an engine: a module like `postgres` that finds the binaries, fills a [`Launch`] and knows when the
//! server is ready. The rest (the folder, the port, the watching, the clean-up) is `process`.

mod dockerd;
mod error;
mod firebird;
mod http;
mod images;
mod mariadb;
mod moments;
mod need;
mod orchestrator;
mod postgres;
mod process;
mod program;
mod registry;
pub mod shared;

pub use dockerd::Docker;
pub use error::ServerError;
pub use firebird::Firebird;
pub use http::{Answer, HttpServer, Request};
pub use images::ImageStore;
pub use mariadb::MariaDb;
pub use moments::Moments;
pub use need::{needed, needs_are_demanded};
pub use orchestrator::{Orchestrator, Vendor};
pub use postgres::{Cluster, Postgres, Programs};
pub use process::{Launch, Running, StopSignal, free_port};
pub use program::find_program;
pub use registry::{Doors, Registry};
