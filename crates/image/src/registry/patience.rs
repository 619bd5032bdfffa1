//! Trying again what may pass.

use std::time::Duration;

use super::Access;
use crate::{BuildEvent, ImageError, ImageErrorKind};

/// A wait as long as this is worth a word.
const TOLD: Duration = Duration::from_secs(2);
/// What to do about a registry that does not answer.
const REACH: &str =
    "see that its name is right and that it can be reached from here; `HTTPS_PROXY` names a proxy";

/// A try that failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// Why.
    pub(super) error: ImageError,
    /// Whether another try may do better.
    pub(super) passing: bool,
    /// When the registry wants to be asked again, in its words.
    pub(super) retry_after: Option<String>,
}

impl Failure {
    /// A failure that another try may mend.
    pub(super) fn passing(error: ImageError) -> Self {
        Self {
            error,
            passing: true,
            retry_after: None,
        }
    }
}

impl From<ImageError> for Failure {
    /// A failure that no other try mends.
    fn from(error: ImageError) -> Self {
        Self {
            error,
            passing: false,
            retry_after: None,
        }
    }
}

/// How much patience is left for one piece of work.
pub(super) struct Patience<'a> {
    access: &'a Access,
    retry: u32,
}

impl<'a> Patience<'a> {
    pub(super) fn new(access: &'a Access) -> Self {
        Self { access, retry: 0 }
    }

    /// Waits for the next try, or gives the error when there is to be none.
    pub(super) fn after(&mut self, failure: Failure) -> Result<(), ImageError> {
        let limits = &self.access.limits;
        if !failure.passing {
            return Err(failure.error);
        }
        if self.retry >= limits.retries {
            let error = match failure.error.kind {
                ImageErrorKind::Unreachable => failure.error.hint(REACH.to_owned()),
                _ => failure.error,
            };
            return Err(match limits.retries {
                0 => error,
                retries => error.because(format!("{} tries failed", retries + 1)),
            });
        }
        let wait = bowline_http::wait(
            self.retry,
            failure.retry_after.as_deref(),
            limits.longest_wait,
        );
        self.retry += 1;
        if wait >= TOLD {
            let words = failure.error.to_string();
            (self.access.on_event)(BuildEvent::Step(format!(
                "trying again in {} s: {}",
                wait.as_secs(),
                words.lines().next().unwrap_or_default()
            )));
        }
        bowline_http::pause(wait, || self.access.cancel.is_cancelled())
            .map_err(|_| ImageError::new(ImageErrorKind::Cancelled, failure.error.thing))
    }

    /// Begins anew: the work has got on since.
    pub(super) fn renew(&mut self) {
        self.retry = 0;
    }
}

/// Tries until it succeeds or there is no point in another try.
pub(super) fn patiently<T>(
    access: &Access,
    mut attempt: impl FnMut() -> Result<T, Failure>,
) -> Result<T, ImageError> {
    let mut patience = Patience::new(access);
    loop {
        access.cancel.check("what was under way at the registry")?;
        match attempt() {
            Ok(done) => return Ok(done),
            Err(failure) => patience.after(failure)?,
        }
    }
}
