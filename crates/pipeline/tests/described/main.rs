//! The HTTP source against vendors in the same process: pages, failures, windows, and the examples.

mod ahead;
mod examples;
mod failures;
mod pages;
mod vendor;
mod windows;
