//! Runs the real binary against real servers.
