//! Images as the OCI specifications write them down: digests, descriptors, manifests, and where blobs come from.
//!
//! Only what is made or read here is modelled. Configurations stay JSON values, because a base's configuration may
//! hold members that no specification names and that must survive; maps are sorted, because equal images must have
//! equal bytes. The published bindings do neither.

mod archive;
mod digest;
mod files;
mod image;
mod layout;
mod manifest;
mod source;
mod write;

pub use archive::{Archive, DockerArchive};
pub use digest::{Digest, DigestError, Hasher, Verified};
pub use image::{Blob, BlobContent, PackedImage};
pub use layout::Layout;
pub use manifest::{Descriptor, Document, Index, Manifest, media_type};
pub use source::{BlobSource, image_error};
pub use write::{check_layout_place, write_docker_archive, write_layout, write_oci_archive};

pub(crate) use manifest::json_bytes;

#[cfg(test)]
mod tests;
