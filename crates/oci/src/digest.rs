//! Digests: the names of blobs, made from their bytes.

use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::{Descriptor, OciError, OciErrorKind};

/// The name of a blob: the SHA-256 of its bytes, written `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

const PREFIX: &str = "sha256:";

/// A text that is no digest that can be checked here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 digest: `{0}`")]
pub struct DigestError(pub String);

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(bytes);
        hasher.finish().0
    }

    /// Its 64 hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> &str {
        &self.0[PREFIX.len()..]
    }

    /// The whole of it, with the algorithm in front.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let hex = text.strip_prefix(PREFIX).unwrap_or_default();
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if hex.len() == 64 && hex.bytes().all(is_hex) {
            Ok(Self(text.to_owned()))
        } else {
            Err(DigestError(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

/// Works out the digest and the length of bytes that come piece by piece.
#[derive(Debug, Clone, Default)]
pub struct Hasher {
    state: sha2::Sha256,
    length: u64,
}

impl Hasher {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.length += bytes.len() as u64;
    }

    /// How many bytes there were so far.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The digest of all bytes, and how many there were.
    #[must_use]
    pub fn finish(self) -> (Digest, u64) {
        let mut text = String::with_capacity(PREFIX.len() + 64);
        text.push_str(PREFIX);
        for byte in self.state.finalize() {
            text.push_str(&format!("{byte:02x}"));
        }
        (Digest(text), self.length)
    }
}

/// Reads a blob and checks it on the way: whoever has read to the end has read exactly the blob that was asked for.
///
/// A reading that turns out to be another blob ends with an [`io::Error`] that carries an [`OciError`] of the kind
/// [`OciErrorKind::Corrupt`]; see [`oci_error`](crate::oci_error).
#[derive(Debug)]
pub struct Verified<R> {
    inner: R,
    hasher: Hasher,
    wanted: Digest,
    size: u64,
    place: String,
    done: bool,
}

impl<R: Read> Verified<R> {
    /// Checks what comes from `inner` against the descriptor; `place` says in messages where it comes from.
    pub fn new(inner: R, wanted: &Descriptor, place: impl Into<String>) -> Self {
        Self {
            inner,
            hasher: Hasher::default(),
            wanted: wanted.digest.clone(),
            size: wanted.size,
            place: place.into(),
            done: false,
        }
    }

    fn corrupt(&self, cause: String) -> io::Error {
        let error = OciError::new(
            OciErrorKind::Corrupt,
            format!("blob `{}` of `{}`", self.wanted, self.place),
        )
        .because(cause);
        io::Error::new(io::ErrorKind::InvalidData, error)
    }

    fn end(&mut self) -> io::Result<usize> {
        let (digest, length) = std::mem::take(&mut self.hasher).finish();
        if length != self.size {
            return Err(self.corrupt(format!(
                "it ends after {length} bytes and should have {}",
                self.size
            )));
        }
        if digest != self.wanted {
            return Err(self.corrupt(format!("its bytes have the digest `{digest}`")));
        }
        self.done = true;
        Ok(0)
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.done || buffer.is_empty() {
            return Ok(0);
        }
        let count = self.inner.read(buffer)?;
        if count == 0 {
            return self.end();
        }
        if self.hasher.length() + count as u64 > self.size {
            return Err(self.corrupt(format!("it has more than {} bytes", self.size)));
        }
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci_error;

    const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn digests_are_read_written_and_made() {
        assert_eq!(Digest::of(b"abc").as_str(), ABC);
        assert_eq!(ABC.parse::<Digest>().unwrap().hex(), &ABC[7..]);
        for wrong in [
            "",
            "abc",
            "sha256:",
            "sha512:00",
            &ABC.to_uppercase(),
            &ABC[..70],
        ] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_the_right_bytes_are_read_to_the_end() {
        let read = |bytes: &[u8], size| {
            let wanted = Descriptor::new("text/plain", ABC.parse().unwrap(), size);
            let mut read = Vec::new();
            Verified::new(bytes, &wanted, "here")
                .read_to_end(&mut read)
                .map(|_| read)
                .map_err(|error| oci_error(error, OciErrorKind::Unreadable, "x").to_string())
        };
        assert_eq!(read(b"abc", 3).unwrap(), b"abc");
        assert_eq!(
            read(b"ab", 3).unwrap_err(),
            format!("damaged: blob `{ABC}` of `here`\nit ends after 2 bytes and should have 3")
        );
        assert!(read(b"abcd", 3).unwrap_err().contains("more than 3 bytes"));
        assert!(read(b"abd", 3).unwrap_err().contains("have the digest"));
    }
}
