//! What is told while images are pulled and pushed.

/// Something that happened between this machine and a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryEvent {
    /// A part of the work began, such as "pushing `r.io/agent:1`", or waits to be tried again.
    Step(String),
    /// A part of the work is going on: so many bytes of so many, if that is known.
    Progress {
        /// What is moved, such as "pulling sha256:0123".
        what: String,
        /// Bytes done.
        done: u64,
        /// Bytes in all, if known.
        total: Option<u64>,
    },
}
