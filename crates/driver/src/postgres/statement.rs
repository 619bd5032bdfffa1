//! Running one statement on a session and reading its result.

use std::collections::BTreeMap;
use std::io;

use postgres_protocol::IsNull;
use postgres_protocol::message::frontend;
use postgres_types::Oid;

use super::error::{Refusal, gone};
use super::heard::Heard;
use super::login::Session;
use super::reach::Way;
use super::types::{Form, TypesSeen};
use super::value::Read;
use super::wire::Wire;
use crate::changes::{is_change, leading_word};
use crate::{Limits, ResultSet, SqlError, SqlErrorKind, Surplus};

pub(super) const TEXT: i16 = 0;
pub(super) const BINARY: i16 = 1;

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
pub(super) fn may_hold_several(sql: &str) -> bool {
    sql.trim_end().trim_end_matches(';').contains(';')
}

/// A session with a server, on the thread that its statements run on.
pub(super) struct Connected {
    pub(super) wire: Wire,
    pub(super) key: Option<(i32, i32)>,
    pub(super) way: Way,
    pub(super) status: BTreeMap<String, String>,
    pub(super) types: TypesSeen,
    /// Whether the session is in a transaction, as the server said last.
    pub(super) transaction: u8,
    pub(super) is_broken: bool,
}

/// The protocols there are for statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
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

impl Asked<'_> {
    /// Writes the messages that parse, bind, describe and execute it.
    pub(super) fn write(&self, limits: &Limits, output: &mut bytes::BytesMut) -> io::Result<()> {
        // Where the rest is left unread, the server does not even send it. Otherwise it must not know that there is a
        // limit: it would run nothing in parallel.
        let most = match limits.surplus {
            Surplus::Refuse => 0,
            Surplus::Leave => i32::try_from(limits.max_rows.saturating_add(1)).unwrap_or(0),
        };
        frontend::parse("", self.sql, self.value.map(|(oid, _)| oid), output)?;
        frontend::bind(
            "",
            "",
            self.value.map(|_| BINARY),
            self.value.map(|(_, bytes)| bytes),
            |bytes, output| {
                output.extend_from_slice(bytes);
                Ok(IsNull::No)
            },
            self.formats.iter().copied(),
            output,
        )
        .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        frontend::describe(b'P', "", output)?;
        frontend::execute("", most, output)?;
        frontend::sync(output);
        Ok(())
    }
}

/// A column of a result as the server describes it.
#[derive(Debug, Clone)]
pub(super) struct Described {
    pub(super) name: String,
    pub(super) oid: Oid,
    /// How its values are read; none where the server has to say.
    pub(super) form: Option<Form>,
    pub(super) is_text: bool,
}

/// A result whose columns of foreign types hold bytes.
pub(super) struct Raw {
    pub(super) result: ResultSet,
    pub(super) columns: Vec<Described>,
    pub(super) is_empty: bool,
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

    /// Whether the server would answer if a column came as text.
    pub(super) fn is_of_no_binary_form(&self) -> bool {
        self.is_from(&NO_BINARY_FORM)
    }

    /// Whether the server was told to stop it.
    pub(super) fn is_stopped(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.error.kind == SqlErrorKind::Cancelled)
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
        if !self.is_idle() && is_change && may_hold_several(sql) {
            return self.run_several(sql).map_err(Unrun::error);
        }
        let asked = Asked {
            sql,
            value: None,
            formats: vec![BINARY],
        };
        match self.ask(&asked, limits) {
            Err(unrun) if unrun.is_from(&SEVERAL_COMMANDS) && is_change => {
                self.run_several(sql).map_err(Unrun::error)
            }
            raw => self.finish(sql, raw, limits),
        }
    }

    /// Makes a result of what came of a statement; asks again where a column has no binary form.
    pub(super) fn finish(
        &mut self,
        sql: &str,
        raw: Result<Raw, Unrun>,
        limits: &Limits,
    ) -> Result<ResultSet, SqlError> {
        let raw = match raw {
            Err(unrun) if unrun.is_of_no_binary_form() && self.is_idle() => {
                let formats = self.formats(sql, limits)?;
                let asked = Asked {
                    sql,
                    value: None,
                    formats,
                };
                self.ask(&asked, limits)
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

    /// Whether the session is in no transaction.
    pub(super) fn is_idle(&self) -> bool {
        self.transaction == IDLE
    }

    /// Refuses what cannot be sent.
    pub(super) fn check(&self, sql: &str) -> Result<(), SqlError> {
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

    pub(super) fn in_another_encoding(&self, mut words: String) -> SqlError {
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
        self.talk(Protocol::Extended, limits, |output| {
            asked.write(limits, output)
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
            return Err(Unrun::Failed(gone()));
        }
        self.wire.output.clear();
        if write(&mut self.wire.output).is_err() {
            self.wire.output.clear();
            return Err(Unrun::Failed(SqlError::new(
                SqlErrorKind::TooLarge,
                "the statement is too large to be sent",
            )));
        }
        let heard = Heard::new(protocol, limits);
        // Where the server has gone it may have said why, which is there to be read.
        let sent = self.wire.send();
        self.hear(heard, sent)
    }
}

impl Raw {
    /// Whether nothing more has to be asked to read it.
    pub(super) fn is_complete(&self, types: &TypesSeen) -> bool {
        let is_known = |column: &Described| {
            let is_named = postgres_types::Type::from_oid(column.oid).is_some();
            !column.is_unread() && (is_named || types.get(column.oid).is_some())
        };
        self.columns.iter().all(is_known)
    }
}

impl Described {
    /// Whether its values are bytes that are still to be read.
    pub(super) fn is_unread(&self) -> bool {
        !self.is_text && !matches!(self.form, Some(Form::Own(_) | Form::List))
    }
}
