//! Safe handles over the manager's functions: an environment, its connections, their statements.
#![expect(
    unsafe_code,
    reason = "every call into the driver manager is a call of a C function"
)]

use std::ptr::{null_mut, without_provenance_mut};
use std::sync::Arc;
use std::time::Duration;

use super::error::{Diagnostic, Failure};
use super::manager::{Manager, Raw, manager};
use super::running::Running;
use super::units::{capacity, has_four_bytes, until_nul, whole_seconds, wide, widened};
use crate::SqlError;

const ENVIRONMENT: i16 = 1;
const CONNECTION: i16 = 2;
const STATEMENT: i16 = 3;

const SUCCESS: i16 = 0;
const SUCCESS_WITH_INFO: i16 = 1;
const NO_DATA: i16 = 100;

const ATTR_ODBC_VERSION: i32 = 200;
const ODBC_3: usize = 3;
const ATTR_LOGIN_TIMEOUT: i32 = 103;
const ATTR_QUERY_TIMEOUT: i32 = 0;
const ATTR_NO_SCAN: i32 = 2;
const NO_SCAN_ON: usize = 1;
const IS_UINTEGER: i32 = -5;
const NULL_TERMINATED: i16 = -3;
const NO_PROMPT: u16 = 0;
const FETCH_NEXT: u16 = 1;
const FETCH_FIRST: u16 = 2;
const DESC_TYPE_NAME: u16 = 14;
const NULL_DATA: isize = -1;

/// The name of the product, for [`Link::info`].
pub(super) const DBMS_NAME: u16 = 17;
/// The version of the product, for [`Link::info`].
pub(super) const DBMS_VERSION: u16 = 18;

/// The longest word the manager says in one go: a name, a type, a version.
const WORD: usize = 512;
/// The longest message read whole; what a server says beyond it is left out.
const LONGEST_MESSAGE: usize = 4096;
/// Where reading a long value starts, in UTF-16 units.
const FIRST_CHUNK: usize = 2048;
/// The most of a long value read in one call, in UTF-16 units.
const LARGEST_CHUNK: usize = 512 * 1024;

/// A handle that the manager gave and wants back.
struct Owned {
    manager: &'static Manager,
    kind: i16,
    raw: Raw,
}

// SAFETY: ODBC handles may be used from any thread; that no two use one at once is up to its owners below.
unsafe impl Send for Owned {}
// SAFETY: the environment is only shared to allocate from, which the manager guards itself.
unsafe impl Sync for Owned {}

impl Owned {
    fn new(manager: &'static Manager, kind: i16, parent: Option<&Self>) -> Result<Self, Failure> {
        let mut raw = null_mut();
        let above = parent.map_or(null_mut(), |parent| parent.raw);
        // SAFETY: the parent is a live handle of the kind above, or null for an environment.
        let code = unsafe { (manager.alloc_handle)(kind, above, &mut raw) };
        match parent {
            _ if succeeded(code) => Ok(Self { manager, kind, raw }),
            Some(parent) => Err(parent.failure()),
            None => Err(Failure(Vec::new())),
        }
    }

    fn check(&self, code: i16) -> Result<(), Failure> {
        if succeeded(code) {
            Ok(())
        } else {
            Err(self.failure())
        }
    }

    /// What the last call on this handle left behind.
    fn failure(&self) -> Failure {
        const STATE: usize = 6;
        let mut diagnostics = Vec::new();
        let mut words = vec![0_u16; LONGEST_MESSAGE];
        for number in 1..=8 {
            let (mut state, mut native, mut length) = ([0_u16; STATE], 0, 0);
            // SAFETY: every pointer is to live memory of the length given with it.
            let code = unsafe {
                (self.manager.diagnostic_record)(
                    self.kind,
                    self.raw,
                    number,
                    state.as_mut_ptr(),
                    &mut native,
                    words.as_mut_ptr(),
                    capacity(words.len()),
                    &mut length,
                )
            };
            if !succeeded(code) {
                break;
            }
            diagnostics.push(Diagnostic {
                state: until_nul(&state),
                native,
                message: until_nul(&words),
            });
        }
        Failure(diagnostics)
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the handle is live, and its children are gone: they keep their parents alive.
        unsafe { (self.manager.free_handle)(self.kind, self.raw) };
    }
}

/// The manager's environment: connections are made in it. Shared by all of a database's connections.
pub(super) struct Environment(Owned);

impl Environment {
    /// Loads the manager and makes an environment.
    ///
    /// # Errors
    /// Kind `Driver` when the manager is not there.
    pub(super) fn new() -> Result<Self, SqlError> {
        let manager = manager()?;
        let owned = Owned::new(manager, ENVIRONMENT, None).map_err(Failure::connecting)?;
        // SAFETY: the handle is live, and the attribute's value is a number in a pointer's place.
        let code = unsafe {
            let version = without_provenance_mut(ODBC_3);
            (manager.set_environment_attribute)(owned.raw, ATTR_ODBC_VERSION, version, 0)
        };
        owned.check(code).map_err(Failure::connecting)?;
        Ok(Self(owned))
    }

    /// The names of the drivers that are installed.
    pub(super) fn drivers(&self) -> Vec<String> {
        let mut names = Vec::new();
        let (mut name, mut attributes) = (vec![0_u16; WORD], vec![0_u16; WORD]);
        let mut direction = FETCH_FIRST;
        loop {
            let (mut name_length, mut attributes_length) = (0, 0);
            // SAFETY: the handle is live, and every pointer is to memory of the length given with it.
            let code = unsafe {
                (self.0.manager.drivers)(
                    self.0.raw,
                    direction,
                    name.as_mut_ptr(),
                    capacity(name.len()),
                    &mut name_length,
                    attributes.as_mut_ptr(),
                    capacity(attributes.len()),
                    &mut attributes_length,
                )
            };
            if !succeeded(code) {
                return names;
            }
            names.push(until_nul(&name));
            direction = FETCH_NEXT;
        }
    }
}

/// An open connection.
pub(super) struct Link {
    owned: Owned,
    // Freed after the connection.
    _environment: Arc<Environment>,
}

impl Link {
    /// Opens a connection.
    pub(super) fn open(
        environment: &Arc<Environment>,
        text: &str,
        limit: Duration,
    ) -> Result<Self, Failure> {
        let manager = environment.0.manager;
        let owned = Owned::new(manager, CONNECTION, Some(&environment.0))?;
        let text = wide(text);
        // SAFETY: the handle is live, the text ends in a NUL, and nothing is asked back. Drivers that know
        // no login limit refuse the attribute, which is of no harm: the caller keeps the time too.
        let code = unsafe {
            let seconds = without_provenance_mut(whole_seconds(limit));
            (manager.set_connection_attribute)(owned.raw, ATTR_LOGIN_TIMEOUT, seconds, IS_UINTEGER);
            (manager.driver_connect)(
                owned.raw,
                null_mut(),
                text.as_ptr(),
                NULL_TERMINATED,
                null_mut(),
                0,
                null_mut(),
                NO_PROMPT,
            )
        };
        owned.check(code)?;
        Ok(Self {
            owned,
            _environment: Arc::clone(environment),
        })
    }

    /// What the driver says about itself or the server, as text.
    pub(super) fn info(&self, what: u16) -> Option<String> {
        let (words, _) = self.words_of(what)?;
        Some(until_nul(&words))
    }

    /// Whether the driver's characters have four bytes, so that nothing it says would be read right.
    pub(super) fn has_four_byte_text(&self) -> bool {
        let words = self.words_of(DBMS_NAME);
        words.is_some_and(|(words, length)| has_four_bytes(&words, length))
    }

    fn words_of(&self, what: u16) -> Option<(Vec<u16>, i16)> {
        let (mut words, mut length) = (vec![0_u16; WORD], 0);
        // SAFETY: the handle is live, and the pointer is to memory of the length given in bytes.
        let code = unsafe {
            let bytes = capacity(words.len() * 2);
            let place = words.as_mut_ptr().cast();
            (self.owned.manager.get_info)(self.owned.raw, what, place, bytes, &mut length)
        };
        succeeded(code).then_some((words, length))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // SAFETY: the handle is live and open, and no statement is left on it: they borrow the connection.
        unsafe { (self.owned.manager.disconnect)(self.owned.raw) };
    }
}

/// A statement on a connection.
pub(super) struct Statement<'a> {
    owned: Owned,
    running: &'a Running,
    /// Kept between values, so that most need no memory of their own to be read into.
    chunk: Vec<u16>,
    _link: &'a Link,
}

/// A column of a result, as the driver describes it.
pub(super) struct Description {
    /// The name.
    pub(super) name: String,
    /// ODBC's number of its type.
    pub(super) data_type: i16,
    /// The database's word for its type.
    pub(super) type_name: String,
}

/// What a long value is read as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// UTF-16 text.
    Text,
    /// Bytes.
    Bytes,
}

/// A value of any length, in 16-bit units as it was read.
pub(super) struct Long {
    /// The units; the last one is half used when the length is odd.
    pub(super) units: Vec<u16>,
    /// The length in bytes.
    pub(super) bytes: usize,
}

/// Why a value was not read.
pub(super) enum Unread {
    /// The driver refused.
    Failed(Failure),
    /// It is longer than the limit given.
    TooLong,
    /// The driver gave less than it had announced.
    Cut,
}

impl<'a> Statement<'a> {
    /// Makes a statement, which stops by itself some time after the limit where the driver knows how.
    pub(super) fn new(
        link: &'a Link,
        limit: Duration,
        running: &'a Running,
    ) -> Result<Self, Failure> {
        let manager = link.owned.manager;
        let owned = Owned::new(manager, STATEMENT, Some(&link.owned))?;
        // SAFETY: the handle is live, and both values are numbers in a pointer's place. Drivers may refuse either.
        unsafe {
            // The caller's own clock comes first; the driver's is for when nobody is there any more.
            let seconds = without_provenance_mut(whole_seconds(limit).saturating_add(1));
            (manager.set_statement_attribute)(owned.raw, ATTR_QUERY_TIMEOUT, seconds, IS_UINTEGER);
            let no_scan = without_provenance_mut(NO_SCAN_ON);
            (manager.set_statement_attribute)(owned.raw, ATTR_NO_SCAN, no_scan, IS_UINTEGER);
        }
        running.begin(manager, owned.raw);
        Ok(Self {
            owned,
            running,
            chunk: vec![0; FIRST_CHUNK],
            _link: link,
        })
    }

    /// Runs a text.
    pub(super) fn execute(&mut self, sql: &str) -> Result<(), Failure> {
        let text = wide(sql);
        let length = i32::from(NULL_TERMINATED);
        let code = self.running.wait_for(|| {
            // SAFETY: the handle is live, and the text ends in a NUL.
            unsafe { (self.owned.manager.exec_direct)(self.owned.raw, text.as_ptr(), length) }
        })?;
        match code {
            // A change that met no row.
            NO_DATA => Ok(()),
            code => self.owned.check(code),
        }
    }

    /// Gives up what is left of the result, from the statement's own thread.
    pub(super) fn cancel(&self) {
        self.running.cancel();
    }

    /// Goes on to the next result of the text; says whether there is one.
    pub(super) fn next_result(&mut self) -> Result<bool, Failure> {
        let code = self.running.wait_for(|| {
            // SAFETY: the handle is live.
            unsafe { (self.owned.manager.more_results)(self.owned.raw) }
        })?;
        match code {
            NO_DATA => Ok(false),
            code => match self.owned.check(code) {
                // Some drivers know one result of a statement, and not this function.
                Err(failure) if failure.is_unsupported() => Ok(false),
                outcome => outcome.map(|()| true),
            },
        }
    }

    /// How many rows the statement changed, where the driver says so.
    pub(super) fn rows_affected(&self) -> Option<u64> {
        let mut count = -1;
        // SAFETY: the handle is live, and the pointer is to a number of the function's type.
        let code = unsafe { (self.owned.manager.row_count)(self.owned.raw, &mut count) };
        u64::try_from(count).ok().filter(|_| succeeded(code))
    }

    /// The columns of the present result; none when it has no rows to give.
    pub(super) fn describe(&self) -> Result<Vec<Description>, Failure> {
        let mut count = 0;
        // SAFETY: the handle is live, and the pointer is to a number of the function's type.
        let code = unsafe { (self.owned.manager.num_result_columns)(self.owned.raw, &mut count) };
        self.owned.check(code)?;
        let count = u16::try_from(count).unwrap_or_default();
        (1..=count)
            .map(|number| self.describe_column(number))
            .collect()
    }

    fn describe_column(&self, number: u16) -> Result<Description, Failure> {
        let mut name = vec![0_u16; WORD];
        loop {
            let (mut length, mut data_type, mut size, mut digits, mut nullable) = (0, 0, 0, 0, 0);
            // SAFETY: the handle is live, and every pointer is to a number of the function's type or to
            // memory of the length given with it.
            let code = unsafe {
                (self.owned.manager.describe_column)(
                    self.owned.raw,
                    number,
                    name.as_mut_ptr(),
                    capacity(name.len()),
                    &mut length,
                    &mut data_type,
                    &mut size,
                    &mut digits,
                    &mut nullable,
                )
            };
            self.owned.check(code)?;
            let needed = usize::from(length.unsigned_abs()) + 1;
            if needed > name.len() {
                name.resize(needed, 0);
                continue;
            }
            return Ok(Description {
                name: until_nul(&name),
                data_type,
                type_name: self.type_name(number).unwrap_or_default(),
            });
        }
    }

    fn type_name(&self, number: u16) -> Option<String> {
        let mut words = vec![0_u16; WORD];
        let (mut length, mut unused) = (0, 0);
        // SAFETY: the handle is live, and every pointer is to a number of the function's type or to
        // memory of the length given in bytes.
        let code = unsafe {
            (self.owned.manager.column_attribute)(
                self.owned.raw,
                number,
                DESC_TYPE_NAME,
                words.as_mut_ptr().cast(),
                capacity(words.len() * 2),
                &mut length,
                &mut unused,
            )
        };
        succeeded(code).then(|| until_nul(&words))
    }

    /// Goes on to the next row; says whether there is one.
    pub(super) fn next_row(&mut self) -> Result<bool, Failure> {
        let code = self.running.wait_for(|| {
            // SAFETY: the handle is live.
            unsafe { (self.owned.manager.fetch)(self.owned.raw) }
        })?;
        match code {
            NO_DATA => Ok(false),
            code => self.owned.check(code).map(|()| true),
        }
    }

    /// A column of the present row as the C type with this number, whose layout is that of `T`; none for NULL.
    pub(super) fn plain<T: Plain>(&mut self, number: u16) -> Result<Option<T>, Failure> {
        let (mut value, mut length) = (T::default(), 0);
        // SAFETY: the handle is live, and `Plain` promises that the value has the C type's size and takes any bits.
        let code = unsafe {
            (self.owned.manager.get_data)(
                self.owned.raw,
                number,
                T::C_TYPE,
                (&raw mut value).cast(),
                size_of::<T>().cast_signed(),
                &mut length,
            )
        };
        self.owned.check(code)?;
        Ok((widened(length) != NULL_DATA).then_some(value))
    }

    /// A column of the present row at its full length; none for NULL.
    pub(super) fn long(
        &mut self,
        number: u16,
        form: Form,
        longest: usize,
    ) -> Result<Option<Long>, Unread> {
        let c_type = match form {
            Form::Text => -8,
            Form::Bytes => -2,
        };
        let mut read = Long {
            units: Vec::new(),
            bytes: 0,
        };
        let mut announced = None;
        loop {
            let mut left = 0;
            let last = self.chunk.len() - 1;
            // Marks that a terminator overwrites: some drivers stop a unit early rather than part a pair.
            self.chunk[last - 1..].fill(u16::MAX);
            // SAFETY: the handle is live, and the pointer is to memory of the length given in bytes.
            let code = unsafe {
                (self.owned.manager.get_data)(
                    self.owned.raw,
                    number,
                    c_type,
                    self.chunk.as_mut_ptr().cast(),
                    (self.chunk.len() * 2).cast_signed(),
                    &mut left,
                )
            };
            if code == NO_DATA {
                break;
            }
            self.owned.check(code).map_err(Unread::Failed)?;
            let left = widened(left);
            if left == NULL_DATA {
                return Ok(None);
            }
            let held = match form {
                Form::Text if self.chunk[last] != 0 && self.chunk[last - 1] == 0 => last - 1,
                Form::Text => last,
                Form::Bytes => self.chunk.len(),
            };
            let left = usize::try_from(left).ok();
            let taken = match left {
                Some(left) if left <= held * 2 => left,
                None if code == SUCCESS && form == Form::Text => {
                    2 * self.chunk.iter().take_while(|unit| **unit != 0).count()
                }
                _ => held * 2,
            };
            if announced.is_none() {
                // Some drivers say only behind the first parts how much is left.
                announced = left.map(|left| read.bytes + left);
            }
            read.units
                .extend_from_slice(&self.chunk[..taken.div_ceil(2)]);
            read.bytes += taken;
            if read.bytes.max(announced.unwrap_or(0)) > longest {
                return Err(Unread::TooLong);
            }
            if left == Some(taken) || code == SUCCESS {
                break;
            }
            let wanted = left.map_or(self.chunk.len() * 2, |left| (left - taken) / 2 + 2);
            if wanted > self.chunk.len() {
                self.chunk.resize(wanted.min(LARGEST_CHUNK), 0);
            }
        }
        match announced {
            Some(announced) if announced != read.bytes => Err(Unread::Cut),
            _ => Ok(Some(read)),
        }
    }
}

impl Drop for Statement<'_> {
    fn drop(&mut self) {
        self.running.end();
    }
}

/// A type that a value of fixed size can be read into.
///
/// # Safety
/// Its layout is that of the C type, and any bits are a value of it.
pub(super) unsafe trait Plain: Default {
    /// ODBC's number of the C type.
    const C_TYPE: i16;
}

// SAFETY: `SQLDOUBLE` is a double.
unsafe impl Plain for f64 {
    const C_TYPE: i16 = 8;
}

// SAFETY: `SQLREAL` is a float.
unsafe impl Plain for f32 {
    const C_TYPE: i16 = 7;
}

// SAFETY: `SQL_C_BIT` is one byte.
unsafe impl Plain for u8 {
    const C_TYPE: i16 = -7;
}

pub(super) fn succeeded(code: i16) -> bool {
    matches!(code, SUCCESS | SUCCESS_WITH_INFO)
}

#[cfg(test)]
mod tests;
