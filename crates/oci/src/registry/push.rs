//! An image brought to a registry.

use ureq::http::{Method, header};

use super::address::absolute;
use super::client::Client;
use super::parallel::for_each;
use super::request::{Body, Fetched, Request, Scope, text};
use super::source::short;
use super::upload::{Arrival, upload};
use super::{Access, Reference, RegistryEvent, referrers};
use crate::{Digest, Document, OciError, OciErrorKind, PackedImage};

const ANSWER: u64 = 64 << 10;

/// What a push came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The reference by which exactly this image can be had.
    pub reference: String,
    /// The digest of its manifest or index.
    pub digest: Digest,
    /// How many blobs were there, how many the registry took from another repository, and how many were sent.
    pub present: usize,
    /// See `present`.
    pub mounted: usize,
    /// See `present`.
    pub sent: usize,
}

/// Asks whether a push would be let in, before there is anything to push: begins an upload, and lets go of it.
///
/// # Errors
/// What the registry or a login is to blame for.
pub fn ask_to_push(reference: &Reference, access: &Access) -> Result<(), OciError> {
    let client = Client::new(reference, access);
    let begin = Request::new(Method::POST, "blobs/uploads/", Scope::Push);
    let begun = client.fetch(&begin, ANSWER)?;
    if let Some(place) = text(&begun.headers, header::LOCATION) {
        let place = absolute(place, &begun.address);
        // A registry that does not know this forgets the upload by itself.
        let _ = client.send(&Request::new(Method::DELETE, place, Scope::Push));
    }
    Ok(())
}

/// Pushes an image with all that belongs to it to a reference's tag. `base` is where the image was built on; blobs
/// that the same registry has there are not sent again.
///
/// The tag is moved last: whatever stops a push before leaves what the tag meant.
///
/// # Errors
/// `Invalid` when the reference names another digest than the image has; else what the registry, a login, or the
/// source of a blob is to blame for.
pub fn push(
    reference: &Reference,
    image: &PackedImage,
    base: Option<&Reference>,
    access: &Access,
) -> Result<Pushed, OciError> {
    if let Some(digest) = reference.digest()
        && digest != image.root.digest.as_str()
    {
        return Err(OciError::new(
            OciErrorKind::Invalid,
            format!("the place to push to, `{reference}`"),
        )
        .because(format!("the image has the digest `{}`", image.root.digest))
        .hint("push to a tag".to_owned()));
    }
    let client = Client::new(reference, access);
    let mount_from = base
        .filter(|base| base.registry() == reference.registry())
        .map(Reference::repository)
        .filter(|repository| *repository != reference.repository());
    access.tell(RegistryEvent::Step(format!("pushing `{reference}`")));
    let arrivals = std::sync::Mutex::new(Vec::new());
    for_each(access.limits.in_flight, &image.blobs, |blob| {
        let what = format!("pushing {}", short(&blob.descriptor.digest));
        let arrival = upload(&client, blob, mount_from, &|done| {
            access.tell(RegistryEvent::Progress {
                what: what.clone(),
                done,
                total: Some(blob.descriptor.size),
            });
        })?;
        arrivals
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(arrival);
        Ok(())
    })?;
    for manifest in &image.manifests {
        put(&client, manifest, manifest.digest.as_str())?;
    }
    for referrer in &image.referrers {
        let fetched = put(&client, referrer, referrer.digest.as_str())?;
        referrers::listed(&client, referrer, &fetched)?;
    }
    put(
        &client,
        &image.root,
        reference.tag().unwrap_or(reference.wanted()),
    )?;
    let arrivals = arrivals
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let count = |wanted| arrivals.iter().filter(|each| **each == wanted).count();
    Ok(Pushed {
        reference: format!(
            "{}/{}@{}",
            reference.registry(),
            reference.repository(),
            image.root.digest
        ),
        digest: image.root.digest.clone(),
        present: count(Arrival::Present),
        mounted: count(Arrival::Mounted),
        sent: count(Arrival::Sent),
    })
}

/// Puts a manifest under a tag or its digest.
fn put(client: &Client, document: &Document, name: &str) -> Result<Fetched, OciError> {
    let request = Request::new(Method::PUT, format!("manifests/{name}"), Scope::Push)
        .header(header::CONTENT_TYPE, document.media_type.clone())
        .body(Body::Bytes(&document.bytes));
    let fetched = client.fetch(&request, ANSWER)?;
    match text(&fetched.headers, "docker-content-digest") {
        Some(kept) if kept != document.digest.as_str() => Err(client
            .error(OciErrorKind::Corrupt, &request)
            .because(format!(
                "it was given `{}` and says it has `{kept}`",
                document.digest
            ))),
        _ => Ok(fetched),
    }
}
