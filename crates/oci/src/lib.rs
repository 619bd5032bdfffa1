//! Images as the OCI specifications have them: layouts, layers, archives, digests, manifests, and registries.
//!
//! Every place that an image can be read from is a [`BlobSource`]: a [`Layout`], an [`Archive`], a
//! [`RegistryImage`](registry::RegistryImage). A [`PackedImage`] is one that has yet to be written somewhere: with
//! [`write_layout`], [`write_oci_archive`] or [`write_docker_archive`], or to a registry with
//! [`push`](registry::push). Whatever is read is checked against its digest on the way.
//!
//! Only what is made or read here is modelled. Configurations stay JSON values, because a configuration may hold
//! members that no specification names and that must survive; maps are sorted, because equal images must have equal
//! bytes. The published bindings do neither.
//!
//! ```
//! use bowline_oci::layer::{Content, Entry, read_layer, write_layer};
//! use bowline_oci::{
//!     Blob, BlobContent, BlobSource, Cancel, Descriptor, Document, Layout, Manifest, PackedImage, media_type,
//!     write_layout,
//! };
//!
//! let folder = tempfile::tempdir()?;
//! let cancel = Cancel::default();
//!
//! // A layer with one file; the same files give the same bytes, wherever and whenever it is written.
//! let greeting = Entry {
//!     path: "greeting.txt".to_owned(),
//!     content: Some(std::borrow::Cow::Owned(Content::Bytes(b"ahoy".to_vec()))),
//!     mode: 0o644,
//! };
//! let file = folder.path().join("layer");
//! let layer = write_layer(&[greeting], 0, &file, &cancel)?;
//!
//! // An image of that layer, written as a layout.
//! let config = br#"{"os": "linux", "architecture": "amd64"}"#;
//! let manifest = Manifest {
//!     schema_version: 2,
//!     media_type: Some(media_type::MANIFEST.to_owned()),
//!     artifact_type: None,
//!     config: Descriptor::of(media_type::CONFIG, config),
//!     layers: vec![layer.descriptor.clone()],
//!     subject: None,
//!     annotations: [].into(),
//! };
//! let blob = |descriptor: &Descriptor, content| Blob { descriptor: descriptor.clone(), content };
//! let image = PackedImage {
//!     tag: "greeter:1".to_owned(),
//!     blobs: vec![
//!         blob(&manifest.config, BlobContent::Bytes(config.to_vec())),
//!         blob(&layer.descriptor, BlobContent::File(file)),
//!     ],
//!     manifests: Vec::new(),
//!     root: Document::manifest(&manifest),
//!     referrers: Vec::new(),
//! };
//! let place = folder.path().join("layout");
//! write_layout(&image, &place, &cancel)?;
//!
//! // And read back.
//! let layout = Layout::open(&place, Some("greeter:1"))?;
//! let mut paths = Vec::new();
//! for layer in &layout.root()?.to_manifest()?.layers {
//!     read_layer(&layout, layer, &mut |entry| {
//!         paths.push(entry.path.to_owned());
//!         Ok(())
//!     })?;
//! }
//! assert_eq!(paths, ["/greeting.txt"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod archive;
pub mod cache;
mod cancel;
mod digest;
mod error;
mod files;
mod image;
pub mod layer;
mod layout;
mod manifest;
mod platform;
pub mod registry;
mod source;
mod write;

pub use archive::{Archive, DockerArchive};
pub use cancel::Cancel;
pub use digest::{Digest, DigestError, Hasher, Verified};
pub use error::{OciError, OciErrorKind, oci_error};
pub use image::{Blob, BlobContent, PackedImage};
pub use layout::Layout;
pub use manifest::{Descriptor, Document, Index, Manifest, json_bytes, media_type};
pub use platform::Platform;
pub use source::{BlobSource, manifest_for, read_config};
pub use write::{check_layout_place, write_docker_archive, write_layout, write_oci_archive};

#[cfg(test)]
mod tests;
