//! The HTTP source against vendors in the same process: pages, failures, windows, and the examples.

mod examples;
mod failures;
mod pages;
mod vendor;
mod windows;
