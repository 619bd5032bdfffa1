//! Files that must last: written so that a kill or a power cut at any moment loses nothing that was promised.
//!
//! Whoever writes such files does so through a [`Disk`]: [`RealDisk`] is the machine's, [`SimulatedDisk`] one that a
//! test cuts the power of, at any of its operations, and that then forgets what was not synced.
//!
//! ```
//! use std::path::Path;
//!
//! use bowline_durable::{Disk, Opening, SimulatedDisk, replace};
//!
//! let disk = SimulatedDisk::new(7);
//! let path = Path::new("/state/checkpoint.json");
//! disk.create_folder(Path::new("/state"))?;
//! replace(&disk, path, b"one")?;
//! // What is only written is not there for sure after a power cut; what was replaced is.
//! disk.open(path, Opening::Adding)?.append(b" and a half")?;
//! let after = disk.after_power_cut();
//! assert!(after.read(path)?.starts_with(b"one"));
//! # Ok::<(), std::io::Error>(())
//! ```

mod disk;
mod replace;
mod simulated;

pub use disk::{Disk, DiskFile, Opening, RealDisk};
pub use replace::{replace, sync_name, sync_tree};
pub use simulated::SimulatedDisk;
