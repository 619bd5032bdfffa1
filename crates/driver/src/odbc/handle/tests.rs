//! Drivers that keep to ODBC in their own way, behind a manager made of their functions.

use std::cell::RefCell;
use std::ffi::c_void;

use super::*;

/// What the driver does.
#[derive(Debug, Clone, Default)]
struct Habits {
    /// The text of the column.
    text: Vec<u16>,
    /// Whether it says only with the last part how much is left.
    is_silent: bool,
    /// Whether its lengths have 32 bits, and the column is NULL.
    is_narrow: bool,
    /// The state of its error when it is asked for another result; none where there is no other.
    more_results: Option<&'static str>,
    /// What it calls the database, and how long it says that is.
    name: (Vec<u16>, i16),
}

thread_local! {
    static HABITS: RefCell<Habits> = RefCell::default();
}

unsafe extern "system" fn alloc_handle(_: i16, _: Raw, handle: *mut Raw) -> i16 {
    // SAFETY: the caller gives a place for a handle.
    unsafe { *handle = null_mut() };
    SUCCESS
}

unsafe extern "system" fn free_handle(_: i16, _: Raw) -> i16 {
    SUCCESS
}

unsafe extern "system" fn set_attribute(_: Raw, _: i32, _: Raw, _: i32) -> i16 {
    SUCCESS
}

unsafe extern "system" fn on_handle(_: Raw) -> i16 {
    SUCCESS
}

unsafe extern "system" fn get_info(
    _: Raw,
    _: u16,
    place: *mut c_void,
    bytes: i16,
    length: *mut i16,
) -> i16 {
    HABITS.with_borrow(|habits| {
        let (name, said) = &habits.name;
        let count = name.len().min(usize::try_from(bytes).unwrap() / 2);
        // SAFETY: the caller gives a place for a length, and room for so many bytes.
        unsafe {
            *length = *said;
            std::ptr::copy_nonoverlapping(name.as_ptr(), place.cast::<u16>(), count);
        }
        SUCCESS
    })
}

unsafe extern "system" fn more_results(_: Raw) -> i16 {
    HABITS.with_borrow(|habits| habits.more_results.map_or(NO_DATA, |_| -1))
}

unsafe extern "system" fn get_data(
    _: Raw,
    _: u16,
    _: i16,
    place: Raw,
    bytes: isize,
    left: *mut isize,
) -> i16 {
    HABITS.with_borrow_mut(|habits| {
        if habits.is_narrow {
            // SAFETY: the caller gives a place for a length, of which half is written.
            unsafe { *left.cast::<i32>() = -1 };
            return SUCCESS;
        }
        let room = usize::try_from(bytes).unwrap() / 2 - 1;
        let part: Vec<u16> = habits.text.iter().copied().take(room).chain([0]).collect();
        let is_last = habits.text.len() <= room;
        let said = if habits.is_silent && !is_last {
            -4
        } else {
            (habits.text.len() * 2).cast_signed()
        };
        // SAFETY: the caller gives a place for a length, and room for so many bytes.
        unsafe {
            *left = said;
            std::ptr::copy_nonoverlapping(part.as_ptr(), place.cast::<u16>(), part.len());
        }
        habits.text.drain(..part.len() - 1);
        if is_last { SUCCESS } else { SUCCESS_WITH_INFO }
    })
}

unsafe extern "system" fn diagnostic_record(
    _: i16,
    _: Raw,
    number: i16,
    state: *mut u16,
    _: *mut i32,
    _: *mut u16,
    _: i16,
    _: *mut i16,
) -> i16 {
    let told = HABITS.with_borrow(|habits| habits.more_results.unwrap_or_default());
    if number > 1 || told.is_empty() {
        return NO_DATA;
    }
    let units = wide(told);
    // SAFETY: the caller gives room for a state, which has five letters.
    unsafe { std::ptr::copy_nonoverlapping(units.as_ptr(), state, units.len()) };
    SUCCESS
}

/// The manager whose driver has these habits on this thread.
fn with(habits: Habits) -> &'static Manager {
    HABITS.set(habits);
    macro_rules! unused {
        ($($argument:ty),*) => {{
            unsafe extern "system" fn unused($(_: $argument),*) -> i16 {
                -1
            }
            unused
        }};
    }
    Box::leak(Box::new(Manager {
        alloc_handle,
        free_handle,
        set_environment_attribute: set_attribute,
        set_connection_attribute: set_attribute,
        set_statement_attribute: set_attribute,
        drivers: unused!(Raw, u16, *mut u16, i16, *mut i16, *mut u16, i16, *mut i16),
        driver_connect: unused!(Raw, Raw, *const u16, i16, *mut u16, i16, *mut i16, u16),
        disconnect: on_handle,
        get_info,
        exec_direct: unused!(Raw, *const u16, i32),
        more_results,
        num_result_columns: unused!(Raw, *mut i16),
        describe_column: unused!(
            Raw,
            u16,
            *mut u16,
            i16,
            *mut i16,
            *mut i16,
            *mut usize,
            *mut i16,
            *mut i16
        ),
        column_attribute: unused!(Raw, u16, u16, Raw, i16, *mut i16, *mut isize),
        row_count: unused!(Raw, *mut isize),
        fetch: unused!(Raw),
        get_data,
        cancel: on_handle,
        diagnostic_record,
    }))
}

/// A connection to a driver with these habits.
fn link(habits: Habits) -> Link {
    let manager = with(habits);
    let owned = |kind| Owned {
        manager,
        kind,
        raw: null_mut(),
    };
    Link {
        owned: owned(CONNECTION),
        _environment: Arc::new(Environment(owned(ENVIRONMENT))),
    }
}

/// Does something with a statement of a driver with these habits.
fn on_statement<T>(habits: Habits, ask: impl FnOnce(&mut Statement<'_>) -> T) -> T {
    let (link, running) = (link(habits), Running::default());
    let mut statement = Statement::new(&link, Duration::from_secs(1), &running)
        .unwrap_or_else(|failure| panic!("{failure:?}"));
    ask(&mut statement)
}

#[test]
fn a_length_that_is_said_with_the_last_part_is_that_of_the_part() {
    for is_silent in [false, true] {
        let text = vec![u16::from(b'y'); 3 * FIRST_CHUNK];
        let habits = Habits {
            text: text.clone(),
            is_silent,
            ..Habits::default()
        };
        let read = on_statement(habits, |statement| {
            statement.long(1, Form::Text, usize::MAX)
        });
        let Ok(Some(read)) = read else {
            panic!("not read whole, silent: {is_silent}");
        };
        assert_eq!((read.bytes, read.units == text), (text.len() * 2, true));
    }
}

#[test]
fn null_of_a_driver_with_lengths_of_32_bits_is_no_number() {
    let habits = Habits {
        is_narrow: true,
        ..Habits::default()
    };
    on_statement(habits, |statement| {
        assert!(matches!(statement.plain::<f64>(1), Ok(None)));
        assert!(matches!(statement.long(1, Form::Text, 100), Ok(None)));
    });
    assert_eq!(widened(0xffff_fffc), -4);
    assert_eq!(widened(5), 5);
}

#[test]
fn a_driver_that_knows_one_result_of_a_statement_has_no_other() {
    for (state, is_end) in [
        (None, true),
        (Some("IM001"), true),
        (Some("HYC00"), true),
        (Some("08S01"), false),
    ] {
        let habits = Habits {
            more_results: state,
            ..Habits::default()
        };
        let next = on_statement(habits, |statement| statement.next_result());
        assert_eq!(matches!(next, Ok(false)), is_end, "{state:?}");
    }
}

#[test]
fn text_with_every_other_unit_empty_has_characters_of_four_bytes() {
    let units = |text: &str| -> Vec<u16> {
        let letters = text.encode_utf16();
        letters
            .flat_map(|letter| [letter, 0])
            .chain([0; 4])
            .collect()
    };
    let has_four = |name: Vec<u16>, length| {
        let name = (name, length);
        let habits = Habits {
            name,
            ..Habits::default()
        };
        link(habits).has_four_byte_text()
    };
    assert!(has_four(units("MockDB"), 24));
    assert!(!has_four(wide("MockDB"), 12));
    // What lies behind the end of a short text is nobody's.
    assert!(!has_four(units("MockDB"), 1));
}
