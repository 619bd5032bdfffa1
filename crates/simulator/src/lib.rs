//! A simulated orchestrator: what vendors are like and how they misbehave, all of it following from a seed.
//!
//! A [`Scenario`] says what the vendor is like. A [`Vendor`] answers requests by it: between two requests runs begin,
//! end, are tried again, moved and deleted, and answers fail in the ways that answers fail. [`InProcess`] puts it in
//! the network's place, with time of its own; [`Server`] puts it on a port. [`run_flaws`] knows what a correct reading
//! would have given. [`planted`] holds connectors that read it wrongly.
//!
//! A vendor of seed 7, and the connector that fits it:
//!
//! ```
//! use bowline_pipeline::Transport as _;
//! use bowline_simulator::{InProcess, Scenario, Vendor, description};
//!
//! let scenario = Scenario::of_seed(7);
//! let toml = description(&scenario);
//! assert!(toml.starts_with("version = 1"));
//! let vendor = InProcess::new(Vendor::new(scenario));
//! let before = vendor.now();
//! vendor.sleep(std::time::Duration::from_secs(60));
//! assert!(vendor.now() > before);
//! assert!(!vendor.vendor().world.runs.is_empty());
//! ```

mod connector;
mod lists;
mod oracle;
mod parameters;
pub mod planted;
mod record;
mod scenario;
mod server;
mod transport;
mod vendor;
mod world;

pub use connector::{credentials, description, manifest};
pub use oracle::{Flaw, Span, asset_flaws, run_flaws};
pub use scenario::{
    Attempts, Clock, Form, Lists, Login, Lookup, Order, PagingStyle, Rate, Scenario, Steps,
};
pub use server::{Pace, Server};
pub use transport::{ADDRESS, InProcess};
pub use vendor::{Reply, SECRET, USER, Vendor};
pub use world::{Change, Job, Run, RunState, Tracked, World};
