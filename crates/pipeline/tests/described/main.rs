//! The HTTP source against vendors in the same process: pages, failures, windows, and the examples.

mod ahead;
mod answers;
mod broken;
mod examples;
mod explained;
mod failures;
mod lacking;
mod logins;
mod moving;
mod nesting;
mod pages;
mod parts;
mod rates;
mod remainders;
mod requests;
mod secured;
mod vendor;
mod windows;
