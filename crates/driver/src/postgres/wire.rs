//! Messages over one stream.

use std::io::{self, Read, Write};

use bytes::BytesMut;
use postgres_protocol::message::backend::{
    COPY_DATA_TAG, DATA_ROW_TAG, ERROR_RESPONSE_TAG, Header, Message, NOTICE_RESPONSE_TAG,
    NOTIFICATION_RESPONSE_TAG, PARAMETER_STATUS_TAG, ROW_DESCRIPTION_TAG,
};

use super::error::unexpected;
use super::stream::Stream;

/// How much is read at once.
const CHUNK: usize = 32 * 1024;

/// The longest message that is no row; a server that sends a longer one is none.
const LONGEST: usize = 16 * 1024 * 1024;

/// The longest message before the server is known to be one.
const LONGEST_OF_STRANGERS: usize = 64 * 1024;

/// What comes in.
pub(super) enum Incoming {
    /// A message.
    Message(Message),
    /// A row that is longer than asked for, of which nothing was kept.
    LongRow,
}

/// A stream with the messages that wait on both sides of it.
pub(super) struct Wire {
    stream: Stream,
    input: BytesMut,
    chunk: Box<[u8]>,
    /// What goes out with the next [`send`](Self::send).
    pub(super) output: BytesMut,
    longest: usize,
}

impl Wire {
    /// A stream on which nothing was said yet.
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
            chunk: vec![0; CHUNK].into(),
            output: BytesMut::new(),
            longest: LONGEST_OF_STRANGERS,
        }
    }

    /// What is below.
    pub(super) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The login is over: the server is one, and may send longer messages.
    pub(super) fn trust(&mut self) {
        self.longest = LONGEST;
    }

    /// Sends what waits.
    pub(super) fn send(&mut self) -> io::Result<()> {
        let output = self.output.split();
        self.stream.write_all(&output)?;
        self.stream.flush()
    }

    /// The next message; rows and copied data that are longer than `longest_row` are passed over.
    pub(super) fn receive(&mut self, longest_row: usize) -> io::Result<Incoming> {
        while self.input.len() < 5 {
            self.fill()?;
        }
        let header = Header::parse(&self.input)?.ok_or_else(|| unexpected("half a message"))?;
        let length = usize::try_from(header.len()).map_err(io::Error::other)? + 1;
        let is_row = matches!(header.tag(), DATA_ROW_TAG | COPY_DATA_TAG);
        let longest = match header.tag() {
            _ if is_row => longest_row.saturating_add(CHUNK),
            ROW_DESCRIPTION_TAG
            | ERROR_RESPONSE_TAG
            | NOTICE_RESPONSE_TAG
            | NOTIFICATION_RESPONSE_TAG
            | PARAMETER_STATUS_TAG => self.longest,
            _ => LONGEST_OF_STRANGERS,
        };
        if length > longest && is_row {
            self.pass_over(length)?;
            return Ok(Incoming::LongRow);
        }
        if length > longest {
            return Err(unexpected("a message that is too long for PostgreSQL's"));
        }
        loop {
            if let Some(message) = Message::parse(&mut self.input)? {
                return Ok(Incoming::Message(message));
            }
            self.fill()?;
        }
    }

    /// The next message of a login.
    pub(super) fn receive_message(&mut self) -> io::Result<Message> {
        match self.receive(0)? {
            Incoming::Message(message) => Ok(message),
            Incoming::LongRow => Err(unexpected("a row that nobody asked for")),
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let count = self.stream.read(&mut self.chunk)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.input.extend_from_slice(&self.chunk[..count]);
        Ok(())
    }

    fn pass_over(&mut self, mut length: usize) -> io::Result<()> {
        loop {
            let here = length.min(self.input.len());
            let _ = self.input.split_to(here);
            length -= here;
            if length == 0 {
                return Ok(());
            }
            self.fill()?;
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // The server sees the end either way; said aloud, it does not log a client that vanished.
        postgres_protocol::message::frontend::terminate(&mut self.output);
        let _ = self.send();
    }
}
