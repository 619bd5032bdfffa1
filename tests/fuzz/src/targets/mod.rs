//! The targets, one small function each.

mod connectors;
mod images;
mod messages;
mod pipelines;
mod templates;

use std::borrow::Cow;

use crate::Target;

/// Every target.
pub static TARGETS: &[&Target] = &[
    &templates::TEMPLATE,
    &templates::EXPRESSION,
    &templates::FORMAT,
    &connectors::CONNECTOR_FILE,
    &connectors::TEMPLATES_FILE,
    &connectors::MANIFEST,
    &connectors::CREDENTIALS,
    &pipelines::DESCRIPTION,
    &pipelines::VENDOR,
    &pipelines::OPENAPI,
    &messages::ANSWERS,
    &messages::REQUESTS,
    &images::DOCUMENT,
    &images::LAYER,
    &images::ARCHIVE,
    &images::WHEEL,
    &images::TEXTS,
];

/// An input as text.
fn text(input: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(input)
}

/// What came of it, in words: those of the error, or roughly how long the result is.
fn told(outcome: Result<String, impl std::fmt::Display>) -> String {
    match outcome {
        Ok(result) => "=".repeat(1 + result.len().checked_ilog2().unwrap_or(0) as usize),
        Err(error) => error.to_string(),
    }
}
