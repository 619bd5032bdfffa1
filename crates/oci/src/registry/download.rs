//! Blobs as they come in: a download that breaks off goes on where it stopped.

use std::io::{self, Read};

use ureq::BodyReader;
use ureq::http::{Method, header};

use super::client::Client;
use super::request::{Request, Scope, text};
use super::retry::{FailedAttempt, Retries};
use crate::{Descriptor, OciError, OciErrorKind};

/// A download that got so many bytes further is worth all its tries again.
const PROGRESS: u64 = 1 << 20;

/// The bytes of a blob, not checked yet. More than the blob has are passed on, for the check to see.
pub(super) struct Download<'a> {
    client: &'a Client,
    blob: Descriptor,
    at: u64,
    /// How far it had come when the retries were last reset.
    reset_at: u64,
    retries: Retries<'a>,
    body: Option<BodyReader<'static>>,
}

impl<'a> Download<'a> {
    /// Sends the first request, so that a blob that is not there is seen at once.
    pub(super) fn begin(client: &'a Client, blob: &Descriptor) -> Result<Self, OciError> {
        let mut download = Self {
            client,
            blob: blob.clone(),
            at: 0,
            reset_at: 0,
            retries: Retries::new(&client.access),
            body: None,
        };
        download.connect()?;
        Ok(download)
    }

    fn request(&self) -> Request<'static> {
        let request = Request::new(
            Method::GET,
            format!("blobs/{}", self.blob.digest),
            Scope::Pull,
        );
        match self.at {
            0 => request,
            at => request.header(header::RANGE, format!("bytes={at}-")),
        }
    }

    /// Asks for the rest until it begins to come.
    fn connect(&mut self) -> Result<&mut BodyReader<'static>, OciError> {
        loop {
            match self.ask() {
                Ok(body) => return Ok(self.body.insert(body)),
                Err(failure) => self.retries.wait_after(failure)?,
            }
        }
    }

    fn ask(&self) -> Result<BodyReader<'static>, FailedAttempt> {
        let request = self.request();
        let answer = self.client.send(&request)?;
        let corrupt = |cause: String| {
            FailedAttempt::from(
                self.client
                    .error(OciErrorKind::Corrupt, &request)
                    .because(cause),
            )
        };
        let size = self.blob.size;
        let rest = answer.status == 206;
        if rest {
            let range = text(&answer.headers, header::CONTENT_RANGE).unwrap_or_default();
            if !range_fits(range, self.at, size) {
                return Err(corrupt(format!(
                    "asked for what follows byte {} of {size}, it gives `{range}`",
                    self.at
                )));
            }
        } else {
            let length = text(&answer.headers, header::CONTENT_LENGTH);
            let length = length.and_then(|length| length.parse::<u64>().ok());
            if let Some(length) = length.filter(|length| *length != size) {
                return Err(corrupt(format!(
                    "it has {length} bytes and should have {size}"
                )));
            }
        }
        let mut body = answer.body.into_with_config().limit(u64::MAX).reader();
        if !rest && self.at > 0 {
            // This registry gives all or nothing.
            let skipped = io::copy(&mut (&mut body).take(self.at), &mut io::sink());
            let cut = match skipped {
                Ok(count) if count == self.at => None,
                Ok(_) => Some(io::ErrorKind::UnexpectedEof.into()),
                Err(error) => Some(error),
            };
            if let Some(error) = cut {
                return Err(self.client.transport_failure(error.into(), &request));
            }
        }
        Ok(body)
    }
}

impl Read for Download<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let cancel = &self.client.access.cancel;
            cancel.check("the download").map_err(io::Error::other)?;
            let body = match &mut self.body {
                Some(body) => body,
                None => self.connect().map_err(io::Error::other)?,
            };
            let error = match body.read(buffer) {
                Ok(0) if self.at < self.blob.size => io::ErrorKind::UnexpectedEof.into(),
                Ok(count) => {
                    self.at += count as u64;
                    if self.at - self.reset_at >= PROGRESS {
                        self.reset_at = self.at;
                        self.retries.reset();
                    }
                    return Ok(count);
                }
                // All is there; how the connection ended is of no interest.
                Err(_) if self.at >= self.blob.size => return Ok(0),
                Err(error) => error,
            };
            self.body = None;
            let failure = self.client.transport_failure(error.into(), &self.request());
            self.retries.wait_after(failure).map_err(io::Error::other)?;
        }
    }
}

/// Whether a `Content-Range` begins at that byte and is of a whole of that size, as far as it says so.
fn range_fits(range: &str, at: u64, size: u64) -> bool {
    let Some((span, whole)) = range
        .strip_prefix("bytes ")
        .and_then(|range| range.split_once('/'))
    else {
        return false;
    };
    let begins = span
        .split_once('-')
        .is_some_and(|(first, _)| first.parse() == Ok(at));
    begins && (whole == "*" || whole.parse() == Ok(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_taken_at_their_word() {
        assert!(range_fits("bytes 5-9/10", 5, 10));
        assert!(range_fits("bytes 5-9/*", 5, 10));
        for wrong in ["bytes 4-9/10", "bytes 5-9/11", "bytes */10", "5-9/10", ""] {
            assert!(!range_fits(wrong, 5, 10), "{wrong}");
        }
    }
}
