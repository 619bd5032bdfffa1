//! A connector folder in memory: load, validate, scaffold, render.

pub mod template;
