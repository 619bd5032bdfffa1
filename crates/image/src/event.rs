//! What a builder tells while it works.

use bowline_oci::registry::RegistryEvent;

/// Something that happened during a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildEvent {
    /// A part of the work began: what is done to which thing, such as "reading `base`".
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
    /// A line that a program wrote, without its line end.
    Output(String),
    /// Something the user should know that stops nothing.
    Warning(String),
}

impl From<RegistryEvent> for BuildEvent {
    fn from(event: RegistryEvent) -> Self {
        match event {
            RegistryEvent::Step(what) => Self::Step(what),
            RegistryEvent::Progress { what, done, total } => Self::Progress { what, done, total },
        }
    }
}
