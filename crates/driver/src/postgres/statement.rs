//! Running one statement on a session and reading its result.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;

use fallible_iterator::FallibleIterator;
use postgres_protocol::IsNull;
use postgres_protocol::message::backend::{
    CommandCompleteBody, DataRowBody, Message, RowDescriptionBody,
};
use postgres_protocol::message::frontend;
use postgres_types::Oid;

use super::error::{Refusal, Stage, lost, refusal};
use super::login::Session;
use super::reach::Way;
use super::types::{Form, TypesSeen, built_in};
use super::value::{self, Read};
use super::wire::{Incoming, Wire};
use crate::changes::{is_change, leading_word};
use crate::connection::ResultBuilder;
use crate::{Column, Limits, ResultSet, SqlError, SqlErrorKind, Surplus, Value};

const TEXT: i16 = 0;
const BINARY: i16 = 1;

/// The server's functions that refuse to write what has no binary form, a value of its own or one in others. Unlike
/// their words, no language changes their names.
const NO_BINARY_FORM: [&str; 4] = [
    "array_send",
    "getTypeBinaryOutputInfo",
    "get_multirange_io_data",
    "get_range_io_data",
];

/// The server's function that refuses several commands at once.
const SEVERAL_COMMANDS: [&str; 1] = ["exec_parse_message"];

/// The state of a session that is in no transaction.
const IDLE: u8 = b'I';

/// Whether a text may hold several commands: a semicolon stands before its end.
fn may_hold_several(sql: &str) -> bool {
    sql.trim_end().trim_end_matches(';').contains(';')
}

/// A session with a server, on the thread that its statements run on.
pub(super) struct Connected {
    wire: Wire,
    key: Option<(i32, i32)>,
    way: Way,
    status: BTreeMap<String, String>,
    pub(super) types: TypesSeen,
    /// Whether the session is in a transaction, as the server said last.
    transaction: u8,
    is_broken: bool,
}

/// The protocols there are for statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// Of several messages, after the last of which the server says that it is ready.
    Extended,
    /// Of one message.
    Simple,
}

/// What is sent with a statement.
pub(super) struct Asked<'a> {
    pub(super) sql: &'a str,
    /// The one value it has a place for, with its type.
    pub(super) value: Option<(Oid, &'a [u8])>,
    /// How its columns come: one word for all, or one for each.
    pub(super) formats: Vec<i16>,
}

/// A column of a result as the server describes it.
#[derive(Debug, Clone)]
pub(super) struct Described {
    name: String,
    pub(super) oid: Oid,
    /// How its values are read; none where the server has to say.
    form: Option<Form>,
    is_text: bool,
}

/// A result whose columns of foreign types hold bytes.
pub(super) struct Raw {
    pub(super) result: ResultSet,
    pub(super) columns: Vec<Described>,
    is_empty: bool,
}

/// Why a statement has no result.
pub(super) enum Unrun {
    /// The server refused it.
    Refused(Refusal),
    /// Something else.
    Failed(SqlError),
}

impl Unrun {
    pub(super) fn error(self) -> SqlError {
        match self {
            Self::Refused(refusal) if NO_BINARY_FORM.contains(&&*refusal.routine) => SqlError {
                kind: SqlErrorKind::UnsupportedType,
                ..refusal.error.hint("cast it to text".to_owned())
            },
            Self::Refused(refusal) => refusal.error,
            Self::Failed(error) => error,
        }
    }

    fn is_from(&self, functions: &[&str]) -> bool {
        matches!(self, Self::Refused(refusal) if functions.contains(&&*refusal.routine))
    }
}

impl Connected {
    pub(super) fn new(session: Session, way: Way, types: TypesSeen) -> Self {
        Self {
            wire: session.wire,
            key: session.key,
            way,
            status: session.status,
            types,
            transaction: IDLE,
            is_broken: false,
        }
    }

    /// What the server calls itself.
    pub(super) fn product(&self) -> String {
        let version = self.status.get("server_version");
        let version = version.and_then(|version| version.split(' ').next());
        version.map_or_else(
            || "PostgreSQL".to_owned(),
            |version| format!("PostgreSQL {version}"),
        )
    }

    /// What the server wants to hear before it stops.
    pub(super) fn key(&self) -> Option<(i32, i32)> {
        self.key
    }

    /// Lets statements take as long as they do.
    pub(super) fn unlimited(&self) -> io::Result<()> {
        self.wire.stream().socket().unlimited()
    }

    /// Runs one statement and reads its whole result, within the limits.
    pub(super) fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        self.check(sql)?;
        let is_change = is_change(&leading_word(sql), sql);
        // In a transaction, a first try that is refused would be the end of it.
        if self.transaction != IDLE && is_change && may_hold_several(sql) {
            return self.run_several(sql).map_err(Unrun::error);
        }
        let asked = Asked {
            sql,
            value: None,
            formats: vec![BINARY],
        };
        let raw = match self.ask(&asked, limits) {
            Err(unrun) if unrun.is_from(&SEVERAL_COMMANDS) && is_change => {
                return self.run_several(sql).map_err(Unrun::error);
            }
            Err(unrun) if unrun.is_from(&NO_BINARY_FORM) && self.transaction == IDLE => {
                let formats = self.formats(sql, limits)?;
                self.ask(&Asked { formats, ..asked }, limits)
            }
            other => other,
        };
        let raw = raw.map_err(Unrun::error)?;
        if raw.is_empty {
            return Err(SqlError::new(
                SqlErrorKind::Syntax,
                "the text holds no statement",
            ));
        }
        self.complete(raw)
    }

    /// Refuses what cannot be sent.
    fn check(&self, sql: &str) -> Result<(), SqlError> {
        if sql.contains('\0') {
            return Err(SqlError::new(
                SqlErrorKind::Syntax,
                "the statement holds a NUL character, which PostgreSQL has no text with",
            ));
        }
        if !self.is_utf8() && !sql.is_ascii() {
            return Err(
                self.in_another_encoding("the statement cannot be sent: it is in UTF-8".to_owned())
            );
        }
        Ok(())
    }

    /// Whether the session's text is UTF-8, or of no encoding that anybody knows.
    pub(super) fn is_utf8(&self) -> bool {
        let encoding = self.status.get("client_encoding").map(String::as_str);
        matches!(encoding, None | Some("UTF8" | "UNICODE" | "SQL_ASCII"))
    }

    fn in_another_encoding(&self, mut words: String) -> SqlError {
        if let Some(encoding) = self.status.get("client_encoding")
            && !self.is_utf8()
        {
            words.push_str(&format!(
                ", and the session's `client_encoding` is {encoding}"
            ));
        }
        SqlError::new(SqlErrorKind::UnsupportedType, words).hint(
            "have the server convert it (`SET client_encoding TO 'UTF8'`), or read the bytes (in PostgreSQL `convert_to` or a cast to bytea)"
                .to_owned(),
        )
    }

    /// What a value that could not be read is told as.
    pub(super) fn unread(&self, read: &Read, column: &str, kind: &str, row: usize) -> SqlError {
        match read {
            Read::NotUtf8 => {
                self.in_another_encoding(format!("text is not UTF-8: column `{column}`, row {row}"))
            }
            _ => SqlError::new(
                SqlErrorKind::UnsupportedType,
                format!("value cannot be read: column `{column}` of type `{kind}`, row {row}"),
            )
            .hint("cast it to text".to_owned()),
        }
    }

    /// How the columns of a statement come: in text where a type has no binary form. It is described and not run.
    fn formats(&mut self, sql: &str, limits: &Limits) -> Result<Vec<i16>, SqlError> {
        let described = self.talk(Protocol::Extended, limits, |output| {
            frontend::parse("", sql, [], output)?;
            frontend::describe(b'S', "", output)?;
            frontend::sync(output);
            Ok(())
        });
        let columns = described.map_err(Unrun::error)?.columns;
        self.look_up(columns.iter().map(|column| column.oid).collect())?;
        let is_text = |oid| self.types.get(oid).is_some_and(|facts| facts.is_text_only);
        let formats = columns
            .iter()
            .map(|column| if is_text(column.oid) { TEXT } else { BINARY });
        Ok(formats.collect())
    }

    /// Runs a statement that changes something and holds several commands, which only the simple protocol takes. Its
    /// values have the server's words and no types, so that results with columns are counted and not read.
    fn run_several(&mut self, sql: &str) -> Result<ResultSet, Unrun> {
        let limits = Limits::default();
        let raw = self.talk(Protocol::Simple, &limits, |output| {
            frontend::query(sql, output)
        })?;
        Ok(ResultSet {
            rows_affected: raw.result.rows_affected,
            others: raw.result.others,
            ..ResultSet::default()
        })
    }

    /// Parses, binds, describes and executes a statement in one round trip.
    pub(super) fn ask(&mut self, asked: &Asked<'_>, limits: &Limits) -> Result<Raw, Unrun> {
        // Where the rest is left unread, the server does not even send it. Otherwise it must not know that there is a
        // limit: it would run nothing in parallel.
        let most = match limits.surplus {
            Surplus::Refuse => 0,
            Surplus::Leave => i32::try_from(limits.max_rows.saturating_add(1)).unwrap_or(0),
        };
        self.talk(Protocol::Extended, limits, |output| {
            frontend::parse("", asked.sql, asked.value.map(|(oid, _)| oid), output)?;
            frontend::bind(
                "",
                "",
                asked.value.map(|_| BINARY),
                asked.value.map(|(_, bytes)| bytes),
                |bytes, output| {
                    output.extend_from_slice(bytes);
                    Ok(IsNull::No)
                },
                asked.formats.iter().copied(),
                output,
            )
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
            frontend::describe(b'P', "", output)?;
            frontend::execute("", most, output)?;
            frontend::sync(output);
            Ok(())
        })
    }

    /// Sends something and reads all that comes of it.
    fn talk(
        &mut self,
        protocol: Protocol,
        limits: &Limits,
        write: impl FnOnce(&mut bytes::BytesMut) -> io::Result<()>,
    ) -> Result<Raw, Unrun> {
        if self.is_broken {
            return Err(Unrun::Failed(lost(&io::ErrorKind::UnexpectedEof.into())));
        }
        self.wire.output.clear();
        if write(&mut self.wire.output).is_err() {
            self.wire.output.clear();
            return Err(Unrun::Failed(SqlError::new(
                SqlErrorKind::TooLarge,
                "the statement is too large to be sent",
            )));
        }
        let mut heard = Heard::new(protocol, limits);
        // Where the server has gone it may have said why, which is there to be read.
        let sent = self.wire.send();
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

impl Described {
    /// Whether its values are bytes that are still to be read.
    pub(super) fn is_unread(&self) -> bool {
        !self.is_text && !matches!(self.form, Some(Form::Own(_) | Form::List))
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
struct Heard<'l> {
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
    fn new(protocol: Protocol, limits: &'l Limits) -> Self {
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
