//! What is heard of a statement until the server is ready for the next.

use std::io;
use std::ops::ControlFlow;

use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::{
    CommandCompleteBody, DataRowBody, Message, RowDescriptionBody,
};
use postgres_protocol::message::frontend;

use super::error::{Refusal, Stage, gone, lost, refusal};
use super::statement::{Connected, Described, Protocol, Raw, TEXT, Unrun};
use super::types::{Form, built_in};
use super::value::{self, Read};
use super::wire::Incoming;
use crate::connection::ResultBuilder;
use crate::{Column, Limits, ResultSet, SqlError, SqlErrorKind, Value};

impl Connected {
    /// Reads all that comes of what was sent.
    pub(super) fn hear(
        &mut self,
        mut heard: Heard<'_>,
        sent: io::Result<()>,
    ) -> Result<Raw, Unrun> {
        if self.is_broken {
            return Err(Unrun::Failed(gone()));
        }
        let read = self.listen(&mut heard);
        if let Err(broken) = read.and(sent) {
            self.is_broken = true;
            let error = match heard.refused {
                Some(refusal) => SqlError {
                    kind: SqlErrorKind::Connection,
                    ..refusal.error
                },
                // However it was lost: nothing can be asked on it any more.
                None => SqlError {
                    kind: SqlErrorKind::Connection,
                    ..lost(&broken)
                },
            };
            return Err(Unrun::Failed(error));
        }
        match (heard.failed, heard.refused) {
            (Some(error), _) => Err(Unrun::Failed(error)),
            (None, Some(refusal)) => Err(Unrun::Refused(refusal)),
            (None, None) => Ok(Raw {
                result: ResultSet {
                    others: heard.unread,
                    ..heard.rows.finish(heard.affected)
                },
                columns: heard.columns.unwrap_or_default(),
                is_empty: heard.is_empty,
            }),
        }
    }

    fn listen(&mut self, heard: &mut Heard<'_>) -> io::Result<()> {
        // Whether an empty statement was sent after all else, behind whose answer nothing is left to be heard.
        let mut ends_empty = false;
        loop {
            let message = match self.wire.receive(heard.limits.max_bytes)? {
                Incoming::Message(message) => message,
                Incoming::LongRow if heard.protocol == Protocol::Simple => continue,
                Incoming::LongRow => {
                    let error = heard.too_large();
                    self.fail(heard, error);
                    continue;
                }
            };
            match message {
                // Of several commands no rows are kept.
                Message::RowDescription(_) if heard.protocol == Protocol::Simple => {
                    heard.columns = Some(Vec::new());
                    heard.unread += 1;
                }
                Message::DataRow(_) if heard.protocol == Protocol::Simple => {}
                Message::RowDescription(body) => {
                    if let Err(error) = self.describe(heard, &body) {
                        self.fail(heard, error);
                    }
                }
                Message::DataRow(body) => {
                    if heard.failed.is_none()
                        && let Err(error) = self.take(heard, &body)?
                    {
                        self.fail(heard, error);
                    }
                }
                Message::CommandComplete(body) if heard.protocol == Protocol::Simple => {
                    // Each command may have columns, and is about rows of its own.
                    if heard.columns.take().is_none()
                        && let Some(rows) = affected(&body)
                    {
                        heard.affected = Some(heard.affected.unwrap_or_default() + rows);
                    }
                }
                Message::CommandComplete(body) => {
                    heard.affected = affected(&body).filter(|_| heard.columns.is_none());
                }
                Message::EmptyQueryResponse if ends_empty => ends_empty = false,
                Message::EmptyQueryResponse => heard.is_empty = true,
                Message::ErrorResponse(body) => {
                    let refusal = refusal(&body, Stage::Statement);
                    heard.refused.get_or_insert(refusal);
                }
                Message::ParameterStatus(body) => {
                    if let (Ok(name), Ok(value)) = (body.name(), body.value()) {
                        self.status.insert(name.to_owned(), value.to_owned());
                    }
                }
                Message::CopyInResponse(_) => {
                    heard.failed.get_or_insert_with(copying);
                    frontend::copy_fail("nothing is copied", &mut self.wire.output)?;
                    // The Sync that was sent before was passed over, unless the server refused before it read anything:
                    // then it is ready once more than is waited for.
                    if heard.protocol == Protocol::Extended {
                        frontend::sync(&mut self.wire.output);
                        frontend::query("", &mut self.wire.output)?;
                        ends_empty = true;
                    }
                    self.wire.send()?;
                }
                Message::CopyOutResponse(_) => self.fail(heard, copying()),
                Message::ReadyForQuery(body) if ends_empty => self.transaction = body.status(),
                Message::ReadyForQuery(body) => {
                    self.transaction = body.status();
                    return Ok(());
                }
                // Steps that nobody waits for, notices, and data of a copy.
                _ => {}
            }
        }
    }

    /// Notes that a result is of no use, and has the server stop.
    fn fail(&self, heard: &mut Heard<'_>, error: SqlError) {
        if heard.failed.is_none() {
            heard.failed = Some(error);
            if let Some(key) = self.key {
                self.way.stop(key);
            }
        }
    }

    fn describe(&self, heard: &mut Heard<'_>, body: &RowDescriptionBody) -> Result<(), SqlError> {
        let mut fields = body.fields();
        let mut columns: Vec<Described> = Vec::new();
        loop {
            match fields.next() {
                Ok(Some(field)) if self.is_utf8() || field.name().is_ascii() => {
                    columns.push(Described {
                        name: field.name().to_owned(),
                        oid: field.type_oid(),
                        form: built_in(field.type_oid()),
                        is_text: field.format() == TEXT,
                    });
                }
                Ok(None) => break,
                _ => {
                    return Err(self.in_another_encoding(format!(
                        "the name of column {} is not UTF-8",
                        columns.len() + 1
                    )));
                }
            }
        }
        let named = columns.iter().map(|column| Column {
            name: column.name.clone(),
            type_name: match postgres_types::Type::from_oid(column.oid) {
                Some(found) => found.name().to_owned(),
                None => String::new(),
            },
        });
        heard.rows = ResultBuilder::new(named.collect(), heard.limits);
        heard.count = 0;
        heard.columns = Some(columns);
        Ok(())
    }

    /// Takes one row; bytes stand for values of types that only the server knows.
    fn take(&self, heard: &mut Heard<'_>, body: &DataRowBody) -> io::Result<Result<(), SqlError>> {
        if heard.has_all {
            return Ok(Ok(()));
        }
        heard.count += 1;
        let is_utf8 = self.is_utf8();
        let columns = heard.columns.as_deref().unwrap_or_default();
        let mut row = Vec::with_capacity(columns.len());
        let mut ranges = body.ranges();
        for column in columns {
            let range = ranges.next()?.flatten();
            let read = match range.map(|range| &body.buffer()[range]) {
                None => Read::Value(Value::Null),
                Some(bytes) if column.is_text => value::text(bytes, is_utf8),
                Some(bytes) => match &column.form {
                    Some(Form::Own(found)) => value::read(found, bytes, is_utf8),
                    Some(Form::List) => own_list(bytes, is_utf8),
                    _ => Read::Value(bytes.to_vec().into()),
                },
            };
            match read {
                Read::Value(value) => row.push(value),
                other => {
                    let found = postgres_types::Type::from_oid(column.oid);
                    let kind = found.as_ref().map_or("?", |found| found.name());
                    return Ok(Err(self.unread(&other, &column.name, kind, heard.count)));
                }
            }
        }
        Ok(match heard.rows.push(row) {
            Ok(ControlFlow::Continue(())) => Ok(()),
            Ok(ControlFlow::Break(())) => {
                heard.has_all = true;
                Ok(())
            }
            Err(error) => Err(error),
        })
    }
}

/// A list of a built-in type, whose elements all have values of ours.
fn own_list(bytes: &[u8], is_utf8: bool) -> Read {
    let Some(list) = value::list(bytes) else {
        return Read::Broken;
    };
    let Some(Form::Own(element)) = built_in(list.element) else {
        return Read::Broken;
    };
    let mut values = Vec::with_capacity(list.elements.len());
    for bytes in &list.elements {
        match bytes.map(|bytes| value::read(&element, bytes, is_utf8)) {
            None => values.push(Value::Null),
            Some(Read::Value(value)) => values.push(value),
            Some(other) => return other,
        }
    }
    Read::Value(value::fold(values, &list.lengths))
}

fn copying() -> SqlError {
    SqlError::new(
        SqlErrorKind::Other,
        "COPY from or to the client is not supported",
    )
    .hint("copy from or to a file of the server, or write a SELECT or INSERT".to_owned())
}

/// How many rows a statement was about, where its answer says so.
fn affected(body: &CommandCompleteBody) -> Option<u64> {
    body.tag().ok()?.rsplit(' ').next()?.parse().ok()
}

/// What was heard of a statement so far.
pub(super) struct Heard<'l> {
    protocol: Protocol,
    limits: &'l Limits,
    /// None for a statement without a result.
    columns: Option<Vec<Described>>,
    rows: ResultBuilder<'l>,
    count: usize,
    has_all: bool,
    affected: Option<u64>,
    /// Results with columns that were not read.
    unread: usize,
    is_empty: bool,
    failed: Option<SqlError>,
    refused: Option<Refusal>,
}

impl<'l> Heard<'l> {
    pub(super) fn new(protocol: Protocol, limits: &'l Limits) -> Self {
        Self {
            protocol,
            limits,
            columns: None,
            rows: ResultBuilder::new(Vec::new(), limits),
            count: 0,
            has_all: false,
            affected: None,
            unread: 0,
            is_empty: false,
            failed: None,
            refused: None,
        }
    }

    fn too_large(&self) -> SqlError {
        SqlError::new(
            SqlErrorKind::TooLarge,
            format!(
                "result is too large: row {} brings it over {} bytes",
                self.count + 1,
                self.limits.max_bytes
            ),
        )
    }
}
