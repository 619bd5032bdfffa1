//! What belongs to a manifest: asked from the registry, or, where it keeps no list, from an index under a tag made of
//! the manifest's digest.

use ureq::http::{HeaderName, Method, header};

use super::address::absolute;
use super::client::Client;
use super::request::{Body, Fetched, Request, Scope, text};
use crate::{Descriptor, Digest, Document, Index, OciError, OciErrorKind, media_type};

/// How much of a list is read, in bytes.
const LIST_READ: u64 = 4 << 20;
const MOST_PAGES: usize = 100;
/// With this the registry says that it keeps the list itself.
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// The manifests that say they belong to this one.
pub(super) fn list(client: &Client, subject: &Digest) -> Result<Vec<Descriptor>, OciError> {
    let mut found = Vec::new();
    let mut address = format!("referrers/{subject}");
    for _ in 0..MOST_PAGES {
        let request = Request::new(Method::GET, address, Scope::Pull)
            .header(header::ACCEPT, media_type::INDEX)
            .expecting(&[400, 404, 405]);
        let fetched = client.fetch(&request, LIST_READ)?;
        let is_index = text(&fetched.headers, header::CONTENT_TYPE)
            .is_some_and(|kind| kind.starts_with(media_type::INDEX));
        // Registries that know no such question refuse it, or answer with a page for people.
        if fetched.status != 200 || !is_index {
            return Ok(fallback(client, subject)?.manifests);
        }
        found.extend(
            Document::new(media_type::INDEX, fetched.bytes.clone())
                .to_index()?
                .manifests,
        );
        match next_page(&fetched) {
            Some(next) => address = next,
            None => return Ok(found),
        }
    }
    Err(client
        .error(
            OciErrorKind::Refused,
            &Request::new(Method::GET, format!("referrers/{subject}"), Scope::Pull),
        )
        .because(format!("the list has more than {MOST_PAGES} pages")))
}

/// Sees to it that the registry lists a manifest that was put, as `fetched` tells, and belongs to another.
pub(super) fn listed(
    client: &Client,
    document: &Document,
    fetched: &Fetched,
) -> Result<(), OciError> {
    if fetched.headers.contains_key(SUBJECT) {
        return Ok(());
    }
    let manifest = document.to_manifest()?;
    let Some(subject) = manifest.subject else {
        return Ok(());
    };
    let mut index = fallback(client, &subject.digest)?;
    if index
        .manifests
        .iter()
        .any(|known| known.digest == document.digest)
    {
        return Ok(());
    }
    let mut descriptor = document.descriptor();
    descriptor.artifact_type = manifest.artifact_type.or(Some(manifest.config.media_type));
    descriptor.annotations = manifest.annotations;
    index.manifests.push(descriptor);
    let document = Document::index(&index);
    let request = Request::new(
        Method::PUT,
        format!("manifests/{}", fallback_tag(&subject.digest)),
        Scope::Push,
    )
    .header(header::CONTENT_TYPE, media_type::INDEX)
    .body(Body::Bytes(&document.bytes));
    client.fetch(&request, LIST_READ).map(drop)
}

/// The index under the tag; an empty one when there is none.
fn fallback(client: &Client, subject: &Digest) -> Result<Index, OciError> {
    let request = Request::new(
        Method::GET,
        format!("manifests/{}", fallback_tag(subject)),
        Scope::Pull,
    )
    .header(header::ACCEPT, media_type::INDEX)
    .expecting(&[404]);
    let fetched = client.fetch(&request, LIST_READ)?;
    if fetched.status == 404 {
        return Ok(Index::new(Vec::new()));
    }
    Document::new(media_type::INDEX, fetched.bytes).to_index()
}

fn fallback_tag(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}

/// The address after the word `next` in a `Link` header.
fn next_page(fetched: &Fetched) -> Option<String> {
    let link = text(&fetched.headers, header::LINK)?;
    let entry = link
        .split(',')
        .find(|entry| entry.replace([' ', '"'], "").contains("rel=next"))?;
    let target = entry.split('<').nth(1)?.split('>').next()?;
    Some(absolute(target, &fetched.address))
}
