//! What every HTTP client of Bowline has in common: the agent, addresses, and when to try again.
//!
//! ```
//! use std::time::Duration;
//!
//! use bowline_http::{backoff, is_transient, resolve};
//!
//! let page = "https://vendor.example.com/api/runs?page=1";
//! assert_eq!(resolve("?page=2", page)?, "https://vendor.example.com/api/runs?page=2");
//! // A login does not follow a link to somebody else.
//! assert!(resolve("https://elsewhere.example.com/", page).is_err());
//!
//! assert!(is_transient(429) && !is_transient(404));
//! assert_eq!(backoff(0, Some("7"), Duration::from_secs(60)), Duration::from_secs(7));
//! # Ok::<(), String>(())
//! ```

mod address;
mod agent;
mod date;
mod forward;
mod no_proxy;
mod retry;
mod tls;

pub use address::{Origin, resolve};
pub use agent::agent_config;
pub use date::{parse_date, wait_of_reset, wait_of_retry_after};
pub use forward::forwarding_agent;
pub use retry::{Cancelled, backoff, backoff_by, is_transient, pause};
pub use tls::{Identity, tls_config};
