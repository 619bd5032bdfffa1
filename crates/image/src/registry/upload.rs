//! Blobs as they go out: piece by piece, and on from what the registry has when a piece was cut off.

use std::io::Read;

use ureq::http::{HeaderName, Method, header};

use super::address::absolute;
use super::client::Client;
use super::patience::{Failure, Patience};
use super::request::{Body, Page, Request, Scope, text};
use crate::oci::{Blob, Descriptor};
use crate::{ImageError, ImageErrorKind};

/// The least a registry takes in one piece, when it is not the last.
const LEAST_CHUNK: HeaderName = HeaderName::from_static("oci-chunk-min-length");
/// More than this is not held in memory, whatever a registry asks for.
const MOST_CHUNK: usize = 64 << 20;
/// How much is read of answers that nobody needs.
const ANSWER: u64 = 64 << 10;

/// How a blob came to be where it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It was there.
    Present,
    /// The registry took it from another of its repositories.
    Mounted,
    /// It was sent.
    Sent,
}

/// Whether the repository has the blob.
pub(super) fn has(client: &Client, blob: &Descriptor) -> Result<bool, ImageError> {
    let request =
        Request::new(Method::HEAD, format!("blobs/{}", blob.digest), Scope::Push).expecting(&[404]);
    Ok(client.fetch(&request, ANSWER)?.status != 404)
}

/// Brings a blob to the repository, unless it is there. `mount_from` is a repository of the same registry that may
/// have it; `sent` is told how many bytes the registry has.
pub(super) fn bring(
    client: &Client,
    blob: &Blob,
    mount_from: Option<&str>,
    sent: &dyn Fn(u64),
) -> Result<Arrival, ImageError> {
    if has(client, &blob.descriptor)? {
        return Ok(Arrival::Present);
    }
    let mut upload = Upload {
        client,
        blob,
        sent,
        patience: Patience::new(&client.access),
        way: Way::Pieces,
    };
    let mut mount_from = mount_from;
    loop {
        let page = upload.open_session(mount_from.take())?;
        if page.status == 201 {
            return Ok(Arrival::Mounted);
        }
        let done = upload.session(&page).and_then(|session| {
            let small = blob.descriptor.size <= session.chunk as u64;
            if small || upload.way == Way::Whole {
                upload.send_whole(&session)
            } else {
                upload.send_pieces(session)
            }
        });
        match done {
            Ok(()) => return Ok(Arrival::Sent),
            Err(Stop::Anew(failure)) => upload.patience.after(failure)?,
            Err(Stop::OtherWay) => upload.way = Way::Whole,
            Err(Stop::Failed(error)) => return Err(error),
        }
        // It may be there although the answer that says so was lost.
        if has(client, &blob.descriptor)? {
            return Ok(Arrival::Sent);
        }
    }
}

/// How bytes go up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// In pieces, for which every registry should be fit.
    Pieces,
    /// All in one request, for the others.
    Whole,
}

/// Why a session ended without the blob.
enum Stop {
    /// Another session may do better.
    Anew(Failure),
    /// The registry does not take these pieces.
    OtherWay,
    /// There is no point in going on.
    Failed(ImageError),
}

impl From<ImageError> for Stop {
    fn from(error: ImageError) -> Self {
        Self::Failed(error)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Anew(failure)
    }
}

/// An upload that the registry has begun to take.
struct Session {
    /// Where the next piece goes.
    address: String,
    /// How large a piece is.
    chunk: usize,
}

struct Upload<'a> {
    client: &'a Client,
    blob: &'a Blob,
    sent: &'a dyn Fn(u64),
    patience: Patience<'a>,
    way: Way,
}

impl Upload<'_> {
    fn size(&self) -> u64 {
        self.blob.descriptor.size
    }

    /// Asks the registry to take a blob: status 201 when it had it elsewhere, 202 when it is to be sent.
    fn open_session(&self, mount_from: Option<&str>) -> Result<Page, ImageError> {
        let request = match mount_from {
            None => Request::new(Method::POST, "blobs/uploads/", Scope::Push),
            Some(from) => Request::new(
                Method::POST,
                format!(
                    "blobs/uploads/?mount={}&from={}",
                    bowline_http::percent_encode(self.blob.descriptor.digest.as_str()),
                    bowline_http::percent_encode(from)
                ),
                Scope::Mount(from.to_owned()),
            ),
        };
        match self.client.fetch(&request, ANSWER) {
            // Who may not read the other repository can still send the blob.
            Err(error) if mount_from.is_some() && error.kind == ImageErrorKind::Unauthorized => {
                self.open_session(None)
            }
            outcome => outcome,
        }
    }

    fn session(&self, page: &Page) -> Result<Session, Stop> {
        let least = text(&page.headers, LEAST_CHUNK)
            .and_then(|least| least.parse::<usize>().ok())
            .unwrap_or_default();
        Ok(Session {
            address: self.location(page)?,
            chunk: self
                .client
                .access
                .limits
                .chunk
                .max(least)
                .clamp(1, MOST_CHUNK),
        })
    }

    /// Where an answer says that the upload goes on.
    fn location(&self, page: &Page) -> Result<String, ImageError> {
        match text(&page.headers, header::LOCATION) {
            Some(place) => Ok(absolute(place, &page.address)),
            None => Err(self
                .client
                .error(
                    ImageErrorKind::Refused,
                    &Request::new(Method::POST, "blobs/uploads/", Scope::Push),
                )
                .because("the answer does not say where the upload goes on")),
        }
    }

    /// The address that ends the session.
    fn closing(&self, session: &Session) -> String {
        let joint = if session.address.contains('?') {
            '&'
        } else {
            '?'
        };
        let digest = bowline_http::percent_encode(self.blob.descriptor.digest.as_str());
        format!("{}{joint}digest={digest}", session.address)
    }

    fn send_whole(&self, session: &Session) -> Result<(), Stop> {
        let open = || self.blob.open();
        let request = Request::new(Method::PUT, self.closing(session), Scope::Push)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .body(Body::Stream(&open, self.size()));
        self.client.send(&request).map_err(Stop::from)?;
        (self.sent)(self.size());
        Ok(())
    }

    fn send_pieces(&mut self, mut session: Session) -> Result<(), Stop> {
        let mut bytes = Bytes::new(self.blob);
        let mut piece = Vec::new();
        let mut at = 0;
        while at < self.size() {
            bytes.read_from(at, session.chunk, &mut piece)?;
            match self.send_piece(&session, at, &piece) {
                Ok(page) => {
                    session.address = self.location(&page)?;
                    at = self.taken(&page, at + piece.len() as u64)?;
                    self.patience.renew();
                }
                Err(failure) if !failure.passing => return Err(other_way(failure)),
                Err(failure) => {
                    self.patience.after(failure)?;
                    (session.address, at) = self.ask_state(&session)?;
                }
            }
            (self.sent)(at);
        }
        bytes.check_end()?;
        let request = Request::new(Method::PUT, self.closing(&session), Scope::Push)
            .header(header::CONTENT_TYPE, "application/octet-stream");
        match self.client.send(&request) {
            Ok(_) => Ok(()),
            Err(failure) if failure.passing => Err(Stop::Anew(failure)),
            Err(failure) => Err(other_way(failure)),
        }
    }

    fn send_piece(&self, session: &Session, at: u64, piece: &[u8]) -> Result<Page, Failure> {
        let last = at + piece.len() as u64 - 1;
        let request = Request::new(Method::PATCH, session.address.clone(), Scope::Push)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_RANGE, format!("{at}-{last}"))
            .body(Body::Bytes(piece))
            .expecting(&[416]);
        let answer = self.client.send(&request)?;
        if answer.status == 416 {
            return Err(Failure::passing(
                self.client
                    .error(ImageErrorKind::Refused, &request)
                    .because(format!("it does not take the upload on from byte {at}")),
            ));
        }
        Ok(Page {
            status: answer.status,
            headers: answer.headers,
            address: answer.address,
            bytes: Vec::new(),
        })
    }

    /// Asks where the upload stands: where it goes on, and at which byte.
    fn ask_state(&self, session: &Session) -> Result<(String, u64), Stop> {
        let request = Request::new(Method::GET, session.address.clone(), Scope::Push);
        match self.client.fetch(&request, ANSWER) {
            Ok(page) => {
                let address = self.location(&page).unwrap_or(session.address.clone());
                Ok((address, self.taken(&page, 0)?))
            }
            Err(error) if error.kind == ImageErrorKind::Cancelled => Err(Stop::Failed(error)),
            // The session is lost.
            Err(error) => Err(Stop::Anew(Failure::passing(error))),
        }
    }

    /// How many bytes the registry has, by its `Range` header; without one, those that it was `given`.
    fn taken(&self, page: &Page, given: u64) -> Result<u64, Stop> {
        let Some(range) = text(&page.headers, header::RANGE) else {
            return Ok(given);
        };
        let last = range
            .trim_start_matches("bytes=")
            .strip_prefix("0-")
            .and_then(|last| last.parse::<u64>().ok());
        match last {
            // Of one byte and of none registries say the same; nobody sends a single byte.
            Some(0) => Ok(0),
            Some(last) if last < self.size() => Ok(last + 1),
            _ => Err(Stop::Anew(Failure::passing(
                self.client
                    .error(
                        ImageErrorKind::Refused,
                        &Request::new(Method::PATCH, page.address.clone(), Scope::Push),
                    )
                    .because(format!("of {} bytes it says it has `{range}`", self.size())),
            ))),
        }
    }
}

/// Registries differ in which pieces they take: none, none so large, none so small. What is whole all of them take.
fn other_way(failure: Failure) -> Stop {
    match failure.error.kind {
        ImageErrorKind::Refused | ImageErrorKind::Missing => Stop::OtherWay,
        _ => Stop::Failed(failure.error),
    }
}

/// The bytes of a blob, read again from the beginning when the registry wants earlier ones.
struct Bytes<'a> {
    blob: &'a Blob,
    reader: Option<Box<dyn Read + Send + 'a>>,
    at: u64,
}

impl<'a> Bytes<'a> {
    fn new(blob: &'a Blob) -> Self {
        Self {
            blob,
            reader: None,
            at: 0,
        }
    }

    /// Fills `piece` with what follows byte `from`: `length` bytes, or less at the end.
    fn read_from(
        &mut self,
        from: u64,
        length: usize,
        piece: &mut Vec<u8>,
    ) -> Result<(), ImageError> {
        // The registry may have taken a part of the last piece.
        if from < self.at && self.at - from <= piece.len() as u64 {
            let kept = usize::try_from(self.at - from).unwrap_or(piece.len());
            piece.drain(..piece.len() - kept);
            return Ok(());
        }
        if self.reader.is_none() || from < self.at {
            self.reader = Some(self.blob.open()?);
            self.at = 0;
        }
        let thing = format!("blob `{}`", self.blob.descriptor.digest);
        let unreadable =
            |error| crate::oci::image_error(error, ImageErrorKind::Unreadable, thing.clone());
        let Some(reader) = &mut self.reader else {
            return Ok(());
        };
        let skipped = std::io::copy(&mut reader.take(from - self.at), &mut std::io::sink())
            .map_err(unreadable)?;
        piece.clear();
        let read = reader
            .take(length as u64)
            .read_to_end(piece)
            .map_err(unreadable)?;
        self.at += skipped + read as u64;
        if self.at <= from {
            return Err(ImageError::new(ImageErrorKind::Corrupt, thing)
                .because(format!("it ends after {} bytes", self.at)));
        }
        Ok(())
    }

    /// Reads on to the end, where the blob is checked.
    fn check_end(&mut self) -> Result<(), ImageError> {
        let Some(reader) = &mut self.reader else {
            return Ok(());
        };
        std::io::copy(reader, &mut std::io::sink())
            .map(drop)
            .map_err(|error| {
                crate::oci::image_error(
                    error,
                    ImageErrorKind::Unreadable,
                    format!("blob `{}`", self.blob.descriptor.digest),
                )
            })
    }
}
