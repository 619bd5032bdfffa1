//! A simulated vendor in the network's place: no socket is used, and time is the vendor's own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bowline_pipeline::{Incoming, Outgoing, SourceErrorKind, Transport, TransportError};
use jiff::Timestamp;

use crate::vendor::{Reply, Vendor};

/// The address of the vendor that no network has.
pub const ADDRESS: &str = "http://vendor.invalid";

/// A vendor that is asked without a network. Copies share the vendor.
#[derive(Debug, Clone)]
pub struct InProcess {
    vendor: Arc<Mutex<Vendor>>,
}

impl InProcess {
    /// The vendor, within reach.
    #[must_use]
    pub fn new(vendor: Vendor) -> Self {
        Self {
            vendor: Arc::new(Mutex::new(vendor)),
        }
    }

    /// The vendor itself; it answers nobody meanwhile.
    pub fn vendor(&self) -> MutexGuard<'_, Vendor> {
        self.vendor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for InProcess {
    fn exchange(&self, request: &Outgoing) -> Result<Incoming, TransportError> {
        let failed = |kind, message: &str| TransportError {
            kind,
            message: message.to_owned(),
        };
        let mut vendor = self.vendor();
        match vendor.answer(request) {
            Reply::Whole(answer) => Ok(answer),
            Reply::Cut | Reply::CutOff(_) => {
                Err(failed(SourceErrorKind::Unreachable, "the connection broke"))
            }
            Reply::Silence => {
                vendor.keep_silent();
                Err(failed(SourceErrorKind::Timeout, "no answer came"))
            }
        }
    }

    fn now(&self) -> Timestamp {
        let vendor = self.vendor();
        let ours = vendor.world.clock.saturating_sub(vendor.scenario.skew);
        ours.unwrap_or(vendor.world.clock)
    }

    fn elapsed(&self) -> Duration {
        let vendor = self.vendor();
        let since = vendor.world.clock.duration_since(vendor.scenario.start);
        Duration::try_from(since).unwrap_or_default()
    }

    fn sleep(&self, wait: Duration) {
        // What is less than the vendor's clock shows would let no time pass at all.
        let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        self.vendor().world.pass(micros.max(1000));
    }
}
