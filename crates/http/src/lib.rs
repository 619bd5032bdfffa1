//! What every HTTP client of Bowline has in common: the agent, addresses, and when to try again.

mod address;
mod agent;
mod retry;

pub use address::{Origin, resolve};
pub use agent::agent_config;
pub use retry::{Cancelled, backoff, backoff_by, is_transient, pause};
