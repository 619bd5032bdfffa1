//! Trying again what may pass.

use std::time::Duration;

use super::{Access, RegistryEvent};
use crate::{OciError, OciErrorKind};

/// A wait as long as this is worth a word.
const TOLD: Duration = Duration::from_secs(2);
/// What to do about a registry that does not answer.
const REACH: &str =
    "see that its name is right and that it can be reached from here; `HTTPS_PROXY` names a proxy";

/// An attempt that failed.
#[derive(Debug)]
pub(super) struct FailedAttempt {
    /// Why.
    pub(super) error: OciError,
    /// Whether another attempt may do better.
    pub(super) passing: bool,
    /// When the registry wants to be asked again, in its words.
    pub(super) retry_after: Option<String>,
}

impl FailedAttempt {
    /// One that another attempt may mend.
    pub(super) fn passing(error: OciError) -> Self {
        Self {
            error,
            passing: true,
            retry_after: None,
        }
    }
}

impl From<OciError> for FailedAttempt {
    /// One that no other attempt mends.
    fn from(error: OciError) -> Self {
        Self {
            error,
            passing: false,
            retry_after: None,
        }
    }
}

/// The retries of one piece of work.
pub(super) struct Retries<'a> {
    access: &'a Access,
    done: u32,
}

impl<'a> Retries<'a> {
    pub(super) fn new(access: &'a Access) -> Self {
        Self { access, done: 0 }
    }

    /// Waits for the next attempt, or gives the error when there is to be none.
    pub(super) fn wait_after(&mut self, failed: FailedAttempt) -> Result<(), OciError> {
        let limits = &self.access.limits;
        if !failed.passing {
            return Err(failed.error);
        }
        if self.done >= limits.retries {
            let error = match failed.error.kind {
                OciErrorKind::Unreachable => failed.error.hint(REACH.to_owned()),
                _ => failed.error,
            };
            return Err(match limits.retries {
                0 => error,
                retries => error.because(format!("{} tries failed", retries + 1)),
            });
        }
        let wait = bowline_http::backoff(
            self.done,
            failed.retry_after.as_deref(),
            limits.longest_wait,
        );
        self.done += 1;
        if wait >= TOLD {
            let words = failed.error.to_string();
            (self.access.on_event)(RegistryEvent::Step(format!(
                "trying again in {} s: {}",
                wait.as_secs(),
                words.lines().next().unwrap_or_default()
            )));
        }
        bowline_http::pause(wait, || self.access.cancel.is_cancelled())
            .map_err(|_| OciError::new(OciErrorKind::Cancelled, failed.error.thing))
    }

    /// Begins anew: the work has got on since.
    pub(super) fn reset(&mut self) {
        self.done = 0;
    }
}

/// Attempts it until it succeeds or there is no point in another attempt.
pub(super) fn retrying<T>(
    access: &Access,
    mut attempt: impl FnMut() -> Result<T, FailedAttempt>,
) -> Result<T, OciError> {
    let mut retries = Retries::new(access);
    loop {
        access.cancel.check("what was under way at the registry")?;
        match attempt() {
            Ok(done) => return Ok(done),
            Err(failed) => retries.wait_after(failed)?,
        }
    }
}
