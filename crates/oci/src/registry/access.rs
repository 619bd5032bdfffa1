//! How registries may be reached: logins, encryption, limits, the cache, and who is told.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{LoginFiles, RegistryEvent};
use crate::Cancel;
use crate::cache::BlobCache;

/// How registries may be reached. Cheap to clone; clones share the order to stop.
#[derive(Clone)]
pub struct Access {
    /// Where logins are kept.
    pub logins: LoginFiles,
    /// Registries, as their names stand in references, that are spoken to without encryption. One on this machine
    /// need not be listed: it is asked what it speaks.
    pub insecure: Vec<String>,
    /// Where blobs are kept once they were read; nothing to keep none.
    pub cache: Option<BlobCache>,
    /// What is enough, and what is too much.
    pub limits: Limits,
    /// Told what goes on, from several threads.
    pub on_event: Arc<dyn Fn(RegistryEvent) + Send + Sync>,
    /// The order to stop.
    pub cancel: Cancel,
}

/// What is enough, and what is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How often something that may pass is tried again.
    pub retries: u32,
    /// The longest wait before another try, also when the registry asks for more.
    pub longest_wait: Duration,
    /// How long the other side may say nothing.
    pub silence: Duration,
    /// How many bytes of a blob go up in one request; more when the registry wants more.
    pub chunk: usize,
    /// How many blobs are moved at once.
    pub in_flight: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            retries: 5,
            longest_wait: Duration::from_secs(60),
            silence: Duration::from_secs(120),
            // Some registries take no more in one request.
            chunk: 4 << 20,
            in_flight: 4,
        }
    }
}

impl Access {
    /// With these logins, without a cache, with the usual limits, and telling nobody.
    #[must_use]
    pub fn new(logins: LoginFiles) -> Self {
        Self {
            logins,
            insecure: Vec::new(),
            cache: None,
            limits: Limits::default(),
            on_event: Arc::new(|_| {}),
            cancel: Cancel::default(),
        }
    }

    /// With the logins and the cache of the user whose environment variables this reads.
    #[must_use]
    pub fn of_user(variable: impl Fn(&str) -> Option<PathBuf>) -> Self {
        Self {
            cache: BlobCache::of_user(&variable),
            ..Self::new(LoginFiles::of_user(variable))
        }
    }

    pub(super) fn tell(&self, event: RegistryEvent) {
        (self.on_event)(event);
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("insecure", &self.insecure)
            .field("cache", &self.cache)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
