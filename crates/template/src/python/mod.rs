//! Python's values and what can be done with them, as far as templates can reach.
//!
//! Everything here gives what Python gives or a fault; where Python's answer depends on things that cannot be had
//! (addresses, identities, locales), the fault says so.

pub(crate) mod arguments;
pub(crate) mod attributes;
pub(crate) mod chars;
pub(crate) mod compare;
pub(crate) mod fault;
pub(crate) mod form;
pub(crate) mod meter;
pub(crate) mod moment;
pub(crate) mod moment_methods;
pub(crate) mod number;
pub(crate) mod ops;
pub(crate) mod percent;
pub(crate) mod slice;
pub(crate) mod spec;
pub(crate) mod strftime;
pub(crate) mod text;
pub(crate) mod value;
