//! An image in a registry, read.

use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use ureq::http::{Method, header};

use super::client::Client;
use super::download::Download;
use super::parallel::for_each;
use super::request::{Request, Scope, text};
use super::{Access, Reference, RegistryEvent, referrers};
use crate::{
    BlobSource, Descriptor, Digest, Document, OciError, OciErrorKind, Verified, media_type,
};

/// The largest manifest that is read, in bytes: what registries promise to take.
const MANIFEST_READ: u64 = 4 << 20;
/// A download is told of again after so many bytes.
const TOLD_AFTER: u64 = 1 << 20;

/// An image in a registry. Nothing is asked before it is needed; what was read once is not asked again.
pub struct RegistryImage {
    client: Client,
    root: OnceLock<Document>,
    /// Held while a blob comes into the cache, so that it comes once.
    coming: Mutex<()>,
}

impl RegistryImage {
    /// The image that a reference names.
    #[must_use]
    pub fn new(reference: &Reference, access: &Access) -> Self {
        Self {
            client: Client::new(reference, access),
            root: OnceLock::new(),
            coming: Mutex::default(),
        }
    }

    /// The reference it was opened with.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.client.reference
    }

    fn download(&self, blob: &Descriptor) -> Result<Told<'_>, OciError> {
        Ok(Told {
            inner: Download::begin(&self.client, blob)?,
            access: &self.client.access,
            what: format!("pulling {}", short(&blob.digest)),
            done: 0,
            told: 0,
            total: blob.size,
        })
    }

    /// A manifest by its tag or digest, checked as far as it can be.
    fn document(&self, wanted: &str) -> Result<Document, OciError> {
        let accept = [
            media_type::INDEX,
            media_type::MANIFEST,
            media_type::DOCKER_INDEX,
            media_type::DOCKER_MANIFEST,
        ];
        let request = Request::new(Method::GET, format!("manifests/{wanted}"), Scope::Pull)
            .header(header::ACCEPT, accept.join(", "));
        let fetched = self
            .client
            .fetch(&request, MANIFEST_READ)
            .map_err(|error| match error.kind {
                OciErrorKind::Missing => OciError {
                    thing: format!("the image `{}`", self.client.reference),
                    ..error
                },
                _ => error,
            })?;
        let corrupt = |cause: String| {
            self.client
                .error(OciErrorKind::Corrupt, &request)
                .because(cause)
        };
        let announced = text(&fetched.headers, header::CONTENT_TYPE).unwrap_or_default();
        let announced = announced.split(';').next().unwrap_or_default().trim();
        if !accept.contains(&announced) {
            return Err(corrupt(format!(
                "it has the media type `{announced}`, and is no manifest"
            )));
        }
        let document = Document::new(announced, fetched.bytes);
        let promised = wanted.parse::<Digest>().ok().or_else(|| {
            text(&fetched.headers, "docker-content-digest")?
                .parse()
                .ok()
        });
        if let Some(promised) = promised.filter(|promised| *promised != document.digest) {
            return Err(corrupt(format!(
                "its digest is `{}` and should be `{promised}`",
                document.digest
            )));
        }
        unambiguous(&document).map_err(corrupt)?;
        Ok(document)
    }
}

/// Refuses a document that may be read as a manifest and as an index as well: its digest would name two images.
fn unambiguous(document: &Document) -> Result<(), String> {
    let json: serde_json::Value =
        serde_json::from_slice(&document.bytes).map_err(|error| format!("not JSON: {error}"))?;
    let has = |name: &str| json.get(name).is_some();
    if has("manifests") && (has("layers") || has("config")) {
        return Err("it is a manifest and an index at once".into());
    }
    match json.get("mediaType") {
        Some(own) if own.as_str() != Some(&document.media_type) => Err(format!(
            "the registry calls it `{}` and it calls itself {own}",
            document.media_type
        )),
        _ => Ok(()),
    }
}

impl BlobSource for RegistryImage {
    fn name(&self) -> String {
        self.client.reference.to_string()
    }

    fn root(&self) -> Result<Document, OciError> {
        if let Some(root) = self.root.get() {
            return Ok(root.clone());
        }
        let root = self.document(self.client.reference.wanted())?;
        Ok(self.root.get_or_init(|| root).clone())
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Document, OciError> {
        if let Some(root) = self.root.get()
            && root.digest == descriptor.digest
        {
            return Ok(root.clone());
        }
        self.document(descriptor.digest.as_str())
    }

    fn open(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send + '_>, OciError> {
        if let Some(cache) = &self.client.access.cache {
            let _alone = self.coming.lock().unwrap_or_else(PoisonError::into_inner);
            let path = match cache.find(blob) {
                Some(path) => path,
                None => cache.keep(blob, self.download(blob)?)?,
            };
            let place = path.display().to_string();
            let file = std::fs::File::open(&path).map_err(|error| {
                OciError::new(OciErrorKind::Unreadable, format!("`{place}`"))
                    .because(error.to_string())
            })?;
            return Ok(Box::new(Verified::new(file, blob, place)));
        }
        let reader = self.download(blob)?;
        Ok(Box::new(Verified::new(reader, blob, self.name())))
    }

    /// Into the cache; without one it does nothing.
    fn prepare(&self, blobs: &[Descriptor]) -> Result<(), OciError> {
        let Some(cache) = &self.client.access.cache else {
            return Ok(());
        };
        let absent: Vec<&Descriptor> = blobs
            .iter()
            .filter(|blob| cache.find(blob).is_none())
            .collect();
        for_each(self.client.access.limits.in_flight, &absent, |blob| {
            cache.keep(blob, self.download(blob)?).map(drop)
        })
    }

    fn file(&self, blob: &Descriptor) -> Option<PathBuf> {
        self.client.access.cache.as_ref()?.find(blob)
    }

    fn referrers(&self, subject: &Descriptor) -> Result<Vec<Descriptor>, OciError> {
        referrers::list(&self.client, &subject.digest)
    }
}

impl fmt::Debug for RegistryImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RegistryImage")
            .field(&self.client.reference)
            .finish()
    }
}

/// The beginning of a digest: enough for people.
pub(super) fn short(digest: &Digest) -> &str {
    &digest.as_str()[..19]
}

/// A download that is told of.
struct Told<'a> {
    inner: Download<'a>,
    access: &'a Access,
    what: String,
    done: u64,
    told: u64,
    total: u64,
}

impl Read for Told<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.done += count as u64;
        if self.done - self.told >= TOLD_AFTER || (count > 0 && self.done == self.total) {
            self.told = self.done;
            self.access.tell(RegistryEvent::Progress {
                what: self.what.clone(),
                done: self.done,
                total: Some(self.total),
            });
        }
        Ok(count)
    }
}
