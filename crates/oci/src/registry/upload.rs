//! Blobs as they go out: chunk by chunk, and on from what the registry has when a chunk was cut off.

use std::io::Read;

use bowline_words::percent_encode;
use ureq::http::{HeaderName, Method, header};

use super::address::absolute;
use super::client::Client;
use super::request::{Body, Fetched, Request, Scope, text};
use super::retry::{FailedAttempt, Retries};
use crate::{Blob, Descriptor, OciError, OciErrorKind, oci_error};

/// The least a registry takes in one chunk, when it is not the last.
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
pub(super) fn has(client: &Client, blob: &Descriptor) -> Result<bool, OciError> {
    let request =
        Request::new(Method::HEAD, format!("blobs/{}", blob.digest), Scope::Push).expecting(&[404]);
    Ok(client.fetch(&request, ANSWER)?.status != 404)
}

/// Uploads a blob to the repository, unless it is there. `mount_from` is a repository of the same registry that may
/// have it; `sent` is told how many bytes the registry has.
pub(super) fn upload(
    client: &Client,
    blob: &Blob,
    mount_from: Option<&str>,
    sent: &dyn Fn(u64),
) -> Result<Arrival, OciError> {
    if has(client, &blob.descriptor)? {
        return Ok(Arrival::Present);
    }
    let mut upload = Upload {
        client,
        blob,
        sent,
        retries: Retries::new(&client.access),
        form: Form::Chunked,
    };
    let mut mount_from = mount_from;
    loop {
        let fetched = upload.open_session(mount_from.take())?;
        if fetched.status == 201 {
            return Ok(Arrival::Mounted);
        }
        let done = upload.session(&fetched).and_then(|session| {
            let small = blob.descriptor.size <= session.chunk as u64;
            if small || upload.form == Form::Monolithic {
                upload.send_monolithic(&session)
            } else {
                upload.send_chunks(session)
            }
        });
        match done {
            Ok(()) => return Ok(Arrival::Sent),
            Err(SessionEnd::Retry(failure)) => upload.retries.wait_after(failure)?,
            Err(SessionEnd::NoChunks) => upload.form = Form::Monolithic,
            Err(SessionEnd::Failed(error)) => return Err(error),
        }
        // It may be there although the answer that says so was lost.
        if has(client, &blob.descriptor)? {
            return Ok(Arrival::Sent);
        }
    }
}

/// How a blob is uploaded, in the words of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// In chunks, which every registry should take.
    Chunked,
    /// All in one request, for the others.
    Monolithic,
}

/// Why a session ended without the blob.
enum SessionEnd {
    /// Another session may do better.
    Retry(FailedAttempt),
    /// The registry does not take these chunks.
    NoChunks,
    /// There is no point in going on.
    Failed(OciError),
}

impl From<OciError> for SessionEnd {
    fn from(error: OciError) -> Self {
        Self::Failed(error)
    }
}

impl From<FailedAttempt> for SessionEnd {
    fn from(failure: FailedAttempt) -> Self {
        Self::Retry(failure)
    }
}

/// An upload that the registry has begun to take.
struct Session {
    /// Where the next chunk goes.
    address: String,
    /// How large a chunk is.
    chunk: usize,
}

struct Upload<'a> {
    client: &'a Client,
    blob: &'a Blob,
    sent: &'a dyn Fn(u64),
    retries: Retries<'a>,
    form: Form,
}

impl Upload<'_> {
    fn size(&self) -> u64 {
        self.blob.descriptor.size
    }

    /// Asks the registry to take a blob: status 201 when it had it elsewhere, 202 when it is to be sent.
    fn open_session(&self, mount_from: Option<&str>) -> Result<Fetched, OciError> {
        let request = match mount_from {
            None => Request::new(Method::POST, "blobs/uploads/", Scope::Push),
            Some(from) => Request::new(
                Method::POST,
                format!(
                    "blobs/uploads/?mount={}&from={}",
                    percent_encode(self.blob.descriptor.digest.as_str()),
                    percent_encode(from)
                ),
                Scope::Mount(from.to_owned()),
            ),
        };
        match self.client.fetch(&request, ANSWER) {
            // Who may not read the other repository can still send the blob.
            Err(error) if mount_from.is_some() && error.kind == OciErrorKind::Unauthorized => {
                self.open_session(None)
            }
            outcome => outcome,
        }
    }

    fn session(&self, fetched: &Fetched) -> Result<Session, SessionEnd> {
        let least = text(&fetched.headers, LEAST_CHUNK)
            .and_then(|least| least.parse::<usize>().ok())
            .unwrap_or_default();
        Ok(Session {
            address: self.location(fetched)?,
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
    fn location(&self, fetched: &Fetched) -> Result<String, OciError> {
        match text(&fetched.headers, header::LOCATION) {
            Some(place) => Ok(absolute(place, &fetched.address)),
            None => Err(self
                .client
                .error(
                    OciErrorKind::Refused,
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
        let digest = percent_encode(self.blob.descriptor.digest.as_str());
        format!("{}{joint}digest={digest}", session.address)
    }

    fn send_monolithic(&self, session: &Session) -> Result<(), SessionEnd> {
        let open = || self.blob.open();
        let request = Request::new(Method::PUT, self.closing(session), Scope::Push)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .body(Body::Stream(&open, self.size()));
        self.client.send(&request).map_err(SessionEnd::from)?;
        (self.sent)(self.size());
        Ok(())
    }

    fn send_chunks(&mut self, mut session: Session) -> Result<(), SessionEnd> {
        let mut bytes = Bytes::new(self.blob);
        let mut chunk = Vec::new();
        let mut at = 0;
        while at < self.size() {
            bytes.read_from(at, session.chunk, &mut chunk)?;
            match self.send_chunk(&session, at, &chunk) {
                Ok(fetched) => {
                    session.address = self.location(&fetched)?;
                    at = self.taken(&fetched, at + chunk.len() as u64)?;
                    self.retries.reset();
                }
                Err(failure) if !failure.passing => return Err(refused_chunk(failure)),
                Err(failure) => {
                    self.retries.wait_after(failure)?;
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
            Err(failure) if failure.passing => Err(SessionEnd::Retry(failure)),
            Err(failure) => Err(refused_chunk(failure)),
        }
    }

    fn send_chunk(
        &self,
        session: &Session,
        at: u64,
        chunk: &[u8],
    ) -> Result<Fetched, FailedAttempt> {
        let last = at + chunk.len() as u64 - 1;
        let request = Request::new(Method::PATCH, session.address.clone(), Scope::Push)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_RANGE, format!("{at}-{last}"))
            .body(Body::Bytes(chunk))
            .expecting(&[416]);
        let answer = self.client.send(&request)?;
        if answer.status == 416 {
            return Err(FailedAttempt::passing(
                self.client
                    .error(OciErrorKind::Refused, &request)
                    .because(format!("it does not take the upload on from byte {at}")),
            ));
        }
        Ok(Fetched {
            status: answer.status,
            headers: answer.headers,
            address: answer.address,
            bytes: Vec::new(),
        })
    }

    /// Asks where the upload stands: where it goes on, and at which byte.
    fn ask_state(&self, session: &Session) -> Result<(String, u64), SessionEnd> {
        let request = Request::new(Method::GET, session.address.clone(), Scope::Push);
        match self.client.fetch(&request, ANSWER) {
            Ok(fetched) => {
                let address = self.location(&fetched).unwrap_or(session.address.clone());
                Ok((address, self.taken(&fetched, 0)?))
            }
            Err(error) if error.kind == OciErrorKind::Cancelled => Err(SessionEnd::Failed(error)),
            // The session is lost.
            Err(error) => Err(SessionEnd::Retry(FailedAttempt::passing(error))),
        }
    }

    /// How many bytes the registry has, by its `Range` header; without one, those that it was `given`.
    fn taken(&self, fetched: &Fetched, given: u64) -> Result<u64, SessionEnd> {
        let Some(range) = text(&fetched.headers, header::RANGE) else {
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
            _ => Err(SessionEnd::Retry(FailedAttempt::passing(
                self.client
                    .error(
                        OciErrorKind::Refused,
                        &Request::new(Method::PATCH, fetched.address.clone(), Scope::Push),
                    )
                    .because(format!("of {} bytes it says it has `{range}`", self.size())),
            ))),
        }
    }
}

/// Registries differ in which chunks they take: none, none so large, none so small. What is whole all of them take.
fn refused_chunk(failure: FailedAttempt) -> SessionEnd {
    match failure.error.kind {
        OciErrorKind::Refused | OciErrorKind::Missing => SessionEnd::NoChunks,
        _ => SessionEnd::Failed(failure.error),
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

    /// Fills `chunk` with what follows byte `from`: `length` bytes, or less at the end.
    fn read_from(&mut self, from: u64, length: usize, chunk: &mut Vec<u8>) -> Result<(), OciError> {
        // The registry may have taken a part of the last chunk.
        if from < self.at && self.at - from <= chunk.len() as u64 {
            let kept = usize::try_from(self.at - from).unwrap_or(chunk.len());
            chunk.drain(..chunk.len() - kept);
            return Ok(());
        }
        if self.reader.is_none() || from < self.at {
            self.reader = Some(self.blob.open()?);
            self.at = 0;
        }
        let thing = format!("blob `{}`", self.blob.descriptor.digest);
        let unreadable = |error| oci_error(error, OciErrorKind::Unreadable, thing.clone());
        let Some(reader) = &mut self.reader else {
            return Ok(());
        };
        let skipped = std::io::copy(&mut reader.take(from - self.at), &mut std::io::sink())
            .map_err(unreadable)?;
        chunk.clear();
        let read = reader
            .take(length as u64)
            .read_to_end(chunk)
            .map_err(unreadable)?;
        self.at += skipped + read as u64;
        if self.at <= from {
            return Err(OciError::new(OciErrorKind::Corrupt, thing)
                .because(format!("it ends after {} bytes", self.at)));
        }
        Ok(())
    }

    /// Reads on to the end, where the blob is checked.
    fn check_end(&mut self) -> Result<(), OciError> {
        let Some(reader) = &mut self.reader else {
            return Ok(());
        };
        std::io::copy(reader, &mut std::io::sink())
            .map(drop)
            .map_err(|error| {
                oci_error(
                    error,
                    OciErrorKind::Unreadable,
                    format!("blob `{}`", self.blob.descriptor.digest),
                )
            })
    }
}
