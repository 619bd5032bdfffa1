//! The smallest rights with which an account does all that a connector needs.
//!
//! A run tells what was touched: its statements, and what the catalogue listed in their answers. The engine tells which
//! rights that takes, and which of them everybody has. Where the account of the credentials may make another, the rest
//! is a proof: the suite runs as an account that has these rights and nothing else, and again without each of them. What
//! loses nothing goes; what is lost is told.

mod compare;
mod grant;
mod mariadb;
mod postgres;
mod prove;
mod role;
mod touched;

pub use grant::{Grant, Grants, Needed, Proof, Purpose};
pub use prove::{Effort, grants};
